import { impossible } from "../../base/never.ts";
import type { Notice } from "./view.ts";

/** Where docs/operations.md says what to do. */
const RUNBOOK = "docs/operations.md";

/** "WARNING capacity: 164 of 200 slots are taken (82 %)": for logs and chats. */
export function noticeText({ alert, event, level, text, lasted }: Notice): string {
  switch (event) {
    case "raised":
    case "escalated":
      return `${level.toUpperCase()} ${alert}: ${text}`;
    case "eased":
      return `eased to ${level}: ${alert}: ${text}`;
    case "cleared":
      return `cleared after ${Math.round((lasted ?? 0) / 1_000)} s: ${alert}${text === "" ? "" : `: ${text}`}`;
    case "test":
      return `TEST: ${text}`;
    default:
      return impossible(event);
  }
}

export interface Origin {
  readonly host: string;
  readonly version: string;
  /** Absolute address of the runbook (DROVER_ALERT_RUNBOOK); undefined: the path in the repository. */
  readonly runbook?: string | undefined;
}

/** What webhooks and commands get. `text` is what Slack, Mattermost and others show; times are ISO 8601. */
export function noticeJson(notice: Notice, { host, version, runbook = RUNBOOK }: Origin): string {
  const { id, alert, event, level, value, threshold, at, since, lasted, text } = notice;
  return JSON.stringify({
    id,
    alert,
    event,
    level,
    text: `${noticeText(notice)} (drover on ${host})`,
    summary: text,
    value,
    threshold,
    at: new Date(at).toISOString(),
    since: new Date(since).toISOString(),
    lasted_s: lasted === null ? null : Math.round(lasted / 1_000),
    host,
    drover: version,
    runbook: `${runbook}#${alert}`,
  });
}
