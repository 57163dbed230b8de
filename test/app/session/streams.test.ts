/** Event streams of people who are logged in: what they are told, and that a stream ends with its session. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FeedEvent, TableChange } from "../../../src/sheets/events.ts";
import { ms } from "../../../src/base/units.ts";
import { NO_LIMITS } from "../../../src/app/limits/rules.ts";
import { ledgerByHand } from "../../broker/ledger/ledgers.ts";
import { EventSource } from "../eventsource.ts";
import { eventWorld, member, Person, type Answer } from "./people.ts";
import { SESSIONS, type World } from "../world.ts";
import { eventually } from "../../support/wait.ts";

const EPOCH = 1_795_000_000_000;

/** The feed of a world, by hand. */
function feedOf(w: World) {
  const at = { epoch: EPOCH, seq: 0 };
  w.sheet.events?.changes({ after: { ...at }, events: [], upTo: { ...at } });
  return (table: string, what: TableChange): void => {
    const after = { ...at };
    const event: FeedEvent = { epoch: EPOCH, seq: (at.seq += 1), table, definition: "d", version: at.seq, what };
    w.sheet.events?.changes({ after, events: [event], upTo: { ...at } });
  };
}

const note = (kind: "row.created" | "row.updated", key: string, who: string): TableChange => ({
  kind,
  key,
  row: JSON.stringify({ id: key, who, text: "x" }),
});

test("a stream tells each what is theirs: strangers what is public, members more, everybody their own rows alone", async (t) => {
  await using w = await eventWorld();
  const [ada, kim] = [await member(w, "Ada"), await member(w, "Kim")];
  await Promise.all([ada, kim].map((person) => person.get("/api/tables/notes")));
  const tell = feedOf(w);
  const open = (person: Person): EventSource => {
    const headers = person.cookie === "" ? {} : { Cookie: person.cookie };
    const source = new EventSource(`${w.url}/api/events`, { headers });
    t.after(() => source.close());
    return source;
  };
  const [nobody, adas, kims] = [open(new Person(w)), open(ada), open(kim)];
  for (const source of [nobody, adas, kims]) await eventually("a place in the stream", () => source.lastId !== "");
  tell("members", { kind: "row.deleted", key: "m1" });
  tell("desk", { kind: "row.deleted", key: "p1" });
  tell("secrets", { kind: "row.deleted", key: "s1" });
  tell("notes", note("row.updated", "n1", "Ada"));
  tell("notes", note("row.created", "n4", "Kim"));
  tell("notes", note("row.updated", "n4", "Ada")); // handed over
  tell("notes", { kind: "row.deleted", key: "n3" }); // nobody's
  tell("notes", { kind: "row.deleted", key: "n1" });
  tell("players", { kind: "row.deleted", key: "last" });
  const told = ({ events }: EventSource): string[] => events.map(({ type, data }) => `${type} ${data.table} ${data.key}`);
  for (const source of [nobody, adas, kims]) await eventually("the last event", () => told(source).at(-1) === "row.deleted players last");
  assert.deepEqual(told(nobody), ["row.deleted players last"]);
  assert.deepEqual(told(adas), [
    "row.deleted members m1",
    "row.updated notes n1",
    "row.created notes n4",
    "row.deleted notes n1",
    "row.deleted players last",
  ]);
  assert.deepEqual(told(kims), [
    "row.deleted members m1",
    "row.deleted desk p1",
    "row.created notes n4",
    "row.deleted notes n4",
    "row.deleted players last",
  ]);
});

test("a stream of members' tables is for members, and ends when its session does", async (t) => {
  await using w = await eventWorld();
  feedOf(w);
  const ada = await member(w, "Ada");
  assert.equal((await new Person(w).get("/api/events?tables=notes")).status, 401);
  assert.equal((await ada.get("/api/events?tables=desk")).status, 403);
  const source = new EventSource(`${w.url}/api/events?tables=notes`, { headers: { Cookie: ada.cookie } });
  t.after(() => source.close());
  await eventually("a place in the stream", () => source.lastId !== "");
  await member(w, "Ada");
  await eventually("its end", () => source.ends === 1);
  assert.equal((await ada.get("/api/events?tables=notes")).body["code"], "taken-over");
  assert.equal((await ada.get("/api/me")).body["code"], "taken-over", "a page that can't read the stream's answer is told here");
  assert.equal(ada.cookie, "");
});

test("a stream of what is everybody's keeps its member's slot, and after a newer login is a stranger's", async (t) => {
  const { host, worker } = ledgerByHand();
  t.after(() => host.close());
  const ledger = worker();
  const holds = t.mock.method(ledger, "holds");
  await using w = await eventWorld({ ledger });
  feedOf(w);
  const ada = await member(w, "Ada");
  const open = (): EventSource => {
    const source = new EventSource(`${w.url}/api/events?tables=players`, { headers: { Cookie: ada.cookie } });
    t.after(() => source.close());
    return source;
  };
  const source = open();
  await eventually("a place in the stream", () => source.lastId !== "");
  assert.equal(holds.mock.callCount(), 1);
  await member(w, "Ada");
  await eventually("its end", () => source.ends === 1);
  const next = open();
  await eventually("a place in the stream", () => next.lastId !== "");
  assert.equal(holds.mock.callCount(), 1);
  assert.equal((await ada.get("/api/me")).body["code"], "taken-over");
});

test("who only watches is given a new cookie, again and again, for as long as it watches", async () => {
  await using w = await eventWorld({ sessions: { ...SESSIONS, idle: ms(6_000) } });
  feedOf(w);
  const ada = await member(w, "Ada");
  const watch = (): Promise<Answer> => ada.get("/api/events"); // read to its end
  const cookies = new Set([ada.cookie]);
  for (const end = performance.now() + 7_000; performance.now() < end;) {
    assert.equal((await watch()).status, 200);
    cookies.add(ada.cookie);
  }
  assert.ok(cookies.size >= 2, `${cookies.size} cookies`);
  assert.equal((await ada.get("/api/me")).status, 200, "7 s after the last request that was none of a stream");
});

test("an address may have so many streams and a user so many, each by itself; a place is free again when one ends", async (t) => {
  await using w = await eventWorld({ limits: { ...NO_LIMITS, streamsPerAddress: 2, streamsPerUser: 3 } });
  const [ada, kim] = [await member(w, "Ada"), await member(w, "Kim")];
  feedOf(w);
  const open = async (headers: Record<string, string>): Promise<EventSource> => {
    const source = new EventSource(`${w.url}/api/events`, { headers });
    t.after(() => source.close());
    await eventually("an answer", () => source.statuses.length === 1);
    return source;
  };
  const refused = async (headers: Record<string, string>): Promise<unknown> => {
    const answer = await fetch(`${w.url}/api/events`, { headers, signal: AbortSignal.timeout(120_000) });
    if (answer.status === 200) await answer.body?.cancel(); // a stream has no end to wait for
    assert.notEqual(answer.status, 200, "a stream is open instead of refused");
    const said = [answer.status, answer.headers.get("x-drover-refused"), ((await answer.json()) as { code: string }).code];
    assert.ok(Number(answer.headers.get("retry-after")) >= 5);
    return said;
  };
  const TOO_MANY = [429, "streams", "too-many-streams"];
  const from = (address: string, person?: Person): Record<string, string> => ({
    "X-Test-Address": address,
    ...(person === undefined ? {} : { Cookie: person.cookie }),
  });
  const first = await open(from("192.0.2.1"));
  assert.deepEqual([...first.statuses, ...(await open(from("192.0.2.1"))).statuses], [200, 200]);
  assert.deepEqual(await refused(from("192.0.2.1")), TOO_MANY);
  for (const headers of [from("192.0.2.2"), ...[1, 2, 3].map(() => from("192.0.2.1", ada)), from("192.0.2.1", kim)])
    assert.deepEqual((await open(headers)).statuses, [200]);
  assert.deepEqual(await refused(from("192.0.2.3", ada)), TOO_MANY, "a user is the same wherever they are");
  await open(from("2001:db8::1"));
  await open(from("2001:db8::2"));
  assert.deepEqual(await refused(from("2001:db8::3")), TOO_MANY, "the same /64");
  first.close();
  await eventually("the place is free again", async () => (await open(from("192.0.2.1"))).statuses[0] === 200);
});
