//! Whether a run starts over, and when: the one place that says retry or do not.
//!
//! What the codes of Postgres and of AWS mean stands in a table of each of the two crates, because neither may know the
//! other. What follows from them differs as well. A request to S3 or Glue is a small thing, and is repeated by itself,
//! where it is made. A failure of the source has cost the snapshot that all readers share, so the smallest thing that can
//! be repeated is the whole run; that is decided here.

use crate::config::Retries;
use crate::report::{Failure, RunReport};
use project_postgres::{Retry, SnapshotLost, SourceError};
use project_publish::RunId;
use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::time::Duration;
use thiserror::Error;
use tokio::select;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Each pause is so much longer than the one before.
const GROWTH: u32 = 4;

/// Whether a new attempt may help: what the first error in the chain says that knows.
pub(crate) fn retry_of(error: &anyhow::Error) -> Retry {
    error.chain().find_map(known).unwrap_or(Retry::Never)
}

fn known(error: &(dyn Error + 'static)) -> Option<Retry> {
    let lost = error.is::<SnapshotLost>().then_some(Retry::StartOver);
    lost.or_else(|| error.downcast_ref::<SourceError>().map(SourceError::retry))
}

/// A task has lost the snapshot, and with it the attempt is over; the failure is that of the task.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Lost(Failure);

/// The attempts of a run, and which of them this is.
#[derive(Debug)]
pub(crate) struct Attempts {
    number: u32,
    retries: Retries,
}

impl Attempts {
    pub(crate) fn first(retries: Retries) -> Self {
        Self { number: 1, retries }
    }

    /// Fails when a task has lost what all of them need, and there is another attempt: then it is in vain to go on. In the
    /// last one every task gets its chance, and those that succeed are published.
    pub(crate) fn check(&self, report: &RunReport) -> Result<(), Lost> {
        let mut failures = report.tasks.iter().filter_map(|task| task.failure.as_ref());
        match failures.find(|failure| self.may_start_over(report, failure)) {
            Some(lost) => Err(Lost(lost.clone())),
            None => Ok(()),
        }
    }

    /// Waits for the next attempt and prepares the report for it. False when there is none, or the run was stopped.
    pub(crate) async fn next(
        &mut self,
        report: &mut RunReport,
        error: anyhow::Error,
        run_id: impl FnOnce() -> RunId,
        cancel: &CancellationToken,
    ) -> bool {
        let failure = error.downcast().map_or_else(|error| Failure::new(&error), |Lost(failure)| failure);
        if !self.may_start_over(report, &failure) {
            report.failure = Some(failure);
            return false;
        }
        let (number, attempts) = (self.number, self.retries.attempts);
        let pause = self.pause(random_share());
        let (exit_code, pause_ms) = (failure.exit_code, u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
        warn!(exit_code, pause_ms, "attempt {number} of {attempts} is lost and the run starts over: {failure}");
        select! {
            biased;
            () = cancel.cancelled() => return false,
            () = sleep(pause) => {}
        }
        report.start_over(run_id(), failure);
        self.number += 1;
        true
    }

    fn may_start_over(&self, report: &RunReport, failure: &Failure) -> bool {
        let helps = match failure.retry {
            Retry::Never => false,
            Retry::StartOver => true,
            // The server has listed its tables, now or in an attempt before.
            Retry::IfReachedBefore => self.number > 1 || !report.tasks.is_empty(),
        };
        helps && self.number < self.retries.attempts
    }

    /// The pause after this attempt, at `share` (0 to 1) of the way from 4/5 to 6/5 of its usual length, so that many runs
    /// that one restart has thrown out do not come back in step.
    fn pause(&self, share: f64) -> Duration {
        let usual = self.retries.delay.saturating_mul(GROWTH.saturating_pow(self.number - 1));
        usual.mul_f64(0.8 + 0.4 * share)
    }
}

/// A number from 0 to 1: the standard library's hash keys are random, which is all the chance that jitter needs.
fn random_share() -> f64 {
    f64::from(RandomState::new().hash_one(0u8) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Attempts, retry_of};
    use crate::config::Retries;
    use crate::exit_code::ExitCode;
    use crate::isolation::Panicked;
    use crate::report::{Failure, RunReport, TaskReport};
    use anyhow::anyhow;
    use project_postgres::{Retry, SourceError, SourceErrorKind, Stopped};
    use project_publish::RunId;
    use project_tasks::DataError;
    use std::io;
    use std::time::{Duration, Instant};
    use tokio_util::sync::CancellationToken;

    const HOUR: Duration = Duration::from_secs(3600);

    fn id(number: u8) -> RunId {
        RunId::parse(&format!("20260131T00000000{number}Z-0000")).unwrap()
    }

    fn attempts(attempts: u32, delay: Duration) -> Attempts {
        Attempts::first(Retries { attempts, delay })
    }

    fn source_error(kind: SourceErrorKind) -> anyhow::Error {
        anyhow::Error::new(SourceError::new(kind, "cannot read a.b: no")).context("task x")
    }

    fn report_of(error: &anyhow::Error) -> RunReport {
        let mut report = RunReport::begin(id(1), "./lake".into());
        report.tasks = vec![TaskReport::new("users", "users")];
        report.tasks[0].failure = Some(Failure::new(error));
        report
    }

    #[test]
    fn only_a_source_that_may_come_back_lets_a_run_start_over() {
        assert_eq!(retry_of(&source_error(SourceErrorKind::Unreachable)), Retry::StartOver);
        assert_eq!(retry_of(&source_error(SourceErrorKind::Temporary)), Retry::StartOver);
        for error in [
            source_error(SourceErrorKind::Denied),
            source_error(SourceErrorKind::Missing),
            source_error(SourceErrorKind::Data),
            DataError("order 1".into()).into(),
            io::Error::from(io::ErrorKind::StorageFull).into(),
            Panicked::new("x").into(),
            Stopped.into(),
            anyhow!("nobody thought of this"),
        ] {
            assert_eq!(retry_of(&error), Retry::Never, "{error:#}");
            assert!(attempts(3, HOUR).check(&report_of(&error)).is_ok(), "{error:#}");
        }
    }

    #[test]
    fn whatever_starts_a_run_over_is_told_as_temporary_in_the_end() {
        for kind in [SourceErrorKind::Unreachable, SourceErrorKind::Temporary] {
            let code = ExitCode::of(&source_error(kind));
            assert!(matches!(code, ExitCode::Unreachable | ExitCode::Temporary), "{code:?}");
        }
    }

    #[test]
    fn in_the_last_attempt_every_task_gets_its_chance() {
        let report = report_of(&source_error(SourceErrorKind::Unreachable));
        assert!(attempts(2, HOUR).check(&report).is_err());
        assert!(attempts(1, HOUR).check(&report).is_ok());
    }

    #[tokio::test]
    async fn a_new_attempt_has_a_new_id_and_remembers_why_the_one_before_ended() {
        let error = source_error(SourceErrorKind::Temporary);
        let mut report = report_of(&error);
        let mut attempts = attempts(2, Duration::ZERO);
        let lost = attempts.check(&report).unwrap_err();
        let cancel = CancellationToken::new();
        assert!(attempts.next(&mut report, lost.into(), || id(2), &cancel).await);
        assert_eq!((&report.run_id, report.tasks.len()), (&id(2), 0));
        let [earlier] = report.earlier_attempts.as_slice() else { panic!("{report}") };
        assert_eq!((&earlier.run_id, earlier.failure.exit_code), (&id(1), 75));
        assert!(!attempts.next(&mut report, error, || id(3), &cancel).await);
        assert_eq!(report.exit_code(), ExitCode::Temporary);
    }

    #[tokio::test]
    async fn a_signal_ends_the_pause_at_once() {
        let cancel = CancellationToken::new();
        let mut report = RunReport::begin(id(1), "./lake".into());
        let mut attempts = attempts(3, HOUR);
        let start = Instant::now();
        cancel.cancel();
        let error = source_error(SourceErrorKind::Unreachable);
        assert!(!attempts.next(&mut report, error, || id(2), &cancel).await);
        assert!(start.elapsed() < Duration::from_secs(60));
        assert_eq!(report.run_id, id(1));
    }

    #[test]
    fn pauses_grow_and_are_never_quite_the_same() {
        let mut attempts = attempts(3, Duration::from_secs(5));
        let seconds = |attempts: &Attempts, share| attempts.pause(share).as_secs_f64().round();
        assert_eq!([0.0, 0.5, 1.0].map(|share| seconds(&attempts, share)), [4.0, 5.0, 6.0]);
        attempts.number = 2;
        assert_eq!([0.0, 0.5, 1.0].map(|share| seconds(&attempts, share)), [16.0, 20.0, 24.0]);
    }
}
