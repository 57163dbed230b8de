/** Any call of the Sheets API over the broker's own connection, and its answer as it came: for those who ask what Google really says. */
import { systemClock } from "../base/clock.ts";
import { between, type Ms } from "../base/units.ts";
import type { Pool } from "./answers.ts";
import { Connection, type GoogleOptions } from "./connection.ts";
import type { Outcome } from "./upstream.ts";

export interface RawCall {
  readonly verb: "GET" | "POST" | "PUT";
  /** Below `/v4/spreadsheets/ID`: `:batchUpdate`, `/values/Sheet1`. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  /** JSON. */
  readonly body: string | undefined;
  readonly pool: Pool;
  /** In place of the connection's own. */
  readonly spreadsheetId?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly took: Ms;
}

export interface Raw {
  /** @returns `ok` for every answer of Google's, whatever its status; the others for none. @throws nothing. */
  call(call: RawCall): Promise<Outcome<RawAnswer>>;
  close(): void;
}

const GOOGLE = "https://sheets.googleapis.com/";
/** The API compresses for those who say it here too: developers.google.com/workspace/sheets/api/guides/performance. */
const HEADERS = { "accept-encoding": "gzip", "user-agent": "drover-doctor (gzip)" };

/** The address of a call. @param endpoint in Google's place, else undefined. */
export function addressOf({ path, query }: RawCall, spreadsheetId: string, endpoint: string | undefined): string {
  const url = new URL(`v4/spreadsheets/${encodeURIComponent(spreadsheetId)}${path}`, endpoint ?? GOOGLE);
  for (const [name, value] of query) url.searchParams.append(name, value);
  return url.href;
}

/** @param options with the spreadsheet that is meant where a call names none. */
export function createRaw(options: GoogleOptions & { readonly spreadsheetId: string }): Raw {
  const connection = new Connection(options);
  return {
    async call(call) {
      const about = call.spreadsheetId ?? options.spreadsheetId;
      const url = addressOf(call, about, options.sheetsEndpoint);
      const { gaxios } = (await import("google-auth-library")).default;
      const http = new gaxios.Gaxios();
      return connection.call<RawAnswer, Outcome<RawAnswer>>(
        async (_, { signal, headers }) => {
          const begun = systemClock.now();
          const json = call.body === undefined ? {} : { "content-type": "application/json" };
          const asked = { url, method: call.verb, signal, headers: { ...HEADERS, ...json, ...headers } };
          const data = call.body === undefined ? {} : { data: Buffer.from(call.body) };
          const answer = await http.request<string>({ ...connection.policy, ...asked, ...data, responseType: "text" });
          const seen = { status: answer.status, headers: Object.fromEntries(answer.headers), text: answer.data };
          return { status: answer.status, data: { ...seen, took: between(begun, systemClock.now()) } satisfies RawAnswer };
        },
        {
          pool: call.pool,
          about,
          read: (data) => data as RawAnswer,
          other: ({ data }) => ({ is: "ok", value: data as RawAnswer }),
        },
      );
    },
    close: () => connection.close(),
  };
}
