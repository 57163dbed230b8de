/** The readers of a drill: Ctrl-C is heard while they are made ready, too. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Load } from "../../../src/cli/drill/load.ts";
import { ms } from "../../../src/base/units.ts";
import { certificate } from "../../process/certificate.ts";
import { folder } from "../../support/cleanup.ts";
import { needs } from "../../support/needs.ts";
import { Barrier, World } from "./world.ts";

const PATIENCE = ms(60_000);

for (const [what, path] of [
  ["the first look at the service", "/"],
  ["the look at its tables", "/api/openapi.json"],
] as const)
  test(`Ctrl-C cuts ${what}`, async (t) => {
    const world = await World.begin(t);
    const hung = new Barrier();
    world.barriers.set(`${path} 1`, hung);
    const begun = Load.begin(world.url, 3, { patience: PATIENCE, signal: world.interrupted.signal });
    await hung.reached.promise;
    world.interrupt();
    await assert.rejects(begun, /Ctrl-C/); // a look that took all its time would say so
  });

test("Ctrl-C while the readers begin ends them; before anything it begins nothing", async (t) => {
  const world = await World.begin(t);
  const { signal } = world.interrupted;
  const hung = new Barrier();
  world.barriers.set("/ 3", hung); // the first two looks are answered
  const begun = Load.begin(world.url, 1, { patience: PATIENCE, signal });
  await hung.reached.promise;
  world.interrupt();
  await assert.rejects(begun, /Ctrl-C/);
  const before = world.asked.get("/");
  await assert.rejects(Load.begin(world.url, 1, { patience: PATIENCE, signal }), /Ctrl-C/);
  assert.equal(world.asked.get("/"), before);
});

test("a service with its own TLS is drilled whatever name its certificate is for", { skip: needs("openssl", "openssl") }, async (t) => {
  const made = certificate(folder(t), "api.example.org", { names: "DNS:api.example.org" });
  const world = await World.begin(t, { key: readFileSync(made.key), cert: readFileSync(made.cert) });
  assert.match(world.url, /^https:/);
  assert.equal((await world.service.get("/healthz")).status, 200);
  const load = await Load.begin(world.url, 1, { patience: PATIENCE, signal: world.interrupted.signal });
  const { good, lost, whys } = await load.stop();
  assert.ok(good > 0 && lost === 0, whys);
});

test("a request of a drill ends with Ctrl-C, but not while things are put back", async (t) => {
  const world = await World.begin(t);
  const hung = new Barrier();
  world.barriers.set("/hung 1", hung);
  const cut = world.service.get("/hung");
  await hung.reached.promise;
  world.interrupt();
  await assert.rejects(cut, { name: "AbortError" });
  await assert.rejects(world.service.get("/healthz"), { name: "AbortError" });
  world.service.isPatient = true;
  assert.equal((await world.service.get("/healthz")).status, 200);
});
