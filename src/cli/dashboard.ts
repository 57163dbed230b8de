/** `drover dashboard`: a link for a browser, or a token for a program. What is printed is a key, and is printed once. */
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { command } from "./client.ts";
import { readClientOptions } from "./options.ts";

const USAGE = "usage: drover dashboard [--token viewer|operator] [--name NAME] [--days N] [--revoke NAME]";

export async function dashboard(argv: readonly string[]): Promise<number> {
  const own = [
    { name: "token", takes: "value" },
    { name: "name", takes: "value" },
    { name: "days", takes: "value" },
    { name: "revoke", takes: "value" },
  ] as const;
  const { resolved, positional, own: given } = readClientOptions(argv, own);
  if (positional.length > 0) throw new DroverError("DROVER_E_USAGE", `${USAGE} (not ${positional.join(" ")})`);
  const days = given.get("days");
  const body = {
    ...(given.has("token") ? { token: given.get("token") } : {}),
    ...(given.has("name") ? { name: given.get("name") } : {}),
    ...(days === undefined ? {} : { days: Number(days) }),
    ...(given.has("revoke") ? { revoke: given.get("revoke") } : {}),
  };
  process.stdout.write(`${await command(resolved.settings, "dashboard", body)}\n`);
  return EXIT.done.code;
}
