/** The benches' own generator as a program, for where wrk or ab is missing: `own-generator.ts '{"port":…,"path":…,"connections":…}'`. */
import { load, type LoadOptions, type LoadResult } from "../load.ts";

type Order = Omit<LoadOptions, "requests"> & { readonly seconds?: number; readonly requests?: number };
const { seconds, ...order } = JSON.parse(process.argv[2] ?? "{}") as Order;

/** For a time: as many requests as the first few hundred say will fit. */
async function forSeconds(time: number): Promise<LoadResult> {
  const first = await load({ ...order, requests: order.connections * 4 });
  const left = Math.max(0.2, time - first.seconds);
  return load({ ...order, requests: Math.max(order.connections, Math.round((first.done / first.seconds) * left)) });
}

console.log(JSON.stringify(seconds === undefined ? await load({ requests: 1, ...order }) : await forSeconds(seconds)));
