/** What of this package goes into a version's folder: what runs, with its own runtime and without what only builds it. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { DroverError } from "../../base/errors.ts";

export interface PackedFile {
  readonly from: string;
  /** Below the version's folder. */
  readonly to: string;
  readonly mode: number;
  readonly size: number;
}

export interface Packed {
  readonly version: string;
  readonly files: readonly PackedFile[];
  readonly bytes: number;
}

/** What is served as it lies in the source is not built. */
const OWN = [
  "bin",
  "dist",
  "src/app/page/static",
  "src/admin/dashboard",
  "config",
  "systemd",
  "docs",
  "examples",
  "package.json",
  "LICENSE",
  "README.md",
  "CHANGELOG.md",
  "sbom.cdx.json",
];
/** The compiler, its types, the bundler, and the package that brings the runtime, which is copied for itself. */
const NOT_RUN = /^(?:typescript|@esbuild\/.*|@types\/.*|undici-types|node-(?:linux|bin)-.*)$/;
/** Where the runtime stands in a version's folder: bin/drover looks there first, and the unit names it. */
export const RUNTIME = "runtime/node";

interface PackageJson {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const cant = (why: string): DroverError => new DroverError("DROVER_E_INSTALL", why);
const readPackage = (folder: string): PackageJson => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageJson;

/** Where Node.js would find a package, from a folder on upwards. */
function resolvePackage(name: string, from: string): { at: string; above: string } | undefined {
  for (let above = from; ; above = dirname(above)) {
    const at = join(above, "node_modules", name);
    if (existsSync(join(at, "package.json"))) return { at, above };
    if (above === dirname(above)) return undefined;
  }
}

/** Every package that runs, by its place below the version's folder. @throws DroverError when one is missing, or two want one place. */
function packages(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const project = basename(dirname(root)) === "node_modules" ? dirname(dirname(root)) : root;
  const visit = (folder: string): void => {
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = readPackage(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      if (NOT_RUN.test(name)) continue;
      const place = resolvePackage(name, folder);
      if (place === undefined) {
        if (name in dependencies && !(name in optionalDependencies))
          throw cant(`the package ${name} is missing beside ${folder}: npm ci --omit=dev brings it`);
        continue;
      }
      // What npm has laid beside us, in a project that we are a part of, is laid into our folder, one below the other as it was.
      const to = relative([root, project].find((above) => place.at.startsWith(`${above}/`)) ?? place.above, place.at);
      if (found.has(to) && found.get(to) !== place.at)
        throw cant(`two versions of ${name} are in use here: install drover by itself (npm install --global)`);
      if (found.has(to)) continue;
      found.set(to, place.at);
      visit(place.at);
    }
  };
  visit(root);
  return found;
}

function* filesBelow(folder: string, to: string): Generator<PackedFile> {
  for (const name of readdirSync(folder).toSorted()) {
    if (name === "node_modules" || name === ".running" || name === ".built" || name === ".bin") continue;
    const [from, place] = [join(folder, name), join(to, name)];
    const { mode, size } = statSync(from);
    if (statSync(from).isDirectory()) yield* filesBelow(from, place);
    else yield { from, to: place, size, mode: mode & 0o111 ? 0o755 : 0o644 };
  }
}

/** @param root of this package. @throws DroverError DROVER_E_INSTALL when it is not whole. */
export function pack(root: string): Packed {
  if (!existsSync(join(root, "dist/cli/main.js"))) throw cant(`${root} is not built: npm run build`);
  const own = OWN.filter((name) => existsSync(join(root, name))).flatMap((name): PackedFile[] => {
    const from = join(root, name);
    return statSync(from).isDirectory() ? [...filesBelow(from, name)] : [{ from, to: name, size: statSync(from).size, mode: 0o644 }];
  });
  const node = realpathSync(process.execPath);
  const runtime: PackedFile = { from: node, to: RUNTIME, size: statSync(node).size, mode: 0o755 };
  const files = [...own, ...[...packages(root)].flatMap(([to, from]) => [...filesBelow(from, to)]), runtime];
  const { version } = readPackage(root);
  if (version === undefined || !/^\d[\w.+-]{0,60}$/.test(version))
    throw cant(`${root}/package.json has no version that could be a folder's name`);
  return { version, files, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** SHA-256 over every name, mode and byte, but of what V8 compiled: that follows from the rest, and is another at each build. */
export function digestOf({ files }: Packed): string {
  const sum = createHash("sha256");
  for (const { from, to, mode, size } of files.filter((file) => !file.to.startsWith("dist/compiled/")))
    sum.update(`${to}\0${mode}\0${size}\0`).update(readFileSync(from));
  return sum.digest("hex");
}
