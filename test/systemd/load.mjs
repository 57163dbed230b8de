// load.mjs URL ENOUGH LOADING [N [RESTING [PAUSE]]]: N clients (4) that keep their connections and N that make a new one for each request ask one
// request after the other, PAUSE ms (20) between two, until there is a file ENOUGH; RESTING (none) keep theirs and ask every 5 s, as browsers
// and proxies do. LOADING is made when the hundredth was answered.
// Prints "ANSWERED FAILED SLOWEST_MS CONNECTIONS [first failure]". A failure is any answer but 2xx, and anything that is no whole answer.
import { existsSync, writeFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const [url, enough, loading, count = "4", resting = "0", between = "20"] = process.argv.slice(2);
let answered = 0;
let slowest = 0;
let connections = 0;
const failures = [];

const ask = (agent) =>
  new Promise((resolve, reject) => {
    const req = http.get(url, { agent, timeout: 30_000 }, (res) => {
      res.resume();
      res.on("error", reject);
      res.on("end", () => (res.complete && res.statusCode < 300 ? resolve() : reject(new Error(`status ${res.statusCode}`))));
    });
    req.on("socket", (socket) => void (socket.connecting && socket.once("connect", () => (connections += 1))));
    req.on("timeout", () => req.destroy(new Error("no answer")));
    req.on("error", reject);
  });

async function client(agent, pause = Number(between)) {
  while (!existsSync(enough)) {
    const from = performance.now();
    try {
      await ask(agent);
      answered += 1;
      if (answered === 100) writeFileSync(loading, "");
    } catch (error) {
      failures.push(error.code ?? error.message);
    }
    slowest = Math.max(slowest, performance.now() - from);
    for (let left = pause; left > 0 && !existsSync(enough); left -= 20) await sleep(Math.min(20, left));
  }
}

const agents = Array.from({ length: Number(count) }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
const rest = Array.from({ length: Number(resting) }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
const busy = [...agents, ...agents.map(() => false)];
await Promise.all([...busy.map((agent) => client(agent)), ...rest.map((agent) => client(agent, 5_000))]);
for (const agent of [...agents, ...rest]) agent.destroy();
console.log(answered, failures.length, Math.round(slowest), connections, failures[0] ?? "");
