/**
 * What a test needs and a machine may lack. On a stranger's machine the test is skipped and names the command that would install it; with
 * DROVER_TEST_INSTALL=1, which CI sets and nothing else does, the run installs it.
 */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

const there = (command: string): boolean => spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;

/** Test files run side by side, and dpkg knows one at a time. */
function install(packages: string): void {
  const script = `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ${packages}`;
  spawnSync("flock", [join(tmpdir(), "drover-test-install"), "sh", "-c", script], { stdio: "ignore", timeout: 600_000 });
}

/**
 * @param command a program that answers `--version`.
 * @param packages Debian's packages that bring it.
 * @returns false when it is there, else why the test is skipped.
 */
export function needs(command: string, packages: string): false | string {
  if (!there(command) && process.env["DROVER_TEST_INSTALL"] === "1") install(packages);
  return there(command) ? false : `needs ${command}: apt-get install ${packages}`;
}
