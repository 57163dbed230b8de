/** Probes of developer metadata as fences, and of what a refusal leaves. */
import { confirmed, falsified, fence, good, KEY, remove, said, same, show, tag, verdict, type Bench, type Tab } from "./bench.ts";
import type { Finding } from "./assumptions.ts";

/** As long as the flusher's: mark, sign, time, digest, number. */
const VALUE = "aZ-_09.t6s2qk~Jx_-8Qzv1z141";

/** A batch with a row in it, the first or the last of its requests being a create of a taken id. */
async function refused(bench: Bench, tab: Tab, order: "first" | "last") {
  const id = bench.id();
  await bench.prepare([fence(id, VALUE)]);
  const row = bench.append(tab, [["k9", "a second time"]]);
  const again = fence(id, VALUE);
  return { id, answer: await bench.batch(order === "first" ? [again, row] : [row, again]) };
}

export async function takenId(bench: Bench): Promise<Finding> {
  const id = bench.id();
  await bench.prepare([fence(id, VALUE)]);
  const again = await bench.batch([fence(id, VALUE)], { includeSpreadsheetInResponse: true }, "spreadsheetId");
  const other = await bench.batch([fence(id, `${VALUE}x`)]);
  const { metadataValue } = Object((await bench.metadata(id)).json) as { metadataValue?: unknown };
  const holds = again.status === 400 && other.status === 400 && metadataValue === VALUE;
  return verdict(holds, `the same again: ${said(again)}; with another value: ${said(other)}; it has ${show(metadataValue)}`);
}

export async function wholeBatch(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id", "what"]]);
  const [first, last] = [await refused(bench, tab, "first"), await refused(bench, tab, "last")];
  const rows = await bench.rows(tab);
  if (first.answer.status === 200 || last.answer.status === 200)
    return falsified(`no refusal to begin with: ${said(first.answer)}; ${said(last.answer)}`);
  return verdict(
    rows.length === 1,
    `refused with the fence first and last (${said(first.answer)}); rows that came of it: ${rows.length - 1}`,
  );
}

export async function refusedWhole(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id", "what"]]);
  const id = bench.id();
  const nowhere = { sheetId: tab.sheetId + 100_000_000, title: "" };
  const answer = await bench.batch([fence(id, VALUE), bench.append(tab, [["k1", "x"]]), bench.append(nowhere, [["k2", "x"]])]);
  const stands = await bench.metadata(id);
  const rows = await bench.rows(tab);
  const holds = answer.status === 400 && stands.status === 404 && rows.length === 1;
  return verdict(holds, `${said(answer)}; the fence: ${said(stands)}; rows: ${rows.length - 1}`);
}

export async function getMetadata(bench: Bench): Promise<Finding> {
  const id = bench.id();
  await bench.prepare([fence(id, VALUE)]);
  const [found, absent] = [await bench.metadata(id), await bench.metadata(bench.id())];
  const { metadataId, metadataKey, metadataValue } = Object(found.json) as Record<string, unknown>;
  const holds = found.status === 200 && same([metadataId, metadataKey, metadataValue], [id, KEY, VALUE]) && absent.status === 404;
  return verdict(holds, `${said(found)} with the value ${show(metadataValue)}; one that is not there: ${said(absent)}`);
}

export async function searchMetadata(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([["id"], ["k1"], ["k2"]]);
  const [one, two] = [bench.id(), bench.id()];
  await bench.prepare([fence(one, VALUE), tag(two, tab, 2)]);
  const found = await bench.search();
  const [a, b] = [one, two].map((id) => found.find(({ metadataId }) => metadataId === id));
  const holds = a?.metadataValue === VALUE && a.location?.dimensionRange === undefined && b?.location?.dimensionRange?.startIndex === 2;
  return verdict(
    holds,
    `${found.length} found; of the spreadsheet ${show(a?.metadataValue)}, of a row ${show(b?.location?.dimensionRange)}`,
  );
}

export async function absentMetadata(bench: Bench): Promise<Finding> {
  const id = bench.id();
  const answer = await bench.batch([remove(bench.id()), fence(id, VALUE)]);
  return verdict(answer.status === 200, said(answer));
}

export async function idRange(bench: Bench): Promise<Finding> {
  const largest = 2 ** 31 - 10_000 - (bench.id() % 1_000);
  const answer = await bench.batch([fence(largest, VALUE)]);
  const found = answer.status === 200 ? await bench.metadata(largest) : answer;
  const { metadataId } = Object(found.json) as { metadataId?: unknown };
  return verdict(metadataId === largest, `${largest}: ${said(found)}`);
}

const ROOM = 600;

export async function metadataRoom(bench: Bench): Promise<Finding> {
  const tab = await bench.tab([], { rowCount: ROOM, columnCount: 1 });
  const ids = Array.from({ length: ROOM * 2 }, () => bench.id());
  const fences = await bench.batch(ids.slice(0, ROOM).map((id) => fence(id, VALUE)));
  const tags = await bench.batch(ids.slice(ROOM).map((id, row) => tag(id, tab, row)));
  const saw = `${ROOM} fences of ${KEY.length + VALUE.length} characters: ${said(fences)}; ${ROOM} tags: ${said(tags)}`;
  if (fences.status !== 200 || tags.status !== 200) return falsified(saw);
  const gone = await bench.batch(ids.slice(0, ROOM).map(remove));
  good(gone, "the fences could not be removed again");
  return confirmed(saw);
}
