import { minutes, type Ms } from "../../../src/base/units.ts";

export type { Instant, Timestamp } from "../../../src/base/units.ts";
export const hours = (count: number): Ms => minutes(count * 60);
