/** What a test needs and a machine may lack: the test is skipped and names the command that installs it. CI installs all of test/programs.txt. */
import { spawnSync } from "node:child_process";

/**
 * @param command a program that answers `--version`.
 * @param packages Debian's packages that bring it.
 * @returns false when it is there, else why the test is skipped.
 */
export const needs = (command: string, packages: string): false | string =>
  spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined ? false : `needs ${command}: apt-get install ${packages}`;

/** @returns false where strace is there and may trace its own child: a container's seccomp profile may forbid ptrace(2). */
export const needsStrace = (): false | string =>
  needs("strace", "strace") ||
  (spawnSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" }).status === 0
    ? false
    : "needs ptrace(2): strace may not trace here");
