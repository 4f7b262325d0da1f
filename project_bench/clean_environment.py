"""The environment of every process that the benchmark starts: settings for other servers and runs must not reach it."""

import os

FOREIGN_PREFIXES = ("PG", "PROJECT_", "AWS_", "OTEL_")
FOREIGN_NAMES = {"DATABASE_URL", "SENTRY_DSN", "RUST_LOG"}


def clean_environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN_PREFIXES) and name not in FOREIGN_NAMES
    }
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
