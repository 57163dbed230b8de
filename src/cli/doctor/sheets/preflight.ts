/** Looks at the spreadsheet before anything is done to it, and refuses one that somebody may need. */
import { DroverError } from "../../../base/errors.ts";
import { a1 } from "../../../sheets/a1.ts";
import { METADATA_KEY } from "../../../broker/flusher/core/fence.ts";
import { Bench, fence, good, remove, said, TAB, Untested, type Ports } from "./bench.ts";

export interface Place {
  readonly title: string;
  /** Tabs that an earlier run left. */
  readonly leftovers: readonly string[];
  /** Why it does not look as if nobody needed it. */
  readonly doubts: readonly string[];
}

/** What a title must say. */
const MARK = /throw.?away/i;
const FIELDS = "properties.title,sheets.properties(sheetId,title,sheetType)";

interface Book {
  readonly properties?: { readonly title?: string };
  readonly sheets?: readonly { readonly properties?: { readonly title?: string; readonly sheetType?: string } }[];
}

/** @throws DroverError when the spreadsheet can't be read. */
export async function look(ports: Ports, spreadsheetId: string): Promise<Place> {
  const bench = new Bench(ports);
  try {
    const answer = await bench.call({ verb: "GET", path: "", pool: "read", query: { fields: FIELDS, prettyPrint: "false" } });
    if (answer.status !== 200)
      throw new DroverError(
        "DROVER_E_CREDENTIALS",
        `${spreadsheetId}: Google says ${said(answer)}: is the id right, and is it shared with the account?`,
      );
    const { properties, sheets = [] } = answer.json as Book;
    const title = properties?.title ?? "";
    const tabs = sheets.flatMap(({ properties: tab }) =>
      tab?.title === undefined ? [] : [{ title: tab.title, type: tab.sheetType ?? "GRID" }],
    );
    const others = tabs.filter((tab) => !TAB.test(tab.title));
    const doubts = [
      ...(MARK.test(title) ? [] : [`its title ${JSON.stringify(title)} does not say “throw-away”`]),
      ...(await contents(bench, others).catch(unreadable)),
      ...((await usedByDrover(bench)) ? ["a drover writes to it"] : []),
    ];
    return { title, leftovers: tabs.map((tab) => tab.title).filter((name) => TAB.test(name)), doubts };
  } catch (e) {
    if (!(e instanceof Untested)) throw e;
    throw new DroverError("DROVER_E_CREDENTIALS", `${spreadsheetId} can't be read: ${e.message}`, { cause: e });
  }
}

/** Cells that are too many to be read are not none. */
function unreadable(thrown: unknown): readonly string[] {
  if (thrown instanceof Untested) return [`its cells can't be read (${thrown.message})`];
  throw thrown;
}

/** Which tabs are not empty. */
async function contents(bench: Bench, tabs: readonly { readonly title: string; readonly type: string }[]): Promise<readonly string[]> {
  const drawn = tabs.filter(({ type }) => type !== "GRID").map(({ title }) => `its tab ${JSON.stringify(title)} is no grid`);
  const grids = tabs.filter(({ type }) => type === "GRID");
  const found: string[] = [];
  for (let at = 0; at < grids.length; at += 50) {
    const some = grids.slice(at, at + 50);
    const query = { ranges: some.map(({ title }) => a1(title)), fields: "valueRanges(range,values)", prettyPrint: "false" };
    const answer = good(await bench.call({ verb: "GET", path: "/values:batchGet", pool: "read", query }), "its cells could not be read");
    const { valueRanges = [] } = answer.json as { valueRanges?: readonly { readonly values?: readonly unknown[] }[] };
    for (const [i, { title }] of some.entries())
      if ((valueRanges[i]?.values?.length ?? 0) > 0) found.push(`its tab ${JSON.stringify(title)} is not empty`);
  }
  return [...drawn, ...found];
}

/** Writes nothing that stays. @throws DroverError when the account may only read, or when Google does not answer. */
export async function proveRight(ports: Ports, spreadsheetId: string, email: string): Promise<void> {
  const bench = new Bench(ports);
  const id = bench.id();
  try {
    const answer = await bench.batch([fence(id, "right"), remove(id)]);
    if (answer.status === 200) return;
    const how = answer.status === 403 ? `share it as Editor with ${email}` : "is the id right, and is it shared with the account?";
    throw new DroverError("DROVER_E_CREDENTIALS", `can't write to the spreadsheet ${spreadsheetId}: ${how} (Google says ${said(answer)})`);
  } catch (e) {
    if (!(e instanceof Untested)) throw e;
    throw new DroverError("DROVER_E_CREDENTIALS", `can't write to the spreadsheet ${spreadsheetId}: ${e.message}`, { cause: e });
  }
}

async function usedByDrover(bench: Bench): Promise<boolean> {
  const body = { dataFilters: [{ developerMetadataLookup: { metadataKey: METADATA_KEY } }] };
  const query = { fields: "matchedDeveloperMetadata.developerMetadata.metadataId", prettyPrint: "false" };
  const answer = await bench.call({ verb: "POST", path: "/developerMetadata:search", pool: "read", query, body });
  const { matchedDeveloperMetadata = [] } = good(answer, "its metadata could not be searched").json as {
    matchedDeveloperMetadata?: readonly unknown[];
  };
  return matchedDeveloperMetadata.length > 0;
}
