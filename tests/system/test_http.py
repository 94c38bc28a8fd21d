"""HTTP as bytes: what is refused and how, what connections may do, and that none of it costs the server anything for long."""

import asyncio
import os
import random
import resource
import select
import socket
import time

import pytest

from houses import HOUSES, PREFIX
from http_client import Client
from process import Process
from raw_client import allow_files, exchange, resident_bytes, sockets_of, statuses

PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = b"Host: x\r\n"
CLOSED_WITHIN_S = 10

# The first line, the lines after it, the body; the status of the answer.
REFUSED = {
    "no host": (b"GET /ping HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /ping HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    "host with a space": (b"GET /ping HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "bare line feeds": (b"GET /ping HTTP/1.1\nHost: x\n\n", 400),
    "a bare line feed at the end": (b"GET /ping HTTP/1.1\r\nHost: x\r\n\n", 400),
    "a bare carriage return": (b"GET /ping HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", 400),
    "a folded header": (b"GET /ping HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "a folded first header": (b"GET /ping HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    "a zero byte in a name": (b"GET /ping HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n", 400),
    "a zero byte in a value": (b"GET /ping HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 400),
    "a space before the colon": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc", 400),
    "no colon": (b"GET /ping HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400),
    "no name": (b"GET /ping HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
    "length and encoding": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "encoding and length": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "two lengths in one": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 4\r\n\r\nabcd", 400),
    "a negative length": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    "a signed length": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400),
    "a hexadecimal length": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", 400),
    "an empty length": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400),
    "a length beyond 64 bits": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551617\r\n\r\n", 400),
    "a length beyond everything": (b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\n", 413),
    "gzip": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    "gzip and chunked": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked and identity": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in disguise": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "xchunked": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "a chunk without a size": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400),
    "a chunk of a negative size": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    "a chunk of an endless size": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    "a chunk with a space": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n", 400),
    "a chunk with a bare line feed": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400),
    "a chunk that is too long": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400),
    "a trailer with a bare line feed": (b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: b\n\r\n", 400),
    "HTTP/1.0": (b"GET /ping HTTP/1.0\r\nHost: x\r\n\r\n", 505),
    "HTTP/0.9": (b"GET /ping\r\n\r\n", 400),
    "HTTP/1.2": (b"GET /ping HTTP/1.2\r\nHost: x\r\n\r\n", 505),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "no method": (b" /ping HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a strange method": (b"G\xc3\x8bT /ping HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space in the target": (b"GET /ping pong HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a strange byte in the target": (b"GET /p\xc3\xafng HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a bracket in the target": (b"GET /<ping> HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target without a slash": (b"GET ping/pong HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target without an address": (b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target with half an address": (b"GET http://[::1/ping HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a version in lower case": (b"GET /ping http/1.1\r\nHost: x\r\n\r\n", 400),
    "empty lines": (b"\r\n" * 5 + PING, 400),
    "a long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "an endless target": (b"GET /" + b"a" * 17000, 414),
    "many headers": (b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431),
    "a large head": (b"GET /ping HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 17000 + b"\r\n\r\n", 431),
    "an endless head": (b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 4000, 431),
}  # fmt: skip

# Requests that are answered with 200 and leave the connection open.
ROW = HOUSES[0].rows[0].encode()
INVOKE = b"POST /endpoints/any/invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nX-Amzn-SageMaker-Target-Model: " + HOUSES[0].target.encode()
POST = b"POST /ping HTTP/1.1\r\nHost: x\r\n"
ACCEPTED = [
    PING,
    b"\r\n" + PING,
    b"HEAD /ping HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ping?a=b%20c HTTP/1.1\r\nhost:\r\n\r\n",
    b"GET http://x/ping HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /models HTTP/1.1\r\nHOST: [::1]:8080\r\nAccept: */*\r\n\r\n",
    b"GET /execution-parameters HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ping HTTP/1.1\r\nHost: x\r\nA: \xc3\xa9\t~\r\nB:\r\n\r\n",
    b"GET /ping HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    POST + b"Content-Length: 0\r\n\r\n",
    POST + b"Content-Length: 5\r\n\r\n1,2,\n",
    POST + b"CONTENT-length: \t005 \t\r\n\r\n1,2,\n",
    POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n1,2",
    POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: Chunked\r\n\r\n1\r\na\r\n00A\r\n0123456789\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n1;a=b;c\r\na\r\n0;d\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    INVOKE + b"\r\nContent-Length: %d\r\n\r\n%b" % (len(ROW), ROW),
    INVOKE + b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(ROW), ROW),
    INVOKE + b"\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n%b" % (len(ROW), ROW),
]  # fmt: skip


def await_sockets(process, count):
    """Waits until a server has only so many sockets open."""
    deadline = time.monotonic() + CLOSED_WITHIN_S
    while sockets_of(process.pid) > count:
        assert time.monotonic() < deadline, f"{sockets_of(process.pid)} sockets are open, expected {count}"
        time.sleep(0.02)


def check_alive(process):
    assert Client(process.url)("GET", "/ping").status == 200


def test_what_is_not_http_is_refused_and_the_connection_closed(server):
    process = server()
    before = sockets_of(process.pid)

    async def refuse():
        for name, (request, status) in REFUSED.items():
            # Alone, behind a good request, and byte by byte; what would come after it is not answered.
            for pieces in ([request + PING], [PING + request + PING], [request[i : i + 1] for i in range(min(len(request), 300))]):
                expected = [200, status] if pieces[0].startswith(PING + request) else [status]
                if len(pieces) == 300:
                    continue
                answers = await exchange(process.port, *pieces)
                assert statuses(answers) == expected, f"{name}: {answers}"
                head = answers.rsplit(b"HTTP/1.1 ", 1)[1].lower()
                assert b"connection: close\r\n" in head, f"{name}: {answers}"
                assert status == 413 or b'"message": "' in head, f"{name}: {answers}"

    asyncio.run(refuse())
    check_alive(process)
    await_sockets(process, before)


def test_requests_follow_each_other_on_one_connection(server):
    process = server("--models", PREFIX)
    last = b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    async def follow():
        for request in ACCEPTED:
            answers = await exchange(process.port, request * 3 + last)
            continues = b"Expect" in request
            final = [status for status in statuses(answers) if status != 100]
            assert final == [200] * 4 and (100 in statuses(answers)) <= continues, f"{request}: {answers}"
        everything = b"".join(ACCEPTED) * 5 + last
        answers = await exchange(process.port, everything)
        assert [status for status in statuses(answers) if status != 100] == [200] * (5 * len(ACCEPTED) + 1)
        answers = await exchange(process.port, *[bytes([byte]) for byte in b"".join(ACCEPTED) + last])
        assert [status for status in statuses(answers) if status != 100] == [200] * (len(ACCEPTED) + 1)

    asyncio.run(follow())


def test_a_body_is_asked_for_where_the_client_waits(server):
    process = server("--body-max", "1K")
    connection = socket.create_connection(("127.0.0.1", process.port), timeout=10)
    connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"1,2")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 3000\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_every_prefix_of_a_request_frees_its_place(server):
    process = server("--models", PREFIX, "--idle-timeout", "3")
    asyncio.run(exchange(process.port, ACCEPTED[-1], half_close=True))
    before = sockets_of(process.pid)

    async def cut(request, end, half_close):
        answers = await exchange(process.port, request[:end], half_close=half_close)
        assert set(statuses(answers)) <= {200, 100, 400, 424}, f"{request[:end]}: {answers}"

    async def abandon(request, end):
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        writer.write(request[:end])
        writer.close()
        await writer.wait_closed()

    async def cut_all():
        for request in ACCEPTED:
            await asyncio.gather(*[cut(request, end, half_close=True) for end in range(len(request))])
            await asyncio.gather(*[abandon(request, end) for end in range(len(request) + 1)])

    asyncio.run(cut_all())
    await_sockets(process, before)
    check_alive(process)


def test_an_idle_connection_is_closed_after_its_time(server):
    process = server("--idle-timeout", "1")
    for requests in (0, 1, 3):
        connection = socket.create_connection(("127.0.0.1", process.port), timeout=10)
        for _ in range(requests):
            connection.sendall(PING)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        start = time.monotonic()
        assert connection.recv(65536) == b""
        assert 0.9 < time.monotonic() - start < 1.8, requests


def test_random_bytes_do_no_harm(server):
    process = server("--head-timeout", "1", "--body-timeout", "1", "--idle-timeout", "1")
    generator = random.Random(7)
    words = [word for request in ACCEPTED for word in (request, *request.split(b"\r\n"), *request.split(b" "))] + [b"\r\n", b"\n", b"\0"]

    def noise():
        if generator.random() < 0.3:
            return generator.randbytes(generator.randrange(1, 400))
        text = bytearray(b"".join(generator.choices(words, k=generator.randrange(1, 12))))
        for _ in range(generator.randrange(4)):
            text[generator.randrange(len(text)) if text else 0 :][:1] = generator.randbytes(1)
        return bytes(text)

    async def send():
        for _ in range(20):
            await asyncio.gather(*[exchange(process.port, noise(), half_close=True) for _ in range(50)])

    before = sockets_of(process.pid)
    asyncio.run(send())
    await_sockets(process, before)
    check_alive(process)


def test_a_client_that_does_not_read_makes_nobody_keep_its_answers(server):
    process = server()
    check_alive(process)
    before = resident_bytes(process.pid)
    connections = [socket.create_connection(("127.0.0.1", process.port)) for _ in range(8)]
    sent = 0
    for connection in connections:
        connection.settimeout(0.5)
        try:
            while sent < 64 << 20:
                sent += connection.send(PING * 2000)
        except TimeoutError:
            pass
    grown = resident_bytes(process.pid) - before
    print(f"{sent >> 10} KiB of requests sent, grown by {grown >> 10} KiB")
    assert grown < 16 << 20
    for connection in connections:
        connection.close()
    check_alive(process)


# A million of the smallest chunks are as good as one of a million bytes.
CHUNKS = 1_000_000
CHUNKED_REQUESTS = int(os.environ.get("THICKET_CHUNKED_REQUESTS", "4"))
CHUNKED_GROWTH_MAX = 1 << 20


def test_tiny_chunks_take_no_memory(server):
    process = server("--workers", "1")
    request = POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * CHUNKS + b"0\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", process.port), timeout=30)

    def send():
        connection.sendall(request)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")

    send()
    before, start = resident_bytes(process.pid), time.monotonic()
    for _ in range(CHUNKED_REQUESTS):
        send()
    grown, taken_s = resident_bytes(process.pid) - before, time.monotonic() - start
    print(f"{CHUNKED_REQUESTS} requests of {CHUNKS} chunks: {taken_s / CHUNKED_REQUESTS:.2f} s each, grown by {grown >> 10} KiB")
    assert grown < CHUNKED_GROWTH_MAX


def test_chunks_are_counted(server):
    process = server("--chunks-max", "3")
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    for chunks, status in ((3, 200), (4, 413)):
        answers = asyncio.run(exchange(process.port, head + b"1\r\na\r\n" * chunks + b"0\r\n\r\n"))
        assert statuses(answers) == [status]


def test_connections_beyond_the_limit_are_answered_and_closed(server):
    process = server("--connections-max", "4")
    held = [socket.create_connection(("127.0.0.1", process.port)) for _ in range(4)]
    for connection in held:
        connection.sendall(PING)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    start = time.monotonic()
    answers = asyncio.run(exchange(process.port))
    assert statuses(answers) == [503] and b"there are 4 connections already" in answers
    assert time.monotonic() - start < 1
    sockets = sockets_of(process.pid)
    held.pop().close()
    await_sockets(process, sockets - 1)
    check_alive(process)
    for connection in held:
        connection.close()


def test_there_are_files_for_all_connections(binary, tmp_path):
    def start(soft, hard, *arguments):
        command = ["prlimit", f"--nofile={soft}:{hard}", binary, "serve", "--host", "127.0.0.1", "--port", "0"]
        return Process([*command, "--cache-dir", tmp_path / "cache", *arguments], r"listening on (http://127\.0\.0\.1:\d+)")

    raised, few = start(64, 2000, "--connections-max", "500"), start(64, 64)
    try:
        assert resource.prlimit(raised.pid, resource.RLIMIT_NOFILE) == (756, 2000)
        assert "fewer connections are taken" in few.log()
        held = [socket.create_connection(("127.0.0.1", few.port), timeout=10) for _ in range(32)]
        for connection in held:
            connection.sendall(PING)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        answers = asyncio.run(exchange(few.port))
        assert statuses(answers) == [503] and b"there are 32 connections already" in answers
        for connection in held:
            connection.close()
    finally:
        codes = raised.stop(), few.stop()
    assert codes == (0, 0)


# Bodies that fill what all bodies together may take.
BODY = b"1" * 90_000


def test_bodies_together_are_bounded(server):
    process = server("--workers", "1", "--bodies-max", "256K", "--body-max", "100K")
    head = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY)

    def begin(sent):
        connection = socket.create_connection(("127.0.0.1", process.port), timeout=10)
        connection.sendall(head + sent)
        return connection

    announced = [begin(b"") for _ in range(20)]
    assert statuses(asyncio.run(exchange(process.port, head + BODY))) == [200], "what is announced takes nothing"
    held = [begin(BODY[:-1]) for _ in range(10)]
    # Two have room, whoever they are; who has none is told so at once.
    refused, end = [], time.monotonic() + CLOSED_WITHIN_S
    while len(refused) < 8:
        assert time.monotonic() < end, f"{len(refused)} are refused"
        refused += select.select([connection for connection in held if connection not in refused], [], [], 0.1)[0]
    for connection in refused:
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert statuses(answer) == [503] and b"connection: close\r\n" in answer and b"ServiceUnavailableException" in answer
    check_alive(process)
    for connection in held:
        if connection not in refused:
            connection.sendall(BODY[-1:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    for connection in [begin(BODY[:50_000]) for _ in range(10)]:
        connection.close()
    # What those took who left comes back, once the server has seen that.
    for connection in announced:
        end = time.monotonic() + CLOSED_WITHIN_S
        while statuses(answer := asyncio.run(exchange(process.port, head + BODY))[:15]) != [200]:
            assert time.monotonic() < end, answer
        connection.close()


def test_accepting_survives_a_lack_of_files(server):
    process = server("--connections-max", "1000")
    check_alive(process)
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (64, hard))
    connections = [socket.create_connection(("127.0.0.1", process.port), timeout=10) for _ in range(100)]
    while "cannot accept a connection" not in process.log():
        time.sleep(0.02)
    connections[0].sendall(PING)
    assert connections[0].recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    for connection in connections:
        connection.close()
    check_alive(process)
    assert process.log().count("cannot accept a connection") < 10
    assert "connections can be accepted again" in process.log()
