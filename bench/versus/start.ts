import type { Running, StackName, Wish } from "./stack.ts";
import { startDrover } from "./start-drover.ts";
import { startPeer } from "./start-peers.ts";
import type { ToolName } from "./tools.ts";

/** What must be installed for it. */
export const NEEDS: Readonly<Partial<Record<StackName, ToolName>>> = {
  pm2: "pm2",
  puma: "puma",
  gunicorn: "gunicorn",
  "gunicorn-bytes": "gunicorn",
  "gunicorn-sync": "gunicorn",
  nginx: "nginx",
  haproxy: "haproxy",
};

/** @returns once every worker serves. */
export const start = (name: StackName, wish: Wish): Promise<Running> =>
  name === "drover" || name === "drover-app" ? startDrover(name, wish) : startPeer(name, wish);
