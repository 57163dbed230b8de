import type { Role } from "../base/protocol.ts";
import { SETTINGS } from "../settings/table.ts";
import { variableOf, type AnySetting } from "../settings/setting.ts";
import { mebibytes, type Bytes } from "../base/units.ts";

/** What is meant for the master alone, or names a secret's place: no child inherits it. */
const MASTERS_OWN = [
  "NOTIFY_SOCKET",
  "LISTEN_PID",
  "LISTEN_PIDFDID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "CREDENTIALS_DIRECTORY",
];

/**
 * glibc keeps an arena for every thread, and free memory at its end: N processes of our own weigh a MB or two more each for it (mallopt(3),
 * ADR 22). Whoever sets these knows better.
 */
const MALLOC = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" };

/**
 * The environment of a child: ours, without what is secret or the master's own. Settings reach it as a message, so that
 * nothing it reads there can differ from what `check` prints. An undefined value removes the name even where fork()
 * lays its record over process.env.
 * @param ownCode no code of the user's runs in it.
 */
export function childEnv(env: NodeJS.ProcessEnv, ownCode: boolean): NodeJS.ProcessEnv {
  const rows: readonly AnySetting[] = SETTINGS;
  const hidden = [
    ...MASTERS_OWN,
    ...rows
      .filter((row) => row.secret === true || row.name === "google_application_credentials")
      .flatMap((row) => [variableOf(row), ...(row.aliases ?? []).map((alias) => alias.name)]),
  ];
  return { ...(ownCode ? MALLOC : {}), ...env, ...Object.fromEntries(hidden.map((name) => [name, undefined])) };
}

/** The master's and the broker's part of the memory budget. */
const NOT_WORKERS: Bytes = mebibytes(150);
const SMALLEST_HEAP = 64;
const LARGEST_HEAP = 4_096;

/**
 * MiB of V8's young generation in our own processes. V8 lets it grow to 16 under connection churn; 2 keeps the tree's memory under load
 * a quarter smaller at the same CPU per request (docs/tuning.md). What a user's application allocates we do not know: it keeps V8's own.
 */
const YOUNG_GENERATION = 2;

/**
 * What V8 throws away in a quiet minute to save memory is what a worker has learned about its requests: the next who come would find it slow,
 * as after a start (ADR 22). 3 MB of a worker that had work and has none.
 */
const STAY_WARM = "--no-memory-reducer";

/** SIGUSR1 opens an inspector on a loopback port of the kernel's choice, and only stderr, which the master reads, tells where. */
const INSPECTABLE = ["--inspect-port=127.0.0.1:0", "--inspect-publish-uid=stderr"];
/** SIGUSR1 opens nothing. */
const CLOSED = ["--disable-sigusr1"];

/**
 * Whether workers run under SCHED_BATCH (sched(7)): one that wakes up does not take the CPU from another that runs (ADR 27). How long a user's
 * application computes we do not know: it is scheduled as any process, unless that is asked for.
 */
export const wantsBatch = (scheduling: "auto" | "batch" | "normal", ownCode: boolean): boolean =>
  scheduling === "batch" || (scheduling === "auto" && ownCode);

export interface Flags {
  readonly memory: Bytes;
  readonly workers: number;
  readonly autopsy: boolean;
  /** No application of the user's runs in it. */
  readonly ownCode: boolean;
}

/**
 * Node's and V8's flags for a child. The heap limit keeps N workers inside the budget together: V8 alone would grant each of them a
 * share of the whole machine. None may change the hash of V8's flags, or Node.js compiles its own modules at every start (ADR 22).
 */
export function nodeFlags(role: Role, { memory, workers, autopsy, ownCode }: Flags): string[] {
  const share = Math.floor((memory - NOT_WORKERS) / Math.max(1, workers) / 1_048_576);
  const heap = Math.min(LARGEST_HEAP, Math.max(SMALLEST_HEAP, share));
  const common = [
    "--disable-warning=ExperimentalWarning",
    ...(autopsy ? INSPECTABLE : CLOSED),
    ...(ownCode ? [`--max-semi-space-size=${YOUNG_GENERATION}`] : []),
  ];
  return role === "worker" ? [...common, ...(ownCode ? [STAY_WARM] : []), `--max-old-space-size=${heap}`] : common;
}
