/** Probes of readings. */
import type { Finding } from "./assumptions.ts";
import { falsified, good, said, same, show, verdict, type Bench } from "./bench.ts";

/** What a reading makes of cells that a person types. */
async function typed(bench: Bench, cells: readonly string[]): Promise<readonly unknown[]> {
  const tab = await bench.tab([]);
  const path = `/values/${tab.title}!A1:D1`;
  const entered = { valueInputOption: "USER_ENTERED", prettyPrint: "false" };
  const answer = await bench.call({ verb: "PUT", path, pool: "write", query: entered, body: { values: [cells] } });
  good(answer, "the cells could not be typed");
  const [row = []] = await bench.rows(tab);
  return row;
}

export async function readCells(bench: Bench): Promise<Finding> {
  const row = await typed(bench, ["2020-01-01", "=5/2", "text"]);
  const [date] = row;
  return verdict(typeof date === "string" && date.includes("2020") && same(row.slice(1), [2.5, "text"]), show(row));
}

export async function readBooleans(bench: Bench): Promise<Finding> {
  const row = await typed(bench, ["=1=1", "=1=2"]);
  return verdict(same(row, [true, false]), show(row));
}

export async function readTrimmed(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id", null, "a", null], [null], ["k1"]]);
  const found = await bench.ranges([tab.title, `${tab.title}!G1:H9`]);
  return verdict(same(found[0], [["id", "", "a"], [], ["k1"]]) && found[1] === undefined, show(found));
}

export async function readOwn(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"]]);
  for (let n = 1; n <= 3; n += 1) {
    const answer = await bench.batch([bench.append(tab, [[`k${n}`]])]);
    const rows = await bench.rows(tab);
    if (rows.at(-1)?.[0] !== `k${n}`) return falsified(`${said(answer)}, and the reading after it ends with ${show(rows.at(-1))}`);
  }
  return verdict(true, "3 rows, each in the reading right after its write");
}

/** A reading with much in it. */
async function large(bench: Bench, mask: boolean) {
  const tab = await bench.tab(Array.from({ length: 30 }, (_, i) => [`k${i}`, "the same words again and again"]));
  const bare = { ranges: tab.title };
  const answer = mask
    ? await bench.read([tab.title])
    : await bench.call({ verb: "GET", path: "/values:batchGet", pool: "read", query: bare });
  return good(answer, "the rows could not be read");
}

export async function noValidators(bench: Bench): Promise<Finding> {
  const { headers } = await large(bench, true);
  const found = ["etag", "last-modified"].filter((name) => headers[name] !== undefined);
  return verdict(found.length === 0, found.length === 0 ? "neither" : found.map((name) => `${name}: ${headers[name]}`).join("; "));
}

export async function gzip(bench: Bench): Promise<Finding> {
  const { headers } = await large(bench, true);
  return verdict(headers["content-encoding"] === "gzip", `content-encoding: ${headers["content-encoding"] ?? "none"}`);
}

export async function masks(bench: Bench): Promise<Finding> {
  const [masked, plain] = [await large(bench, true), await large(bench, false)];
  const keys = Object.keys(Object(masked.json) as object);
  const holds = same(keys, ["valueRanges"]) && !masked.text.includes("\n") && masked.text.length < plain.text.length;
  return verdict(holds, `${show(keys)}, ${masked.text.length} characters; without them ${plain.text.length}`);
}

export async function noRange(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"]]);
  const answer = await bench.read([tab.title, "'drover-doctor is not here'!A1:C"]);
  const named = /Unable to parse range: .*drover-doctor is not here/.test(said(answer));
  return verdict(answer.status === 400 && named, said(answer));
}

/** An id of the right form that was never given out. */
const NOBODYS = "1droverDoctorAsksForASpreadsheetThatIsNot000";

export async function unseen(bench: Bench): Promise<Finding> {
  const query = { fields: "spreadsheetId", prettyPrint: "false" };
  const answer = await bench.call({ verb: "GET", path: "", pool: "read", query, spreadsheetId: NOBODYS });
  return verdict(answer.status === 403 || answer.status === 404, said(answer));
}
