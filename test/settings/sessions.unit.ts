/** Where sessions are kept, by the names that Flask-Session's users have. */
import assert from "node:assert/strict";
import test from "node:test";
import { problems, resolved } from "./given.ts";

const store = (files: string): string | undefined => resolved({ files }).settings.session_store;

test("SESSION_TYPE and SESSION_REDIS as Flask-Session has them; the own name counts first", () => {
  assert.equal(store(""), undefined);
  assert.equal(store("SESSION_TYPE=redis\n"), "redis://localhost:6379");
  assert.equal(store("SESSION_TYPE=redis\nSESSION_REDIS=redis://:pw@10.0.0.1:6380/2\n"), "redis://:pw@10.0.0.1:6380/2");
  assert.equal(store("SESSION_TYPE=filesystem\n"), undefined);
  assert.equal(store("SESSION_TYPE=redis\nDROVER_SESSION_STORE=broker\n"), undefined);
  assert.equal(resolved({ files: "SESSION_KEY_PREFIX=event:\n" }).settings.session_prefix, "event:");
});

test("addresses of hosts and of unix sockets; of anything else not a word is repeated", () => {
  for (const right of [
    "redis://h",
    "rediss://user:pw@h:6380/0",
    "redis://[::1]:6379",
    "unix:/run/redis.sock",
    "unix:///run/redis.sock?db=1",
  ])
    assert.equal(store(`DROVER_SESSION_STORE=${right}\n`), right);
  for (const wrong of ["http://h", "redis://", "redis://h/secret", "unix:relative", "unix://host/path", "localhost:6379"]) {
    const [problem = ""] = problems({ files: `SESSION_REDIS=${wrong}\n` });
    assert.match(problem, /^session_store: \*\*\* \(.*SESSION_REDIS\): expected broker, or redis:\/\//, wrong);
  }
});
