//! What a run had done before a failure, made from its report: no message of another place can slip into an event.

use crate::report::{RunReport, TaskReport};
use sentry::protocol::{Breadcrumb, Level, Map, Value};
use std::time::Duration;

/// Those that are nearest to the failure.
const MOST: usize = 100;

/// When a step was over: all reading comes before all publishing, and that before the crawl, also within a millisecond.
type Moment = (u8, u64);
const READING: u8 = 0;
const PUBLISHING: u8 = 1;
const CRAWLING: u8 = 2;

/// The steps of the run until the failure of a task, or all of them when it belongs to none.
pub(super) fn until(report: &RunReport, task: Option<&TaskReport>) -> Vec<Breadcrumb> {
    let mut steps = steps(report);
    if let Some(task) = task {
        let end = match (task.publishing, task.reading) {
            (Some(publishing), _) => (PUBLISHING, publishing.end_ms()),
            (None, Some(reading)) => (READING, reading.end_ms()),
            (None, None) => (READING, 0),
        };
        steps.retain(|(at, _)| *at <= end);
    }
    steps.sort_by_key(|(at, _)| *at);
    let surplus = steps.len().saturating_sub(MOST);
    steps.into_iter().skip(surplus).map(|(_, step)| step).collect()
}

fn steps(report: &RunReport) -> Vec<(Moment, Breadcrumb)> {
    let course = &report.course;
    let at = |milliseconds| (course.started_at + Duration::from_millis(milliseconds)).into();
    let mut steps = Vec::new();
    let mut step = |end: u64, category: &str, message: String, data: &[(&str, u64)]| {
        let data: Map<String, Value> = data.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let stage = match category {
            "publishing" => PUBLISHING,
            "crawling" => CRAWLING,
            _ => READING,
        };
        let crumb = Breadcrumb {
            timestamp: at(end),
            category: Some(category.to_owned()),
            message: Some(message),
            level: Level::Info,
            data,
            ..Breadcrumb::default()
        };
        steps.push(((stage, end), crumb));
    };
    step(0, "run", "the run began".to_owned(), &[]);
    if let Some(snapshot) = course.snapshot_at {
        let since = (snapshot - course.started_at).num_milliseconds();
        step(u64::try_from(since).unwrap_or(0), "snapshot", "the snapshot was taken".to_owned(), &[]);
    }
    for TaskReport { task, rows, bytes, files, reading, publishing, published, .. } in &report.tasks {
        if let Some(reading) = reading {
            let data = [
                ("rows", *rows),
                ("bytes", *bytes),
                ("files", u64::try_from(*files).unwrap_or(u64::MAX)),
                ("duration_ms", reading.duration_ms),
            ];
            step(reading.end_ms(), "reading", format!("the reading of {task} ended"), &data);
        }
        if let Some(publishing) = publishing {
            let outcome = if *published { "was published" } else { "was not published" };
            let data = [("duration_ms", publishing.duration_ms)];
            step(publishing.end_ms(), "publishing", format!("{task} {outcome}"), &data);
        }
    }
    if let Some(crawling) = course.crawling {
        step(crawling.end_ms(), "crawling", "the crawler ended".to_owned(), &[("duration_ms", crawling.duration_ms)]);
    }
    steps
}
