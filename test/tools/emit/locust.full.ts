/** `drover emit locust`: compiled by Python, run by Locust. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../../support/needs.ts";
import { emptyFolder, inFolder, runs } from "./emitted.ts";

const PROFILE = "test/load/launch-profile.json";
const python = needs("python3", "python3");

test(
  "3.5: python3 compiles the locustfile, quotes and personas included",
  { skip: python },
  (t) => {
    const file = join(emptyFolder(t), "profile.json");
    const body = { note: `it's """ ''' \\ {n}` };
    const personas = {
      manager: { share: 60, frequency: "10/h" },
      marketing: { share: 40, frequency: "5/h" },
    };
    const actions = { view: { duration: "1m", requests: 3, frequency: "2/h" } };
    const endpoints = { write: [{ method: "POST", path: "/a", body }] };
    writeFileSync(
      file,
      JSON.stringify({
        users: { simultaneous: 2, personas },
        actions,
        distribution: { write: 1 },
        endpoints,
      }),
    );
    for (const profile of [PROFILE, file]) {
      const dir = inFolder(t, "locust", { profile });
      runs("python3", ["-m", "py_compile", join(dir, "locustfile.py")]);
    }
    // The data survives, quotes included.
    const dir = inFolder(t, "locust", { profile: file });
    const read =
      "import json,re,sys; print(json.loads(re.search(r\"^ENDPOINTS = json.loads\\(r'''(.*)'''\\)$\", open(sys.argv[1]).read(), re.M)[1])[0]['body'])";
    assert.deepEqual(JSON.parse(runs("python3", ["-c", read, join(dir, "locustfile.py")])), body);
  },
);

/** Counts what it is asked, and answers it all alike. */
async function target(t: TestContext, status: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    req.resume().on("end", () => res.writeHead(status).end("{}"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test(
  "3.5: Locust runs it to the end of its stages, and exits with 1 when too much fails",
  { skip: needs("locust", "python3-locust") },
  async (t) => {
    const file = join(emptyFolder(t), "profile.json");
    const endpoints = {
      read: ["GET /a"],
      write: [{ method: "POST", path: "/b", body: { note: "{n}" } }],
    };
    writeFileSync(
      file,
      JSON.stringify({
        stages: "2s:4,1s:0",
        think: "50ms",
        distribution: { read: 1, write: 1 },
        endpoints,
      }),
    );
    const script = join(inFolder(t, "locust", { profile: file }), "locustfile.py");
    const exit = async (url: string): Promise<number> => {
      const child = spawn("locust", ["-f", script, "--headless", "--host", url], {
        stdio: "ignore",
      });
      const [code] = (await once(child, "exit")) as [number];
      return code;
    };
    const [good, bad] = [await target(t, 200), await target(t, 500)];
    assert.deepEqual(await Promise.all([exit(good.url), exit(bad.url)]), [0, 1]);
    assert.ok(good.asked.length > 10, `${good.asked.length} requests`);
    assert.deepEqual(new Set(good.asked), new Set(["GET /a", "POST /b"]));
  },
);
