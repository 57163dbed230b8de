/** The dashboard in a real browser: expressions are run by the DevTools protocol, which the page's policy does not hold back. */
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startBrowser } from "../browser/browser.ts";

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

export interface Tab {
  goto(url: string): Promise<void>;
  run(expression: string): Promise<unknown>;
  /** Runs an expression again and again until it is true. */
  until(expression: string): Promise<void>;
  look(view: View): Promise<void>;
  key(key: string): Promise<void>;
  /** What the browser complained about: errors, breaches of the policy. */
  readonly complaints: string[];
}

/** Ends with the test. @param locale of the browser: `en-GB`, `fr-FR`. */
export async function openTab(t: TestContext, locale = "en-GB"): Promise<Tab> {
  const open = await startBrowser(t);
  const { page, complaints } = await open("about:blank", { locale });
  const devtools = await page.context().newCDPSession(page);
  const run = async (expression: string): Promise<unknown> =>
    (await devtools.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result.value;
  return {
    run,
    complaints,
    async goto(url) {
      await page.goto(url);
    },
    async until(expression) {
      const end = performance.now() + 30_000;
      while ((await run(expression)) !== true) {
        if (performance.now() > end) throw new Error(`in vain: ${expression}; ${String(await run("document.body.innerText"))}`);
        await sleep(50);
      }
    },
    async look({ width, height, scheme }) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme });
    },
    key: (key) => page.keyboard.press(key),
  };
}
