//! What came of a run: one value, from which the terminal's summary, the JSON and the exit code are made.

use crate::course::{Course, Stage};
use crate::exit_code::ExitCode;
use crate::report::step::StepReport;
use crate::retry::retry_of;
use project_postgres::Retry;
use project_publish::RunId;
use project_tasks::{REJECTS_SUFFIX, Verified};
use serde::Serialize;
use std::fmt;
use std::mem::replace;
use std::time::Duration;

pub(crate) mod log_lines;
pub(crate) mod step;

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunReport {
    /// The run's own id, which also names its folder in a local lake.
    pub(crate) run_id: RunId,
    /// The attempts that came before, with ids of their own.
    pub(crate) earlier_attempts: Vec<EarlierAttempt>,
    /// Where the tables went.
    pub(crate) destination: String,
    /// Every selected task, in the order in which they ran.
    pub(crate) tasks: Vec<TaskReport>,
    /// What came after the tables, in this order.
    pub(crate) steps: Vec<StepReport>,
    /// A failure that belongs to no single task.
    pub(crate) failure: Option<Failure>,
    /// What the reader of the summary should also know.
    pub(crate) notes: Vec<String>,
    /// The whole run.
    pub(crate) duration_ms: u64,
    /// When it did what.
    #[serde(flatten)]
    pub(crate) course: Course,
    /// Set by a signal; wins over every failure.
    #[serde(skip)]
    pub(crate) stopped: Option<ExitCode>,
}

/// An attempt that lost its snapshot; nothing of it was published.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EarlierAttempt {
    /// Its id.
    pub(crate) run_id: RunId,
    /// Why it ended.
    pub(crate) failure: Failure,
}

/// What came of one task.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TaskReport {
    /// Name in `--table`.
    pub(crate) task: String,
    /// Table in the lake.
    pub(crate) table: String,
    /// Rows written.
    pub(crate) rows: u64,
    /// Bytes written.
    pub(crate) bytes: u64,
    /// Bytes of the encoded columns before they were compressed.
    pub(crate) uncompressed_bytes: u64,
    /// Files written.
    pub(crate) files: usize,
    /// Reading and writing.
    pub(crate) duration_ms: u64,
    /// When it was read and written.
    pub(crate) reading: Option<Stage>,
    /// When what was left to upload was uploaded, and the table became visible.
    pub(crate) publishing: Option<Stage>,
    /// Whether readers of the lake now see this run's rows.
    pub(crate) published: bool,
    /// Rows that the lake cannot hold; what is known of them is in the table's `__rejects`.
    pub(crate) rejected: u64,
    /// Values that have no exact place in the lake and were changed.
    pub(crate) changes: Vec<Change>,
    /// Where the code of the task and the database have drifted apart, as far as it can live with that.
    pub(crate) drift: Vec<String>,
    /// What was compared between the table and its files, if anything was.
    pub(crate) verified: Option<VerifiedColumns>,
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
}

/// Values of a column that were changed, as a policy says.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    /// The column in Postgres.
    pub(crate) column: String,
    /// The choice that did it, as a flag writes it.
    pub(crate) policy: String,
    /// What they were and what they are now.
    pub(crate) change: String,
    /// How many they are.
    pub(crate) values: u64,
}

/// Columns whose values in the files are those of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct VerifiedColumns {
    /// How many were compared by null count, min, max, sum and hash.
    pub(crate) columns: usize,
    /// Those of which only NULLs could be compared, because text in them was replaced.
    pub(crate) counted_only: Vec<String>,
}

impl From<&Verified> for VerifiedColumns {
    fn from(verified: &Verified) -> Self {
        Self { columns: verified.columns, counted_only: verified.counted_only.clone() }
    }
}

/// `, verified 12 columns`.
impl fmt::Display for VerifiedColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", verified {} {}", self.columns, if self.columns == 1 { "column" } else { "columns" })
    }
}

impl EarlierAttempt {
    /// What there is to say about it; the first attempt has the number 1.
    pub(crate) fn sentence(&self, number: usize) -> String {
        let Self { run_id, failure } = self;
        format!(
            "attempt {number} (run {run_id}) was lost ({}), and nothing of it published: {failure}",
            failure.exit_code
        )
    }
}

/// A failure as the report shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    /// The whole chain of causes, outermost first.
    pub(crate) message: String,
    /// The exit code that this failure alone would give.
    pub(crate) exit_code: u8,
    #[serde(skip)]
    pub(crate) code: ExitCode,
    /// Whether the run, started over, may go better.
    #[serde(skip)]
    pub(crate) retry: Retry,
}

impl Failure {
    pub(crate) fn new(error: &anyhow::Error) -> Self {
        let code = ExitCode::of(error);
        Self { message: sentence(error), exit_code: code.number(), code, retry: retry_of(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The chain of causes in one line; a cause that the text before it already says is not repeated.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

impl TaskReport {
    pub(crate) fn new(task: &str, table: &str) -> Self {
        Self {
            task: task.to_owned(),
            table: table.to_owned(),
            rows: 0,
            bytes: 0,
            uncompressed_bytes: 0,
            files: 0,
            duration_ms: 0,
            reading: None,
            publishing: None,
            published: false,
            rejected: 0,
            changes: Vec::new(),
            drift: Vec::new(),
            verified: None,
            failure: None,
        }
    }

    /// How far it came.
    pub(crate) fn stage(&self) -> &'static str {
        match (self.reading, self.publishing) {
            (_, Some(_)) => "publishing",
            (Some(_), None) => "reading",
            (None, None) => "checking",
        }
    }

    /// Bytes of the encoded columns for each byte of the files; nothing is known of files that are not there.
    pub(crate) fn compression(&self) -> Option<f64> {
        let known = self.bytes > 0 && self.uncompressed_bytes > 0;
        known.then(|| self.uncompressed_bytes as f64 / self.bytes as f64)
    }
}

impl RunReport {
    /// A run that begins now.
    pub(crate) fn begin(run_id: RunId, destination: String) -> Self {
        Self {
            run_id,
            earlier_attempts: Vec::new(),
            destination,
            tasks: Vec::new(),
            steps: Vec::new(),
            failure: None,
            notes: Vec::new(),
            duration_ms: 0,
            course: Course::begin(),
            stopped: None,
        }
    }

    /// How far it came, as a whole.
    pub(crate) fn stage(&self) -> &'static str {
        let course = &self.course;
        match (course.crawling, course.snapshot_at, self.tasks.is_empty()) {
            (Some(_), _, _) => "crawling",
            (None, Some(_), _) => "reading",
            (None, None, false) => "preparing",
            (None, None, true) => "connecting",
        }
    }

    /// Forgets everything about this attempt but why it ended.
    pub(crate) fn start_over(&mut self, run_id: RunId, failure: Failure) {
        let run_id = replace(&mut self.run_id, run_id);
        self.earlier_attempts.push(EarlierAttempt { run_id, failure });
        self.tasks.clear();
        self.notes.clear();
        self.course.start_over();
    }

    /// The code of the whole run.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let of_tasks = self.tasks.iter().filter_map(|task| task.failure.as_ref());
        let of_steps = self.steps.iter().filter_map(|step| step.failure.as_ref());
        let failures = of_tasks.chain(of_steps).chain(&self.failure);
        self.stopped.unwrap_or_else(|| ExitCode::of_all(failures.map(|failure| failure.code)))
    }

    /// What came of it in one line, without any reason.
    pub(crate) fn summary(&self) -> String {
        let rows = self.tasks.iter().filter(|task| task.published).map(|task| task.rows).sum();
        let published = self.tasks.iter().filter(|task| task.published).count();
        let end = match (self.stopped, self.is_ok()) {
            (Some(_), _) => "stopped by a signal",
            (None, true) => "done",
            (None, false) => "failed",
        };
        let (duration, run_id) = (seconds(self.duration_ms), &self.run_id);
        if self.tasks.is_empty() && !self.steps.is_empty() {
            return format!("{end} in {duration} (run {run_id})");
        }
        let (tables, destination) = (if self.tasks.len() == 1 { "table" } else { "tables" }, &self.destination);
        let (selected, rows) = (self.tasks.len(), grouped(rows));
        format!(
            "{end}: {published} of {selected} {tables} published to {destination}, {rows} rows in {duration} (run {run_id})"
        )
    }

    /// Whether anything failed or was stopped.
    pub(crate) fn is_ok(&self) -> bool {
        self.exit_code() == ExitCode::Ok
    }
}

/// The summary for a person: a line for each task, failures last, where they are seen.
impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.tasks.iter().map(|task| task.task.chars().count()).max().unwrap_or(0);
        for task in self.tasks.iter().filter(|task| task.failure.is_none()) {
            let state = if task.published { "published" } else { "not published" };
            writeln!(
                f,
                "  {:<width$}  {:>13} rows  {:>9}  {:>3} {}  {:>7}  {state}{}",
                task.task,
                grouped(task.rows),
                size(task.bytes),
                task.files,
                if task.files == 1 { "file " } else { "files" },
                seconds(task.duration_ms),
                task.verified.as_ref().map(ToString::to_string).unwrap_or_default(),
            )?;
            if task.rejected > 0 {
                let (rows, table) = (grouped(task.rejected), &task.table);
                let rows_are =
                    if task.rejected == 1 { "row was rejected and is" } else { "rows were rejected and are" };
                writeln!(f, "    {rows} {rows_are} missing; table {table}{REJECTS_SUFFIX} says why")?;
            }
            for Change { column, change, values, .. } in &task.changes {
                writeln!(f, "    column \"{column}\": {} values were {change}", grouped(*values))?;
            }
            for column in task.verified.iter().flat_map(|verified| &verified.counted_only) {
                writeln!(f, "    column \"{column}\": only its NULLs were compared, because text in it was replaced")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        for step in &self.steps {
            write!(f, "{step}")?;
        }
        for (number, attempt) in (1..).zip(&self.earlier_attempts) {
            writeln!(f, "  {}", attempt.sentence(number))?;
        }
        for task in self.tasks.iter() {
            if let Some(failure) = &task.failure {
                writeln!(f, "  {:<width$}  FAILED ({}): {}", task.task, failure.exit_code, failure.message)?;
            }
        }
        match &self.failure {
            // Nothing was selected yet, or nothing could be: there is no more to say.
            Some(failure) if self.tasks.is_empty() && self.steps.is_empty() => {
                return write!(f, "failed ({}): {failure}", failure.exit_code);
            }
            Some(failure) => writeln!(f, "  FAILED ({}): {failure}", failure.exit_code)?,
            None => {}
        }
        f.write_str(&self.summary())
    }
}

/// 1234567 as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the largest unit that leaves a number above one.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        None => format!("{bytes} B"),
    }
}

/// Milliseconds as seconds with one decimal.
pub(crate) fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

/// Milliseconds, for fields that say `_ms`.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Failure, RunReport, TaskReport, grouped, size};
    use crate::exit_code::ExitCode;
    use project_publish::RunId;
    use project_tasks::DataError;

    #[test]
    fn numbers_for_people() {
        assert_eq!((grouped(0), grouped(999), grouped(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        assert_eq!((size(999), size(1_500), size(2_340_000_000)), ("999 B".into(), "1.5 kB".into(), "2.3 GB".into()));
    }

    #[test]
    fn a_failure_shows_and_decides_the_code() {
        let mut report = RunReport::begin(RunId::now(), "./lake".into());
        report.tasks = vec![TaskReport::new("users", "users"), TaskReport::new("orders", "orders")];
        report.tasks[0].published = true;
        report.tasks[1].failure = Some(Failure::new(&DataError("order 7: no".into()).into()));
        assert_eq!(report.exit_code(), ExitCode::Data);
        let text = report.to_string();
        assert!(text.contains("orders  FAILED (65): order 7: no"), "{text}");
        assert!(text.contains("failed: 1 of 2 tables published to ./lake"), "{text}");
        report.stopped = Some(ExitCode::Terminated);
        assert_eq!(report.exit_code(), ExitCode::Terminated);
    }
}
