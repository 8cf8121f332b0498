"""What must a provider of AI video offer, and how can its copy be seen to be gone?"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

Outcome = Literal["permanent", "transient", "unknown"]


class ProviderError(Exception):
    """A call failed; `outcome` says whether it may have been acted upon, `code` why."""

    def __init__(self, outcome: Outcome, code: str) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome: Outcome = outcome
        self.code = code


class NotFound(ProviderError):
    """The provider has nothing under this name (any more)."""

    def __init__(self) -> None:
        super().__init__("permanent", "not_found")


class Moved(ProviderError):
    """The provider answered from, or sent us to, another place than was agreed."""

    def __init__(self, code: str = "redirected") -> None:
        super().__init__("permanent", code)


def refuse_redirect(status: int) -> None:
    """Refuse an answer that sends us elsewhere; adapters pass the status of each answer.

    :raises Moved: it is a redirect, which the client did not follow.
    """
    if 300 <= status < 400:
        raise Moved


@dataclass(frozen=True)
class Status:
    """How far a job has come; `problem` in words when it failed."""

    state: Literal["rendering", "done", "failed"]
    problem: str = ""


@dataclass(frozen=True)
class FetchedVideo:
    """A finished video: MP4 bytes, WebVTT, the slots' starts and ends, and the length."""

    video: bytes = field(repr=False)
    captions_vtt: str
    # [[start_ms, end_ms], ...] in the order of the request.
    slots_ms: list[list[int]]
    duration_ms: int


@dataclass(frozen=True)
class Deletion:
    """What the provider answered when it was told to delete; `is_soft`: it only hid it."""

    status: int
    answer: bytes
    is_soft: bool = False


class VideoProvider(Protocol):
    """One account at one provider; `residual_days` is how long its backups may keep a copy.

    `request_flag` is how each request asks that nothing be kept, such as `store=false`; empty where
    the vendor has no such flag. `reads_setting`: the vendor can be asked how the account is set.
    `poll_seconds` is how often it may be asked how far a job has come.
    """

    name: str
    endpoint: str
    region: str
    residual_days: int
    request_flag: str
    reads_setting: bool
    poll_seconds: int

    def create(self, *, body: bytes) -> str:
        """Start a job from the anonymous request and return its name.

        :raises ProviderError: with its outcome.
        """

    def shown(self, *, body: bytes) -> str:
        """Return the order of the anonymous request as the vendor gets it, without our address.

        Empty from a provider that takes the request as it is. Nothing leaves here.
        """

    def poll(self, *, job_id: str) -> Status:
        """Say how far a job has come.

        :raises NotFound: there is no such job.
        """

    def fetch(self, *, job_id: str, body: bytes) -> FetchedVideo:
        """Bring the finished video of this request.

        Most vendors tell neither slots nor captions: they are found by what was ordered.
        :raises NotFound: there is no such job, or it has no video.
        """

    def delete(self, *, job_id: str) -> Deletion:
        """Have the provider delete everything of a job."""

    def exists(self, *, job_id: str) -> bool:
        """Look whether the provider still holds anything of a job."""

    def find(self, *, body: bytes) -> list[str] | None:
        """Name the jobs of exactly this request; None from a provider that cannot say.

        Asked after a crash, so that a job that was made is found and not made twice.
        """

    def keeps_nothing(self) -> bool:
        """Say whether the account is set to keep nothing; asked only where `reads_setting`.

        :raises ProviderError: the vendor did not say.
        """

    def check(self) -> str:
        """Return the empty text if the account answers, else what is wrong and how to mend it."""
