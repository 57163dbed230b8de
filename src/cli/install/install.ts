/**
 * `drover install`: this version, with its own runtime, in /opt/drover, and a service of systemd's that runs it. Run with another version
 * it is the upgrade, and with an older one the way back:
 *
 *   judge everything → copy the version → check it against what runs → write the units → switch the link → restart, or go back
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../../base/exit.ts";
import { contentOf, write, type EmittedFile } from "../../tools/emit/write.ts";
import { messageOf } from "../../base/errors.ts";
import { mustStayInside, touched } from "./inside.ts";
import { parseInstall } from "./options.ts";
import { planInstall, type InstallPlan } from "./plan.ts";
import { preflight, type Before } from "./preflight.ts";
import { checkWith, namesOfUnit, orPutBack, switchTo } from "./switch.ts";
import { activeServices, isActive, must, run } from "./systemctl.ts";
import { copyVersion, CURRENT, HOME, linkAt, pointTo } from "./version.ts";

const COMMAND = "/usr/local/bin/drover";
const say = (text: string): void => void process.stdout.write(`${text}\n`);

export async function install(argv: readonly string[]): Promise<number> {
  const plan = planInstall(parseInstall(argv));
  if (plan.options.dryRun) {
    await show(plan);
    return EXIT.done.code;
  }
  const began = performance.now();
  const { root, names } = plan.options;
  mustStayInside(
    root,
    touched(names).map((path) => join(root, path)),
  );
  const before = await preflight(plan);
  if (before.version === "missing") copyVersion(plan.folder, plan.packed);
  say(
    `${before.version === "missing" ? "wrote" : "unchanged"} ${plan.folder} (${plan.packed.files.length} files, ${Math.round(plan.packed.bytes / 1_048_576)} MiB)`,
  );
  if (root === "/") live(plan, before);
  else offline(plan);
  say(`drover ${plan.packed.version} is installed, in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  if (root === "/" && !isActive(names.service)) say(next(plan));
  return EXIT.done.code;
}

/** What stands in an env file, a key and the like is shown by nobody. */
const shown = ({ path, text, mode }: EmittedFile): string =>
  `# ${path}${mode === undefined ? "" : ` (0${mode.toString(8)})`}\n${path.endsWith(".json") ? "# (the key)\n" : text}`;

async function show(plan: InstallPlan): Promise<void> {
  const { packed, folder, units, theirs, options } = plan;
  const link = (path: string, to: string): string => `# ${join(options.root, path)} -> ${to}\n`;
  const files = packed.files.map(({ to, size, mode }) => `#   ${mode.toString(8)} ${String(size).padStart(10)} ${to}\n`).join("");
  const all = [
    `# ${folder}: ${packed.files.length} files, ${packed.bytes} bytes\n${files}`,
    link(CURRENT, packed.version),
    link(COMMAND, `${CURRENT}/bin/drover`),
    ...[...units, ...theirs].map(shown),
  ];
  process.stdout.write(all.join("\n"));
  try {
    await preflight(plan);
  } catch (e) {
    process.stderr.write(`drover: without --dry-run it would be refused: ${messageOf(e)}\n`);
  }
}

/** A file that says what it should is left alone. @returns what was replaced. */
function writeFiles(files: readonly EmittedFile[]): { path: string; text: string | undefined }[] {
  return files.flatMap((file) => {
    const text = contentOf(file.path);
    if (text !== file.text) write(file);
    say(`${text === file.text ? "unchanged" : "wrote"} ${file.path}`);
    return text === file.text ? [] : [{ path: file.path, text }];
  });
}

function linkCommand(root: string): void {
  const path = join(root, COMMAND);
  const target = `${CURRENT}/bin/drover`;
  try {
    if (linkAt(path) === undefined) pointTo(path, target);
  } catch {
    // npm's, or the operator's own: it stays, and serves as well
  }
}

/** Into an image: systemd makes the user and the folders at its first boot, when this machine can't. */
function offline({ options: { root, names }, packed, units, theirs }: InstallPlan): void {
  writeFiles([...theirs, ...units]);
  pointTo(join(root, CURRENT), packed.version);
  linkCommand(root);
  if (process.geteuid?.() !== 0) return;
  const made =
    run("systemd-sysusers", `--root=${root}`).ok && run("systemd-tmpfiles", `--root=${root}`, "--create", `${names.file}.conf`).ok;
  if (!made) say("the user and the folders are made when the image boots (systemd-sysusers, systemd-tmpfiles)");
}

function live(plan: InstallPlan, before: Before): void {
  const { options, packed, folder, units, theirs } = plan;
  const { names } = options;
  const switches = before.current !== packed.version;
  const services = switches ? activeServices() : [];
  for (const service of services) checkWith(folder, namesOfUnit(service));
  writeFiles(theirs);
  const replaced = writeFiles(units);
  orPutBack(replaced, () => {
    must("systemd-sysusers", `${names.file}.conf`);
    must("systemd-tmpfiles", "--create", `${names.file}.conf`);
  });
  linkCommand("/");
  if (switches) switchTo({ to: packed.version, from: before.current, replaced, services });
  else if (replaced.length > 0) must("systemctl", "daemon-reload");
  for (const service of services)
    say(`restarted ${service}: ${packed.version} serves${before.current === undefined ? "" : `, ${before.current} did before`}`);
  if (replaced.some(({ path, text }) => text !== undefined && path.endsWith(".socket")) && isActive(names.socket))
    say(`the address has changed: systemctl stop ${names.socket} ${names.service} && systemctl start ${names.service}`);
}

/** Whether an env file says where the rows are. */
const isSet = (text: string): boolean => /^(?:DROVER_SPREADSHEET_ID=.|DROVER_DEMO=on|DROVER_APP=.)/m.test(text);

function next({ options: { names } }: InstallPlan): string {
  const text = readFileSync(names.envFile, "utf8");
  const steps = [
    ...(isSet(text) ? [] : [`  nano ${names.envFile}   # DROVER_SPREADSHEET_ID, or DROVER_DEMO=on for sample data`]),
    ...(existsSync(names.keyFile) || /^DROVER_DEMO=on$/m.test(text)
      ? []
      : [`  install -m 600 KEY.json ${names.keyFile}   # your service account's key`]),
    `  systemctl enable --now ${names.service}`,
  ];
  return `Next:\n${steps.join("\n")}\nOther versions are in ${HOME}; to go back to one: ${HOME}/VERSION/bin/drover install`;
}
