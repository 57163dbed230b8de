/** A log whose text a test reads. */
import { PassThrough } from "node:stream";
import { makeLogger } from "../../../src/base/log.ts";

export const sink = (): { readonly log: ReturnType<typeof makeLogger>; text(): string } => {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { log: makeLogger({ role: "master" }, "info", stream), text: () => text };
};
