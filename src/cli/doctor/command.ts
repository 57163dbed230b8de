/** `drover doctor SUBJECT`: examines what drover relies on and can't see for itself. */
import { DroverError } from "../../base/errors.ts";
import { nearest } from "../../settings/nearest.ts";
import type { Command } from "../commands.ts";

const SUBJECTS: Readonly<Record<string, () => Promise<Command>>> = {
  deployment: async () => (await import("./deployment/command.ts")).deployment,
  sheets: async () => (await import("./sheets/command.ts")).sheets,
};

export async function doctor(argv: readonly string[]): Promise<number> {
  const [subject = "", ...rest] = argv;
  const load = Object.hasOwn(SUBJECTS, subject) ? SUBJECTS[subject] : undefined;
  if (load !== undefined) return (await load())(rest);
  const names = Object.keys(SUBJECTS);
  const near = subject === "" ? undefined : nearest(subject, names);
  const said = subject === "" ? "drover doctor needs a subject" : `drover doctor has no subject "${subject}"`;
  throw new DroverError("DROVER_E_USAGE", `${said}${near === undefined ? "" : ` (did you mean ${near}?)`}: expected ${names.join(", ")}`);
}
