/** Who may log in, as this worker knows it. */
import type { TableView, Tables } from "../../sheets/client.ts";
import { foldName, readScrypt, type Scrypt } from "../../sheets/secrets.ts";
import type { Snapshot } from "../../sheets/snapshot.ts";
import type { Priority } from "../../sheets/types.ts";
import { ACCOUNTS } from "../../sheets/users.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";

export interface Account {
  readonly user: string;
  /** undefined: no secret was given to this name, nobody can log in by it. */
  readonly verifier: string | undefined;
  readonly role: string | undefined;
}

export type ScryptCost = Pick<Scrypt, "ln" | "r" | "p">;

/** All accounts of one state of the sheet. */
export interface Directory {
  readonly byName: ReadonlyMap<string, Account>;
  /** How many of them have a password, from 0 to 1. */
  readonly passwords: number;
  /** What verifying costs, for each of those. */
  readonly costs: readonly ScryptCost[];
}

const directories = new WeakMap<Snapshot, Directory>();

function directoryOf({ snapshot }: TableView): Directory {
  const known = directories.get(snapshot);
  if (known !== undefined) return known;
  const [names, verifiers, roles] = ["name", "verifier", "role"].map((column) => snapshot.columnValues(column) ?? []);
  const accounts = (names ?? []).map((user, i): Account => {
    const [verifier, role] = [verifiers?.[i] ?? undefined, roles?.[i] ?? undefined];
    return { user: String(user), verifier: verifier?.toString(), role: role?.toString() };
  });
  const secrets = accounts.flatMap(({ verifier }) => verifier ?? []);
  const costs = secrets.flatMap((verifier) => readScrypt(verifier) ?? []).map(({ ln, r, p }) => ({ ln, r, p }));
  const passwords = secrets.filter((verifier) => verifier.startsWith("$scrypt$")).length / Math.max(1, secrets.length);
  const made = { byName: new Map(accounts.map((account) => [foldName(account.user), account])), passwords, costs };
  directories.set(snapshot, made);
  return made;
}

export class Accounts {
  readonly #tables: Tables;
  readonly #clock: Clock;
  readonly #log: Logger;
  #asking = false;

  constructor(tables: Tables, clock: Clock, log: Logger) {
    this.#tables = tables;
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws UnavailableError: `unknown` when the tables file names no users. */
  async load(signal: AbortSignal, priority?: Priority): Promise<Directory> {
    return directoryOf(await this.#tables.table(ACCOUNTS, signal, priority));
  }

  /** What is known without waiting; asks for what is old or not there. */
  known(): Directory | undefined {
    const view = this.#tables.peek(ACCOUNTS);
    if (view === undefined) {
      this.#ask();
      return undefined;
    }
    if (this.#clock.now() >= view.source.freshUntil) view.source.expired();
    return directoryOf(view);
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#tables
      .table(ACCOUNTS)
      .catch((e: unknown) => this.#log.debug({ err: e }, "the users can't be read yet"))
      .finally(() => (this.#asking = false));
  }
}
