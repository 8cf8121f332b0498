"""How does one video get made without touching anything else? In a process of its own.

Started as `python -m integrations.video.studio_worker FOLDER`: reads `request.json` there and
leaves `video.mp4`, `captions.vtt` and, last, `result.json`. It loads no Django, and so holds
neither the database nor a key; time and memory are limited by the kernel.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from integrations.video.studio import RequestRefused, Slot, Speech, StudioRequest, produce

# A hundred times what the longest script needs; a job that passes them has gone wrong.
WALL_SECONDS = 900
CPU_SECONDS = 1200
MEMORY_BYTES = 6 << 30


def limit() -> None:
    """Have the kernel end this process when it takes too long or too much."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(WALL_SECONDS)
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        # Where memory ends, this process goes first, and not the database.
        score.write_text("500")


def read(wire: dict[str, Any]) -> StudioRequest:
    """Read the request as it came over the wire."""
    return StudioRequest(
        language=wire["language"],
        items=[_item(item) for item in wire["items"]],
        width=wire["width"],
        height=wire["height"],
    )


def work(folder: Path) -> None:
    """Make the video of one job and write what came of it."""
    try:
        wire = json.loads((folder / "request.json").read_bytes())
        video = produce(request=read(wire))
    except RequestRefused as refused:
        _leave(folder, {"problem": str(refused)})
        return
    except Exception as error:  # noqa: BLE001 whatever happened, the one who waits must be told
        _leave(folder, {"problem": f"the studio failed ({type(error).__name__})"})
        return
    (folder / "video.mp4").write_bytes(video.data)
    (folder / "captions.vtt").write_text(video.captions_vtt, encoding="utf-8")
    slots = [[_ms(slot.start_seconds), _ms(slot.end_seconds)] for slot in video.slots]
    _leave(folder, {"problem": "", "slots_ms": slots, "duration_ms": _ms(video.duration_seconds)})


def _item(item: dict[str, Any]) -> Slot | Speech:
    if "slot" in item:
        return Slot(item["slot"], item["ms"] / 1000)
    return Speech(item["speech"])


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _leave(folder: Path, result: dict[str, Any]) -> None:
    # Renamed into place: who waits sees the whole result or none.
    partial = folder / "result.partial"
    partial.write_text(json.dumps(result), encoding="utf-8")
    partial.replace(folder / "result.json")


if __name__ == "__main__":
    os.umask(0o077)
    limit()
    work(Path(sys.argv[1]))
