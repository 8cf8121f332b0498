"""Which AI vendor do the tests play? One that keeps jobs in memory, fails and dies on demand."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from accounts import audit
from integrations.models import Connection
from integrations.video import studio
from integrations.video.base import Deletion, FetchedVideo, NotFound, Status
from tests.videos import stage
from videos import agreements, rendering
from videos.models import (
    Campaign,
    ProcessorAgreement,
    Render,
    Script,
    VendorAttestation,
)

TEXT = "Hello {{ name }}. This part is for everybody, and it is stored only once."
LATER = f"{TEXT} And {{{{ name }}}}, see you. And this is all for now."
SLOT_MS = 3000


class Killed(BaseException):
    """The process is gone: nothing after this line runs."""


@dataclass
class Vendor:
    """A vendor's account; `before` and `after` hold what happens around each call."""

    connection: Connection | None = None
    name: str = "played"
    endpoint: str = "https://api.vendor.example/v1"
    region: str = "eu"
    residual_days: int = 30
    request_flag: str = "store=false"
    reads_setting: bool = True
    poll_seconds: int = 0
    is_set_to_keep: bool = False
    deletes_softly: bool = False
    jobs: dict[str, bytes] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    after: dict[str, Callable[[], None]] = field(default_factory=dict)
    can_say: bool = True
    keeps_copies: bool = False
    film: FetchedVideo | None = None

    def __call__(self, connection: Connection) -> "Vendor":
        self.connection = connection
        return self

    def create(self, *, body: bytes) -> str:
        self._happen(self.before, "create")
        job = uuid.uuid4().hex
        self.jobs[job] = body
        self.sent.append(body)
        self._happen(self.after, "create")
        return job

    def poll(self, *, job_id: str) -> Status:
        self._happen(self.before, "poll")
        if job_id not in self.jobs:
            raise NotFound
        return Status("done")

    def fetch(self, *, job_id: str, body: bytes) -> FetchedVideo:
        self._happen(self.before, "fetch")
        return self.film or film()

    def delete(self, *, job_id: str) -> Deletion:
        self._happen(self.before, "delete")
        found = job_id in self.jobs
        if not self.keeps_copies:
            self.jobs.pop(job_id, None)
        self._happen(self.after, "delete")
        return Deletion(204 if found else 404, b"", self.deletes_softly)

    def shown(self, *, body: bytes) -> str:
        return ""

    def exists(self, *, job_id: str) -> bool:
        self._happen(self.before, "exists")
        return job_id in self.jobs

    def find(self, *, body: bytes) -> list[str] | None:
        return [job for job, kept in self.jobs.items() if kept == body] if self.can_say else None

    def keeps_nothing(self) -> bool:
        self._happen(self.before, "keeps_nothing")
        return not self.is_set_to_keep

    def check(self) -> str:
        return ""

    def _happen(self, when: dict[str, Callable[[], None]], what: str) -> None:
        # Once: the next process finds the vendor as it was left.
        if act := when.pop(what, None):
            act()


@cache
def film(*, later: bool = False) -> FetchedVideo:
    """Make one real film, for all tests of this run; with a slot later on as well if wanted."""
    items: list[studio.Slot | studio.Speech] = [
        studio.Slot("s1", SLOT_MS / 1000),
        studio.Speech("This part is for everybody, and it is stored only once."),
    ]
    if later:
        items += [studio.Slot("s2", SLOT_MS / 1000), studio.Speech("And this.")]
    made = studio.produce(
        request=studio.StudioRequest(language="en", items=items, width=640, height=360)
    )
    slots = [[round(s.start_seconds * 1000), round(s.end_seconds * 1000)] for s in made.slots]
    return FetchedVideo(made.data, made.captions_vtt, slots, round(made.duration_seconds * 1000))


def dies() -> None:
    raise Killed


def connected(**facts: object) -> Connection:
    """Keep an account at the vendor, under an agreement in force, its setting seen now."""
    connection = Connection.objects.create(
        kind=Connection.Kind.VIDEO,
        provider="played",
        label="Played vendor",
        auth_kind=Connection.AuthKind.KEY,
        hosts=["api.vendor.example"],
        created_at=stage.AT,
        **facts,
    )
    ProcessorAgreement.objects.create(
        connection=connection,
        reference="dpa-7",
        document_sha256="0" * 64,
        clauses=sorted(agreements.CLAUSES),
        sub_processors=["none"],
        region="eu",
        signed_on=date(2026, 1, 1),
        expires_on=date(2027, 1, 1),
        residual_days=30,
        created_at=stage.AT,
    )
    VendorAttestation.objects.create(
        connection=connection, holds=True, means=VendorAttestation.Means.READ, at=stage.AT
    )
    return connection


def ordered(*, text: str = TEXT, at: datetime = stage.AT) -> Render:
    """Order the base video of a new campaign."""
    made = written(text=text)
    return rendering.start(campaign=made, language="en", at=at, actor=audit.SYSTEM)


def written(*, text: str = TEXT) -> Campaign:
    """Return a new campaign with a script."""
    made = stage.campaign(state="draft")
    Script.objects.create(campaign=made, language="en", text=text, updated_at=stage.AT)
    return made


def done(render: Render, *, at: datetime = stage.AT) -> Render:
    """Take every step of a render."""
    for _ in range(6):
        render = rendering.advance(render=render, at=at)
    return render
