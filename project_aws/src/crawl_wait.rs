//! When a crawl that we started is over: the part of the wait that needs no network, as a state machine.
//!
//! StartCrawler returns no id, and a crawler shows only its state and its last finished run. So a run is ours only when
//! it was started by us while the crawler was idle, and it is over only when a newer run than the one before has ended.
//! A crawl that was already running proves nothing: it may have listed S3 before our files were there.

use aws_sdk_glue::primitives::DateTime;
use aws_sdk_glue::types::{Crawler, CrawlerState, LastCrawlInfo};

/// Somebody else may start the crawler between our look and our start, but not for ever.
const LOST_STARTS_ALLOWED: u32 = 10;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Look again after a pause.
    Wait,
    /// Nothing runs: start ours.
    Start,
    /// Ours has ended so.
    Ended(LastCrawlInfo),
}

/// What we know of our crawl.
#[derive(Debug)]
pub(crate) struct CrawlWait {
    ours_started: bool,
    /// When the last finished run before ours began, by Glue's clock.
    previous: Option<DateTime>,
    lost_starts: u32,
}

impl CrawlWait {
    pub(crate) fn new() -> Self {
        Self { ours_started: false, previous: None, lost_starts: 0 }
    }

    /// Judges what GetCrawler shows.
    pub(crate) fn observe(&mut self, crawler: &Crawler) -> Step {
        // STOPPING is a normal phase after the crawl, and a state that we do not know is not an end.
        if crawler.state() != Some(&CrawlerState::Ready) {
            return Step::Wait;
        }
        let last = crawler.last_crawl();
        let last_start = last.and_then(LastCrawlInfo::start_time).copied();
        if !self.ours_started {
            self.previous = last_start;
            return Step::Start;
        }
        match last {
            // An absent time is less than any.
            Some(last) if last_start > self.previous => Step::Ended(last.clone()),
            _ => Step::Wait,
        }
    }

    /// Our start was accepted.
    pub(crate) fn started(&mut self) {
        self.ours_started = true;
    }

    /// Our start was refused because a crawl runs: wait for its end and start again. False when that was too often.
    pub(crate) fn lost_start(&mut self) -> bool {
        self.lost_starts += 1;
        self.lost_starts <= LOST_STARTS_ALLOWED
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::primitives::DateTime;
    use aws_sdk_glue::types::{Crawler, CrawlerState, LastCrawlInfo, LastCrawlStatus};

    use super::{CrawlWait, LOST_STARTS_ALLOWED, Step};

    fn run(start: i64, status: LastCrawlStatus) -> LastCrawlInfo {
        LastCrawlInfo::builder().start_time(DateTime::from_secs(start)).status(status).build()
    }

    fn crawler(state: &str, last: Option<LastCrawlInfo>) -> Crawler {
        Crawler::builder().state(CrawlerState::from(state)).set_last_crawl(last).build()
    }

    #[test]
    fn a_first_crawl_ends_when_a_last_crawl_appears() {
        let mut wait = CrawlWait::new();
        assert_eq!(wait.observe(&crawler("READY", None)), Step::Start);
        wait.started();
        // READY before the crawl has even begun is not its end.
        assert_eq!(wait.observe(&crawler("READY", None)), Step::Wait);
        assert_eq!(wait.observe(&crawler("RUNNING", None)), Step::Wait);
        assert_eq!(wait.observe(&crawler("STOPPING", None)), Step::Wait);
        let ours = run(10, LastCrawlStatus::Succeeded);
        assert_eq!(wait.observe(&crawler("READY", Some(ours.clone()))), Step::Ended(ours));
    }

    #[test]
    fn the_result_of_the_previous_run_is_not_taken_for_ours() {
        let mut wait = CrawlWait::new();
        let previous = run(10, LastCrawlStatus::Failed);
        assert_eq!(wait.observe(&crawler("READY", Some(previous.clone()))), Step::Start);
        wait.started();
        for state in ["READY", "RUNNING", "STOPPING", "READY"] {
            assert_eq!(wait.observe(&crawler(state, Some(previous.clone()))), Step::Wait);
        }
        let ours = run(11, LastCrawlStatus::Succeeded);
        assert_eq!(wait.observe(&crawler("READY", Some(ours.clone()))), Step::Ended(ours));
    }

    #[test]
    fn the_run_of_somebody_else_is_waited_for_and_not_joined() {
        let mut wait = CrawlWait::new();
        assert_eq!(wait.observe(&crawler("RUNNING", None)), Step::Wait);
        assert_eq!(wait.observe(&crawler("STOPPING", None)), Step::Wait);
        let theirs = run(10, LastCrawlStatus::Succeeded);
        assert_eq!(wait.observe(&crawler("READY", Some(theirs.clone()))), Step::Start);
        // They start once more between our look and our start.
        assert!(wait.lost_start());
        assert_eq!(wait.observe(&crawler("RUNNING", Some(theirs))), Step::Wait);
        let again = run(20, LastCrawlStatus::Succeeded);
        assert_eq!(wait.observe(&crawler("READY", Some(again.clone()))), Step::Start);
        wait.started();
        assert_eq!(wait.observe(&crawler("READY", Some(again))), Step::Wait);
        let ours = run(30, LastCrawlStatus::Cancelled);
        assert_eq!(wait.observe(&crawler("READY", Some(ours.clone()))), Step::Ended(ours));
    }

    #[test]
    fn a_crawler_that_somebody_else_always_starts_first_is_given_up() {
        let mut wait = CrawlWait::new();
        let kept_trying = std::iter::repeat_with(|| wait.lost_start()).take_while(|again| *again);
        assert_eq!(kept_trying.count(), LOST_STARTS_ALLOWED as usize);
    }

    #[test]
    fn a_state_that_nobody_knows_is_waited_for() {
        let mut wait = CrawlWait::new();
        assert_eq!(wait.observe(&crawler("HIBERNATING", None)), Step::Wait);
        assert_eq!(wait.observe(&Crawler::builder().build()), Step::Wait);
    }
}
