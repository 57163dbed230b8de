/** Alerts by mail: the scripts of docs/operations.md, run as drover runs them. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { createCommandSink } from "../../../src/admin/alerts/command.ts";
import type { Notice } from "../../../src/admin/alerts/view.ts";
import { seconds, type Timestamp } from "../../../src/base/units.ts";
import { needs } from "../../support/needs.ts";

const chapter = readFileSync("docs/operations.md", "utf8").split("### By mail\n")[1]?.split("\n## ")[0] ?? "";
const [script = "", ...others] = [...chapter.matchAll(/```sh\n([^`]+)```/g)].map(([, text = ""]) => text);

const NOTICE: Notice = {
  id: "n1",
  alert: "capacity",
  event: "raised",
  level: "urgent",
  text: "URGENT capacity: 190 of 200 “slots” are taken; $(touch pwned)\n.\nQUIT",
  value: 95,
  threshold: 95,
  at: 0 as Timestamp,
  since: 0 as Timestamp,
  lasted: null,
};

/** Runs a script for one alert. @returns how it ended. */
async function run(t: TestContext, text: string, folder: string): Promise<string> {
  const file = join(folder, "alert-by-mail");
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  const { PATH } = process.env;
  process.env["PATH"] = `${folder}${delimiter}${PATH ?? ""}`;
  t.after(() => void (process.env["PATH"] = PATH));
  return new Promise((resolve) => {
    const sink = createCommandSink({
      command: () => ({ file, timeout: seconds(20) }),
      body: () => "{}",
      done: (_notice, result, why) => resolve(`${result} ${why}`.trim()),
    });
    sink.run(NOTICE);
  });
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "drover-mail-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const MESSAGE =
  /^From: drover <drover@example\.com>\nTo: ops@example\.com\nDate: \w{3}, .*\nSubject: drover: urgent capacity \(raised\)\nMIME-Version: 1\.0\nContent-Type: text\/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nURGENT capacity: 190 of 200 “slots” are taken; \$\(touch pwned\)\n\.\nQUIT\n$/;

test("4.10: alerts go by mail through a command: msmtp, or the machine's sendmail", async (t) => {
  const last = script.slice(script.indexOf("message | curl"));
  assert.deepEqual(
    others.map((line) => line.split(" ")[2]),
    ["msmtp", "sendmail"],
  );
  for (const [i, line] of others.entries()) {
    const folder = folderOf(t);
    const name = ["msmtp", "sendmail"][i] ?? "";
    writeFileSync(join(folder, name), `#!/bin/sh\necho "$@" >'${folder}/args'\ncat >'${folder}/message'\n`);
    chmodSync(join(folder, name), 0o755);
    assert.equal(await run(t, script.replace(last, line), folder), "ok");
    assert.match(readFileSync(join(folder, "message"), "utf8"), MESSAGE);
    const args = ["--file=/etc/drover/msmtprc --read-recipients\n", "-i -t -f drover@example.com\n"][i];
    assert.equal(readFileSync(join(folder, "args"), "utf8"), args);
  }
  const folder = folderOf(t);
  writeFileSync(join(folder, "sendmail"), "#!/bin/sh\ncat >/dev/null\necho 'no such user' >&2\nexit 67\n");
  chmodSync(join(folder, "sendmail"), 0o755);
  assert.match(
    await run(t, script.replace(last, others[1] ?? ""), folder),
    /^lost .*exited with 67: no such user$/,
    "a failure is reported",
  );
});

/** A mail server that keeps what it gets. */
function mailServer(t: TestContext): Promise<{ port: number; heard: string[]; letters: string[] }> {
  const [heard, letters]: [string[], string[]] = [[], []];
  const server = createServer((socket) => {
    let rest = "";
    let letter = false;
    socket.write("220 test\r\n");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      rest += chunk.toString();
      for (;;) {
        const end = rest.indexOf(letter ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const text = rest.slice(0, end);
        rest = rest.slice(end + (letter ? 5 : 2));
        if (letter) letters.push(text);
        else heard.push(text);
        const code = letter ? "250 ok" : text === "DATA" ? "354 go on" : text === "QUIT" ? "221 bye" : "250 ok";
        letter = code.startsWith("354");
        socket.write(`${code}\r\n`);
      }
    });
  });
  t.after(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ port: (server.address() as AddressInfo).port, heard, letters }));
  });
}

test("4.10: alerts go by mail through curl, which a mail server understands", { skip: needs("curl", "curl") }, async (t) => {
  const folder = folderOf(t);
  const { port, heard, letters } = await mailServer(t);
  const netrc = join(folder, "netrc");
  writeFileSync(netrc, "machine 127.0.0.1 login drover password secret\n");
  const here = script
    .replace("smtp://mail.example.com:587", `smtp://127.0.0.1:${port}`)
    .replace("/etc/drover/mail.netrc", netrc)
    .replace("--ssl-reqd ", "");
  assert.equal(await run(t, here, folder), "ok");
  assert.deepEqual(
    heard.filter((line) => line.includes("<")).map((line) => line.split(" SIZE")[0]),
    ["MAIL FROM:<drover@example.com>", "RCPT TO:<ops@example.com>"],
  );
  assert.match(`${letters[0] ?? ""}\n`.replaceAll("\r\n", "\n").replaceAll("\n..", "\n."), MESSAGE);
});
