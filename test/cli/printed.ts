/** `drover plan` and its like as they are typed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Command } from "../../src/cli/commands.ts";
import { plan } from "../../src/tools/plan/command.ts";

/** What the command prints, and its exit code. Wherever the test runs, no setting of its surroundings counts. */
export async function printed(
  t: TestContext,
  argv: readonly string[],
  command: Command = plan,
): Promise<{ readonly text: string; readonly code: number }> {
  let text = "";
  const write = t.mock.method(process.stdout, "write", (chunk: string) => ((text += chunk), true));
  const dir = mkdtempSync(join(tmpdir(), "drover-plan-"));
  t.mock.method(process, "cwd", () => dir);
  try {
    return {
      code: await command(argv),
      get text() {
        return text;
      },
    };
  } finally {
    write.mock.restore();
    t.mock.restoreAll();
    rmSync(dir, { recursive: true });
  }
}
