import { addresses } from "../addresses.ts";
import { optional } from "../parsers.ts";
import { expected, parsed, setting, type Codec } from "../setting.ts";

const LEAST = 24;
const looksLike = `a token of ${LEAST} to 512 printable characters without spaces, or sha256: and its digest in 64 hex digits`;
/** What a token must be to be guessed by nobody; where only its digest is written down, it is at rest nowhere. */
const token: Codec<string> = {
  looksLike,
  format: (value) => value,
  parse(text) {
    if (text.toLowerCase().startsWith("sha256:")) return /^sha256:[0-9a-f]{64}$/i.test(text) ? parsed(text) : expected(looksLike, true);
    return /^[\x21-\x7e]{24,512}$/.test(text) ? parsed(text) : expected(looksLike, true);
  },
};

const NAME = /^(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*$/;
const names: Codec<readonly string[]> = {
  looksLike: "host names such as admin.example.org, separated by commas, or empty",
  repeats: true,
  format: (value) => value.join(","),
  parse(text) {
    const found = text === "" ? [] : text.split(",").map((name) => name.trim().toLowerCase());
    return found.length <= 64 && found.every((name) => NAME.test(name)) ? parsed(found) : expected(names.looksLike);
  },
};

export const ADMIN = [
  setting({
    name: "admin_token",
    group: "admin",
    codec: optional(token),
    default: "",
    reload: "live",
    secret: true,
    help: "The token of an operator; empty: the one that the first start made (admin-token in the data directory).",
    notes: "`sha256:` and the digest (`printf %s TOKEN | sha256sum`) keeps the token itself out of the file. A reload changes it.",
  }),
  setting({
    name: "admin_viewer_token",
    group: "admin",
    codec: optional(token),
    default: "",
    reload: "live",
    secret: true,
    help: "A token that sees everything and changes nothing: for Prometheus and its like; empty: none.",
  }),
  setting({
    name: "admin_hosts",
    group: "admin",
    codec: names,
    default: "",
    reload: "roll",
    help: "Names, beside localhost and addresses, at which the administration answers.",
    notes: "Behind a reverse proxy: the name that browsers use. Others get 421, so that no foreign page reaches it by a name of its own.",
  }),
  setting({
    name: "admin_bind",
    group: "admin",
    codec: optional(addresses),
    default: "",
    reload: "restart",
    help: "Addresses of the administration's own; empty: it is on DROVER_BIND beside the built-in service, and with an application nowhere.",
    notes: "With it the administration is there and not on DROVER_BIND; only /api/admin/health stays. The master itself answers there.",
  }),
] as const;
