/** The dashboard in a real browser. */
import assert from "node:assert/strict";
import test from "node:test";
import { said } from "../../src/admin/said.ts";
import { slotsState } from "../../src/base/slots.ts";
import { ms } from "../../src/base/units.ts";
import { child, place } from "../cli/statuses.ts";
import { skip } from "../browser/browser.ts";
import { openTab, type Tab } from "./tab.ts";
import { adminWorld, alert, VIEWER, type AdminWorld } from "./world.ts";

const bad = `"><img src=x onerror="document.title='owned'">`;

/** A world with figures to look at. */
async function board(t: Parameters<typeof adminWorld>[0]): Promise<AdminWorld> {
  const w = await adminWorld(t);
  w.snapshot = {
    ...w.snapshot,
    slots: slotsState(150, 200),
    workers: { target: 4, ready: 4 },
    upstream: {
      ...(w.snapshot.upstream ?? { state: "ok", message: "", quota: { used: 0, limit: 51, lockedUntil: 0 as never } }),
      tables: [
        { name: "a_table_whose_name_is_as_long_as_the_tab_in_the_sheet", rows: 1, version: 1, checkedAt: w.snapshot.at, warnings: 0 },
      ],
    },
    places: [...Array.from({ length: 4 }, (_, i) => place(i, { child: child({ pid: 5_000 + i }) })), place(0, { role: "broker" })],
  };
  return w;
}

async function loggedIn(w: AdminWorld, tab: Tab): Promise<void> {
  await tab.goto(`${w.url}/admin#ticket=${w.access.ticket("operator")}`);
  await tab.until("document.querySelector('#board')?.hidden === false && document.querySelectorAll('#workers tbody tr').length === 5");
}
const seen = "document.querySelector('#board').innerText";
const refresh = (tab: Tab) => tab.run("document.querySelector('#every').dispatchEvent(new Event('change'))");

test("a link logs in in a tab that already shows the dashboard", { skip }, async (t) => {
  const w = await board(t);
  const tab = await openTab(t);
  await tab.goto(`${w.url}/admin`);
  await tab.until("document.querySelector('#login')?.hidden === false");
  await loggedIn(w, tab); // only the address's hash changes
  assert.equal(await tab.run("location.hash"), "");
});

test("4.6: a link logs in and leaves no trace; figures, states, a full house, hostile names", { skip }, async (t) => {
  const w = await board(t);
  const tab = await openTab(t);
  await tab.look({ width: 1_280, height: 800, scheme: "light" });
  await loggedIn(w, tab);
  assert.equal(await tab.run("location.hash + document.cookie"), "", "the key is in no history, and no script sees the cookie");
  assert.match(String(await tab.run(seen)), /150 of 200 places taken \(75 %\), 50 free · HEALTHY/);
  assert.equal(await tab.run("document.querySelector('#every').value"), "5", "it refreshes every 5 s");
  assert.equal(
    await tab.run("document.querySelector('#gauge').getAttribute('aria-valuetext')"),
    "150 of 200 places taken (75 %), 50 free; HEALTHY",
  );
  // A worker falls silent, the house is full, Google is away, names are hostile: the same rows stay, and only their texts change.
  await tab.run(
    "window.row = document.querySelector('#workers tbody tr:nth-child(2)'); document.querySelector('#workers tbody tr:nth-child(2) button').focus()",
  );
  const places = w.snapshot.places.map((each, i) => (i === 1 ? { ...each, child: child({ pid: 5_001, beatAge: ms(12_400) }) } : each));
  w.snapshot = {
    ...w.snapshot,
    places,
    slots: slotsState(200, 200),
    advice: { limit: "slots", share: 1, reason: bad, step: "more" },
    alerts: [alert({ name: bad as never, level: "critical", text: bad })],
    upstream: {
      ...w.snapshot.upstream,
      state: "down",
      message: bad,
      tables: [{ name: bad, rows: 1, version: 1, checkedAt: 0, warnings: 2 }],
    } as never,
  };
  w.timeline.note({ what: "action", level: "info", text: bad }, w.snapshot.at);
  await refresh(tab);
  await tab.until("document.querySelector('#workers').innerText.includes('silent for 12 s')");
  const text = String(await tab.run(seen));
  for (const part of [/200 of 200 places taken \(100 %\), 0 free · FULL/, /▲/, /■ critical/, /Held back by\s+places/, /Google\s+away/])
    assert.match(text, part);
  assert.equal(await tab.run("document.querySelector('#assertive').textContent"), "Capacity is now: FULL");
  assert.equal(await tab.run("document.querySelector('#badge').innerText.replaceAll(/\\s+/g, ' ').trim()"), "■ FULL 200/200");
  assert.equal(
    await tab.run("window.row === document.querySelector('#workers tbody tr:nth-child(2)') && window.row.contains(document.activeElement)"),
    true,
    "the focus stays",
  );
  assert.notEqual(await tab.run("document.title"), "owned");
  assert.equal(await tab.run("document.querySelectorAll('img[src=x]').length"), 0);
  assert.deepEqual(tab.complaints, []);
});

test("3.8: response time, error rate, CPU and memory, and active connections are headline tiles", { skip }, async (t) => {
  const w = await board(t);
  const counters = { ...w.snapshot.counters, served: 1_000, status5xx: 30, refused5xx: 10, refused: 10 };
  w.history.take({ ...w.snapshot, counters: { ...counters, served: 0, status5xx: 0, refused5xx: 0 } });
  w.snapshot = {
    ...w.snapshot,
    counters,
    machine: { ...(w.snapshot.machine ?? ({} as never)), cpu: 0.34, ram: 0.615 },
    recent: { ...w.snapshot.recent, p50: ms(3), p95: ms(41) },
    places: w.snapshot.places.map((each, i) => ({ ...each, child: child({ pid: 5_000 + i, connections: 250, inFlight: 3 }) })),
  };
  w.history.take(w.snapshot);
  const tab = await openTab(t);
  await tab.look({ width: 1_280, height: 800, scheme: "light" });
  await loggedIn(w, tab);
  const tile = (name: string) =>
    tab.run(`[...document.querySelectorAll('#tile-${name} > :not(.spark)')].map((e) => e.innerText).join(' | ')`);
  assert.equal(await tile("p95"), "95 % answered within | 41 ms | half within 3 ms");
  assert.equal(await tile("errors"), "Error rate | 2% | 20 in all, 10 refused on purpose");
  assert.equal(await tile("connections"), "Active connections | 1,000 | requests in flight: 12");
  assert.equal(await tile("machine"), "CPU and memory | 34% | memory 61.5%");
  const above = "[...document.querySelectorAll('.tile')].every((e) => e.getBoundingClientRect().bottom < innerHeight / 2)";
  assert.equal(await tab.run(above), true, "they stand above everything else");
  assert.equal(await tab.run("document.documentElement.scrollWidth"), 1_280);
});

test("4.9: the launch schedule: its state and the reason, held and resumed; 4.8: days nearly full; 4.13: closed", { skip }, async (t) => {
  const w = await board(t);
  const tab = await openTab(t);
  await tab.look({ width: 1_280, height: 800, scheme: "light" });
  await loggedIn(w, tab);
  const shown = (id: string) => tab.run(`document.querySelector('#${id}').offsetParent !== null`);
  for (const id of ["schedule", "regular", "closed"]) assert.equal(await shown(id), false, id);
  const why = said`the launch schedule does not raise the maximum to ${200} slots: ${said`the CPU is at ${91} %`}`;
  const schedule = {
    state: "blocked",
    day: 14,
    step: 3,
    steps: 4,
    max: 150,
    scheduled: 150,
    next: null,
    text: why.text,
    said: why,
  } as const;
  w.snapshot = {
    ...w.snapshot,
    slots: slotsState(120, 150, "cpu"),
    schedule,
    usage: {
      timeAbove80pct: { "1d": ms(7_200_000), "7d": ms(9_000_000) },
      days: [],
      regular: {
        percent: 80,
        above: 160,
        of: 200,
        days: 4,
        short: [],
        reason: said`${160} of ${200} slots or more were taken on ${4} of the last ${7} days${said``}`,
        step: said`set DROVER_MAX_SLOTS=${250}: the machine carries more`,
      },
    },
  };
  await refresh(tab);
  await tab.until("document.querySelector('#schedule').offsetParent !== null");
  const text = String(await tab.run(seen));
  for (const part of [
    why.text,
    "New sessions are refused",
    "160 of 200 slots or more were taken on 4 of the last 7 days → set DROVER_MAX_SLOTS=250",
    "2 h",
  ])
    assert.ok(text.includes(part), part);
  await tab.run("document.querySelector('#language').click()");
  await tab.until("document.querySelector('#schedule').innerText.includes('ne passe pas à 200 places\u00a0: le processeur est à 91 %')");
  await tab.run("document.querySelector('#schedule-hold').click()");
  await tab.until("document.querySelector('#dialog').open");
  await tab.run("document.querySelector('#dialog-yes').click()");
  await tab.until("!document.querySelector('#dialog').open");
  w.snapshot = { ...w.snapshot, schedule: { ...schedule, state: "held" } };
  await refresh(tab);
  await tab.until("document.querySelector('#schedule-resume').offsetParent !== null");
  assert.deepEqual([w.orders, await shown("schedule-hold"), tab.complaints], [["schedule hold"], false, []]);
});

test("orders: asked first, done once; pause, sort, keyboard; and out", { skip }, async (t) => {
  const w = await board(t);
  const tab = await openTab(t);
  await tab.look({ width: 1_280, height: 800, scheme: "dark" });
  await loggedIn(w, tab);
  const click = (selector: string) => tab.run(`document.querySelector(${JSON.stringify(selector)}).click()`);
  const yes = async () => (
    await tab.until("document.querySelector('#dialog').open"),
    await click("#dialog-yes"),
    await tab.until("!document.querySelector('#dialog').open")
  );
  await click("#reload");
  await tab.until("document.querySelector('#dialog').open");
  await tab.key("Escape");
  await tab.until("!document.querySelector('#dialog').open");
  assert.deepEqual(w.orders, [], "Escape means no");
  await click("#reload");
  await yes();
  await click("#workers tbody tr:nth-child(3) button:nth-child(2)");
  await yes();
  await click("#more");
  await tab.run("Object.assign(document.querySelector('#max-slots'), { value: 100 }); document.querySelector('#limits').requestSubmit()");
  await tab.until(
    "document.querySelector('#dialog').open && document.querySelector('#dialog').innerText.includes('150 are in: nobody is put out')",
  );
  await yes();
  await click("#purge");
  await click("#workers tbody tr:nth-child(1) button:nth-child(1)");
  await tab.until("document.querySelector('#dialog-pre').textContent === 'stack 0 is done'");
  await click("#dialog-yes");
  assert.deepEqual(new Set(w.orders), new Set(["maxSlots 100", "purge all", "recycle 2", "reload", "scale 5", "stack 0"]));
  assert.equal(w.orders.length, 6);
  // Sorted by a column, with the keyboard.
  await tab.run("document.querySelector('#workers th[data-key=process] button').focus()");
  await tab.key("Enter");
  await tab.until("document.querySelector('#workers tbody tr').innerText.startsWith('broker')");
  assert.equal(await tab.run("document.querySelector('#workers th[data-key=process]').ariaSort"), "descending");
  // Paused, nothing is asked for.
  await click("#pause");
  const before = w.reached;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(w.reached, before);
  assert.equal(await tab.run("document.querySelector('#pause').ariaPressed"), "true");
  await click("#pause");
  // The daemon is away: the figures stay, and the page says how old they are.
  const { snapshot } = w;
  w.snapshot = undefined as never;
  await refresh(tab);
  await tab.until("!document.querySelector('#stale').hidden && document.querySelector('#stale').innerText.startsWith('No answer for')");
  assert.equal(await tab.run("document.querySelector('#board').hidden"), false);
  w.snapshot = snapshot;
  await refresh(tab);
  await tab.until("document.querySelector('#stale').hidden");
  await click("#logout");
  await tab.until("!document.querySelector('#login').hidden && document.querySelector('#board').hidden");
  assert.equal((await w.ask("/api/admin/session")).json["logged_in"], false);
  assert.equal(await tab.run("document.activeElement.id"), "token");
});

test(
  "writes that were set aside: listed with their reasons, tried again and given up, asked first, with the keyboard",
  { skip },
  async (t) => {
    const w = await board(t);
    const at = w.snapshot.at;
    w.aside = Array.from({ length: 12 }, (_, i) => ({
      id: `w${i}`,
      table: bad,
      op: "append",
      key: `k${i}`,
      reason: `no ${i} ${bad}`,
      at,
      parkedAt: at,
    }));
    const put = (): void => {
      const writes = { delivery: "exactly-once", waiting: 0, waitingBytes: 0, oldest: 0, landed: 3, parked: 12, setAside: w.aside.length };
      const rest = { quota: { used: 0, limit: 51, lockedUntil: 0 }, timeToSheet: { p50: null, p99: null } };
      w.snapshot = { ...w.snapshot, upstream: { ...w.snapshot.upstream, writes: { ...writes, ...rest } } as never };
    };
    put();
    const tab = await openTab(t);
    await tab.look({ width: 360, height: 800, scheme: "light" });
    await loggedIn(w, tab);
    await tab.until("document.querySelectorAll('#aside-list li').length === 10");
    const list = String(await tab.run("document.querySelector('#aside').innerText"));
    for (const part of ["12 set aside: Google refuses them", "no 0", "and 2 more", "add k3"])
      assert.ok(list.includes(part), `${part}: ${list}`);
    assert.match(String(await tab.run("document.querySelector('#aside-list button').getAttribute('aria-label')")), /^Try again: add k0, /);
    assert.equal(await tab.run("document.documentElement.scrollWidth"), 360);
    await tab.run("document.querySelector('#aside-list li:nth-child(2) button').focus()");
    await tab.key("Enter");
    await tab.until(
      "document.querySelector('#dialog').open && document.querySelector('#dialog').innerText.includes('Has the sheet been mended?')",
    );
    await tab.key("Escape");
    await tab.until("!document.querySelector('#dialog').open");
    assert.deepEqual(w.orders, []);
    await tab.key("Enter");
    await tab.until("document.querySelector('#dialog').open");
    await tab.key("Enter");
    await tab.until("!document.querySelector('#dialog').open && !document.querySelector('#aside-list').innerText.includes('add k1,')");
    await tab.run("document.querySelector('#discard-all').click()");
    await tab.until("document.querySelector('#dialog').open");
    await tab.key("Enter");
    await tab.until("document.querySelector('#aside').hidden");
    assert.deepEqual(w.orders, ["retry w1", "discard all"]);
    assert.deepEqual(tab.complaints, []);
  },
);

test("French on a phone, by a token; a viewer sees no order; nothing is wider than the screen", { skip }, async (t) => {
  const w = await board(t);
  const capacity = said`${150} of ${200} slots are taken (${75.5} %)`;
  const words = { reason: said`the CPU is at ${"95 %"} with ${4} workers on ${2} cores`, step: said`more cores` };
  w.snapshot = {
    ...w.snapshot,
    advice: { limit: "cpu", share: 1, reason: words.reason.text, step: words.step.text, said: words },
    alerts: [
      alert({ text: capacity.text, said: capacity }),
      alert({ name: "google", text: "as it is", said: said`nobody translates ${1}` }),
    ],
  };
  const tab = await openTab(t, "fr-FR");
  for (const width of [360, 390, 768, 1_280]) {
    await tab.look({ width, height: 844, scheme: "light" });
    if (width === 360) {
      await tab.goto(`${w.url}/admin`);
      await tab.until("!document.querySelector('#login').hidden && document.querySelector('#login').innerText.includes('Connexion')");
      const type = (token: string) =>
        tab.run(`document.querySelector('#token').value = ${JSON.stringify(token)}; document.querySelector('#login-form').requestSubmit()`);
      await type("a token that is none at all");
      await tab.until("document.querySelector('#login-error').textContent.startsWith('Ce jeton')");
      await type(VIEWER);
      await tab.until("document.querySelector('#board').hidden === false");
      assert.match(String(await tab.run(seen)), /150 places prises sur 200 \(75 %\), 50 libres · NORMALE/);
      assert.equal(
        await tab.run(
          "[...document.querySelectorAll('#advice, #alerts li span:nth-of-type(2)')].map((node) => `${node.lang} ${node.textContent}`).join()",
        ),
        [
          "fr le processeur est à 95 % avec 4 workers sur 2 cœurs → plus de cœurs",
          "fr 150 places sur 200 sont prises (75,5 %)",
          "en as it is",
        ].join(),
      );
      assert.equal(await tab.run("[...document.querySelectorAll('.operator')].some((node) => node.checkVisibility())"), false);
    }
    assert.ok(Number(await tab.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")) <= 0, `${width}`);
  }
  assert.deepEqual(tab.complaints, []);
});
