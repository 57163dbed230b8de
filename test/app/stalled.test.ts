/** Clients that ask for much and read nothing: what each of them can hold of a worker's memory. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_PAGE } from "../../src/app/query/page.ts";
import { eventually } from "../support/wait.ts";
import { PLAYERS, sampleSheet, world, type World } from "./world.ts";

/** Two pieces of an export, with what HTTP puts around them. */
const OF_AN_EXPORT = 3 * 131_072;
const MIB = 1_048_576;

function stalled(t: TestContext, w: World, targets: readonly string[]): Socket[] {
  const sockets = targets.map((target, i) => {
    const socket = connect(Number(new URL(w.url).port), "127.0.0.1").pause();
    socket.on("error", () => {}).write(`GET ${target} HTTP/1.1\r\nHost: x\r\nX-Test-Address: 203.0.113.${i}\r\n\r\n`);
    return socket;
  });
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

/** Waits until so many connections hold bytes, and no more comes of any. */
async function standing(w: World, count: number): Promise<readonly number[]> {
  let last = "";
  return await eventually("every client has stalled", async () => {
    const now = w.unread();
    const same = JSON.stringify(now) === last;
    last = JSON.stringify(now);
    await sleep(100);
    return same && now.filter((bytes) => bytes > 0).length >= count && now;
  });
}

const sheetOf = (rows: number, width: number) => {
  const sheet = sampleSheet(1);
  sheet.table("large", "public", PLAYERS, Array.from({ length: rows }, (_, i) => [`p${i}`, "x".repeat(width), i])); // prettier-ignore
  return sheet;
};

test("an export that nobody reads holds two pieces of its file, however long that is", async (t) => {
  await using w = await world(sheetOf(6_000, 4_000)); // longer than what the kernel takes for a client
  stalled(
    t,
    w,
    Array.from({ length: 10 }, (_, i) => `/api/tables/large/export?format=${i % 2 === 0 ? "csv" : "json"}`),
  );
  const held = await standing(w, 10);
  t.diagnostic(`unread: ${held.map((bytes) => Math.round(bytes / 1_024)).join(", ")} KiB`);
  for (const bytes of held) assert.ok(bytes <= OF_AN_EXPORT, `${bytes} bytes wait for one client`);
});

test("a list that nobody reads holds one page, and requests behind it on the same connection no more", async (t) => {
  await using w = await world(sheetOf(2_000, 15_000));
  const page = "/api/tables/large?limit=1000";
  const sockets = stalled(
    t,
    w,
    Array.from({ length: 4 }, () => page),
  );
  const more = `GET ${page} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(20);
  for (const socket of sockets) socket.write(more);
  const held = await standing(w, 4);
  t.diagnostic(`unread: ${held.map((bytes) => (bytes / MIB).toFixed(1)).join(", ")} MiB`);
  for (const bytes of held) assert.ok(bytes <= 2 * MAX_PAGE, `${bytes} bytes wait for one client`);
});
