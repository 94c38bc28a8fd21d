"""A proxy before the S3 server that spoils what it carries: bodies of objects end early, have wrong bytes or stand still."""

import socket
import socketserver
import threading
from dataclasses import dataclass

BLOCK_BYTES = 1024


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Flip:
    """One bit of that byte is another; the connection goes on, or ends after `cut_after` bytes."""

    at: int
    cut_after: int | None = None


@dataclass(frozen=True)
class Shorten:
    """The body ends after so many bytes, and the head says that this is all."""

    bytes: int


@dataclass(frozen=True)
class Stall:
    """After so many bytes nothing comes any more."""

    after: int


@dataclass(frozen=True)
class Slow:
    """Each block of the body waits for so long."""

    pause_s: float


class FaultyProxy:
    """A running proxy: `url` where it answers; each GET of an object has the next of its `faults`, or the last for ever."""

    def __init__(self, url, faults=(), always=None, on_fault=lambda: None):
        host, port = url.removeprefix("http://").split(":")
        self._upstream = (host, int(port))
        self._faults = list(faults)
        self._always = always
        self._on_fault = on_fault
        self._ended = threading.Event()
        self.gets = []
        """The heads of the requests for objects, as they came."""
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(proxy):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection(proxy._upstream) as upstream:
                    try:
                        while proxy._relay(self.request, upstream):
                            pass
                    except OSError:
                        pass  # one side has left

        return Handler

    def _relay(self, client, upstream):
        """Carries one request, which has no body, and its answer; false when the connection ends."""
        request = read_head(client)
        if not request:
            return False
        upstream.sendall(request)
        answer = read_head(upstream)
        line = request.split(b"\r\n", 1)[0].decode()
        length = 0 if line.startswith("HEAD ") else content_length(answer)
        fault = None
        if line.startswith("GET ") and "list-type" not in line and length is not None:
            self.gets.append(request.decode())
            fault = self._faults.pop(0) if self._faults else self._always
        if fault:
            self._on_fault()
        return self._send(client, upstream, answer, length, fault)

    def _send(self, client, upstream, answer, length, fault):
        if isinstance(fault, Shorten):
            answer = answer.replace(f"content-length: {length}".encode(), f"content-length: {fault.bytes}".encode())
        client.sendall(answer)
        if length is None:
            return forward_rest(client, upstream)
        sent = 0
        while sent < length:
            block = upstream.recv(min(BLOCK_BYTES, length - sent))
            if not block:
                return False
            if isinstance(fault, Slow):
                self._ended.wait(fault.pause_s)
            if isinstance(fault, Flip) and sent <= fault.at < sent + len(block):
                at = fault.at - sent
                block = block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]
            end = end_of(fault)
            if end is not None and sent + len(block) >= end:
                client.sendall(block[: end - sent])
                if isinstance(fault, Stall):
                    client.settimeout(0.05)
                    while not self._ended.is_set() and not has_left(client):
                        pass
                return False
            client.sendall(block)
            sent += len(block)
        return True


def end_of(fault):
    """After how many bytes a fault ends a body, if it does."""
    match fault:
        case Cut(after) | Stall(after):
            return after
        case Shorten(length):
            return length
        case Flip(_, cut_after):
            return cut_after
    return None


def has_left(client):
    try:
        return not client.recv(1)
    except TimeoutError:
        return False


def forward_rest(client, upstream):
    while block := upstream.recv(BLOCK_BYTES):
        client.sendall(block)
    return False


def read_head(stream):
    """Reads to the end of a head, and no further."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def content_length(head):
    """The length that a head announces; nothing where it announces none."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None
