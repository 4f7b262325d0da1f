//! Waiting that always ends: at a deadline, or when the caller cancels.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Why a wait ended before its work did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Cancelled,
    DeadlinePassed,
}

/// Does `work`, but no longer than `limit` and not after a cancellation; work that is given up is dropped.
pub(crate) async fn bounded<T>(
    work: impl Future<Output = T>,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<T, Stopped> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Stopped::Cancelled),
        outcome = tokio::time::timeout(limit, work) => outcome.map_err(|_elapsed| Stopped::DeadlinePassed),
    }
}

/// Does `work` that must not be broken off lightly, because its answer is needed to undo it: a cancellation leaves it
/// `GRACE` to end. `None` when it did not.
pub(crate) async fn not_broken_off<T>(work: impl Future<Output = T>, cancel: &CancellationToken) -> Option<T> {
    const GRACE: Duration = Duration::from_secs(4);
    let given_up = async {
        cancel.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        biased;
        answer = work => Some(answer),
        () = given_up => None,
    }
}

/// The pauses between two looks at something that takes a while: short at first, for what is done at once, then long,
/// for what takes minutes; never quite regular, so that many runs started by one clock do not ask in step.
#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    longest: Duration,
}

impl Pace {
    const FIRST: Duration = Duration::from_millis(250);

    pub(crate) fn up_to(longest: Duration) -> Self {
        Self { pause: Self::FIRST, longest }
    }

    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.next(random_share())).await;
    }

    /// The next pause, at `share` (0 to 1) of the way from 4/5 to 6/5 of its usual length.
    fn next(&mut self, share: f64) -> Duration {
        let pause = self.pause;
        self.pause = self.longest.min(pause.mul_f64(1.5));
        pause.mul_f64(0.8 + 0.4 * share)
    }
}

/// A number from 0 to 1: the standard library's hash keys are random, which is all the chance that jitter needs.
fn random_share() -> f64 {
    f64::from(RandomState::new().hash_one(0u8) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::{Pace, Stopped, bounded, random_share};

    #[test]
    fn pauses_grow_from_a_quarter_of_a_second_to_the_longest_and_stay_there() {
        let longest = Duration::from_secs(5);
        let mut pace = Pace::up_to(longest);
        let pauses: Vec<Duration> = (0..20).map(|_| pace.next(0.5)).collect();
        assert_eq!(pauses[0], Duration::from_millis(250));
        assert!(pauses.is_sorted());
        assert_eq!(pauses[19], longest);
        let before_the_longest: Duration = pauses.iter().take_while(|pause| **pause < longest).sum();
        assert!(before_the_longest < Duration::from_secs(20));
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let mut pace = Pace::up_to(Pace::FIRST);
        for _ in 0..1_000 {
            let pause = pace.next(random_share());
            assert!(pause >= Pace::FIRST.mul_f64(0.79) && pause <= Pace::FIRST.mul_f64(1.21));
        }
    }

    #[tokio::test]
    async fn endless_work_ends_at_the_deadline_or_with_the_token() {
        let cancel = CancellationToken::new();
        let endless = std::future::pending::<()>;
        let limit = Duration::from_millis(5);
        assert_eq!(bounded(endless(), limit, &cancel).await, Err(Stopped::DeadlinePassed));
        cancel.cancel();
        let limit = Duration::from_secs(600);
        assert_eq!(bounded(endless(), limit, &cancel).await, Err(Stopped::Cancelled));
        assert_eq!(bounded(async { 7 }, limit, &CancellationToken::new()).await, Ok(7));
    }
}
