// Brings this folder to a state that can run: `node bin/setup.mjs start|test|build`.
// Installs only when what is installed does not match the lockfile, builds only when sources changed, and does neither under
// a daemon that runs from here. Runs on any Node.js from 18 on: the pinned one may not be there yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const mode = process.argv[2] ?? "start";
const say = (text) => process.stderr.write(`drover: ${text}\n`) || true;

function fail(code, text) {
  say(text);
  process.exit(code);
}

const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);

/** Packages that the lockfile names for this platform and this use, and that are missing or of another version. */
function missingPackages(withDev) {
  const wanted = readJson(at("package-lock.json"))?.packages ?? fail(78, "package-lock.json is missing: this is no whole clone");
  const installed = readJson(at("node_modules/.package-lock.json"))?.packages ?? {};
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== "" && (withDev || !(entry.dev || entry.devOptional)) && suits(entry))
    .filter(
      ([path, entry]) =>
        installed[path]?.version !== entry.version || installed[path]?.integrity !== entry.integrity || !existsSync(at(path)),
    )
    .map(([path]) => path);
}

function listed(list, value) {
  if (list === undefined) return true;
  const words = [list].flat();
  return !words.includes(`!${value}`) && (words.includes(value) || words.every((word) => word.startsWith("!")));
}
/** An optional package for another system, or another C library, is not missing here. */
function suits(entry) {
  const musl = process.platform === "linux" && existsSync("/etc/alpine-release");
  return (
    listed(entry.os, process.platform) &&
    listed(entry.cpu, process.arch) &&
    (entry.libc === undefined || listed(entry.libc, musl ? "musl" : "glibc"))
  );
}

/** Every file the build reads, by path, size and time. */
function sourcesDigest() {
  const hash = createHash("sha256");
  const walk = (folder) => {
    for (const entry of readdirSync(at(folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (/\.(ts|json)$/.test(entry.name)) hash.update(`${path} ${statSync(at(path)).size} ${statSync(at(path)).mtimeMs}\n`);
    }
  };
  walk("src");
  for (const file of [
    "tsconfig.json",
    "package-lock.json",
    "bin/bundle.mjs",
    "bin/later/http2.cjs",
    "bin/later/https.cjs",
    "bin/rehearse.mjs",
  ])
    hash.update(readFileSync(at(file)));
  return hash.digest("hex");
}

/** Daemons that run from this folder note themselves in dist/.running as `pid starttime`. */
function runningDaemon() {
  const folder = at("dist/.running");
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder).find((pid) => alive(Number(pid), readFileSync(join(folder, pid), "utf8").trim()));
}

/**
 * One setup at a time in this folder: a second would delete what the first installs and builds. It waits, and then finds
 * everything done. A lock whose owner has gone (pid and start time) is taken over.
 */
function alone(work) {
  const lock = at(".setup");
  const own = `${process.pid} ${startTimeOf(process.pid)}`;
  for (let said = false; !acquired(lock, own); sleep(100)) {
    const owner = ownerOf(lock);
    if (owner === undefined) continue; // it has just finished
    const [pid, startTime] = owner.split(" ");
    if (!alive(Number(pid), startTime)) takeAway(lock, owner);
    else if (!said) said = say(`another setup runs in this folder (pid ${pid}): waiting for it`);
  }
  process.once("exit", () => rmSync(lock, { recursive: true, force: true }));
  work();
}

/** The lock is a folder that appears with its owner's name in it, or not at all: rename(2) replaces no folder that holds something. */
function acquired(lock, own) {
  const mine = `${lock}.${process.pid}`;
  try {
    mkdirSync(mine, { recursive: true });
    writeFileSync(join(mine, "owner"), own);
    renameSync(mine, lock);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (["EEXIST", "ENOTEMPTY"].includes(error.code)) return false;
    return fail(75, `this folder can't be set up: ${error.message}`);
  }
}

function ownerOf(lock) {
  try {
    return readFileSync(join(lock, "owner"), "utf8");
  } catch {
    return undefined;
  }
}

/** Two may find the same dead owner: who comes second would take the first one's fresh lock, and gives it back. */
function takeAway(lock, owner) {
  const taken = `${lock}.${process.pid}`;
  try {
    renameSync(lock, taken);
    if (ownerOf(taken) !== owner) renameSync(taken, lock);
  } catch (error) {
    if (!["ENOENT", "EEXIST", "ENOTEMPTY"].includes(error.code)) throw error;
  }
  rmSync(taken, { recursive: true, force: true });
}

const sleep = (millis) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis);

/** Clock ticks after boot at which it started: with the pid, its identity. Without /proc the pid alone must do. */
function startTimeOf(pid) {
  if (!existsSync("/proc/self/stat")) return "0";
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function alive(pid, startTime) {
  try {
    return existsSync("/proc/self/stat") ? startTimeOf(pid) === startTime : process.kill(pid, 0);
  } catch {
    return false;
  }
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (result.error) fail(70, `${command} could not be started: ${result.error.message}`);
  if (result.signal) process.kill(process.pid, result.signal);
  return result.status ?? 70;
}

function install(withDev) {
  const missing = missingPackages(withDev);
  if (missing.length === 0) return;
  const shown = missing.length > 3 ? `${missing.length} packages` : missing.join(", ");
  refuseUnderDaemon(`install ${shown}`);
  const size = missing.some((path) => /node_modules\/node-(linux|bin)-/.test(path))
    ? ", its own Node.js among them: about 260 MB, once"
    : "";
  say(`installing ${shown} (npm ci${withDev ? "" : " --omit=dev"})${size}`);
  const flags = [
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    ...(withDev ? ["--include=dev"] : ["--omit=dev"]),
  ];
  const status = run("npm", flags, { env: { ...process.env, npm_config_update_notifier: "false" } });
  if (status !== 0) fail(75, "npm ci failed (see above): is the registry reachable? Nothing was started");
  const still = missingPackages(withDev).filter((path) => !readJson(at("package-lock.json")).packages[path].optional);
  if (still.length > 0) fail(75, `npm ci left out ${still.join(", ")}: remove node_modules and try again`);
}

const isBuilt = (digest) => existsSync(at("dist/.built")) && readFileSync(at("dist/.built"), "utf8") === digest;

function build() {
  const digest = sourcesDigest();
  if (isBuilt(digest)) return;
  refuseUnderDaemon("build");
  const started = Date.now();
  const fresh = at("dist.new");
  rmSync(fresh, { recursive: true, force: true });
  const node = existsSync(at("node_modules/.bin/node")) ? at("node_modules/.bin/node") : process.execPath;
  // The compiler judges and writes the types that applications import; what runs is the bundle.
  for (const step of [
    [at("node_modules/typescript/bin/tsc"), "-p", at("src/tsconfig.json"), "--outDir", fresh],
    [at("bin/bundle.mjs"), fresh],
  ])
    if (run(node, step) !== 0) fail(70, "the build failed (see above)");
  mkdirSync(join(fresh, ".running"), { recursive: true });
  rmSync(at("dist"), { recursive: true, force: true });
  renameSync(fresh, at("dist"));
  run(node, [at("bin/rehearse.mjs"), at("dist")]);
  writeFileSync(at("dist/.built"), digest);
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function refuseUnderDaemon(what) {
  const pid = runningDaemon();
  if (pid !== undefined)
    fail(
      75,
      `a daemon (pid ${pid}) runs from this folder: it would be wrong to ${what} under it. Stop it first (bin/drover stop), or use another folder`,
    );
}

if (!["start", "test", "build"].includes(mode)) fail(64, `usage: node bin/setup.mjs start|test|build, not ${mode}`);
const wantsPackages = mode !== "build";
const nothingToDo = !(wantsPackages && missingPackages(mode === "test").length > 0) && isBuilt(sourcesDigest());
if (!nothingToDo)
  alone(() => {
    if (wantsPackages) install(mode === "test");
    build();
  });
