import { processPort, type MasterPort } from "../base/port.ts";
import type { ToChild } from "../base/protocol.ts";

export type Configure = Extract<ToChild, { type: "configure" }>;

/** A port that keeps what arrives until somebody listens, so that a role may be loaded after the first message was read. */
export interface BufferedPort extends MasterPort {
  /** The first message: who we are and what to do. It is delivered again to whoever listens later. */
  readonly configured: Promise<Configure>;
}

export function bufferedPort(inner: MasterPort = processPort()): BufferedPort {
  const kept: [ToChild, unknown][] = [];
  let handler: ((message: ToChild, handle: unknown) => void) | undefined;
  const configured = new Promise<Configure>((resolve) => {
    inner.onMessage((message, handle) => {
      if (message.type === "configure") resolve(message);
      if (handler === undefined) kept.push([message, handle]);
      else handler(message, handle);
    });
  });
  return {
    configured,
    send: (message) => inner.send(message),
    onLost: (lost) => inner.onLost(lost),
    onMessage(take) {
      handler = take;
      for (const [message, handle] of kept.splice(0)) take(message, handle);
    },
  };
}
