//! Crawls that succeed and leave a catalog that is not what was published.

use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use aws_sdk_glue::types::{SchemaChangePolicy, UpdateBehavior};
use parquet::arrow::ArrowWriter;
use project_aws::{AwsErrorKind, CrawlerSettings};
use serde_json::json;

use crate::crawler::{crawl, events_of, failure, publish, settings, tables_of};
use crate::fixture::{BUCKET, Shared, Turn, config};

static SERVER: Shared = Shared::new();

fn events(dates: &[&str]) -> Result<CrawlerSettings> {
    Ok(CrawlerSettings { tables: vec![events_of(dates)], ..settings(&[])? })
}

fn glue(turn: &Turn<'_>) -> Result<aws_sdk_glue::Client> {
    Ok(aws_sdk_glue::Client::new(&config(turn.server()?.endpoint())))
}

/// As the fixture's files, but with an `id` of 32 bits.
fn file_with_int_ids() -> Result<Vec<u8>> {
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(1..=3));
    let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let batch = RecordBatch::try_from_iter([("id", ids), ("name", names)])?;
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

#[tokio::test]
async fn a_partition_that_the_crawl_passed_over_is_an_error_that_names_it() -> Result<()> {
    let turn = SERVER.turn().await?;
    for date in ["2026-01-01", "2026-01-02"] {
        publish(&turn, &format!("events/dt={date}/a.parquet"))?;
    }
    let both = events(&["2026-01-01", "2026-01-02"])?;
    turn.server()?.ignore_partition(Some("dt=2026-01-02"))?;
    let (kind, text) = failure(&turn, &both).await?;
    assert_eq!(kind, AwsErrorKind::Data);
    for part in ["nightly", "shop.events", "the partition dt=2026-01-02 is missing in Glue;", "drop the Glue table"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("2026-01-01"), "{text}");
    turn.server()?.ignore_partition(None)?;
    assert_eq!(tables_of(crawl(&turn, &both).await?), ["events"]);
    Ok(())
}

#[tokio::test]
async fn a_column_type_that_the_crawler_was_told_to_keep_is_an_error_until_the_table_is_dropped() -> Result<()> {
    let turn = SERVER.turn().await?;
    turn.server()?.put_object(BUCKET, "team/shop/orders/a.parquet", &file_with_int_ids()?)?;
    let orders = settings(&["orders"])?;
    let mut as_written = orders.clone();
    as_written.tables[0].columns[0].1 = "int".to_owned();
    crawl(&turn, &as_written).await?;

    // Somebody's choice, for an existing crawler: log what has changed, change nothing.
    let keep = SchemaChangePolicy::builder().update_behavior(UpdateBehavior::Log).build();
    let glue = glue(&turn)?;
    glue.update_crawler().name("nightly").schema_change_policy(keep).send().await?;
    publish(&turn, "orders/a.parquet")?;
    let (kind, text) = failure(&turn, &orders).await?;
    assert_eq!(kind, AwsErrorKind::Data);
    for part in [
        "the Glue table shop.orders is not what was published to s3://lake/team/shop/orders",
        "column id is bigint in the files and int in Glue;",
        "drop the Glue table and run the crawler again",
        "another --crawler into another --glue-database",
    ] {
        assert!(text.contains(part), "{text}");
    }
    glue.delete_table().database_name("shop").name("orders").send().await?;
    assert_eq!(tables_of(crawl(&turn, &orders).await?), ["orders"]);
    Ok(())
}

#[tokio::test]
async fn another_partition_key_is_an_error() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "events/day=2026-01-01/a.parquet")?;
    let (kind, text) = failure(&turn, &events(&["2026-01-01"])?).await?;
    assert_eq!(kind, AwsErrorKind::Data);
    assert!(text.contains("partitioned by dt and in Glue by day"), "{text}");
    Ok(())
}

#[tokio::test]
async fn more_partitions_than_one_call_takes_are_all_looked_up() -> Result<()> {
    let turn = SERVER.turn().await?;
    let values: Vec<String> = (0..1_201).map(|number| format!("{number:04}")).collect();
    let content = file_with_int_ids()?;
    for value in &values {
        let key = format!("team/shop/events/dt={value}/a.parquet");
        turn.server()?.put_object(BUCKET, &key, &content)?;
    }
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let mut all = events(&values)?;
    all.tables[0].columns[0].1 = "int".to_owned();
    assert_eq!(tables_of(crawl(&turn, &all).await?), ["events"]);
    assert_eq!(turn.calls("BatchGetPartition")?.len(), 2);
    all.tables[0].partitions.push("9999".to_owned());
    let (_, text) = failure(&turn, &all).await?;
    assert!(text.contains(": the partition dt=9999 is missing in Glue;"), "{text}");
    Ok(())
}

#[tokio::test]
async fn partitions_that_may_not_be_looked_at_are_a_matter_of_rights() -> Result<()> {
    let turn = SERVER.turn().await?;
    publish(&turn, "events/dt=2026-01-01/a.parquet")?;
    let denied = json!([{"service": "glue", "operation": "BatchGetPartition", "mode": "reject", "status": 400, "code": "AccessDeniedException", "times": -1}]);
    turn.server()?.inject(&denied)?;
    let (kind, text) = failure(&turn, &events(&["2026-01-01"])?).await?;
    assert_eq!(kind, AwsErrorKind::Denied, "{text}");
    assert!(text.contains("cannot look at the partitions of the Glue table shop.events"), "{text}");
    Ok(())
}
