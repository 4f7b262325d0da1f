//! Connections that break in the middle of a table.

use crate::lake_folder::{listing, runs};
use crate::program::{Ended, Program};
use crate::table_read::parts::{NOISE_ROWS, noise};
use anyhow::{Result, ensure};
use project_test_servers::dropping_proxy::DroppingProxy;
use std::time::Duration;

/// Reading, losing the connection and reading the other tables take a few seconds; a worker that hangs takes longer.
const DEADLINE: Duration = Duration::from_secs(40);
/// A row of `noise` on the wire: headers of the message, the row and two values, the id and a kilobyte.
const ROW_BYTES: u64 = 5 + 2 + 4 + 4 + 4 + 1024;

/// Reads `noise` and `quiet` on a way that breaks each connection after this part of all bytes.
fn read_over_a_way_that_breaks(workers: &str, part: f64) -> Result<(Program, Ended)> {
    let database = noise()?;
    let allowed = ((NOISE_ROWS * ROW_BYTES) as f64 * part) as u64;
    let proxy = DroppingProxy::start(database.server().port(), allowed)?;
    let uri = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
    let program = Program::new()?;
    let tables = "--table=public.noise,public.quiet";
    let ended = program.start(&[&uri, tables, workers, "--attempts=1", "--format=json"])?.wait(DEADLINE)?.expect(69)?;
    ensure!(proxy.cut() >= 1, "no connection was cut: {ended}");
    Ok((program, ended))
}

fn check_that_only_the_other_table_is_there(program: &Program, ended: &Ended) -> Result<()> {
    assert_eq!(ended.published()?, ["public_quiet"]);
    let left = listing(&program.lake().join(runs(&program.lake())?.concat()))?;
    let left: Vec<String> = left.keys().map(|path| path.display().to_string()).collect();
    assert_eq!(left, ["public_quiet", "public_quiet/part-00000.parquet"]);
    Ok(())
}

#[test]
fn a_connection_that_breaks_at_nine_tenths_fails_its_table_alone() -> Result<()> {
    let (program, ended) = read_over_a_way_that_breaks("--workers=1", 0.9)?;
    let ended = ended.says(&["public.noise, all of public.noise", "the connection was lost"])?;
    check_that_only_the_other_table_is_there(&program, &ended)
}

#[test]
fn with_several_workers_the_broken_one_names_its_blocks_and_no_other_hangs() -> Result<()> {
    // Each of the two gets about half, so that one breaks when nine tenths have come.
    let (program, ended) = read_over_a_way_that_breaks("--workers=2", 0.45)?;
    let ended = ended.says(&["public.noise, blocks ", " of public.noise", "the connection was lost"])?;
    check_that_only_the_other_table_is_there(&program, &ended)
}
