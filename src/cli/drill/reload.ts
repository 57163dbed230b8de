/** Reloads one after the other, under load: nobody notices. */
import { counted } from "../terminal/figures.ts";
import { minutes } from "../../base/units.ts";
import { order } from "../client.ts";
import { time, type Drill, type Scene } from "./drill.ts";
import { millis } from "./load.ts";

const RELOADS = 3;
const WITHIN = minutes(3);

export const reloadUnderLoad = {
  name: "reload-under-load",
  shows: `${RELOADS} reloads under load; no request fails`,
  run,
} as const satisfies Drill;

async function run(scene: Scene): Promise<void> {
  const { service, report } = scene;
  const { generation: before } = await service.status();
  const load = await scene.load();
  for (let nr = 1; nr <= RELOADS; nr += 1) {
    const begun = performance.now();
    const answer = await order(service.settings, "reload");
    report.must(answer.ok, answer.ok ? `reload ${nr} of ${RELOADS} begins` : `reload ${nr} was refused: ${answer.message}`);
    const wanted = answer.ok ? (answer.generation ?? before + nr) : 0;
    const end = await service.until(
      WITHIN,
      ({ roll, lastRoll }) => roll === null && lastRoll !== null && lastRoll.generation >= wanted && lastRoll,
    );
    const ended =
      end === undefined
        ? `it did not end within ${time(WITHIN)}`
        : end.is === "done"
          ? `generation ${end.generation} serves after ${time(performance.now() - begun)}`
          : `it was rolled back: ${end.why}`;
    report.must(end?.is === "done", ended);
  }
  const { requests, good, lost, refused, p95, whys } = await load.stop();
  const bad = lost + refused;
  report.step(
    bad === 0 && good > 0,
    `${bad} of ${counted(requests, "read")} failed${whys === "" ? "" : ` (${whys})`}; 95 % within ${millis(p95)}`,
  );
}
