//! What people see while tasks run: a line for each task on a terminal, a message now and then elsewhere.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::config::ProgressMode;

/// A terminal is redrawn often enough to look alive, a log file is not flooded.
const REDRAW_EVERY: Duration = Duration::from_millis(200);
const REPORT_EVERY: Duration = Duration::from_secs(30);

/// Reads the counters of a task: rows and bytes so far.
pub(crate) type Sample = dyn Fn() -> (u64, u64) + Send + Sync;

/// The progress of all tasks of a run. One thread looks at their counters; it ends with this value.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

/// The progress of one task, from its start until it is finished, fails or is dropped.
pub(crate) struct TaskProgress {
    task: Arc<Task>,
    shared: Arc<Shared>,
    ended: bool,
}

struct Shared {
    mode: ProgressMode,
    bars: MultiProgress,
    tasks: Mutex<Vec<Arc<Task>>>,
    stopped: Mutex<bool>,
    stop: Condvar,
}

struct Task {
    name: String,
    sample: Box<Sample>,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress in the way that the configuration says.
    pub(crate) fn new(mode: ProgressMode) -> std::io::Result<Self> {
        let interval = match mode {
            ProgressMode::Bars => REDRAW_EVERY,
            ProgressMode::Lines | ProgressMode::Silent => REPORT_EVERY,
        };
        Self::every(mode, interval)
    }

    fn every(mode: ProgressMode, interval: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            mode,
            bars: MultiProgress::new(),
            tasks: Mutex::default(),
            stopped: Mutex::new(false),
            stop: Condvar::new(),
        });
        let ticker = match mode {
            ProgressMode::Silent => None,
            ProgressMode::Bars | ProgressMode::Lines => {
                let shared = Arc::clone(&shared);
                // The messages of this thread go where those of the thread that starts it go.
                let dispatch = tracing::dispatcher::get_default(Clone::clone);
                let tick = move || tracing::dispatcher::with_default(&dispatch, || shared.tick_until_stopped(interval));
                Some(std::thread::Builder::new().name("progress".into()).spawn(tick)?)
            }
        };
        Ok(Self { shared, ticker })
    }

    /// Shows a task from now on.
    pub(crate) fn task(&self, name: &str, sample: impl Fn() -> (u64, u64) + Send + Sync + 'static) -> TaskProgress {
        let bar = (self.shared.mode == ProgressMode::Bars).then(|| {
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            self.shared.bars.add(bar)
        });
        let task = Arc::new(Task { name: name.to_owned(), sample: Box::new(sample), started: Instant::now(), bar });
        match (&task.bar, self.shared.mode) {
            (Some(bar), _) => bar.set_message(task.state().to_string()),
            (None, ProgressMode::Lines) => tracing::info!(task = name, "started"),
            (None, _) => {}
        }
        lock(&self.shared.tasks).push(Arc::clone(&task));
        TaskProgress { task, shared: Arc::clone(&self.shared), ended: false }
    }

    /// The lines on the terminal, for those who write between them.
    pub(crate) fn bars(&self) -> Option<MultiProgress> {
        (self.shared.mode == ProgressMode::Bars).then(|| self.shared.bars.clone())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *lock(&self.shared.stopped) = true;
        self.shared.stop.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // A panic in it has been reported by the panic hook; nothing depends on this thread.
            let _ = ticker.join();
        }
    }
}

impl TaskProgress {
    /// The task is done.
    pub(crate) fn finished(mut self) {
        self.end("finished");
    }

    /// The task has failed; why is told by whoever knows.
    pub(crate) fn failed(mut self) {
        self.end("failed");
    }

    fn end(&mut self, outcome: &'static str) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        lock(&self.shared.tasks).retain(|task| !Arc::ptr_eq(task, &self.task));
        let state = self.task.state();
        match (&self.task.bar, self.shared.mode) {
            (Some(bar), _) => {
                // The last state stays above the lines that still move.
                bar.finish_and_clear();
                self.shared.bars.remove(bar);
                if let Err(error) = self.shared.bars.println(format!("{state}  {outcome}")) {
                    tracing::debug!(%error, "the terminal takes no more progress");
                }
            }
            (None, ProgressMode::Lines) => state.report(outcome),
            (None, _) => {}
        }
    }
}

impl Drop for TaskProgress {
    fn drop(&mut self) {
        self.end("stopped");
    }
}

impl Shared {
    fn tick_until_stopped(&self, interval: Duration) {
        let mut stopped = lock(&self.stopped);
        loop {
            let waited = self.stop.wait_timeout_while(stopped, interval, |stopped| !*stopped);
            let (guard, wait) = waited.unwrap_or_else(PoisonError::into_inner);
            if !wait.timed_out() {
                return;
            }
            drop(guard);
            self.tick();
            stopped = lock(&self.stopped);
        }
    }

    fn tick(&self) {
        let tasks = lock(&self.tasks).clone();
        for task in tasks {
            match &task.bar {
                Some(bar) => {
                    bar.set_message(task.state().to_string());
                    bar.tick();
                }
                None => task.state().report("running"),
            }
        }
    }
}

impl Task {
    fn state(&self) -> State<'_> {
        let (rows, bytes) = (self.sample)();
        State { name: &self.name, rows, bytes, elapsed: self.started.elapsed() }
    }
}

/// A task at one moment.
struct State<'a> {
    name: &'a str,
    rows: u64,
    bytes: u64,
    elapsed: Duration,
}

impl State<'_> {
    fn rows_per_second(&self) -> u64 {
        let nanoseconds = self.elapsed.as_nanos().max(1);
        u64::try_from(u128::from(self.rows) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
    }

    fn report(&self, outcome: &'static str) {
        tracing::info!(
            task = self.name,
            rows = self.rows,
            rows_per_second = self.rows_per_second(),
            bytes = self.bytes,
            duration_ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "{outcome}"
        );
    }
}

impl fmt::Display for State<'_> {
    /// Fits into 80 columns together with the spinner.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs();
        write!(
            formatter,
            "{:<20} {:>13} rows {:>10} rows/s {:>11} {:>3}:{:02}",
            self.name,
            HumanCount(self.rows).to_string(),
            HumanCount(self.rows_per_second()).to_string(),
            DecimalBytes(self.bytes).to_string(),
            seconds / 60,
            seconds % 60
        )
    }
}

/// What these locks guard is valid after every step, so a panic elsewhere is no reason to stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Progress, State};
    use crate::config::{MessageLevel, Messages, ProgressMode};
    use crate::log::testing::Captured;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    fn messages() -> Messages {
        Messages { level: MessageLevel::Normal, json: false, color: false, progress: ProgressMode::Lines }
    }

    #[test]
    fn a_state_is_one_readable_line() {
        let state =
            State { name: "combined_orders", rows: 1_234_567, bytes: 5_000_000, elapsed: Duration::from_secs(75) };
        assert_eq!(state.to_string().len(), 76);
        let words: Vec<_> = state.to_string().split_whitespace().map(str::to_owned).collect();
        let expected = ["combined_orders", "1,234,567", "rows", "16,460", "rows/s", "5.00", "MB", "1:15"];
        assert_eq!(words, expected);
    }

    #[test]
    fn a_state_at_the_very_start_divides_by_nothing() {
        let state = State { name: "t", rows: u64::MAX, bytes: 0, elapsed: Duration::ZERO };
        assert_eq!(state.rows_per_second(), u64::MAX);
    }

    #[test]
    fn lines_tell_start_course_and_end() {
        let captured = Captured::default();
        let rows = Arc::new(AtomicU64::new(7));
        tracing::dispatcher::with_default(&captured.subscriber(&messages()), || {
            let progress = Progress::every(ProgressMode::Lines, Duration::from_millis(5)).unwrap();
            let counter = Arc::clone(&rows);
            let task = progress.task("orders", move || (counter.load(Ordering::Relaxed), 4096));
            let deadline = Instant::now() + Duration::from_secs(10);
            while !captured.text().contains("running") {
                assert!(Instant::now() < deadline, "no line came");
                std::thread::yield_now();
            }
            rows.store(9, Ordering::Relaxed);
            task.finished();
            progress.task("users", || (0, 0)).failed();
            drop(progress.task("events", || (0, 0)));
        });
        let text = captured.text();
        for line in [
            "started task=\"orders\"",
            "running task=\"orders\" rows=7",
            "finished task=\"orders\" rows=9",
            "failed task=\"users\"",
            "stopped task=\"events\"",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
        assert_eq!(text.matches("finished").count(), 1);
    }

    #[test]
    fn silent_says_nothing_and_starts_no_thread() {
        let captured = Captured::default();
        tracing::dispatcher::with_default(&captured.subscriber(&messages()), || {
            let progress = Progress::new(ProgressMode::Silent).unwrap();
            assert!(progress.ticker.is_none() && progress.bars().is_none());
            progress.task("orders", || (1, 1)).finished();
        });
        assert_eq!(captured.text(), "");
    }

    /// On a terminal this draws, elsewhere indicatif draws nothing; either way nobody waits for anybody.
    #[test]
    fn bars_and_messages_share_the_terminal() {
        let progress = Progress::every(ProgressMode::Bars, Duration::from_millis(1)).unwrap();
        let bars = progress.bars().unwrap();
        std::thread::scope(|scope| {
            for name in ["orders", "users", "events"] {
                let (progress, bars) = (&progress, &bars);
                scope.spawn(move || {
                    let task = progress.task(name, || (1_000_000, 1 << 30));
                    for _ in 0..50 {
                        bars.suspend(std::thread::yield_now);
                    }
                    task.finished();
                });
            }
        });
        assert!(super::lock(&progress.shared.tasks).is_empty());
    }

    #[test]
    fn the_thread_ends_at_once() {
        let started = Instant::now();
        drop(Progress::new(ProgressMode::Lines).unwrap());
        assert!(started.elapsed() < Duration::from_secs(5), "it waits 30 s between lines, but not to end");
    }
}
