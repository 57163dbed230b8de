/** Certificates for tests, made by openssl: signed by themselves, for localhost and 127.0.0.1 unless other names are given. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Made {
  readonly cert: string;
  readonly key: string;
  /** The certificate's text: what a client trusts. */
  readonly pem: string;
}

/** @param name of its two files, and the name in it. @param algorithm as `-newkey` takes it. */
export function certificate(
  directory: string,
  name: string,
  { days = 90, algorithm = "ec", names: alt = "DNS:localhost,IP:127.0.0.1" } = {},
): Made {
  const cert = join(directory, `${name}.pem`);
  const key = join(directory, `${name}.key`);
  const curve = algorithm === "ec" ? ["-pkeyopt", "ec_paramgen_curve:prime256v1"] : [];
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alt}`];
  const args = ["req", "-x509", "-newkey", algorithm, ...curve, "-nodes", "-days", String(days), ...names, "-keyout", key, "-out", cert];
  execFileSync("openssl", args, { stdio: "pipe" });
  return { cert, key, pem: readFileSync(cert, "utf8") };
}
