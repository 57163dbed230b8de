/** Requests with ids of their own, to be found in the access log. */
import { get, type Daemon } from "./harness.ts";

export const named = (nr: number): string => `mine-${String(nr).padStart(4, "0")}`;

export async function ask(daemon: Daemon, from: number, n: number): Promise<void> {
  for (let nr = from; nr < from + n; nr += 10)
    await Promise.all(
      Array.from({ length: Math.min(10, from + n - nr) }, (_, i) =>
        get(`${daemon.url}/api/tables/players?secret=1`, { headers: { "X-Request-Id": named(nr + i) } }),
      ),
    );
}
