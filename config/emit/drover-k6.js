<%
const json = (value) => JSON.stringify(value, undefined, 2);

// The number of refusals has no metric in the script; their rate has one, http_req_shed.
const isSeen = ({ metric }) => !metric.startsWith("target_") && metric !== "shed";
const known = {};
for (const { metric, endpoint, statistic, operator, limit } of thresholds.filter(isSeen)) {
  const name = endpoint === undefined ? metric : `${metric}{endpoint:${endpoint}}`;
  const value = typeof statistic === "object" ? `p(${statistic.p})` : statistic === "value" ? "count" : statistic;
  (known[name] ??= []).push(value + operator + limit);
}
known.http_req_failed ??= ["rate<0.01"];

// https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/
// k6 takes whole numbers as rates: a small rate becomes one per ten minutes.
const perUnit = isOpen && peak < 100 ? 600 : 1;
const ramp = stages.map(([time, target]) => ({ duration: `${time}s`, target: isOpen ? Math.round(target * perUnit) : target }));
const scenario = isOpen
  ? {
      executor: "ramping-arrival-rate",
      startRate: 0,
      timeUnit: `${perUnit}s`,
      preAllocatedVUs: Math.max(10, Math.ceil(peak / 100)),
      maxVUs: Math.max(100, Math.ceil(peak * 10)),
      stages: ramp,
    }
  : { executor: "ramping-vus", startVUs: 0, gracefulRampDown: "30s", stages: ramp };
-%>
// <%= writtenBy %>
// Profile: <%= profile %>.   Run: k6 run -e BASE_URL=<%= url %> drover-k6.js
<% for (const note of notes) { -%>
// Note: <%= note %>
<% } -%>
<% for (const { text } of thresholds.filter((one) => !isSeen(one))) { -%>
// Note: k6 does not see <%= text %>
<% } -%>
import http from "k6/http";
import exec from "k6/execution";
import { sleep } from "k6";
import { Counter, Rate } from "k6/metrics";

const BASE_URL = (__ENV.BASE_URL || "<%= url %>").replace(/\/$/, "");
// Lines USER,CODE. The codes stay in that file: this script has none.
const PEOPLE = __ENV.USER_FILE ? open(__ENV.USER_FILE).split("\n").map((line) => line.trim().split(",")).filter(([user]) => user) : [];

const MIX = <%= JSON.stringify(mix) %>;
const ENDPOINTS = <%= json(endpoints) %>;
// Each user is one of these kinds; `think` and `rest` are mean pauses in seconds.
const PERSONAS = <%= json(personas) %>;
const LOGIN = <%= json(login) %>;

export const options = {
  // k6 takes the length of the run from the stages: a command without stages, duration or iterations runs once per user.
  scenarios: { users: <%= json(scenario) %> },
  thresholds: <%= json(known) %>,
};

const shed = new Rate("http_req_shed");
const unexpected503 = new Counter("unexpected_503");
const timeouts = new Counter("timeouts");
const errors = new Counter("errors");

if (LOGIN && PEOPLE.length === 0) throw new Error("this profile signs in: -e USER_FILE=FILE (lines USER,CODE)");

let signedIn = false;
let numbered = 0;

/** One action of one user. With a rate of requests (open model) an action is one request without a pause. */
export default function () {
  if (LOGIN && !signedIn) signedIn = signIn();
  if (LOGIN && !signedIn) return sleep(vary(1)); // the user tries again, and asks for nothing without a session
  const { actions } = PERSONAS[personaOf(exec.vu.idInTest)];
  const action = pick(actions);
  if (action.rest > 0) sleep(vary(action.rest));
  for (let i = 0; i < action.requests; i += 1) {
    if (action.think > 0) sleep(vary(action.think));
    ask();
  }
}

function ask() {
  const kind = pick(Object.entries(MIX).map(([name, weight]) => ({ name, weight }))).name;
  const { name, method, path, headers, body } = pick(ENDPOINTS.filter((one) => one.class === kind));
  const number = uniqueNumber();
  send(name, method, path.replaceAll("{n}", number), body === undefined ? null : body.replaceAll("{n}", number), headers);
}

function signIn() {
  const [user, code] = PEOPLE[(exec.vu.idInTest - 1) % PEOPLE.length];
  const quoted = (text) => JSON.stringify(text).slice(1, -1);
  const body = LOGIN.body.replace(/\{(user|code)\}/g, (_, hole) => quoted(hole === "user" ? user : code));
  const { status } = send("login", "POST", LOGIN.path, body, {}); // k6 keeps the cookies of each user
  return status >= 200 && status < 300; // 0: no answer. A redirect is no success: forms that fail redirect, too
}

function send(name, method, path, body, headers) {
  const type = body === null ? {} : { "Content-Type": "application/json" };
  const params = { headers: { ...type, ...headers }, tags: { name, endpoint: name }, redirects: 0, timeout: "10s" };
  const answer = http.request(method, `${BASE_URL}${path}`, body, params);
  const refused = (answer.status === 503 || answer.status === 429) && answer.headers["X-Drover-Refused"] !== undefined;
  const late = answer.error_code === 1050; // k6: request timeout
  shed.add(refused);
  unexpected503.add(answer.status === 503 && !refused ? 1 : 0);
  timeouts.add(late ? 1 : 0);
  errors.add(!refused && !late && (answer.status === 0 || answer.status >= 300) && answer.status !== 304 ? 1 : 0);
  return answer;
}

/** From half to one and a half of the mean. */
function vary(mean) {
  return mean * (0.5 + Math.random());
}

function pick(list) {
  let left = Math.random() * list.reduce((sum, { weight }) => sum + weight, 0);
  return list.find(({ weight }) => (left -= weight) < 0) || list[list.length - 1];
}

/** Multiples of the golden ratio: any first users are mixed as the weights say. */
function personaOf(user) {
  let left = (((user - 0.5) * 0.6180339887498949) % 1) * PERSONAS.reduce((sum, { weight }) => sum + weight, 0);
  const found = PERSONAS.findIndex(({ weight }) => (left -= weight) < 0);
  return found < 0 ? PERSONAS.length - 1 : found;
}

/** Start of the run, user, request: no other request of this or another run has it. */
function uniqueNumber() {
  numbered += 1;
  return `${Math.floor(exec.scenario.startTime / 1000)}${String(exec.vu.idInTest).padStart(6, "0")}${String(numbered).padStart(6, "0")}`;
}
