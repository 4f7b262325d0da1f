"""The chart in helm/, rendered by Helm without a cluster."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from operations_tools import tool
from program import REPOSITORY

CHART = REPOSITORY / "helm"
RELEASE = "night"
# The oldest version that the chart installs on.
OLDEST_KUBERNETES = "1.31.0"

Manifest = dict[str, Any]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool("helm"), *arguments], capture_output=True, text=True, check=False, timeout=60)


def render(values: Path | Manifest | None = None, chart: Path = CHART) -> list[Manifest]:
    """The manifests, `helm test`'s pod among them."""
    done = template(values, chart)
    if done.returncode != 0:
        raise AssertionError(f"helm template with {values}: {done.stderr}")
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def refusal(values: Manifest) -> str:
    """What Helm says to values that it does not take."""
    done = template(values)
    if done.returncode == 0:
        raise AssertionError(f"Helm took {values}")
    return done.stderr


def template(values: Path | Manifest | None, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="project-chart-") as folder:
        file = Path(folder) / "values.yaml"
        file.write_text(yaml.safe_dump(values) if isinstance(values, dict) else "")
        given = values if isinstance(values, Path) else file
        return helm("template", RELEASE, chart, "--kube-version", OLDEST_KUBERNETES, "--values", given)


def notes(values: Path | Manifest | None = None) -> str:
    """What `helm install` prints at the end; `helm template` leaves it out."""
    with tempfile.TemporaryDirectory(prefix="project-chart-") as folder:
        chart = Path(folder) / "project"
        shutil.copytree(CHART, chart)
        shutil.copy(chart / "templates/NOTES.txt", chart / "notes")
        (chart / "templates/notes.yaml").write_text('text: |\n{{ tpl (.Files.Get "notes") . | indent 2 }}\n')
        return next(manifest["text"] for manifest in render(values, chart) if "text" in manifest)


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The specification of every pod that the chart leads to."""
    for manifest in manifests:
        if manifest["kind"] == "Pod":
            yield manifest["spec"]
        if manifest["kind"] == "CronJob":
            yield manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def container(pod: Manifest) -> Manifest:
    """A pod's only container."""
    (only,) = pod["containers"]
    return only
