/** The broker's process. It has no web framework. */
import { compactOnceIdle } from "../base/compact.ts";
import { runBroker } from "../broker/main.ts";
import { openWrites } from "../broker/means.ts";
import { begin, openLog } from "./birth.ts";

const { port } = begin();
const { slot, generation, config } = await port.configured;
const sink = openLog("broker", slot, generation, config);
await runBroker(port, { log: sink.log, reopen: () => sink.reopen(), openWrites });
compactOnceIdle();
