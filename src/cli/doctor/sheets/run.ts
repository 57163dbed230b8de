/** Tests the assumptions one after the other, and clears up. */
import { ASSUMPTION_IDS, ASSUMPTIONS, type Assumption, type AssumptionId, type Finding } from "./assumptions.ts";
import { Bench, good, KEY, TAB, Untested, type Ports } from "./bench.ts";
import { PROBES } from "./probes.ts";

export interface Wanted {
  readonly exhaust: boolean;
  readonly byHand: boolean;
  /** Undefined: all. */
  readonly only?: readonly AssumptionId[];
}

export interface Run {
  readonly findings: ReadonlyMap<AssumptionId, Finding>;
  /** What could not be cleared up; undefined: nothing was left. */
  readonly left: string | undefined;
  readonly calls: { readonly read: number; readonly write: number };
}

const WITHOUT = {
  exhaust: "only with --exhaust: it uses up the account's reads for about a minute",
  byHand: "only with --by-hand: a person must sort a tab",
} as const;

function notAsked(id: AssumptionId, wanted: Wanted): string | undefined {
  const { asks }: Assumption = ASSUMPTIONS[id];
  return asks === undefined || asks === "never" || wanted[asks] ? undefined : WITHOUT[asks];
}

async function probe(id: AssumptionId, bench: Bench, wanted: Wanted): Promise<Finding> {
  const not = notAsked(id, wanted);
  if (not !== undefined) return { is: "untested", saw: not };
  try {
    return await PROBES[id](bench);
  } catch (e) {
    if (e instanceof Untested) return { is: "untested", saw: e.message };
    throw e;
  }
}

/** @param found told each finding as it comes. */
export async function run(ports: Ports, wanted: Wanted, found: (id: AssumptionId, finding: Finding) => void): Promise<Run> {
  const bench = new Bench(ports);
  const findings = new Map<AssumptionId, Finding>();
  let left: string | undefined;
  try {
    for (const id of wanted.only ?? ASSUMPTION_IDS) {
      const finding = await probe(id, bench, wanted);
      findings.set(id, finding);
      found(id, finding);
    }
  } finally {
    left = await clearUp(ports);
  }
  return { findings, left, calls: bench.calls };
}

const TABS = "sheets.properties(sheetId,title)";

/** The spreadsheet's tabs. @throws Untested when they can't be read. */
export async function tabsOf(bench: Bench): Promise<readonly { readonly sheetId: number; readonly title: string }[]> {
  const answer = await bench.call({ verb: "GET", path: "", pool: "read", query: { fields: TABS, prettyPrint: "false" } });
  const { sheets = [] } = good(answer, "the tabs could not be read").json as {
    sheets?: readonly { readonly properties?: { readonly sheetId?: number; readonly title?: string } }[];
  };
  return sheets.map(({ properties }) => ({ sheetId: properties?.sheetId ?? 0, title: properties?.title ?? "" }));
}

/** Removes all tabs and metadata of doctor's, those of earlier runs too, and looks whether they are gone. @returns what was left. @throws nothing. */
export async function clearUp(ports: Ports): Promise<string | undefined> {
  const bench = new Bench({ ...ports, stopped: () => false });
  try {
    const ours = (await tabsOf(bench)).filter(({ title }) => TAB.test(title));
    const metadata = { deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataKey: KEY } } } };
    const removals = ours.map(({ sheetId }) => ({ deleteSheet: { sheetId } }));
    const all = (await bench.search()).length > 0 ? [...removals, metadata] : removals;
    if (all.length > 0) good(await bench.batch(all), "the removal was refused");
    const tabs = (await tabsOf(bench)).filter(({ title }) => TAB.test(title)).map(({ title }) => title);
    const marks = (await bench.search()).map(({ metadataId }) => metadataId);
    if (tabs.length + marks.length === 0) return undefined;
    return `tabs ${tabs.join(", ") || "none"}; metadata ${marks.slice(0, 20).join(", ") || "none"}`;
  } catch (e) {
    if (!(e instanceof Untested)) throw e;
    return `unknown: ${e.message}. Its tabs are named drover-doctor-…: another run removes them, or remove them by hand`;
  }
}
