import "./first.ts";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { readableStack } from "../base/sources.ts";
import { nearest } from "../settings/nearest.ts";
import { COMMANDS, type CommandRow } from "./commands.ts";
import { printed } from "./ending.ts";
import { help } from "./help.ts";
import { version } from "./version.ts";

function findCommand(name: string | undefined): { row: CommandRow; rest: boolean } {
  const serve = COMMANDS[0] as CommandRow;
  if (name === undefined || name.startsWith("-")) return { row: serve, rest: false };
  const row = COMMANDS.find((command) => command.name === name);
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

/** Runs a command line. @returns the exit code; errors are printed as one line on stderr. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === "--version" || argv[0] === "version") {
      process.stdout.write(`drover ${version()} (Node.js ${process.versions.node})\n`);
      return EXIT.done.code;
    }
    if (argv[0] === "help" || argv[0] === "--help" || argv[0] === "-h") {
      process.stdout.write(help(argv[1]));
      return EXIT.done.code;
    }
    const { row, rest } = findCommand(argv[0]);
    const own = rest ? argv.slice(1) : argv;
    if (own.includes("--help") || own.includes("-h")) {
      process.stdout.write(help(row.name));
      return EXIT.done.code;
    }
    return await (
      await row.load()
    )(own);
  } catch (error) {
    if (error instanceof DroverError) {
      process.stderr.write(`drover: ${error.message}\n`);
      return error.exit;
    }
    process.stderr.write(
      `drover: ${messageOf(error)} (a fault of drover: please report it)\n${error instanceof Error ? `${readableStack(error.stack ?? "")}\n` : ""}`,
    );
    return EXIT.bug.code;
  }
}

// Whoever read our words has gone (`npm start | head`, a closed terminal): that ends neither a daemon nor a command.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const code = await main(process.argv.slice(2));
await printed();
// Nothing else may keep what is done from ending: a pipe that a worker's own child still holds, a half-open connection.
process.exit(code);
