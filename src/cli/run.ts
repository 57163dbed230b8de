import { knownError } from "../base/storage.ts";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { readableStack } from "../base/sources.ts";
import { isHurried, printed } from "./ending.ts";

/** Runs a command and ends the process with its exit code; an error is printed as one line on stderr. */
export async function runToEnd(command: () => Promise<number>): Promise<never> {
  // Whoever read our words has gone (`npm start | head`, a closed terminal): that ends neither a daemon nor a command.
  process.stderr.on("error", () => {});
  let lost: Error | undefined;
  process.stdout.on("error", (error) => (lost = errnoOf(error) === "EPIPE" ? lost : error));
  let code = await command().catch(told);
  await printed();
  await new Promise(setImmediate); // a file that takes no more says so in a turn of its own
  if (lost !== undefined) {
    process.stderr.write(`drover: not all could be printed: ${messageOf(lost)}\n`);
    if (code === EXIT.done.code && !isHurried()) code = EXIT.temporary.code; // a daemon that was stopped has done its work
  }
  // Nothing else may keep what is done from ending: a pipe that a worker's own child still holds, a half-open connection.
  process.exit(code);
}

/** @returns the exit code of an error, when it has been told. */
function told(error: unknown): number {
  const known = knownError(error);
  if (known.code !== "DROVER_E_BUG" || error instanceof DroverError) {
    process.stderr.write(`drover: ${known.message}\n`);
    return known.exit;
  }
  process.stderr.write(
    `drover: ${messageOf(error)} (a fault of drover: please report it)\n${error instanceof Error ? `${readableStack(error.stack ?? "")}\n` : ""}`,
  );
  return EXIT.bug.code;
}
