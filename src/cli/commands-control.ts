/** What signals and the control socket ask of the master: both end in the same events. */
import type { Logger } from "../base/log.ts";
import type { ControlAnswer, ControlHandlers, ControlVerb } from "../master/shell/control.ts";
import { collapsing } from "../master/shell/collapse.ts";
import type { SignalVerb } from "../master/shell/signals.ts";
import { systemClock } from "../base/clock.ts";
import { placeId } from "../master/core/model.ts";
import { recycleRefusal } from "../master/core/recycle.ts";
import type { Resolved } from "../settings/resolve.ts";
import { answerAlerts } from "./alerts.ts";
import { scheduleOrder } from "./slots/order.ts";
import type { Daemon } from "./daemon.ts";
import type { Generations } from "./generations.ts";
import { reloadSettings } from "./reload.ts";
import { statusOf } from "./snapshot.ts";
import { readQuestion } from "./questions.ts";
import { stackOf } from "./stack.ts";
import { boundOf, policyOf } from "./state.ts";
import { stopStep, type StopAsked } from "./stopping.ts";

export interface Commands {
  /** The same orders, from the admin API. */
  readonly order: (
    verb: "reload" | "scale" | "recycle" | "stack",
    body: Readonly<Record<string, unknown>>,
  ) => ControlAnswer | Promise<ControlAnswer>;
  signal(verb: SignalVerb, signal: NodeJS.Signals): void;
  readonly handlers: ControlHandlers;
}

interface Parts {
  readonly daemon: Daemon;
  readonly generations: Generations;
  readonly log: Logger;
  /** Reads the settings again. */
  resolve(): Resolved;
  /** Links and tokens for the administration. */
  dashboard(body: Readonly<Record<string, unknown>>): ControlAnswer;
  /** The admin API on the control socket. */
  readonly admin: NonNullable<ControlHandlers["admin"]>;
}

export function createCommands({ daemon, generations, log, resolve, dashboard, admin }: Parts): Commands {
  const { arbiter } = daemon;
  const say = collapsing(log);
  let asked: StopAsked | undefined;
  let refusals = 0;

  const stop = (quick: boolean): void => {
    const now = { quick, at: performance.now() };
    const step = stopStep(asked, now);
    if (step === "none") return;
    asked = now;
    if (step === "kill") return stopNow();
    arbiter.feed({ type: "stop", quick });
  };
  /** Quick, and quick again: the core then kills what is left. */
  const stopNow = (): void => {
    asked ??= { quick: true, at: performance.now() };
    daemon.hooks.hurry();
    arbiter.feed({ type: "stop", quick: true });
    arbiter.feed({ type: "stop", quick: true });
  };
  /** A command says `--now` when it means it: asking twice changes nothing, as a deploy script may. */
  const stopByCommand = (now: boolean): ControlAnswer => {
    const before = arbiter.state().mode;
    if (now) stopNow();
    else if (before.is === "running") stop(false);
    else return { ok: true, message: "stopping already; drover stop --now ends it at once" };
    return { ok: true, message: "stopping" };
  };

  const reload = (): ControlAnswer => {
    const { mode, target } = arbiter.state();
    if (mode.is !== "running" || target === 0) return { ok: false, message: target === 0 ? "drover is starting" : "drover is stopping" };
    const outcome = reloadSettings(log, generations, resolve);
    if (!outcome.ok) return outcome;
    arbiter.feed({ type: "reload", workers: outcome.workers });
    const { roll, lastRoll } = arbiter.state();
    const generation = roll === undefined ? (lastRoll?.generation ?? 0) : roll.generation + (roll.again ? 1 : 0);
    daemon.hooks.reload(generation, outcome.diff);
    const then = roll?.again === true ? `generation ${generation} follows the one that rolls` : `generation ${generation} begins`;
    return { ok: true, message: `${outcome.message}; ${then}`, generation };
  };

  const signal = (verb: SignalVerb, name: NodeJS.Signals): void => {
    if (verb !== "ignore") log.info({ signal: name }, `${name}: ${verb}`);
    switch (verb) {
      case "stop":
        return stop(false);
      case "quit":
        return stop(true);
      case "reload":
        return void reload();
      case "grow":
      case "shrink":
        return arbiter.feed({ type: verb });
      case "reopen":
        return void daemon.reopen();
      case "ignore":
        return;
      default:
        return verb satisfies never;
    }
  };

  const recycle = (slot: unknown): ControlAnswer => {
    const numbers = [...arbiter.state().places.values()].filter((place) => place.role === "worker").map((place) => place.nr);
    if (slot !== undefined && !numbers.includes(slot as number))
      return { ok: false, message: `there is no worker ${JSON.stringify(slot)}: 0 to ${Math.max(...numbers)}` };
    const chosen = slot === undefined ? numbers : [slot as number];
    const refused: string[] = [];
    const taken = chosen.filter((nr) => {
      const order = { type: "recycle", place: placeId("worker", nr), why: "asked for by the operator" } as const;
      const refusal = recycleRefusal(arbiter.state(), { ...order, at: systemClock.now() }, policyOf(generations.settings()));
      if (refusal === undefined) arbiter.feed(order);
      else refused.push(`worker ${nr} is not replaced: ${refusal}`);
      return refusal === undefined;
    });
    const done = taken.length === 0 ? [] : [`worker${taken.length === 1 ? "" : "s"} ${taken.join(", ")} will be replaced, new before old`];
    return { ok: taken.length > 0, message: [...done, ...refused].join("; ") };
  };

  const command = (verb: ControlVerb, body: Readonly<Record<string, unknown>>): ControlAnswer | Promise<ControlAnswer> => {
    log.info({ verb, body }, `control socket: ${verb}`);
    return order(verb, body);
  };

  const order = (verb: ControlVerb, body: Readonly<Record<string, unknown>>): ControlAnswer | Promise<ControlAnswer> => {
    switch (verb) {
      case "reload":
        return reload();
      case "scale": {
        if (arbiter.state().mode.is !== "running") return { ok: false, message: "drover is stopping" };
        const to = body["to"];
        const { least, most, why } = boundOf(generations.settings());
        if (!Number.isSafeInteger(to) || (to as number) < least || (to as number) > most)
          return {
            ok: false,
            message: `scale needs a number of workers from ${least} to ${most}, not ${JSON.stringify(to)}${typeof to === "number" && to > most ? `: ${why}` : ""}`,
          };
        arbiter.feed({ type: "scale", to: to as number });
        return { ok: true, message: `${arbiter.state().target} workers wanted` };
      }
      case "recycle":
        return recycle(body["slot"]);
      case "stack":
        return stackOf(daemon, body["slot"]);
      case "slots": {
        if (body["do"] === "schedule") return scheduleOrder(daemon.keeper, body);
        const question = readQuestion(body);
        return question === undefined
          ? { ok: false, message: 'slots needs {"do": "list"}, "reap", "reset-day", "schedule", or "end" with "who"' }
          : daemon.ask(question);
      }
      case "alerts":
        return answerAlerts(daemon.monitor, body);
      case "dashboard":
        return dashboard(body);
      case "reopen": {
        const why = daemon.reopen();
        if (why === undefined) return { ok: true, message: "log files are open again" };
        return { ok: false, message: `the log file can't be opened again, it goes on in the old one: ${why}` };
      }
      case "stop":
        return stopByCommand(body["now"] === true);
      default:
        return verb satisfies never;
    }
  };

  const refused = (why: string): void => {
    refusals += 1;
    say("warn", { why, refused: refusals }, "the control socket refused what is no request of ours");
  };

  return { signal, order, handlers: { command, refused, admin, status: () => statusOf(daemon, generations, refusals) } };
}
