//! What came of a step that follows the tables: rows that go back into a database, a Job that is started.

use crate::course::Stage;
use crate::report::Failure;
use serde::Serialize;
use std::fmt;

/// What came of one step.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepReport {
    /// The flag that asks for it, without its dashes.
    pub(crate) step: &'static str,
    /// What it is about, for people.
    pub(crate) about: String,
    /// When it was done; a step that was not begun has none.
    pub(crate) stage: Option<Stage>,
    /// What came of it in one line, or why it was not begun.
    pub(crate) outcome: Option<String>,
    /// The same for programs.
    #[serde(flatten)]
    pub(crate) figures: Option<StepFigures>,
    /// The last lines that a Job has written, oldest first.
    pub(crate) log: Vec<String>,
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
}

/// What can be counted or named.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepFigures {
    /// Of `--file`.
    Insertion(InsertionFigures),
    /// Of `--then`.
    Job(JobFigures),
}

/// Rows that went into a table; those that were read are those inserted, updated and unchanged.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct InsertionFigures {
    pub(crate) rows_read: u64,
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    /// Of those, the ones that differ from the input, which only `--mode=insert` leaves.
    pub(crate) differing: u64,
    /// Rows of the table that were not in the file.
    pub(crate) deleted: u64,
}

/// The Job.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobFigures {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) succeeded: bool,
    /// That of the container which failed last.
    pub(crate) exit_code: Option<i32>,
}

impl StepReport {
    /// A step of which nothing is known yet.
    pub(crate) fn new(step: &'static str, about: String) -> Self {
        Self { step, about, stage: None, outcome: None, figures: None, log: Vec::new(), failure: None }
    }
}

/// Lines for the summary, each with its line break.
impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, about, outcome, log, failure, .. } = self;
        match failure {
            Some(failure) => {
                for line in log {
                    writeln!(f, "    | {line}")?;
                }
                writeln!(f, "  --{step}: {about}  FAILED ({}): {failure}", failure.exit_code)
            }
            None => writeln!(f, "  --{step}: {about}: {}", outcome.as_deref().unwrap_or("not done")),
        }
    }
}
