"""Clients that pull a video over TLS 1.3 and say how much came, how fast; no Django in it.

`python -m benchmarks.pull PORT PATH COOKIE MODE CLIENTS TIMES SIZE`, one JSON line; MODE is whole,
ranges, slow or phone.
"""

import json
import socket
import ssl
import sys
import threading
import time

RANGE_BYTES = 1 << 20
SLOW_BYTES_A_SECOND = 1_000_000
PHONE_BYTES = 16 << 20
STALL_SECONDS = 2.0


class Client:
    """One connection that is kept."""

    def __init__(self, port: int, cookie: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        raw = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket = context.wrap_socket(raw, server_hostname="localhost")
        self._cookie, self._buffer = cookie, bytearray(256 << 10)

    def get(self, path: str, span: str = "", pace: float = 0) -> tuple[int, int]:
        """Return the status and how many bytes of content came; `pace` is bytes a second."""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self._cookie}\r\n"
        head += f"Range: bytes={span}\r\n" if span else ""
        self._socket.sendall(f"{head}\r\n".encode())
        told, rest = self._head()
        size = int(told.get("content-length", "0"))
        began, came = time.monotonic(), len(rest)
        view = memoryview(self._buffer)
        while came < size:
            count = self._socket.recv_into(view, min(size - came, len(view)))
            if not count:
                break
            came += count
            if pace:
                time.sleep(max(0.0, began + came / pace - time.monotonic()))
        return int(told["status"]), came

    def _head(self) -> tuple[dict[str, str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            part = self._socket.recv(16 << 10)
            if not part:
                raise ConnectionError("the server closed")
            data += part
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        told = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        return {**told, "status": first.split()[1]}, rest


def pull(number: int, told: dict[str, list[float]], words: list[str]) -> None:
    port, path, cookie, mode, _, times, size = words
    client = Client(int(port), cookie)
    for turn in range(int(times)):
        began = time.monotonic()
        if mode == "whole":
            status, came = client.get(path)
        elif mode == "ranges":
            start = (number * 7 + turn * 13) * RANGE_BYTES % (int(size) - RANGE_BYTES)
            status, came = client.get(path, f"{start}-{start + RANGE_BYTES - 1}")
        else:
            # A browser leaves the end open and takes what comes; an iPhone names it.
            start = (number + turn) * (4 << 20) % (int(size) // 2)
            last = str(start + PHONE_BYTES - 1) if mode == "phone" else ""
            status, came = client.get(path, f"{start}-{last}", SLOW_BYTES_A_SECOND)
            late = time.monotonic() - began - came / SLOW_BYTES_A_SECOND
            told["stalls"].append(late)
        if status not in {200, 206}:
            raise ConnectionError(f"status {status}")
        told["bytes"].append(came)


def main() -> None:
    words = sys.argv[1:]
    told: dict[str, list[float]] = {"bytes": [], "stalls": []}
    threads = [threading.Thread(target=pull, args=(n, told, words)) for n in range(int(words[4]))]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(told["bytes"]) != int(words[4]) * int(words[5]):
        raise SystemExit("some clients got no video")
    stalled = sum(late > STALL_SECONDS for late in told["stalls"])
    answer = {"bytes": sum(told["bytes"]), "seconds": time.monotonic() - began}
    most = max(told["stalls"], default=0.0)
    print(json.dumps({**answer, "turns": len(told["bytes"]), "stalled": stalled, "latest": most}))


if __name__ == "__main__":
    main()
