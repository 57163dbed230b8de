/** Workers by state, restarts, and what each place's process last said of itself. */
import type { PlaceView } from "../../master/snapshot.ts";
import type { Lines } from "./lines.ts";
import { placeStarts, slotStarts } from "./starts.ts";
import { labelsOf, labelText, line, lineOf } from "./text.ts";

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

const perPlace = (valueOf: (place: PlaceView) => number | null | undefined): Lines => {
  const startOf = placeStarts();
  return ({ snapshot }, name) => {
    let text = "";
    for (const place of snapshot.places) text += lineOf(startOf(name, place), valueOf(place));
    return text;
  };
};

const perWorker = (valueOf: (child: NonNullable<PlaceView["child"]>) => number | null): Lines => {
  const startOf = slotStarts();
  return ({ snapshot }, name) => {
    let text = "";
    for (const place of snapshot.places)
      if (place.role === "worker" && place.child !== null) text += lineOf(startOf(name, place), valueOf(place.child));
    return text;
  };
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
