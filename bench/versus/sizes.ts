/** How much of everything: a full run takes half an hour on 2 cores, a quick one into 5, a trial only shows that all of it works. */
import { STACKS, type StackName } from "./stack.ts";

export interface Sizes {
  readonly mode: "full" | "quick" | "trial";
  readonly rounds: number;
  /** With 100 connections, kept and new: the least spread is wanted, and V8 is still learning in the first of them. */
  readonly rounds100: number;
  /** With thousands. */
  readonly roundsMany: number;
  readonly warmUpSeconds: number;
  /** Of a keep-alive measurement; wrk takes whole ones. */
  readonly seconds: number;
  /** The same with thousands, whose opening is part of it: what is asked is how fast they are once they are there. */
  readonly secondsMany: number;
  readonly abRequests: number;
  /** With 100 connections, kept and new. */
  readonly stacks: readonly StackName[];
  /** Keep-alive connections beside 100, and who meets them. */
  readonly connections: readonly number[];
  readonly wide: readonly StackName[];
  readonly footprint: { readonly of: readonly (readonly [workers: number, readonly StackName[]])[]; readonly starts: number };
  readonly reload: readonly StackName[];
  readonly reloads: number;
  readonly stuck: readonly StackName[];
  readonly stuckSeconds: number;
  /** Who is asked about calls to the upstream, old rows and the herd. */
  readonly cache: readonly StackName[];
  readonly upstreamSeconds: number;
  /** `others`: rounds of those whose clients wait for the upstream: a second differs by nothing. */
  readonly expiry: { readonly rounds: number; readonly others: number; readonly seconds: number };
  readonly herd: number;
  readonly heldConnections: number;
  readonly heldSeconds: number;
  /** The systems of the documents' question, its users, and the ladder: `drover load` holds each step for so many seconds. */
  readonly systems: number;
  readonly users: string;
  readonly ladder: string;
  readonly hold: number;
  /** The same of the documents' question: longer than a TTL, so that rows are renewed meanwhile. */
  readonly holdSystems: number;
}

/** The others run the application of a section of their own. */
const ALL: readonly StackName[] = STACKS.filter((name) => name !== "drover-app" && name !== "gunicorn-sync");
const LADDER = "5,10,25,50,100,200";

const FULL: Sizes = {
  mode: "full",
  rounds: 3,
  rounds100: 7,
  roundsMany: 3,
  warmUpSeconds: 5,
  seconds: 3,
  secondsMany: 15, // the opening of 5,000 is a small part of it
  abRequests: 10_000,
  stacks: ALL,
  connections: [500, 2_000, 5_000, 10_000],
  wide: ["drover", "held", "spread", "fastify", "pm2", "puma", "gunicorn", "nginx"],
  footprint: {
    of: [
      [8, ["drover", "held", "fastify", "pm2", "puma", "gunicorn"]],
      [16, ["drover", "fastify", "pm2", "gunicorn"]],
    ],
    starts: 3,
  },
  reload: ["drover", "pm2", "puma", "gunicorn", "nginx"],
  reloads: 2,
  stuck: ["drover-app", "cluster", "pm2", "puma", "gunicorn"],
  stuckSeconds: 10,
  cache: ["drover", "pm2", "puma", "gunicorn"],
  upstreamSeconds: 60,
  expiry: { rounds: 15, others: 3, seconds: 6 }, // a p99 of some ms doubles from one round to the next
  herd: 5_000,
  heldConnections: 16_000,
  heldSeconds: 15,
  systems: 4,
  users: "10,100,500",
  ladder: LADDER,
  hold: 6,
  holdSystems: 40,
};

export const SIZES: Readonly<Record<Sizes["mode"], Sizes>> = {
  full: FULL,
  quick: {
    ...FULL,
    mode: "quick",
    rounds: 2,
    rounds100: 2,
    roundsMany: 2,
    warmUpSeconds: 4,
    seconds: 2,
    secondsMany: 2,
    abRequests: 2_000,
    stacks: ["drover", "held", "pm2", "gunicorn"],
    connections: [2_000, 5_000],
    wide: ["drover", "held", "pm2", "gunicorn"],
    footprint: { of: [[8, ["drover", "fastify"]]], starts: 1 },
    reload: ["drover"],
    reloads: 1,
    stuck: ["drover-app", "pm2"],
    stuckSeconds: 8,
    cache: ["drover", "gunicorn"],
    upstreamSeconds: 8,
    expiry: { rounds: 1, others: 1, seconds: 4 },
    heldSeconds: 3,
    systems: 2,
    users: "500",
    ladder: "100,200",
    hold: 2,
    holdSystems: 2,
  },
  trial: {
    ...FULL,
    mode: "trial",
    rounds: 1,
    rounds100: 1,
    roundsMany: 1,
    warmUpSeconds: 1,
    seconds: 1,
    secondsMany: 1,
    abRequests: 500,
    connections: [500],
    footprint: { of: [[2, ["drover", "fastify", "gunicorn"]]], starts: 1 },
    reloads: 1,
    stuckSeconds: 8,
    upstreamSeconds: 6,
    expiry: { rounds: 1, others: 1, seconds: 2 },
    herd: 500,
    heldConnections: 500,
    heldSeconds: 2,
    hold: 1,
    holdSystems: 1,
  },
};
