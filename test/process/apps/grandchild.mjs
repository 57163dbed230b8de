// Leaves a process behind that keeps its output open.
import { spawn } from "node:child_process";
import http from "node:http";

const left = spawn("sleep", ["60"], { stdio: "inherit", detached: true });
left.unref();
console.log(`left ${left.pid}`);
http.createServer((_, res) => res.end(`${process.pid}\n`)).listen(3000);
