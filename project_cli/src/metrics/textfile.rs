//! The metrics in a file, for a collector that reads text files (node_exporter). A file has no memory of its own, so
//! groups that this run has nothing to tell of are taken over from the file that is there: what a task told when it
//! succeeded stays when it fails.

use super::figures::{Figure, Label};
use super::text;
use crate::whole_file::replace;
use anyhow::Result;
use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::Path;

/// The collector is another user.
const MODE: u32 = 0o644;

/// Replaces the file.
pub(super) fn write(path: &Path, figures: &[Figure]) -> Result<()> {
    // One that cannot be read has nothing to take over; whether it can be written shows at once.
    let earlier = read_to_string(path).map(|earlier| text::read(&earlier)).unwrap_or_default();
    let told: BTreeSet<&Label> = figures.iter().map(|figure| &figure.group).collect();
    let mut all: Vec<Figure> = earlier.into_iter().filter(|figure| !told.contains(&figure.group)).collect();
    all.extend_from_slice(figures);
    all.sort_by(|a, b| a.group.cmp(&b.group));
    replace(path, &text::written(&all), Some(MODE))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Figure, METRICS, TASK};
    use super::write;
    use std::fs::read_to_string;
    use tempfile::tempdir;

    fn figure(metric: usize, task: &str, value: &str) -> Figure {
        Figure { metric: METRICS[metric], group: (TASK.into(), task.into()), labels: Vec::new(), value: value.into() }
    }

    #[test]
    fn a_task_keeps_its_last_success_until_it_has_another_one() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("project.prom");
        write(&path, &[figure(0, "users", "1"), figure(2, "users", "10"), figure(0, "orders", "1")]).unwrap();
        write(&path, &[figure(0, "orders", "2")]).unwrap();
        let text = read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            "project_task_last_success_timestamp_seconds{task=\"orders\"} 2",
            "project_task_last_success_timestamp_seconds{task=\"users\"} 1",
            "project_task_rows{task=\"users\"} 10",
        ];
        assert_eq!(lines, expected);
    }
}
