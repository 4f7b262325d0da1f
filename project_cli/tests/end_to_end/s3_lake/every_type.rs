//! Types that no task of the shop has, in the catalog.

use super::{Aws, ROLE};
use crate::golden::golden;
use anyhow::{Context, Result, ensure};

#[test]
fn the_crawler_finds_every_type_of_the_golden_matrix_as_the_files_have_it() -> Result<()> {
    let (database, aws) = (golden()?, Aws::turn()?);
    // The run itself compares the catalog with its files, and fails when they differ.
    aws.publish(&database.uri(), "golden.full", &[ROLE])?.expect(0)?;
    let (columns, _) = aws.glue_columns("golden_full")?;
    for expected in [
        "big bigint",
        "thousandths decimal(5,5)",
        "attributes map<string,string>",
        "shift struct<day:int,hours:array<struct<lower:int,upper:int,lower_inclusive:boolean,upper_inclusive:boolean,empty:boolean>>>",
        "tag_lists array<array<string>>",
        "bytes binary",
    ] {
        ensure!(columns.iter().any(|column| column == expected), "{expected} is not in {columns:?}");
    }
    let answer = aws.query("SELECT count(*) AS n, max(big) AS big FROM golden_full")?;
    let last = answer.lines().last().context("a line")?;
    ensure!(last.ends_with(",9223372036854775807"), "{answer}");
    Ok(())
}
