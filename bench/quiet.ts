/** An access log that nobody asked for. */
import { systemClock } from "../src/base/clock.ts";
import { AccessLog } from "../src/worker/access.ts";

const lines = { push() {}, reopen() {}, end() {}, flushed: () => Promise.resolve() };
export const silent = new AccessLog({ slot: 0, generation: 0, clock: systemClock, lines, share: 0 });
