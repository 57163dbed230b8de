/** An application whose loop is held up in each request: asleep for SLEEP_MS, as one that reads a disk, or computing for COMPUTE_MS. */
const [sleeps, computes] = [Number(process.env["SLEEP_MS"] ?? 0), Number(process.env["COMPUTE_MS"] ?? 0)];
const never = new Int32Array(new SharedArrayBuffer(4));

export default function sleeper(_req, res) {
  if (sleeps > 0) Atomics.wait(never, 0, 0, sleeps);
  for (const end = performance.now() + computes; performance.now() < end;);
  res.end("ok\n");
}
