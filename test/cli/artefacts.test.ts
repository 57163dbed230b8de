/** What every artefact of `drover emit` promises, whichever it is. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { DroverError } from "../../src/base/errors.ts";
import { emit } from "../../src/cli/emit.ts";
import { defaultsOf, type Facts } from "../../src/cli/emit/artefact.ts";
import { allArtefacts, ARTEFACTS } from "../../src/cli/emit/artefacts.ts";
import { defaultFacts, factsOf } from "../../src/cli/emit/facts.ts";
import { emitHelp } from "../../src/cli/emit/help.ts";
import { targetOf, urlOf } from "../../src/cli/emit/target.ts";
import { flagOf, type AnySetting } from "../../src/settings/setting.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { machine, resolved } from "../settings/given.ts";

const settings: readonly AnySetting[] = SETTINGS;
const artefacts = await allArtefacts();
const facts = (flags: Readonly<Record<string, string>> = {}): Facts => factsOf(resolved({ flags }), machine());
const refused =
  (...parts: string[]) =>
  (e: unknown) =>
    e instanceof DroverError && e.code === "DROVER_E_USAGE" && e.exit === 64 && parts.every((part) => e.message.includes(part));

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-artefact-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

async function printed(t: TestContext, argv: readonly string[]): Promise<string> {
  let text = "";
  const write = t.mock.method(process.stdout, "write", (chunk: string) => ((text += chunk), true));
  try {
    assert.equal(await emit(argv), 0);
  } finally {
    write.mock.restore();
  }
  return text;
}

describe("the table of artefacts", () => {
  test("names, options and help fit together", async () => {
    const help = await emitHelp();
    const flags = new Set([...settings.map(flagOf), "--env-file", "--output", "--dry-run", "--force", "--help"]);
    for (const [i, name] of Object.keys(ARTEFACTS).entries()) {
      const { does, options = [], ...artefact } = artefacts[i] as (typeof artefacts)[number];
      assert.equal(artefact.name, name);
      assert.ok(does.length <= 60, `${name}: ${does}`);
      assert.ok(
        help.some(([head, text]) => head === name && text === does),
        name,
      );
      for (const option of options) assert.ok(!flags.has(`--${option.name}`), `${name} --${option.name} is a setting or a common flag`);
    }
    assert.ok(help.some(([head]) => head === "systemd"));
  });

  for (const artefact of artefacts) {
    test(`${artefact.name}: names its author, has no hole left, stays below --output`, () => {
      const files = artefact.files(defaultFacts(), defaultsOf(artefact));
      assert.ok(files.length > 0);
      for (const { path, text } of files) {
        assert.doesNotMatch(path, /^\/|^\.\.|\/\.\.\//);
        const { version } = defaultFacts();
        assert.ok(text.slice(0, 600).includes(`Written by \`drover emit ${artefact.name}\` (drover ${version})`), path);
        assert.doesNotMatch(text, /@[A-Z][A-Z_]+@/, path);
        assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"), path);
      }
      assert.notEqual(
        artefact
          .next(
            files.map(({ path }) => path),
            defaultFacts(),
          )
          .trim(),
        "",
      );
    });

    test(`${artefact.name}: every form of installation gives files, or an error that names the setting`, () => {
      const tls = { tls_cert: "/etc/drover/tls.pem", tls_key: "/etc/drover/tls.key" };
      for (const flags of [
        { bind: "unix:/run/drover.sock" },
        { bind: "fd://3" },
        tls,
        { app: "/srv/app.js" },
        { rate_limit: "off", drain_idle: "0" },
      ])
        try {
          assert.ok(
            artefact
              .files(facts(flags), defaultsOf(artefact))
              .every(({ path, text }) => !(path.endsWith(".js") ? /\[object/ : /undefined|NaN|\[object/).test(text)),
          );
        } catch (thrown) {
          assert.ok("bind" in flags && refused(`bind: ${flags.bind}`)(thrown), String(thrown));
        }
    });

    test(`${artefact.name}: no secret of the settings gets into a file`, () => {
      const token = "k".repeat(8) + "SECRET".repeat(8);
      const secrets = settings.filter(({ secret, codec }) => secret === true && codec.parse(token, "/").ok);
      const given = facts(Object.fromEntries(secrets.map(({ name }) => [name, token])));
      assert.ok(secrets.length > 3, `${secrets.length} secret settings take a text`);
      for (const { path, text } of artefact.files(given, defaultsOf(artefact))) assert.doesNotMatch(text, /SECRETSECRET/, path);
    });
  }
});

describe("drover emit NAME", () => {
  test("writes below --output, once; an edited file stays unless --force says otherwise", async (t) => {
    const dir = folder(t);
    const file = join(dir, "sub", "ab.sh");
    const args = ["ab", "--output", join(dir, "sub")];
    assert.match(await printed(t, args), new RegExp(`^wrote ${file}\n`));
    const first = readFileSync(file, "utf8");
    assert.equal(statSync(file).mode & 0o777, 0o755);
    assert.match(await printed(t, args), new RegExp(`^unchanged ${file}\n`));
    writeFileSync(file, `${first}# edited\n`);
    await assert.rejects(emit(args), refused(file, "--force", "Nothing was changed"));
    assert.equal(readFileSync(file, "utf8"), `${first}# edited\n`);
    assert.match(await printed(t, [...args, "--force"]), new RegExp(`^wrote ${file}\n`));
    assert.equal(readFileSync(file, "utf8"), first);
  });

  test("--dry-run prints every file under its path and writes none", async (t) => {
    const dir = folder(t);
    const text = await printed(t, ["ab", "--output", dir, "--dry-run"]);
    assert.ok(text.startsWith(`# ${join(dir, "ab.sh")}\n#!/bin/sh\n# Written by \`drover emit ab\` (drover `), text);
    assert.deepEqual(readdirSync(dir), []);
  });

  test("flags of settings count as they do for the daemon", async (t) => {
    assert.match(await printed(t, ["ab", "--bind", "0.0.0.0:9", "--dry-run"]), /http:\/\/127\.0\.0\.1:9\//);
    await assert.rejects(emit(["ab", "--bind", "nowhere", "--dry-run"]), /bind: "nowhere"/);
  });

  test("an unknown name, flag or word is refused, with what was meant", async () => {
    await assert.rejects(emit([]), refused("systemd, nginx"));
    await assert.rejects(emit(["constructor"]), refused("constructor", "expected one of"));
    await assert.rejects(emit(["systemed"]), refused("did you mean systemd?"));
    await assert.rejects(emit(["ab", "--ulr", "x"]), refused("--ulr", "--url"));
    await assert.rejects(emit(["ab", "surplus"]), refused("surplus"));
    await assert.rejects(emit(["ab", "--url", "http://x/$(reboot)"]), refused("--url"));
  });
});

test("the address of an installation is one that its machine can connect to", () => {
  const of = (bind: string, more: Readonly<Record<string, string>> = {}) => facts({ bind, ...more }).settings;
  assert.equal(urlOf(of(":81")), "http://127.0.0.1:81");
  assert.equal(urlOf(of("[::]:81")), "http://[::1]:81");
  assert.equal(urlOf(of("unix:/run/x.sock,10.0.0.7:82")), "http://10.0.0.7:82");
  assert.deepEqual(targetOf(of("unix:/run/x.sock,10.0.0.7:82")), { kind: "unix", path: "/run/x.sock" });
  for (const bind of ["fd://3", "127.0.0.1:0"]) assert.throws(() => targetOf(of(bind)), refused(bind, "--bind 127.0.0.1:8080"));
  assert.throws(() => urlOf(of("unix:/run/x.sock")), refused("unix:/run/x.sock"));
});
