import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CODES, eventSheet } from "../app/session/people.ts";
import { world } from "../app/world.ts";
import { temporaryFolder } from "../support/folder.ts";
import { skip, startBrowser } from "./browser.ts";

test(
  "over plain HTTP, where browsers say no Sec-Fetch-Site, a form and a script of the operator's own page log in; another site's don't",
  { skip },
  async (t) => {
    const root = temporaryFolder("site");
    const page = (name: string, html: string): void => writeFileSync(join(root, name), `<!doctype html>${html}`);
    const form = (target: string): string =>
      `<form method="post" action="${target}/api/login"><input name="name" value="Ada"><input name="secret" value="${CODES.ada}"></form><script>document.forms[0].submit()</script>`;
    const body = JSON.stringify({ name: "Kim", secret: CODES.kim });
    const call = `fetch("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: ${JSON.stringify(body)} })`;
    page("index.html", "<title>home</title>");
    page("form.html", form(""));
    page("script.html", `<p id="said"><script>${call}.then((r) => (said.textContent = "status " + r.status))</script>`);
    const open = await startBrowser(t, ["--host-resolver-rules=MAP event.test 127.0.0.1,MAP evil.test 127.0.0.1"]);
    await using w = await world(eventSheet(), root);
    const { port } = new URL(w.url);
    page("evil.html", form(`http://event.test:${port}`));
    const logins = (): number => w.log.filter((line) => line.includes("a user has logged in")).length;
    const evil = await open(`http://evil.test:${port}/static/evil.html`);
    await evil.page.getByText("cross-site").waitFor();
    assert.equal(logins(), 0);
    const own = await open(`http://event.test:${port}/static/form.html`);
    await own.page.waitForURL(`http://event.test:${port}/`);
    assert.equal(await own.page.title(), "home");
    assert.equal(logins(), 1);
    const script = await open(`http://event.test:${port}/static/script.html`);
    await script.page.getByText("status 200").waitFor();
  },
);
