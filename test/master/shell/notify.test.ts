import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeLogger } from "../../../src/base/log.ts";
import { createNotifier } from "../../../src/master/shell/notify.ts";
import { ffiSender } from "../../../src/master/shell/notify-ffi.ts";
import { here, judge, place, skip, told } from "./notify-helper.ts";

const quiet = makeLogger({ role: "master" }, "silent", { write: () => {} });

describe("telling systemd", { skip, concurrency: true }, () => {
  test("by node:ffi, to a path", async (t) => {
    const lines = await told(t, place(t), "ffi");
    judge(t, lines, "ffi");
    const [said] = lines;
    assert.ok(
      lines.every(({ pid }) => pid === undefined || pid === said?.own),
      "the sender is the process itself: NotifyAccess=main",
    );
  });

  test("by the descriptor that OpenFile= passes, before anything else", async (t) => {
    const lines = await told(t, place(t), "any", ["--descriptor"]);
    judge(t, lines, "descriptor");
    assert.ok(lines.every(({ pid }) => pid === undefined || pid === lines[0]?.own));
  });
});

describe("without systemd", () => {
  test("nobody listens: nothing is thrown, and nothing keeps the process", async () => {
    const script = `
      import { createNotifier } from ${JSON.stringify(join(here, "../../../src/master/shell/notify.ts"))};
      import { makeLogger } from ${JSON.stringify(join(here, "../../../src/base/log.ts"))};
      const n = createNotifier(process.env, makeLogger({ role: "master" }, "silent", { write() {} }));
      for (let i = 0; i < 100; i++) { n.ready("x"); n.status("y"); n.extend(Number.NaN); }`;
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, NOTIFY_SOCKET: "/nonexistent/notify" },
      timeout: 30_000,
    });
    assert.deepEqual([ran.status, String(ran.stderr)], [0, ""], "in particular no ExperimentalWarning");
  });

  test("every call is a no-op", () => {
    for (const env of [{}, { NOTIFY_SOCKET: "" }]) {
      const notifier = createNotifier(env, quiet);
      assert.equal(notifier.transport, "none");
      notifier.ready("x");
      notifier.reloading();
      notifier.stopping();
      notifier.extend(1);
      notifier.status("x");
    }
  });

  test("an address that no unix socket has is no reason to fail", () => {
    for (const socket of ["relative", "@", "/", `/${"x".repeat(200)}`, "vsock:2:1234"]) {
      const env = { NOTIFY_SOCKET: socket };
      assert.equal(createNotifier(env, quiet, ["descriptor", "ffi"]).transport, "none", socket);
      assert.deepEqual(env, {});
    }
  });

  test("other experimental warnings are still shown", { skip }, async () => {
    const seen: string[] = [];
    const listen = (warning: Error) => void seen.push(warning.message);
    process.on("warning", listen);
    ffiSender("@nobody");
    process.emitWarning("Some other thing is an experimental feature", "ExperimentalWarning");
    await new Promise(setImmediate);
    process.off("warning", listen);
    assert.deepEqual(seen, ["Some other thing is an experimental feature"]);
  });
});
