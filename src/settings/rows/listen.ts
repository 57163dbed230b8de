import { addresses, networks, type BindAddress } from "../addresses.ts";
import { choice, integer, onOff } from "../parsers.ts";
import { expected, parsed, setting } from "../setting.ts";

const isLocal = (address: BindAddress): boolean =>
  address.kind === "unix" || (address.kind === "tcp" && /^(?:localhost|::1|127(?:\.\d+){3})$/.test(address.host));

export const LISTEN = [
  setting({
    name: "bind",
    group: "listen",
    codec: addresses,
    default: "127.0.0.1:8080",
    reload: "restart",
    help: "The addresses to listen on.",
    notes:
      "`HOST:PORT`, `[IPv6]:PORT`, `:PORT` (every IPv4 address), `unix:PATH`, or `fd://N` for an inherited descriptor. Port 0 lets the kernel pick one.",
    aliases: [
      {
        name: "PORT",
        notation: "`8080` means `0.0.0.0:8080`",
        translate: (text) =>
          /^\d+$/.test(text) && Number(text) <= 65_535 ? parsed(`0.0.0.0:${Number(text)}`) : expected("a port from 0 to 65535"),
      },
    ],
    lookalikes: ["DROVER_PORT"],
  }),
  setting({
    name: "backlog",
    group: "listen",
    codec: integer(1, 65_535),
    default: "2048",
    reload: "restart",
    help: "How many connections the kernel may hold for us before it refuses more.",
    notes: "The kernel cuts it to net.core.somaxconn.",
  }),
  setting({
    name: "trusted_proxies",
    group: "listen",
    codec: networks,
    default: {
      rule: "this machine, when every address to listen on is one that only it can reach (loopback, unix); else none",
      example: "127.0.0.0/8,::1/128",
      from: ({ earlier }) =>
        (earlier.get("bind") as readonly BindAddress[]).every(isLocal)
          ? { text: "127.0.0.0/8,::1/128", why: "only this machine can reach us" }
          : { text: "", why: "others can reach us" },
    },
    reload: "roll",
    help: "Networks whose X-Forwarded-For and X-Forwarded-Proto headers are believed.",
    notes: "Name your reverse proxy's own address, nothing wider: whoever is inside can pose as any client.",
  }),
  setting({
    name: "strict_http",
    group: "listen",
    codec: onOff,
    default: "off",
    reload: "roll",
    help: "Refuse malformed HTTP before your own application sees it.",
    notes:
      "Off: your application gets what Node.js accepts. On: 400 for several Host headers, a Host that is no host, `*` in other methods than OPTIONS, " +
      "Transfer-Encoding in HTTP/1.0 or without chunked at its end; 505 for other versions than HTTP/1.x; 431 above 1,000 headers; " +
      "`GET http://host/path` reaches the application as `/path` with that host. The built-in service is always strict. `drover install` writes `on`.",
  }),
  setting({
    name: "underscore_headers",
    group: "listen",
    codec: choice(["drop", "refuse"]),
    default: "drop",
    reload: "roll",
    help: "What becomes of request headers with an underscore in their name: left out, or the request refused with 400.",
    notes:
      "`X_Forwarded_For` looks like `X-Forwarded-For` to programs that turn headers into variables. For the built-in service; your own application sees what was sent.",
  }),
] as const;
