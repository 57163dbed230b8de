import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import test from "node:test";
import type { AdminApi } from "../../src/admin/api.ts";
import { adminServer } from "../../src/admin/server.ts";

test("of requests that a client pipelines to the master the first is worked on, and the connection ends", async () => {
  let handled = 0;
  const api = { handle: async () => (await Promise.resolve(), (handled += 1), { status: 200, headers: {}, body: "{}" }) };
  const server = adminServer(api as unknown as AdminApi).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
  client.resume().write("GET /api/admin/health HTTP/1.1\r\nHost: t\r\n\r\n".repeat(500));
  await once(client, "close");
  assert.ok(handled <= 1, `${handled} of 500 requests were worked on`);
  server.close();
});
