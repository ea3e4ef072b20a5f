#!/usr/bin/env python3
"""Traffic between two hosts, measured; each part prints one JSON object when it ends.

    traffic.py sink PORT                      takes TCP, one connection
    traffic.py send HOST PORT SECONDS         fills TCP for so long; goodput as the sink saw it
    traffic.py echo PORT                      answers UDP until it is ended
    traffic.py ask HOST PORT SECONDS          a UDP packet every 10 ms; round trips, losses, gaps
"""

import json
import socket
import sys
import time

INTERVAL = 0.01
PATIENCE = 500  # intervals


def sink(port):
    with socket.create_server(("", port)) as server:
        connection, _ = server.accept()
        with connection:
            begin, total = time.monotonic(), 0
            while data := connection.recv(1 << 18):
                total += len(data)
            return {"bytes": total, "mbps": 8e-6 * total / (time.monotonic() - begin)}


def connect(host, port):
    """Once the other side is there, which may have been started at the same moment."""
    for _ in range(PATIENCE):
        try:
            return socket.create_connection((host, port), timeout=10)
        except ConnectionRefusedError:
            time.sleep(INTERVAL)
    sys.exit(f"traffic.py: nobody listens on {host}, port {port}")


def send(host, port, seconds):
    chunk = bytes(1 << 16)
    with connect(host, port) as connection:
        # Whatever this machine's default: BBR sizes its window by the least round trip, which is
        # nothing on a veth, and does not fill links whose queue is longer than that.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(chunk)
    return {}


def echo(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", port))
        while True:
            s.sendto(*s.recvfrom(2048))


def await_answer(s):
    s.settimeout(INTERVAL)
    for _ in range(PATIENCE):
        try:
            s.send(b"-1")
            s.recv(64)
            return
        except (TimeoutError, ConnectionRefusedError):
            pass
    sys.exit("traffic.py: nobody answers")


def ask(host, port, seconds):
    """Sequence numbers out and back. A gap is the longest time without an answer."""
    sent, answered = {}, {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((host, port))
        await_answer(s)
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + seconds + 0.5:
            if now < begin + seconds and now >= begin + INTERVAL * len(sent):
                sent[len(sent)] = now
                s.send(str(len(sent) - 1).encode())
            s.settimeout(0.002)
            try:
                answered.setdefault(int(s.recv(64)), time.monotonic())
            except (TimeoutError, ConnectionRefusedError):
                pass
    answered.pop(-1, None)
    trips = sorted(answered[n] - sent[n] for n in answered)
    at = sorted(answered.values())
    gaps = [y - x for x, y in zip(at, at[1:])]
    return {"sent": len(sent), "lost": len(sent) - len(answered),
            "p50_ms": 1e3 * trips[len(trips) // 2] if trips else None,
            "max_ms": 1e3 * trips[-1] if trips else None,
            "longest_gap_ms": 1e3 * max(gaps) if gaps else None}


if __name__ == "__main__":
    part, *rest = sys.argv[1:]
    if part == "sink":
        print(json.dumps(sink(int(rest[0]))))
    elif part == "send":
        print(json.dumps(send(rest[0], int(rest[1]), float(rest[2]))))
    elif part == "echo":
        echo(int(rest[0]))
    elif part == "ask":
        print(json.dumps(ask(rest[0], int(rest[1]), float(rest[2]))))
    else:
        sys.exit(f"traffic.py: found '{part}'; allowed: sink, send, echo, ask")
