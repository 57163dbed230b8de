/** What the workers and systemd hear of the whole: when it has changed, and that something is still under way. */
import type { Health } from "../base/protocol.ts";
import { seconds } from "../base/units.ts";
import type { Master } from "../master/core/model.ts";
import type { Agenda } from "../master/shell/agenda.ts";
import type { Notifier } from "../master/shell/notify.ts";

export interface AnnouncerParts {
  readonly notifier: Notifier;
  state(): Master;
  health(): Health;
  /** What `systemctl status` shows. */
  line(): string;
  /** Tells every worker. */
  publish(health: Health): void;
}

export interface Announcer {
  /** Everything is ready for the first time, or again. */
  ready(): void;
  /** A roll or the end begins. */
  begins(what: "reloading" | "stopping"): void;
  /** Goes on telling, for as long as the loop runs. */
  schedule(agenda: Agenda): void;
}

const HEALTH_EVERY = seconds(1);
/** Numbers of the status line; what matters shows within a second. */
const STATUS_EVERY = seconds(5);
/** systemd's timeouts are pushed ahead by this much, this often, while a boot, a roll or a drain goes on: each has deadlines of its own. */
const EXTEND_EVERY = seconds(5);
const EXTEND_BY = seconds(15);

/** Nothing is told twice in a row. */
export function createAnnouncer(parts: AnnouncerParts): Announcer {
  const { notifier, line } = parts;
  let published = "";
  let told = "";
  const tellStatus = (): void => {
    const text = line();
    if (text !== told) notifier.status(text);
    told = text;
  };
  const publish = (): void => {
    const record = parts.health();
    const text = JSON.stringify(record);
    if (text === published) return;
    published = text;
    parts.publish(record);
    tellStatus();
  };
  const extend = (): void => notifier.extend(EXTEND_BY * 1_000);
  const underWay = (): boolean => {
    const { mode, booted, roll } = parts.state();
    return mode.is === "stopping" || !booted || roll !== undefined;
  };
  return {
    ready() {
      notifier.ready((told = line()));
      publish();
    },
    begins(what) {
      notifier[what]();
      extend(); // the unit's timeout may be shorter than EXTEND_EVERY
      tellStatus();
    },
    schedule(agenda) {
      agenda.every(HEALTH_EVERY, () => {
        publish();
        if (underWay()) tellStatus(); // how far it is
      });
      agenda.every(STATUS_EVERY, tellStatus);
      agenda.every(EXTEND_EVERY, () => {
        if (underWay()) extend();
      });
    },
  };
}
