import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import type { BindAddress } from "../../settings/addresses.ts";
import type { Values } from "./fill.ts";
import { SINGLE, type UnitNames } from "./names.ts";
import type { Place } from "./place.ts";

/** OpenFile=: systemd 253. RestartSteps=: 254. An older one calls them unknown. */
const HAS_OPEN_FILE = 253;
const HAS_RESTART_STEPS = 254;

/** What the files are for, beside the place: whose they are, and what they are to say of who wrote them. */
export interface Purpose {
  readonly names: UnitNames;
  readonly writer: string;
}

export const EMITTED: Purpose = { names: SINGLE, writer: "drover emit systemd" };

/** Every hole of the templates, for one place and one version of systemd. Pure. */
export function unitValues(place: Place, bind: readonly BindAddress[], { names, writer }: Purpose = EMITTED): Values {
  const openFile = place.systemd >= HAS_OPEN_FILE;
  const steps = place.systemd >= HAS_RESTART_STEPS;
  return {
    DOCUMENTATION: pathToFileURL(join(place.root, "docs", "systemd.md")).href.replaceAll("%", "%%"),
    PACKAGE: plain(place.root).replaceAll("%", "%%"),
    DROVER: (place.start ?? [join(place.root, "bin", "drover")]).map(executable).join(" "),
    WRITER: writer,
    SERVICE: names.service,
    SOCKET: names.socket,
    EVENT: names.event,
    USER: names.user,
    DIR: names.dir,
    ENV_FILE: names.envFile,
    KEY_FILE: names.keyFile,
    ENV_COPY: names === SINGLE ? firstEnv(place.root) : [], // of several events `drover install` writes each its own
    OPEN_FILE: openFile ? ["OpenFile=/run/systemd/notify:notify:graceful"] : [],
    // systemd-notify(1) is a process of its own: PID 1 believes it only under "all".
    NOTIFY_ACCESS: openFile || place.ffi ? "main" : "all",
    RESTART_SEC: steps ? "500ms" : "2s",
    RESTART_STEPS: steps ? ["RestartSteps=6", "RestartMaxDelaySec=30s"] : [],
    FINAL_EXITS: Object.values(EXIT)
      .flatMap(({ code, final }) => (final ? [code] : []))
      .join(" "),
    PROTECT_HOME: /^\/(home|root|run\/user)\//.test(`${place.root}/`) ? "read-only" : "yes",
    LISTEN: bind.flatMap((address) => listenStream(address, names)),
  };
}

const firstEnv = (root: string): string[] => [
  "# Copied once; what stands there already is never touched.",
  `C ${SINGLE.envFile} 0640 root ${SINGLE.user} - ${plain(root).replaceAll("%", "%%")}/systemd/drover.env`,
];

/** systemd.socket(5): numeric addresses and paths alone; a socket file is open to its group, for a proxy. */
function listenStream(address: BindAddress, { user, dir }: UnitNames): string[] {
  switch (address.kind) {
    case "tcp": {
      const host = address.host === "localhost" ? "127.0.0.1" : address.host;
      if (address.port === 0 || !/^[\d.]+$|:/.test(host))
        throw new DroverError(
          "DROVER_E_USAGE",
          `--bind ${address.host}:${address.port}: a socket unit needs a numeric address and a port above 0`,
        );
      return [`ListenStream=${host.includes(":") ? `[${host}]` : host}:${address.port}`];
    }
    case "unix":
      if (address.path.startsWith(`/run/${dir}/`))
        throw new DroverError(
          "DROVER_E_USAGE",
          `--bind unix:${address.path}: systemd removes /run/${dir} at every stop: take /run/${dir}.sock`,
        );
      return [`ListenStream=${plain(address.path).replaceAll("%", "%%")}`, "SocketMode=0660", `SocketGroup=${user}`];
    default: // fd
      throw new DroverError("DROVER_E_USAGE", `--bind fd://${address.fd}: a socket unit binds addresses itself`);
  }
}

/** The first word of ExecStart=: in quotes where it holds a space; % starts a specifier of systemd.unit(5). */
function executable(path: string): string {
  const text = plain(path).replaceAll("%", "%%");
  return text.includes(" ") ? `"${text}"` : text;
}

/** @throws DroverError for a path that the quoting of unit files could not carry unharmed. */
function plain(path: string): string {
  if (/^[\p{L}\p{N} /._+:,=~%@-]+$/u.test(path)) return path;
  throw new DroverError(
    "DROVER_E_USAGE",
    `${JSON.stringify(path)} holds characters that a unit file can't carry: install drover elsewhere`,
  );
}
