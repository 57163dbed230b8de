import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import test from "node:test";

/** Who may import whom. A folder may always import itself; a longer path wins over a shorter one. "" means anyone. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "index.ts": [""],
  cli: [""],
  base: [],
  settings: ["base/"],
  "master/core": ["base/"],
  "master/snapshot.ts": ["base/", "master/core/"],
  "master/shell": ["base/", "settings/", "master/core/", "master/snapshot.ts"],
  worker: ["base/", "settings/"],
  sheets: ["base/", "settings/"],
  api: ["base/", "sheets/"],
  broker: ["base/", "settings/", "sheets/"],
  app: ["base/", "settings/", "worker/app.ts", "sheets/"],
  admin: ["base/", "settings/", "master/snapshot.ts"],
  "tools/emulator": ["base/", "settings/"],
  plan: ["base/", "settings/"],
  load: ["base/", "settings/", "plan/run.ts"],
  "tools/http.ts": ["base/"],
  "tools/checklist": ["base/", "settings/", "admin/", "cli/", "tools/http.ts"],
};

/** Packages that only these folders may load: a worker has no Google client, the broker no web framework, the core nothing. */
const ONLY_IN: Record<string, readonly string[]> = {
  "@googleapis/sheets": ["broker"],
  "google-auth-library": ["broker"],
  gaxios: ["broker"],
  fastify: ["app", "worker", "index.ts", "cli/service-child.ts", "cli/worker-child.ts"],
  systeminformation: ["master/shell"],
  "node:cluster": ["master/shell", "worker/further-servers.ts"],
  piscina: ["worker"],
};

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ path: file, text: readFileSync(`src/${file}`, "utf8") }));

const homeOf = (path: string): string | undefined =>
  Object.keys(MAY_IMPORT)
    .filter((folder) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];

const imports = (text: string): string[] => [...text.matchAll(/(?:from\s+|import\s*\(?\s*)"([^"]+)"/g)].map((match) => match[1] ?? "");

/** `import type` loads nothing when the program runs. */
const withoutTypes = (text: string): string => text.replaceAll(/^import type [^;]*;/gm, "");

test("dependencies point one way", () => {
  assert.ok(files.length > 50, "the source was found");
  for (const { path, text } of files) {
    const home = homeOf(path);
    assert.ok(home, `${path} is in no known folder`);
    for (const target of imports(text).filter((name) => name.startsWith("."))) {
      const to = normalize(join(dirname(path), target));
      const allowed = [`${home}/`, ...(MAY_IMPORT[home] ?? [])].some((ok) => to === ok || to.startsWith(ok));
      assert.ok(allowed, `${path} must not import ${to}`);
    }
  }
});

test("the supervisor's core knows no operating system", () => {
  for (const { path, text } of files.filter((file) => file.path.startsWith("master/core/"))) {
    const foreign = imports(text).filter((name) => !name.startsWith("."));
    assert.deepEqual(foreign, [], `${path} imports ${foreign.join(", ")}`);
    assert.doesNotMatch(text, /Date\.now|Math\.random|performance\.|process\.|setTimeout/, `${path} reads the world`);
  }
});

test("heavy packages are loaded where they are used and nowhere else", () => {
  for (const { path, text } of files) {
    for (const name of imports(withoutTypes(text))) {
      const only = ONLY_IN[name];
      if (only === undefined) continue;
      assert.ok(
        only.some((place) => path === place || path.startsWith(`${place}/`)),
        `${path} must not import ${name}: only ${only.join(", ")} may`,
      );
    }
  }
});

test("node:https and node:tls are had from base/http.ts, when they are used: to load them costs each process 18 ms", () => {
  for (const { path, text } of files.filter((file) => file.path !== "base/http.ts"))
    assert.doesNotMatch(text, /^import (?!type )[^;]*"node:(?:https|tls)";|getBuiltinModule\("node:(?:https|tls)"\)/m, path);
});

test("node:http is had from base/http.ts: to import it costs each process 16 MB", () => {
  for (const { path, text } of files) assert.doesNotMatch(text, /^import (?!type )[^;]*"node:http";/m, `${path} imports node:http`);
});

test("only base/place.ts asks where it stands: in what is built a module has no place of its own", () => {
  const others = files.filter(({ path }) => !["base/place.ts", "settings/write-reference.ts"].includes(path));
  for (const { path, text } of others) assert.doesNotMatch(text, /import\.meta/, `${path} uses import.meta`);
});

test("CommonJS that is loaded late is had by its default export: a bundler finds no other", () => {
  for (const { path, text } of files)
    for (const name of ["fastify", "@googleapis/sheets", "google-auth-library"])
      assert.doesNotMatch(text, new RegExp(`\\{ (?!default)\\w[^}]*\\} = await import\\("${name}"\\)`), `${path} takes ${name} apart`);
});

test("no default export but where a contract asks for one, no enum, no barrel", () => {
  for (const { path, text } of files) {
    if (!["app/index.ts", "app/query/thread.ts"].includes(path))
      assert.doesNotMatch(text, /^export default/m, `${path} has a default export`);
    assert.doesNotMatch(text, /^(export )?(const )?enum /m, `${path} has an enum`);
    assert.doesNotMatch(text, /^export \* from/m, `${path} is a barrel`);
  }
});

/** Rules of docs/contributing/tests.md that can be read from the text: what a file must not contain. */
const TEST_RULES: Readonly<Record<string, { readonly of: RegExp; readonly not: RegExp }>> = {
  "no verdict from a clock": {
    of: /\.(?:test|unit)\.ts$/,
    not: /performance\.now\(|process\.hrtime|cpuUsage\(|resourceUsage\(|memoryUsage\(|VmRSS/,
  },
  "wait for states": {
    of: /\.(?:test|unit)\.ts$/,
    not: /from "node:timers\/promises"|new Promise(?:<\w+>)?\(\(\w+\) => setTimeout\(|Math\.random\(/,
  },
  "product timeouts are slow(…)": { of: /^process\/.*\.test\.ts$/, not: /DROVER_TIMEOUT: "\d+m?s"/ },
  "unit tests share a process": {
    of: /\.unit\.ts$/,
    not: /from "node:(?:net|tls|https?|http2|dgram|cluster|child_process|worker_threads|timers)|process\.(?:exit|chdir|umask|on)\(|process\.env\S* =[^=]/,
  },
  "folders are removed after processes": { of: /^process\/.*\.ts$/, not: /t\.after\(\(\) => rmSync\(/ },
  "one freePort": { of: /^(?!support\/ports\.ts)/, not: /function freePort\(/ },
};

test("tests follow the rules of docs/contributing/tests.md, but for the files that test/exceptions.json lists", () => {
  const excepted = JSON.parse(readFileSync("test/exceptions.json", "utf8")) as Record<string, string[]>;
  const tests = readdirSync("test", { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.includes("/apps/"),
  );
  for (const [rule, { of, not }] of Object.entries(TEST_RULES)) {
    const broken = tests.filter(
      (file) => of.test(file) && file !== "architecture.test.ts" && not.test(readFileSync(`test/${file}`, "utf8")),
    );
    const listed = excepted[rule] ?? [];
    assert.deepEqual(
      broken.filter((file) => !listed.includes(file)),
      [],
      `"${rule}" (docs/contributing/tests.md): these files break it`,
    );
    assert.deepEqual(
      listed.filter((file) => !broken.includes(file)),
      [],
      `"${rule}": these files no longer break it and must leave test/exceptions.json`,
    );
  }
});
