"""What every peer in Python speaks: one JSON object per line on stdin, one answer per line on stdout.

{"do": "hello", "threads": 2}       -> {"version": "...", "threads": 2}; our own engines answer "limits": true with theirs
{"do": "prepare", "workload": {…}}  -> {"note": "..."} or {"missing": "reason"}; builds the data and runs once
{"do": "run", "iterations": 5}      -> {"ms": milliseconds per iteration}
{"do": "release"}                   -> {}
"""
import ctypes
import json
import random
import sys
import time


class Missing(Exception):
    """The peer cannot do this workload; the message says why."""


def serve(hello, prepare):
    """hello(threads) -> dict; prepare(spec) -> (step, note)."""
    step = None
    for line in sys.stdin:
        message = json.loads(line)
        answer = {}
        try:
            if message["do"] == "hello":
                answer = hello(message["threads"])
            elif message["do"] == "prepare":
                step = None
                step, note = prepare(message["workload"]["spec"])
                step()
                answer = {"note": note} if note else {}
            elif message["do"] == "run":
                answer = {"ms": milliseconds(step, message["iterations"])}
            elif message["do"] == "release":
                step = None
        except Missing as reason:
            answer = {"missing": str(reason)}
        except Exception as error:  # a peer that fails is reported, the others go on
            answer = {"missing": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), flush=True)


def milliseconds(step, iterations):
    """Mean time of a step."""
    start = time.perf_counter()
    for _ in range(iterations):
        step()
    return (time.perf_counter() - start) * 1000 / iterations


def floats(n):
    """n random floats in [-1, 1) as an array of C."""
    period = [random.uniform(-1, 1) for _ in range(min(n, 4099))]
    return (ctypes.c_float * n)(*(period * (n // len(period) + 1))[:n])
