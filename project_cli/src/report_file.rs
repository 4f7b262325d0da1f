//! The report as a file: JSON for programs, or one page for people that holds the same JSON.

mod comparison;
mod document;
mod earlier_runs;
mod figures_for_people;
mod page;
mod prose;
mod remedy;
mod timeline;

use self::document::ReportDocument;
use crate::config::ReportFile;
use crate::report::RunReport;
use crate::whole_file::replace;
use anyhow::{Context, Result};
use tracing::warn;

/// Writes the report. What goes wrong is told and never changes the run's exit code: the tables are published by now.
pub(crate) fn write(report: &RunReport, file: &ReportFile, selection: &str) -> Option<String> {
    let error = attempt(report, file, selection).err()?;
    let problem = format!("the report is not in its file: {error:#}");
    warn!("{problem}");
    Some(problem)
}

fn attempt(report: &RunReport, file: &ReportFile, selection: &str) -> Result<()> {
    // The file that this run replaces is all that is known of earlier runs.
    let document = ReportDocument::new(report, selection, earlier_runs::read(file.path()));
    let text = match file {
        ReportFile::Json(_) => format!("{}\n", serde_json::to_string_pretty(&document)?),
        ReportFile::Html(_) => page::written(&document).context("cannot draw the page")?,
    };
    replace(file.path(), &text, None)
}
