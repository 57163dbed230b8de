import { DroverError } from "../../base/errors.ts";
import { fillTemplate, type Artefact } from "./artefact.ts";
import { urlOf } from "./target.ts";

/** Requests and concurrency of the three customary lines. */
const RUNS = [
  [1_000, 10],
  [5_000, 50],
  [10_000, 100],
] as const;

/** `ab.sh`: the three customary runs of ApacheBench against this installation, with how to read them. */
export const ab: Artefact = {
  name: "ab",
  does: "ab.sh: three ApacheBench runs, with how to read them",
  options: [{ name: "url", value: "URL", does: "what to request (the first TCP address, and /)" }],
  files(facts, options) {
    const url = options["url"] ?? `${urlOf(facts.settings)}/`;
    const runs = RUNS.map(([requests, atOnce]) => `run ${requests} ${atOnce}`);
    return [{ path: "ab.sh", text: fillTemplate("ab.sh", "ab", facts, { URL: shellUrl(url), RUNS: runs }), mode: 0o755 }];
  },
  next: ([path]) => `Next: sh ${path}`,
};

/**
 * A URL as it may stand in a shell script without quotes around it.
 * @throws DroverError DROVER_E_USAGE for what is no http(s) URL, or holds characters that the shell expands.
 */
export function shellUrl(url: string): string {
  const hint = "(expected an http:// or https:// URL without quotes, blanks and shell characters, such as http://127.0.0.1:8080/)";
  if (/^https?:\/\/[\w.:[\]~/?=&%,+@-]+$/.test(url) && URL.canParse(url)) return url;
  throw new DroverError("DROVER_E_USAGE", `--url ${url} ${hint}`);
}
