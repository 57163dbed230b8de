// alone
/** `drover load` as it is typed: against a small server with faults, and against the demo. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, lstatSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readRun } from "../../src/tools/plan/run/run.ts";
import { untilHolds } from "../support/times.ts";
import { cleanEnv, DROVER, ROOT, start } from "./harness.ts";
import { CALM, load, serve } from "./load-helper.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

test("users sign in once each, keep their cookie, mix and vary their requests; the reports are written", async (t) => {
  const dir = folder(t);
  const seen = { logins: [] as string[], kinds: new Map<string, number>(), strangers: 0, bodies: new Set<string>() };
  const { url } = await serve(t, (req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      if (req.url === "/api/login") {
        const { name: user, secret: code } = JSON.parse(body) as { name: string; secret: string };
        seen.logins.push(user);
        res.setHeader("set-cookie", `sid=${user}-${code}; HttpOnly`);
        return res.end("{}");
      }
      if (seen.logins.length > 0 && !/^sid=p\d-c\d$/.test(req.headers.cookie ?? "")) seen.strangers += 1;
      seen.kinds.set(`${req.method}`, (seen.kinds.get(`${req.method}`) ?? 0) + 1);
      if (body !== "") seen.bodies.add(body);
      return res.end("x".repeat(500));
    });
  });
  writeFileSync(join(dir, "people.csv"), "user,code\np1,c1\np2,c2\np3,c3\n");
  const endpoints = { read: ["GET /rows"], write: [{ method: "POST", path: "/rows", body: { note: "{n}" } }] };
  writeFileSync(
    join(dir, "p.json"),
    JSON.stringify({ users: { simultaneous: 6 }, endpoints, login: {}, distribution: { read: 70, write: 30 } }),
  );
  const args = [`${url}/`, "--profile", "p.json", "--user-file", "people.csv", "--hold", "2s", "--think", "50ms", ...CALM];
  const { code, out, err } = await load(dir, [...args, "--json", "run.json", "--html", "run.html"]);
  assert.equal(code, 0, out + err);
  assert.deepEqual([seen.logins.sort().join(), seen.strangers], ["p1,p1,p2,p2,p3,p3", 0]);
  const [posts, gets] = [seen.kinds.get("POST") ?? 0, seen.kinds.get("GET") ?? 0];
  assert.ok(posts / (posts + gets) > 0.15 && posts / (posts + gets) < 0.45, `${posts} of ${posts + gets}`);
  assert.equal(seen.bodies.size, posts, "no two writes are alike");
  const run = readRun(readFileSync(join(dir, "run.json"), "utf8"), "run.json");
  assert.ok((run.steps[0]?.requests ?? 0) > 50 && run.steps[0]?.users === 6 && run.server === undefined);
  assert.match(readFileSync(join(dir, "run.html"), "utf8"), /<svg /);
  assert.match(out, /bottleneck {2}none up to 6 users/);
  assert.doesNotMatch(out + readFileSync(join(dir, "run.json"), "utf8") + readFileSync(join(dir, "run.html"), "utf8"), /c1|c2|c3/);
});

test("refusals are told from errors, and errors and timeouts cross the thresholds: 99", async (t) => {
  let n = 0;
  const { url } = await serve(t, (_req, res) => {
    n += 1;
    if (n > 5 && n % 10 === 0) return; // never answered
    if (n > 5 && n % 5 === 0) return res.writeHead(503, { "x-drover-refused": "queue" }).end();
    if (n > 5 && n % 7 === 0) return res.writeHead(503).end();
    return res.end("ok");
  });
  const { code, out } = await load(folder(t), [url, "--rate", "60", "--hold", "2s", "--patience", "400ms", ...CALM]);
  assert.equal(code, 99, out);
  assert.match(out, /errors .*HTTP 503: \d+/);
  assert.match(out, /shed +queue: \d+/);
  assert.match(out, /unexpected_503==0 ✗ .* timeouts==0 ✗/);
});

test("a target that dies and a run that is interrupted keep the part that was measured", async (t) => {
  const dir = folder(t);
  const { url, server } = await serve(t, (_req, res) => res.end("ok"));
  const dying = load(dir, [url, "--ladder", "5,6", "--hold", "10s", "--think", "20ms", "--json", "dead.json"], (out) => {
    if (!out.includes("STEP")) return;
    setTimeout(() => {
      server.close();
      server.closeAllConnections();
    }, 2_500).unref();
  });
  let asked = 0;
  const other = await serve(t, (_req, res) => res.end(String((asked += 1))));
  let told = false;
  const cut = await load(dir, [other.url, "--users", "3", "--hold", "30s", "--think", "20ms", "--json", "cut.json"], (out, pid) => {
    if (told || !out.includes("STEP")) return;
    told = true;
    const before = asked;
    void eventually("it is well under way", () => asked - before > 600).then(() => process.kill(pid, "SIGINT"));
  });
  const dies = await dying;
  assert.equal(dies.code, 99, dies.out + dies.err);
  assert.match(dies.out, /nothing but broken connections for 3 s/);
  assert.match(dies.out, /bottleneck {2}the target died at baseline/);
  assert.equal(readRun(readFileSync(join(dir, "dead.json"), "utf8"), "dead.json").steps.length, 1);
  assert.equal(cut.code, 105, cut.out + cut.err);
  assert.match(cut.out, /\(cut\)[^]*a part: interrupted/);
  assert.ok((readRun(readFileSync(join(dir, "cut.json"), "utf8"), "cut.json").steps[0]?.requests ?? 0) > 10);
});

test("a report that can't be written keeps neither the others nor the verdict; one of nothing leaves the file as it was", async (t) => {
  const dir = folder(t);
  const { url } = await serve(t, (_req, res) => res.end("ok"));
  const full = await load(dir, [url, "--users", "2", "--hold", "1s", "--json", "/dev/full", "--html", "run.html", ...CALM]);
  assert.match(
    full.out,
    /written {5}run\.html\nnot written \/dev\/full: ENOSPC[^\n]*\n(?:PASS \(without CPU[^\n]*\), exit 75|(?:FAIL|INVALID), exit \d+)\n$/,
  );
  assert.ok([75, 4, 99].includes(full.code ?? 0), full.out + full.err);
  assert.match(readFileSync(join(dir, "run.html"), "utf8"), /^<!doctype html>/);
  writeFileSync(join(dir, "old.json"), "OLD");
  const args = [url, "--users", "2", "--hold", "50s", "--json", "old.json"]; // a warm-up of 5 s
  let told = false;
  const early = await load(dir, args, (out, pid) => {
    if (told || !out.includes("STEP")) return;
    told = true;
    process.kill(pid, "SIGINT");
  });
  assert.equal(early.code, 105, early.out + early.err);
  assert.match(early.out, /written {5}nothing: nothing was measured \(old\.json: as before\)/);
  assert.equal(readFileSync(join(dir, "old.json"), "utf8"), "OLD");
});

test("--requests: so many and not one more; --json may be the output itself", async (t) => {
  const dir = folder(t);
  let asked = { writes: 0, looks: 0 };
  const { url } = await serve(t, (req, res) => {
    asked[req.method === "POST" ? "writes" : "looks"] += 1;
    req.resume().on("end", () => res.end("{}"));
  });
  writeFileSync(
    join(dir, "p.json"),
    JSON.stringify({ endpoints: { read: ["GET /"], write: [{ method: "POST", path: "/rows", body: {} }] } }),
  );
  symlinkSync("/proc/self/fd/1", join(dir, "output"));
  for (const users of ["10", "1"]) {
    asked = { writes: 0, looks: 0 };
    const args = ["--users", users, "--requests", "100", "--mix", "0/1/0", "--profile", "p.json", ...CALM];
    const out = openSync(join(dir, "out.txt"), "w");
    const { code, err } = await load(dir, [url, ...args, "--json", "output"], undefined, out);
    closeSync(out);
    const text = readFileSync(join(dir, "out.txt"), "utf8");
    assert.ok([0, 4, 99].includes(code ?? 1), text + err); // a tenth of a second on a busy machine says nothing of its CPU
    assert.deepEqual(asked, { writes: 100, looks: 1 }, `${users} users`);
    assert.match(
      text,
      /^target [^]*\n\{\n[^]*"requests": 100,[^]*\n\}\nwritten {5}output\n(?:PASS \(without CPU[^\n]*\), exit 0|FAIL, exit 99|INVALID, exit 4)\n$/,
    );
    assert.ok(text.endsWith(`, exit ${code}\n`), text);
  }
  assert.ok(lstatSync(join(dir, "output")).isSymbolicLink());
});

test("--find-max goes as far as the generator may open files, and says so", async (t) => {
  const dir = folder(t);
  const { url } = await serve(t, (_req, res) => res.end("ok"));
  const args = [url, "--find-max", "--users", "20", "--hold", "1s", "--think", "100ms", ...CALM];
  const search = async (): Promise<{ code: unknown; out: string }> => {
    const child = spawn("sh", ["-c", 'ulimit -n 100; exec "$0" load "$@"', DROVER, ...args], { cwd: dir, env: cleanEnv(), stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const ended = await new Promise((resolve) => child.once("close", resolve));
    return { code: ended, out: printed };
  };
  // Exit code 4: the machine was too busy for the generator to say anything.
  const { code, out } = await untilHolds(4, search, (ended) => ended.code !== 4);
  assert.equal(code, 0, out);
  assert.match(out, /holds 36 users \(no more were tried: this generator may open no more files: ulimit -n\)/);
});

test("1.7, 1.11: CPU and memory of a target elsewhere come from its admin API; unknown, they pass no threshold that was named", async (t) => {
  const [daemon, elsewhere] = [await start(t), folder(t)];
  writeFileSync(join(elsewhere, "token"), readFileSync(join(daemon.dir, "var/admin-token")));
  writeFileSync(join(elsewhere, "wrong"), "drover_wrong\n");
  await eventually("the machine was sampled", async () => (await daemon.status()).machine !== null);
  const short = [daemon.url, "--users", "2", "--hold", "3s", ...CALM];
  const api = (file: string): string[] => ["--admin", daemon.url, "--admin-token-file", file];
  const high = ["--threshold", "target_cpu<0.0001", "--threshold", "target_rss<1000"];
  const [known, refused, half] = await Promise.all([
    load(elsewhere, [...short, ...api("token"), ...high, "--json", "run.json"]),
    load(elsewhere, [...short, ...api("wrong")]),
    load(elsewhere, [...short, "--admin", daemon.url]),
  ]);
  assert.equal(known.code, 99, known.out + known.err);
  assert.match(known.out, /target_cpu<0\.0001 ✗ \d[^]*target_rss<1000 ✓[^]*^machine +CPU \d[^]*; memory \d/m);
  const [step] = readRun(readFileSync(join(elsewhere, "run.json"), "utf8"), "run.json").steps;
  assert.ok((step?.cpuSeconds ?? 0) > 0 && (step?.rssBytes ?? 0) > 5e7, JSON.stringify(step));
  assert.deepEqual([refused.code, /401: the token is refused/.test(refused.err)], [69, true], refused.err);
  assert.deepEqual([half.code, /need each other/.test(half.err)], [64, true], half.err);
});

test("3.5: the demo: users of one address each are not refused, the server's own figures are there, and drover plan reads the run", async (t) => {
  const daemon = await start(t);
  const players = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8").split("\n").slice(1, 21);
  const people = players.map((line) => line.split(",")).map(([, name, , , , code]) => `${name},${code}\n`);
  writeFileSync(join(daemon.dir, "people.csv"), people.join(""));
  const args = [
    daemon.url,
    "--user-file",
    "people.csv",
    "--users",
    "20",
    "--mix",
    "60/30/10",
    "--hold",
    "3s",
    "--think",
    "200ms",
    "--json",
    "run.json",
    ...CALM,
  ];
  const { code, out, err } = await load(daemon.dir, args);
  assert.equal(code, 0, out + err);
  const { server, steps } = readRun(readFileSync(join(daemon.dir, "run.json"), "utf8"), "run.json");
  assert.deepEqual([server?.workers, server?.tables], [2, 7]);
  const [step] = steps;
  assert.ok((step?.cpuSeconds ?? 0) > 0 && (step?.rssBytes ?? 0) > 5e7 && (step?.hitRatio ?? 0) > 0.3, JSON.stringify(step));
  assert.ok(((await daemon.status()).upstream?.writes?.waiting ?? 0) >= 0);
  const { endpoints } = (JSON.parse(readFileSync(join(daemon.dir, "run.json"), "utf8")) as { steps: { endpoints: Record<string, { answered: number }> }[] }).steps[0] ?? {}; // prettier-ignore
  assert.ok((endpoints?.["write actions"]?.answered ?? 0) > 5, JSON.stringify(endpoints));
  assert.equal((await daemon.status()).slots?.used, 20, "all of them are in");
  const crowd = [daemon.url, "--users", "60", "--mix", "60/30/10", "--hold", "3s", "--think", "400ms"];
  const warned = await load(daemon.dir, [...crowd, "--dry-run"]);
  assert.match(warned.out, /all users share one address.*: use --spread-addresses/);
  const spread = await load(daemon.dir, [...crowd, "--spread-addresses", "--json", "spread.json", ...CALM]);
  const [own] = readRun(readFileSync(join(daemon.dir, "spread.json"), "utf8"), "spread.json").steps;
  assert.deepEqual([spread.code, own?.refused], [0, 0], spread.out + spread.err);
});
