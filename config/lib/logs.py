"""What may stand in a log? Events, ids and codes; never a personal value, a token or a secret."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

HIDDEN = "[hidden]"
# Values under these names are hidden whatever they hold.
SECRET_NAMES = re.compile(
    r"token|secret|password|passwd|authorization|cookie|api_?key|e_?mail|phone|name$|address|body|code$",
    re.IGNORECASE,
)
PATTERNS = (
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"),
    re.compile(r"(?<![\w-])\+?\d[\d ().-]{7,}\d(?![\w-])"),
    # Link, opt-in and preference tokens are path segments of 43 letters (256 bits).
    re.compile(r"(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])"),
    re.compile(r"(?i)bearer\s+\S+"),
)
KEPT_NAMES = {"event", "level", "logger", "timestamp", "request_id", "action", "path_name"}


def scrub(text: str) -> str:
    """Hide what looks like an address, a phone number or a token."""
    for pattern in PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets and personal values in one structured event (a structlog processor)."""
    for key, value in list(event.items()):
        if key not in KEPT_NAMES and SECRET_NAMES.search(key):
            event[key] = HIDDEN
        elif isinstance(value, str) and key != "timestamp":
            event[key] = scrub(value)
    return event


def configuration(*, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: one JSON object a line, redacted, on standard error."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": before,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            # It writes a line for each task; what a task did is logged by the task.
            "django-q": {"level": "WARNING"},
            "django.security.DisallowedHost": {"level": "ERROR"},
            # At DEBUG they write tokens and codes.
            "requests_oauthlib": {"level": "WARNING"},
            "oauthlib": {"level": "WARNING"},
        },
    }


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


logging.captureWarnings(capture=True)
