// Joins the modules of src, and what they use of node_modules, into few: `node bin/bundle.mjs OUT`. A start reads 10 files instead of 500 (ADR 25).
// Each process has parts of its own: what it needs at the start stands in one, and a module exists once in it whatever leads to it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = process.argv[2];
if (out === undefined) {
  process.stderr.write("usage: node bin/bundle.mjs OUT\n");
  process.exit(64);
}

/** What a process, a thread or an application begins with: the program, what `import "drover"` gives, and each `ownModule("…")` of src. */
function entries() {
  const sources = readdirSync(join(root, "src"), { recursive: true }).filter((name) => name.endsWith(".ts"));
  const named = sources.flatMap((name) => [...readFileSync(join(root, "src", name), "utf8").matchAll(/\bownModule\("([^"]+)"\)/g)]);
  return new Set(["cli/main", "index", ...named.map(([, name]) => name)].filter((name) => sources.includes(join(`${name}.ts`))));
}
/**
 * What is joined together, because it may come to be in one process: a user's module that a worker or the hooks load may import "drover".
 * A thread knows nothing of the modules of its process.
 */
function groups() {
  const together = new Set(["index", "cli/worker-child", "cli/hooks-child"]);
  const all = [...entries()];
  return [all.filter((name) => together.has(name)), ...all.filter((name) => !together.has(name)).map((name) => [name])];
}

/**
 * They are loaded when something asks for them. The first two look for files of their own beside themselves; few need the third, and the others are
 * Fastify's compilers for schemas, which an application may want and the built-in service does not.
 */
const APART = ["piscina", "systeminformation", "@redis/client", "@fastify/ajv-compiler", "@fastify/fast-json-stringify-compiler"];

/** Of Node's own modules, what Fastify loads and the built-in service does not use. */
const LATER = ["http2", "https"];

/** CommonJS packages ask for Node's own modules by `require`, which an ES module lacks. On the first line, so that all others keep their numbers. */
const REQUIRE = 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url); ';
const ASKS = /\bvar __require ?=/;

/** Of esbuild only the program is installed, by the package of its platform: its own package would run a script at every installation. */
const program = join(root, `node_modules/@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
if (!existsSync(program)) {
  process.stderr.write(
    `there is no ${program}: drover is built on Linux (x64, arm64) and macOS (arm64), with optional dependencies installed\n`,
  );
  process.exit(69);
}
/** @returns the modules that were joined. */
async function joinModules(names, nr) {
  const meta = join(out, `meta.${nr}.json`);
  const args = [
    ...names.map((name) => `${name}=src/${name}.ts`),
    ...APART.map((name) => `--external:${name}`),
    ...(names.includes("cli/service-child") ? LATER.map((name) => `--alias:node:${name}=./bin/later/${name}.cjs`) : []),
    `--outdir=${out}`,
    `--metafile=${meta}`,
    "--bundle",
    "--splitting",
    "--chunk-names=parts/[name]-[hash]",
    "--format=esm",
    "--platform=node",
    "--target=node26",
    "--supported:regexp-set-notation=true", // /v; unknown to it, it would be made at the start by `new RegExp`
    // Less text to read and to keep; declarations keep their names. Lines stay short, because Node.js shows the whole one that threw.
    "--minify-whitespace",
    "--minify-syntax",
    "--line-limit=160",
    "--sourcemap",
    "--sources-content=false",
    "--legal-comments=none", // in LICENSES.txt
    "--log-level=warning",
  ];
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  const [status] = await once(child, "exit");
  if (status !== 0) throw new Error(`esbuild ended with ${status} for ${names.join(", ")}`);
  const { inputs, outputs } = JSON.parse(readFileSync(meta, "utf8"));
  rmSync(meta);
  return { inputs: Object.keys(inputs), outputs: Object.keys(outputs) };
}

/** Two at a time: a small server builds too. */
const AT_ONCE = 2;
const left = groups().entries();
const joined = [];
async function lane() {
  for (const [nr, names] of left) joined.push(await joinModules(names, nr));
}
try {
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
} catch (error) {
  process.stderr.write(`${program}: ${error.message}\n`);
  process.exit(1);
}
for (const path of new Set(joined.flatMap(({ outputs }) => outputs).filter((name) => name.endsWith(".js")))) {
  const text = readFileSync(join(root, path), "utf8");
  if (ASKS.test(text)) writeFileSync(join(root, path), REQUIRE + text);
}
writeFileSync(join(out, "LICENSES.txt"), licences(joined.flatMap(({ inputs }) => inputs)));

/** Every package that is in there, with its licence as it came. */
function licences(inputs) {
  const packages = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]).filter(Boolean));
  const parts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? `Licence: ${license}` : readFileSync(join(root, folder, file), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return `What stands in the .js files here besides drover itself:\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
