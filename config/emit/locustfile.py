<%
// One line, and no single quote: the script holds it between three of them.
const json = (value) => JSON.stringify(value).replaceAll("'", "\\u0027");

// Locust evaluates one percentile and the share of failures at the end of the run.
const overall = thresholds.filter(({ endpoint }) => endpoint === undefined);
const slow = overall.find(({ metric, statistic }) => metric === "http_req_duration" && typeof statistic === "object");
const failed = overall.find(({ metric }) => metric === "http_req_failed");
-%>
# <%= writtenBy %>
# Profile: <%= profile %>.   Run: locust -f locustfile.py --headless --host <%= url %>
<% for (const note of notes) { -%>
# Note: <%= note %>
<% } -%>
import itertools
import json
import os
import random
import time

from locust import HttpUser, LoadTestShape, events, task

MIX = json.loads(r'''<%= json(mix) %>''')
ENDPOINTS = json.loads(r'''<%= json(endpoints) %>''')
# Each user is one of these kinds; "think" and "rest" are mean pauses in seconds.
PERSONAS = json.loads(r'''<%= json(personas) %>''')
LOGIN = json.loads(r'''<%= json(login) %>''')
# [seconds, users at the end]; a stage begins where the one before ended, the first at 0.
STAGES = json.loads(r'''<%= json(stages) %>''')
PERCENTILE = <%= slow?.statistic.p ?? 95 %>
LIMIT_MS = <%= slow?.limit ?? 500 %>
FAIL_RATIO = <%= failed?.limit ?? 0.01 %>


def read_people():
    """Lines USER,CODE of the file USER_FILE. The codes stay in that file: this script has none."""
    if "USER_FILE" not in os.environ:
        return []
    with open(os.environ["USER_FILE"], encoding="utf-8") as file:
        return [line.strip().split(",", 1) for line in file if line.strip()]


PEOPLE = read_people()
NUMBERS = itertools.count()
RUN = f"{int(time.time())}{random.SystemRandom().randrange(10**7):07d}"


def pick(entries):
    return random.choices(entries, weights=[entry["weight"] for entry in entries])[0]


def unique_number():
    """Start of the run, process, request: no other request of this or another run has it."""
    return f"{RUN}{next(NUMBERS):07d}"


class Visitor(HttpUser):
    def on_start(self):
        number = next(NUMBERS)
        self.actions = pick(PERSONAS)["actions"]
        if LOGIN is not None:
            if not PEOPLE:
                raise RuntimeError("this profile signs in: USER_FILE=FILE (lines USER,CODE)")
            user, code = PEOPLE[number % len(PEOPLE)]
            body = LOGIN["body"].replace("{user}", json.dumps(user)[1:-1]).replace("{code}", json.dumps(code)[1:-1])
            self.send("login", "POST", LOGIN["path"], body, {})

    @task
    def act(self):
        action = pick(self.actions)
        self.pause(action["rest"])
        for _ in range(action["requests"]):
            self.pause(action["think"])
            kind = pick([{"name": name, "weight": weight} for name, weight in MIX.items()])["name"]
            one = pick([endpoint for endpoint in ENDPOINTS if endpoint["class"] == kind])
            number = unique_number()
            body = one["body"].replace("{n}", number) if "body" in one else None
            self.send(one["name"], one["method"], one["path"].replace("{n}", number), body, one.get("headers", {}))

    def send(self, name, method, path, body, headers):
        kind = {} if body is None else {"Content-Type": "application/json"}
        self.client.request(
            method, path, name=name, data=body, headers={**kind, **headers}, allow_redirects=False, timeout=10
        )

    @staticmethod
    def pause(mean):
        """From half to one and a half of the mean."""
        if mean > 0:
            time.sleep(mean * (0.5 + random.random()))


class Ramp(LoadTestShape):
    def tick(self):
        """The users at this moment, on a straight line within each stage; None ends the run."""
        at, users = self.get_run_time(), 0
        for seconds, target in STAGES:
            if at < seconds:
                users += (target - users) * at / seconds
                return max(1, round(users)), max(1, abs(target - users) / max(1, seconds - at))
            at -= seconds
            users = target
        return None


@events.quitting.add_listener
def verdict(environment, **_):
    """Exit code 1 when a threshold is crossed. Deliberate refusals (429, 503) count as failures."""
    total = environment.stats.total
    slow = total.get_response_time_percentile(PERCENTILE / 100) or 0
    if slow >= LIMIT_MS or total.fail_ratio >= FAIL_RATIO:
        print(
            f"threshold crossed: p{PERCENTILE} {slow:.0f} ms (limit {LIMIT_MS}), "
            f"{total.fail_ratio:.2%} failed (limit {FAIL_RATIO:.0%})"
        )
        environment.process_exit_code = 1
