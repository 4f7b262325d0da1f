//! The course of a run as bars on one axis. Places are per cent of the width, so that the drawing has no width of its own.

use super::figures_for_people::duration;
use crate::course::Stage;
use crate::report::{RunReport, seconds};

/// Else a bar would be too thin to be seen.
const LEAST_PERCENT: f64 = 0.5;
/// More lanes than this say nothing; the longest are shown.
const MOST_LANES: usize = 40;
/// Lines that divide the axis, at most.
const MOST_TICKS: u64 = 5;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    pub(super) lanes: Vec<Lane>,
    pub(super) ticks: Vec<Tick>,
    /// Tasks that are not shown.
    pub(super) left_out: usize,
    /// Kinds of bars that occur, for the legend.
    pub(super) has_publishing: bool,
    pub(super) has_crawling: bool,
}

/// One task, or the crawl.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) bars: Vec<Bar>,
    /// All its stages, without the time in which it waited for others.
    pub(super) took: String,
    /// The bars in words.
    pub(super) told: String,
    busy_ms: u64,
}

#[derive(Debug)]
pub(super) struct Bar {
    /// `reading`, `publishing`, `crawling` or `failed`; also the name of its colour.
    pub(super) kind: &'static str,
    pub(super) start: String,
    pub(super) width: String,
}

/// A line across all lanes.
#[derive(Debug)]
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) label: String,
}

pub(super) fn timeline(report: &RunReport) -> Timeline {
    let stages = report.tasks.iter().flat_map(|task| [task.reading, task.publishing]).chain([report.course.crawling]);
    let end = stages.flatten().map(Stage::end_ms).chain([report.duration_ms]).max().unwrap_or(0).max(1);
    let mut lanes: Vec<Lane> = report
        .tasks
        .iter()
        .filter_map(|task| {
            let reading = if task.failure.is_some() && task.publishing.is_none() { "failed" } else { "reading" };
            let publishing = if task.failure.is_some() { "failed" } else { "publishing" };
            lane(&task.task, &[(reading, task.reading), (publishing, task.publishing)], end)
        })
        .collect();
    let left_out = keep_the_longest(&mut lanes);
    lanes.extend(lane("crawler", &[("crawling", report.course.crawling)], end));
    Timeline {
        has_publishing: lanes.iter().flat_map(|lane| &lane.bars).any(|bar| bar.kind == "publishing"),
        has_crawling: report.course.crawling.is_some(),
        ticks: if lanes.is_empty() { Vec::new() } else { ticks(end) },
        lanes,
        left_out,
    }
}

fn lane(name: &str, stages: &[(&'static str, Option<Stage>)], end: u64) -> Option<Lane> {
    let stages: Vec<(&'static str, Stage)> =
        stages.iter().filter_map(|(kind, stage)| Some((*kind, (*stage)?))).collect();
    if stages.is_empty() {
        return None;
    }
    let busy_ms = stages.iter().map(|(_, stage)| stage.duration_ms).sum();
    let bars = stages.iter().map(|(kind, stage)| bar(kind, *stage, end)).collect();
    let told: Vec<String> = stages
        .iter()
        .map(|(kind, Stage { start_ms, duration_ms })| {
            format!("{kind} from {} for {}", duration(*start_ms), duration(*duration_ms))
        })
        .collect();
    Some(Lane { name: name.to_owned(), bars, took: duration(busy_ms), told: told.join(", "), busy_ms })
}

fn bar(kind: &'static str, stage: Stage, end: u64) -> Bar {
    let width = percent(stage.duration_ms, end).max(LEAST_PERCENT);
    let start = percent(stage.start_ms, end).min(100.0 - width);
    Bar { kind, start: format!("{start:.2}"), width: format!("{width:.2}") }
}

fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64 * 100.0).min(100.0)
}

/// Drops the shortest and says how many, without changing the order.
fn keep_the_longest(lanes: &mut Vec<Lane>) -> usize {
    let left_out = lanes.len().saturating_sub(MOST_LANES);
    if left_out > 0 {
        let mut lengths: Vec<u64> = lanes.iter().map(|lane| lane.busy_ms).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        let least = lengths.get(MOST_LANES - 1).copied().unwrap_or(0);
        lanes.retain(|lane| lane.busy_ms >= least);
        lanes.truncate(MOST_LANES);
    }
    left_out
}

/// Round times: 1, 2 or 5 of a power of ten in milliseconds or seconds, then minutes and hours.
fn ticks(end: u64) -> Vec<Tick> {
    const STEPS: [u64; 23] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000,
        1_200_000, 3_600_000, 7_200_000, 18_000_000, 43_200_000,
    ];
    let step = STEPS.into_iter().find(|step| end / step <= MOST_TICKS).unwrap_or(end);
    // The last one stays away from the edge, where its label would not fit.
    let places = (0..).map(|number| number * step).take_while(|at| percent(*at, end) <= 95.0);
    places.map(|at| Tick { at: format!("{:.2}", percent(at, end)), label: label(at) }).collect()
}

fn label(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0".to_owned(),
        1..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 if !milliseconds.is_multiple_of(1_000) => seconds(milliseconds),
        1_000..60_000 => format!("{} s", milliseconds / 1_000),
        60_000..3_600_000 => format!("{} min", milliseconds / 60_000),
        _ => format!("{} h", milliseconds / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_LANES, MOST_TICKS, ticks, timeline};
    use crate::course::Stage;
    use crate::report::{RunReport, TaskReport};
    use project_publish::RunId;

    fn report(tasks: u64) -> RunReport {
        let mut report = RunReport::begin(RunId::now(), "./lake".into());
        report.duration_ms = 10_000;
        report.tasks = (0..tasks)
            .map(|number| {
                let mut task = TaskReport::new(&format!("t{number}"), "t");
                task.reading = Some(Stage { start_ms: number, duration_ms: number });
                task
            })
            .collect();
        report
    }

    #[test]
    fn bars_lie_where_the_stages_were_and_never_outside() {
        let mut report = report(1);
        report.tasks[0].reading = Some(Stage { start_ms: 1_000, duration_ms: 4_000 });
        report.tasks[0].publishing = Some(Stage { start_ms: 9_999, duration_ms: 1 });
        report.course.crawling = Some(Stage { start_ms: 10_000, duration_ms: 0 });
        let drawn = timeline(&report);
        let bars: Vec<_> = drawn.lanes.iter().flat_map(|lane| &lane.bars).collect();
        let places: Vec<_> = bars.iter().map(|bar| (bar.kind, bar.start.as_str(), bar.width.as_str())).collect();
        assert_eq!(
            places,
            [("reading", "10.00", "40.00"), ("publishing", "99.50", "0.50"), ("crawling", "99.50", "0.50")]
        );
        assert_eq!(drawn.lanes[0].told, "reading from 1.0 s for 4.0 s, publishing from 9.9 s for 1 ms");
        assert_eq!(drawn.lanes[0].took, "4.0 s");
    }

    #[test]
    fn a_task_that_was_never_read_has_no_lane_and_an_empty_run_no_axis() {
        let mut report = report(1);
        report.tasks[0].reading = None;
        report.duration_ms = 0;
        let drawn = timeline(&report);
        assert!(drawn.lanes.is_empty() && drawn.ticks.is_empty());
    }

    #[test]
    fn of_very_many_tasks_the_longest_are_shown_in_their_order() {
        let drawn = timeline(&report(100));
        assert_eq!((drawn.lanes.len(), drawn.left_out), (MOST_LANES, 60));
        assert_eq!((drawn.lanes[0].name.as_str(), drawn.lanes[MOST_LANES - 1].name.as_str()), ("t60", "t99"));
    }

    #[test]
    fn an_axis_has_a_few_round_times() {
        for end in [1, 9, 999, 1_000, 61_000, 86_400_000, u64::MAX / 2] {
            let ticks = ticks(end);
            assert!((1..=MOST_TICKS + 1).contains(&(ticks.len() as u64)), "{end}: {ticks:?}");
        }
        let labels = |end| ticks(end).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(5_200), ["0", "1 s", "2 s", "3 s", "4 s"]);
        assert_eq!(labels(1_700), ["0", "500 ms", "1 s", "1.5 s"]);
        assert_eq!(labels(900_000), ["0", "5 min", "10 min"]);
    }
}
