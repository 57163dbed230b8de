/** One conversation with a process's inspector (Chrome DevTools Protocol): bounded in time by its signal, in size by what it has sent. */
import { messageOf } from "../../../base/errors.ts";

/** A fastify application announces some 350 KB of scripts; what sends far more is not worth listening to. */
const MOST_CHARACTERS = 16 * 1_048_576;

export interface Session {
  /** @throws Error when the inspector refuses, the session has ended, or the signal fired. */
  call(method: string, params?: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  on(event: string, take: (params: Readonly<Record<string, unknown>>) => void): void;
  /** Ends the session: a process that it held paused goes on. */
  close(): void;
  /** The connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
}

interface Pending {
  resolve(result: Readonly<Record<string, unknown>>): void;
  reject(error: Error): void;
}

/** Connects to `address` (ws://127.0.0.1:PORT/ID). @throws Error when that fails, or the signal fires before. */
export function openSession(address: string, signal: AbortSignal): Promise<Session> {
  const socket = new WebSocket(address);
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, (params: Readonly<Record<string, unknown>>) => void>();
  let nr = 0;
  let received = 0;
  let over: Error | undefined;
  const gone = Promise.withResolvers<void>();

  const end = (error: Error): void => {
    over ??= error;
    for (const { reject } of pending.values()) reject(over);
    pending.clear();
    socket.close();
  };
  const take = (text: string): void => {
    received += text.length;
    if (received > MOST_CHARACTERS) return end(new Error("the inspector says too much"));
    const message = JSON.parse(text) as { id?: number; method?: string; result?: object; params?: object; error?: { message?: string } };
    if (message.id === undefined) return listeners.get(message.method ?? "")?.({ ...message.params });
    const call = pending.get(message.id);
    if (message.error === undefined) call?.resolve({ ...message.result });
    else call?.reject(new Error(`the inspector refuses: ${message.error.message ?? "?"}`));
    pending.delete(message.id);
  };
  socket.addEventListener("message", ({ data }) => {
    try {
      take(String(data));
    } catch (e) {
      // Application code chose the address: any server may answer there, and an exception in a listener would end the master.
      end(new Error(`the inspector sends no message of its protocol: ${messageOf(e)}`));
    }
  });
  socket.addEventListener("close", () => (end(new Error("the inspector has closed the connection")), gone.resolve()));

  const session: Session = {
    call: (method, params = {}) =>
      new Promise((resolve, reject) => {
        if (over !== undefined) return reject(over);
        pending.set((nr += 1), { resolve, reject });
        socket.send(JSON.stringify({ id: nr, method, params }));
      }),
    on: (event, take) => void listeners.set(event, take),
    close: () => end(new Error("the session was closed")),
    closed: gone.promise,
  };
  return new Promise((resolve, reject) => {
    const late = (): void => {
      const error = new Error("no answer in time");
      for (const call of pending.values()) call.reject(error);
      pending.clear();
      if (socket.readyState !== WebSocket.OPEN) end(error);
      reject(error);
    };
    if (signal.aborted) return late();
    signal.addEventListener("abort", late, { once: true });
    socket.addEventListener("open", () => resolve(session));
    socket.addEventListener("error", () => reject(new Error(`no connection to the inspector at ${new URL(address).host}`)));
  });
}
