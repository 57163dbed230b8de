/** A worker's process with the built-in service, all of it loaded at once: one text is read faster than many (ADR 25). */
import fastify from "fastify";
import * as service from "../app/index.ts";
import { compactOnceIdle } from "../base/compact.ts";
import { begin } from "./birth.ts";
import { createDoor } from "./door.ts";
import { startWorker } from "./worker-role.ts";

startWorker(begin(), { fastify: () => Promise.resolve(fastify), builtIn: () => Promise.resolve(service) }, createDoor);
compactOnceIdle();

// What a request allocates is garbage with its answer. V8 may decide from the first thousands, which wait for each other, that it lives
// long, and put it into the old generation from then on: scavenges took five times as long, a cached answer 1.4 times the CPU. Not on
// the command line: it would change the hash of V8's flags (ADR 22).
process.getBuiltinModule("node:v8").setFlagsFromString("--no-allocation-site-pretenuring");
