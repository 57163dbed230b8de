export default (req, res) => {
  res.writeHead(200, ["X-Own", "yes", "Content-Length", "8"]);
  res.end("listener");
};
