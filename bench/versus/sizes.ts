/** How much of everything: a full run fits into 25 minutes on 2 cores, a quick one into 5, a trial only shows that all of it works. */
import type { StackName } from "./stack.ts";

export interface Sizes {
  readonly mode: "full" | "quick" | "trial";
  readonly rounds: number;
  readonly warmUpSeconds: number;
  /** Of a keep-alive measurement. */
  readonly seconds: number;
  readonly abRequests: number;
  /** Keep-alive connections beside 100. */
  readonly connections: readonly number[];
  readonly stacks: readonly StackName[];
  readonly footprint: { readonly stacks: readonly StackName[]; readonly workers: readonly number[]; readonly starts: number };
  readonly reloads: number;
  readonly stuckSeconds: number;
  readonly upstreamSeconds: number;
  readonly expiry: { readonly rounds: number; readonly seconds: number };
  readonly herd: number;
  readonly heldConnections: number;
  readonly heldSeconds: number;
  /** Of each step of a ladder of users. */
  readonly hold: number;
  /** The stacks of the source's question, before and after, and those who are asked about reload, stuck workers and cache. */
  readonly peers: readonly StackName[];
}

const PEERS: readonly StackName[] = ["cluster", "pm2", "puma", "gunicorn"];

export const SIZES: Readonly<Record<Sizes["mode"], Sizes>> = {
  full: {
    mode: "full",
    rounds: 3,
    warmUpSeconds: 5,
    seconds: 3,
    abRequests: 10_000,
    connections: [500, 2_000, 5_000, 10_000],
    stacks: ["drover", "held", "cluster", "fastify", "pm2", "puma", "gunicorn", "gunicorn-bytes", "nginx", "haproxy"],
    footprint: { stacks: ["drover", "held", "fastify", "pm2", "puma", "gunicorn"], workers: [8, 16], starts: 3 },
    reloads: 2,
    stuckSeconds: 12,
    upstreamSeconds: 60,
    expiry: { rounds: 3, seconds: 6 },
    herd: 5_000,
    heldConnections: 16_000,
    heldSeconds: 15,
    hold: 6,
    peers: PEERS,
  },
  quick: {
    mode: "quick",
    rounds: 2,
    warmUpSeconds: 2,
    seconds: 2,
    abRequests: 5_000,
    connections: [2_000, 5_000],
    stacks: ["drover", "held", "pm2", "gunicorn", "nginx"],
    footprint: { stacks: ["drover", "fastify", "gunicorn"], workers: [8], starts: 1 },
    reloads: 1,
    stuckSeconds: 9,
    upstreamSeconds: 20,
    expiry: { rounds: 1, seconds: 6 },
    herd: 5_000,
    heldConnections: 16_000,
    heldSeconds: 5,
    hold: 3,
    peers: ["pm2", "gunicorn"],
  },
  trial: {
    mode: "trial",
    rounds: 1,
    warmUpSeconds: 1,
    seconds: 1,
    abRequests: 500,
    connections: [500],
    stacks: ["drover", "held", "cluster", "fastify", "pm2", "puma", "gunicorn", "gunicorn-bytes", "nginx", "haproxy"],
    footprint: { stacks: ["drover", "fastify", "gunicorn"], workers: [2], starts: 1 },
    reloads: 1,
    stuckSeconds: 8,
    upstreamSeconds: 6,
    expiry: { rounds: 1, seconds: 2 },
    herd: 500,
    heldConnections: 500,
    heldSeconds: 2,
    hold: 1,
    peers: PEERS,
  },
};
