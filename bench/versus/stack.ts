/** A server that is measured: how it is asked for, and what can be done with it once it runs. */
import type { Upstream } from "./upstream.ts";

export const STACKS = [
  "drover",
  "drover-app",
  "held",
  "spread",
  "cluster",
  "fastify",
  "pm2",
  "puma",
  "gunicorn",
  "gunicorn-bytes",
  "gunicorn-sync",
  "nginx",
  "haproxy",
] as const;
export type StackName = (typeof STACKS)[number];

export const LABEL: Readonly<Record<StackName, string>> = {
  drover: "drover",
  "drover-app": "drover with the application of PM2",
  held: "bare node:http",
  spread: "bare node:http, SO_REUSEPORT",
  cluster: "node:cluster",
  fastify: "Fastify in node:cluster",
  pm2: "PM2 cluster",
  puma: "Puma",
  gunicorn: "Gunicorn + gevent + Flask",
  "gunicorn-bytes": "Gunicorn, prepared bytes",
  "gunicorn-sync": "Gunicorn, sync workers",
  nginx: "nginx, a file",
  haproxy: "HAProxy, from memory",
};

export interface Wish {
  readonly workers: number;
  /** Where the answer stands ({@link keepAnswer}). */
  readonly answerFile: string;
  /** Rows come from here and are fetched again after `ttlSeconds`; without it they are there from the start and never age. */
  readonly upstream?: Upstream | undefined;
  readonly ttlSeconds?: number;
  /** A stuck worker is one that has been silent for so long. */
  readonly timeoutSeconds?: number;
  /** For each worker. */
  readonly connections?: number;
  /** drover alone: strangers may write into a second table. */
  readonly writes?: boolean;
}

export interface Running {
  readonly name: StackName;
  readonly port: number;
  /** Of the cached rows. */
  readonly path: string;
  /** Its whole tree descends from this process. */
  readonly root: number;
  /** Where it runs. */
  readonly dir: string;
  /** From exec to the last worker that serves. */
  readonly startSeconds: number;
  /** Pids of the workers that have ever served, where they tell. */
  workers(): readonly number[];
  /** Calls to the upstream so far. */
  upstreamCalls(): Promise<number>;
  /** Replaces every worker; settles when that is done, or has been ordered where nothing tells. undefined: it can't. */
  readonly reload: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}
