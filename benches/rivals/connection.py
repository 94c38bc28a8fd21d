"""A client that costs little: requests as bytes over one connection."""

import socket
from urllib.parse import urlsplit

TIMEOUT_S = 60


class Connection:
    """One keep-alive connection to the server, opened again when the server closes it."""

    def __init__(self, url):
        place = urlsplit(url)
        if place.hostname != "127.0.0.1":
            raise ValueError(f"{url} is not on loopback")
        self._address = (place.hostname, place.port)
        self._socket = None

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def renew(self):
        """Opens the connection anew, so that no request finds that the server has closed an idle one."""
        self.close()
        self._socket = socket.create_connection(self._address, TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(self, request):
        """Sends the bytes of a request; returns the status and the body of the answer."""
        if self._socket is None:
            self.renew()
        self._socket.sendall(request)
        head, body = self._head()
        length = length_of(head)
        while len(body) < length:
            body += self._some()
        if b"\r\nconnection: close" in head:
            self.close()
        return int(head[9:12]), body

    def _head(self):
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, body = received.partition(b"\r\n\r\n")
        return head.lower(), body

    def _some(self):
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        return received


def length_of(head):
    """Returns the length of the body that the head of an answer announces."""
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"the answer does not say how long it is: {head!r}")


def request(method, path, content_type="", body=b""):
    """Returns the bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n"
    if body or method == "POST":
        head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
