//! The end of a run for a program that reads the log: a line for each task and one for the run, with the same fields in
//! every version. A failure's whole chain stands here and nowhere before.

use super::step::StepReport;
use super::{Failure, RunReport, TaskReport};
use tracing::{error, info, warn};

/// Writes them.
pub(crate) fn write(report: &RunReport) {
    for note in &report.notes {
        info!("{note}");
    }
    for task in &report.tasks {
        of_task(task);
    }
    for step in &report.steps {
        of_step(step);
    }
    let rows: u64 = report.tasks.iter().filter(|task| task.published).map(|task| task.rows).sum();
    let bytes: u64 = report.tasks.iter().filter(|task| task.published).map(|task| task.bytes).sum();
    let (stage, duration_ms, exit_code) = (report.stage(), report.duration_ms, report.exit_code().number());
    let summary = report.summary();
    match (&report.failure, report.is_ok()) {
        (Some(Failure { message, .. }), _) => {
            error!(stage, rows, bytes, duration_ms, exit_code, "{summary}: {message}");
        }
        (None, false) => warn!(stage, rows, bytes, duration_ms, exit_code, "{summary}"),
        (None, true) => info!(stage, rows, bytes, duration_ms, exit_code, "{summary}"),
    }
}

fn of_step(report: &StepReport) {
    let StepReport { step, about, outcome, stage, failure, .. } = report;
    let duration_ms = stage.map_or(0, |stage| stage.duration_ms);
    match failure {
        Some(Failure { message, exit_code, .. }) => error!(step, about, duration_ms, exit_code, "{message}"),
        None => info!(step, about, duration_ms, exit_code = 0, "{}", outcome.as_deref().unwrap_or("not done")),
    }
}

fn of_task(report: &TaskReport) {
    let TaskReport { task, table, rows, bytes, files, duration_ms, rejected, published, .. } = report;
    let stage = report.stage();
    match &report.failure {
        Some(Failure { message, exit_code, .. }) => {
            error!(task, table, stage, rows, bytes, files, duration_ms, rejected, exit_code, "{message}");
        }
        None => {
            let outcome = if *published { "published" } else { "not published" };
            info!(task, table, stage, rows, bytes, files, duration_ms, rejected, exit_code = 0, "{outcome}");
        }
    }
}
