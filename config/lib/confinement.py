"""How is a program kept that reads a stranger's file? In a child without network, files or time.

What holds, on Linux (x86-64, ARM64): the kernel's own filter (seccomp) refuses sockets, opening,
renaming and removing files, and starting programs, for all threads, before the first byte of the
file is looked at; and limits of memory, processor time, size of output and open files. Elsewhere
the limits hold, and Python's own sockets and files are refused by an audit hook, which machine code
could step around. In both cases no descriptor of ours but the file and the answer is inherited, the
environment is empty, and the folder it stands in is empty, and removed.
"""

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
OPEN_FILES = 16
SPARE_SECONDS = 10

_NO_NEW_PRIVILEGES, _SET_FILTER, _ALL_THREADS = 38, 1, 1
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _ANSWER = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001
_NUMBERS_OF_32_BIT = 0x40000000
# The calls that are refused: sockets; open, create, rename, link, remove, mount; run, trace,
# signal, and other ways to these. By machine, with its audit number and the call of seccomp.
_X86_64 = (
    *(41, 42, 43, 44, 46, 49, 50, 53, 288, 299, 307),
    *(2, 76, 80, 82, 83, 84, 85, 86, 87, 88, 90, 92, 165, 257, 258, 259, 263, 264, 265, 266),
    *(316, 319, 322, 437, 57, 58, 59, 62, 101, 200, 234, 250, 272, 304, 308, 310, 311, 321),
    *(323, 425, 434, 438),
)
_ARM64 = (
    *(198, 199, 200, 201, 202, 203, 206, 211, 242, 243, 269),
    *(33, 34, 35, 36, 37, 38, 40, 45, 49, 53, 54, 56, 265, 276, 279, 437),
    *(97, 117, 129, 130, 131, 219, 221, 268, 270, 271, 280, 281, 282, 425, 434, 438),
)
_MACHINES = {"x86_64": (0xC000003E, 317, _X86_64), "aarch64": (0xC00000B7, 277, _ARM64)}
_BARRED = ("socket.", "subprocess.", "os.", "open", "shutil.", "ctypes.dlopen", "pty.", "ftplib.")


class Failed(Exception):
    """The child gave no answer: it broke, or met a limit; `code` says which is known."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Limits:
    """What a child may use: bytes of memory and of answer, seconds of processor and of clock."""

    memory_bytes: int
    answer_bytes: int
    cpu_seconds: int
    seconds: float


def run(*, module: str, data: bytes, request: dict[str, Any], limits: Limits) -> bytes:
    """Have `module.main()` of ours read `data` in a confined child, and return its answer.

    :raises Failed: it did not end well.
    """
    with _in_memory(data) as source, _in_memory(b"") as answer:
        code = _code_of(module, request, limits, source, answer)
        if code:
            raise Failed("too_slow" if code in {-signal.SIGXCPU, -signal.SIGKILL} else "broke")
        os.lseek(answer, 0, os.SEEK_SET)
        with os.fdopen(os.dup(answer), "rb") as file:
            return file.read(limits.answer_bytes)


def _code_of(module: str, request: dict[str, Any], limits: Limits, source: int, answer: int) -> int:
    words = json.dumps({"limits": asdict(limits), "request": request})
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module} as m; m.main()"
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen(  # noqa: S603  our own program, and words of our own
            [sys.executable, "-I", "-c", start, words],
            stdin=source,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            return child.wait(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def confine() -> dict[str, Any]:
    """Give up what a child must not have, for good; return what it was asked.

    Everything it needs must have been imported by now.
    """
    told = json.loads(sys.argv[1])
    limits = Limits(**told["limits"])
    _set(resource.RLIMIT_AS, limits.memory_bytes)
    _set(resource.RLIMIT_CPU, limits.cpu_seconds)
    _set(resource.RLIMIT_FSIZE, limits.answer_bytes)
    _set(resource.RLIMIT_NOFILE, OPEN_FILES)
    _set(resource.RLIMIT_CORE, 0)
    is_filtered = _filter()
    sys.addaudithook(_refuse)
    return {**told["request"], "filtered": is_filtered}


def _set(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (allowed, allowed))


def _refuse(event: str, _arguments: object) -> None:
    if event.startswith(_BARRED):
        raise PermissionError(event)


def _filter() -> bool:
    """Have the kernel refuse the calls from here on, in every thread; False: it cannot."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    audit_number, seccomp, refused = machine
    steps = _steps(audit_number, refused)
    program = ctypes.create_string_buffer(b"".join(steps))
    whole = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return bool(libc.syscall(seccomp, _SET_FILTER, _ALL_THREADS, whole) == 0)


def _steps(audit_number: int, refused: tuple[int, ...]) -> list[bytes]:
    """Write the filter: another machine's calls and the refused ones fail, others go on."""

    def step(code: int, true: int, false: int, value: int) -> bytes:
        return struct.pack("HBBI", code, true, false, value)

    last = len(refused)
    return [
        step(_LOAD, 0, 0, 4),
        step(_IF_EQUAL, 0, last + 3, audit_number),
        step(_LOAD, 0, 0, 0),
        step(_IF_AT_LEAST, last + 1, 0, _NUMBERS_OF_32_BIT),
        *(step(_IF_EQUAL, last - number, 0, call) for number, call in enumerate(refused)),
        step(_ANSWER, 0, 0, _ALLOW),
        step(_ANSWER, 0, 0, _REFUSE),
    ]


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[int]:
    """Give a descriptor of a file that lies in memory: no plain video is put on a disk."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("untrusted", 0)
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    try:
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(data)
        os.lseek(handle, 0, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)
