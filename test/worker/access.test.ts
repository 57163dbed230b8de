import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/base/clock.ts";
import { ms, type Instant, type Timestamp } from "../../src/base/units.ts";
import { AccessLog, type AccessEntry } from "../../src/worker/access.ts";
import { explain } from "../../src/worker/app.ts";
import { Restraint } from "../../src/worker/restraint.ts";
import { Client } from "./http.ts";
import { startRig, type Rig, type RigOptions } from "./rig.ts";

const ENTRY: AccessEntry = {
  method: "GET",
  path: "/x",
  status: 200,
  millis: 1.26,
  bytes: 12,
  client: "::1",
  id: "a",
};

function logged(share: number): { readonly access: AccessLog; readonly lines: string[]; later(wait: number): void } {
  const lines: string[] = [];
  let now = 0;
  const clock: Clock = { now: () => now as Instant, wall: () => (1_700_000_000_000 + now) as Timestamp };
  const stream = { push: (line: string) => void lines.push(line), flushed: () => Promise.resolve(), reopen() {}, end() {} };
  const access = new AccessLog({ slot: 3, generation: 7, clock, lines: stream, share });
  return { access, lines, later: (wait) => void (now += wait) };
}

function trouble(access: AccessLog, entry: AccessEntry, failed: boolean): void {
  if (access.tells(entry.status, entry.reason)) access.trouble(entry, failed);
}

const read = (lines: readonly string[]): Record<string, unknown>[] =>
  lines
    .join("")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a line is JSON whatever a client sends, and a terminal obeys nothing of it", () => {
  const { access, lines } = logged(1);
  const evil = 'a"\\\u001b[2J\u009b2J\n{"level":"fatal"}\u202e\ud800';
  access.add({ ...ENTRY, path: evil, client: evil, id: evil, reason: evil, cache: evil, method: evil });
  access.add({ ...ENTRY, path: "/".repeat(50_000) });
  assert.doesNotMatch(lines.join(""), /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u);
  const [first, second] = read(lines);
  assert.equal(read(lines).length, 2);
  assert.deepEqual([first?.["path"], first?.["id"], first?.["reason"], first?.["cache"]], [evil, evil, evil, evil]);
  assert.ok(String(second?.["path"]).length < 2_000);
  assert.equal(Object.keys(second ?? {}).join(" "), "level time pid role slot generation method path status ms bytes client id msg");
  assert.deepEqual([second?.["ms"], second?.["time"]], [1.3, "2023-11-14T22:13:20.000Z"]);
});

test("a share of the requests gets a line that says so; none and all are exact; it may change while running", () => {
  const { access, lines } = logged(0.1);
  let chosen = 0;
  for (let nr = 0; nr < 20_000; nr += 1) if (access.samples()) chosen += 1;
  assert.ok(chosen > 1_600 && chosen < 2_400, `${chosen} of 20000`);
  access.add(ENTRY);
  assert.equal(read(lines)[0]?.["share"], 0.1);
  access.retune(0);
  assert.ok(!Array.from({ length: 1_000 }, () => access.samples()).includes(true));
  access.retune(1);
  assert.ok(!Array.from({ length: 1_000 }, () => access.samples()).includes(false));
  access.add(ENTRY);
  assert.ok(!("share" in (read(lines)[1] ?? {})));
});

test("a flood of refusals: the first have lines, the rest is counted, and what is rare beside it is still there", async () => {
  const { access, lines, later } = logged(0);
  for (let nr = 0; nr < 5_000; nr += 1) trouble(access, { ...ENTRY, status: 429, reason: "rate", id: `r${nr}` }, false);
  trouble(access, { ...ENTRY, status: 500, reason: "internal", id: "rare" }, true);
  assert.equal(lines.length, 21);
  later(3_000);
  for (let nr = 0; nr < 10; nr += 1) trouble(access, { ...ENTRY, status: 429, reason: "rate" }, false);
  await access.close();
  const all = read(lines);
  assert.deepEqual([all[20]?.["id"], all[20]?.["level"], all[0]?.["level"], all[0]?.["reason"]], ["rare", "error", "warn", "rate"]);
  const { suppressed, status, reason, msg } = all.at(-1) ?? {};
  assert.deepEqual([all.length, suppressed, status, reason], [25, 4_980 + 7, 429, "rate"]);
  assert.equal(msg, "4987 more requests were answered 429 (rate) and have no line of their own");
  await access.close();
  assert.equal(lines.length, 25, "said once");
});

test("with lines of all requests, all those that failed have theirs too", () => {
  const { access, lines } = logged(1);
  for (let nr = 0; nr < 500; nr += 1) trouble(access, { ...ENTRY, status: 503, reason: "queue" }, false);
  assert.equal(lines.length, 500);
});

test("however many reasons an application thinks of, what is kept is bounded", () => {
  const restraint = new Restraint();
  let passed = 0;
  for (let nr = 0; nr < 10_000; nr += 1) if (restraint.passes(`500 reason-${nr}`, 0 as Instant)) passed += 1;
  const held = restraint.take();
  assert.equal(passed, 32 + 20);
  assert.deepEqual(held, [{ kind: "other", count: 10_000 - 52 }]);
});

async function serving(options: RigOptions, use: (rig: Rig) => Promise<void>): Promise<Record<string, unknown>[]> {
  const rig = startRig(options);
  await rig.until("ready");
  try {
    await use(rig);
  } finally {
    rig.tell({ type: "drain", within: ms(500) });
    await rig.exited;
  }
  return read(rig.access);
}

interface Reply {
  readonly raw: import("node:http").ServerResponse;
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
}
type Routes = { get(path: string, handler: (request: unknown, reply: Reply) => unknown): void };

/** As a cache in front of another service writes it, with more than an attacker is allowed in a header. */
const CACHED = 'HIT from "edge\\1", "level":"fatal"}\u00a0\u00ad';

/** What an application may do wrong. */
const built = {
  default: async (fastify: Routes) => {
    fastify.get("/ok", () => "fine");
    fastify.get("/broken", () => {
      throw new Error("a secret of the inside");
    });
    fastify.get("/refused", (_, reply) => reply.code(429).header("X-Drover-Refused", "rate").send("no"));
    fastify.get("/forbidden", (_, reply) => (explain(reply.raw, "role"), reply.code(403).send("no")));
    fastify.get("/theirs", (_, reply) => (explain(reply.raw, "bad-parameter"), reply.code(400).send("no")));
    fastify.get("/cached", (_, reply) => reply.header("X-Cache", CACHED).send("fine"));
    fastify.get("/slow", () => new Promise(() => {}));
  },
};

test("nobody asked for access lines: what was refused or failed has one all the same, with its reason and the answer's id", async () => {
  const ids: Record<string, unknown> = {};
  const lines = await serving({ builtIn: built, config: { requestTimeout: ms(150) } }, async ({ port }) => {
    for (const path of ["/ok", "/nowhere", "/theirs", "/broken?token=s3cret", "/refused", "/forbidden"]) {
      const client = new Client(port);
      ids[path] = (await client.get(path)).headers["x-request-id"];
      await client.end();
    }
    ids["/slow"] = (await new Client(port).get("/slow")).headers["x-request-id"];
    ids["malformed"] = (await new Client(port).get("/ok", ["Content-Length: 1", "Transfer-Encoding: chunked"])).headers["x-request-id"];
    ids["head"] = (await new Client(port).get("/ok", [`X-Long: ${"x".repeat(20_000)}`])).headers["x-request-id"];
  });
  assert.deepEqual(
    lines.map(({ level, path, status, reason, id }) => [level, path, status, reason, id]),
    [
      ["error", "/broken", 500, "application", ids["/broken?token=s3cret"]],
      ["warn", "/refused", 429, "rate", ids["/refused"]],
      ["warn", "/forbidden", 403, "role", ids["/forbidden"]],
      ["error", "/slow", 504, "request-timeout", ids["/slow"]],
      ["warn", "", 400, "no-request", ids["malformed"]],
      ["warn", "", 431, "head-too-large", ids["head"]],
    ],
  );
  assert.ok(lines.every(({ id }) => typeof id === "string" && id.length > 0));
  assert.doesNotMatch(JSON.stringify(lines), /s3cret|secret of the inside/);
});

test("with access lines: bytes of the body, the id, and a client that left before its answer", async () => {
  const lines = await serving({ builtIn: built, config: { accessLog: 1 } }, async ({ port }) => {
    const client = new Client(port);
    await client.get("/ok", ["X-Request-Id: mine"]);
    await client.get("/ok");
    await client.get("/cached");
    await client.end();
    const impatient = new Client(port);
    impatient.get("/slow").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    impatient.socket.resetAndDestroy(); // one that only ends its side is answered
  });
  assert.deepEqual(
    lines.map(({ status, bytes, reason }) => [status, bytes, reason]),
    [
      [200, 4, undefined],
      [200, 4, undefined],
      [200, 4, undefined],
      [499, 0, "client-left"],
    ],
  );
  assert.equal(lines[0]?.["id"], "mine");
  assert.deepEqual(
    lines.map(({ cache }) => cache),
    [undefined, undefined, CACHED, undefined],
  );
});
