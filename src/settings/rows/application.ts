import { bytes, mebibytes } from "../../base/units.ts";
import { choice, onOff, optional, path, secret, size, string } from "../parsers.ts";
import { setting } from "../setting.ts";

export const APPLICATION = [
  setting({
    name: "app",
    group: "application",
    codec: optional(path),
    default: "",
    reload: "roll",
    help: "The module to serve; empty: the built-in Sheets service.",
    notes: "A Fastify plugin, a `(req, res)` listener, an object with `fetch(request)`, or a script that calls `listen` itself.",
  }),
  setting({
    name: "hooks",
    group: "application",
    codec: optional(path),
    default: "",
    reload: "roll",
    help: "A module whose exports hear what happens to the service; empty: none.",
    notes:
      "`onReady`, `onWorkerReady`, `onWorkerExit`, `onReload`, `onStop`. They run in a process of their own, and nobody waits for them.",
  }),
  setting({
    name: "probe_path",
    group: "application",
    codec: optional(string({ pattern: /^\/[!-"$-~]*$/, looksLike: "a path from / on, with its query if it has one, such as /healthz" })),
    default: {
      rule: "/healthz for the built-in service, none for an application",
      example: "/healthz",
      from: ({ earlier }) =>
        earlier.get("app") === undefined ? { text: "/healthz", why: "the built-in service" } : { text: "", why: "an application" },
    },
    reload: "roll",
    help: "What the first worker of a new generation is asked for before a reload replaces the others; empty: nothing.",
    notes: "The worker asks its own server, from 127.0.0.1, with the User-Agent drover-probe; 2xx or 3xx within 5s passes.",
  }),
  setting({
    name: "body_limit",
    group: "application",
    codec: size(bytes(1), mebibytes(1_048_576), "no limit"),
    default: "100m",
    reload: "roll",
    help: "The largest request body that reaches an application of your own; a larger one is answered with 413.",
    notes:
      "Fastify's own limit (1 MiB, unless `options.bodyLimit` says otherwise) stands behind it. The built-in service has limits of its own.",
  }),
  setting({
    name: "static_dir",
    group: "application",
    codec: optional(path),
    default: "",
    reload: "roll",
    help: "A directory of files that the built-in service offers at / and /static/.",
  }),
] as const;

export const DEMO = [
  setting({
    name: "demo",
    group: "demo",
    codec: choice(["on", "off", "auto"]),
    default: "auto",
    reload: "restart",
    help: "Serve the sample workbook from the embedded emulator instead of Google.",
    notes:
      "`auto` is on for `npm start` and a bare `drover serve`; off under systemd, in a container, with an application path, and once a spreadsheet is named.",
  }),
  setting({
    name: "emulator_latency",
    group: "demo",
    codec: choice(["none", "recorded", "slow"]),
    default: "recorded",
    reload: "restart",
    help: "How long the emulator takes to answer: at once, as Google was measured, or slower.",
  }),
  setting({
    name: "emulator_quota",
    group: "demo",
    codec: onOff,
    default: "on",
    reload: "restart",
    help: "Whether the emulator enforces Google's quotas.",
  }),
  setting({
    name: "emulator_token",
    group: "demo",
    codec: optional(secret(16)),
    default: "",
    reload: "restart",
    secret: true,
    help: "Token of the emulator's routes for faults and edits; empty: they are closed.",
    notes: "For tests. They answer callers on this machine only. `drover emulator --faults` makes a token of its own and prints it.",
  }),
] as const;
