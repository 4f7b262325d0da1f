"""What a run tells Prometheus, with the labels of each metric: the contract between the program, the alert rules and the
dashboard."""

import re

PUSHED = {
    "project_task_last_success_timestamp_seconds": {"task"},
    "project_task_duration_seconds": {"task"},
    "project_task_rows": {"task"},
    "project_task_bytes": {"task"},
    "project_task_files": {"task"},
    "project_task_compression_ratio": {"task"},
    "project_task_changed_values": {"task", "column", "policy"},
    "project_task_rejected_rows": {"task"},
    "project_snapshot_age_seconds": {"selection"},
    "project_run_retries": {"selection"},
    "project_run_last_exit_code": {"selection"},
    "project_run_last_timestamp_seconds": {"selection"},
}
# The Pushgateway's own.
PUSHGATEWAYS = {"push_time_seconds", "push_failure_time_seconds"}

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read_series(text: str) -> Series:
    """The series of ours in a text for Prometheus, by name and labels."""
    found: Series = {}
    for name, labels, value in re.findall(r"^(project_\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
        found[name, frozenset(pairs)] = float(value)
    return found
