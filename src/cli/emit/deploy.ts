import { DroverError } from "../../base/errors.ts";
import { slotsOf } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";
import { fillTemplate, type Artefact } from "./artefact.ts";
import { EVENT, namesOf, SINGLE, type UnitNames } from "./names.ts";
import { targetOf, urlOf } from "./target.ts";
import { plainPath } from "./values.ts";

/** `deploy.sh`: settings and releases to a machine with the service, by reload, with a way back. */
export const deploy: Artefact = {
  name: "deploy",
  does: "deploy.sh: check, deploy by reload, roll back",
  options: [{ name: "unit", value: "UNIT", default: SINGLE.service, does: "the service, or drover@EVENT.service" }],
  files(facts, options) {
    const { settings } = facts;
    const names = unitNames(options["unit"] ?? SINGLE.service);
    const values = {
      UNIT: names.service,
      ENV_FILE: names.envFile,
      KEY_FILE: names.keyFile,
      USER: names.user,
      DIR: names.dir,
      SLOTS: String(slotsOf(settings.max_slots, settings.memory)),
      RELEASES: releasesOf(settings.app),
      HEALTH: health(settings),
    };
    return [{ path: "deploy.sh", text: fillTemplate("deploy.sh", "deploy", facts, values), mode: 0o755 }];
  },
  next: ([path = ""], { envFile = ".env.production" }) =>
    [
      `Next: sh ${path} USER@HOST ${envFile}         # a dry run`,
      `      sh ${path} --go USER@HOST ${envFile}    # deploys; the steps after it are in the script's first comment`,
    ].join("\n"),
};

/** @throws DroverError DROVER_E_USAGE for a unit that `drover install` does not write. */
function unitNames(unit: string): UnitNames {
  if (unit === SINGLE.service) return SINGLE;
  const [, event = ""] = /^drover@(.+)\.service$/.exec(unit) ?? [];
  if (EVENT.test(event)) return namesOf(event);
  throw new DroverError(
    "DROVER_E_USAGE",
    `--unit ${unit} (expected drover.service, or drover@EVENT.service as drover install --name EVENT writes it)`,
  );
}

/** `/srv/app` of `/srv/app/current/app.mjs`: a release is a folder there, and `current` a link to one. */
const releasesOf = (app: string | undefined): string =>
  plainPath(/^(\/.+)\/current\//.exec(app ?? "")?.[1] ?? "/", "app").replace(/^\/$/, "");

/** A command for the shell that succeeds when the service answers; an application without a probe path only has to accept. */
function health(settings: Settings): string {
  const target = targetOf(settings);
  const path = settings.probe_path ?? "/";
  if (path.includes("'"))
    throw new DroverError("DROVER_E_USAGE", `probe_path: ${path} (expected a path without quotes for the shell). Encode them: %27`);
  const fail = settings.probe_path === undefined ? "" : "--fail ";
  const url =
    target.kind === "unix"
      ? `--unix-socket '${plainPath(target.path, "bind")}' 'http://localhost${path}'`
      : `--insecure '${urlOf(settings)}${path}'`;
  return `curl --silent ${fail}--max-time 5 ${url}`;
}
