"""What the source documents run: Flask with the sheet's rows cached in each process for a TTL.

BENCH_BYTES=1 keeps the answer as bytes; without it every answer is made by jsonify, as most applications do.
`/block?s=N` computes without ever giving way.
"""
import base64
import json
import os
import threading
import time
import urllib.request

from flask import Flask, Response, jsonify, request

app = Flask(__name__)
with open(os.environ["BENCH_ANSWER"]) as file:
    text = base64.b64decode(json.load(file)["body"])
rows = json.loads(text)
upstream = os.environ.get("BENCH_UPSTREAM")
ttl = float(os.environ.get("BENCH_TTL", "3600"))
as_bytes = os.environ.get("BENCH_BYTES") == "1"
fresh_until = 0.0 if upstream else float("inf")
lock = threading.Lock()


def refresh():
    global text, rows, fresh_until
    with lock:
        if time.monotonic() < fresh_until:
            return
        with urllib.request.urlopen(upstream) as answer:
            text = answer.read()
        rows = json.loads(text)
        fresh_until = time.monotonic() + ttl


@app.route("/api/players")
def players():
    if time.monotonic() >= fresh_until:
        refresh()
    return Response(text, mimetype="application/json") if as_bytes else jsonify(rows)


@app.route("/block")
def block():
    end = time.monotonic() + float(request.args["s"])
    while time.monotonic() < end:
        pass
    return "done\n"


with open(os.path.join(os.environ["BENCH_READY"], str(os.getpid())), "w"):
    pass
