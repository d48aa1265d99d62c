"""A server on the loopback that holds files at the paths of repositories, and misbehaves when told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Server:
    """What is served, how, and what was asked for.

    Attributes
    ----------
    files
        Content of each path, without the first slash.
    moods
        What a path does at its next requests, one after another; the last one stays. See `_Handler.answer`.
    asked
        Every path that was asked for, in order, and the request line of each.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    moods: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def mood(self, path: str) -> str:
        with self.lock:
            left = self.moods.get(path, ["fine"])
            return left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving() -> Iterator[Server]:
    """Serve on a free port of the loopback until the block ends."""
    server = Server()
    handler = type("Handler", (_Handler,), {"server_of": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        server.address = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            running.shutdown()
            thread.join()


def free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class _Handler(BaseHTTPRequestHandler):
    server_of: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")  # a proxy is asked with the whole address
        with self.server_of.lock:
            self.server_of.asked.append(path)
            self.server_of.lines.append(self.path)
        self.close_connection = True
        self.answer(path, self.server_of.mood(path))

    def answer(self, path: str, mood: str) -> None:
        raw = self.server_of.files.get(path)
        if raw is None or mood.isdigit():
            self.send(int(mood) if mood.isdigit() else 404, b"no such thing", ["whole"])
        elif mood == "fine":
            self.send(200, raw, ["whole"])
        elif mood == "cut":  # half of what was announced
            self.send(200, raw, ["half"])
        elif mood == "cut unannounced":  # nor was a length
            self.send(200, raw, ["half"], announced=False)
        elif mood == "hang up":  # without an answer
            self.connection.shutdown(socket.SHUT_RDWR)
        elif mood == "other":  # as many bytes, one of them another
            self.send(200, bytes([raw[0] ^ 1]) + raw[1:], ["whole"])
        elif mood == "shorter":
            self.send(200, raw[:-1], ["whole"])
        elif mood == "longer":
            self.send(200, raw + b"x", ["whole"])
        elif mood == "page":
            self.send(200, b"<!DOCTYPE html><html>Please log in</html>", ["whole"])
        elif mood == "slow":
            self.send(200, raw, ["half", "wait", "rest"])
        elif mood == "stall":
            self.send(200, raw, ["half", "wait", "wait", "wait", "wait", "rest"])
        else:
            raise AssertionError(mood)

    def send(self, status: int, raw: bytes, steps: Sequence[str], announced: bool = True) -> None:
        self.send_response(status)
        if announced:
            self.send_header("Content-Length", str(len(raw)))
        self.send_header("Connection", "close")
        self.end_headers()
        half = len(raw) // 2
        try:
            for step in steps:
                if step == "wait":
                    time.sleep(0.15)
                else:
                    self.wfile.write({"whole": raw, "half": raw[:half], "rest": raw[half:]}[step])
                    self.wfile.flush()
        except OSError:  # the other side has given up
            pass
