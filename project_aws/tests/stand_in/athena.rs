//! Queries: pages, NULLs, bad SQL, missing settings, cancelled.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use project_aws::{AthenaSettings, AwsErrorKind, CrawlerSettings, QueryAnswer, Row};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Shared, Turn, lake, no_progress, parquet_file, published, spawnable};

static SERVER: Shared = Shared::new();

fn settings() -> Result<AthenaSettings> {
    Ok(AthenaSettings {
        workgroup: None,
        output: Some("s3://lake/results".parse()?),
        database: "shop".to_owned(),
        timeout: Duration::from_secs(30),
    })
}

async fn with_table(turn: &Turn<'_>, rows: i64) -> Result<()> {
    let folder = tempdir()?;
    let file = parquet_file(folder.path(), "people/a.parquet", rows)?;
    let cancel = CancellationToken::new();
    let aws = turn.aws()?;
    aws.upload_new(&lake()?, &file, &no_progress, &cancel).await?;
    let crawler = CrawlerSettings {
        name: "nightly".to_owned(),
        database: "shop".to_owned(),
        role: Some("crawler".to_owned()),
        target: lake()?,
        tables: vec![published("people")],
        timeout: Duration::from_secs(30),
        wait: true,
    };
    turn.server()?.set_crawl(Duration::from_millis(10), Duration::ZERO, None)?;
    aws.crawl(&crawler, &cancel).await?;
    Ok(())
}

async fn query(turn: &Turn<'_>, sql: &str) -> Result<QueryAnswer> {
    let (aws, settings, cancel) = (turn.aws()?, settings()?, CancellationToken::new());
    Ok(spawnable(aws.query(&settings, sql, &cancel)).await?)
}

async fn failure(turn: &Turn<'_>, settings: &AthenaSettings, sql: &str) -> Result<(AwsErrorKind, String)> {
    let outcome = turn.aws()?.query(settings, sql, &CancellationToken::new()).await;
    let error = outcome.err().context("the query succeeded")?;
    Ok((error.kind(), error.to_string()))
}

async fn all_rows(answer: &mut QueryAnswer) -> Result<(Vec<usize>, Vec<Row>)> {
    let (mut sizes, mut rows) = (Vec::new(), Vec::new());
    while let Some(page) = answer.next_page().await? {
        sizes.push(page.len());
        rows.extend(page);
    }
    Ok((sizes, rows))
}

#[tokio::test]
async fn uploaded_and_crawled_rows_come_back_page_by_page_with_their_nulls() -> Result<()> {
    let turn = SERVER.turn().await?;
    with_table(&turn, 2_500).await?;
    let mut answer = query(&turn, "SELECT id, name FROM people ORDER BY id").await?;
    let columns: Vec<_> = answer.columns().iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    assert_eq!(columns, [("id", "bigint"), ("name", "varchar")]);
    let (sizes, rows) = all_rows(&mut answer).await?;
    // The header is a row of the first page.
    assert_eq!(sizes, [999, 1_000, 501]);
    for (index, row) in rows.iter().enumerate() {
        let id = index + 1;
        let name = (id % 3 != 0).then(|| format!("name {id}"));
        assert_eq!(*row, [Some(id.to_string()), name]);
    }
    assert_eq!(answer.next_page().await?, None);
    Ok(())
}

#[tokio::test]
async fn an_empty_result_has_columns_and_no_page() -> Result<()> {
    let turn = SERVER.turn().await?;
    with_table(&turn, 3).await?;
    let mut answer = query(&turn, "SELECT id FROM people WHERE id > 100").await?;
    assert_eq!(answer.columns().len(), 1);
    assert_eq!(answer.next_page().await?, None);
    Ok(())
}

#[tokio::test]
async fn bad_sql_fails_with_athenas_reason() -> Result<()> {
    let turn = SERVER.turn().await?;
    with_table(&turn, 3).await?;
    let (kind, text) = failure(&turn, &settings()?, "SELECT no_such_column FROM people").await?;
    assert_eq!(kind, AwsErrorKind::Data);
    assert!(text.contains("SYNTAX_ERROR") && text.contains("no_such_column"), "{text}");
    Ok(())
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named() -> Result<()> {
    let turn = SERVER.turn().await?;
    let no_place = AthenaSettings { output: None, ..settings()? };
    let (kind, text) = failure(&turn, &no_place, "SELECT 1").await?;
    assert_eq!(kind, AwsErrorKind::Configuration);
    assert!(text.contains("--athena-output or PROJECT_ATHENA_OUTPUT"), "{text}");
    let no_group = AthenaSettings { workgroup: Some("night".to_owned()), ..settings()? };
    let (kind, text) = failure(&turn, &no_group, "SELECT 1").await?;
    assert_eq!(kind, AwsErrorKind::Configuration);
    assert!(text.contains("workgroup night") && text.contains("--athena-workgroup"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_stopped_in_athena() -> Result<()> {
    let turn = SERVER.turn().await?;
    with_table(&turn, 3).await?;
    let endless = "/* hold */ SELECT id FROM people";
    let cancel = CancellationToken::new();
    let (aws, settings) = (turn.aws()?, settings()?);
    let cancel_in_the_middle = async {
        while turn.calls("GetQueryExecution")?.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
        anyhow::Ok(Instant::now())
    };
    let (outcome, cancelled) = tokio::join!(aws.query(&settings, endless, &cancel), cancel_in_the_middle);
    assert_eq!(outcome.err().map(|error| error.kind()), Some(AwsErrorKind::Interrupted));
    assert!(cancelled?.elapsed() < Duration::from_secs(2));
    assert_eq!(turn.calls("StopQueryExecution")?.len(), 1);

    let hasty = AthenaSettings { timeout: Duration::from_millis(700), ..settings };
    let (kind, text) = failure(&turn, &hasty, endless).await?;
    assert_eq!(kind, AwsErrorKind::Temporary);
    assert!(text.contains("was stopped"), "{text}");
    assert_eq!(turn.calls("StopQueryExecution")?.len(), 2);
    Ok(())
}
