/** `drover writes`: what Google has refused for good; tried again, or given up. */
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { Settings } from "../settings/table.ts";
import { ask } from "./client.ts";
import { readClientOptions } from "./options.ts";
import { jsonText, printableJson, printableLines } from "./terminal/printable.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const USAGE = "usage: drover writes [list [--json] | retry ID … | retry --all | discard ID … | discard --all]";

interface Listed {
  readonly count: number;
  readonly writes: readonly {
    readonly id: string;
    readonly table: string;
    readonly op: string;
    readonly key: string;
    readonly reason: string;
    readonly at: string;
    readonly parked_at: string;
  }[];
}

export async function writes(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readClientOptions(argv, [{ name: "all" }, { name: "json" }]);
  const [verb = "list", ...ids] = positional;
  const { settings } = resolved;
  const [all, json] = [own.has("all"), own.has("json")];
  if (verb === "list" && ids.length === 0 && !all) {
    const found = await posted<Listed>(settings, "GET", "");
    say(json ? jsonText(printableJson(found, []), 2) : listText(printableJson(found, [])));
    return EXIT.done.code;
  }
  if ((verb !== "retry" && verb !== "discard") || all === ids.length > 0 || json)
    throw new DroverError("DROVER_E_USAGE", `${USAGE} (not ${argv.join(" ") || "nothing"})`);
  const dealt = await posted<{ readonly message: string; readonly partly?: boolean }>(
    settings,
    "POST",
    `/${verb}`,
    all ? { all } : { ids },
  );
  say(printableLines(dealt.message));
  return dealt.partly === true && !all ? EXIT.rolledBack.code : EXIT.done.code;
}

/** @throws DroverError with the administration's own words when it refuses. */
async function posted<T>(settings: Settings, method: "GET" | "POST", path: string, body?: object): Promise<T> {
  const { status, body: answer } = await ask(settings, method, `/api/admin/writes${path}`, body === undefined ? {} : { body });
  if (status === 200) return answer as T;
  const { detail } = (answer ?? {}) as { readonly detail?: unknown };
  const why = typeof detail === "string" ? printableLines(detail) : `it answers ${status}`;
  if (status === 503) throw new DroverError("DROVER_E_BUSY", `the writes can't be dealt with now: ${why}`);
  throw new DroverError("DROVER_E_USAGE", `writes refused: ${why}`);
}

function listText({ count, writes: found }: Listed): string {
  if (count === 0) return "no write is set aside";
  const lines = found.flatMap(({ id, table, op, key, reason, parked_at: at }) => [`${id}  ${at}  ${op} ${key} in ${table}`, `  ${reason}`]);
  const more = count > found.length ? [`and ${count - found.length} more`] : [];
  return [`${count} write${count === 1 ? "" : "s"} set aside`, "", ...lines, ...more].join("\n");
}
