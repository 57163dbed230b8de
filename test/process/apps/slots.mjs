/** Lets people in: GET /enter?user=ada&id=… · /hold?… keeps the answer open as an event stream does · /standing?… */
const { service } = globalThis[Symbol.for("drover.runtime")];

export default async function slots(req, res) {
  const ledger = service("ledger");
  const url = new URL(req.url, "http://x");
  const user = url.searchParams.get("user") ?? "";
  const session = {
    id: url.searchParams.get("id") ?? user,
    user,
    admin: false,
    since: Number(url.searchParams.get("since") ?? Date.now()),
  };
  if (url.pathname === "/hold") {
    const { is } = await ledger.enter(session);
    res.on("close", ledger.holds(session));
    return res.writeHead(200, { "content-type": "text/event-stream", "x-pid": String(process.pid) }).write(`data: ${is}\n\n`);
  }
  const admission = url.pathname === "/enter" ? await ledger.enter(session) : (ledger.standing(session) ?? { is: "unknown" });
  res.end(JSON.stringify(admission));
}
