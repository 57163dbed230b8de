/** What `drover doctor deployment` says of a deployment as people have them: what maps, what does not and why, and the mistakes. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { examine, kindOf } from "../../../src/cli/doctor/deployment/command.ts";
import { findingText, type Finding } from "../../../src/cli/doctor/deployment/finding.ts";
import { DROVER } from "../../process/harness.ts";

const dir = mkdtempSync(join(tmpdir(), "drover-deployment-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const at = (name: string, text: string, mode = 0o640): string => {
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), mode);
  return join(dir, name);
};
const said = (findings: readonly Finding[]): string => findings.map(findingText).join("").replaceAll(`${dir}/`, "");
const of = (name: string, text: string, mode?: number): string => said(examine([at(name, text, mode)]).findings);

const ENV = `GUNICORN_WORKERS=16
GUNICORN_WORKER_CLASS=gevent
GUNICORN_WORKER_CONNECTIONS=1000
GUNICORN_TIMEOUT=120
SHEET_CACHE_TTL=20
PORT=8080
SECRET_KEY=hunter2-hunter2
GOOGLE_APPLICATION_CREDENTIALS=/opt/app/key.json
FLASK_ENV=production
`;
const UNIT = `[Unit]
Description=app
[Service]
User=root
Environment=API_TOKEN=abcdef123 LANG=C
EnvironmentFile=/opt/app/.env
ExecStart=/opt/app/venv/bin/gunicorn \\
  --workers 16 --worker-class gevent -b 127.0.0.1:8080 \\
  --timeout=120 --graceful-timeout 60 app:app
LimitNOFILE=1024
TimeoutStopSec=30
[Install]
WantedBy=multi-user.target
`;
const NGINX = `upstream app { server 127.0.0.1:8080; }
server {
  listen 80;
  location /static { alias /opt/app/static/; expires 1d; add_header Cache-Control "public, immutable"; }
  location / {
    proxy_pass http://app;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_cache_valid 200 10s;
  }
}
`;

test("a deployment by Gunicorn, whole: every mistake, and the env file to begin with", () => {
  const { findings, values } = examine([at(".env.production", ENV, 0o644), at("app.service", UNIT), at("nginx.conf", NGINX)]);
  const text = said(findings);
  for (const line of [
    /maps +\.env\.production:1: GUNICORN_WORKERS=16 → DROVER_WORKERS=16/,
    /maps +\.env\.production:4: GUNICORN_TIMEOUT=120 → DROVER_TIMEOUT=120s/,
    /maps +\.env\.production:4: GUNICORN_TIMEOUT=120 → DROVER_REQUEST_TIMEOUT=120s/,
    /maps +\.env\.production:5: SHEET_CACHE_TTL=20 → DROVER_CACHE_TTL=20s/,
    /maps +app\.service:7: graceful_timeout=60 → DROVER_GRACEFUL_TIMEOUT=60s/,
    /maps +nginx\.conf:4: alias=\/opt\/app\/static\/ → DROVER_STATIC_DIR=\/opt\/app\/static$/m,
    /ignored +\.env\.production:2: GUNICORN_WORKER_CLASS=gevent\n +every worker runs an event loop/,
    /ignored +\.env\.production:9: FLASK_ENV=production\n +not drover's/,
    /ignored +app\.service:7: app:app\n +a Python application/,
    /MISTAKE +\.env\.production: readable for every user of the machine \(644\), and holds SECRET_KEY.*\n +chmod 640/,
    /MISTAKE +app\.service:4: User=root/,
    /MISTAKE +app\.service:5: the secret API_TOKEN stands in the unit/,
    /MISTAKE +app\.service: no Restart=/,
    /MISTAKE +nginx\.conf:9: proxy_cache_valid 200 10s without a proxy_cache: nothing is cached/,
    /MISTAKE +nginx\.conf:6: no X-Forwarded-For: behind it everybody has the address 127\.0\.0\.1/,
    /MISTAKE +nginx\.conf:6: no X-Forwarded-Proto: cookies are not marked Secure/,
    /MISTAKE +nginx\.conf:6: proxy_http_version is 1\.0/,
    /MISTAKE .*a cache of 20 s in each of 16 workers reads every tab up to 48 times a minute: Google's 60 are used up with 2 tabs\n +drover reads once for all workers: 3 calls a minute/,
    /MISTAKE +all together: TimeoutStopSec= is 30 s, and a drain may take 60 s/,
    /MISTAKE +all together: LimitNOFILE=1024 for 1000 connections a worker\n +at least 1100/,
  ])
    assert.match(text, line);
  assert.doesNotMatch(text, /hunter2|abcdef123/, "secrets are told of, never shown");
  assert.doesNotMatch(text, /nginx\.conf:4: (?:add_header|expires)/, "what nginx serves by itself is its own");
  assert.equal(values.findLast(({ name }) => name === "bind")?.text, "127.0.0.1:8080");
  assert.doesNotMatch(text, /all together: a proxy is in front/, "where only this machine can reach drover it is believed unasked");
  const open = said(examine([at("drover.env", "PORT=8080\n"), at("nginx.conf", NGINX)]).findings);
  assert.match(open, /MISTAKE +all together: a proxy is in front, others can reach drover too, and nobody is told to believe it/);
});

test("what drover ships is without mistakes", () => {
  const text = said(examine(["config/nginx.conf", "systemd/drover.service"]).findings);
  assert.doesNotMatch(text, /MISTAKE/);
  assert.match(text, /X-Forwarded-For \$remote_addr → the client's address/);
});

test("nginx: what is inherited, what is lost, what leaks", () => {
  const proxy = (inside: string, outside = ""): string =>
    of("n.conf", `server { ${outside}\nlocation / { proxy_pass http://127.0.0.1:8080; ${inside} } }`);
  const good = "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_http_version 1.1;";
  assert.doesNotMatch(proxy("", good), /X-Forwarded-For is|no X-|1\.0/);
  assert.match(proxy("proxy_set_header Host $host;", good), /X-Forwarded-For is set further out, and lost here/);
  assert.match(
    proxy("proxy_cache z; proxy_ignore_headers Cache-Control Set-Cookie;"),
    /one client's answers are kept, and given to others/,
  );
  assert.doesNotMatch(proxy("proxy_cache_valid 200 1s;", "proxy_cache z;"), /nothing is cached/);
  assert.match(
    proxy('add_header Cache-Control "public, max-age=60";'),
    /add_header Cache-Control public, max-age=60 on what drover answers/,
  );
  assert.match(proxy("expires 1d;"), /expires 1d overrides/);
  assert.match(proxy("proxy_ignore_headers X-Accel-Buffering;"), /events wait until a buffer is full/);
  assert.match(
    of("n.conf", "server { location / { proxy_pass http://127.0.0.1:9000; } }"),
    /nginx asks at 127\.0\.0\.1:9000, and drover would listen on 127\.0\.0\.1:8080/,
  );
  for (const broken of ["server {", "server { } }", "a{".repeat(50)])
    assert.match(of("n.conf", `server { location / {\n${broken}`), /it can't be read: /);
  assert.doesNotMatch(of("n.conf", "server { # } proxy_pass http://x;\n return 200 'a;}'; }"), /can't be read|MISTAKE/);
});

test("PM2, gunicorn.conf.py, and units of other kinds", () => {
  const pm2 = of(
    "ecosystem.config.js",
    `module.exports = { apps: [{\n  name: "app", script: "/srv/app.js", instances: "max", exec_mode: 'cluster',\n  max_memory_restart: '300M', kill_timeout: 1600 }] };`,
  );
  for (const line of [
    /script=\/srv\/app\.js → DROVER_APP=\/srv\/app\.js/,
    /=300M → DROVER_MAX_RSS=300m/,
    /=1600 → DROVER_GRACEFUL_TIMEOUT=1600ms/,
    /instances = max\n +as many as/,
  ])
    assert.match(pm2, line);
  const py = of(
    "gunicorn.conf.py",
    `import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1\nbind = "0.0.0.0:8000"\nkeepalive = 5\nloglevel = 'warning'\npreload_app = True\ndef on_exit(server):\n  pass\n`,
  );
  for (const line of [
    /workers = …\n +it is computed in Python/,
    /bind=0\.0\.0\.0:8000 → DROVER_BIND/,
    /→ DROVER_KEEP_ALIVE=5s/,
    /→ DROVER_LOG_LEVEL=warn/,
    /preload_app = True\n +Node can't/,
    /def on_exit\n +a server hook/,
  ])
    assert.match(py, line);
  assert.match(
    of("s.service", "[Service]\nUser=x\nRestart=always\nExecStart=/bin/sh -c 'node /srv/a.js'\n"),
    /a shell stands between[^]*DROVER_APP=\/srv\/a\.js/,
  );
  assert.doesNotMatch(of("s.service", "[Service]\nDynamicUser=yes\nRestart=always\nExecStart=/usr/bin/x\n"), /MISTAKE/);
});

test("files that are none of these, or worse", () => {
  assert.equal(kindOf("notes.txt", "hello"), undefined);
  assert.match(of("notes.txt", "hello world"), /looks like none of/);
  assert.match(
    of(
      ".env",
      'this is no env file\nGUNICORN_WORKERS=-3\nPORT=99999\nGOOGLE_APPLICATION_CREDENTIALS={"private_key":"-----BEGIN PRIVATE KEY-----abc"}\n',
    ),
    /line 1: expected NAME=value/,
  );
  const odd = of(".env", "GUNICORN_WORKERS=many\nDROVER_WROKERS=3\nX=\u001b[31mred\n");
  assert.match(odd, /MISTAKE +\.env:1: GUNICORN_WORKERS=many\n +DROVER_WORKERS can't be that: expected a whole number/);
  assert.match(odd, /MISTAKE +\.env:2: DROVER_WROKERS=3\n +no setting of drover has this name/);
  assert.ok(!odd.includes("\u001b"));
  assert.doesNotMatch(of(".env", 'GOOGLE_KEY_JSON={"private_key":"-----BEGIN PRIVATE KEY-----abc"}\n'), /abc/);
  execFileSync("mkfifo", [join(dir, "fifo.env")]);
  assert.throws(() => examine([join(dir, "fifo.env")]), /it is no file/);
  assert.throws(() => examine([at("huge.env", "A=1\n".repeat(100_000))]), /larger than/);
});

test("the command: a folder, the exit code, the env file to begin with", () => {
  const folder = mkdtempSync(join(dir, "folder-"));
  writeFileSync(join(folder, ".env"), "GUNICORN_WORKERS=4\nSHEET_CACHE_TTL=120\n");
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(DROVER, ["doctor", "deployment", ...args], { encoding: "utf8" });
  const good = run(folder);
  assert.equal(good.status, 0, good.stderr);
  assert.match(
    good.stdout,
    /# \/etc\/drover\/drover\.env to begin with[^]*DROVER_WORKERS=4\nDROVER_CACHE_TTL=120s\n[^]*2 map, 1 ignored, 0 mistakes\n$/,
  );
  writeFileSync(join(folder, "app.service"), UNIT);
  assert.equal(run(folder).status, 1);
  for (const args of [[], [join(folder, "none")], ["--nonsense"]]) assert.equal(run(...args).status, 64);
});

test("two PM2 applications make no env file, and say why", () => {
  const two = of(
    "ecosystem.config.js",
    `module.exports = { apps: [\n  { name: "web", script: "./web.js", instances: 4, kill_timeout: 5000 },\n  { name: "jobs", script: "./jobs.js", instances: 1 },\n] };`,
  );
  assert.match(two, /MISTAKE .*2 applications in one file: no env file can stand for all of them, so none is written/);
  assert.doesNotMatch(two, /DROVER_|→/);
  const json = of("pm2.json", `{ "apps": [ { "name": "web", "script": "web.js" }, { "name": "api", "script": "api.js" } ] }`);
  assert.match(json, /2 applications in one file/);
  const commented = of(
    "ecosystem.config.js",
    `module.exports = { apps: [{ script: "./web.js" /* , script: "./old.js" */ }] }; // script: "./x.js"`,
  );
  assert.match(commented, /script=\.\/web\.js → DROVER_APP=\.\/web\.js/);
});

test("an expression in a PM2 file is no value", () => {
  const said = of(
    "ecosystem.config.js",
    "module.exports = { apps: [{\n  script: path.join(__dirname, 'web.js'),\n  instances: process.env.WORKERS || 2,\n  kill_timeout: `${SECONDS}000`,\n  max_memory_restart: `300M` }] };",
  );
  assert.match(said, /MISTAKE .*script: path\.join\(__dirname/);
  assert.match(said, /MISTAKE .*instances: process\.env\.WORKERS/);
  assert.doesNotMatch(said, /DROVER_APP=|DROVER_WORKERS=|DROVER_GRACEFUL_TIMEOUT=/);
  assert.match(said, /→ DROVER_MAX_RSS=300m/);
});

test("two files of one kind that differ: the setting is left out, and both places are named", () => {
  const app = (name: string, script: string) => at(name, `module.exports = { apps: [{ script: "${script}", kill_timeout: 1600 }] };`);
  const { findings, values } = examine([app("pm2.web.json", "web.js"), app("pm2.jobs.json", "jobs.js")]);
  assert.match(said(findings), /MISTAKE +pm2\.web\.json:1, pm2\.jobs\.json:1: DROVER_APP would have different values: it is left out/);
  assert.deepEqual([...new Set(values.map(({ name }) => name))], ["graceful_timeout"]);
});
