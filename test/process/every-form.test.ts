/** What the supervisor promises holds for every form of application: each serves the same five paths. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { soaked } from "../times.ts";
import { get, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const SPIN = "function spin() { for (;;); }";
/** `answer(path)` gives the text to answer with, or a promise of it. */
const ANSWER = `${SPIN}
  function answer(path) {
    if (path === "/loop") spin();
    if (path === "/throw") setTimeout(function later() { throw new Error("on purpose"); });
    if (path === "/slow") return new Promise((resolve) => setTimeout(resolve, 700, "slow"));
    return String(process.pid);
  }`;

const FORMS = {
  listener: `export default async (req, res) => res.end(await answer(req.url));`,
  fastify: `export default async function (fastify) { fastify.get("/*", (request) => answer(request.url)); }`,
  fetch: `export default { fetch: async (request) => new Response(await answer(new URL(request.url).pathname)) };`,
  script: `import http from "node:http";
    http.createServer(async (req, res) => res.end(await answer(req.url))).listen(3000);`,
};

/** Two at each run, by chance; all in the soak. */
const [first, second, third, fourth] = Object.entries(FORMS);
const chosen = soaked(Math.random() < 0.5 ? [first, fourth] : [second, third], [first, second, third, fourth]);

for (const [form, text] of chosen.filter((one) => one !== undefined))
  test(`${form}: a reload loses nobody, a loop and a crash are named, a stop lets requests finish`, async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "app.mjs"), `${ANSWER}\n${text}`);
    const daemon = await start(t, { cwd: dir, args: ["./app.mjs"], env: { DROVER_TIMEOUT: "2s", DROVER_ROLL_SETTLE: "100ms" } });
    const whole = () => eventually("both are ready", async () => (await daemon.status()).workers.ready === 2);
    const record = (death: string) => eventually(`a record says ${death}`, () => daemon.log().findLast((line) => line["death"] === death));

    const asking = { on: true };
    const failures: string[] = [];
    let served = 0;
    const clients = Array.from({ length: 8 }, async () => {
      while (asking.on) {
        await get(`${daemon.url}/`).then(
          ({ status, body }) => (status === 200 ? (served += 1) : failures.push(`${status} ${body}`)),
          (error: Error) => failures.push(error.message),
        );
        await sleep(soaked(40, 10));
      }
    });
    await daemon.control("reload");
    await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
    asking.on = false;
    await Promise.all(clients);
    assert.deepEqual(failures, []);
    console.log(`${form}: a reload under 8 clients, ${served} served, 0 failed`);

    const stuck = async (): Promise<Record<string, unknown>> => {
      const before = daemon.log().filter((line) => line["death"] === "stuck").length;
      void get(`${daemon.url}/loop`).catch(() => {});
      await eventually("it is stuck", () => daemon.log().filter((line) => line["death"] === "stuck").length > before);
      await whole();
      return await record("stuck");
    };
    let found = await stuck();
    for (let i = 0; i < 3 && found["verdict"] !== "spinning"; i += 1) found = await stuck(); // a busy machine: it got no CPU, or the debugger none
    assert.match(String(found["msg"]), /was stuck: spinning at app\.mjs:\d+ spin/);
    assert.match((found["inFlight"] as string[]).join(), /GET \/loop for/);

    await get(`${daemon.url}/throw`).catch(() => {});
    const crash = await record("crash");
    assert.match((crash["stderr"] as string[]).join("\n"), /on purpose/);
    await whole();

    const slow = get(`${daemon.url}/slow`);
    await eventually("it is in flight", async () => (await daemon.status()).places.some(({ child }) => (child?.inFlight ?? 0) > 0));
    const { code } = await daemon.stop("SIGTERM");
    assert.deepEqual([code, (await slow).body], [0, "slow"]);
  });
