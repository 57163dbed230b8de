/** Whatever is typed behind `drover`. */
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { nearest } from "../settings/nearest.ts";
import { COMMANDS, type CommandRow } from "./commands.ts";
import { help } from "./help.ts";
import { runToEnd } from "./run.ts";
import { version } from "./version.ts";

/** Other names that a command has in documents and habits. */
const ALIASES: Readonly<Record<string, string>> = { config: "check" };

function findCommand(name: string | undefined): { row: CommandRow; rest: boolean } {
  const serve = COMMANDS[0] as CommandRow;
  if (name === undefined || name.startsWith("-")) return { row: serve, rest: false };
  const row = COMMANDS.find((command) => command.name === (ALIASES[name] ?? name));
  if (row !== undefined) return { row, rest: true };
  if (/[./\\]/.test(name)) return { row: serve, rest: false }; // `drover ./app.js`
  const near = nearest(
    name,
    COMMANDS.map((command) => command.name),
  );
  throw new DroverError(
    "DROVER_E_USAGE",
    `no command "${name}"${near === undefined ? "" : ` (did you mean ${near}?)`}; drover --help lists them`,
  );
}

async function run(argv: readonly string[]): Promise<number> {
  if (argv[0] === "--version" || argv[0] === "version") {
    process.stdout.write(`drover ${version()} (Node.js ${process.versions.node})\n`);
    return EXIT.done.code;
  }
  if (argv[0] === "help" || argv[0] === "--help" || argv[0] === "-h") {
    process.stdout.write(await help(argv[1]));
    return EXIT.done.code;
  }
  const { row, rest } = findCommand(argv[0]);
  const own = rest ? argv.slice(1) : argv;
  if (own.includes("--help") || own.includes("-h")) {
    process.stdout.write(await help(row.name));
    return EXIT.done.code;
  }
  const command = await row.load();
  return await command(own);
}

await runToEnd(() => run(process.argv.slice(2)));
