/** What is said of an engine that can't be used: what is wrong, and whether waiting may help. */
import assert from "node:assert/strict";
import test from "node:test";
import { isLasting, isScriptError, problemOf, unfit } from "../../../src/broker/ledger/redis/problems.ts";

const info = (version: string, more = ""): string => `# Server\r\nredis_version:${version}\r\ncluster_enabled:0\r\nrole:master\r\n${more}`;

test("engines that are too old, a cluster or a replica are told by INFO; Redis 7, 8 and Valkey are not", () => {
  for (const right of [info("7.0.0"), info("8.2.1"), info("7.2.4", "valkey_version:8.1.0\r\n"), info("10.0.0")])
    assert.equal(unfit(right), undefined, right);
  for (const [wrong, text] of [
    [info("6.2.14"), /is Redis 6\.2\.14: drover needs Redis 7 or Valkey/],
    [info("7.2.0").replace("cluster_enabled:0", "cluster_enabled:1"), /is a cluster/],
    [info("7.2.0").replace("role:master", "role:slave"), /is a replica/],
  ] as const) {
    assert.match(unfit(wrong) ?? "", text);
    assert.ok(isLasting(unfit(wrong) ?? ""));
  }
});

test("what an operator must mend is told from what passes, and from a step that failed by itself", () => {
  const cases: readonly (readonly [message: string, text: RegExp, lasting: boolean, script: boolean])[] = [
    ["WRONGPASS invalid username-password pair or user is disabled.", /refuses the user name or the password/, true, false],
    ["NOAUTH Authentication required.", /wants a password/, true, false],
    ["NOPERM User x has no permissions to run the 'evalsha' command", /may not do what drover needs/, true, false],
    ["ERR DB index is out of range", /no such database/, true, false],
    ["READONLY You can't write against a read only replica.", /replica, or read-only/, false, false],
    ["OOM command not allowed when used memory > 'maxmemory'.", /memory is full/, false, false],
    [
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
      /can't save its data/,
      false,
      false,
    ],
    ["LOADING Redis is loading the dataset in memory", /still loading/, false, false],
    ["connect ECONNREFUSED 127.0.0.1:6379", /nothing listens there/, false, false],
    ["connect ENOENT /run/redis.sock", /no such socket/, false, false],
    ["getaddrinfo ENOTFOUND redis.example", /host name is not known/, false, false],
    ["Connection timeout", /does not answer/, false, false],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", /WRONGTYPE/, false, true],
    ["ERR user_script:1: attempt to index a nil value", /user_script/, false, true],
  ];
  for (const [message, text, lasting, script] of cases) {
    const problem = problemOf(new Error(message));
    assert.match(problem, text);
    assert.deepEqual([isLasting(problem), isScriptError(new Error(message))], [lasting, script], message);
    assert.equal(problemOf(new Error(problem)), problem, "said once more, it stays as it is");
  }
  assert.match(problemOf(new AggregateError([new Error("connect ECONNREFUSED ::1:6379")], "")), /nothing listens there/);
});
