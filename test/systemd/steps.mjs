// steps.mjs LOG: what the last restart in drover's log consisted of, in ms:
// "DRAIN of the workers, END of the master, START until it forks, FIRST worker ready, ALL of it ready".
import { readFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const asked = lines.findLastIndex(({ role, msg }) => role === "master" && msg.startsWith("SIGTERM: stop"));
const at = (pattern, last = false) => {
  const found = lines.slice(asked)[last ? "findLast" : "find"](({ role, msg }) => role === "master" && pattern.test(msg));
  return found === undefined ? Number.NaN : Date.parse(found.time);
};
const drained = at(/^worker \d+ \(pid \d+\) left as asked \(stop\)/, true);
const moments = [
  Date.parse(lines[asked]?.time),
  drained,
  at(/^stopped: /),
  at(/^workers: 0 → /),
  at(/^worker \d+ \(pid \d+\) is ready/),
  at(/^ready: /),
];
console.log(["drain", "end", "start", "first worker", "all ready"].map((name, i) => `${name} ${moments[i + 1] - moments[i]}`).join(", "));
