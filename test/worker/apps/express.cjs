// Shaped like an Express application: a function of three parameters.
module.exports = function app(req, res, next) {
  if (req.url === "/next") return next();
  res.end("express-like");
};
