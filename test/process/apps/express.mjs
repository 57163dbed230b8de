// An Express application as its own documentation writes one; nothing in it knows of drover.
import express from "express";

const app = express();

app.get("/", function hello(req, res) {
  res.cookie("visit", "1").send(`Hello ${req.query.name ?? "World"}!`);
});
app.post("/echo", express.json(), (req, res) => res.status(201).json({ got: req.body }));
app.get("/slow", (req, res) => setTimeout(() => res.send("slow"), 500));
app.get("/pid", (req, res) => res.send(String(process.pid)));
app.get("/loop", function spin() {
  for (;;);
});
app.get("/crash", function crash() {
  setTimeout(function later() {
    throw new Error("nobody catches this");
  });
});
app.get("/events", (req, res) => {
  res.type("text/event-stream").flushHeaders();
  res.write("data: hello\n\n");
  const timer = setInterval(() => res.write("data: more\n\n"), 200);
  res.on("close", () => clearInterval(timer));
});
app.get("/quiet", (req, res) => {
  res.type("text/event-stream").flushHeaders();
});

const server = app.listen(process.env.APP_PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));
