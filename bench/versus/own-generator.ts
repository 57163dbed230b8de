/** The benches' own generator as a program, for where wrk or ab is missing: `own-generator.ts '{"port":…,"path":…,"connections":…}'`. */
import { load, type LoadOptions, type LoadResult } from "../load.ts";

type Order = Omit<LoadOptions, "requests"> & { readonly seconds?: number; readonly requests?: number };
const { seconds, ...asked } = JSON.parse(process.argv[2] ?? "{}") as Order;
const order = { ...asked, countsRefusals: true };

/** For a time: as many requests as the first few say will fit. All are counted, since the server worked for all; percentiles are the rest's. */
async function forSeconds(time: number): Promise<LoadResult> {
  const first = await load({ ...order, requests: order.connections * 4 });
  const left = Math.max(0.2, time - first.seconds);
  const rest = await load({ ...order, requests: Math.max(order.connections, Math.round((first.done / first.seconds) * left)) });
  return {
    ...rest,
    done: first.done + rest.done,
    errors: first.errors + rest.errors,
    seconds: first.seconds + rest.seconds,
    max: Math.max(first.max, rest.max),
  };
}

console.log(JSON.stringify(seconds === undefined ? await load({ requests: 1, ...order }) : await forSeconds(seconds)));
