// The oldest form there is. Answers raw: no header is added or dropped by whoever serves it.
export default function listener(req, res) {
  if (req.url === "/hang") return;
  res.writeHead(207, "Odd But Mine", ["X-Own", "1", "Server", "mine", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
  res.end(`${req.method} ${req.url}`);
}
