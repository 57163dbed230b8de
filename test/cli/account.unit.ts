/** DROVER_USER: who is meant, and what is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { accountOf } from "../../src/cli/account.ts";
import { userName } from "../../src/settings/user.ts";

const named = (text: string) => {
  const read = userName.parse(text, "/");
  assert.ok(read.ok, text);
  assert.equal(userName.format(read.value), text);
  return { user: read.value };
};

test("names and numbers, with a group or without, are looked up in the system's files", () => {
  const nobody = accountOf(named("nobody"), true);
  assert.equal(nobody?.name, "nobody");
  assert.deepEqual(accountOf(named(`${nobody.uid}`), true), nobody, "by number");
  assert.deepEqual(
    accountOf(named("61234:61235"), true),
    { name: "61234", uid: 61_234, gid: 61_235, home: "/" },
    "unknown numbers are taken",
  );
  assert.equal(accountOf(named("nobody:0"), true)?.gid, 0);
  const groups = readFileSync("/etc/group", "utf8").matchAll(/^([a-z_][\w-]*):[^:]*:(\d+):/gm);
  const other = [...groups].find(([, , gid]) => Number(gid) !== 0 && Number(gid) !== nobody.gid);
  assert.ok(other !== undefined, "a group that is not the user's own");
  assert.equal(accountOf(named(`nobody:${other[1]}`), true)?.gid, Number(other[2]), "a group by name");
  assert.equal(accountOf({ user: undefined }, true), undefined);
});

test("what is no name, no user, root, or not for this process to take is refused", () => {
  for (const text of [":g", "a:b:c", "a b", "-x", "user:"]) assert.equal(userName.parse(text, "/").ok, false, text);
  const settings = { code: "DROVER_E_SETTINGS", exit: 78 };
  assert.throws(() => accountOf(named("no-such-user"), true), {
    ...settings,
    message: /there is no such user .*useradd --system no-such-user/,
  });
  assert.throws(() => accountOf(named("nobody:no-such-group"), true), { ...settings, message: /there is no such group .*groupadd/ });
  assert.throws(() => accountOf(named("root"), true), { ...settings, message: /which is root/ });
  assert.throws(() => accountOf(named("61234"), false), { ...settings, message: /only root may change to another user/ });
});
