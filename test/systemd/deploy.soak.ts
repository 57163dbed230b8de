/** docs/deploy.md from its first step on, command by command, on a real systemd (deploy.sh). */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { needs } from "../support/needs.ts";
import { cannot, inside, leftovers, root, scratch } from "./private.ts";

/** The page's commands in their order; each block says its number first. */
function commands(): string {
  const page = readFileSync(join(root, "docs/deploy.md"), "utf8");
  const blocks = Array.from(page.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = ""]) => block);
  assert.ok(blocks.length > 10, `${blocks.length} blocks were found`);
  return blocks.map((block, i) => `echo 'block ${i + 1} of ${blocks.length}'\n${block}`).join("\n");
}

const skip = cannot() || needs("jq", "jq") || needs("curl", "curl");

describe("docs/deploy.md", { skip }, () => {
  test("every command does what the page says", (t) => {
    const script = join(scratch, "blocks.sh");
    writeFileSync(script, commands());
    const { fact, is, out } = inside("deploy.sh", { at: "/opt/package", files: [[script, "/opt/blocks.sh"]] });
    t.diagnostic(`blocks: ${fact("blocks")}`);
    is("blocks", "0");
    is("left", "0 inactive drover");
    const seen = (pattern: RegExp) => assert.match(out, pattern, out);
    seen(/Status: "\d+\/\d+ workers, gen 1, (HEALTHY|DEGRADED \(Google down\))(?: \d+\/\d+)?, .*demo"/);
    seen(/"rows":\[\{"id":"p001"/);
    seen(/^drover 0\.1\.0 {2}running .* generation 2$[^]*^workers {4}3\/3 ready$/m);
    seen(/^release 1$[^]*^release 2$[^]*^release 1$/m);
    seen(/^drover 0\.2\.0 {2}running .*$[^]*^drover 0\.1\.0 {2}running /m);
  });

  test("nothing is left on this machine", () => assert.deepEqual(leftovers(), []));
});
