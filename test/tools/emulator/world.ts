/** An emulator in this process, and requests to it. */
import { createSign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pino } from "pino";
import { http } from "../../../src/base/http.ts";
import {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
} from "../../../src/tools/emulator/server.ts";
import { temporaryFolder } from "../../support/folder.ts";

export const silent = pino({ level: "silent" });

export const SHEET = "book";
export const BOOK = {
  id: SHEET,
  title: "Book",
  tabs: [
    {
      title: "Sheet1",
      rows: [
        ["id", "name"],
        ["1", "Ada"],
      ],
    },
  ],
};

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  json(): any; // oxlint-disable-line typescript/no-explicit-any -- tests look into any answer
}

export interface World {
  readonly emulator: Emulator;
  readonly dir: string;
  readonly url: string;
  /** A new access token. */
  token(): Promise<string>;
  ask(
    method: string,
    path: string,
    options?: { headers?: OutgoingHttpHeaders; body?: unknown; raw?: string | Buffer },
  ): Promise<Reply>;
  /** With a token. */
  call(method: string, path: string, body?: unknown): Promise<Reply>;
}

/** A new folder, removed when this process ends. */
export const folder = (): string => temporaryFolder("emulator");

export async function world(
  t: TestContext,
  options: Partial<EmulatorOptions> = {},
): Promise<World> {
  const dir = options.dataDir ?? folder();
  const emulator = await createEmulator({
    dataDir: dir,
    keyFile: join(dir, "key.json"),
    latency: "none",
    quota: false,
    spreadsheets: [BOOK],
    log: silent,
    ...options,
  });
  emulator.server.listen(0, "127.0.0.1");
  await once(emulator.server, "listening");
  t.after(() => emulator.close());
  const { port } = emulator.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const ask: World["ask"] = (method, path, { headers = {}, body, raw } = {}) =>
    request(
      `${url}${path}`,
      method,
      headers,
      raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    );
  let known: string | undefined;
  const token: World["token"] = async () => {
    const raw = grant(await assertion(emulator.keyFile, {}));
    return (await ask("POST", "/token", { headers: FORM, raw })).json().access_token as string;
  };
  return {
    emulator,
    dir,
    url,
    token,
    ask,
    async call(method, path, body) {
      known ??= await token();
      return ask(method, path, {
        headers: { authorization: `Bearer ${known}` },
        ...(body === undefined ? {} : { body }),
      });
    },
  };
}

export const FORM = { "content-type": "application/x-www-form-urlencoded" };
export const grant = (jwt: string): string =>
  new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: jwt,
  }).toString();

export async function assertion(
  keyFile: string,
  claims: Readonly<Record<string, unknown>>,
  alg = "RS256",
): Promise<string> {
  const key = JSON.parse(await readFile(keyFile, "utf8")) as {
    client_email: string;
    private_key: string;
  };
  const now = Math.floor(Date.now() / 1_000);
  const body = {
    iss: key.client_email,
    aud: "https://oauth2.googleapis.com/token",
    iat: now,
    exp: now + 3_600,
    scope: "https://www.googleapis.com/auth/spreadsheets",
    ...claims,
  };
  const signed = [{ alg, typ: "JWT" }, body]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(key.private_key).toString("base64url")}`;
}

export function request(
  url: string,
  method: string,
  headers: OutgoingHttpHeaders,
  body: string | Buffer | undefined,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("error", reject);
      res.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          body: bytes,
          json: () => JSON.parse(bytes.toString("utf8")),
        });
      });
    });
    req.on("error", reject);
    req.end(body);
  });
}
