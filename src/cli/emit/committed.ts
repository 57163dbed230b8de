/** Files of this repository that are artefacts for default settings: `npm run docs` writes them, a test compares them. */
import { defaultsOf } from "./artefact.ts";
import { ARTEFACTS } from "./artefacts.ts";
import { defaultFacts } from "./facts.ts";

interface Committed {
  readonly path: string;
  readonly artefact: string;
  /** Settings that differ from the defaults. */
  readonly flags?: ReadonlyMap<string, string>;
}

const COMMITTED: readonly Committed[] = [
  { path: "config/nginx.conf", artefact: "nginx" },
  { path: "config/Caddyfile", artefact: "caddy" },
  { path: "config/prometheus-alerts.yml", artefact: "prometheus-rules" },
  { path: "config/grafana-dashboard.json", artefact: "grafana" },
  { path: "compose.yaml", artefact: "compose", flags: new Map([["memory", "1g"]]) }, // enough for the demo
];

/** @returns pairs of a path in the repository and its text. */
export function committedFiles(): Promise<readonly (readonly [path: string, text: string])[]> {
  const made = COMMITTED.map(async ({ path, artefact: name, flags }) => {
    const artefact = await ARTEFACTS[name]?.();
    const [file] = artefact?.files(defaultFacts(flags), defaultsOf(artefact)) ?? [];
    return [path, file?.text ?? ""] as const;
  });
  return Promise.all(made);
}
