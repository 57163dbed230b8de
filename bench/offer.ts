/**
 * A generator over raw sockets that sends at a rate, whatever comes back (open model), or as fast as its connections allow (closed, when
 * no rate is given). Loopback only.
 */
import net from "node:net";

export type Kind = "read" | "write" | "export";

export interface Offer {
  readonly port: number;
  readonly mix: Readonly<Record<Kind, number>>;
  /** At most. */
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second; undefined: as many as the connections allow. */
  readonly rate?: number;
}

/** Milliseconds. */
export interface OfKind {
  sent: number;
  ok: number;
  shed: number;
  failed: number;
  okP95: number;
  shedP50: number;
  shedP95: number;
}

export interface Offered {
  readonly seconds: number;
  readonly offered: number;
  /** Due while every connection waited for an answer. */
  readonly unsent: number;
  readonly kinds: Readonly<Record<Kind, OfKind>>;
}

let nr = 0;
const REQUESTS: Readonly<Record<Kind, () => string>> = {
  read: () => `GET /api/tables/players?filter[score][gt]=${(nr += 1) % 100_000}&limit=10 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
  write: () => {
    const body = `{"player":"p001","kind":"note","note":"${(nr += 1)}"}`;
    return `POST /api/tables/actions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  },
  export: () => `GET /api/tables/players/export?format=csv&filter[score][gt]=${(nr += 1) % 100_000} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
};

interface Client {
  readonly socket: net.Socket;
  busy: { readonly kind: Kind; readonly at: number } | undefined;
  text: string;
}

const at = (times: number[], q: number): number => times.sort((a, b) => a - b)[Math.floor(times.length * q)] ?? NaN;

/** @returns the status of the whole answer that `text` holds, or undefined: more is to come. */
function statusOf(text: string): number | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  const whole = length === undefined ? text.endsWith("0\r\n\r\n") : text.length >= end + 4 + Number(length);
  return whole ? Number(text.slice(9, 12)) : undefined;
}

export async function offer({ port, mix, connections, seconds, rate }: Offer): Promise<Offered> {
  const times = { read: [[], []], write: [[], []], export: [[], []] } as Record<Kind, [number[], number[]]>;
  const made = (): OfKind => ({ sent: 0, ok: 0, shed: 0, failed: 0, okP95: NaN, shedP50: NaN, shedP95: NaN });
  const kinds: Record<Kind, OfKind> = { read: made(), write: made(), export: made() };
  const idle: Client[] = [];
  let [open, unsent, due] = [0, 0, 0];
  const begin = performance.now();
  const end = begin + seconds * 1_000;

  const pick = (): Kind => {
    const lot = Math.random();
    return lot < mix.read ? "read" : lot < mix.read + mix.write ? "write" : "export";
  };
  const send = (client: Client): void => {
    const kind = pick();
    kinds[kind].sent += 1;
    client.busy = { kind, at: performance.now() };
    client.socket.write(REQUESTS[kind](), "latin1");
  };
  const answered = (client: Client, status: number): void => {
    const { busy } = client;
    client.text = "";
    client.busy = undefined;
    if (busy === undefined) return;
    const took = performance.now() - busy.at;
    const of = kinds[busy.kind];
    if (status === 503 || status === 429) {
      of.shed += 1;
      times[busy.kind][1].push(took);
    } else if (status < 300) {
      of.ok += 1;
      times[busy.kind][0].push(took);
    } else of.failed += 1;
    if (performance.now() >= end) return (client.socket.destroy(), undefined);
    if (rate === undefined) send(client);
    else idle.push(client);
  };
  const connect = (): void => {
    open += 1;
    const client: Client = { socket: net.connect({ port, host: "127.0.0.1", noDelay: true }), busy: undefined, text: "" };
    client.socket.on("data", (chunk: Buffer) => {
      client.text += chunk.toString("latin1");
      const status = statusOf(client.text);
      if (status !== undefined) answered(client, status);
    });
    client.socket.on("error", () => {});
    client.socket.on("close", () => {
      open -= 1;
      if (client.busy !== undefined) kinds[client.busy.kind].failed += 1;
      const place = idle.indexOf(client);
      if (place >= 0) idle.splice(place, 1);
    });
    send(client);
  };

  await new Promise<void>((resolve) => {
    const tick = setInterval(() => {
      const now = performance.now();
      if (now >= end) {
        clearInterval(tick);
        return resolve();
      }
      if (rate === undefined) return;
      for (const until = ((now - begin) / 1_000) * rate; due < until; due += 1) {
        const free = idle.pop();
        if (free !== undefined) send(free);
        else if (open < connections) connect();
        else unsent += 1;
      }
    }, 5);
    if (rate === undefined) for (let i = 0; i < connections; i += 1) connect();
  });
  for (const { socket } of idle.splice(0)) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  for (const kind of Object.keys(kinds) as Kind[]) {
    const [good, shed] = times[kind];
    Object.assign(kinds[kind], { okP95: at(good, 0.95), shedP50: at(shed, 0.5), shedP95: at(shed, 0.95) });
  }
  return { seconds, offered: rate ?? NaN, unsent, kinds };
}
