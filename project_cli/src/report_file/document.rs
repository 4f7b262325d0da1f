//! What the report's file holds: the report itself, and of this run and of those before it what they are compared by.

use crate::course::moment;
use crate::report::{RunReport, TaskReport};
use serde::{Deserialize, Serialize};

/// Of the form of the document; a later one may be read differently.
pub(super) const FORMAT: u32 = 1;
/// Runs that are remembered, this one included.
const MOST_RUNS: usize = 30;
/// Tasks of all of them together: a schema may have hundreds of tables.
const MOST_TASKS: usize = 3000;

/// The whole file.
#[derive(Debug, Serialize)]
pub(super) struct ReportDocument<'a> {
    pub(super) format: u32,
    /// The program's.
    pub(super) version: &'static str,
    /// `--table`.
    pub(super) selection: &'a str,
    pub(super) outcome: Outcome,
    pub(super) exit_code: u8,
    #[serde(flatten)]
    pub(super) report: &'a RunReport,
    /// This run, and before it those of the report that this one replaces; the newest first.
    pub(super) runs: Vec<RunDigest>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Done,
    Failed,
    Stopped,
}

/// A run as later ones are compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunDigest {
    pub(super) run_id: String,
    pub(super) started_at: String,
    pub(super) outcome: Outcome,
    pub(super) exit_code: u8,
    pub(super) duration_ms: u64,
    pub(super) tasks: Vec<TaskDigest>,
}

/// A task as later runs are compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskDigest {
    pub(super) task: String,
    /// What it has written is whole; without it the other figures mean nothing.
    pub(super) succeeded: bool,
    pub(super) published: bool,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) duration_ms: u64,
}

impl<'a> ReportDocument<'a> {
    pub(super) fn new(report: &'a RunReport, selection: &'a str, earlier: Vec<RunDigest>) -> Self {
        let outcome = match (report.stopped, report.is_ok()) {
            (Some(_), _) => Outcome::Stopped,
            (None, true) => Outcome::Done,
            (None, false) => Outcome::Failed,
        };
        let exit_code = report.exit_code().number();
        let this = RunDigest {
            run_id: report.run_id.to_string(),
            started_at: moment(&report.course.started_at),
            outcome,
            exit_code,
            duration_ms: report.duration_ms,
            tasks: report.tasks.iter().map(TaskDigest::of).collect(),
        };
        let version = env!("CARGO_PKG_VERSION");
        Self { format: FORMAT, version, selection, outcome, exit_code, report, runs: remembered(this, earlier) }
    }
}

impl TaskDigest {
    fn of(task: &TaskReport) -> Self {
        Self {
            task: task.task.clone(),
            // A task that was never read has no failure either.
            succeeded: task.failure.is_none() && task.reading.is_some(),
            published: task.published,
            rows: task.rows,
            bytes: task.bytes,
            duration_ms: task.duration_ms,
        }
    }
}

fn remembered(this: RunDigest, earlier: Vec<RunDigest>) -> Vec<RunDigest> {
    let mut left = MOST_TASKS.saturating_sub(this.tasks.len());
    let earlier = earlier.into_iter().take(MOST_RUNS - 1).take_while(|run| {
        let fits = run.tasks.len() <= left;
        left = left.saturating_sub(run.tasks.len());
        fits
    });
    std::iter::once(this).chain(earlier).collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST_RUNS, MOST_TASKS, Outcome, ReportDocument, RunDigest, TaskDigest};
    use crate::exit_code::ExitCode;
    use crate::report::RunReport;
    use project_publish::RunId;

    fn run(id: usize, tasks: usize) -> RunDigest {
        let task = TaskDigest { task: "t".into(), succeeded: true, published: true, rows: 1, bytes: 1, duration_ms: 1 };
        RunDigest {
            run_id: id.to_string(),
            started_at: String::new(),
            outcome: Outcome::Done,
            exit_code: 0,
            duration_ms: 1,
            tasks: vec![task; tasks],
        }
    }

    #[test]
    fn a_file_that_is_replaced_every_night_does_not_grow_for_ever() {
        let report = RunReport::begin(RunId::now(), "./lake".into());
        let new = report.run_id.as_str();
        let kept = |earlier: Vec<RunDigest>| {
            let runs = ReportDocument::new(&report, "all", earlier).runs;
            runs.into_iter().map(|run| run.run_id).collect::<Vec<_>>()
        };
        let many = kept((0..100).map(|id| run(id, 1)).collect());
        assert_eq!((many.len(), many[0].as_str(), many[1].as_str()), (MOST_RUNS, new, "0"));
        let wide = kept((0..5).map(|id| run(id, MOST_TASKS / 2)).collect());
        assert_eq!(wide, [new, "0", "1"]);
    }

    #[test]
    fn the_outcome_is_that_of_the_exit_code() {
        let mut report = RunReport::begin(RunId::now(), "./lake".into());
        let outcome = |report: &RunReport| {
            let document = ReportDocument::new(report, "all", Vec::new());
            (document.outcome, document.exit_code)
        };
        assert_eq!(outcome(&report), (Outcome::Done, 0));
        report.stopped = Some(ExitCode::Interrupted);
        assert_eq!(outcome(&report), (Outcome::Stopped, 130));
    }
}
