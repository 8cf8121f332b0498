"""Where are the root keys? In a file of mode 0600 or the environment, never in the database."""

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.lib import crypto


class KeyringUnavailable(Exception):
    """The key ring cannot be used; the text says why, in words fit for a page."""


class RootKeyMissing(KeyringUnavailable):
    """A row names a root key that the ring does not hold."""


@dataclass(frozen=True, repr=False)
class Keyring:
    """The root keys by id, first is primary, and the peppers and the signing seed."""

    roots: Mapping[str, bytes]
    index_pepper: bytes
    suppression_pepper: bytes
    link_pepper: bytes
    signing_id: str
    signing_seed: bytes

    @property
    def primary_id(self) -> str:
        return next(iter(self.roots))

    def root(self, key_id: str) -> bytes:
        """Return a root key.

        :raises RootKeyMissing: the ring does not hold it.
        """
        try:
            return self.roots[key_id]
        except KeyError:
            raise RootKeyMissing(f"missing the root key {key_id} that a row names") from None


def generate() -> str:
    """Return a new key ring as JSON text."""

    def fresh() -> str:
        return base64.b64encode(crypto.new_key()).decode()

    ring = {
        "version": 1,
        "roots": [{"id": f"root-{secrets.token_hex(4)}", "key": fresh()}],
        "index_pepper": fresh(),
        "suppression_pepper": fresh(),
        "link_pepper": fresh(),
        "signing": {"id": f"sign-{secrets.token_hex(4)}", "seed": fresh()},
    }
    return json.dumps(ring, indent=2) + "\n"


def parse(text: str) -> Keyring:
    """Read a key ring from its JSON.

    :raises KeyringUnavailable: it is not one, or a key is not 32 bytes.
    """
    try:
        data = json.loads(text)
        ring = Keyring(
            roots={item["id"]: _key(item["key"]) for item in data["roots"]},
            index_pepper=_key(data["index_pepper"]),
            suppression_pepper=_key(data["suppression_pepper"]),
            link_pepper=_key(data["link_pepper"]),
            signing_id=data["signing"]["id"],
            signing_seed=_key(data["signing"]["seed"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        # The cause is dropped on purpose: its text could quote the key.
        raise KeyringUnavailable("damaged: it is not a Sealcast key ring") from None
    if not ring.roots:
        raise KeyringUnavailable("damaged: it holds no root key")
    return ring


def load(*, path: Path, environment: Mapping[str, str] = os.environ) -> Keyring:
    """Read the ring from SEALCAST_KEYRING or from the file.

    :raises KeyringUnavailable: it is missing, open to others, or damaged.
    """
    if environment.get("SEALCAST_KEYRING"):
        return parse(environment["SEALCAST_KEYRING"])
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyringUnavailable(
                f"too open: its mode is {mode:04o}, others can read it; set it to 0600"
            )
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeyringUnavailable("missing: its file is not there") from None
    except OSError:
        raise KeyringUnavailable("unreadable: its file cannot be read") from None


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if len(key) != crypto.KEY_BYTES:
        raise ValueError("not 32 bytes")
    return key
