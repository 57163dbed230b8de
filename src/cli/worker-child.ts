/** A worker's process with an application of the user's, which decides what else is loaded, and keeps V8's own rhythm. */
import "./child-signals.ts";
import { begin } from "./birth.ts";
import { preferUnderMemoryPressure } from "./oom.ts";
import { startWorker } from "./worker-role.ts";

const birth = begin();
// Role, number, master and name are drover's: the application finds its own arguments there.
process.argv.splice(2, 4);
preferUnderMemoryPressure();
startWorker(birth, {
  // By its default export: those by name are guessed at from its text, which a bundler does not do.
  fastify: async () => (await import("fastify")).default,
  face: async () => (await import("../index.ts")).drover,
});
