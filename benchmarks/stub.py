"""A provider's side that costs next to nothing: it reads a request, waits, and answers.

`python -m benchmarks.stub LATENCY_MS` prints its port; a GET answers what was taken so far.
"""

import asyncio
import itertools
import json
import os
import sys
from collections import Counter

TAKEN: Counter[bytes] = Counter()
NUMBERS = itertools.count(1)


def answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class Stub(asyncio.Protocol):
    """One connection, kept open; one request at a time, as HTTP/1.1 clients send."""

    latency_seconds = 0.05

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.held = transport, b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(body) < length:
            return
        self.held = body[length:]
        if head.startswith(b"GET"):
            told = {"taken": sum(TAKEN.values()), "different": len(TAKEN)}
            self.write(answer("200 OK", json.dumps(told).encode()))
            return
        TAKEN[body[:length]] += 1
        sid = f"SM{next(NUMBERS):032x}"
        reply = answer("201 Created", json.dumps({"sid": sid, "status": "queued"}).encode())
        asyncio.get_running_loop().call_later(self.latency_seconds, self.write, reply)

    def write(self, reply: bytes) -> None:
        self.transport.write(reply)  # type: ignore[attr-defined]


async def main() -> None:
    Stub.latency_seconds = int(sys.argv[1]) / 1000
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while os.getppid() != 1:
        await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main())
