/**
 * A few requests a second beside a load, from a process of its own: what they take is the server's, not the busy generator's.
 *
 *   node bench/probe.ts PORT PATH SECONDS      prints {"ok": [milliseconds …], "shed": […], "failed": N}
 */
import http from "node:http";

const [port = "", path = "", seconds = ""] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const found = { ok: [] as number[], shed: [] as number[], failed: 0 };

function ask(nr: number): void {
  const at = performance.now();
  http
    .get({ host: "127.0.0.1", port, agent, path: path.replace("NR", String(nr)) }, (res) => {
      res.resume();
      res.on("end", () => (res.statusCode === 503 ? found.shed : found.ok).push(performance.now() - at));
    })
    .on("error", () => (found.failed += 1));
}

for (let nr = 0; nr < Number(seconds) * 20; nr += 1) {
  ask(nr);
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await new Promise((resolve) => setTimeout(resolve, 1_000));
agent.destroy();
console.log(JSON.stringify(found));
