/** The answer that everybody gives: what drover says of the sample's players, about 10 KB, so that the others send the same. */
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";

export interface Answer {
  /** Names and values in turn, without what node:http adds by itself. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export function fetchAnswer(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, path, host: "127.0.0.1", agent: false, headers: { connection: "keep-alive" } }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () => {
          if (res.statusCode === 200) resolve({ headers: own(res.rawHeaders), body: Buffer.concat(chunks) });
          else reject(new Error(`${path} was answered with ${res.statusCode}: ${Buffer.concat(chunks).toString().slice(0, 200)}`));
        });
      })
      .on("error", reject);
  });
}

const own = (raw: readonly string[]): string[] => raw.filter((_, i) => !/^(date|connection|keep-alive)$/i.test(raw[i - (i % 2)] ?? ""));

/** As the others' programs read it: `answer.json` for those that set headers, `players.json` for those that serve files. */
export function keepAnswer(dir: string, { headers, body }: Answer): string {
  const file = join(dir, "answer.json");
  writeFileSync(file, JSON.stringify({ headers, body: body.toString("base64") }));
  writeFileSync(join(dir, "players.json"), body);
  return file;
}

export const bodyOf = (file: string): Buffer => Buffer.from((JSON.parse(readFileSync(file, "utf8")) as { body: string }).body, "base64");
