"""Measures a pool of boto3 clients in its three retry modes against the sandbox, beside this tool.

    cargo build --release
    python3 -m venv target/boto3 && target/boto3/bin/pip install boto3
    target/boto3/bin/python benches/pace/boto3_modes.py [THREADS]

Every client writes the permissions boundary of each user once. A write is lost if boto3 gives up. The ideal time is
that of a client that knows the limit: (writes - burst) / rate.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from queue import Empty, Queue

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TOOL = pathlib.Path(__file__).parents[2] / "target/release/iam-boundaries"
THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 32
POLICY = "arn:aws:iam::aws:policy/PowerUserAccess"
WRITE = "PutUserPermissionsBoundary"
ENVIRONMENT = os.environ | {
    "AWS_ACCESS_KEY_ID": "sandbox",
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
# Limit, rate, burst, users, options of the sandbox.
ROWS = [
    ("30/s, burst 40, per second", 30, 40, 640, ["--limit-model", "per-second"]),
    ("30/s, burst 40, continuous", 30, 40, 640, ["--limit-model", "continuous"]),
    ("100/s, burst 100, per second", 100, 100, 2100, ["--limit-model", "per-second"]),
]


def with_boto3(endpoint, users, mode):
    """Writes with one client per thread. Returns the time and the number of lost writes."""
    config = Config(retries={"mode": mode})
    clients = [boto3.client("iam", endpoint_url=endpoint, config=config) for _ in range(THREADS)]
    queue, lost = Queue(), []
    for user in users:
        queue.put(user)

    def work(client):
        while True:
            try:
                user = queue.get_nowait()
            except Empty:
                return
            try:
                client.put_user_permissions_boundary(UserName=user, PermissionsBoundary=POLICY)
            except ClientError as error:
                lost.append(error)

    started = time.monotonic()
    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started, len(lost)


def with_tool(endpoint, users, _):
    """Writes with this tool. Returns the time and the number of lost writes."""
    with tempfile.TemporaryDirectory() as directory:
        lines = "".join(f'"{user}" = "{POLICY}"\n' for user in users)
        file = pathlib.Path(directory, "boundaries.toml")
        file.write_text(f"[account]\nid = \"123456789012\"\n[guard]\nmax_changes = {len(users)}\n[users]\n{lines}")
        environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint, "XDG_STATE_HOME": directory}
        command = [TOOL, "-f", file, "apply", "--yes"]
        started = time.monotonic()
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        took = time.monotonic() - started
        if run.returncode not in (0, 3):
            sys.exit(run.stderr)
        failed = re.search(r"([\d,]+) failed", run.stdout + run.stderr)
        return took, int(failed[1].replace(",", "")) if failed else 0


def measure(write, mode, row):
    name, rate, burst, count, options = row
    command = [TOOL, "sandbox", "serve", "--port", "0", "--users", count, "--latency", 50]
    command += ["--rate", f"{WRITE}={rate}", "--burst", f"{WRITE}={burst}", *options]
    server = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        endpoint = re.search(r"http://\S+", server.stdout.readline())[0]
        reader = boto3.client("iam", endpoint_url=endpoint)
        pages = reader.get_paginator("list_users").paginate()
        users = [user["UserName"] for page in pages for user in page["Users"]]
        took, lost = write(endpoint, users, mode)
    finally:
        server.send_signal(signal.SIGINT)
    summary = server.communicate()[0]
    throttled = re.search(rf"{WRITE} +[\d,]+ +([\d,]+)", summary)[1]
    ideal = (count - burst) / rate
    label = mode if write is with_boto3 else "this tool"
    print(f"| {name} | {label} | x{took / ideal:.2f} | {lost} of {count} | {throttled} |", flush=True)


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    print("| limit | client | time | lost | throttled requests |\n| --- | --- | --- | --- | --- |")
    for row in ROWS:
        measure(with_tool, None, row)
        for mode in ("legacy", "standard", "adaptive"):
            measure(with_boto3, mode, row)
