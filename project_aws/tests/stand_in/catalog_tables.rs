//! Tables that are published without a crawler: created once, switched by whoever looked last, read by Athena.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_glue::types::DatabaseInput;
use project_aws::{
    AthenaSettings, Aws, AwsError, AwsErrorKind, CrawlerSettings, Created, ProjectedKey, S3Url, Switched,
    TableDefinition,
};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use crate::crawler::{crawl, events_of, publish, settings};
use crate::fixture::{BUCKET, Shared, Turn, config, lake, parquet_file, spawnable};

static SERVER: Shared = Shared::new();

const DATABASE: &str = "shop";

pub(crate) async fn with_database(server: &Shared) -> Result<Turn<'_>> {
    let turn = server.turn().await?;
    let glue = aws_sdk_glue::Client::new(&config(turn.server()?.endpoint()));
    let input = DatabaseInput::builder().name(DATABASE).build()?;
    glue.create_database().database_input(input).send().await?;
    Ok(turn)
}

fn run_folder(run: u32) -> Result<S3Url> {
    Ok(lake()?.join(&format!("run={run}/events")))
}

/// The table as run number `run` publishes it, with one row for each date of `rows`.
fn events(run: u32, dates: &[&str]) -> Result<TableDefinition> {
    let location = run_folder(run)?;
    Ok(TableDefinition {
        name: "events".to_owned(),
        columns: [("id", "bigint"), ("name", "string")].map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec(),
        partition: Some(ProjectedKey {
            key: "dt".to_owned(),
            values: dates.iter().map(|&date| date.to_owned()).collect(),
            location_template: format!("{location}/dt=${{dt}}/"),
        }),
        parameters: BTreeMap::from([("project.run".to_owned(), run.to_string())]),
        location,
    })
}

pub(crate) fn uncut(run: u32) -> Result<TableDefinition> {
    Ok(TableDefinition { partition: None, ..events(run, &[])? })
}

fn store_rows(turn: &Turn<'_>, run: u32, below: &str, rows: i64) -> Result<()> {
    let folder = tempdir()?;
    let file = parquet_file(folder.path(), "a.parquet", rows)?;
    let key = run_folder(run)?.join(&format!("{below}/a.parquet"));
    turn.server()?.put_object(BUCKET, key.prefix(), &std::fs::read(file.path)?)
}

pub(crate) async fn create(aws: &Aws, definition: &TableDefinition) -> Result<Created, AwsError> {
    spawnable(aws.create_catalog_table(DATABASE, definition)).await
}

pub(crate) async fn update(aws: &Aws, definition: &TableDefinition, version: &str) -> Result<Switched, AwsError> {
    spawnable(aws.update_catalog_table(DATABASE, definition, version)).await
}

pub(crate) async fn version(aws: &Aws) -> Result<String> {
    Ok(spawnable(aws.catalog_table(DATABASE, "events")).await?.context("no table")?.version)
}

/// The run that the catalog shows.
pub(crate) async fn run(aws: &Aws) -> Result<Option<String>> {
    let table = aws.catalog_table(DATABASE, "events").await?;
    Ok(table.and_then(|table| table.parameters.get("project.run").cloned()))
}

async fn rows(aws: &Aws, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let settings = AthenaSettings {
        workgroup: None,
        output: Some("s3://lake/results".parse()?),
        database: DATABASE.to_owned(),
        timeout: Duration::from_secs(30),
    };
    let mut answer = aws.query(&settings, sql, &CancellationToken::new()).await?;
    let mut rows = Vec::new();
    while let Some(page) = answer.next_page().await? {
        rows.extend(page);
    }
    Ok(rows)
}

fn texts(rows: &[&[Option<&str>]]) -> Vec<Vec<Option<String>>> {
    rows.iter().map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect()).collect()
}

pub(crate) fn fault(operation: &str, mode: &str, times: i32, (status, code): (u16, &str)) -> Value {
    json!([{
        "service": "glue", "operation": operation, "mode": mode, "times": times,
        "status": status, "code": code, "seconds": 1
    }])
}

#[tokio::test]
async fn a_table_is_created_described_and_read_by_athena() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let aws = turn.aws()?;
    assert_eq!(aws.catalog_table(DATABASE, "events").await?, None);
    store_rows(&turn, 1, "dt=2026-01-01", 2)?;
    store_rows(&turn, 1, "dt=__HIVE_DEFAULT_PARTITION__", 1)?;
    let definition = events(1, &["2026-01-01", "2026-01-02", "__HIVE_DEFAULT_PARTITION__"])?;
    assert_eq!(create(&aws, &definition).await?, Created::Done);
    let table = aws.catalog_table(DATABASE, "events").await?.context("no table")?;
    assert_eq!(table.location.as_deref(), Some("s3://lake/team/shop/run=1/events/"));
    assert_eq!(table.columns, definition.columns);
    assert_eq!(table.partition_keys, [("dt".to_owned(), "string".to_owned())]);
    assert_eq!(table.parameters.get("project.run").map(String::as_str), Some("1"));
    assert!(!table.is_of_a_crawler);
    let seen = rows(&aws, "SELECT dt, count(*), sum(id) FROM events GROUP BY dt ORDER BY dt").await?;
    assert_eq!(seen, texts(&[&[Some("2026-01-01"), Some("2"), Some("3")], &[None, Some("1"), Some("1")]]));
    Ok(())
}

#[tokio::test]
async fn one_update_switches_all_partitions_and_even_the_way_the_table_is_cut() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let aws = turn.aws()?;
    store_rows(&turn, 1, "dt=2026-01-01", 2)?;
    store_rows(&turn, 2, "dt=2026-01-01", 3)?;
    store_rows(&turn, 2, "dt=2026-01-02", 4)?;
    store_rows(&turn, 3, "", 5)?;
    let count = "SELECT count(*) FROM events";
    create(&aws, &events(1, &["2026-01-01"])?).await?;
    assert_eq!(rows(&aws, count).await?, texts(&[&[Some("2")]]));
    for (next, expected) in
        [(events(2, &["2026-01-01", "2026-01-02"])?, "7"), (uncut(3)?, "5"), (events(4, &[])?, "0"), (uncut(3)?, "5")]
    {
        assert_eq!(update(&aws, &next, &version(&aws).await?).await?, Switched::Done);
        assert_eq!(rows(&aws, count).await?, texts(&[&[Some(expected)]]));
    }
    let table = aws.catalog_table(DATABASE, "events").await?.context("no table")?;
    assert!(table.partition_keys.is_empty());
    assert!(!table.parameters.contains_key("projection.enabled"), "nothing is left of the other definition");
    Ok(())
}

#[tokio::test]
async fn whoever_looked_before_the_last_change_is_overtaken_and_changes_nothing() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let (ours, theirs) = (turn.aws()?, turn.aws()?);
    assert_eq!(create(&ours, &uncut(1)?).await?, Created::Done);
    assert_eq!(create(&theirs, &uncut(2)?).await?, Created::Exists);
    let seen = version(&ours).await?;
    let (two, three) = (uncut(2)?, uncut(3)?);
    let (a, b) = tokio::join!(update(&ours, &two, &seen), update(&theirs, &three, &seen));
    let published = match (a?, b?) {
        (Switched::Done, Switched::Overtaken) => "2",
        (Switched::Overtaken, Switched::Done) => "3",
        both => anyhow::bail!("one of two is done: {both:?}"),
    };
    assert_eq!(run(&ours).await?.as_deref(), Some(published));
    assert_eq!(update(&ours, &uncut(4)?, &seen).await?, Switched::Overtaken);
    assert_eq!(run(&ours).await?.as_deref(), Some(published));
    Ok(())
}

#[tokio::test]
async fn whoever_is_slow_is_overtaken() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let (ours, theirs) = (turn.aws()?, turn.aws()?);
    create(&ours, &uncut(1)?).await?;
    let seen = version(&ours).await?;
    turn.server()?.inject(&fault("UpdateTable", "slow", 1, (0, "")))?;
    let (two, three) = (uncut(2)?, uncut(3)?);
    let second = async {
        while turn.calls("UpdateTable")?.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(update(&theirs, &three, &seen).await?)
    };
    let (a, b) = tokio::join!(update(&ours, &two, &seen), second);
    assert_eq!((a?, b?), (Switched::Overtaken, Switched::Done));
    assert_eq!(run(&ours).await?.as_deref(), Some("3"));
    Ok(())
}

#[tokio::test]
async fn whoever_lost_the_answer_and_was_then_overtaken_learns_it() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    let (ours, theirs) = (turn.aws()?, turn.aws()?);
    create(&ours, &uncut(1)?).await?;
    let seen = version(&ours).await?;
    let mut faults = fault("UpdateTable", "done_then_error", 1, (500, "InternalServiceException"));
    let look = fault("GetTable", "slow", 1, (0, ""))[0].take();
    faults.as_array_mut().context("a list")?.push(look);
    turn.server()?.inject(&faults)?;
    let looks = turn.calls("GetTable")?.len();
    let (two, three) = (uncut(2)?, uncut(3)?);
    let second = async {
        // Ours is done, its answer lost, its repetition refused, and now we look.
        while turn.calls("GetTable")?.len() == looks {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(update(&theirs, &three, &version(&theirs).await?).await?)
    };
    let (a, b) = tokio::join!(update(&ours, &two, &seen), second);
    assert_eq!((a?, b?), (Switched::Overtaken, Switched::Done));
    assert_eq!(run(&ours).await?.as_deref(), Some("3"));
    Ok(())
}

#[tokio::test]
async fn a_missing_database_is_told_with_the_way_to_create_it() -> Result<()> {
    let turn = SERVER.turn().await?;
    let aws = turn.aws()?;
    for error in [
        aws.check_database("shop").await.unwrap_err(),
        aws.catalog_table("shop", "events").await.unwrap_err(),
        create(&aws, &uncut(1)?).await.unwrap_err(),
        update(&aws, &uncut(1)?, "1").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), AwsErrorKind::Configuration, "{error}");
        assert!(error.to_string().starts_with("there is no Glue database shop; create it (aws glue"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_table_that_was_dropped_meanwhile_is_not_made_anew_by_a_switch() -> Result<()> {
    let turn = with_database(&SERVER).await?;
    assert_eq!(update(&turn.aws()?, &uncut(1)?, "1").await?, Switched::Overtaken);
    assert_eq!(run(&turn.aws()?).await?, None);
    Ok(())
}

fn crawl_of_events() -> Result<CrawlerSettings> {
    Ok(CrawlerSettings { tables: vec![events_of(&["2026-01-01"])], ..settings(&[])? })
}

#[tokio::test]
async fn a_crawl_gives_a_table_that_is_cut_by_dates_one_index() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "events/dt=2026-01-01/a.parquet")?;
    crawl(&turn, &crawl_of_events()?).await?;
    assert!(turn.aws()?.catalog_table(DATABASE, "events").await?.is_some_and(|table| table.is_of_a_crawler));
    crawl(&turn, &crawl_of_events()?).await?;
    publish(&turn, "orders/a.parquet")?;
    crawl(&turn, &settings(&["orders"])?).await?;
    assert_eq!(turn.calls("GetPartitionIndexes")?.len(), 2, "a table that is not cut needs none");
    assert_eq!(turn.calls("CreatePartitionIndex")?.len(), 1);
    let glue = aws_sdk_glue::Client::new(&config(turn.server()?.endpoint()));
    let indexes = glue.get_partition_indexes().database_name(DATABASE).table_name("events").send().await?;
    let [index] = indexes.partition_index_descriptor_list() else { anyhow::bail!("one index: {indexes:?}") };
    assert_eq!(index.keys()[0].name(), "dt");
    Ok(())
}

#[tokio::test]
async fn an_index_that_cannot_be_made_is_no_failure() -> Result<()> {
    for (operation, answer) in [
        ("GetPartitionIndexes", (400, "AccessDeniedException")),
        ("CreatePartitionIndex", (400, "AccessDeniedException")),
        ("CreatePartitionIndex", (400, "AlreadyExistsException")),
        ("CreatePartitionIndex", (400, "ResourceNumberLimitExceededException")),
    ] {
        let turn = SERVER.turn().await?;
        publish(&turn, "events/dt=2026-01-01/a.parquet")?;
        turn.server()?.inject(&fault(operation, "reject", -1, answer))?;
        crawl(&turn, &crawl_of_events()?).await?;
        assert!(!turn.calls(operation)?.is_empty());
    }
    Ok(())
}
