//! Crawls: made, found, shared with somebody else, failed, too slow.

use std::time::Duration;

use anyhow::{Context, Result};
use project_aws::{AwsErrorKind, CrawlOutcome, CrawlerSettings, PublishedTable};
use serde_json::json;
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{BUCKET, Shared, Turn, lake, parquet_file, published, spawnable};

static SERVER: Shared = Shared::new();

const ROLE: &str = "arn:aws:iam::123456789012:role/crawler";

pub(crate) fn settings(tables: &[&str]) -> Result<CrawlerSettings> {
    Ok(CrawlerSettings {
        name: "nightly".to_owned(),
        database: "shop".to_owned(),
        role: Some(ROLE.to_owned()),
        target: lake()?,
        tables: tables.iter().map(|&table| published(table)).collect(),
        timeout: Duration::from_secs(30),
        wait: true,
    })
}

/// The published table `events` with a folder for each of these dates.
pub(crate) fn events_of(dates: &[&str]) -> PublishedTable {
    PublishedTable {
        partition_key: Some("dt".to_owned()),
        partitions: dates.iter().map(|&date| date.to_owned()).collect(),
        ..published("events")
    }
}

/// As if uploaded by us before the crawl.
pub(crate) fn publish(turn: &Turn<'_>, key: &str) -> Result<()> {
    let folder = tempdir()?;
    let file = parquet_file(folder.path(), key, 10)?;
    let content = std::fs::read(file.path)?;
    turn.server()?.put_object(BUCKET, &format!("team/shop/{key}"), &content)
}

pub(crate) async fn crawl(turn: &Turn<'_>, settings: &CrawlerSettings) -> Result<CrawlOutcome> {
    let (aws, cancel) = (turn.aws()?, CancellationToken::new());
    Ok(spawnable(aws.crawl(settings, &cancel)).await?)
}

pub(crate) async fn failure(turn: &Turn<'_>, settings: &CrawlerSettings) -> Result<(AwsErrorKind, String)> {
    let outcome = turn.aws()?.crawl(settings, &CancellationToken::new()).await;
    let error = outcome.err().context("the crawl succeeded")?;
    Ok((error.kind(), error.to_string()))
}

pub(crate) fn tables_of(outcome: CrawlOutcome) -> Vec<String> {
    match outcome {
        CrawlOutcome::Finished { tables_seen, .. } => tables_seen,
        CrawlOutcome::Started => Vec::new(),
    }
}

#[tokio::test]
async fn the_crawler_and_its_database_are_created_and_every_folder_is_a_table() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    publish(&turn, "events/dt=2026-01-01/a.parquet")?;
    publish(&turn, "events/dt=2026-01-02/a.parquet")?;
    let mut both = settings(&["orders", "events"])?;
    both.tables[1] = events_of(&["2026-01-01", "2026-01-02"]);
    let outcome = crawl(&turn, &both).await?;
    assert_eq!(tables_of(outcome), ["orders", "events"]);
    assert_eq!(turn.calls("CreateDatabase")?.len(), 1);
    assert_eq!(turn.calls("CreateCrawler")?.len(), 1);
    assert_eq!(turn.calls("UpdateCrawler")?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn an_existing_crawler_is_used_without_a_role_and_told_of_new_folders() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    crawl(&turn, &settings(&["orders"])?).await?;
    publish(&turn, "users/a.parquet")?;
    let without_role = CrawlerSettings { role: None, ..settings(&["orders", "users"])? };
    assert_eq!(tables_of(crawl(&turn, &without_role).await?), ["orders", "users"]);
    assert_eq!(tables_of(crawl(&turn, &settings(&["orders"])?).await?), ["orders"]);
    assert_eq!(turn.calls("CreateCrawler")?.len(), 1);
    assert_eq!(turn.calls("UpdateCrawler")?.len(), 1);
    assert_eq!(turn.calls("StartCrawler")?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_crawl_that_somebody_started_before_our_upload_is_not_taken_for_ours() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    let both = settings(&["orders", "users"])?;
    // Somebody's crawl lists S3 when it starts, before `users` is there.
    turn.server()?.set_crawl(Duration::from_secs(2), Duration::from_millis(500), None)?;
    let theirs = CrawlerSettings { wait: false, ..both.clone() };
    assert_eq!(crawl(&turn, &theirs).await?, CrawlOutcome::Started);
    publish(&turn, "users/a.parquet")?;
    assert_eq!(tables_of(crawl(&turn, &both).await?), ["orders", "users"]);
    assert_eq!(turn.calls("StartCrawler")?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_start_whose_answer_is_lost_is_followed_by_one_that_is_known() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    turn.server()?.inject(&json!([
        {"service": "glue", "operation": "StartCrawler", "mode": "done_then_error", "times": 1},
        {"service": "glue", "operation": "GetCrawler", "mode": "reject", "status": 400, "code": "ThrottlingException", "times": 2},
    ]))?;
    assert_eq!(tables_of(crawl(&turn, &settings(&["orders"])?).await?), ["orders"]);
    let accepted = turn.calls("StartCrawler")?.iter().filter(|call| call.status == Some(200)).count();
    assert_eq!(accepted, 1);
    Ok(())
}

#[tokio::test]
async fn a_failed_crawl_is_told_in_glues_words_and_names_its_log() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    let message = "The role has no right to read s3://lake";
    turn.server()?.set_crawl(Duration::from_millis(100), Duration::ZERO, Some(message))?;
    let (kind, text) = failure(&turn, &settings(&["orders"])?).await?;
    assert_eq!(kind, AwsErrorKind::Data);
    for part in ["nightly", "FAILED", message, "/aws-glue/crawlers"] {
        assert!(text.contains(part), "{text}");
    }
    // The next crawl is judged by itself.
    turn.server()?.set_crawl(Duration::from_millis(100), Duration::ZERO, None)?;
    assert_eq!(tables_of(crawl(&turn, &settings(&["orders"])?).await?), ["orders"]);
    Ok(())
}

#[tokio::test]
async fn a_folder_that_became_no_table_is_an_error_although_the_crawl_succeeded() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    let (kind, text) = failure(&turn, &settings(&["orders", "users"])?).await?;
    assert_eq!(kind, AwsErrorKind::Data);
    assert!(text.contains("there is no Glue table shop.users"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_slow_crawl_ends_the_wait_at_the_deadline_and_a_cancellation_at_once() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "orders/a.parquet")?;
    turn.server()?.set_crawl(Duration::from_secs(600), Duration::ZERO, None)?;
    let hasty = CrawlerSettings { timeout: Duration::from_secs(1), ..settings(&["orders"])? };
    let (kind, text) = failure(&turn, &hasty).await?;
    assert_eq!(kind, AwsErrorKind::Temporary);
    assert!(text.contains("nightly was not done within 1 s (last seen: RUNNING)"), "{text}");
    assert!(text.contains("--crawler-timeout"), "{text}");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = turn.aws()?.crawl(&settings(&["orders"])?, &cancel).await.unwrap_err();
    assert_eq!(error.kind(), AwsErrorKind::Interrupted);
    Ok(())
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named() -> Result<()> {
    let turn = SERVER.turn().await?;
    let without_role = CrawlerSettings { role: None, ..settings(&["orders"])? };
    let (kind, text) = failure(&turn, &without_role).await?;
    assert_eq!(kind, AwsErrorKind::Configuration);
    assert!(text.contains("--crawler-role or PROJECT_CRAWLER_ROLE"), "{text}");
    assert_eq!(turn.calls("CreateDatabase")?.len(), 0);

    let bad_role = CrawlerSettings { role: Some("no role!".to_owned()), ..settings(&["orders"])? };
    let (kind, text) = failure(&turn, &bad_role).await?;
    assert_eq!(kind, AwsErrorKind::Configuration, "{text}");
    assert!(text.contains("no role!"), "{text}");

    publish(&turn, "orders/a.parquet")?;
    crawl(&turn, &settings(&["orders"])?).await?;
    let other = CrawlerSettings { database: "other".to_owned(), ..settings(&["orders"])? };
    let (kind, text) = failure(&turn, &other).await?;
    assert_eq!(kind, AwsErrorKind::Configuration);
    assert!(text.contains("fills the Glue database shop, not other"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_denied_start_is_not_repeated() -> Result<()> {
    let turn = SERVER.turn().await?;
    let denied = json!([{"service": "glue", "operation": "StartCrawler", "mode": "reject", "status": 400, "code": "AccessDeniedException", "times": -1}]);
    turn.server()?.inject(&denied)?;
    publish(&turn, "orders/a.parquet")?;
    let (kind, text) = failure(&turn, &settings(&["orders"])?).await?;
    assert_eq!(kind, AwsErrorKind::Denied, "{text}");
    assert_eq!(turn.calls("StartCrawler")?.len(), 1);
    Ok(())
}
