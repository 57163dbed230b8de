/** A room full of people behind one address and nginx logs in, with default settings; one of them guesses. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../support/needs.ts";
import { get, start } from "./harness.ts";
import { atEnd, folder } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait.ts";
import { PLAYERS, statuses, Visitor } from "./people.ts";
import { comeIn, slotsAre } from "./room-helper.ts";

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
  atEnd(t, async () => {
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
