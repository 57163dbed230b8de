/** What the daemon says is said in French too. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { said, type Figure, type Said } from "../../src/admin/said.ts";

const FOLDER = new URL("../../src/admin/", import.meta.url).pathname;
const { FRENCH, inFrench } = (await import(join(FOLDER, "dashboard/french.js"))) as {
  readonly FRENCH: Readonly<Record<string, string>>;
  inFrench(said: unknown, number?: (n: number) => string): string | undefined;
};

/** The forms of all tagged templates in a source text. */
function formsIn(source: string): string[] {
  const forms: string[] = [];
  for (const { index } of source.matchAll(/(?<![\w.])said`/g)) {
    let form = "";
    let figures = 0;
    for (let at = index + 5; source[at] !== "`"; at += 1) {
      if (source[at] === "\\") form += source[(at += 1)];
      else if (source.startsWith("${", at)) {
        at += 1;
        for (let depth = 1; depth > 0;) {
          at += 1;
          depth += source[at] === "{" ? 1 : source[at] === "}" ? -1 : 0;
        }
        form += `{${figures++}}`;
      } else form += source[at];
    }
    forms.push(form);
  }
  return forms;
}

const forms = new Set(
  ["alerts", "advice", "slots"].flatMap((folder) =>
    readdirSync(join(FOLDER, folder)).flatMap((name) => formsIn(readFileSync(join(FOLDER, folder, name), "utf8"))),
  ),
);

test("every sentence of alerts, advice and the launch schedule has its French, with the same figures; and none is there for nothing", () => {
  assert.ok(forms.size > 55, `${forms.size} forms were found`);
  assert.deepEqual(
    [...forms].filter((form) => !(form in FRENCH)),
    [],
  );
  assert.deepEqual(
    Object.keys(FRENCH).filter((form) => form !== "" && !forms.has(form)),
    [],
  );
  const figures = (text: string): string[] => (text.match(/\{\d\}/g) ?? []).toSorted();
  for (const [form, french] of Object.entries(FRENCH)) assert.deepEqual(figures(french), figures(form), form);
  for (const { form, with: inner } of [said`a ${1} \`b\` ${"c"}`]) assert.deepEqual([form, inner], ["a {0} `b` {1}", [1, "c"]]);
  assert.deepEqual(formsIn("said`a ${x({ y: `${z}` })} \\`b\\` ${c}`"), ["a {0} `b` {1}"]);
});

const wire = ({ form, with: figures }: Said): unknown[] => [
  form,
  ...figures.map((one: Figure) => (typeof one === "object" ? wire(one) : one)),
];

test("a sentence of parts is said whole, or in English", () => {
  const sentence = said`${3} tables at ${said`TTL ${"5 s"}`} need up to ${"36"} calls/min of ${51}${said``}`;
  assert.equal(sentence.text, "3 tables at TTL 5 s need up to 36 calls/min of 51");
  assert.equal(inFrench(wire(sentence)), "3 tables avec un TTL de 5 s demandent jusqu’à 36 appels/min sur 51");
  assert.equal(
    inFrench(wire(said`the CPU is at ${93.5} %`), (n) => String(n).replace(".", ",")),
    "le processeur est à 93,5 %",
  );
  assert.equal(inFrench(wire(said`Google does not answer: ${"{0} <b>"}`)), "Google ne répond pas : {0} <b>");
  assert.equal(inFrench(wire(said`the CPU is at ${said`nobody knows ${1}`} %`)), undefined);
  assert.equal(inFrench(["toString", 1]), undefined);
});
