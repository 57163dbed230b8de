/** Each form of an application is served, reloaded and stopped without the loss of a request. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { get, ONE, start, type Reply } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

/** `answer(path)` gives the text to answer with; of /held-N it makes a file held-N and answers once that is removed. */
const ANSWER = `
  import { existsSync, writeFileSync } from "node:fs";
  async function answer(path) {
    if (path.startsWith("/held")) writeFileSync("." + path, "");
    while (path.startsWith("/held") && existsSync("." + path)) await new Promise((resolve) => setTimeout(resolve, 20));
    return path + " by " + process.pid;
  }`;

/** The application, and what tells its answers from those of another form. */
const FORMS: Readonly<Record<string, readonly [text: string, own: (reply: Reply) => boolean]>> = {
  listener: [
    `export default async (req, res) => { res.statusMessage = "Mine"; res.setHeader("X-Own", "listener"); res.end(await answer(req.url)); };`,
    ({ headers }) => headers["x-own"] === "listener",
  ],
  fastify: [
    `export default async function (fastify) { fastify.get("/*", async (request, reply) => reply.code(203).send(await answer(request.url))); }`,
    ({ status }) => status === 203,
  ],
  fetch: [
    `export default { fetch: async (request) =>
      new Response(await answer(new URL(request.url).pathname), { status: 201, headers: { "x-form": "fetch" } }) };`,
    ({ status, headers }) => status === 201 && headers["x-form"] === "fetch",
  ],
  script: [
    `import http from "node:http";
    http.createServer(async (req, res) => res.end(await answer(req.url))).listen(3000);`,
    ({ status }) => status === 200,
  ],
};

for (const [form, [text, own]] of Object.entries(FORMS))
  test(`${form}: served; a reload and a stop answer the request in flight`, async (t) => {
    const cwd = folder(t);
    writeFileSync(join(cwd, "app.mjs"), `${ANSWER}\n${text}`);
    const daemon = await start(t, { cwd, args: ["./app.mjs"], env: { ...ONE, DROVER_GRACEFUL_TIMEOUT: "10m" } });
    const pid = async (): Promise<number> => (await daemon.place("worker/0")).child?.pid ?? 0;
    const asked = async (path: string): Promise<string> => {
      const reply = await get(`${daemon.url}${path}`);
      assert.ok(own(reply), JSON.stringify(reply));
      return reply.body;
    };
    /** A request that is in flight when this resolves. */
    const held = async (nr: number): Promise<{ readonly answer: Promise<string> }> => {
      const answer = asked(`/held-${nr}`);
      answer.catch(() => {}); // the test may fail before it asks
      await eventually("the request is in flight", () => existsSync(join(cwd, `held-${nr}`)));
      return { answer };
    };
    const first = await pid();
    assert.equal(await asked("/a/b"), `/a/b by ${first}`);

    const old = await held(1);
    await daemon.control("reload");
    const second = await eventually("another worker serves", async () => {
      const { state, child } = await daemon.place("worker/0");
      return state === "ready" && child?.pid !== first && child?.pid;
    });
    assert.equal(await asked("/new"), `/new by ${second}`, "while the old one still holds a request");
    rmSync(join(cwd, "held-1"));
    assert.equal(await old.answer, `/held-1 by ${first}`);
    await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");

    const last = await held(2);
    const stopped = daemon.stop("SIGTERM");
    await daemon.logged(/SIGTERM: stop/);
    rmSync(join(cwd, "held-2"));
    assert.equal(await last.answer, `/held-2 by ${second}`);
    assert.deepEqual(await stopped, { code: 0, signal: null });
  });
