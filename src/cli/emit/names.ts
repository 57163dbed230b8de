/** What an installation on systemd is called, everywhere: one of its own on a machine, or one of several events. */

export interface UnitNames {
  readonly service: string;
  readonly socket: string;
  /** What the unit's description says of it. */
  readonly event: string;
  /** The user and the group that it runs as. */
  readonly user: string;
  /** Below /var/lib, /var/log and /run. */
  readonly dir: string;
  readonly envFile: string;
  readonly keyFile: string;
  /** In sysusers.d, tmpfiles.d and logrotate.d. */
  readonly file: string;
}

/** The only one on its machine. */
export const SINGLE: UnitNames = {
  service: "drover.service",
  socket: "drover.socket",
  event: "",
  user: "drover",
  dir: "drover",
  envFile: "/etc/drover/drover.env",
  keyFile: "/etc/drover/google-key.json",
  file: "drover",
};

/** A word that is a user's, a folder's and a unit's name: useradd(8) takes no more. */
export const EVENT = /^(?!drover$)[a-z][a-z0-9-]{0,22}$/;

/** @param event a name as EVENT has it, or `%i`: in the unit that all events share. */
export const namesOf = (event: string): UnitNames => ({
  service: `drover@${event}.service`,
  socket: `drover@${event}.socket`,
  event: ` (${event})`,
  user: `drover-${event}`,
  dir: `drover-${event}`,
  envFile: `/etc/drover/${event}.env`,
  keyFile: `/etc/drover/${event}.google-key.json`,
  file: `drover-${event}`,
});
