//! Finished dates go to S3 while the task reads the others; readers see all of them or none.

use super::{Aws, BUCKET, ROLE};
use crate::deadline::wait_for;
use crate::lake_folder::listing;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::Database;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::write;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
/// What is promised to whoever stops a run.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
/// One worker reads the dates in their order.
const ONE_WORKER: &str = "--workers=1";

/// Ten events on each of the first eight days of 2026.
pub(super) fn eight_dates() -> Result<Database<'static>> {
    let database = tiny_shop()?;
    database.execute(
        "TRUNCATE events;
         INSERT INTO events SELECT id, id, 'view', '{}', timestamptz '2026-01-01 12:00Z' + make_interval(days => id % 8)
             FROM generate_series(1, 80) AS id",
    )?;
    Ok(database)
}

/// The upload of the fourth date arrives, and its answer does not.
fn hold_the_fourth() -> Value {
    json!({"service": "s3", "operation": "UploadPart", "mode": "hold", "key_contains": "dt=2026-01-04", "seconds": 60, "times": -1})
}

impl Aws {
    /// The dates whose files lie in the scratch folder, as days of the month.
    fn dates_in_scratch(&self) -> Result<BTreeSet<String>> {
        let files = listing(&self.program.path("scratch"))?.into_keys();
        let dates = files.filter_map(|path| {
            let path = path.to_str()?;
            let day = path.split("dt=2026-01-").nth(1)?.get(..2)?;
            path.ends_with("/part-00000.parquet").then(|| day.to_owned())
        });
        Ok(dates.collect())
    }

    /// Waits until the worker cannot hand over any more: a file on its way, one behind it, one in the worker's hands.
    fn wait_until_three_dates_are_waiting(&self) -> Result<()> {
        let full = ["04", "05", "06"].map(str::to_owned).into();
        wait_for("three dates that wait", PATIENCE, || Ok((self.dates_in_scratch()? == full).then_some(())))
    }

    fn check_that_nothing_is_left(&self) -> Result<()> {
        let pending = self.server()?.list_pending_uploads(BUCKET)?;
        ensure!(pending.is_empty(), "uploads that cost money for ever: {pending:?}");
        self.program.check_scratch_is_empty()
    }
}

#[test]
fn finished_dates_leave_the_scratch_folder_while_others_are_read_and_are_seen_when_all_are_there() -> Result<()> {
    let database = eight_dates()?;
    let aws = Aws::turn()?;
    aws.fault(&hold_the_fourth())?;
    let running = aws.start(&database.uri(), &["--table=events", ONE_WORKER])?;
    aws.wait_until_three_dates_are_waiting()?;
    // The first three are uploaded and gone, the last two are not read yet, and no reader sees anything.
    let staged = aws.server()?.list_pending_uploads(BUCKET)?;
    let of_the_run = |key: &String| key.split_once("/part-00000-").map(|(folder, _run)| folder.to_owned());
    let folders: Vec<String> = staged.iter().filter_map(of_the_run).collect();
    assert_eq!(folders, [1, 2, 3, 4].map(|day| format!("shop/events/dt=2026-01-0{day}")), "{staged:?}");
    assert_eq!(aws.dates_in_scratch()?, ["04", "05", "06"].map(str::to_owned).into());
    assert_eq!(aws.keys("shop/events/")?, [""; 0]);

    aws.server()?.inject(&json!([]))?;
    running.wait(PATIENCE)?.expect(0)?;
    assert_eq!(aws.keys("shop/events/")?.len(), 8);
    let last_part = aws.calls("UploadPart")?.into_iter().map(|call| call.time).fold(0.0, f64::max);
    let completed = aws.calls("CompleteMultipartUpload")?;
    assert_eq!(completed.len(), 8);
    ensure!(completed.iter().all(|call| call.time > last_part), "a date was visible before the last was there");
    assert_eq!(aws.query("SELECT count(*) AS n, sum(id) AS ids FROM events")?, "n,ids\n80,3240\n");
    aws.check_that_nothing_is_left()
}

#[test]
fn an_upload_that_is_refused_fails_its_task_with_the_cause_and_leaves_the_old_table() -> Result<()> {
    let database = eight_dates()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "events", &[ROLE, ONE_WORKER])?.expect(0)?;
    let keys = aws.keys("shop/events/")?;
    let object = keys.first().context("a file of the table")?;
    let before = aws.server()?.get_object(BUCKET, object)?;
    database.execute("UPDATE events SET kind = 'click'")?;
    aws.fault(&json!({
        "service": "s3", "operation": "UploadPart", "mode": "reject", "key_contains": "dt=2026-01-05", "times": -1
    }))?;
    let ended = aws.publish(&database.uri(), "events,users", &[ROLE, ONE_WORKER])?.expect(77)?;
    let ended = ended.says(&["cannot upload part 1 of s3://lake/shop/events/dt=2026-01-05/part-00000-"])?;
    assert_eq!(ended.published()?, ["users"]);
    assert_eq!(aws.keys("shop/events/")?, keys);
    assert_eq!(aws.server()?.get_object(BUCKET, object)?, before);
    aws.check_that_nothing_is_left()
}

#[test]
fn a_date_that_cannot_be_read_takes_back_those_that_were_uploaded_before() -> Result<()> {
    let database = eight_dates()?;
    database.execute(
        "ALTER TABLE events ADD COLUMN price numeric(15,2);
         UPDATE events SET price = 'NaN' WHERE created_at >= '2026-01-06Z' AND created_at < '2026-01-07Z'",
    )?;
    let aws = Aws::turn()?;
    let ended = aws.publish(&database.uri(), "events,users", &[ROLE, ONE_WORKER])?.expect(65)?;
    let ended = ended.says(&["public.events, dt=2026-01-06: column \"price\""])?;
    assert_eq!(ended.published()?, ["users"]);
    ensure!(aws.calls("UploadPart")?.len() >= 3, "nothing had been uploaded");
    assert_eq!(aws.keys("shop/events/")?, [""; 0]);
    aws.check_that_nothing_is_left()
}

#[test]
fn a_task_without_a_folder_for_its_files_fails_alone_and_leaves_no_upload_of_the_others() -> Result<()> {
    let database = eight_dates()?;
    let aws = Aws::turn()?;
    aws.fault(&hold_the_fourth())?;
    let running = aws.start(&database.uri(), &["--table=events,public.taxes", ONE_WORKER])?;
    aws.wait_until_three_dates_are_waiting()?;
    let scratch = aws.program.path("scratch");
    let run = scratch.read_dir()?.next().context("the folder of the run")??.path();
    write(run.join("public_taxes"), "in the way")?;
    aws.server()?.inject(&json!([]))?;
    running.wait(PATIENCE)?.expect(74)?.says(&["cannot create the folder", "1 of 2 tables published"])?;
    assert_eq!(aws.keys("shop/events/")?.len(), 8);
    aws.check_that_nothing_is_left()
}

#[test]
fn sigterm_while_dates_are_uploaded_takes_them_back() -> Result<()> {
    let database = eight_dates()?;
    let aws = Aws::turn()?;
    aws.fault(&hold_the_fourth())?;
    let running = aws.start(&database.uri(), &["--table=events", ONE_WORKER])?;
    aws.wait_until_three_dates_are_waiting()?;
    running.signal(&["TERM"])?;
    let ended = running.wait(STOPPED_WITHIN)?.expect(143)?;
    ended.says(&["stopped by a signal: 0 of 1 table published"])?;
    assert_eq!(aws.keys("shop/")?, [""; 0]);
    assert_eq!(aws.calls("StartCrawler")?, []);
    aws.check_that_nothing_is_left()
}

#[test]
fn sigterm_in_a_later_task_takes_back_the_dates_of_an_earlier_one() -> Result<()> {
    let database = eight_dates()?;
    database.execute("CREATE VIEW slow AS SELECT 1 AS id FROM pg_sleep(100)")?;
    let aws = Aws::turn()?;
    let running = aws.start(&database.uri(), &["--table=events,public.slow", ONE_WORKER])?;
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    wait_for("the second task", PATIENCE, || Ok(database.query_text(waiting)?.pop()))?;
    assert_eq!(aws.server()?.list_pending_uploads(BUCKET)?.len(), 8);
    running.signal(&["TERM"])?;
    running.wait(STOPPED_WITHIN)?.expect(143)?;
    assert_eq!(aws.keys("shop/")?, [""; 0]);
    aws.check_that_nothing_is_left()
}

#[test]
fn the_files_of_the_run_before_stay_until_every_new_one_is_visible() -> Result<()> {
    let database = eight_dates()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "events", &[ROLE])?.expect(0)?;
    let old = aws.keys("shop/events/")?;
    database.execute("UPDATE events SET kind = 'click'")?;
    // The last file to become visible takes its time, and the others are there.
    aws.fault(&json!({
        "service": "s3", "operation": "CompleteMultipartUpload", "mode": "slow", "key_contains": "dt=2026-01-08",
        "seconds": 2, "times": 1
    }))?;
    let running = aws.start(&database.uri(), &["--table=events"])?;
    let seen = wait_for("seven new files", PATIENCE, || {
        let keys = aws.keys("shop/events/")?;
        Ok((keys.len() == old.len() + 7).then_some(keys))
    })?;
    ensure!(old.iter().all(|key| seen.contains(key)), "{seen:?}");
    running.wait(PATIENCE)?.expect(0)?;
    let new = aws.keys("shop/events/")?;
    ensure!(new.len() == 8 && !new.iter().any(|key| old.contains(key)), "{new:?}");
    assert_eq!(aws.query("SELECT count(*) AS n FROM events WHERE kind = 'click'")?, "n\n80\n");
    aws.check_that_nothing_is_left()
}
