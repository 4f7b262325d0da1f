//! Ctrl-C and SIGTERM while AWS is at work.

use super::{Aws, BUCKET, CATALOG, LAKE, ROLE};
use crate::deadline::wait_for;
use crate::program::Running;
use crate::shop::tiny_shop;
use anyhow::{Result, ensure};
use serde_json::json;
use std::fs::read_dir;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// What is promised to whoever stops a run.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

impl Aws {
    pub(super) fn start(&self, uri: &str, more: &[&str]) -> Result<Running> {
        let arguments = [uri, LAKE, "--scratch=scratch", ROLE];
        self.program.start(&[&arguments, &CATALOG[..], more].concat())
    }

    fn wait_for_call(&self, operation: &str) -> Result<()> {
        wait_for(operation, PATIENCE, || Ok((!self.calls(operation)?.is_empty()).then_some(())))
    }
}

#[test]
fn sigterm_at_any_request_of_the_protocol_is_143_in_time_and_the_crawler_is_not_started() -> Result<()> {
    let database = tiny_shop()?;
    for (operation, key) in [
        ("CreateMultipartUpload", "users/"),
        ("UploadPart", "users/"),
        ("PutObject", "_runs/2"),
        ("PutObject", "_runs/live/users.json"),
        ("CompleteMultipartUpload", "users/"),
    ] {
        let aws = Aws::turn()?;
        aws.fault(&json!({
            "service": "s3", "operation": operation, "key_contains": key, "mode": "hold", "seconds": 60, "times": -1
        }))?;
        let running = aws.start(&database.uri(), &["--table=users"])?;
        wait_for(operation, PATIENCE, || {
            let calls = aws.calls(operation)?;
            Ok(calls.iter().any(|call| call.name.contains(key)).then_some(()))
        })?;
        running.signal(&["TERM"])?;
        running.wait(STOPPED_WITHIN)?.expect(143)?;
        assert_eq!(aws.calls("StartCrawler")?, [], "{operation}");
        aws.program.check_scratch_is_empty()?;
    }
    Ok(())
}

#[test]
fn sigterm_during_a_multipart_upload_aborts_it() -> Result<()> {
    let database = tiny_shop()?;
    // A view is read in one piece: one file that is too large for one request.
    database.execute(
        "CREATE VIEW noise AS
         SELECT id, md5(id::text) AS a, md5((-id)::text) AS b, md5((id * 3)::text) AS c, md5((id * 5)::text) AS d
         FROM generate_series(1, 600000) AS id",
    )?;
    let aws = Aws::turn()?;
    aws.fault(&json!({"service": "s3", "operation": "UploadPart", "mode": "hold", "seconds": 60, "times": -1}))?;
    let running = aws.start(&database.uri(), &["--table=public.noise", "--gzip-level=1"])?;
    aws.wait_for_call("UploadPart")?;
    running.signal(&["TERM"])?;
    running.wait(STOPPED_WITHIN)?.expect(143)?;
    let pending = aws.server()?.list_pending_uploads(BUCKET)?;
    ensure!(pending.is_empty(), "uploads that cost money for ever: {pending:?}");
    ensure!(aws.keys("shop/")?.is_empty() && aws.calls("StartCrawler")?.is_empty(), "something was published");
    aws.program.check_scratch_is_empty()
}

#[test]
fn what_a_killed_run_leaves_in_the_scratch_folder_goes_with_the_next_run_and_not_before_it_is_dead() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    let scratch = || -> Result<usize> { Ok(read_dir(aws.program.path("scratch"))?.count()) };
    let next = || aws.program.run(&[&database.uri(), "--table=users", "--scratch=scratch"])?.expect(0);
    aws.fault(&json!({"service": "s3", "operation": "UploadPart", "mode": "hold", "seconds": 60, "times": -1}))?;
    let running = aws.start(&database.uri(), &["--table=users"])?;
    aws.wait_for_call("UploadPart")?;
    next()?;
    assert_eq!(scratch()?, 1);
    running.signal(&["KILL"])?;
    running.wait(STOPPED_WITHIN)?;
    assert_eq!(scratch()?, 1);
    next()?.says(&["removed what a killed run has left"])?;
    aws.program.check_scratch_is_empty()
}

#[test]
fn ctrl_c_while_the_crawler_runs_is_130_and_says_that_the_files_are_there() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.server()?.set_crawl(PATIENCE, Duration::from_secs(1), None)?;
    let running = aws.start(&database.uri(), &["--table=users"])?;
    aws.wait_for_call("StartCrawler")?;
    running.signal(&["INT"])?;
    running.wait(STOPPED_WITHIN)?.expect(130)?.says(&["the files are uploaded"])?;
    aws.program.check_scratch_is_empty()
}

#[test]
fn ctrl_c_cancels_a_query_in_athena() -> Result<()> {
    let database = tiny_shop()?;
    let aws = Aws::turn()?;
    aws.publish(&database.uri(), "users", &[ROLE])?.expect(0)?;
    aws.fault(
        &json!({"service": "athena", "operation": "GetQueryExecution", "mode": "hold", "seconds": 60, "times": -1}),
    )?;
    let query = ["query", "SELECT * FROM users", LAKE, "--athena-output=s3://lake/answers", "--glue-database=shop"];
    let running = aws.program.start(&query)?;
    aws.wait_for_call("GetQueryExecution")?;
    running.signal(&["INT"])?;
    let ended = running.wait(STOPPED_WITHIN)?.expect(130)?;
    assert_eq!(ended.stdout, "");
    assert_eq!(aws.calls("StopQueryExecution")?.len(), 1);
    Ok(())
}
