import type { Action, Decision, Master } from "./model.ts";

export type Step = (master: Master) => Decision;

/** Takes steps one after another, each on the state the one before it left, and collects their actions in order. */
export function steps(master: Master, ...list: readonly Step[]): Decision {
  return list.reduce<Decision>(
    ([before, actions], step) => {
      const [next, more] = step(before);
      return more.length === 0 ? [next, actions] : [next, [...actions, ...more]];
    },
    [master, []],
  );
}

/** Takes one step for each of a list, each on the state the one before it left. */
export const each = <T>(master: Master, list: readonly T[], step: (master: Master, one: T) => Decision): Decision =>
  steps(master, ...list.map((one) => (m: Master) => step(m, one)));

export const unchanged = (master: Master): Decision => [master, []];

/** A step that only acts. */
export const acts =
  (...actions: readonly Action[]): Step =>
  (master) => [master, actions];
