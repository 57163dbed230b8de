/**
 * The first module of the hooks' process: `node hooks-child.js hooks 0 MASTER_PID NAME`. It loads a user's module and calls its hooks one
 * at a time. It judges nothing: how long a call may take, and what happens after one that failed, is the master's to say.
 */
import "./child-signals.ts";
import { setPriority } from "node:os";
import { pathToFileURL } from "node:url";
import { messageOf } from "../base/errors.ts";
import { readableStack } from "../base/sources.ts";
import { HOOK_NAMES, type FromHooks, type HookName, type ToHooks } from "../base/hooks.ts";
import { preferUnderMemoryPressure } from "./oom.ts";

/** Whatever a hook computes, requests come first. */
const NICE = 10;
/** How long the last message may take on its way. */
const LAST_WORDS = 200;

type Hook = (event: unknown) => unknown;
const hooks = new Map<HookName, Hook>();

const send = (message: FromHooks, sent?: () => void): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
  else sent?.();
};
const stackOf = (thrown: unknown): string => (thrown instanceof Error ? readableStack(thrown.stack ?? thrown.message) : messageOf(thrown));

async function load(file: string): Promise<void> {
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  // module.exports of a CommonJS file, or an object that is the default export
  const exported = { ...(typeof module["default"] === "object" ? module["default"] : {}), ...module } as Readonly<Record<string, unknown>>;
  for (const name of HOOK_NAMES) {
    const hook = exported[name];
    if (hook === undefined) continue;
    if (typeof hook !== "function") throw new Error(`${name} is ${typeof hook}; expected a function`);
    hooks.set(name, hook as Hook);
  }
  const strange = Object.keys(exported).filter((name) => /^on[A-Z]/.test(name) && !(HOOK_NAMES as readonly string[]).includes(name));
  send({ type: "loaded", hooks: [...hooks.keys()], strange });
}

async function call({ id, hook, event }: Extract<ToHooks, { type: "call" }>): Promise<void> {
  try {
    await hooks.get(hook)?.(event);
    send({ type: "done", id });
  } catch (thrown) {
    send({ type: "threw", id, message: stackOf(thrown) });
  }
}

function fault(thrown: unknown): void {
  setTimeout(() => process.exit(1), LAST_WORDS).unref();
  send({ type: "fault", message: stackOf(thrown) }, () => process.exit(1));
}

function lowerPriority(): void {
  try {
    setPriority(NICE);
  } catch {
    // the system forbids it: then hooks compete with workers, as anything else on the machine does
  }
}

if (process.ppid !== Number(process.argv[4])) process.exit(0); // the master died before we were wrapped
preferUnderMemoryPressure();
lowerPriority();
process.on("uncaughtException", fault);
process.on("disconnect", () => process.exit(0));
process.on("message", (raw) => {
  const message = raw as ToHooks;
  if (message.type === "call") void call(message);
  else load(message.file).catch((thrown: unknown) => send({ type: "failed", message: stackOf(thrown) }));
});
