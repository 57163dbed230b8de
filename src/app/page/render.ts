/** The page, filled in at start: one body for each language, with and without the demo. No build step, no template engine. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { digest } from "../query/canonical.ts";
import { LANGUAGES, type Language } from "./language.ts";

/** The compiler copies no assets: from src/app/page and from dist/app/page alike they are those of the package's src. */
export const PAGE_DIRECTORY = fileURLToPath(new URL("../../../src/app/page/", import.meta.url));

export interface RenderedPage {
  readonly language: Language;
  readonly body: Buffer;
  readonly etag: string;
}

type Texts = Readonly<Record<string, string>>;

/**
 * `{{name}}` is a text of the language, escaped; `{{&name}}` one with markup of our own; `{{#demo}}…{{/demo}}` and
 * `{{^demo}}…{{/demo}}` stand in the demo and outside it.
 * @throws Error for a text that does not exist: a test renders every page.
 */
export function fill(template: string, texts: Texts, demo: boolean): string {
  return template
    .replaceAll(/\{\{([#^])demo\}\}([^]*?)\{\{\/demo\}\}/g, (_, sign: string, inner: string) => ((sign === "#") === demo ? inner : ""))
    .replaceAll(/\{\{(&?)(\w+)\}\}/g, (_, raw: string, name: string) => {
      const text = texts[name];
      if (text === undefined) throw new Error(`the page's texts have no "${name}"`);
      return raw === "&" ? text : escape(text);
    });
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

/** Reads template and texts once. @returns the page for a reader. */
export async function readPages(): Promise<(language: Language, demo: boolean) => RenderedPage> {
  const template = await readFile(`${PAGE_DIRECTORY}index.html`, "utf8");
  const texts = JSON.parse(await readFile(`${PAGE_DIRECTORY}texts.json`, "utf8")) as Readonly<Record<Language, Texts>>;
  const pages = new Map<string, RenderedPage>();
  for (const language of LANGUAGES)
    for (const demo of [true, false]) {
      const body = Buffer.from(fill(template, { ...texts[language], language }, demo));
      pages.set(`${language} ${demo}`, { language, body, etag: digest(body, 15) });
    }
  return (language, demo) => pages.get(`${language} ${demo}`) as RenderedPage;
}
