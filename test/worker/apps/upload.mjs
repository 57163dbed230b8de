// Collects a body, as careless applications do, and says how much came.
export default async function (req, res) {
  if (req.url === "/early") return res.end("answered without looking");
  let bytes = 0;
  try {
    for await (const chunk of req) bytes += chunk.length;
    res.end(String(bytes));
  } catch {
    globalThis.uploadsCut = (globalThis.uploadsCut ?? 0) + 1;
  }
}
