/** Says what it sees of a request; at /slow a moment later. */
export default (req, res) => {
  const answer = () => res.end(JSON.stringify({ method: req.method, url: req.url, host: req.headers.host }));
  if (req.url === "/slow") setTimeout(answer, 50);
  else answer();
};
