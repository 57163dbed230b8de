// A (req, res) listener with sessions of its own: a place for each of them, true for the whole machine.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { drover, TablesError, type SlotSession } from "drover";

const SECRET = process.env["GAME_SECRET"] ?? "only for trying it out";
const sign = (text: string): Buffer => createHmac("sha256", SECRET).update(text).digest();

function seal(session: SlotSession): string {
  const text = Buffer.from(JSON.stringify(session)).toString("base64url");
  return `${text}.${sign(text).toString("base64url")}`;
}

function open(cookie: string | undefined): SlotSession | undefined {
  const [, text = "", mark = ""] = /(?:^|; )game=([\w-]+)\.([\w-]+)/.exec(cookie ?? "") ?? [];
  const [expected, given] = [sign(text), Buffer.from(mark, "base64url")];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return JSON.parse(Buffer.from(text, "base64url").toString()) as SlotSession;
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(req.url ?? "/", "http://game");
  const known = open(req.headers.cookie);
  const session = pathname === "/join" ? drover.slots.session(searchParams.get("name") ?? "") : known;
  if (session === undefined) return void res.writeHead(401).end("join first\n");
  const place = await drover.slots.enter(session);
  switch (place.is) {
    case "in":
      break;
    case "full":
    case "away":
      return void res.writeHead(503, { "Retry-After": Math.ceil(place.retryAfter / 1_000) }).end("come back later\n");
    default: // taken over by a newer session, or ended
      return void res.writeHead(401).end(`${place.is}\n`);
  }
  if (pathname === "/leave") await drover.slots.leave(session);
  if (pathname === "/join") res.setHeader("Set-Cookie", `game=${seal(session)}; HttpOnly; SameSite=Lax; Path=/`);
  const { rows } = await drover.tables.read("players", { signal: req.signal });
  res.end(`${session.user} is in, ${drover.slots.state().used} of ${drover.slots.state().max}; ${rows.length} players\n`);
}

export default (req: IncomingMessage, res: ServerResponse): void => {
  answer(req, res).catch((thrown: unknown) => {
    if (res.destroyed || res.headersSent) return void res.destroy();
    if (thrown instanceof TablesError) return void res.writeHead(thrown.statusCode, thrown.headers).end(`${thrown.message}\n`);
    drover.log.error({ err: thrown }, "a request failed");
    res.writeHead(500).end();
  });
};
