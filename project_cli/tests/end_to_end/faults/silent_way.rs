//! A connection that stays open and on which nothing comes any more.

use super::long_tables::create;
use crate::lake_folder::links;
use crate::program::Program;
use crate::shop::empty_shop;
use anyhow::{Context, Result, ensure};
use project_test_servers::dropping_proxy::{Break, DroppingProxy, Manner};
use std::time::{Duration, Instant};

/// More than a run reads of the catalog on one connection, and less than each table has.
const BEFORE: u64 = 400_000;
/// Of a run that waits two seconds for the server.
const DEADLINE: Duration = Duration::from_secs(40);

#[test]
fn every_reader_gives_a_silent_server_up() -> Result<()> {
    let database = create()?;
    for table in ["users", "products", "public.wide"] {
        let silent = |_| Some(Break { after: BEFORE, how: Manner::Silent });
        let proxy = DroppingProxy::breaking(database.server().port(), silent)?;
        let uri = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
        let program = Program::new()?;
        let patience = ["--read-timeout=2s", "--attempts=2", "--retry-delay=0", "--workers=1"];
        let start = Instant::now();
        let arguments = [&[uri.as_str(), "--table", table], &patience[..]].concat();
        let ended = program.start(&arguments)?.wait(DEADLINE).with_context(|| table.to_owned())?.expect(69)?;
        let ended = ended.says(&["attempt 1 of 2 is lost", "the server has sent nothing for 2 s", "--read-timeout"])?;
        ensure!(proxy.cut() >= 2, "{table}: {ended}");
        ensure!(links(&program.lake())?.is_empty(), "{table}: {ended}");
        ensure!(start.elapsed() >= Duration::from_secs(4), "{table}: {ended}");
    }
    Ok(())
}

#[test]
fn a_server_that_falls_silent_before_the_first_table_is_given_up() -> Result<()> {
    let database = empty_shop()?;
    // Within the login, within the look at the catalog, before the snapshot.
    for after in [0, 500, 2_500] {
        let silent = move |_| Some(Break { after, how: Manner::Silent });
        let proxy = DroppingProxy::breaking(database.server().port(), silent)?;
        let uri = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
        let program = Program::new()?;
        let arguments = [&uri, "--table=users", "--read-timeout=2s", "--attempts=1"];
        program.start(&arguments)?.wait(DEADLINE)?.expect(69)?;
    }
    Ok(())
}
