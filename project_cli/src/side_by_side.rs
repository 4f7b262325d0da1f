//! Uploads that go on side by side: the first that fails stops the others, and what is told is why it failed.

use anyhow::{Error, Result};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use project_aws::{AwsError, AwsErrorKind};
use project_postgres::Stopped;
use tokio_util::sync::CancellationToken;

/// Enough to hide the latency of small files; the memory limit of the uploads holds back the large ones.
const AT_ONCE: usize = 8;

/// What succeeded, in no order, and the cause if not all of it did. The uploads must end when `stop` is cancelled.
pub(crate) async fn side_by_side<T>(
    uploads: Vec<BoxFuture<'_, Result<T>>>,
    stop: &CancellationToken,
) -> (Vec<T>, Option<Error>) {
    let (mut done, mut failure) = (Vec::with_capacity(uploads.len()), None);
    let mut outcomes = stream::iter(uploads).buffer_unordered(AT_ONCE);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(one) => done.push(one),
            Err(error) => {
                stop.cancel();
                failure = Some(cause(failure, error));
            }
        }
    }
    (done, failure)
}

/// The first failure; one that only says that it was stopped gives way to one that does not. A run that is being stopped
/// hears of those first: whoever had failed before is still taking back what it had sent.
fn cause(so_far: Option<Error>, next: Error) -> Error {
    match so_far {
        Some(first) if !was_stopped(&first) || was_stopped(&next) => first,
        _ => next,
    }
}

fn was_stopped(error: &Error) -> bool {
    let of_aws = error.downcast_ref::<AwsError>().is_some_and(|error| error.kind() == AwsErrorKind::Interrupted);
    of_aws || error.is::<Stopped>()
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, cause, side_by_side};
    use anyhow::{Error, Result, anyhow};
    use futures::future::{BoxFuture, FutureExt};
    use project_postgres::Stopped;
    use tokio::task::yield_now;
    use tokio_util::sync::CancellationToken;

    fn stopped() -> Error {
        Stopped.into()
    }

    #[test]
    fn an_upload_that_was_stopped_is_not_the_cause() {
        let told = |so_far: Option<Error>, next: Error| cause(so_far, next).to_string();
        assert_eq!(told(None, stopped()), stopped().to_string());
        assert_eq!(told(Some(stopped()), anyhow!("denied")), "denied");
        assert_eq!(told(Some(anyhow!("denied")), stopped()), "denied");
        assert_eq!(told(Some(anyhow!("denied")), anyhow!("unreachable")), "denied");
    }

    /// Goes on until it is stopped.
    fn endless(stop: &CancellationToken) -> BoxFuture<'_, Result<u32>> {
        stop.cancelled().map(|()| Err(stopped())).boxed()
    }

    #[tokio::test]
    async fn one_failure_stops_the_others_and_what_is_there_is_given_back() {
        let stop = &CancellationToken::new();
        let refused = async {
            yield_now().await;
            Err(anyhow!("denied"))
        };
        let (done, failure) =
            side_by_side(vec![endless(stop), async { Ok(1) }.boxed(), refused.boxed(), endless(stop)], stop).await;
        assert_eq!((done, failure.unwrap().to_string()), (vec![1], "denied".to_owned()));
    }

    #[tokio::test]
    async fn a_failure_that_takes_longer_to_clear_up_than_a_run_to_stop_is_still_the_cause() {
        let run = CancellationToken::new();
        let stop = &run.child_token();
        let clearing_up = async {
            stop.cancelled().await;
            yield_now().await;
            Err(anyhow!("denied"))
        };
        run.cancel();
        let (done, failure) = side_by_side(vec![endless(stop), clearing_up.boxed(), endless(stop)], stop).await;
        assert_eq!((done, failure.unwrap().to_string()), (Vec::new(), "denied".to_owned()));
    }

    #[tokio::test]
    async fn more_than_go_at_once_are_all_done() {
        let wanted = 3 * AT_ONCE;
        let uploads = (0..wanted).map(|number| async move { Ok(number) }.boxed()).collect();
        let (mut done, failure) = side_by_side(uploads, &CancellationToken::new()).await;
        done.sort_unstable();
        assert!(failure.is_none());
        assert_eq!(done, (0..wanted).collect::<Vec<_>>());
    }
}
