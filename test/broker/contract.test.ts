/** The client of Google against two that stand in its place: the tests' own and the emulator. Both must be the same to it. */
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { makeLogger } from "../../src/base/log.ts";
import { ms } from "../../src/base/units.ts";
import { readServiceAccount } from "../../src/broker/credentials.ts";
import { createGoogle } from "../../src/broker/google.ts";
import type { Outcome, Upstream } from "../../src/broker/upstream.ts";
import { createEmulator } from "../../src/tools/emulator/server.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/wait.ts";
import { FakeGoogle, googleError, keyFile, quotaError, SPREADSHEET } from "./upstream.ts";

const TABS = [
  {
    title: "players",
    rows: [
      ["id", "name", "score"],
      ["p1", "Ada", 3],
      ["p2", "", true],
    ],
  },
  { title: "My Log", rows: [["id"], ["l1"]] },
];
const log = makeLogger({ role: "emulator" }, "silent", { write() {} });

/** One of the two, and its faults by name. */
interface Place {
  readonly url: string;
  readonly keyFile: string;
  fail(kind: "429" | "500" | "html" | "hang" | "drop"): void;
  stop(): Promise<void>;
}

async function fake(): Promise<Place> {
  const google = await new FakeGoogle().start();
  for (const { title, rows } of TABS) google.tabs.set(title, rows);
  const faults = {
    "429": quotaError(),
    "500": googleError(500, "INTERNAL", "Internal error encountered."),
    html: (_: unknown, res: import("node:http").ServerResponse) => void res.writeHead(502, { "content-type": "text/html" }).end("<html>"),
    hang: () => {},
    drop: (req: import("node:http").IncomingMessage) => void req.socket.destroy(),
  };
  return { url: google.url, keyFile: keyFile(), fail: (kind) => void google.faults.push(faults[kind]), stop: () => google.stop() };
}

async function emulator(): Promise<Place> {
  const dir = temporaryFolder("emulator");
  const spreadsheets = [{ id: SPREADSHEET, title: "Contract", tabs: TABS }];
  const place = { dataDir: dir, keyFile: join(dir, "key.json"), spreadsheets };
  const it = await createEmulator({ ...place, latency: "none", quota: false, log });
  await new Promise<void>((resolve) => it.server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(it.server.address() as AddressInfo).port}`;
  const specs = { "429": "status=429", "500": "status=500", html: "html=502", hang: "hang", drop: "drop" };
  return {
    url,
    keyFile: it.keyFile,
    fail: (kind) => it.order(specs[kind]),
    stop: () => it.close(),
  };
}

for (const [name, open] of [
  ["the tests' own", fake],
  ["the emulator", emulator],
] as const)
  describe(name, () => {
    let place: Place;
    let google: Upstream;
    const connect = (spreadsheetId: string, timeout = ms(60_000)): Upstream => {
      const endpoints = { sheetsEndpoint: place.url, oauthEndpoint: place.url };
      return createGoogle({
        spreadsheetId,
        account: readServiceAccount(place.keyFile),
        ...endpoints,
        timeout,
        clock: systemClock,
      });
    };
    before(async () => {
      place = await open();
      google = connect(SPREADSHEET);
    });
    after(async () => {
      google.close();
      await place.stop();
    });

    test("values as typed, in the order asked for", async () => {
      const values = [
        [["id"], ["l1"]],
        [
          ["id", "name", "score"],
          ["p1", "Ada", 3],
          ["p2", "", true],
        ],
      ];
      assert.deepEqual(await google.read(["'My Log'", "players"]), { is: "ok", value: values });
    });

    test("tabs in order", async () => assert.deepEqual(await google.tabs(), { is: "ok", value: ["players", "My Log"] }));

    test("a range that is not there", async () => {
      const outcome = await google.read(["players", "nope"]);
      assert.deepEqual([outcome.is, outcome.is === "noRange" && outcome.range.replaceAll("'", "")], ["noRange", "nope"]);
    });

    const wanted: Readonly<Record<Parameters<Place["fail"]>[0], Outcome<never>["is"]>> = {
      "429": "locked",
      "500": "unavailable",
      html: "unavailable",
      hang: "unavailable",
      drop: "unavailable",
    };
    for (const [kind, is] of Object.entries(wanted) as [keyof typeof wanted, string][])
      test(`${kind} is ${is}, and the next call is answered`, async () => {
        const client = kind === "hang" ? connect(SPREADSHEET, ms(500)) : google;
        await eventually("it has its token, and the fault meets a read", async () => (await client.read(["players"])).is === "ok");
        place.fail(kind);
        assert.equal((await client.read(["players"])).is, is);
        if (client !== google) client.close();
        assert.equal((await google.read(["players"])).is, "ok");
      });
  });
