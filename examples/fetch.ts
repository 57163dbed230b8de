// An object with fetch(request): what Hono's and other frameworks' applications are, too.
import { drover, TablesError } from "drover";

async function answer(request: Request): Promise<Response> {
  const path = new URLPattern({ pathname: "/players/:id" }).exec(request.url);
  const id = path?.pathname.groups["id"];
  if (id === undefined) return Response.json({ message: "there is nothing here" }, { status: 404 });
  const found = await drover.tables.row("players", decodeURIComponent(id), { signal: request.signal });
  if (found === undefined) return Response.json({ message: `there is no player ${id}` }, { status: 404 });
  if (request.method === "GET") return Response.json(found.row, { headers: { ETag: `"${found.tag}"` } });
  if (request.method !== "PUT") return new Response(null, { status: 405, headers: { Allow: "GET, PUT" } });
  const { status } = (await request.json()) as { status?: string };
  const tag = request.headers.get("if-match")?.replaceAll('"', "") ?? found.tag;
  const written = await drover.tables.update("players", id, { status: String(status) }, { ifMatch: tag, signal: request.signal });
  return Response.json(written);
}

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      return await answer(request);
    } catch (thrown) {
      if (thrown instanceof SyntaxError) return Response.json({ message: "the body is no JSON" }, { status: 400 });
      if (!(thrown instanceof TablesError)) throw thrown; // drover logs it and answers 500
      const { statusCode: status, headers, message, reason, column } = thrown;
      return Response.json({ message, reason, column }, { status, headers });
    }
  },
};
