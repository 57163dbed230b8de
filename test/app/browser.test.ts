/** The page in a real browser. Skipped where there is none. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Timestamp } from "../../src/base/units.ts";
import type { Write } from "../../src/sheets/writes.ts";
import { needs } from "../needs.ts";
import { CODES, eventSheet } from "./session/people.ts";
import { PLAYERS, players, sampleSheet, Sheet, world } from "./world.ts";

const chromium = "chromium";
const skip = needs(chromium, "chromium");
const run = promisify(execFile);

/** @returns the page's DOM once its script has come to rest, and what the browser complained about. */
async function open(url: string, ...flags: string[]): Promise<{ dom: string; complaints: string[] }> {
  const profile = await mkdtemp(join(tmpdir(), "drover-browser-"));
  try {
    const common = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--enable-logging=stderr",
      `--user-data-dir=${profile}`,
    ];
    const { stdout, stderr } = await run(chromium, [...common, "--virtual-time-budget=3000", ...flags, "--dump-dom", url], {
      timeout: 60_000,
      maxBuffer: 16_777_216,
    });
    return { dom: stdout, complaints: stderr.split("\n").filter((line) => /CONSOLE|Content Security Policy|Uncaught/.test(line)) };
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

test("rows, health and texts stand on the page, and nothing breaks the policy", { skip }, async () => {
  await using w = await world(sampleSheet(40));
  const { dom, complaints } = await open(`${w.url}/`, "--accept-lang=fr");
  assert.deepEqual(complaints, []);
  assert.match(dom, /data-state="ok"/);
  assert.match(dom, /Joueur 12</);
  assert.doesNotMatch(dom, /Joueur 13</);
  assert.match(dom, /En montrer plus \(28\)/);
  assert.match(dom, /12 lignes sur 40/);
  assert.match(dom, /<td class="number">37</);
  assert.doesNotMatch(dom, /<td class="number">Joueur/);
  assert.match(dom, new RegExp(`${w.url}</span>/api/tables/<span class="table-name">players`));
});

test("cells are text, whatever they hold", { skip }, async () => {
  const sheet = new Sheet();
  const nasty = `"><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  sheet.table(
    "players",
    "public",
    [...PLAYERS, { name: nasty, type: "string" }],
    players(3).map((row) => [...row.with(1, nasty), nasty]),
  );
  await using w = await world(sheet);
  const { dom, complaints } = await open(`${w.url}/`);
  assert.deepEqual(complaints, []);
  assert.doesNotMatch(dom, /<title>owned|<img src="?x/);
  assert.match(dom, /&lt;img src=x/);
});

test("without a public table the page says how to make one", { skip }, async () => {
  const sheet = new Sheet();
  sheet.table("players", "nobody", PLAYERS, players(3));
  await using w = await world(sheet);
  const { dom } = await open(`${w.url}/`);
  assert.match(dom, /<div class="empty" id="empty">/);
  assert.doesNotMatch(dom, /Joueur/);
});

test(
  "over plain HTTP, where browsers say no Sec-Fetch-Site, a form and a script of the operator's own page log in; another site's don't",
  { skip },
  async () => {
    const root = await mkdtemp(join(tmpdir(), "drover-site-"));
    try {
      const form = `<form method="post" action="$/api/login"><input name="name" value="Ada"><input name="secret" value="${CODES.ada}"></form>`;
      await writeFile(join(root, "index.html"), "<!doctype html><title>home</title>");
      await writeFile(join(root, "form.html"), `<!doctype html>${form.replace("$", "")}<script>document.forms[0].submit()</script>`);
      const call = `fetch("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: "Kim", secret: "${CODES.kim}" }) })`;
      await writeFile(
        join(root, "script.html"),
        `<!doctype html><p id="said"><script>${call}.then((r) => (said.textContent = "status " + r.status))</script>`,
      );
      await using w = await world(eventSheet(), root);
      const { port } = new URL(w.url);
      await writeFile(
        join(root, "evil.html"),
        `<!doctype html>${form.replace("$", `http://event.test:${port}`)}<script>document.forms[0].submit()</script>`,
      );
      const names = "--host-resolver-rules=MAP event.test 127.0.0.1,MAP evil.test 127.0.0.1";
      const logins = (): number => w.log.filter((line) => line.includes("a user has logged in")).length;
      const evil = await open(`http://evil.test:${port}/static/evil.html`, names);
      assert.match(evil.dom, /cross-site/);
      assert.equal(logins(), 0);
      const { dom } = await open(`http://event.test:${port}/static/form.html`, names);
      assert.match(dom, /<title>home/, dom);
      assert.equal(logins(), 1);
      assert.match((await open(`http://event.test:${port}/static/script.html`, names)).dom, /status 200/);
    } finally {
      await rm(root, { recursive: true });
    }
  },
);

interface Tab extends AsyncDisposable {
  /** Runs this expression again and again until it is true. */
  until(expression: string): Promise<void>;
  run(expression: string): Promise<unknown>;
  readonly complaints: string[];
}

/** A page that is driven: one browser, one tab, by the DevTools protocol. */
async function drive(url: string): Promise<Tab> {
  const profile = await mkdtemp(join(tmpdir(), "drover-browser-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"];
  const browser = spawn(chromium, [...flags, "--remote-allow-origins=*", `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let port = "";
  for await (const chunk of browser.stderr) {
    port += String(chunk);
    const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(port)?.[1];
    if (found === undefined) continue;
    port = found;
    break;
  }
  const made = (await (await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: "PUT" })).json()) as {
    webSocketDebuggerUrl: string;
  };
  const socket = new WebSocket(made.webSocketDebuggerUrl);
  await once(socket, "open");
  const waiting = new Map<number, (result: { readonly result?: { readonly value?: unknown } }) => void>();
  const complaints: string[] = [];
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; method?: string; result: object; params?: unknown };
    if (message.id !== undefined) waiting.get(message.id)?.(message.result);
    else if (
      message.method !== "Runtime.executionContextsCleared" &&
      /exceptionThrown|entryAdded|consoleAPICalled/.test(message.method ?? "")
    )
      complaints.push(JSON.stringify(message.params));
  });
  let last = 0;
  const call = (method: string, params: object = {}) =>
    new Promise<{ readonly result?: { readonly value?: unknown } }>((resolve) => {
      waiting.set((last += 1), resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  for (const domain of ["Runtime", "Log", "Page"]) await call(`${domain}.enable`);
  await call("Page.navigate", { url });
  const evaluate = async (expression: string) => (await call("Runtime.evaluate", { expression, awaitPromise: true })).result?.value;
  return {
    complaints,
    run: evaluate,
    async until(expression) {
      const end = performance.now() + 30_000;
      while ((await evaluate(expression)) !== true) {
        if (performance.now() > end) throw new Error(`in vain: ${expression}; ${String(await evaluate("document.body.innerText"))}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      const gone = once(browser, "exit");
      browser.kill("SIGKILL");
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

test("a row that is added on the page is shown, and followed into the spreadsheet", { skip }, async () => {
  const sheet = sampleSheet(40);
  const columns = [
    { name: "id", type: "auto" },
    { name: "kind", type: "auto" },
    { name: "points", type: "integer" },
  ] as const;
  sheet.table("actions", "public", columns, [["a1", "tag", 1]]);
  sheet.grant("actions", { append: "public" });
  sheet.table("box", "nobody", columns, []);
  sheet.grant("box", { append: "public" });
  await using w = await world(sheet);
  await using tab = await drive(`${w.url}/`);
  await tab.until("document.querySelector('#write')?.hidden === false");
  assert.deepEqual(await tab.run("[...document.querySelectorAll('#write input')].map((i) => i.name).join()"), "kind,points");
  assert.equal(await tab.run("[...document.querySelectorAll('#table option')].map((o) => o.value).join()"), "players,actions");
  await tab.run("document.querySelector('#write-form').requestSubmit()");
  await tab.until("document.querySelector('#write-status').textContent === 'Fill in one of the fields.'");
  await tab.run(
    "document.querySelector('#write [name=kind]').value = '=<b>escape'; document.querySelector('#write [name=points]').value = '7'",
  );
  await tab.run("document.querySelector('#write-form').requestSubmit()");
  await tab.until("document.querySelector('#write-status').textContent.startsWith('Accepted in')");
  await tab.until("document.querySelector('#body').innerText.includes('=<b>escape')");
  assert.deepEqual(w.sheet.asked[0]?.request.changes, [{ op: "append", values: { kind: "=<b>escape", points: 7 } }]);
  assert.match(w.sheet.asked[0]?.request.once?.key ?? "", /^[0-9a-f]{32}$/);
  const [[id, write]] = [...w.sheet.written] as [[string, Write]];
  w.sheet.written.set(id, { ...write, state: "landed", landedAt: (write.at + 1_500) as Timestamp });
  await tab.until(`document.querySelector('#write-status').textContent === 'In the spreadsheet 1.5 s after it was accepted: ${id}'`);
  w.sheet.refuse = { reason: "invalid", message: "points is to be a whole number", column: "points" };
  await tab.run("document.querySelector('#write [name=points]').value = '7.5'; document.querySelector('#write-form').requestSubmit()");
  await tab.until("document.querySelector('#write-status').textContent === 'Not added: points is to be a whole number'");
  assert.deepEqual(
    tab.complaints.filter((line) => !line.includes("422")),
    [],
  );
});

test("outside the demo, or where nobody may add rows, the page has no form", { skip }, async () => {
  await using w = await world(sampleSheet(3));
  const { dom } = await open(`${w.url}/`);
  assert.match(dom, /id="write"[^>]*hidden/);
  w.health.demo = false;
  assert.doesNotMatch((await open(`${w.url}/`)).dom, /write-form/);
});
