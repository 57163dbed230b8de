import assert from "node:assert/strict";
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { readAsked } from "../../../src/cli/logs/asked.ts";
import { readEntry, wants, type Wanted } from "../../../src/cli/logs/entry.ts";
import { follow, type Following } from "../../../src/cli/logs/follow.ts";
import { Lines, LONGEST } from "../../../src/cli/logs/lines.ts";
import { pretty } from "../../../src/cli/logs/pretty.ts";
import { findStart } from "../../../src/cli/logs/start.ts";
import { ms, type Timestamp } from "../../../src/base/units.ts";
import { temporaryFolder } from "../../support/folder.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z") as Timestamp;
const line = (over: Record<string, unknown> = {}): string =>
  JSON.stringify({
    level: "info",
    time: "2026-11-21T11:59:00.000Z",
    pid: 7,
    role: "worker",
    slot: 3,
    generation: 1,
    msg: "hello",
    ...over,
  });

test("lines come whole, in whatever pieces their bytes do; one without end is shown in parts", () => {
  const text = Buffer.from("eins\nzwei é\n\ndrei");
  for (let size = 1; size <= text.length; size += 1) {
    const lines = new Lines();
    const got: string[] = [];
    for (let at = 0; at < text.length; at += size) got.push(...lines.take(text.subarray(at, at + size)));
    assert.deepEqual([...got, ...lines.rest()], ["eins", "zwei é", "", "drei"]);
    assert.deepEqual(lines.rest(), []);
  }
  const endless = new Lines();
  let shown = 0;
  for (let nr = 0; nr < 40; nr += 1) shown += endless.take(Buffer.alloc(65_536, "x")).join("").length;
  assert.ok(shown >= LONGEST);
});

test("what is wanted: level, worker, request, time; what can't be judged is shown", () => {
  const yes = (wanted: Wanted, text: string): boolean => wants(wanted, readEntry(text));
  assert.ok(yes({ level: "warn" }, line({ level: "error" })) && !yes({ level: "warn" }, line()));
  assert.ok(yes({ level: "warn" }, line({ level: 30 })), "a level of somebody else's");
  assert.ok(
    yes({ worker: 3 }, line()) &&
      !yes({ worker: 2 }, line()) &&
      yes({ worker: 2 }, line({ role: "master", slot: null, place: "worker/2" })),
  );
  assert.ok(!yes({ worker: 3 }, line({ role: "broker", slot: 3 })));
  for (const name of ["id", "requestId", "reqId"]) assert.ok(yes({ request: "abc-1" }, line({ [name]: "abc-1" })));
  assert.ok(yes({ request: "abc-1" }, line({ requests: [{ id: "abc-1" }] })) && !yes({ request: "abc-1" }, line({ id: "abc-12" })));
  assert.ok(yes({ since: NOW }, line({ time: "2026-11-21T12:00:00.000Z" })) && !yes({ since: NOW }, line()));
  assert.ok(yes({ level: "fatal", worker: 9, since: NOW }, '{"level":"inf'));
  assert.ok(yes({ request: "abc-1" }, '{"id":"abc-1","lev') && !yes({ request: "abc-1" }, '{"id":"x","lev'));
  assert.equal(readEntry(`drover-1  | ${line()}`).fields?.["msg"], "hello");
  for (const broken of ["", "plain text", "[1]", "null", '{"a":1', `{"level":"in${line()}`])
    assert.equal(readEntry(broken).fields, undefined, broken);
});

test("a line for people; a terminal obeys nothing of it, whatever it says and whether it is broken or not", () => {
  assert.equal(
    pretty(readEntry(line({ user: "ann b", n: 3, none: null })), false),
    '2026-11-21T11:59:00.000Z INFO  worker 3  hello  user="ann b" n=3',
  );
  const request = line({
    msg: "request",
    method: "GET",
    path: "/api/tables/players",
    status: 503,
    ms: 1.2,
    bytes: 88,
    reason: "queue",
    client: "::1",
    id: "a-1",
  });
  assert.equal(
    pretty(readEntry(request), false),
    "2026-11-21T11:59:00.000Z INFO  worker 3  GET /api/tables/players 503 1.2 ms 88 B queue  client=::1 id=a-1",
  );
  const failed = line({ level: "error", err: { type: "Error", message: "no", stack: "Error: no\n    at x (y:1)" } });
  assert.equal(pretty(readEntry(failed), false), "2026-11-21T11:59:00.000Z ERROR worker 3  hello\n    Error: no\n        at x (y:1)");
  const evil = "\u001b]0;pwned\u0007\u001b[2J\u009b31m\u202ea\rb\bc";
  const hostile = [
    line({ msg: evil, level: evil, time: evil, role: evil, slot: null, [evil]: evil, err: { stack: `${evil}\n${evil}` } }),
    line({ msg: "request", status: 200, method: evil, path: evil, client: [evil], id: evil, ms: evil, bytes: evil, cache: evil }),
    line({ place: evil, err: evil, msg: { evil } }),
    evil,
    `{"msg":"${evil}`,
  ];
  for (const text of hostile) assert.doesNotMatch(pretty(readEntry(text), false), /(?!\n)[\p{Cc}\p{Cf}]/u, JSON.stringify(text));
  assert.ok(pretty(readEntry(line({ level: "error" })), true).includes("\u001b[31;1mERROR \u001b[0m"));
  assert.doesNotMatch(stripVTControlCharacters(pretty(readEntry(hostile[0] ?? ""), true)), /(?!\n)\p{Cc}/u);
});

test("what is asked for is read strictly", () => {
  const read = (own: Record<string, string>, piped = false) => readAsked(new Map(Object.entries(own)), piped, NOW);
  assert.deepEqual([read({}).lines, read({ since: "2h" }).lines, read({ lines: "0" }).lines, read({}).follow], [50, Infinity, 0, true]);
  assert.equal(read({ since: "90m" }).wanted.since, NOW - 5_400_000);
  assert.equal(read({ since: "7d" }).wanted.since, NOW - 7 * 86_400_000);
  assert.equal(read({ since: "2026-11-21T08:00Z" }).wanted.since, Date.parse("2026-11-21T08:00Z"));
  assert.deepEqual(
    [read({ "no-follow": "" }).follow, read({ json: "" }).json, read({ level: "WARN" }).wanted.level],
    [false, true, "warn"],
  );
  const wrong: Record<string, string>[] = [
    { level: "loud" },
    { worker: "-1" },
    { worker: "all" },
    { lines: "many" },
    { lines: "1e3" },
    { since: "yesterday" },
    { since: "2026" },
    { since: "2026-13-45" },
    { request: "" },
    { follow: "", "no-follow": "" },
  ];
  for (const own of wrong) assert.throws(() => read(own), { code: "DROVER_E_USAGE" }, JSON.stringify(own));
  assert.throws(() => read({ lines: "5" }, true), { code: "DROVER_E_USAGE" });
});

test("the last lines are found from the end, in a file of any shape", async () => {
  const file = join(temporaryFolder("logs"), "log");
  const of = async (text: string, wanted: Wanted, most: number): Promise<string> => {
    writeFileSync(file, text);
    const handle = await open(file);
    const { offset } = await findStart(handle, Buffer.byteLength(text), { wanted, most });
    await handle.close();
    return Buffer.from(text).toString("utf8", offset);
  };
  assert.equal(await of("", {}, 5), "");
  assert.equal(await of("\n", {}, 5), "\n");
  assert.equal(await of("a\nb\nc\n", {}, 2), "b\nc\n");
  assert.equal(await of("a\nb\nc", {}, 1), "c");
  assert.equal(await of("a\nb\n", {}, 9), "a\nb\n");
  assert.equal(await of("a\nb\n", {}, 0), "");
  const many = Array.from({ length: 20_000 }, (_, nr) =>
    line({ nr, pad: "é".repeat(nr % 50), level: nr % 1_000 === 0 ? "error" : "info" }),
  );
  const text = `${many.join("\n")}\n`;
  assert.equal(await of(text, {}, 5_000), `${many.slice(-5_000).join("\n")}\n`);
  assert.equal(await of(text, { level: "error" }, 3), `${many.slice(17_000).join("\n")}\n`);
  const hours = Array.from({ length: 5_000 }, (_, nr) => line({ nr, time: new Date(NOW - (5_000 - nr) * 1_000).toISOString() }));
  const late = await of(`${hours.join("\n")}\n`, { since: (NOW - 600_000) as Timestamp }, Infinity);
  assert.equal(late.trimEnd().split("\n").length, 660, "and a minute more: processes write at nearly the same time");
});

test("following: what is appended, a rename, a cut, a file that is gone and comes again; no line is lost and none comes twice", async () => {
  const file = join(temporaryFolder("logs"), "log");
  const shown: string[] = [];
  let wake: () => void = () => {};
  const ended = new AbortController();
  const missing: string[] = [];
  const following: Following = {
    from: async (_, size) => size,
    show: (lines) => {
      shown.push(...lines);
      if (lines.length > 0) wake();
    },
    missing: (why) => (missing.push(why), wake()),
    ended: ended.signal,
    linger: ms(60_000), // this machine may be slow
  };
  const until = async (met: () => boolean): Promise<void> => {
    while (!met()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const done = follow(file, following);
  await until(() => missing.length === 1);
  appendFileSync(file, "one\n");
  await until(() => shown.length === 1);
  appendFileSync(file, "tw");
  appendFileSync(file, "o\nthree\n");
  await until(() => shown.at(-1) === "three");
  const old = await open(file, "a");
  renameSync(file, `${file}.1`);
  await old.write("late, in the old one\n");
  await until(() => shown.at(-1) === "late, in the old one");
  writeFileSync(file, "new one\n");
  await until(() => shown.at(-1) === "new one");
  await old.write("later still, in the old one\n");
  await until(() => shown.at(-1) === "later still, in the old one");
  await old.close();
  truncateSync(file);
  appendFileSync(file, "after the cut, and longer than what was there\n");
  await until(() => shown.at(-1) === "after the cut, and longer than what was there");
  truncateSync(file);
  appendFileSync(file, "short\n");
  await until(() => shown.at(-1) === "short");
  ended.abort();
  await done;
  assert.deepEqual(shown, [
    "one",
    "two",
    "three",
    "late, in the old one",
    "new one",
    "later still, in the old one",
    "after the cut, and longer than what was there",
    "short",
  ]);
});
