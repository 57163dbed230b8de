/** Every artefact of `drover emit`, by name; systemd (systemd.ts) is apart, with flags of its own. */
import type { Artefact } from "./artefact.ts";

export const ARTEFACTS: Readonly<Record<string, () => Promise<Artefact>>> = {
  nginx: async () => (await import("./nginx.ts")).nginx,
  haproxy: async () => (await import("./haproxy.ts")).haproxy,
  caddy: async () => (await import("./caddy.ts")).caddy,
  ab: async () => (await import("./ab.ts")).ab,
  "test-load": async () => (await import("./test-load.ts")).testLoad,
  deploy: async () => (await import("./deploy.ts")).deploy,
  compose: async () => (await import("./compose.ts")).compose,
  k6: async () => (await import("./k6.ts")).k6,
  locust: async () => (await import("./locust.ts")).locust,
  "prometheus-rules": async () => (await import("./prometheus-rules.ts")).prometheusRules,
  grafana: async () => (await import("./grafana.ts")).grafana,
  kubernetes: async () => (await import("./kubernetes.ts")).kubernetes,
  cloudwatch: async () => (await import("./cloudwatch.ts")).cloudwatch,
  cloudformation: async () => (await import("./cloudformation.ts")).cloudformation,
  "deploy-100k": async () => (await import("./deploy-100k.ts")).deploy100k,
};

/** In the order of the table. */
export const allArtefacts = (): Promise<readonly Artefact[]> => Promise.all(Object.values(ARTEFACTS).map((load) => load()));
