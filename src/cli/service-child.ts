/** A worker's process with the built-in service, all of it loaded at once: one text is read faster than many (ADR 25). */
import fastify from "fastify";
import * as service from "../app/index.ts";
import { compactOnceIdle } from "../base/compact.ts";
import { begin } from "./birth.ts";
import { createDoor } from "./door.ts";
import { startWorker } from "./worker-role.ts";

startWorker(begin(), { fastify: () => Promise.resolve(fastify), builtIn: () => Promise.resolve(service) }, createDoor);
compactOnceIdle();
