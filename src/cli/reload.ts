/** What HUP and `drover reload` do before anything rolls: read the settings again, say what changed, refuse what can't change. */
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Master } from "../master/core/model.ts";
import { afterReload, diffSettings, type SettingsDiff } from "../settings/diff.ts";
import type { Resolved } from "../settings/resolve.ts";
import { sourceText } from "../settings/source.ts";
import type { Generations } from "./generations.ts";

export type ReloadOutcome =
  | { readonly ok: true; readonly workers: number | undefined; readonly message: string; readonly diff: SettingsDiff }
  | { readonly ok: false; readonly message: string };

/**
 * @param resolve reads the settings as at the start, from the same flags and environment.
 * @returns the new number of workers if that setting itself changed; a broken file changes nothing.
 */
export function reloadSettings(log: Logger, generations: Generations, resolve: () => Resolved): ReloadOutcome {
  const before = generations.resolved();
  let fresh: Resolved;
  try {
    fresh = resolve();
    generations.adopt(afterReload(before, fresh));
  } catch (error) {
    log.error({ err: error }, `reload refused, nothing has changed: ${messageOf(error)}`);
    generations.refusal = messageOf(error);
    return { ok: false, message: generations.refusal };
  }
  generations.refusal = undefined;
  const diff = diffSettings(before, fresh);
  sayDiff(log, diff);
  for (const warning of fresh.warnings) log.warn(warning);
  if (fresh.settings.log_level !== before.settings.log_level) log.level = fresh.settings.log_level;
  const changed = before.settings.workers !== fresh.settings.workers;
  const count = diff.live.length + diff.roll.length;
  return {
    ok: true,
    workers: changed ? fresh.settings.workers : undefined,
    message: count === 0 ? "no setting changed" : `${count} setting${count === 1 ? "" : "s"} changed`,
    diff,
  };
}

/**
 * A reload that was rolled back: its settings go with it.
 * @returns how many workers there are to be again, if the reload had changed that and nobody has since.
 */
export function takeSettingsBack(log: Logger, generations: Generations, state: Master): number | undefined {
  const back = generations.follow(state);
  if (back === undefined) return undefined;
  const { refused, again } = back;
  const { live, roll } = diffSettings(refused, again);
  for (const { name, before, after } of [...live, ...roll])
    log.warn({ setting: name, before, after }, `${name}: ${before} → ${after}, as before the reload`);
  if (refused.settings.log_level !== again.settings.log_level) log.level = again.settings.log_level;
  const changed = refused.settings.workers !== again.settings.workers && state.target === refused.settings.workers;
  return changed ? again.settings.workers : undefined;
}

function sayDiff(log: Logger, diff: SettingsDiff): void {
  for (const { name, before, after, source } of [...diff.live, ...diff.roll])
    log.info({ setting: name, before, after }, `${name}: ${before} → ${after} (${sourceText(source)})`);
  for (const { name, before, after } of diff.restart)
    log.warn({ setting: name, before, after }, `${name} can't change while drover runs: it stays ${before}; restart to make it ${after}`);
  for (const sentence of diff.hidden) log.warn(sentence);
}
