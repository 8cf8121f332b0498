"""Who carries messages to the wire at the same time? A bounded number of threads, for one round.

A thread has no database: it makes one call and brings back what came of it.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, TypeVar

LINGER_SECONDS = 0.01
Key = TypeVar("Key")
Result = TypeVar("Result")


class Hands(Generic[Key, Result]):
    """So many hands; each carries one thing at a time."""

    def __init__(self, *, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="hand")
        self._out: dict[Future[Result], Key] = {}

    def __enter__(self) -> "Hands[Key, Result]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)

    @property
    def free(self) -> int:
        """Return how many hands are empty."""
        return self._count - len(self._out)

    @property
    def busy(self) -> bool:
        """Say whether anything is under way or was not taken back yet."""
        return bool(self._out)

    def carry(self, key: Key, act: Callable[[], Result]) -> None:
        """Have an act done by a hand of its own."""
        self._out[self._pool.submit(act)] = key

    def back(self, *, timeout_seconds: float | None = None) -> list[tuple[Key, Future[Result]]]:
        """Return what is done, waiting until at least one is; nothing when the time is over."""
        done, others = wait(self._out, timeout=timeout_seconds, return_when=FIRST_COMPLETED)
        if done and others and timeout_seconds != 0:
            # Those a moment behind the first are written down with it.
            done |= wait(others, timeout=LINGER_SECONDS).done
        return [(self._out.pop(one), one) for one in done]
