/** The report files of a run: checked before it, because an hour's run must not end without its report. */
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { DroverError, messageOf } from "../../../base/errors.ts";
import { jsonText } from "../../../cli/terminal/printable.ts";
import { advise } from "../advice.ts";
import { finding, type Situation } from "../bottleneck.ts";
import { checkFile, identityOf, writeFile } from "../../output-file.ts";
import type { Second } from "../seconds.ts";
import { targetVerdicts } from "../target-bars.ts";
import { html } from "./html.ts";
import { runOf, type RunFacts } from "./run-file.ts";

type Path = string | undefined;
interface Files {
  readonly json: Path;
  readonly html: Path;
}
interface Inputs {
  readonly profile: Path;
  readonly userFile: Path;
}

/** @throws DroverError DROVER_E_USAGE for a file that can't be written, or that another flag names too. */
export function checkFiles(files: Files & Inputs): void {
  const taken = new Map<string, string>();
  for (const [flag, file, place] of [
    ["--profile", files.profile, identityOf],
    ["--user-file", files.userFile, identityOf],
    ["--json", files.json, checked],
    ["--html", files.html, checked],
  ] as const) {
    const where = file === undefined ? undefined : place(file, flag);
    if (where === undefined) continue;
    const other = taken.get(where);
    if (other !== undefined && place === checked)
      throw new DroverError(
        "DROVER_E_USAGE",
        `${flag} ${file} is the file of ${other}: give it one of its own`,
      );
    taken.set(where, `${flag} ${file}`);
  }
}

function checked(file: string, flag: string): string | undefined {
  try {
    checkFile(file);
    return identityOf(file);
  } catch (error) {
    throw new DroverError(
      "DROVER_E_USAGE",
      `${flag} ${file} can't be written: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

export interface Written {
  readonly situation: Situation;
  readonly seconds: readonly Second[];
  readonly verdict: string;
}

/** What became of each requested file. */
export interface Reports {
  readonly written: readonly string[];
  readonly missing: readonly { readonly file: string; readonly why: string }[];
}

/** A file that can't be written prevents neither the other one nor the verdict. */
export function writeReports(
  files: Files,
  facts: RunFacts,
  { situation, seconds, verdict }: Written,
): Reports {
  const { results, ending } = situation;
  const run = runOf(results, facts);
  if (run === undefined) return { written: [], missing: [] };
  const { ranked, useless } = advise(situation);
  const machine = targetVerdicts(results);
  const about = {
    ending,
    verdict,
    command: command(facts.argv),
    seed: facts.seed,
    machine,
    advice: ranked,
    noUse: useless,
  };
  const texts: readonly (readonly [string | undefined, () => string])[] = [
    [files.json, () => `${jsonText({ ...run, ...about }, 2)}\n`],
    [files.html, () => page(facts, { situation, seconds, verdict })],
  ];
  const written: string[] = [];
  const missing: { file: string; why: string }[] = [];
  for (const [file, text] of texts) {
    if (file === undefined) continue;
    const why = notWritten(file, text());
    if (why === undefined) written.push(file);
    else missing.push({ file, why });
  }
  return { written, missing };
}

/** @returns why not; undefined: it was. */
function notWritten(file: string, text: string): string | undefined {
  try {
    writeFile(file, text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function page(facts: RunFacts, { situation, seconds, verdict }: Written): string {
  const limit = facts.thresholds.find(
    ({ metric, statistic, endpoint }) =>
      metric === "http_req_duration" && endpoint === undefined && typeof statistic === "object",
  );
  return html({
    title: `Load run of ${facts.startedAt.slice(0, 16).replace("T", " ")} UTC`,
    target: facts.target,
    command: command(facts.argv),
    startedAt: facts.startedAt,
    tool: `drover ${facts.version}, Node.js ${process.versions.node}, seed ${facts.seed}`,
    machine: `${availableParallelism()} CPUs (${cpus()[0]?.model.trim() ?? "unknown"}), ${(totalmem() / 2 ** 30).toFixed(1)} GiB, ${type()} ${release()}`,
    notes: facts.notes,
    results: situation.results,
    seconds,
    limitMs: limit?.limit,
    bottleneck: finding(situation).says,
    advice: advise(situation),
    verdict,
    ending: situation.ending === "done" ? "to its end" : `before its end: ${situation.ending}`,
  });
}

/** Quoted for a shell. */
export const command = (argv: readonly string[]): string =>
  [
    "drover load",
    ...argv.map((word) =>
      /^[\w./:=,%@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
    ),
  ].join(" ");
