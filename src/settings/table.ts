/**
 * Every setting of drover, once. Flags, variables, types, --help, docs/SETTINGS.md and config/.env.example follow from
 * these rows. Order matters in one way: a computed default sees the rows above it.
 */
import { ADMIN } from "./rows/admin.ts";
import { ALERTS } from "./rows/alerts.ts";
import { APPLICATION, DEMO } from "./rows/application.ts";
import { LIMITS } from "./rows/limits.ts";
import { LISTEN } from "./rows/listen.ts";
import { LOG, PLACES } from "./rows/places.ts";
import { SESSIONS } from "./rows/sessions.ts";
import { SHEETS } from "./rows/sheets.ts";
import { SLOTS } from "./rows/slots.ts";
import { TIMEOUTS } from "./rows/timeouts.ts";
import { TLS } from "./rows/tls.ts";
import { WORKERS } from "./rows/workers.ts";
import type { Codec } from "./setting.ts";

export const SETTINGS = [
  ...LISTEN,
  ...TLS,
  ...WORKERS,
  ...TIMEOUTS,
  ...SHEETS,
  ...APPLICATION,
  ...SESSIONS,
  ...LIMITS,
  ...SLOTS,
  ...ALERTS,
  ...ADMIN,
  ...PLACES,
  ...LOG,
  ...DEMO,
] as const;

type Row = (typeof SETTINGS)[number];
export type SettingName = Row["name"];

/** Every setting's value by its row's name; frozen, and plain data: it may be sent to another process as JSON. */
export type Settings = { readonly [R in Row as R["name"]]: R["codec"] extends Codec<infer T> ? T : never };
