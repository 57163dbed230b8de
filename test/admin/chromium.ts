/** A page in a real browser, driven by the DevTools protocol: one browser, one tab. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

export interface Tab extends AsyncDisposable {
  goto(url: string): Promise<void>;
  run(expression: string): Promise<unknown>;
  /** Runs an expression again and again until it is true. */
  until(expression: string): Promise<void>;
  look(view: View): Promise<void>;
  /** Bytes of a picture of the whole page. */
  picture(file: string): Promise<void>;
  key(key: string): Promise<void>;
  /** What the browser complained about: errors, breaches of the policy. */
  readonly complaints: string[];
  /** Bytes that came over the network since the last call. */
  received(): number;
}

interface Result {
  readonly result?: { readonly value?: unknown };
  readonly exceptionDetails?: unknown;
  readonly data?: string;
}
type Call = (method: string, params?: object) => Promise<Result>;

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--remote-debugging-port=0",
  "--remote-allow-origins=*",
];

async function openBrowser(language: string) {
  const profile = await mkdtemp(join(tmpdir(), "drover-chromium-"));
  const browser = spawn(
    "chromium",
    [...FLAGS, `--accept-lang=${language}`, `--lang=${language}`, `--user-data-dir=${profile}`, "about:blank"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const port = await new Promise<string>((resolve, reject) => {
    let said = "";
    browser.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    browser.once("exit", () => reject(new Error(`chromium ended: ${said}`)));
  });
  const close = async (): Promise<void> => {
    const gone = once(browser, "exit");
    browser.kill("SIGKILL");
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { port, close };
}

/** @param language of the browser: `en`, `fr`. */
export async function openTab(language = "en"): Promise<Tab> {
  const { port, close } = await openBrowser(language);
  const made = (await (await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: "PUT" })).json()) as {
    webSocketDebuggerUrl: string;
  };
  const socket = new WebSocket(made.webSocketDebuggerUrl);
  await once(socket, "open");
  const waiting = new Map<number, (result: Result) => void>();
  const complaints: string[] = [];
  let bytes = 0;
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; method?: string; result: Result; params?: { encodedDataLength?: number } };
    if (message.id !== undefined) return waiting.get(message.id)?.(message.result);
    if (message.method === "Network.loadingFinished") bytes += message.params?.encodedDataLength ?? 0;
    if (/exceptionThrown|entryAdded|consoleAPICalled/.test(message.method ?? "")) complaints.push(JSON.stringify(message.params));
  });
  let last = 0;
  const call: Call = (method, params = {}) =>
    new Promise((resolve) => {
      waiting.set((last += 1), resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  for (const domain of ["Runtime", "Log", "Page", "Network"]) await call(`${domain}.enable`);
  return {
    ...tabOf(call),
    complaints,
    received: () => ([bytes, (bytes = 0)] as const)[0],
    [Symbol.asyncDispose]: async () => (socket.close(), await close()),
  };
}

function tabOf(call: Call): Pick<Tab, "goto" | "run" | "until" | "look" | "picture" | "key"> {
  const run = async (expression: string): Promise<unknown> =>
    (await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result?.value;
  return {
    run,
    async goto(url) {
      await call("Page.navigate", { url });
    },
    async until(expression) {
      const end = performance.now() + 30_000;
      while ((await run(expression)) !== true) {
        if (performance.now() > end) throw new Error(`in vain: ${expression}; ${String(await run("document.body.innerText"))}`);
        await sleep(50);
      }
    },
    async look({ width, height, scheme }) {
      await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    },
    async picture(file) {
      const { data = "" } = await call("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
      await writeFile(file, Buffer.from(data, "base64"));
    },
    async key(key) {
      const codes: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, Escape: 27 };
      const event = { key, code: key, windowsVirtualKeyCode: codes[key] ?? 0, ...(key === "Enter" ? { text: "\r" } : {}) };
      await call("Input.dispatchKeyEvent", { type: "keyDown", ...event });
      await call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    },
  };
}
