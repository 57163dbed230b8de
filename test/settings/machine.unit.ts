import assert from "node:assert/strict";
import { availableParallelism, totalmem } from "node:os";
import { test } from "node:test";
import { cgroupCpus, cgroupMemory, detectMachine, inContainer, openFiles, type ReadIfThere } from "../../src/settings/machine.ts";

const files =
  (there: Readonly<Record<string, string>>): ReadIfThere =>
  (path) =>
    there[path];

test("cgroup v2: the tightest limit of ours and of everything above us", () => {
  const own = { "/proc/self/cgroup": "0::/system.slice/drover.service\n" };
  assert.equal(cgroupMemory(files({ ...own, "/sys/fs/cgroup/system.slice/drover.service/memory.max": "max\n" })), Infinity);
  assert.equal(cgroupMemory(files({ ...own, "/sys/fs/cgroup/system.slice/drover.service/memory.max": "1000\n" })), 1_000);
  assert.equal(
    cgroupMemory(
      files({
        ...own,
        "/sys/fs/cgroup/system.slice/drover.service/memory.max": "1000\n",
        "/sys/fs/cgroup/system.slice/drover.service/memory.high": "900\n",
        "/sys/fs/cgroup/system.slice/memory.max": "800\n",
      }),
    ),
    800,
  );
  assert.equal(cgroupMemory(files({ "/proc/self/cgroup": "0::/../../x\n", "/sys/fs/cgroup/memory.max": "700\n" })), 700, "a namespace");
});

test("cgroup v1: the memory controller, whose no-limit is a number near 2^63", () => {
  const own = { "/proc/self/cgroup": "12:cpu,cpuacct:/a\n4:memory:/docker/abc\n1:name=systemd:/x\n" };
  const limit = "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes";
  assert.equal(cgroupMemory(files({ ...own, [limit]: "9223372036854771712\n" })), Infinity);
  assert.equal(cgroupMemory(files({ ...own, [limit]: "2000\n", "/sys/fs/cgroup/memory.max": "5\n" })), 2_000);
});

test("no /proc, no cgroups, nonsense in them: no limit", () => {
  assert.equal(cgroupMemory(files({})), Infinity);
  assert.equal(cgroupMemory(files({ "/proc/self/cgroup": "garbage\n0::/\n", "/sys/fs/cgroup/memory.max": "-5 x" })), Infinity);
});

const limits = (value: string): string =>
  `Limit   Soft Limit  Hard Limit  Units\nMax open files            ${value}       524288   files\n`;

test("open files: the soft limit", () => {
  assert.equal(openFiles(files({ "/proc/self/limits": limits("1024") })), 1_024);
  assert.equal(openFiles(files({ "/proc/self/limits": limits("unlimited") })), undefined);
  assert.equal(openFiles(files({})), undefined);
});

test("containers", () => {
  assert.equal(inContainer({}, files({})), false);
  assert.equal(inContainer({ container: "podman" }, files({})), true);
  assert.equal(inContainer({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, files({})), true);
  for (const mark of ["/.dockerenv", "/run/.containerenv"]) {
    assert.equal(inContainer({}, files({ [mark]: "" }), { pid: 1, ppid: 0 }), true, "the container's first process");
    assert.equal(inContainer({}, files({ [mark]: "" }), { pid: 7, ppid: 1 }), true, "behind an init");
    assert.equal(inContainer({}, files({ [mark]: "" }), { pid: 99, ppid: 98 }), false, "a person's shell inside");
  }
});

test("0.1: this machine: its CPUs as affinity and cpu.max leave them, its memory as the cgroups do", () => {
  const found = detectMachine({});
  assert.equal(found.cpus, availableParallelism());
  const [major = 0, minor = 0] = (process.versions.uv ?? "").split(".").map(Number);
  assert.ok(major > 1 || minor >= 49, `libuv ${process.versions.uv} counts cgroup v2's cpu.max in availableParallelism`);
  const granted = process.constrainedMemory();
  assert.ok(granted === 0 || granted > 2 ** 60 || found.memory <= granted);
  assert.ok(Number.isInteger(found.cpus) && found.cpus >= 1);
  assert.ok(found.memory > 0 && found.memory <= totalmem());
  assert.ok(found.nofile === undefined || found.nofile > 0);
});

test("CPUs by quota: the tightest cgroup above us counts, v2 and v1", () => {
  const own = { "/proc/self/cgroup": "0::/system.slice/drover.service\n" };
  const max = (group: string) => `/sys/fs/cgroup/${group}cpu.max`;
  assert.equal(cgroupCpus(files(own)), Infinity);
  assert.equal(cgroupCpus(files({ ...own, [max("system.slice/drover.service/")]: "max 100000\n" })), Infinity);
  assert.equal(cgroupCpus(files({ ...own, [max("system.slice/drover.service/")]: "150000 100000\n" })), 1.5);
  assert.equal(
    cgroupCpus(files({ ...own, [max("system.slice/drover.service/")]: "150000 100000\n", [max("system.slice/")]: "50000 100000\n" })),
    0.5,
  );
  const v1 = {
    "/proc/self/cgroup": "4:cpu,cpuacct:/x\n",
    "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "200000\n",
    "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
  };
  assert.equal(cgroupCpus(files(v1)), 2);
  assert.equal(cgroupCpus(files({ ...v1, "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n" })), Infinity);
});
