// Writes sbom.cdx.json, the list of all that drover runs with, from package-lock.json: `npm pack` does it before it packs.
// CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). The same lockfile gives the same bytes: no serial number, no time.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (name) => JSON.parse(readFileSync(join(root, name), "utf8"));

/** The package's name in a lockfile's path: what stands behind the last node_modules/. */
const nameOf = (path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
/** https://github.com/package-url/purl-spec: a scope's @ is written %40. */
const purl = (name, version) => `pkg:npm/${name.replace("@", "%40")}@${version}`;

/** `sha512-BASE64` as CycloneDX writes it. */
function hashes(integrity = "") {
  const [, alg, base64] = /^sha(256|384|512)-(.+)$/.exec(integrity) ?? [];
  return alg === undefined ? [] : [{ alg: `SHA-${alg}`, content: Buffer.from(base64, "base64").toString("hex") }];
}

/** An SPDX expression, or a name that is none. */
function licenses(license) {
  if (license === undefined) return [];
  if (/ (?:OR|AND|WITH) /.test(license)) return [{ expression: license }];
  return [{ license: /^[A-Za-z0-9.+-]+$/.test(license) ? { id: license } : { name: license } }];
}

/** Where Node.js finds a dependency: from the package's own node_modules on upwards. */
function resolve(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (at === "") return undefined;
  }
}

/** @returns the document, as it is written. */
export function sbom(lock, { name, version, license }) {
  const packages = Object.fromEntries(Object.entries(lock.packages).filter(([, entry]) => entry.dev !== true));
  const refOf = (path) => (path === "" ? purl(name, version) : `${purl(nameOf(path), packages[path].version)}#${path}`);
  const paths = Object.keys(packages).sort((a, b) => (a < b ? -1 : 1));
  const components = paths
    .filter((path) => path !== "")
    .map((path) => ({
      type: "library",
      "bom-ref": refOf(path),
      name: nameOf(path),
      version: packages[path].version,
      scope: packages[path].optional === true ? "optional" : "required",
      hashes: hashes(packages[path].integrity),
      licenses: licenses(packages[path].license),
      purl: purl(nameOf(path), packages[path].version),
    }));
  const dependencies = paths.map((path) => {
    const { dependencies: needed = {}, optionalDependencies: wanted = {} } = packages[path];
    const found = Object.keys({ ...needed, ...wanted }).map((dependency) => resolve(packages, path, dependency));
    return {
      ref: refOf(path),
      dependsOn: [...new Set(found.filter((at) => at !== undefined).map(refOf))].sort((a, b) => (a < b ? -1 : 1)),
    };
  });
  const own = { type: "application", "bom-ref": refOf(""), name, version, licenses: licenses(license), purl: purl(name, version) };
  const document = { $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", bomFormat: "CycloneDX", specVersion: "1.6", version: 1 };
  return `${JSON.stringify({ ...document, metadata: { component: own }, components, dependencies }, null, 1)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, "sbom.cdx.json"), sbom(read("package-lock.json"), read("package.json")));
