/**
 * An application whose loop is held up in each request: asleep for SLEEP_MS, as one that reads a disk, or computing for COMPUTE_MS, or for as long as the
 * request says (`?compute=20`).
 */
const [sleeps, computes] = [Number(process.env["SLEEP_MS"] ?? 0), Number(process.env["COMPUTE_MS"] ?? 0)];
const never = new Int32Array(new SharedArrayBuffer(4));

export default function sleeper(req, res) {
  if (sleeps > 0) Atomics.wait(never, 0, 0, sleeps);
  const [, asked = computes] = /[?&]compute=(\d+)/.exec(req.url) ?? [];
  for (const end = performance.now() + Number(asked); performance.now() < end;);
  res.end("ok\n");
}
