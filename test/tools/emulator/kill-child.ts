/** `node kill-child.ts DIR`: an emulator until it is killed. Prints its port. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createEmulator } from "../../../src/tools/emulator/server.ts";
import { BOOK, silent } from "./world.ts";

const dir = process.argv[2] ?? "";
const emulator = await createEmulator({
  dataDir: dir,
  keyFile: join(dir, "key.json"),
  latency: "none",
  quota: false,
  spreadsheets: [BOOK],
  log: silent,
});
emulator.server.listen(0, "127.0.0.1", () =>
  process.stdout.write(`${(emulator.server.address() as AddressInfo).port}\n`),
);
