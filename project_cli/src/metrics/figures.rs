//! The metrics, and which of them a run knows.

use crate::report::{RunReport, TaskReport};
use chrono::{DateTime, Utc};

/// A gauge.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $help:literal;)*) => {
        $(const $constant: &Metric = &Metric { name: $name, help: $help };)*

        /// All of them, in the order in which they are written.
        pub(super) const METRICS: &[&Metric] = &[$($constant),*];
    };
}

metrics! {
    LAST_SUCCESS = "project_task_last_success_timestamp_seconds", "When the task was published the last time.";
    DURATION = "project_task_duration_seconds", "Reading and writing of its last success.";
    ROWS = "project_task_rows", "Rows that its last success has published.";
    BYTES = "project_task_bytes", "Size of the files that its last success has published.";
    FILES = "project_task_files", "Files that its last success has published.";
    COMPRESSION = "project_task_compression_ratio", "Bytes of the encoded columns for each byte of the files.";
    CHANGED = "project_task_changed_values", "Values that had no exact place and were changed by a policy.";
    REJECTED = "project_task_rejected_rows", "Rows that were left out of the lake.";
    SNAPSHOT_AGE = "project_snapshot_age_seconds", "How long the snapshot was held, until nothing was read any more.";
    RETRIES = "project_run_retries", "How often the run had to start over because it lost its snapshot.";
    EXIT_CODE = "project_run_last_exit_code", "The exit code of the last run.";
    LAST_RUN = "project_run_last_timestamp_seconds", "When the last run ended, however it ended.";
}

/// Name and value.
pub(super) type Label = (String, String);

/// A metric at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) metric: &'static Metric,
    /// What it is about: a task, or the runs of one selection. The figures of a group are replaced together.
    pub(super) group: Label,
    /// Further labels.
    pub(super) labels: Vec<Label>,
    pub(super) value: String,
}

/// Labels of groups.
pub(super) const TASK: &str = "task";
pub(super) const SELECTION: &str = "selection";

/// What is known after a run, group by group. `selection` is what it was asked to copy: the runs of one job must not hide
/// how those of another ended.
pub(super) fn of_run(report: &RunReport, selection: &str, now: DateTime<Utc>) -> Vec<Figure> {
    let now = seconds(now.timestamp_millis().unsigned_abs());
    let published = report.tasks.iter().filter(|task| task.published && task.failure.is_none());
    let mut figures: Vec<Figure> = published.flat_map(|task| of_task(task, &now)).collect();
    let figure = |metric, value| Figure { metric, group: label(SELECTION, selection), labels: Vec::new(), value };
    figures.extend(report.course.snapshot_age_ms.map(|age| figure(SNAPSHOT_AGE, seconds(age))));
    figures.push(figure(RETRIES, report.earlier_attempts.len().to_string()));
    figures.push(figure(EXIT_CODE, report.exit_code().number().to_string()));
    figures.push(figure(LAST_RUN, now));
    figures
}

fn of_task(task: &TaskReport, now: &str) -> Vec<Figure> {
    let group = label(TASK, &task.task);
    let figure = |metric, value| Figure { metric, group: group.clone(), labels: Vec::new(), value };
    let mut figures = vec![
        figure(LAST_SUCCESS, now.to_owned()),
        figure(DURATION, seconds(task.duration_ms)),
        figure(ROWS, task.rows.to_string()),
        figure(BYTES, task.bytes.to_string()),
        figure(FILES, task.files.to_string()),
        figure(REJECTED, task.rejected.to_string()),
    ];
    figures.extend(task.compression().map(|ratio| figure(COMPRESSION, format!("{ratio:.3}"))));
    if task.changes.is_empty() {
        // Else those of an earlier run would stay where metrics are kept by their names.
        figures.push(figure(CHANGED, "0".to_owned()));
    }
    figures.extend(task.changes.iter().map(|change| Figure {
        labels: vec![label("column", &change.column), label("policy", &change.policy)],
        ..figure(CHANGED, change.values.to_string())
    }));
    figures
}

fn label(name: &str, value: &str) -> Label {
    (name.to_owned(), value.to_owned())
}

/// The unit of every time.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::{CHANGED, Figure, LAST_SUCCESS, METRICS, SELECTION, SNAPSHOT_AGE, TASK, of_run, seconds};
    use crate::exit_code::ExitCode;
    use crate::report::{Change, Failure, RunReport, TaskReport};
    use chrono::DateTime;
    use project_publish::RunId;
    use project_tasks::DataError;

    fn report() -> RunReport {
        let mut report = RunReport::begin(RunId::now(), "./lake".into());
        report.tasks = ["users", "orders", "rehearsed"].map(|task| TaskReport::new(task, task)).into();
        report.tasks[0].published = true;
        report.tasks[1].failure = Some(Failure::new(&DataError("order 7: no".into()).into()));
        report
    }

    fn figures(report: &RunReport) -> Vec<Figure> {
        of_run(report, "all", DateTime::from_timestamp_millis(1_795_245_837_485).unwrap())
    }

    fn value<'a>(figures: &'a [Figure], name: &str) -> Option<&'a str> {
        figures.iter().find(|figure| figure.metric.name.ends_with(name)).map(|figure| figure.value.as_str())
    }

    #[test]
    fn only_what_was_published_is_a_success_and_the_run_tells_its_code() {
        let figures = figures(&report());
        let of_tasks: Vec<&str> =
            figures.iter().filter(|figure| figure.group.0 == TASK).map(|figure| figure.group.1.as_str()).collect();
        assert!(!of_tasks.is_empty() && of_tasks.iter().all(|task| *task == "users"), "{of_tasks:?}");
        assert_eq!(value(&figures, "task_last_success_timestamp_seconds"), Some("1795245837.485"));
        assert_eq!(value(&figures, "run_last_exit_code"), Some("65"));
        assert!(figures.iter().any(|figure| figure.group == (SELECTION.into(), "all".into())));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut report = report();
        assert_eq!(value(&figures(&report), SNAPSHOT_AGE.name), None);
        assert_eq!(value(&figures(&report), "compression_ratio"), None);
        report.course.snapshot_age_ms = Some(61_001);
        (report.tasks[0].bytes, report.tasks[0].uncompressed_bytes) = (400, 1000);
        assert_eq!(value(&figures(&report), SNAPSHOT_AGE.name), Some("61.001"));
        assert_eq!(value(&figures(&report), "compression_ratio"), Some("2.500"));
        report.stopped = Some(ExitCode::Terminated);
        assert_eq!(value(&figures(&report), "run_last_exit_code"), Some("143"));
    }

    #[test]
    fn changes_of_the_last_run_never_stay() {
        let mut report = report();
        let changed = |report: &RunReport| {
            let mut figures = figures(report);
            figures.retain(|figure| figure.metric == CHANGED);
            figures.into_iter().map(|figure| (figure.labels, figure.value)).collect::<Vec<_>>()
        };
        assert_eq!(changed(&report), [(Vec::new(), "0".to_owned())]);
        report.tasks[0].changes =
            vec![Change { column: "until".into(), policy: "infinity=clamp".into(), change: String::new(), values: 3 }];
        let labels = [("column", "until"), ("policy", "infinity=clamp")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(changed(&report), [(labels, "3".to_owned())]);
    }

    #[test]
    fn names_are_those_of_a_gauge() {
        assert_eq!(seconds(1_002), "1.002");
        assert!(METRICS.contains(&LAST_SUCCESS));
        for metric in METRICS {
            assert!(metric.name.starts_with("project_") && !metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.help.ends_with('.') && !metric.help.contains(['\\', '\n']), "{}", metric.help);
        }
    }
}
