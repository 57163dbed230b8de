/** How a command ends while its output stands in a pipe that nobody empties. */
const QUICK = 500;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let patience: number | undefined;

/** From now on the end waits half a second for who reads: a daemon that was asked to stop, a command that was interrupted. */
export function endSoon(): void {
  patience = QUICK;
}

/** Whether somebody asked for the end. */
export const isHurried = (): boolean => patience !== undefined;

/**
 * What is written into a pipe is not out when write() returns (Node's process.stdout is synchronous for files and terminals alone): this
 * waits until it is, or until nobody reads any more, or a signal comes.
 */
export async function printed(): Promise<void> {
  if (patience === undefined) for (const signal of SIGNALS) process.removeAllListeners(signal); // whatever the command had made of them
  await Promise.all([process.stdout, process.stderr].map((stream) => taken(stream)));
}

function taken(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) return resolve();
    stream.once("error", () => resolve());
    stream.once("close", resolve);
    stream.write("", () => resolve());
    if (patience !== undefined) setTimeout(resolve, patience);
  });
}
