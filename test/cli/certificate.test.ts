/** What is wrong with a certificate or its key is said before anybody is served with it, and in words. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { readCertificate } from "../../src/cli/certificate.ts";
import type { Settings } from "../../src/settings/table.ts";
import { needs } from "../support/needs.ts";
import { certificate } from "../process/certificate.ts";
import { problems } from "../settings/given.ts";

const skip = needs("openssl", "openssl");
const dir = mkdtempSync(join(tmpdir(), "drover-certificate-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const at = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text, { mode: 0o600 });
  return join(dir, name);
};
const read = (tls_cert: string | undefined, tls_key: string | undefined, now?: Date) =>
  readCertificate({ tls_cert, tls_key } as Settings, now);

test("a pair that fits, and when it ends", { skip }, () => {
  const own = certificate(dir, "own");
  chmodSync(own.key, 0o600);
  const found = read(own.cert, own.key);
  assert.deepEqual([found?.names, found?.warnings], ["DNS:localhost, IP Address:127.0.0.1", []]);
  assert.notEqual(read(own.cert, own.key)?.ticketKeys, found?.ticketKeys, "each generation has ticket keys of its own");
  assert.equal(read(undefined, undefined), undefined);
  const days = (n: number): Date => new Date(Date.now() + n * 86_400_000);
  assert.match(String(read(own.cert, own.key, days(80))?.warnings), /expires on \d{4}-\d\d-\d\d, in 9 days: renew it and reload/);
  assert.match(String(read(own.cert, own.key, days(91))?.warnings), /has expired on .*: clients will refuse it/);
  assert.match(String(read(own.cert, own.key, days(-2))?.warnings), /is not valid before .*: is this machine's clock right\?/);
  chmodSync(own.key, 0o644);
  assert.match(String(read(own.cert, own.key)?.warnings), /own\.key is readable for every user of this machine: chmod o= /);
});

test("what can't be served is refused: setting, file, why, what to do", { skip }, () => {
  const [own, other] = [certificate(dir, "one"), certificate(dir, "two")];
  const key = readFileSync(own.key, "utf8");
  const locked = join(dir, "locked.key");
  execFileSync("openssl", ["pkey", "-in", own.key, "-aes128", "-passout", "pass:x", "-out", locked], { stdio: "pipe" });
  const fifo = join(dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  const weak = certificate(dir, "weak", { algorithm: "rsa:512" });
  const broken = own.pem.replace(/\n(.)(.)/, "\n$2$1").replace("MII", "AAA");
  const cases: readonly (readonly [cert: string, key: string, says: RegExp])[] = [
    [own.cert, other.key, /DROVER_TLS_KEY .*two\.key is not the key of the certificate in DROVER_TLS_CERT .*one\.pem \(CN=one\)/],
    [own.key, own.cert, /DROVER_TLS_CERT .*one\.key holds a private key and no certificate: is it the other way round/],
    [own.cert, own.cert, /DROVER_TLS_KEY .*one\.pem holds a certificate and no key/],
    [at("both.pem", other.pem + own.pem), own.key, /the server's own certificate must come first; it is number 2 of 2/],
    [join(dir, "none"), own.key, /DROVER_TLS_CERT is .*none, which can't be read: ENOENT/],
    [dir, own.key, /which can't be read: it is no file/],
    [fifo, own.key, /which can't be read: it is no file/],
    [at("empty", ""), own.key, /holds no certificate: expected PEM/],
    [at("huge", "x".repeat(2_000_000)), own.key, /it is larger than 1048576 bytes/],
    [at("broken", broken), own.key, /certificate 1 in it can't be read/],
    [own.cert, at("nokey", "hello"), /holds no private key: expected PEM/],
    [own.cert, at("brokenkey", key.replace(/\n[^-][^]*\n-/, "\nAAAA\n-")), /can't be read as a key/],
    [own.cert, locked, /has a passphrase, and nobody is there to be asked for it/],
    [weak.cert, weak.key, /OpenSSL refuses them: .*key too small/],
  ];
  for (const [cert, keyFile, says] of cases)
    assert.throws(
      () => read(cert, keyFile),
      (error: Error & { code?: string }) => {
        assert.match(error.message, says);
        assert.ok(error.code === "DROVER_E_TLS" && !error.message.includes("BEGIN EC"), error.message);
        return !key.split("\n").some((line) => line.length > 20 && !line.startsWith("-") && error.message.includes(line));
      },
    );
});

test("a chain: complete, without its end, in disorder", { skip }, () => {
  const run = (...args: string[]): Buffer => execFileSync("openssl", args, { stdio: "pipe", cwd: dir });
  const root = certificate(dir, "root");
  const other = certificate(dir, "stranger");
  run(
    "req",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-subj",
    "/CN=leaf",
    "-keyout",
    "leaf.key",
    "-out",
    "leaf.csr",
  );
  run("x509", "-req", "-in", "leaf.csr", "-CA", root.cert, "-CAkey", root.key, "-CAcreateserial", "-days", "90", "-out", "leaf.pem");
  const leaf = readFileSync(join(dir, "leaf.pem"), "utf8");
  const [key, cert] = [join(dir, "leaf.key"), join(dir, "leaf.pem")];
  assert.match(String(read(cert, key)?.warnings), /comes without the intermediate one that issued it.*fullchain\.pem/);
  assert.deepEqual(read(at("full.pem", leaf + root.pem), key)?.warnings, []);
  assert.match(String(read(at("odd.pem", leaf + other.pem), key)?.warnings), /number 2 in it is not the one that issued number 1/);
});

test("one half of a pair, and the key itself for its path, are refused with the settings", () => {
  assert.deepEqual(problems({ env: { DROVER_TLS_CERT: "/x.pem" } }), [
    "tls_key: none: expected a path, because tls_cert is set (environment DROVER_TLS_CERT): TLS needs a certificate and its key",
  ]);
  assert.match(problems({ files: "DROVER_TLS_KEY=/x.key\n" }).join("\n"), /^tls_cert: none: expected a path, because tls_key is set/);
  const said = problems({ env: { DROVER_TLS_KEY: "-----BEGIN PRIVATE KEY-----\nabc", DROVER_TLS_CERT: "/x" } }).join("\n");
  assert.match(said, /expected the path of a key file, not the key itself/);
  assert.ok(!said.includes("abc"));
});
