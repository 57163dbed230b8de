/** A worker's door to the administration: the digests that the master has pushed, the dashboard's files, and the way to the master. */
import { Edge } from "../admin/edge/edge.ts";
import { forwarder } from "../admin/edge/forward.ts";
import { readPages } from "../admin/pages.ts";
import { NO_KEYS, type AdminKeys } from "../base/adminkeys.ts";
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Ms } from "../base/units.ts";
import type { WorkerServices } from "./tables-service.ts";

export interface Door extends Edge {
  take(keys: AdminKeys): void;
}

export function createDoor({ socket, hosts, here }: WorkerServices["admin"], log: Logger): Door {
  let keys = NO_KEYS;
  let changed = Promise.withResolvers<void>();
  const edge = new Edge({
    pages: readPages(),
    clock: systemClock,
    log,
    hosts: () => hosts,
    here,
    keys: () => keys,
    keysChange: (within) => Promise.race([changed.promise, pause(within)]),
    forward: forwarder(socket),
  });
  return Object.assign(edge, {
    take(fresh: AdminKeys) {
      keys = fresh;
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
  });
}

const pause = (wait: Ms): Promise<void> => new Promise((resolve) => setTimeout(resolve, wait));
