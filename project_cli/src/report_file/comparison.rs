//! A run beside those before it.

use super::document::{RunDigest, TaskDigest};
use super::figures_for_people::{Difference, difference};
use crate::report::grouped;

/// Runs in a drawing of the rows of a table.
const MOST_BARS: usize = 14;
/// The drawing's size, in its own units.
const HEIGHT: u64 = 22;
const BAR: usize = 4;
const STEP: usize = 6;

/// Earlier successes of a task, the newest first. Runs of other tasks may lie between them.
pub(super) fn earlier_successes<'a>(runs: &'a [RunDigest], task: &str) -> Vec<&'a TaskDigest> {
    let earlier = runs.iter().skip(1).flat_map(|run| &run.tasks);
    earlier.filter(|known| known.task == task && known.succeeded).collect()
}

/// Rows of this run beside those of the same tasks before; none when one of them has no before.
pub(super) fn rows_of_all(runs: &[RunDigest]) -> Option<Difference> {
    let this = runs.first()?;
    let mut sums = (0_u64, 0_u64);
    for task in this.tasks.iter().filter(|task| task.succeeded) {
        let earlier = earlier_successes(runs, &task.task).first().copied()?;
        sums = (sums.0.saturating_add(task.rows), sums.1.saturating_add(earlier.rows));
    }
    this.tasks.iter().any(|task| task.succeeded).then(|| difference(sums.0, sums.1))
}

/// The rows of a table, run by run.
#[derive(Debug)]
pub(super) struct Trend {
    /// From the oldest to this run, which is the last.
    pub(super) bars: Vec<TrendBar>,
    /// The bars in words.
    pub(super) told: String,
    pub(super) width: usize,
    pub(super) height: u64,
}

#[derive(Debug)]
pub(super) struct TrendBar {
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
    pub(super) is_last: bool,
}

/// Nothing when there is nothing to compare with.
pub(super) fn trend(rows: u64, earlier: &[&TaskDigest]) -> Option<Trend> {
    let mut all: Vec<u64> = earlier.iter().take(MOST_BARS - 1).map(|task| task.rows).rev().collect();
    if all.is_empty() {
        return None;
    }
    all.push(rows);
    let most = all.iter().copied().max().unwrap_or(0).max(1);
    let bar = |(at, rows): (usize, &u64)| {
        let height = u64::try_from(u128::from(*rows) * u128::from(HEIGHT) / u128::from(most)).unwrap_or(HEIGHT).max(1);
        TrendBar { x: at * STEP, y: HEIGHT - height, height, is_last: at + 1 == all.len() }
    };
    let told: Vec<String> = all.iter().map(|rows| grouped(*rows)).collect();
    Some(Trend {
        bars: all.iter().enumerate().map(bar).collect(),
        told: format!("rows of the last {} runs: {}", all.len(), told.join(", ")),
        width: (all.len() - 1) * STEP + BAR,
        height: HEIGHT,
    })
}

#[cfg(test)]
mod tests {
    use super::{MOST_BARS, earlier_successes, rows_of_all, trend};
    use crate::report_file::document::{Outcome, RunDigest, TaskDigest};

    fn task(name: &str, rows: u64, succeeded: bool) -> TaskDigest {
        TaskDigest { task: name.into(), succeeded, published: succeeded, rows, bytes: 0, duration_ms: 0 }
    }

    fn run(tasks: Vec<TaskDigest>) -> RunDigest {
        let (run_id, started_at) = (String::new(), String::new());
        RunDigest { run_id, started_at, outcome: Outcome::Done, exit_code: 0, duration_ms: 0, tasks }
    }

    #[test]
    fn a_task_is_compared_with_its_own_last_success() {
        let runs = [
            run(vec![task("users", 30, true), task("orders", 7, true)]),
            run(vec![task("users", 0, false)]),
            run(vec![task("orders", 5, true)]),
            run(vec![task("users", 20, true), task("orders", 1, true)]),
        ];
        let rows = |name| earlier_successes(&runs, name).iter().map(|task| task.rows).collect::<Vec<_>>();
        assert_eq!((rows("users"), rows("orders"), rows("events")), (vec![20], vec![5, 1], vec![]));
        assert_eq!(rows_of_all(&runs).map(|rows| rows.text), Some("+12 (+48.0 %)".into()));
        assert_eq!(rows_of_all(&runs[..2]), None, "there is nothing before");
        assert_eq!(rows_of_all(&[]), None);
    }

    #[test]
    fn a_trend_ends_with_this_run_and_fits_its_drawing() {
        assert!(trend(1, &[]).is_none());
        let earlier: Vec<TaskDigest> = (0..50).map(|rows| task("t", rows, true)).collect();
        let earlier: Vec<&TaskDigest> = earlier.iter().collect();
        let drawn = trend(26, &earlier).unwrap();
        assert_eq!(drawn.bars.len(), MOST_BARS);
        assert!(drawn.told.starts_with("rows of the last 14 runs: 12, 11, ") && drawn.told.ends_with(", 1, 0, 26"));
        for bar in &drawn.bars {
            assert!(bar.height >= 1 && bar.y + bar.height == drawn.height && bar.x < drawn.width);
        }
        let last: Vec<bool> = drawn.bars.iter().map(|bar| bar.is_last && bar.height == drawn.height).collect();
        assert_eq!(last.iter().filter(|is_last| **is_last).count(), 1);
        assert_eq!(trend(0, &[&task("t", 0, true)]).unwrap().bars.len(), 2);
    }
}
