import { minutes, ms, seconds } from "../../base/units.ts";
import { duration } from "../parsers.ts";
import { parsed, setting, type Alias } from "../setting.ts";

/** An alias whose bare number was always seconds; with a unit it is read like any duration. */
export const inSeconds = (name: string): Alias => ({
  name,
  notation: "a bare number is seconds",
  translate: (text) => parsed(/^\d+$/.test(text) ? `${text}s` : text),
});

const HOUR = minutes(60);

export const TIMEOUTS = [
  setting({
    name: "timeout",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "30s",
    reload: "live",
    help: "A worker whose event loop has been silent for so long is examined, killed and replaced.",
    notes:
      "It must be more than three beats; a beat comes every tenth of it, at least every second and at most every 100ms. A worker that runs keeps the timeout it was started with; a reload replaces it.",
    aliases: [inSeconds("GUNICORN_TIMEOUT")],
  }),
  setting({
    name: "request_timeout",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "120s",
    reload: "roll",
    help: "How long a request may take to its first byte before it is answered with 504.",
    aliases: [inSeconds("GUNICORN_TIMEOUT")],
  }),
  setting({
    name: "boot_timeout",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "60s",
    reload: "live",
    help: "How long a process may take from its start until it is ready.",
    notes: "A worker says itself what its loading waits for when the time is over; one that hangs and can't is killed 2 s later.",
  }),
  setting({
    name: "roll_settle",
    group: "timeouts",
    codec: duration(ms(0), HOUR),
    default: "2s",
    reload: "live",
    help: "How long the first worker of a new generation must live before a reload replaces the others.",
    notes: "If it crashes, goes silent or fails its probe (DROVER_PROBE_PATH) before, the reload is rolled back.",
  }),
  setting({
    name: "graceful_timeout",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "30s",
    reload: "live",
    help: "How long a draining worker may take to finish its requests before SIGKILL.",
    notes: "Keep it below the unit's TimeoutStopSec, or systemd kills the master first.",
  }),
  setting({
    name: "drain_idle",
    group: "timeouts",
    codec: duration(ms(0), HOUR),
    default: "2s",
    reload: "roll",
    help: "A draining worker closes a connection that has been idle for so long.",
  }),
  setting({
    name: "keep_alive",
    group: "timeouts",
    codec: duration(seconds(1), HOUR),
    default: "75s",
    reload: "roll",
    help: "How long a connection may stay open between two requests.",
    notes: "Longer than your reverse proxy's own keep-alive, or the proxy now and then writes into a connection that we just closed.",
  }),
  setting({
    name: "headers_timeout",
    group: "timeouts",
    codec: duration(seconds(1), HOUR),
    default: "10s",
    reload: "roll",
    help: "How long a client may take to send the head of a request.",
  }),
  setting({
    name: "reconnect",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "5s",
    reload: "roll",
    help: "How long clients of `/api/events` wait before they come back after a lost connection.",
    notes:
      "They are told so at the beginning of each stream (`retry:`). A worker that drains tells each client a moment of its own, 0.5s to 3s away.",
    aliases: [inSeconds("WEBSOCKET_RECONNECT")],
  }),
  setting({
    name: "hook_timeout",
    group: "timeouts",
    codec: duration(ms(100), minutes(1)),
    default: "5s",
    reload: "live",
    help: "How long a hook (DROVER_HOOKS) may take before its process is ended.",
    notes: "A stop waits no longer than this for hooks, nor longer than DROVER_GRACEFUL_TIMEOUT.",
  }),
  setting({
    name: "broker_timeout",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "15s",
    reload: "roll",
    help: "How long a worker waits for the broker's answer.",
  }),
  setting({
    name: "upstream_timeout",
    group: "timeouts",
    codec: duration(ms(100), HOUR),
    default: "10s",
    reload: "roll",
    help: "How long the broker waits for Google's answer.",
  }),
] as const;
