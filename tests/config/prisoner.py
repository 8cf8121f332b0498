"""A confined child that tries what it must not do, and tells which of it went well."""

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.lib import confinement

LIBC = ctypes.CDLL(None, use_errno=True)


def kernel_socket() -> None:
    """Past Python's hooks, as code in a broken decoder would."""
    if LIBC.socket(2, 1, 0) < 0:
        raise PermissionError(ctypes.get_errno())


def kernel_open() -> None:
    if LIBC.open(b"/etc/passwd", 0) < 0:
        raise PermissionError(ctypes.get_errno())


def kernel_execute() -> None:
    if LIBC.execv(b"/bin/true", (ctypes.c_char_p * 2)(b"/bin/true", None)) < 0:
        raise PermissionError(ctypes.get_errno())


def kernel_kill() -> None:
    if LIBC.kill(os.getppid(), 0) < 0:
        raise PermissionError(ctypes.get_errno())


ACTS: dict[str, Callable[[], object]] = {
    "kernel socket": kernel_socket,
    "kernel open": kernel_open,
    "kernel execute": kernel_execute,
    "kernel kill": kernel_kill,
    "socket": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "look-up": lambda: socket.getaddrinfo("example.org", 80),
    "read a file": lambda: Path("/etc/passwd").read_bytes(),
    "write a file": lambda: Path("made.txt").write_text("x"),
    "list a folder": lambda: os.listdir("/"),  # noqa: PTH208
    "remove a file": lambda: os.unlink("made.txt"),  # noqa: PTH108
    "run a program": lambda: subprocess.run(["/bin/true"], check=True),
    "memory": lambda: bytearray(2 << 30),
}


def main() -> None:
    data = sys.stdin.buffer.read()
    folder = [one.name for one in Path.cwd().iterdir()]
    before = {"folder": folder, "environment": sorted(os.environ)}
    # The last one is that of the look itself.
    handles = sorted(int(one.name) for one in Path("/proc/self/fd").iterdir())[:-1]
    request = confinement.confine()
    act = {"spin": _spin, "flood": _flood, "try": _try}[request["act"]]
    told = {"size": len(data), "handles": handles, "filtered": request["filtered"], **before}
    sys.stdout.buffer.write(json.dumps({**told, "did": act()}).encode())


def _try() -> list[str]:
    return [name for name, act in ACTS.items() if _went_well(act)]


def _went_well(act: Callable[[], Any]) -> bool:
    try:
        act()
    except (OSError, MemoryError):
        return False
    return True


def _spin() -> None:
    while True:
        pass


def _flood() -> None:
    for _ in range(100):
        sys.stdout.buffer.write(bytes(1 << 20))
