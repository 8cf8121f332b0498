"""What do stand-ins of AI vendors share? Jobs that move when asked, films, pages, ends."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.simulators.server import JSON, Answer, Call, Hook, Simulator

KEY = "key-of-nobody"
FILM = b"\x00\x00\x00\x18ftypmp42"
Job = dict[str, Any]


class StudioSimulator(Simulator):
    """One account at an AI vendor; a subclass knows paths, shapes and words."""

    jobs_path: ClassVar[str]
    order_path: ClassVar[str]
    opened_by: ClassVar[tuple[str, str]]
    # A job goes through these, one at each look; the last is what it stays.
    way: ClassVar[tuple[str, ...]]
    failed: ClassVar[str]
    missing: ClassVar[Mapping[str, object]]

    def __init__(self, film: bytes = FILM) -> None:
        super().__init__()
        self.film = film
        self.jobs: dict[str, Job] = {}
        self.films_fetched: list[Call] = []
        self.film_host = self.origin
        self.fails = self.keeps = self.hides = False
        self.page_rows, self.ordered = 2, 0
        # Whether a job moves by being looked at, as in tests, or when its own film is made.
        self.waits = False
        self.films: dict[str, bytes] = {}

    def route(self, call: Call) -> Answer:
        parts = urlsplit(call.path)
        if parts.path.startswith("/films/"):
            self.films_fetched.append(call)
            name = parts.path.removeprefix("/films/")
            known = name in self.jobs
            return (200, self.films.get(name, self.film)) if known else (404, b"gone")
        header, value = self.opened_by
        if {name.lower(): held for name, held in call.headers.items()}.get(header) != value:
            return self.errors["401"]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if call.method == "POST" and parts.path == self.order_path:
            return self.order(json.loads(call.body))
        if call.method == "GET" and parts.path == self.jobs_path:
            return 200, self.page(query)
        job = self.jobs.get(parts.path.removeprefix(f"{self.jobs_path}/"))
        if job is None:
            return 404, self.missing
        return self.end(job, query) if call.method == "DELETE" else (200, self.look(job))

    def order(self, body: Mapping[str, Any]) -> Answer:
        self.ordered += 1
        name = f"job-{self.begun + self.ordered}"
        job: Job = {"id": name, "looks": 0, "order": body, "gone": False}
        self.jobs[name] = job
        return 201, self.shape(job)

    def look(self, job: Job) -> object:
        job["looks"] += not self.waits
        return self.shape(job)

    def end(self, job: Job, query: Mapping[str, str]) -> Answer:
        shown = self.shape(job)
        if self.hides:
            job["gone"] = True
        elif not self.keeps:
            del self.jobs[job["id"]]
            self.films.pop(job["id"], None)
        return self.ended(job, shown)

    def finish(self, job: Job, film: bytes) -> None:
        """Let a job have ended, with a film of its own."""
        self.films[job["id"]], job["looks"] = film, len(self.way) - 1

    def state(self, job: Job) -> str:
        if job["gone"]:
            return "deleted"
        step = min(job["looks"], len(self.way) - 1)
        return self.failed if self.fails and step == len(self.way) - 1 else self.way[step]

    def address(self, job: Job) -> str | None:
        return f"{self.film_host}/films/{job['id']}" if self.state(job) == self.way[-1] else None

    def part(self, start: int) -> tuple[list[Job], int | None]:
        """Return one page of jobs from a place, and the place of the next."""
        until = start + self.page_rows
        found = list(self.jobs.values())
        return found[start:until], until if until < len(found) else None

    def shape(self, job: Job) -> Any:
        raise NotImplementedError

    def page(self, query: Mapping[str, str]) -> object:
        raise NotImplementedError

    def ended(self, job: Job, shown: object) -> Answer:
        raise NotImplementedError

    def posted(self, job: Job) -> Mapping[str, object]:
        """Return the body that the vendor posts when a job has ended."""
        raise NotImplementedError

    def signed(self, body: bytes, stamp: int, secret: str) -> dict[str, str]:
        """Return the headers of a post; none from a vendor that signs nothing."""
        return {}

    def hook(self, url: str, job: Job, stamp: int, secret: str) -> Hook:
        body = json.dumps(self.posted(job)).encode()
        return Hook(url, body, JSON, self.signed(body, stamp, secret))
