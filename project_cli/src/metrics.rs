//! What a run tells Prometheus: a group of gauges for each table that it has published, and one for itself.
//!
//! The names are those of monitoring/ and docs/operations.md. A group is replaced by the next run that has the same one
//! to tell, and by no other: a task that fails leaves what its last success has told.

mod figures;
mod pushgateway;
mod text;
mod textfile;

use crate::config::Outputs;
use crate::report::RunReport;
use chrono::Utc;
use tracing::warn;

/// Tells whoever was named. What goes wrong becomes a note of the report and never changes its exit code.
pub(crate) fn tell(report: &mut RunReport, outputs: &Outputs) {
    if outputs.metrics_file.is_none() && outputs.pushgateway.is_none() {
        return;
    }
    let figures = figures::of_run(report, &outputs.selection, Utc::now());
    let mut problems = Vec::new();
    if let Some(path) = &outputs.metrics_file
        && let Err(error) = textfile::write(path, &figures)
    {
        problems.push(format!("the metrics are not in their file: {error:#}"));
    }
    if let Some(gateway) = &outputs.pushgateway {
        let patience = if report.stopped.is_some() { pushgateway::IN_A_HURRY } else { pushgateway::PATIENT };
        problems.extend(pushgateway::push(gateway, outputs.root_certificates.as_deref(), &figures, patience));
    }
    for problem in &problems {
        warn!("{problem}");
    }
    report.notes.extend(problems);
}
