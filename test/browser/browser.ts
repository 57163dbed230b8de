/** A real browser: Debian's Chromium, driven by playwright-core. */
import type { TestContext } from "node:test";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { needs } from "../needs.ts";

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

/** Ends with the test. @param flags of Chromium. */
export async function startBrowser(
  t: TestContext,
  flags: readonly string[] = [],
): Promise<(url: string, options?: BrowserContextOptions) => Promise<Tab>> {
  const browser: Browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...flags],
  });
  t.after(() => browser.close());
  return async (url, options = {}) => {
    const context = await browser.newContext({ viewport: PHONE, locale: "en-GB", ...options });
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
