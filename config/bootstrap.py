"""What must exist before Django can start? The home folder, its keys, the content signer."""

import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from config.lib import content_signer, keyring

FOLDERS = ("media", "vendor", "logs", "tmp")


def _write_secret(path: Path, text: str) -> bool:
    # O_EXCL: an existing secret is never overwritten, not even by two set-ups at once.
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def prepare(home: Path) -> list[str]:
    """Make what is missing in the home folder and name what was made; keep what is there."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o700, exist_ok=True)
    first_run = _write_secret(home / "secret_key", secrets.token_urlsafe(48))
    made = ["secret_key"] if first_run else []
    # A ring that was lost is not replaced: a new one would hide that the data cannot be opened.
    if first_run and _write_secret(home / "keyring.json", keyring.generate()):
        made.append("keyring.json")
    # A lost signer may be: every marked video carries the certificates of its own.
    if not os.environ.get("SEALCAST_CONTENT_SIGNER"):
        signer = home / "content_signer.pem"
        # Before Django can start there are no settings, and so no clock of ours.
        now = datetime.now(UTC)
        if not signer.exists() and _write_secret(signer, content_signer.generate(at=now)):
            made.append(signer.name)
    return made


def main() -> None:
    home = Path(os.environ.get("SEALCAST_HOME", Path(__file__).parent.parent / "var"))
    for name in prepare(home):
        sys.stdout.write(f"made {name} (mode 0600)\n")


if __name__ == "__main__":
    main()
