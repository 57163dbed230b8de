// An Express server as its own documentation writes one: nothing in it knows of drover.
import express from "express";

const app = express();
const port = process.env.PORT ?? 3000;

app.get("/", (req, res) => {
  res.send("Hello World!");
});

app.get("/fail", () => {
  throw new Error("on purpose");
});

const server = app.listen(port, () => {
  console.log(`Example app listening on port ${server.address().port}`);
});
