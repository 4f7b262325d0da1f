"""Where things are: found from this file, so that the benchmark can be started from anywhere."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
SCRIPTS = ROOT / "scripts"
