/** Workers by state, restarts, and what each place's process last said of itself. */
import type { PlaceView } from "../../master/snapshot.ts";
import type { Lines } from "./lines.ts";
import { labelsOf, labelText, line, type LabelText } from "./text.ts";

const STATES = labelsOf("state", [
  "vacant",
  "waiting",
  "starting",
  "trial",
  "ready",
  "examined",
  "draining",
  "killed",
] as const satisfies readonly PlaceView["state"][]);

const texts = new Map<string, LabelText[]>();
const slots: LabelText[] = [];

/** Made once for each place there ever is. */
export function placeLabels(role: string, slot: number): LabelText {
  let ofRole = texts.get(role);
  if (ofRole === undefined) texts.set(role, (ofRole = []));
  return (ofRole[slot] ??= labelText({ role, slot: String(slot) }));
}

const perPlace =
  (valueOf: (place: PlaceView) => number | null | undefined): Lines =>
  ({ snapshot }, name) => {
    let text = "";
    for (const place of snapshot.places) text += line(name, valueOf(place), placeLabels(place.role, place.slot));
    return text;
  };

const perWorker =
  (valueOf: (child: NonNullable<PlaceView["child"]>) => number | null): Lines =>
  ({ snapshot }, name) => {
    let text = "";
    for (const { role, slot, child } of snapshot.places)
      if (role === "worker" && child !== null) text += line(name, valueOf(child), (slots[slot] ??= labelText({ slot: String(slot) })));
    return text;
  };

const byState: Lines = ({ snapshot: { places } }, name) => {
  let text = "";
  for (const [state, labels] of STATES)
    text += line(name, places.filter((place) => place.role === "worker" && place.state === state).length, labels);
  return text;
};

export const PLACE_LINES = {
  drover_workers: byState,
  drover_workers_wanted: ({ snapshot }, name) => line(name, snapshot.workers.target),
  drover_restarts_total: ({ snapshot: { deaths } }, name) =>
    Object.entries(deaths)
      .map(([reason, n]) => line(name, n, labelText({ reason })))
      .join(""),
  drover_unexpected_restarts_total: perPlace(({ restarts }) => restarts),
  drover_process_up: perPlace(({ state }) => (state === "ready" ? 1 : 0)),
  drover_report_age_seconds: perPlace(({ child }) => (child?.beatAge == null ? null : child.beatAge / 1_000)),
  drover_event_loop_utilization_ratio: perPlace(({ child }) => child?.elu),
  drover_worker_connections: perWorker(({ connections }) => connections),
  drover_worker_requests_in_flight: perWorker(({ inFlight }) => inFlight),
  drover_worker_full: perWorker(({ full }) => (full == null ? null : Number(full))),
  drover_generation: ({ snapshot }, name) => line(name, snapshot.generation),
  drover_reload_in_progress: ({ snapshot: { roll } }, name) => line(name, roll === null ? 0 : 1),
  drover_reload_failed: ({ snapshot: { roll, lastRoll } }, name) => line(name, roll === null && lastRoll?.is === "rolledBack" ? 1 : 0),
} satisfies Record<string, Lines>;
