/** Files of this repository that are artefacts for default settings: `npm run docs` writes them, a test compares them. */
import { defaultsOf } from "./artefact.ts";
import { ARTEFACTS } from "./artefacts.ts";
import { defaultFacts } from "./facts.ts";

/** By the artefact's name. */
const COMMITTED: Readonly<Record<string, string>> = { nginx: "config/nginx.conf", caddy: "config/Caddyfile" };

/** @returns pairs of a path in the repository and its text. */
export async function committedFiles(): Promise<readonly (readonly [path: string, text: string])[]> {
  const facts = defaultFacts();
  const made = Object.entries(COMMITTED).map(async ([name, path]) => {
    const artefact = await ARTEFACTS[name]?.();
    const [file] = artefact?.files(facts, defaultsOf(artefact)) ?? [];
    return [path, file?.text ?? ""] as const;
  });
  return Promise.all(made);
}
