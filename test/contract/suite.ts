/** Tries the claims of docs/sheets.md, and clears up. */
import { BATCHES } from "./batches.ts";
import { CLAIMS } from "./claims.ts";
import { READS } from "./reads.ts";
import { KEY, Sheet, TAB, Untested, type Finding, type Json, type Ports, type Probe } from "./sheet.ts";
import { TAGS } from "./tags.ts";

export const PROBES = { ...BATCHES, ...TAGS, ...READS } satisfies Readonly<Record<string, Probe>>;
export type ClaimId = keyof typeof PROBES;

export const isProbed = (id: string): id is ClaimId => Object.hasOwn(PROBES, id);

export interface Wanted {
  readonly flags: ReadonlySet<string>;
  /** By default all. */
  readonly only?: readonly string[];
}

async function tried(id: string, sheet: Sheet, { flags }: Wanted): Promise<Finding> {
  const [, flag] = /`--([a-z-]+)`/.exec(CLAIMS.get(id)?.asked ?? "") ?? [];
  if (!isProbed(id)) return { is: "not tested", saw: "no program can find it out" };
  if (flag !== undefined && !flags.has(flag)) return { is: "not tested", saw: `needs --${flag}` };
  try {
    return await PROBES[id](sheet);
  } catch (e) {
    if (e instanceof Untested) return { is: "not tested", saw: e.message };
    throw e;
  }
}

/** @param found gets each finding as it comes. @returns all of them, and what could not be removed. */
export async function run(ports: Ports, wanted: Wanted, found: (id: string, finding: Finding, sheet: Sheet) => void = () => {}) {
  const sheet = new Sheet(ports);
  const findings = new Map<string, Finding>();
  let left: string | undefined;
  try {
    for (const id of wanted.only ?? CLAIMS.keys()) {
      sheet.refusal = "";
      const finding = await tried(id, sheet, wanted);
      findings.set(id, finding);
      found(id, finding, sheet);
    }
  } finally {
    left = await clearUp(ports);
  }
  return { findings, left, calls: sheet.calls };
}

/** Title and tabs. @throws Untested if they can't be read. */
export async function look(sheet: Sheet): Promise<{ readonly title: string; readonly tabs: readonly Json[] }> {
  const query = { fields: "properties.title,sheets.properties(sheetId,title)" };
  const { properties, sheets = [] } = await sheet.good({ verb: "GET", path: "", pool: "read", query });
  return { title: properties?.title ?? "", tabs: sheets.map((tab: Json) => tab.properties) };
}

/** Removes the suite's tabs and metadata, also of an earlier run, and looks whether they are gone. @returns what is left. @throws nothing. */
async function clearUp(ports: Ports): Promise<string | undefined> {
  const sheet = new Sheet({ ...ports, stop: new AbortController().signal });
  const ours = async (): Promise<readonly Json[]> => (await look(sheet)).tabs.filter(({ title }) => TAB.test(title));
  const all = { deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataKey: KEY } } } };
  try {
    const requests = [
      ...(await ours()).map(({ sheetId }) => ({ deleteSheet: { sheetId } })),
      ...((await sheet.search()).length > 0 ? [all] : []),
    ];
    if (requests.length > 0) await sheet.made(...requests);
    const [tabs, marks] = [await ours(), await sheet.search()];
    return tabs.length + marks.length === 0 ? undefined : `${tabs.length} tabs and ${marks.length} developer metadata`;
  } catch (e) {
    if (e instanceof Untested) return `unknown (${e.message}): run it again, or remove the tabs ${KEY}-… by hand`;
    throw e;
  }
}
