//! The report as one page that needs nothing but itself. What stands in it comes from names in a database and from
//! messages, so the template escapes all of it.

use super::comparison::{Trend, earlier_successes, rows_of_all, trend};
use super::document::{Outcome, ReportDocument, RunDigest};
use super::earlier_runs::JSON_BEGINS;
use super::figures_for_people::{Difference, date_and_time, difference, duration, rows_per_second, short_date};
use super::prose::prose;
use super::remedy::{Remedy, remedy};
use super::timeline::{Timeline, timeline};
use crate::course::TakenSnapshot;
use crate::report::{Failure, RunReport, TaskReport, grouped, size};
use anyhow::Result;
use askama::Template;
use project_tasks::REJECTS_SUFFIX;

/// Runs in the list at the end of the page.
const MOST_RUNS: usize = 15;

const NOTHING: &str = "\u{2013}";

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    document: &'a ReportDocument<'a>,
    headline: String,
    outcome: &'static str,
    begun: String,
    snapshot: Option<String>,
    /// Where in the server's log that is.
    place: Option<String>,
    /// How long the snapshot was held.
    held: Option<String>,
    failures: Vec<FailureCard<'a>>,
    /// Whether every table that failed is as it was.
    failed_before_publishing: bool,
    /// The `--table` of what failed, if not everything did.
    repeat: Option<String>,
    key_figures: Vec<KeyFigure>,
    timeline: Timeline,
    tables: Vec<TableRow<'a>>,
    changes: Vec<ChangeRow<'a>>,
    /// Task and sentence.
    drift: Vec<(&'a str, &'a str)>,
    rejects: Vec<(String, String)>,
    runs: Vec<RunRow>,
    json_begins: &'static str,
    json: String,
}

struct FailureCard<'a> {
    /// The task, or the flag of the step; none for a failure of the whole run.
    task: Option<String>,
    failure: &'a Failure,
    remedy: Remedy,
}

struct KeyFigure {
    label: &'static str,
    value: String,
    more: String,
    alarming: bool,
}

struct TableRow<'a> {
    task: &'a TaskReport,
    state: String,
    /// Name of its colour.
    state_kind: &'static str,
    rows: String,
    difference: Option<Difference>,
    rate: String,
    size: String,
    files: String,
    ratio: String,
    took: String,
    trend: Option<Trend>,
}

struct ChangeRow<'a> {
    task: &'a str,
    column: &'a str,
    policy: &'a str,
    change: &'a str,
    values: String,
}

struct RunRow {
    begun: String,
    outcome: &'static str,
    exit_code: u8,
    published: String,
    rows: String,
    size: String,
    took: String,
    is_this: bool,
}

/// The page.
pub(super) fn written(document: &ReportDocument<'_>) -> Result<String> {
    let report = document.report;
    let course = &report.course;
    let page = Page {
        headline: headline(document),
        outcome: name(document.outcome),
        begun: date_and_time(&course.started_at),
        snapshot: course.snapshot_at.as_ref().map(date_and_time),
        place: course.snapshot.as_ref().map(TakenSnapshot::place),
        held: course.snapshot_age_ms.map(duration),
        failures: failures(document),
        failed_before_publishing: failed_before_publishing(report),
        repeat: repeat(document),
        key_figures: key_figures(document),
        timeline: timeline(report),
        tables: report.tasks.iter().map(|task| table(task, &document.runs)).collect(),
        changes: report.tasks.iter().flat_map(changes).collect(),
        drift: report.tasks.iter().flat_map(drift).collect(),
        rejects: report.tasks.iter().filter_map(rejects).collect(),
        runs: document.runs.iter().take(MOST_RUNS).enumerate().map(run).collect(),
        json_begins: JSON_BEGINS,
        json: json(document)?,
        document,
    };
    Ok(page.render()?)
}

/// Without a character that could end the element that it stands in.
fn json(document: &ReportDocument<'_>) -> Result<String> {
    Ok(serde_json::to_string(document)?.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Stopped => "stopped",
    }
}

fn tables(count: usize) -> &'static str {
    if count == 1 { "table" } else { "tables" }
}

fn headline(document: &ReportDocument<'_>) -> String {
    let tasks = &document.report.tasks;
    let (all, published) = (tasks.len(), tasks.iter().filter(|task| task.published).count());
    let failed = tasks.iter().filter(|task| task.failure.is_some()).count();
    match document.outcome {
        Outcome::Stopped => format!("Stopped by a signal, {published} of {all} {} published", tables(all)),
        Outcome::Failed if failed > 0 => format!("{failed} of {all} {} failed", tables(all)),
        Outcome::Failed => "The run failed".to_owned(),
        Outcome::Done if published == all => format!("{all} {} published", tables(all)),
        Outcome::Done => format!("{all} {} written, {published} published", tables(all)),
    }
}

fn failures<'a>(document: &ReportDocument<'a>) -> Vec<FailureCard<'a>> {
    let report = document.report;
    let card = |task, failure: &'a Failure| FailureCard { task, failure, remedy: remedy(failure.code) };
    let of_tasks = report.tasks.iter().filter_map(|task| Some(card(Some(task.task.clone()), task.failure.as_ref()?)));
    let of_steps =
        report.steps.iter().filter_map(|step| Some(card(Some(format!("--{}", step.step)), step.failure.as_ref()?)));
    report.failure.iter().map(|failure| card(None, failure)).chain(of_tasks).chain(of_steps).collect()
}

fn failed_before_publishing(report: &RunReport) -> bool {
    let mut failed = report.tasks.iter().filter(|task| task.failure.is_some()).peekable();
    failed.peek().is_some() && failed.all(|task| task.publishing.is_none())
}

fn repeat(document: &ReportDocument<'_>) -> Option<String> {
    let tasks = &document.report.tasks;
    let failed: Vec<&str> = tasks.iter().filter(|task| task.failure.is_some()).map(|task| task.task.as_str()).collect();
    (!failed.is_empty() && failed.len() < tasks.len()).then(|| failed.join(","))
}

fn key_figures(document: &ReportDocument<'_>) -> Vec<KeyFigure> {
    let report = document.report;
    let whole: Vec<&TaskReport> = report.tasks.iter().filter(|task| task.failure.is_none()).collect();
    let sum = |figure: fn(&TaskReport) -> u64| whole.iter().map(|task| figure(task)).sum::<u64>();
    let (bytes, uncompressed) = (sum(|task| task.bytes), sum(|task| task.uncompressed_bytes));
    let published = report.tasks.iter().filter(|task| task.published).count();
    let rows = rows_of_all(&document.runs);
    let earlier = document.runs.get(1).map(|run| format!("{} the run before", duration(run.duration_ms)));
    let files: usize = whole.iter().map(|task| task.files).sum();
    let mut figures = vec![
        KeyFigure {
            label: "Published",
            value: format!("{published} of {}", report.tasks.len()),
            more: tables(report.tasks.len()).to_owned(),
            alarming: published < report.tasks.len() && document.outcome != Outcome::Done,
        },
        KeyFigure {
            label: "Rows",
            value: grouped(sum(|task| task.rows)),
            alarming: rows.as_ref().is_some_and(|rows| rows.alarming),
            more: rows.map(|rows| rows.text).unwrap_or_default(),
        },
        KeyFigure {
            label: "Size",
            value: size(bytes),
            more: match uncompressed {
                0 => String::new(),
                _ => format!("{} {}, {}", grouped_files(files), plural(files), ratio(uncompressed, bytes)),
            },
            alarming: false,
        },
        KeyFigure {
            label: "Time",
            value: duration(report.duration_ms),
            more: earlier.unwrap_or_default(),
            alarming: false,
        },
    ];
    figures
        .extend(deserving_a_look("Values changed", sum(|task| task.changes.iter().map(|change| change.values).sum())));
    figures.extend(deserving_a_look("Rows left out", sum(|task| task.rejected)));
    figures
}

fn deserving_a_look(label: &'static str, count: u64) -> Option<KeyFigure> {
    let figure = KeyFigure { label, value: grouped(count), more: "see below".to_owned(), alarming: true };
    (count > 0).then_some(figure)
}

fn grouped_files(files: usize) -> String {
    grouped(files as u64)
}

fn plural(files: usize) -> &'static str {
    if files == 1 { "file" } else { "files" }
}

/// `3.2 : 1`
fn ratio(uncompressed: u64, bytes: u64) -> String {
    format!("{:.1} : 1", uncompressed as f64 / bytes.max(1) as f64)
}

fn table<'a>(task: &'a TaskReport, runs: &[RunDigest]) -> TableRow<'a> {
    let (state, state_kind) = match &task.failure {
        Some(failure) => (format!("failed ({})", failure.exit_code), "failed"),
        None if task.published => ("published".to_owned(), "done"),
        None => ("not published".to_owned(), "stopped"),
    };
    let is_whole = task.failure.is_none() && task.reading.is_some();
    let known = |figure: String| if is_whole { figure } else { NOTHING.to_owned() };
    let earlier = if is_whole { earlier_successes(runs, &task.task) } else { Vec::new() };
    TableRow {
        state,
        state_kind,
        rows: known(grouped(task.rows)),
        difference: earlier.first().map(|earlier| difference(task.rows, earlier.rows)),
        rate: known(rows_per_second(task.rows, task.duration_ms)),
        size: known(size(task.bytes)),
        files: known(grouped_files(task.files)),
        ratio: task.compression().map_or_else(|| NOTHING.to_owned(), |_| ratio(task.uncompressed_bytes, task.bytes)),
        took: task.reading.map_or_else(|| NOTHING.to_owned(), |_| duration(task.duration_ms)),
        trend: trend(task.rows, &earlier),
        task,
    }
}

fn changes(task: &TaskReport) -> impl Iterator<Item = ChangeRow<'_>> {
    task.changes.iter().map(|change| ChangeRow {
        task: &task.task,
        column: &change.column,
        policy: &change.policy,
        change: &change.change,
        values: grouped(change.values),
    })
}

fn drift(task: &TaskReport) -> impl Iterator<Item = (&str, &str)> {
    task.drift.iter().map(|sentence| (task.task.as_str(), sentence.as_str()))
}

/// The rows that a table lacks, and the table that says why.
fn rejects(task: &TaskReport) -> Option<(String, String)> {
    let rows = if task.rejected == 1 { "row" } else { "rows" };
    let text = format!("{} {rows} of {}", grouped(task.rejected), task.task);
    (task.rejected > 0).then(|| (text, format!("{}{REJECTS_SUFFIX}", task.table)))
}

fn run((at, run): (usize, &RunDigest)) -> RunRow {
    let published = run.tasks.iter().filter(|task| task.published);
    let whole = || run.tasks.iter().filter(|task| task.succeeded);
    RunRow {
        begun: short_date(&run.started_at),
        outcome: name(run.outcome),
        exit_code: run.exit_code,
        published: format!("{} of {}", published.count(), run.tasks.len()),
        rows: grouped(whole().map(|task| task.rows).sum()),
        size: size(whole().map(|task| task.bytes).sum()),
        took: duration(run.duration_ms),
        is_this: at == 0,
    }
}

#[cfg(test)]
mod tests;
