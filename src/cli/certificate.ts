/** The certificate and its key, read and judged before anybody is served with them: what is wrong is said in words, at the start, on a reload and by `check`. */
import { createPrivateKey, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { DroverError, messageOf } from "../base/errors.ts";
import { tls } from "../base/http.ts";
import type { Settings } from "../settings/table.ts";
import type { TlsConfig } from "../worker/config.ts";

export interface Certificate extends TlsConfig {
  /** The names it is for, as it has them: `DNS:example.org, IP Address:127.0.0.1`. */
  readonly names: string;
  readonly validFromDate: Date;
  readonly validToDate: Date;
  /** Where it was read. */
  readonly file: string;
  readonly fingerprint: string;
  /** What is no reason to refuse it. */
  readonly warnings: readonly string[];
}

/** More is no certificate. */
const LARGEST = 1_048_576;
const DAY = 86_400_000;
/** Let's Encrypt's live 90 days, and are renewed 30 before their end. */
const SOON = 14 * DAY;

const CERTIFICATES = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;
const PRIVATE = /-----BEGIN (?:\w+ )*PRIVATE KEY-----/;

/**
 * @returns undefined when the settings name none.
 * @throws DroverError DROVER_E_TLS naming the setting, the file, what is wrong and what to do.
 */
export function readCertificate({ tls_cert: certFile, tls_key: keyFile }: Settings, now = new Date()): Certificate | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined;
  const cert = textOf(certFile, "DROVER_TLS_CERT");
  const key = textOf(keyFile, "DROVER_TLS_KEY");
  const chain = chainOf(cert, certFile);
  const [own] = chain as [X509Certificate, ...X509Certificate[]];
  checkPair(chain, keyOf(key, keyFile), { certFile, keyFile });
  try {
    tls().createSecureContext({ cert, key });
  } catch (error) {
    throw refused(`DROVER_TLS_CERT ${certFile} and DROVER_TLS_KEY ${keyFile}: OpenSSL refuses them: ${messageOf(error)}`, error);
  }
  return {
    cert,
    key,
    ticketKeys: randomBytes(48).toString("base64"),
    names: own.subjectAltName ?? own.subject.replaceAll("\n", ", "),
    validFromDate: own.validFromDate,
    validToDate: own.validToDate,
    file: certFile,
    fingerprint: own.fingerprint256,
    warnings: [...expiryWarnings(own, now, certFile), ...chainWarnings(chain, certFile), ...modeWarnings(keyFile)],
  };
}

/** What to say of a certificate's end; empty while it is far. */
export function expiryWarnings(
  { validFromDate, validToDate }: Pick<X509Certificate, "validFromDate" | "validToDate">,
  now: Date,
  file: string,
): string[] {
  const left = validToDate.getTime() - now.getTime();
  const end = validToDate.toISOString().slice(0, 10);
  if (left <= 0) return [`the certificate ${file} has expired on ${end}: clients will refuse it; renew it and reload`];
  if (validFromDate > now)
    return [`the certificate ${file} is not valid before ${validFromDate.toISOString()}: is this machine's clock right?`];
  return left < SOON ? [`the certificate ${file} expires on ${end}, in ${Math.floor(left / DAY)} days: renew it and reload`] : [];
}

/** For `check`: one line. */
export function certificateText({ names, validToDate: validTo }: Certificate, now = new Date()): string {
  const days = Math.floor((validTo.getTime() - now.getTime()) / DAY);
  return `tls: ${names}; valid until ${validTo.toISOString().slice(0, 10)} (${days} days)`;
}

const refused = (message: string, cause?: unknown): DroverError => new DroverError("DROVER_E_TLS", message, { cause });

function textOf(file: string, setting: string): string {
  try {
    const { size } = requireFile(file);
    if (size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw refused(`${setting} is ${file}, which can't be read: ${messageOf(error)}`, error);
  }
}

/** @throws Error for what would never end, or be no file at all. */
function requireFile(file: string): { readonly size: number } {
  const found = statSync(file);
  if (!found.isFile()) throw new Error("it is no file");
  return found;
}

function chainOf(text: string, file: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATES) ?? [];
  if (blocks.length === 0)
    throw refused(
      PRIVATE.test(text)
        ? `DROVER_TLS_CERT ${file} holds a private key and no certificate: is it the other way round with DROVER_TLS_KEY?`
        : `DROVER_TLS_CERT ${file} holds no certificate: expected PEM, which begins with -----BEGIN CERTIFICATE-----`,
    );
  return blocks.map((block, nr) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw refused(`DROVER_TLS_CERT ${file}: certificate ${nr + 1} in it can't be read: ${messageOf(error)}`, error);
    }
  });
}

function keyOf(text: string, file: string): KeyObject {
  if (!PRIVATE.test(text))
    throw refused(
      /BEGIN CERTIFICATE/.test(text)
        ? `DROVER_TLS_KEY ${file} holds a certificate and no key: is it the other way round with DROVER_TLS_CERT?`
        : `DROVER_TLS_KEY ${file} holds no private key: expected PEM, which begins with -----BEGIN PRIVATE KEY-----`,
    );
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text))
    throw refused(`DROVER_TLS_KEY ${file} has a passphrase, and nobody is there to be asked for it: openssl pkey -in ${file} -out WITHOUT`);
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw refused(`DROVER_TLS_KEY ${file} can't be read as a key: ${messageOf(error)}`, error);
  }
}

function checkPair(
  chain: readonly X509Certificate[],
  key: KeyObject,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
): void {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return;
  if (at > 0)
    throw refused(`DROVER_TLS_CERT ${certFile}: the server's own certificate must come first; it is number ${at + 1} of ${chain.length}`);
  throw refused(
    `DROVER_TLS_KEY ${keyFile} is not the key of the certificate in DROVER_TLS_CERT ${certFile} (${chain[0]?.subject.replaceAll("\n", ", ")}): ` +
      "expected a pair; was one of the two renewed without the other?",
  );
}

function chainWarnings(chain: readonly X509Certificate[], file: string): string[] {
  for (const [nr, certificate] of chain.entries()) {
    const next = chain[nr + 1];
    if (certificate.issuer === certificate.subject || (next !== undefined && certificate.checkIssued(next))) continue;
    if (next !== undefined) return [`the certificate ${file}: number ${nr + 2} in it is not the one that issued number ${nr + 1}`];
    if (nr === 0)
      return [`the certificate ${file} comes without the intermediate one that issued it: many clients need it (fullchain.pem)`];
  }
  return [];
}

function modeWarnings(file: string): string[] {
  return (statSync(file).mode & 0o004) === 0 ? [] : [`the key ${file} is readable for every user of this machine: chmod o= ${file}`];
}
