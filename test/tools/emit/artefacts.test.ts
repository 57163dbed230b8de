/** What every artefact of `drover emit` promises. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { DroverError } from "../../../src/base/errors.ts";
import { flagOf, type AnySetting } from "../../../src/settings/setting.ts";
import { SETTINGS } from "../../../src/settings/table.ts";
import { ARTEFACTS } from "../../../src/tools/emit/artefacts.ts";
import { emit, emitHelp } from "../../../src/tools/emit/command.ts";
import { targetOf, urlOf } from "../../../src/tools/emit/installation.ts";
import { emitted, renderText } from "../../../src/tools/emit/render.ts";
import { emptyFolder, filesOf, installed } from "./emitted.ts";

const settings: readonly AnySetting[] = SETTINGS;
const refused =
  (...parts: string[]) =>
  (e: unknown) =>
    e instanceof DroverError &&
    e.code === "DROVER_E_USAGE" &&
    e.exit === 64 &&
    parts.every((part) => e.message.includes(part));

async function printed(t: TestContext, argv: readonly string[]): Promise<string> {
  let text = "";
  const keep = (chunk: string): boolean => ((text += chunk), true);
  const write = t.mock.method(process.stdout, "write", keep);
  try {
    assert.equal(await emit(argv), 0);
  } finally {
    write.mock.restore();
  }
  return text;
}

describe("the table of artefacts", () => {
  test("names, options and help fit together", () => {
    const help = emitHelp();
    const common = ["--env-file", "--output", "--dry-run", "--force", "--help"];
    const flags = new Set([...settings.map(flagOf), ...common]);
    for (const [name, { summary, options = [] }] of Object.entries(ARTEFACTS)) {
      assert.ok(summary.length <= 60, `${name}: ${summary}`);
      assert.ok(
        help.some(([head, text]) => head === name && text === summary),
        name,
      );
      for (const option of options)
        assert.ok(!flags.has(`--${option.name}`), `${name} --${option.name} is used twice`);
    }
    assert.ok(help.some(([head]) => head === "systemd"));
  });

  for (const [name, artefact] of Object.entries(ARTEFACTS)) {
    test(`${name}: names its author, has no hole left, stays below --output`, () => {
      const given = installed();
      const { files, next } = emitted(name, artefact, given);
      assert.ok(files.length > 0);
      for (const { path, text } of files) {
        assert.doesNotMatch(path, /^\/|^\.\.|\/\.\.\//);
        const author = `Written by \`drover emit ${name}\` (drover ${given.version})`;
        assert.ok(text.slice(0, 600).includes(author), path);
        assert.doesNotMatch(text, /<%|%>/, path);
        assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"), path);
      }
      assert.match(next(files.map(({ path }) => path)), /\S\n$/);
    });

    test(`${name}: every form of installation gives files, or an error that names the setting`, () => {
      for (const flags of [
        { bind: "unix:/run/drover.sock" },
        { bind: "fd://3" },
        { tls_cert: "/etc/drover/tls.pem", tls_key: "/etc/drover/tls.key" },
        { app: "/srv/app.js" },
        { rate_limit: "off", drain_idle: "0" },
      ])
        try {
          for (const { path, text } of filesOf(name, {}, installed(flags)))
            assert.doesNotMatch(text, path.endsWith(".js") ? /\[object/ : /undefined|NaN|\[object/);
        } catch (thrown) {
          assert.ok("bind" in flags && refused(`bind: ${flags.bind}`)(thrown), String(thrown));
        }
    });

    test(`${name}: no secret of the settings gets into a file`, () => {
      const token = "k".repeat(8) + "SECRET".repeat(8);
      const secrets = settings.filter(
        (row) => row.secret === true && row.codec.parse(token, "/").ok,
      );
      assert.ok(secrets.length > 3, `${secrets.length} secret settings take a text`);
      const given = installed(Object.fromEntries(secrets.map((row) => [row.name, token])));
      for (const { path, text } of filesOf(name, {}, given))
        assert.doesNotMatch(text, /SECRETSECRET/, path);
    });

    for (const { name: option, value } of artefact.options ?? [])
      if (value !== undefined && option !== "profile")
        test(`${name} --${option}: a text that another program would read differently is refused`, () => {
          for (const text of [
            "",
            " ",
            "x y",
            "a\nb",
            "$(id)",
            "`id`",
            "a'b",
            'a"b',
            "a;b",
            "a{b}",
            "#a",
            "%h",
          ])
            assert.throws(
              () => filesOf(name, { [option]: text }),
              refused(`--${option} ${text}`),
              text,
            );
        });
  }
});

describe("a template", () => {
  test("prints texts and numbers as they are: nothing is escaped or evaluated again", () => {
    const words = { a: `<&'">`, b: "<%= a %> $& `${a}` \\n", n: 0.5 };
    assert.equal(
      renderText("t", "<%= a %>|<%= b %>|<%= n %>\n", words),
      `${words.a}|${words.b}|0.5\n`,
    );
  });

  test("needs a value for each hole: a missing one, a list or an object is a bug", () => {
    const values = { list: ["a"], object: {}, none: undefined, not: Number.NaN };
    for (const name of ["missing", "list", "object", "none", "not", "constructor"])
      assert.throws(
        () => renderText("drover.conf", `<%= ${name} %>`, values),
        (e) =>
          e instanceof DroverError &&
          e.code === "DROVER_E_BUG" &&
          e.message.startsWith("drover.conf: "),
        name,
      );
  });
});

describe("drover emit NAME", () => {
  test("writes below --output, once; an edited file stays unless --force says otherwise", async (t) => {
    const dir = emptyFolder(t);
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
    const dir = emptyFolder(t);
    const text = await printed(t, ["ab", "--output", dir, "--dry-run"]);
    const head = `# ${join(dir, "ab.sh")}\n#!/bin/sh\n# Written by \`drover emit ab\` (drover `;
    assert.ok(text.startsWith(head), text);
    assert.deepEqual(readdirSync(dir), []);
  });

  test("flags of settings count as they do for the daemon", async (t) => {
    const text = await printed(t, ["ab", "--bind", "0.0.0.0:9", "--dry-run"]);
    assert.match(text, /http:\/\/127\.0\.0\.1:9\//);
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
  const of = (bind: string) => installed({ bind }).settings;
  assert.equal(urlOf(of(":81")), "http://127.0.0.1:81");
  assert.equal(urlOf(of("[::]:81")), "http://[::1]:81");
  assert.equal(urlOf(of("unix:/run/x.sock,10.0.0.7:82")), "http://10.0.0.7:82");
  const socket = { kind: "unix", path: "/run/x.sock" };
  assert.deepEqual(targetOf(of("unix:/run/x.sock,10.0.0.7:82")), socket);
  for (const bind of ["fd://3", "127.0.0.1:0"])
    assert.throws(() => targetOf(of(bind)), refused(bind, "--bind 127.0.0.1:8080"));
  assert.throws(() => urlOf(of("unix:/run/x.sock")), refused("unix:/run/x.sock"));
});
