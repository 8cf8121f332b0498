"""Start the web server and the job cluster, watch them, and stop both on one Ctrl-C."""

import socket
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, transaction
from django_q.models import Task
from django_q.tasks import async_task

from accounts import pulse
from config import env, schedules
from config.lib import clock
from config.supervisor import Child, Supervisor
from retention import welcome

# A task may take its whole time limit; a cluster that shows nothing for longer than a canary
# needs on a busy machine is taken for dead. Killing a live one costs a repeat, never data.
SILENCE_SECONDS = 45
# Pages answer first; videos are made with what the cores have left.
JOBS_NICE = 5
# A MiB of video that is given back to the kernel after each answer is faulted in again for the next
# one, a tenth of what a range costs. So glibc keeps up to 64 MiB a heap, and two heaps rather than
# one a thread, since no thread's heap ever shrinks below what one viewer once needed.
HEAP = {
    "MALLOC_ARENA_MAX": 2,
    "MALLOC_MMAP_THRESHOLD_": 4 << 20,
    "MALLOC_TRIM_THRESHOLD_": 64 << 20,
}


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=env.text("SEALCAST_HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=env.whole("SEALCAST_PORT", 8000))
        parser.add_argument("--silence-seconds", type=float, default=SILENCE_SECONDS)

    def handle(self, *_args: Any, host: str, port: int, **options: Any) -> None:
        if _answers(host, port):
            raise CommandError(
                f"Port {port} is taken by another program. Nothing was started. "
                f"Stop it, or choose another: SEALCAST_PORT={port + 1} make run"
            )
        schedules.ensure(at=clock.now())
        silence = options["silence_seconds"]
        close_old_connections()
        Supervisor(
            web=Child("web", web_command(host, port)),
            cluster=Child("jobs", [sys.executable, "manage.py", "qcluster"], nice=JOBS_NICE),
            moves=lambda age: _moves(age, silence),
            announce=lambda: _answers(host, port) and self._announce(),
        ).run()
        self.stdout.write("Sealcast has stopped. Everything is kept; `make run` goes on from here.")

    def _announce(self) -> bool:
        self.stdout.write(welcome.text(at=clock.now()))
        self.stdout.flush()
        return True


def web_command(host: str, port: int) -> list[str]:
    # Read before the first line of Python runs, so it is `env` that sets it.
    command = ["/usr/bin/env", *(f"{name}={env.whole(name, size)}" for name, size in HEAP.items())]
    command += [sys.executable, "-m", "granian", "videos.wsgi:application"]
    command += ["--interface", "wsgi", "--host", host, "--port", str(port)]
    command += ["--workers", str(env.whole("SEALCAST_WEB_PROCESSES", 1))]
    # A phone that asks for a long range holds a thread while it reads (`make bench-serve`); a
    # thread is made when it is needed, and one that waits costs next to nothing.
    command += ["--blocking-threads", str(env.whole("SEALCAST_WEB_THREADS", 128))]
    command += ["--backpressure", "256", "--log-level", "error", "--no-ws"]
    certificate = env.text("SEALCAST_TLS_CERTIFICATE")
    if certificate:
        command += ["--ssl-certificate", certificate]
        command += ["--ssl-keyfile", env.text("SEALCAST_TLS_KEY"), "--ssl-protocol-min", "tls1.3"]
    return command


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.3):
            return True
    except OSError:
        return False


def _moves(age_seconds: float, silence_seconds: float) -> bool:
    now = clock.now()
    try:
        with transaction.atomic():
            if not pulse.is_waiting(at=now):
                async_task("accounts.jobs.pulse", pulse.ask(at=now).pk)
        if age_seconds < silence_seconds:
            return True
        if pulse.answered_since(at=now - timedelta(seconds=silence_seconds)):
            return True
        # A worker busy with long tasks answers late; a task that ended is a sign of life as well.
        ended = Task.objects.filter(stopped__gt=now - timedelta(seconds=silence_seconds))
        return bool(ended.exists())
    except DatabaseError:
        # Nothing can be said while the database is away; restarting the cluster would not help.
        return True
    finally:
        close_old_connections()
