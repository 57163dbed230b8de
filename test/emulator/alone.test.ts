/** `drover emulator` as a process: its faults from the command line, and the token that opens its routes. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { folder, request, type Reply } from "./world.ts";

const DROVER = fileURLToPath(new URL("../../bin/drover", import.meta.url));

async function alone(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ said: string; url: string }> {
  const dir = await folder();
  const child = spawn(DROVER, ["emulator", "--port", "0", "--dir", dir, ...args], {
    cwd: dir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  let said = "";
  const last = /drover serve\n([^]*Bearer .*\n)?/;
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    said += piece.toString();
    if (last.exec(said) !== null && (args.includes("--faults") || env["DROVER_EMULATOR_TOKEN"] !== undefined) === said.includes("Bearer"))
      break;
  }
  return { said, url: /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? "" };
}

const faultsAt = (url: string, token: string): Promise<Reply> =>
  request(`${url}/emulator/faults`, "GET", { authorization: `Bearer ${token}` }, undefined);

test("faults from the command line, a token for their routes", async (t) => {
  const { said, url } = await alone(t, ["--faults", "--fault", "status=503,every=3", "--fault=drop,method=write;hang,method=oauth.token"]);
  const token = /Bearer (\w{32})\n/.exec(said)?.[1] ?? "";
  const { waiting } = (await faultsAt(url, token)).json();
  assert.deepEqual(
    waiting.map(({ kind }: { kind: string }) => kind),
    ["status", "drop", "hang"],
  );
  assert.equal((await faultsAt(url, "another")).status, 401);
});

test("a token of one's own is not printed; without any there are no routes", async (t) => {
  const token = "0123456789abcdef-mine";
  const mine = await alone(t, [], { DROVER_EMULATOR_TOKEN: token });
  assert.equal((await faultsAt(mine.url, token)).status, 200);
  assert.doesNotMatch(mine.said, /0123456789abcdef/);
  const closed = await alone(t, ["--fault", "hang,method=write"]);
  assert.equal((await faultsAt(closed.url, token)).status, 404);
});

test("a fault that there is not is a usage error, exit 64", () => {
  const { status, stderr } = spawnSync(DROVER, ["emulator", "--port", "0", "--fault", "hang;latncy=2s"], { encoding: "utf8" });
  assert.equal(status, 64);
  assert.match(stderr, /--fault latncy=2s: kind must be one of status, denied/);
});
