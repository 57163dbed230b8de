/**
 * The first module of every drover process that may be a master: what follows takes a few hundred milliseconds to load. Until a
 * daemon takes its signals they are held, where the command line starts one: by default they would end it without a word, and
 * Node.js opens its debugger on SIGUSR1. Before this module Node.js itself starts, and nothing can be held.
 */
import { holdSignals, type HeldSignals } from "../master/shell/signals.ts";

/** On `globalThis`: modules that are loaded later may be in another bundle, with a copy of this module. */
const HELD = Symbol.for("drover.signals.held");
type Holder = { [HELD]?: HeldSignals };

const [command = "serve", ...words] = process.argv.slice(2);
const isHelp = [command, ...words].some((word) => ["--help", "-h", "--version"].includes(word));
const startsDaemon = command === "serve" || command.startsWith("-") || /[./\\]/.test(command);
if (startsDaemon && !isHelp) (globalThis as Holder)[HELD] = holdSignals(process);
else process.on("SIGUSR1", () => {});

/** @returns what was held from the start of this process on; or, in a test or another command, from now on. */
export const heldSignals = (): HeldSignals => ((globalThis as Holder)[HELD] ??= holdSignals(process));
