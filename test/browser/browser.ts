/** A real browser: Debian's Chromium, driven by playwright-core. */
import { after, type TestContext } from "node:test";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { needs } from "../support/needs.ts";

const EXECUTABLE = "/usr/bin/chromium";
export const skip = needs(EXECUTABLE, "chromium");

export const PHONE = { width: 390, height: 844 } as const;
export const SMALL = { width: 360, height: 640 } as const;

/** A page of its own (cookies, storage), and what the browser complained about on it. */
export interface Tab {
  readonly page: Page;
  /** Errors of scripts, and what breaks the policy; a refused request is none. */
  readonly complaints: string[];
}

/** By their flags: a start takes two seconds of CPU, and contexts keep the tests of a file apart. */
const running = new Map<string, Promise<Browser>>();
after(async () => {
  for (const browser of running.values()) await (await browser).close();
});

function chromiumWith(flags: readonly string[]): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-dev-shm-usage", ...flags];
  const browser = running.get(args.join(" ")) ?? chromium.launch({ executablePath: EXECUTABLE, args });
  running.set(args.join(" "), browser);
  return browser;
}

/** Its pages end with the test. @param flags of Chromium. */
export async function startBrowser(
  t: TestContext,
  flags: readonly string[] = [],
): Promise<(url: string, options?: BrowserContextOptions) => Promise<Tab>> {
  const browser = await chromiumWith(flags);
  return async (url, options = {}) => {
    const context = await browser.newContext({ viewport: PHONE, locale: "en-GB", ...options });
    t.after(() => context.close());
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
    });
    page.on("dialog", (dialog) => {
      complaints.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return { page, complaints };
  };
}
