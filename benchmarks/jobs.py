"""The job cluster of a benchmark: `python -m benchmarks.jobs ORIGIN`; what it sends goes there."""

import os
import sys

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from integrations.messaging import wire

if __name__ == "__main__":
    wire.ORIGINS["twilio"] = sys.argv[1]
    call_command("qcluster")
