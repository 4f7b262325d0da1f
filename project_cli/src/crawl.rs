//! The crawl after the files are visible.

use crate::config::CrawlerSettings;
use crate::publishing::Arrived;
use crate::report::{Failure, RunReport, milliseconds, seconds};
use anyhow::Result;
use project_aws::{Aws, CrawlOutcome, PublishedTable, S3Url};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Longest wait for a crawler to take the order, when its end is not waited for.
const START_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// What the catalog should say of a table after the crawl; nothing new when no row was in the window.
pub(crate) fn crawled(arrived: &Arrived) -> Option<PublishedTable> {
    let table = &arrived.table;
    let values: BTreeSet<&String> = table.files.iter().filter_map(|file| file.partition.as_ref()).collect();
    (!table.files.is_empty()).then(|| PublishedTable {
        folder: table.table.clone(),
        columns: table.columns.iter().map(|column| (column.name.clone(), column.kind.clone())).collect(),
        partition_key: table.partition_key.clone(),
        partitions: values.into_iter().cloned().collect(),
    })
}

/// Starts the crawler when every table is complete, and not at all otherwise.
pub(crate) async fn crawl(
    aws: &Aws,
    target: &S3Url,
    crawler: &CrawlerSettings,
    complete: bool,
    tables: Vec<PublishedTable>,
    report: &mut RunReport,
    cancel: &CancellationToken,
) {
    if !complete {
        let name = &crawler.name;
        report.notes.push(format!("the crawler {name} was not started, because a table was not published"));
    } else if !tables.is_empty() {
        let start = Instant::now();
        match run(aws, target, crawler, tables, cancel).await {
            Ok(note) => report.notes.push(note),
            Err(error) => report.failure = Some(Failure::new(&error)),
        }
        report.course.crawling = Some(report.course.clock.stage(start));
    }
}

async fn run(
    aws: &Aws,
    target: &S3Url,
    crawler: &CrawlerSettings,
    tables: Vec<PublishedTable>,
    cancel: &CancellationToken,
) -> Result<String> {
    let settings = project_aws::CrawlerSettings {
        name: crawler.name.clone(),
        database: crawler.database.clone(),
        role: crawler.role.clone(),
        target: target.clone(),
        tables,
        timeout: crawler.wait.unwrap_or(START_DEADLINE),
        wait: crawler.wait.is_some(),
    };
    let name = &crawler.name;
    Ok(match aws.crawl(&settings, cancel).await? {
        CrawlOutcome::Started => format!("crawler {name} started; it is not waited for"),
        CrawlOutcome::Finished { tables_seen, took } => {
            let tables = tables_seen.join(", ");
            format!("crawler {name} catalogued {tables} in {}", seconds(milliseconds(took)))
        }
    })
}
