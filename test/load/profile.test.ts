import assert from "node:assert/strict";
import test from "node:test";
import { readPeople } from "../../src/load/people.ts";
import { readProfile } from "../../src/load/profile.ts";
import { actionsFor, lintProfile, readings, systemRate } from "../../src/load/profile-lint.ts";
import { meanThink } from "../../src/load/traffic.ts";

const LAUNCH = {
  users: { total: 10_000, simultaneous: 300, distribution: { sme_manager: 60, marketing: 40 } },
  actions: {
    create_client: { duration: "2min", requests: 5, frequency: "100/h" },
    view_data: { duration: "1 min", requests: 3, frequency: "200/hour" },
  },
  distribution: { read: 60, write: 30, export: 10 },
};
const profile = (change: object = {}) => readProfile(JSON.stringify({ ...LAUNCH, ...change }), "launch.json");

test("3.3: a launch plan's JSON is taken as it is, and its three readings are told", () => {
  const read = profile();
  assert.deepEqual([read.simultaneous, read.reading, read.mix], [300, "session", { read: 60, write: 30, export: 10 }]);
  const { system, user, session } = readings(read.actions);
  assert.deepEqual([system.perSecond.toFixed(3), system.users.toFixed(2)], ["0.306", "6.67"]);
  assert.deepEqual([(user.perSecond * 300).toFixed(1), user.minutes, (session.perSecond * 300).toFixed(2)], ["91.7", 400, "13.75"]);
  assert.equal(Math.round(meanThink(actionsFor(read.actions, "session"))), 21_818);
  assert.equal(Math.round(meanThink(actionsFor(read.actions, "user"))), 3_273);
  const lines = lintProfile(read).join("\n");
  assert.match(lines, /300 users at once and these frequencies can't both be true/);
  assert.match(lines, /0\.31 requests\/s, 6\.67 users at once/);
  assert.match(lines, /91\.7 requests\/s, 400 minutes of work/);
  assert.match(lines, /13\.7 requests\/s \(taken here\)/);
  assert.match(lines, /30 % writes, but 33\.3 % of the actions/);
});

test("other notations mean the same: numbers, seconds, French, shares of 1, per cents", () => {
  const same = profile({
    actions: {
      creer_client: { duration: 120, requests: 5, frequency: 100 },
      consulter: { duration: "60s", requests: 3, frequency: "200/heure" },
    },
    distribution: { lecture: 0.6, écriture: "0.3", exports: 0.1 },
  });
  assert.deepEqual(readings(same.actions), readings(profile().actions));
  assert.deepEqual(
    [same.mix, lintProfile(same).some((line) => line.includes("shares come to"))],
    [{ read: 0.6, write: 0.3, export: 0.1 }, false],
  );
});

test("a profile that adds up is not scolded; what is not used, or does not add up, is", () => {
  const sound = {
    users: { simultaneous: 10 },
    actions: { view: { duration: "1min", requests: 6, frequency: "600/h" } },
    distribution: { read: 100 },
  };
  assert.deepEqual(lintProfile(readProfile(JSON.stringify(sound), "p.json")), []);
  const odd = lintProfile(
    profile({ distribution: { read: 60, write: 30, export: 20 }, spawn_rate: 3, users: { total: 5, simultaneous: 10 } }),
  ).join("\n");
  assert.match(odd, /10 at once are more than the 5/);
  assert.match(odd, /shares come to 110, not to 100/);
  assert.match(odd, /not used here: spawn_rate/);
});

test("nonsense is refused by its place", () => {
  const cases: [unknown, RegExp][] = [
    ["{", /p\.json is no JSON/],
    [[], /the profile is \[\]: expected an object/],
    [{}, /p\.json: the profile is empty: expected an object with users, actions or endpoints/],
    [{ hello: 1 }, /the profile has only hello: .*docs\/load\.md has an example/],
    ["\uFFFD\uFFFD{\0}\0", /p\.json is UTF-16 or no text at all: expected UTF-8/],
    ['{"endpoints": {"read": [{"path": "/a", "weight": 1e400}]}}', /weight is too large: expected a number from 0/],
    [{ users: { simultaneous: 20_001 } }, /users\.simultaneous is 20001: expected a number from 1 to 20,000/],
    [{ users: {}, thresholds: ["p(95)<500", "nope"] }, /^DroverError: p\.json: thresholds\[1\]: threshold "nope": expected METRIC/],
    [{ users: { simultaneous: "many" } }, /users\.simultaneous is "many": expected a number/],
    [{ users: { simultaneous: 0 } }, /users\.simultaneous is 0/],
    [{ actions: {} }, /actions is "0 of them"/],
    [{ actions: { a: { duration: "soon", requests: 1, frequency: 1 } } }, /actions\.a\.duration is "soon": expected how long/],
    [{ actions: { a: { duration: "1min", requests: 0, frequency: 1 } } }, /actions\.a\.requests is 0/],
    [{ actions: { a: { duration: "1min", requests: 1, frequency: "often" } } }, /actions\.a\.frequency is "often"/],
    [{ actions: { a: { duration: "1min", requests: 1, frequency: 0 } } }, /at least one that is done/],
    [{ distribution: { read: 0 } }, /shares above 0/],
    [{ distribution: { dance: 5 } }, /distribution is "dance": expected read, write, export/],
    [{ distribution: { read: -5 } }, /distribution\.read/],
    [{ endpoints: {} }, /endpoints is "0 of them"/],
    [{ endpoints: { read: ["ftp://x"] } }, /endpoints\.read\[0\] is "ftp:\/\/x"/],
    [{ endpoints: { read: [{ path: "/a b" }] } }, /path that begins with \//],
    [{ endpoints: { read: [{ path: "/a\r\nHost: x" }] } }, /path that begins with \//],
    [{ endpoints: { read: [{ path: "/", method: "BREW" }] } }, /method is "BREW"/],
    [
      { endpoints: { read: [{ path: "/", headers: { authorization: "secret\n" } }] } },
      /headers\.authorization is "string": expected a text/,
    ],
    [{ login: { body: { name: "x" } } }, /login\.body .*\{user\}/],
    [{ frequency: { per: "week" }, users: {} }, /frequency\.per is "week": expected one of session, user, system/],
  ];
  for (const [value, message] of cases)
    assert.throws(() => readProfile(typeof value === "string" ? value : JSON.stringify(value), "p.json"), message);
});

test("headers that end a message or belong to the connection are refused by their place; the others are sent", () => {
  const withHeader = (name: string) => JSON.stringify({ endpoints: { read: [{ path: "/", headers: { [name]: "0" } }] } });
  for (const name of [
    "Content-Length",
    "transfer-encoding",
    "TRAILER",
    "connection",
    "keep-alive",
    "upgrade",
    "expect",
    "te",
    "proxy-connection",
  ])
    assert.throws(() => readProfile(withHeader(name), "p.json"), {
      code: "DROVER_E_USAGE",
      message: new RegExp(`^p\\.json: endpoints\\.read\\[0\\]\\.headers is "${name}": expected no header of the connection`),
    });
  for (const name of ["host", "authorization", "content-type"])
    assert.deepEqual(readProfile(withHeader(name), "p.json").endpoints[0]?.headers, { [name]: "0" });
});

test("a mark of Windows before the text is left out", () => {
  assert.equal(readProfile(`\uFEFF${JSON.stringify(LAUNCH)}`, "p.json").simultaneous, 300);
  for (const text of ["p001,x", '[{"user": "p001", "code": "x"}]'])
    assert.deepEqual(readPeople(`\uFEFF${text}`, "u"), [{ user: "p001", code: "x" }]);
  assert.throws(() => readPeople("\uFFFD\uFFFDp\0,\0x\0", "u.csv"), /u\.csv is UTF-16/);
});

test("the rate of a whole system is one that a generator can send, or is named", () => {
  const rate = (frequency: string, requests: number) => systemRate(profile({ actions: { view: { duration: "1s", requests, frequency } } }));
  assert.equal(rate("3600/h", 5), 5);
  assert.throws(() => rate("1/d", 1), /launch\.json: actions: .* come to 0\.0000116 requests\/s: expected 0\.01 to 100,000/);
  assert.throws(() => rate("999999999/h", 10_000), /come to 2,780,000,000 requests\/s/);
});

test("endpoints and a login of one's own", () => {
  const { endpoints, login } = readProfile(
    JSON.stringify({
      endpoints: {
        read: ["GET /a?x=1", { path: "/b", name: "bee", weight: 3 }],
        write: [{ method: "post", path: "/c/{n}", body: { n: "{n}" } }],
      },
      login: { path: "/in", body: { name: "{user}", pin: "{code}" } },
    }),
    "p.json",
  );
  assert.deepEqual(endpoints.map(({ name, class: kind, method, weight }) => [name, kind, method, weight]), [["/a", "read", "GET", 1], ["bee", "read", "GET", 3], ["POST /c/{n}", "write", "POST", 1]]); // prettier-ignore
  assert.deepEqual([endpoints[2]?.body, login], ['{"n":"{n}"}', { path: "/in", body: '{"name":"{user}","pin":"{code}"}' }]);
});

test("people: lines, a heading, JSON; a wrong one is named by its line and never by its code", () => {
  const two = [{ user: "p001", code: "S3,cret" }, { user: "p002", code: "x" }]; // prettier-ignore
  assert.deepEqual(readPeople('user,code\n# all\np001,S3,cret\n\n"p002";"x"\n', "u.csv"), two);
  assert.deepEqual(readPeople(JSON.stringify(two), "u.json"), two);
  assert.deepEqual(readPeople('"user","code"\np001,a"b"', "u.csv"), [{ user: "p001", code: 'a"b"' }]);
  assert.throws(() => readPeople("", "u.csv"), /nobody is in it/);
  for (const line of ['"p,2","HUSH"', '"p002","HU""SH"', '"p002","HUSH","x"', 'p"2,HUSH'])
    assert.throws(() => readPeople(`p001,x\n${line}`, "u.csv"), /^DroverError: u\.csv: line 2 is not USER,CODE: quotes [^H]*$/);
  for (const text of ["p001,ok\nHUSH-HUSH", '[{"user": "a", "code": 5, "x": "HUSH"}]', '[{"code": "HUSH", "user"']) {
    assert.throws(
      () => readPeople(text, "u.csv"),
      (error: Error) => !error.message.includes("HUSH") && /u\.csv/.test(error.message),
    );
  }
});
