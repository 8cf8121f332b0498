"""What does the environment say? Typed readers; a bad value stops the start."""

import os
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    value = os.environ.get(name, str(default)).strip().lower()
    if value in TRUE or value in FALSE:
        return value in TRUE
    # The value is not repeated: a secret pasted into the wrong variable must not reach a log.
    raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no.")


def whole(name: str, default: int) -> int:
    try:
        return int(os.environ.get(name, default))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None


def words(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def table(name: str) -> dict[str, dict[str, object]]:
    """Read a TOML file of tables that a variable names; without it, nothing."""
    path = text(name)
    if not path:
        return {}
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        raise ImproperlyConfigured(f"{name} must name a readable TOML file.") from None
    if not all(isinstance(part, dict) for part in found.values()):
        raise ImproperlyConfigured(f"{name} must hold tables only.")
    return found


def secret(name: str, *, file: Path) -> str:
    """Read a secret from NAME, from the file NAME_FILE, or from the file set-up made."""
    if os.environ.get(name):
        return os.environ[name]
    path = Path(os.environ.get(f"{name}_FILE", file))
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    raise ImproperlyConfigured(
        f"{name} is not set and {path.name} does not exist in SEALCAST_HOME. "
        "Run `make run`, or `python -m config.bootstrap`, which makes it."
    )


def _sqlite(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Opening the file and its four pragmas for each request costs as much as the page does.
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # Deferred transactions that upgrade their lock fail at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                "PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;"
            ),
        },
    }


def database(name: str, *, sqlite_file: Path) -> dict[str, object]:
    """Read a database address: empty means SQLite in SEALCAST_HOME; else sqlite or postgres URL."""
    url = urlsplit(text(name))
    if not url.scheme:
        return _sqlite(sqlite_file)
    if url.scheme == "sqlite":
        return _sqlite(Path(unquote(url.path)[1:] if url.netloc == "" else url.path))
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must begin with sqlite: or postgres:.")
    options: dict[str, object] = dict(parse_qsl(url.query))
    host = str(options.pop("host", url.hostname or ""))
    if host and not host.startswith("/") and host not in {"localhost", "127.0.0.1", "::1"}:
        # A wire that leaves this machine must be verified, not merely encrypted.
        options.setdefault("sslmode", "verify-full")
    # Of use to the one statement that is kept prepared (`videos.lookups`); a pooler that hands out
    # connections by transaction and knows no prepared statements needs `?prepare=off`.
    prepares = options.pop("prepare", "on") != "off"
    options["prepare_threshold"] = 0 if prepares else None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(host),
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
