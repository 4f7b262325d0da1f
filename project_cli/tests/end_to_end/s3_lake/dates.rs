//! `--from` and `--to` in a bucket: the objects of other dates are not touched.

use super::{Aws, BUCKET, ROLE};
use crate::shop::tiny_shop;
use crate::table_read::dates::{
    BY_DATE_AND_KIND, INDEXED, NEW_EVENTS, NOT_INDEXED, OLD_EVENTS, PARTITIONED, WINDOW_REPLACED,
};
use anyhow::Result;
use project_test_servers::postgres::Database;

const WINDOW: [&str; 3] = [ROLE, "--from=2026-01-02", "--to=2026-01-04"];
const NO_ROWS: [&str; 3] = [ROLE, "--from=2031-01-01", "--to=2031-01-31"];

/// A bucket with the old events, and a database with the new ones.
fn old_events_published(shape: &str) -> Result<(Database<'static>, Aws)> {
    let database = tiny_shop()?;
    database.execute(&format!("{shape}{OLD_EVENTS}"))?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "events", &[ROLE])?.expect(0)?;
    database.execute(NEW_EVENTS)?;
    Ok((database, aws))
}

/// Every object of the table but those of these dates.
fn objects_without(aws: &Aws, dates: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut keys = aws.keys("shop/events/")?;
    keys.retain(|key| !dates.iter().any(|date| key.contains(date)));
    let read = |key: String| Ok((key.clone(), aws.server()?.get_object(BUCKET, &key)?));
    keys.into_iter().map(read).collect()
}

#[test]
fn a_window_replaces_its_dates_and_not_a_byte_of_the_others() -> Result<()> {
    for shape in [INDEXED, NOT_INDEXED, PARTITIONED] {
        let (database, aws) = old_events_published(shape)?;
        let dates = ["dt=2026-01-02", "dt=2026-01-03", "dt=2026-01-04"];
        let before = objects_without(&aws, &dates)?;
        assert_eq!(before.len(), 4);
        aws.publish(&database.uri(), "events", &WINDOW)?.expect(0)?;
        assert_eq!(objects_without(&aws, &dates)?, before);
        assert_eq!(aws.keys("shop/events/dt=2026-01-03/")?, [""; 0]);
        assert_eq!(aws.query(BY_DATE_AND_KIND)?, WINDOW_REPLACED, "{shape}");
    }
    Ok(())
}

#[test]
fn a_window_without_rows_changes_nothing_and_does_not_fail() -> Result<()> {
    let (database, aws) = old_events_published(INDEXED)?;
    let before = objects_without(&aws, &[])?;
    let ended = aws.publish(&database.uri(), "events", &NO_ROWS)?.expect(0)?;
    assert_eq!(ended.published()?, ["events"]);
    assert_eq!(objects_without(&aws, &[])?, before);
    // Nor when there is nothing yet.
    aws.server()?.reset()?;
    aws.server()?.create_bucket(BUCKET)?;
    let ended = aws.publish(&database.uri(), "events", &NO_ROWS)?.expect(0)?;
    ended.says(&["events has no row in the dates 2031-01-01 to 2031-01-31"])?;
    assert_eq!(aws.keys("shop/")?, [""; 0]);
    Ok(())
}

#[test]
fn a_window_whose_rows_are_gone_removes_its_dates() -> Result<()> {
    let (database, aws) = old_events_published(INDEXED)?;
    let third = [ROLE, "--from=2026-01-03", "--to=2026-01-03"];
    let before = objects_without(&aws, &["dt=2026-01-03"])?;
    let gone = aws.publish(&database.uri(), "events", &third)?.expect(65)?;
    gone.says(&["events has 0 rows in the dates 2026-01-03 to 2026-01-03"])?;
    aws.publish(&database.uri(), "events", &[&third[..], &["--force"]].concat())?.expect(0)?;
    assert_eq!(objects_without(&aws, &[])?, before);
    Ok(())
}
