/** A room full of people behind one address logs in, with the settings as they are: nobody is turned away for the others' sake. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../needs.ts";
import { get, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait.ts";
import { PLAYERS, spread, statuses, Visitor, type Heard } from "./people.ts";

/** The proxy of docs/deploy.md's kind: it says for whom it asks, and keeps its connections. @returns where it listens. */
async function nginx(t: TestContext, to: string): Promise<string> {
  const [dir, port] = [folder(t), await freePort()];
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir};`);
  writeFileSync(
    join(dir, "nginx.conf"),
    `daemon off; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
     events { worker_connections 2000; }
     http {
       access_log off; ${temporary.join(" ")}
       upstream drover { server ${new URL(to).host}; keepalive 64; }
       server {
         listen 127.0.0.1:${port} backlog=1024;
         location / {
           proxy_pass http://drover;
           proxy_http_version 1.1;
           proxy_set_header Connection "";
           proxy_set_header Host $http_host;
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
           proxy_set_header X-Forwarded-Proto $scheme;
         }
       }
     }`,
  );
  const child = spawn("nginx", ["-p", dir, "-c", join(dir, "nginx.conf"), "-e", join(dir, "error.log")], { stdio: "ignore" });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    child.kill("SIGTERM"); // fast shutdown: its workers go with it
    await gone;
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually("nginx answers for drover", () =>
    get(`${url}/healthz`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  return url;
}

/** @returns what so many people were answered who logged in at once. */
async function comeIn(t: TestContext, url: string, people: number, headers: Record<string, string> = {}): Promise<Heard[]> {
  const visitors = PLAYERS.slice(0, people).map((account) => ({ account, visitor: new Visitor(url, headers) }));
  t.after(() => visitors.forEach(({ visitor }) => visitor.leave()));
  const began = performance.now();
  const heard = await Promise.all(visitors.map(({ visitor, account }) => visitor.login(account)));
  console.log(`${people} logins from one address in ${((performance.now() - began) / 1_000).toFixed(1)} s: ${spread(heard)}`);
  const who = await Promise.all(visitors.map(({ visitor }) => visitor.ask("GET", "/api/me")));
  assert.deepEqual(statuses(who), { 200: people }, "and everybody is in");
  return heard;
}

const slotsAre = (daemon: Daemon, count: number): Promise<boolean> =>
  eventually(`${count} slots are taken`, async () => (await daemon.status()).slots?.used === count);

test("300 people log in from one address at once: nobody is told to wait", async (t) => {
  const daemon = await start(t);
  assert.deepEqual(statuses(await comeIn(t, daemon.url, 300)), { 200: 300 });
  await slotsAre(daemon, 300);
});

test(
  "200 people log in through nginx at once; who guesses among them is told to wait, alone",
  { skip: needs("nginx", "nginx-light") },
  async (t) => {
    const daemon = await start(t, { env: { DROVER_ACCESS_LOG: "on" } });
    const url = await nginx(t, daemon.url);
    const room = { "X-Forwarded-For": "203.0.113.5" }; // another proxy of ours: nginx adds its own address, which is trusted
    assert.deepEqual(statuses(await comeIn(t, url, 200, room)), { 200: 200 });
    await slotsAre(daemon, 200);
    const thief = new Visitor(url, room);
    t.after(() => thief.leave());
    const victim = PLAYERS[300] ?? { name: "" };
    const guesses: number[] = [];
    for (let nr = 0; nr < 20 && guesses.at(-1) !== 429; nr += 1)
      guesses.push((await thief.login({ name: victim.name, secret: `AAAA-${nr}` })).status);
    assert.deepEqual([guesses.length, guesses.at(-1)], [11, 429]);
    const neighbour = new Visitor(url, room);
    t.after(() => neighbour.leave());
    assert.equal((await neighbour.login(PLAYERS[301] ?? { name: "", secret: "" })).status, 200);
    const clients = new Set(daemon.log().flatMap((line) => (line["path"] === "/api/login" ? [line["client"]] : [])));
    assert.deepEqual([...clients], ["203.0.113.5"], "they were counted as one address");
  },
);
