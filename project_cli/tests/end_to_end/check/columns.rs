//! The table on standard output.

use crate::lake_folder::runs;
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Result, ensure};
use std::fs::write;

#[test]
fn every_column_is_shown_with_its_types_and_what_is_lost() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        r#"CREATE TABLE odd ("Id" int, until timestamptz, amount numeric(15,2), figure numeric, tags text[], note text,
                             secret text)"#,
    )?;
    let program = Program::new()?;
    write(program.path("project.toml"), "[tables.\"public.odd\"]\nexclude = [\"secret\"]\nwhere = \"note <> ''\"\n")?;
    let uri = database.uri();
    let arguments = ["check", &uri, "--table=public.odd", "--config=project.toml", "--format=csv", "--nan=error"];
    let ended = program.run(&arguments)?.expect(0)?.says(&["public.odd reads only rows with note <> ''"])?;
    let expected = "\
task,table,column,postgres,code,drift,lake,parquet,athena,what is not exact
public.odd,public.odd,Id,integer,,,id,INT32,integer,
public.odd,public.odd,until,timestamp with time zone,,,until,\"TIMESTAMP(MILLIS,UTC)\",timestamp,microseconds are cut; infinite or outside the years 1 to 9999: clamped
public.odd,public.odd,amount,\"numeric(15,2)\",,,amount,\"DECIMAL(15,2)\",\"decimal(15,2)\",NaN: fails
public.odd,public.odd,figure,numeric,,,figure,\"DECIMAL(38,18)\",\"decimal(38,18)\",more digits before or after the point than the decimal has: fails; NaN: fails
public.odd,public.odd,tags,text[],,,tags,LIST<STRING>,array(varchar),several dimensions or other subscripts: fails
public.odd,public.odd,note,text,,,note,STRING,varchar,
";
    assert_eq!(ended.stdout, expected);
    ensure!(!program.lake().exists() || runs(&program.lake())?.is_empty(), "a check has written something");
    Ok(())
}

#[test]
fn a_task_with_structs_shows_what_it_reads_and_what_it_writes() -> Result<()> {
    let database = tiny_shop()?;
    let ended = Program::new()?.run(&["check", &database.uri(), "--table=combined_orders,products", "--format=csv"])?;
    let ended = ended.expect(0)?;
    for line in [
        "combined_orders,public.orders,amount,numeric,Nullable<Numeric>,,,,,",
        "combined_orders,public.orders,active,boolean,\"Bool, to filter by\",,,,,",
        "combined_orders,public.orders,uuid,uuid,\"Uuid, not read\",,,,,",
        "combined_orders,,,,,,amount_usd,\"DECIMAL(18,2)\",\"decimal(18,2)\",rounded to 2 decimals",
        "combined_orders,,,,,,created_at,TIMESTAMP(MILLIS),timestamp,microseconds are cut",
        "products,public.products,uuid,uuid,Option<UuidText>,,,,,",
        "products,,,,,,uuid,STRING,varchar,",
    ] {
        ensure!(ended.stdout.lines().any(|found| found == line), "expected {line:?}: {ended}");
    }
    Ok(())
}

#[test]
fn a_person_sees_no_null() -> Result<()> {
    let database = tiny_shop()?;
    let ended = Program::new()?.run(&["check", &database.uri(), "--table=users,events"])?.expect(0)?;
    ended.never_says("NULL ")?;
    Ok(())
}

#[test]
fn a_file_must_not_leave_out_the_column_that_cuts_a_table() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    write(program.path("project.toml"), "[tables.\"public.events\"]\nexclude = [\"created_at\"]\n")?;
    let (uri, says) =
        (database.uri(), ["public.events: the table is cut by the date of column \"created_at\"", "--config"]);
    let arguments = ["--table=events,users", "--config=project.toml", "--format=json"];
    program.run(&[&["check", &uri as &str], &arguments[..]].concat())?.expect(65)?.says(&says)?;
    let ended = program.run(&[&[&uri as &str], &arguments[..]].concat())?.expect(65)?.says(&says)?;
    assert_eq!(ended.published()?, ["users"]);
    Ok(())
}

#[test]
fn what_cannot_be_asked_fails_the_check() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    let ended =
        program.run(&["check", &database.uri(), "--table=events,public.nothing", "--format=csv"])?.expect(65)?;
    let ended = ended.says(&["public.nothing  REFUSED (65): public.nothing does not exist"])?;
    ensure!(ended.stdout.contains("\nevents,public.events,created_at,"), "{ended}");
    program.run(&["check", "postgres://nobody@127.0.0.1:1/shop"])?.expect(69)?;
    Ok(())
}
