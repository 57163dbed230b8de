/** `drover writes`: what it prints and how it exits, whatever the administration answers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import test from "node:test";
import { cleanEnv, DROVER } from "./harness.ts";
import { folder } from "../support/cleanup.ts";

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  /** What the administration answers; undefined: it is not asked. */
  readonly answer?: readonly [status: number, body: unknown];
  /** Method, path and body of the question. */
  readonly asks?: readonly [string, string, string];
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: RegExp;
}

const EVIL = "two\nlines \u001b[2J\u009b2J\u202e";
const found = { id: "W1", table: "actions", op: "append", key: EVIL, reason: EVIL, at: "2026-01-01T00:00:00Z", parked_at: "2026-01-02T00:00:00Z" }; // prettier-ignore
const LIST = { success: true, count: 3, writes: [found] };
const partly = { success: true, message: "1 write again on the way; 1 write not: W2: no", partly: true };

const CASES: readonly Case[] = [
  {
    name: "the list as JSON, whose strings obey no terminal",
    args: ["--json"],
    answer: [200, LIST],
    asks: ["GET", "/api/admin/writes", ""],
    code: 0,
    stdout: `${JSON.stringify({ ...LIST, writes: [{ ...found, key: "two lines ?", reason: "two lines ?" }] }, null, 2)}\n`,
  },
  {
    name: "the list for people",
    args: ["list"],
    answer: [200, LIST],
    code: 0,
    stdout: "3 writes set aside\n\nW1  2026-01-02T00:00:00Z  append two lines ? in actions\n  two lines ?\nand 2 more\n",
  },
  {
    name: "all that were named",
    args: ["retry", "W1", "W2"],
    answer: [200, { success: true, message: "2 writes again on the way", partly: false }],
    asks: ["POST", "/api/admin/writes/retry", '{"ids":["W1","W2"]}'],
    code: 0,
    stdout: "2 writes again on the way\n",
  },
  { name: "some of those that were named", args: ["retry", "W1", "W2"], answer: [200, partly], code: 1, stdout: `${partly.message}\n` },
  {
    name: "of all, those that can be",
    args: ["discard", "--all"],
    answer: [200, partly],
    asks: ["POST", "/api/admin/writes/discard", '{"all":true}'],
    code: 0,
    stdout: `${partly.message}\n`,
  },
  { name: "none", args: ["retry", "W1"], answer: [409, { detail: "W1: no" }], code: 64, stderr: /^drover: writes refused: W1: no\n$/ },
  {
    name: "the journal changes hands",
    args: ["retry", "W1"],
    answer: [503, { detail: "it is changing hands, try again" }],
    code: 75,
    stderr: /^drover: the writes can't be dealt with now: it is changing hands, try again\n$/,
  },
  { name: "the list can't be had now", args: ["list", "--json"], answer: [503, {}], code: 75, stderr: /it answers 503\n$/ },
  { name: "nobody is meant", args: ["retry"], code: 64, stderr: /^drover: usage: drover writes / },
  { name: "some and all are meant", args: ["discard", "W1", "--all"], code: 64, stderr: /^drover: usage: drover writes / },
];

test("drover writes: its words and its exit code", async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, "var/run"), { recursive: true });
  let asked: string[] = [];
  let answer: readonly [number, unknown] = [500, {}];
  const server = http.createServer((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => {
      asked.push(req.method ?? "", req.url ?? "", body);
      res.writeHead(answer[0]).end(JSON.stringify(answer[1]));
    });
  });
  server.listen(join(dir, "var/run/control.sock"));
  await once(server, "listening");
  t.after(() => server.close());
  for (const { name, args, code, stdout = "", stderr = /^$/, ...one } of CASES)
    await t.test(name, async () => {
      asked = [];
      answer = one.answer ?? [500, {}];
      const ended = await new Promise<{ code: number; out: string; err: string }>((resolve) =>
        execFile(DROVER, ["writes", ...args], { cwd: dir, env: cleanEnv() }, (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code), out, err }),
        ),
      );
      assert.equal(ended.code, code, ended.err);
      assert.equal(ended.out, stdout);
      assert.match(ended.err, stderr);
      if (one.asks !== undefined || one.answer === undefined) assert.deepEqual(asked, one.asks ?? []);
    });
});
