import { optional, path, pemFile } from "../parsers.ts";
import { setting } from "../setting.ts";

export const TLS = [
  setting({
    name: "tls_cert",
    group: "listen",
    codec: optional(path),
    default: "",
    reload: "restart",
    help: "The certificate chain (PEM) to speak TLS with on every TCP address; empty: plain HTTP, for a proxy in front.",
    notes:
      "The server's own certificate first, then the intermediate ones: `fullchain.pem`. The file is read again at every reload. Unix sockets stay plain.",
    lookalikes: ["DROVER_CERTFILE", "DROVER_SSL_CERT", "DROVER_TLS_CERTIFICATE"],
  }),
  setting({
    name: "tls_key",
    group: "listen",
    codec: optional(pemFile),
    default: "",
    reload: "restart",
    help: "The certificate's private key (PEM), without a passphrase. It is read again at every reload.",
    notes: "A path, never the key itself. A pair that does not fit is refused, and the one before serves on.",
    lookalikes: ["DROVER_KEYFILE", "DROVER_SSL_KEY", "DROVER_TLS_PRIVATE_KEY"],
  }),
] as const;
