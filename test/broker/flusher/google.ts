/** The emulator's engine in Google's place, in process: each call has a fate, and people work in the sheet between any two. */
import { createEngine } from "../../../src/tools/emulator/engine/engine.ts";
import type { Engine, EngineAnswer } from "../../../src/tools/emulator/engine.types.ts";
import type { FoundMetadata, WriteOutcome, WriteUpstream } from "../../../src/broker/flusher/port.ts";
import type { Timestamp } from "../../../src/base/units.ts";
import type { Outcome, Upstream } from "../../../src/broker/upstream.ts";
import type { JumpTime } from "./time.ts";

/**
 * ok · lostAfter: done, no answer · lostBefore: not done, no answer · late: no answer, done 170 s later · locked: 429 ·
 * errorBefore, errorAfter: 500 · nonsense: done, an answer that is none · denied: 403 · refused: 400 for no reason of ours
 */
export const FATES = [
  "ok",
  "lostAfter",
  "lostBefore",
  "late",
  "locked",
  "errorBefore",
  "errorAfter",
  "nonsense",
  "denied",
  "refused",
] as const;
export type Fate = (typeof FATES)[number];

export const SPREADSHEET = "sheet-of-the-tests";
const LATENCY = 300;
const TIMEOUT = 10_000;
export const LATE = 170_000;

const unavailable = { is: "unavailable", message: "no answer within 10000 ms" } as const;

export class FakeGoogle implements WriteUpstream, Pick<Upstream, "read"> {
  readonly engine: Engine = createEngine();
  readonly time: JumpTime;
  readonly writes: number[] = [];
  readonly reads: number[] = [];
  /** Of the next write; then of the next one … "ok" when it has none to give. */
  fate: () => Fate = () => "ok";
  /** Called before and after each call of the engine. */
  between: () => void = () => {};
  /** After each write that was done. */
  done: () => void = () => {};
  /** A batch with this text in it is refused. */
  poison: string | undefined;
  /** A second fence is not refused. */
  fenceless = false;
  #lockedUntil = 0;

  constructor(time: JumpTime, tabs: Parameters<Engine["seed"]>[2]) {
    this.time = time;
    this.engine.seed(SPREADSHEET, "Tests", tabs);
  }

  call(
    method: string,
    parts: { path?: Record<string, string>; query?: Record<string, readonly string[]>; body?: unknown } = {},
  ): EngineAnswer {
    const path = { spreadsheetId: SPREADSHEET, ...parts.path };
    return this.engine.call({ method: `sheets.spreadsheets.${method}`, path, query: parts.query ?? {}, body: parts.body });
  }

  /** By hand. @throws when the engine refuses */
  edit(...requests: object[]): void {
    const answer = this.call("batchUpdate", { body: { requests } });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  }

  values(range: string): unknown[][] {
    const query = { valueRenderOption: ["UNFORMATTED_VALUE"], dateTimeRenderOption: ["FORMATTED_STRING"] };
    return (this.call("values.get", { path: { range }, query }).body as { values?: unknown[][] }).values ?? [];
  }

  batchUpdate(body: Uint8Array, fields: string): Promise<WriteOutcome<unknown>> {
    return this.#write(body, (parsed) => {
      const sent = this.fenceless ? withoutTaken(this, parsed) : parsed;
      return this.call("batchUpdate", { query: { fields: [fields] }, body: sent });
    });
  }

  updateByFilter(body: Uint8Array): Promise<WriteOutcome<unknown>> {
    return this.#write(body, (parsed) => this.call("values.batchUpdateByDataFilter", { body: parsed }));
  }

  metadata(id: number): Promise<WriteOutcome<string | undefined>> {
    return this.#read(() => {
      const answer = this.call("developerMetadata.get", { path: { metadataId: String(id) } });
      if (answer.status === 404) return { is: "ok", value: undefined };
      return { is: "ok", value: (answer.body as { metadataValue: string }).metadataValue };
    });
  }

  search(metadataKey: string): Promise<WriteOutcome<readonly FoundMetadata[]>> {
    return this.#read(() => ({ is: "ok", value: this.standing(metadataKey) }));
  }

  standing(metadataKey: string): readonly FoundMetadata[] {
    const answer = this.call("developerMetadata.search", { body: { dataFilters: [{ developerMetadataLookup: { metadataKey } }] } });
    const matched =
      (answer.body as { matchedDeveloperMetadata?: { developerMetadata: Record<string, never> }[] }).matchedDeveloperMetadata ?? [];
    return matched.map(({ developerMetadata: m }) => ({
      id: Number(m["metadataId"]),
      value: String(m["metadataValue"]),
      onRow: Object.hasOwn(Object(m["location"]) as object, "dimensionRange"),
    }));
  }

  sheetIds(): Promise<WriteOutcome<ReadonlyMap<string, number>>> {
    return this.#read(() => {
      const { sheets } = this.call("get").body as { sheets: { properties: { title: string; sheetId: number } }[] };
      return { is: "ok", value: new Map(sheets.map(({ properties }) => [properties.title, properties.sheetId])) };
    });
  }

  read(ranges: readonly string[]): Promise<Outcome<readonly unknown[]>> {
    return this.#read(() => {
      const query = { ranges, valueRenderOption: ["UNFORMATTED_VALUE"], dateTimeRenderOption: ["FORMATTED_STRING"] };
      const answer = this.call("values.batchGet", { query });
      if (answer.status !== 200) return { is: "noRange", message: "no such range", range: ranges[0] ?? "" };
      return { is: "ok", value: (answer.body as { valueRanges: { values?: unknown }[] }).valueRanges.map(({ values }) => values) };
    });
  }

  async #read<T>(act: () => T): Promise<T> {
    this.reads.push(this.time.at);
    await this.time.sleep(LATENCY / 2);
    this.between();
    const answer = act();
    this.between();
    await this.time.sleep(LATENCY / 2);
    return answer;
  }

  async #write(body: Uint8Array, act: (parsed: unknown) => EngineAnswer): Promise<WriteOutcome<unknown>> {
    this.writes.push(this.time.at);
    const text = Buffer.from(body).toString();
    const fate = this.time.at < this.#lockedUntil ? "locked" : this.fate();
    const apply = (): EngineAnswer => {
      this.between();
      const refused = this.poison !== undefined && text.includes(this.poison);
      const answer: EngineAnswer = refused
        ? { status: 400, body: { error: { code: 400, message: "a cell is not to Google's liking" } }, mutated: false }
        : act(JSON.parse(text));
      if (answer.status === 200) this.done();
      this.between();
      return answer;
    };
    if (fate === "late") {
      void this.time.sleep(LATE).then(apply);
      await this.time.sleep(TIMEOUT);
      return unavailable;
    }
    await this.time.sleep(LATENCY / 2);
    const lost = { lostBefore: TIMEOUT, errorBefore: LATENCY / 2 }[fate as string];
    if (lost !== undefined) {
      await this.time.sleep(lost);
      return unavailable;
    }
    if (fate === "refused") return { is: "refused", message: "not now" };
    if (fate === "denied") return { is: "denied", message: "no permission" };
    if (fate === "locked") {
      if (this.#lockedUntil <= this.time.at) this.#lockedUntil = this.time.at + 55_000;
      return {
        is: "locked",
        message: "the write quota is used up",
        until: (this.time.wall() + this.#lockedUntil - this.time.at) as Timestamp,
      };
    }
    const answer = apply();
    await this.time.sleep(fate === "lostAfter" ? TIMEOUT : LATENCY / 2);
    if (fate === "lostAfter" || fate === "errorAfter") return unavailable;
    if (fate === "nonsense") return { is: "malformed", message: "an answer that is none" };
    if (answer.status === 200) return { is: "ok", value: answer.body };
    return { is: "refused", message: (answer.body as { error: { message: string } }).error.message };
  }
}

/** No metadata has this id: deleting it is a request that changes nothing. */
const ABSENT = 0x7fff_ffff;

/** Metadata whose id is taken is left out, as if ids were not guarded. */
function withoutTaken(google: FakeGoogle, parsed: unknown): unknown {
  const taken = new Set(google.standing("drover").map(({ id }) => id));
  const { requests, ...rest } = parsed as { requests: { createDeveloperMetadata?: { developerMetadata: { metadataId: number } } }[] };
  const kept = requests.filter(({ createDeveloperMetadata: made }) => made === undefined || !taken.has(made.developerMetadata.metadataId));
  const harmless = { deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId: ABSENT } } } };
  return { ...rest, requests: kept.length === 0 ? [harmless] : kept };
}
