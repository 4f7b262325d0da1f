//! Having Glue crawl what was uploaded, and knowing that it did.

use std::time::{Duration, Instant};

use aws_sdk_glue::types::{Crawler, LastCrawlInfo, LastCrawlStatus};
use tokio_util::sync::CancellationToken;

use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::crawl_wait::{CrawlWait, Step};
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::published_table::PublishedTable;
use crate::waiting::{Pace, Stopped, bounded};

/// A crawl takes minutes; asking more often would only be throttled.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Looks in a row that may fail before the service counts as gone. Each has already been repeated by the SDK.
const FAILED_LOOKS_ALLOWED: u32 = 5;

/// Which crawler is to look at which folders.
#[derive(Debug, Clone)]
pub struct CrawlerSettings {
    /// The crawler's name.
    pub name: String,
    /// The Glue database that it fills.
    pub database: String,
    /// The role that it works under; needed only when the crawler does not exist yet.
    pub role: Option<String>,
    /// The destination of the uploads.
    pub target: S3Url,
    /// What was published; each folder becomes a table, and after the crawl the catalog is compared with this.
    pub tables: Vec<PublishedTable>,
    /// The time for everything together.
    pub timeout: Duration,
    /// Whether to wait for the end and to look at the result.
    pub wait: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrawlOutcome {
    /// It runs; nobody waits for it.
    Started,
    /// It succeeded, and the catalog says of every published folder what is in it.
    Finished {
        /// The tables' names in Glue, in the order of [`CrawlerSettings::tables`].
        tables_seen: Vec<String>,
        /// How long it took, waiting for others included.
        took: Duration,
    },
}

impl Aws {
    /// Crawls the published folders: a crawl that starts after the uploads, followed to its end, its tables compared
    /// with what was published. The crawler is created when it does not exist.
    pub async fn crawl(
        &self,
        settings: &CrawlerSettings,
        cancel: &CancellationToken,
    ) -> Result<CrawlOutcome, AwsError> {
        let name = &settings.name;
        let mut seen = "not looked at yet".to_owned();
        let work = Box::pin(self.crawl_to_the_end(settings, &mut seen));
        match bounded(work, settings.timeout, cancel).await {
            Ok(outcome) => outcome,
            Err(Stopped::Cancelled) => Err(AwsError::interrupted(format_args!(
                "waiting for the crawler {name}; the files are uploaded, and a crawl that has started goes on in Glue"
            ))),
            Err(Stopped::DeadlinePassed) => Err(AwsError::new(
                AwsErrorKind::Temporary,
                format!(
                    "the crawler {name} was not done within {} s (last seen: {seen}); the files are uploaded: \
                     look at it in the Glue console, raise --crawler-timeout or run it again",
                    settings.timeout.as_secs_f64()
                ),
            )),
        }
    }

    async fn crawl_to_the_end(&self, settings: &CrawlerSettings, seen: &mut String) -> Result<CrawlOutcome, AwsError> {
        let begin = Instant::now();
        self.ensure_crawler(settings).await?;
        let Some((crawler, ours)) = self.start_and_follow(settings, seen).await? else {
            return Ok(CrawlOutcome::Started);
        };
        check_end(&settings.name, &ours)?;
        let tables_seen = self.verify_tables(settings, &crawler).await?;
        self.index_partitions(settings, &tables_seen).await;
        Ok(CrawlOutcome::Finished { tables_seen, took: begin.elapsed() })
    }

    /// The crawler and our run of it after its end, or `None` when only the start was asked for.
    async fn start_and_follow(
        &self,
        settings: &CrawlerSettings,
        seen: &mut String,
    ) -> Result<Option<(Crawler, LastCrawlInfo)>, AwsError> {
        let mut wait = CrawlWait::new();
        let mut pace = Pace::up_to(LONGEST_PAUSE);
        let mut failed_looks = 0;
        loop {
            match self.look(&settings.name).await {
                Ok(crawler) => {
                    failed_looks = 0;
                    *seen = state_of(&crawler);
                    match wait.observe(&crawler) {
                        Step::Wait => {}
                        Step::Ended(ours) => return Ok(Some((crawler, ours))),
                        Step::Start => match self.start(settings, &crawler).await {
                            Ok(()) if !settings.wait => return Ok(None),
                            Ok(()) => wait.started(),
                            // Somebody was faster, or the answer to our start was lost. These two cannot be told apart,
                            // so what runs now counts as theirs: it is waited for, and then ours is started.
                            Err(error) if error.may_pass() && wait.lost_start() => {
                                tracing::debug!(crawler = settings.name, %error, "not started");
                            }
                            Err(error) => return Err(error),
                        },
                    }
                }
                Err(error) if error.may_pass() && failed_looks < FAILED_LOOKS_ALLOWED => {
                    failed_looks += 1;
                    tracing::debug!(crawler = settings.name, %error, "no look at the crawler");
                }
                Err(error) => return Err(error),
            }
            pace.pause().await;
        }
    }

    async fn look(&self, name: &str) -> Result<Crawler, AwsError> {
        let task = format!("cannot look at the crawler {name}");
        let answer = self.glue.get_crawler().name(name).send().await;
        let crawler = answer.map_err(|error| sdk_error(&task, error))?.crawler;
        crawler.ok_or_else(|| {
            let text = format!("{task}: the answer is empty; run it again");
            AwsError::new(AwsErrorKind::Temporary, text)
        })
    }

    /// Starts the crawler, which was idle a moment ago, on all published folders.
    async fn start(&self, settings: &CrawlerSettings, crawler: &Crawler) -> Result<(), AwsError> {
        let name = &settings.name;
        self.add_missing_targets(settings, crawler).await?;
        let answer = self.glue.start_crawler().name(name).send().await;
        answer.map_err(|error| sdk_error(format_args!("cannot start the crawler {name}"), error))?;
        tracing::info!(crawler = name, tables = settings.tables.len(), "started the crawler");
        Ok(())
    }
}

fn state_of(crawler: &Crawler) -> String {
    crawler.state().map_or("without a state", |state| state.as_str()).to_owned()
}

/// Refuses every end but SUCCEEDED, with Glue's own words.
fn check_end(name: &str, ours: &LastCrawlInfo) -> Result<(), AwsError> {
    let status = match ours.status() {
        Some(LastCrawlStatus::Succeeded) => return Ok(()),
        Some(other) => other.as_str(),
        None => "without a status",
    };
    let (kind, remedy) = match ours.status() {
        Some(LastCrawlStatus::Cancelled) => (AwsErrorKind::Temporary, "somebody stopped it: run it again"),
        _ => (AwsErrorKind::Data, "mend what it names and run it again"),
    };
    Err(AwsError::new(
        kind,
        format!(
            "the crawl of {name} ended as {status}: {}; see the log group {}, stream {}, messages {}; {remedy}",
            ours.error_message().unwrap_or("Glue gives no reason"),
            ours.log_group().unwrap_or("unknown"),
            ours.log_stream().unwrap_or("unknown"),
            ours.message_prefix().unwrap_or("unknown"),
        ),
    ))
}
