/** What the page says above everything else about how things stand: nothing when all is well. Pure. */
import { ago, countdown } from "./format.js";

/**
 * @param state the page's; `state.now` ms.
 * @param say (text's name, values) → text
 * @returns [{id, tone: "calm" | "warn", title, text, until?: ms, action?: name of a text, does?: what the action does}]
 */
export function notices(state, say) {
  const { session, full, online, reach, limitedUntil, now } = state;
  const list = [];
  if (session.is === "ended")
    list.push({ id: "ended", tone: "warn", ...ended(session.why, say), action: say("loginAgain"), does: "login" });
  if (full !== undefined)
    list.push({ id: "full", tone: "warn", title: say("fullTitle"), text: full.text, ...again(full.until, now, say), does: "enter" });
  const { locale } = state;
  const seen = ago((now - state.seenAt) / 1_000, locale);
  if (!online) list.push({ id: "offline", tone: "calm", title: say("offlineTitle"), text: say("offlineText", { ago: seen }) });
  else if (reach === "unreachable")
    list.push({ id: "server", tone: "calm", title: say("serverTitle"), text: say("serverText", { ago: seen }) });
  else list.push(...sheet(state, say));
  if (limitedUntil > now)
    list.push({
      id: "limited",
      tone: "calm",
      title: say("limitedTitle"),
      text: say("limitedReads", { time: countdown(limitedUntil - now) }),
    });
  return list;
}

function ended(why, say) {
  if (why === "taken-over") return { title: say("takenOverTitle"), text: say("takenOver") };
  return { title: say("endedTitle"), text: say(why === "revoked" ? "revoked" : "expired") };
}

/** The button of a refusal, which is of use only when its time has come. */
export function again(until, now, say) {
  return until > now ? { until, action: say("againIn", { time: countdown(until - now) }) } : { action: say("again") };
}

/**
 * The sheet is away when a refresh has failed, or the server says so itself: rows that are only being refreshed are no news. Google's quota
 * used up, and a process of the server's being replaced, are something else.
 */
function sheet({ health, tables, now, locale }, say) {
  const failed = Object.values(tables).filter(({ reason }) => reason !== "" && reason !== undefined);
  const has = (...reasons) => failed.some(({ reason }) => reasons.includes(reason));
  const away = ["down", "denied"].includes(health?.upstream) || failed.some(({ reason }) => reason !== "broker" && reason !== "quota");
  const oldest = failed.length > 0 ? failed : Object.values(tables);
  const read = Math.min(...oldest.map(({ readAt }) => readAt), now);
  const text = (name) => say(name, { ago: ago((now - read) / 1_000, locale) });
  if (away) return [{ id: "away", tone: "calm", title: say("awayTitle"), text: text("awayText") }];
  if (health?.upstream === "locked" || has("quota"))
    return [{ id: "quota", tone: "calm", title: say("quotaTitle"), text: text("quotaText") }];
  return has("broker") ? [{ id: "starting", tone: "calm", title: say("startingTitle"), text: say("startingText") }] : [];
}
