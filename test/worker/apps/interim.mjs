/** Answers with buffers, slowly at /slow, with early hints at /hints. */
export default (req, res) => {
  req.resume();
  if (req.url === "/slow") return void setTimeout(() => res.end(Buffer.from("slow")), 50);
  if (req.url === "/hints") res.writeEarlyHints({ link: "</style.css>; rel=preload" });
  res.end(Buffer.from("done"));
};
