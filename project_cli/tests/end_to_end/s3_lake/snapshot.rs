//! The snapshot is held for reading, not for what comes after it.

use super::Aws;
use crate::deadline::wait_for;
use crate::shop::{tiny_shop, value};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_server_is_left_alone_while_the_crawler_works_and_the_report_says_how_long_that_was() -> Result<()> {
    let (database, aws) = (tiny_shop()?, Aws::turn()?);
    aws.server()?.set_crawl(Duration::from_secs(4), Duration::from_millis(100), None)?;
    let running = aws.start(&database.uri(), &["--table=users,public.orders", "--format=json"])?;
    wait_for("the crawl", PATIENCE, || Ok((!aws.calls("StartCrawler")?.is_empty()).then_some(())))?;
    let sessions = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'project/%'";
    // The server needs a moment to notice; the crawl takes longer than that.
    wait_for("the end of our sessions", Duration::from_secs(2), || {
        Ok((value(&database, sessions)? == "0").then_some(()))
    })?;
    let report = running.wait(PATIENCE)?.expect(0)?.report()?;
    let crawled = report["crawling"]["duration_ms"].as_u64().context("a crawl")?;
    ensure!(crawled >= 4_000, "the crawl ended before we looked: {report:#}");
    ensure!(
        report["snapshot_age_ms"].as_u64().context("an age")? < report["crawling"]["start_ms"].as_u64().unwrap_or(0)
    );
    Ok(())
}
