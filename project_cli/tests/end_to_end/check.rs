//! `project check`: what a run would do, without reading a row.

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
    let ended = program.run(&arguments)?.expect(0)?.says(&["public.odd", "only rows with"])?;
    let expected = "\
task,table,column,postgres,lake,parquet,athena,what is not exact
public.odd,public.odd,Id,integer,id,INT32,integer,
public.odd,public.odd,until,timestamp with time zone,until,\"TIMESTAMP(MILLIS,UTC)\",timestamp,microseconds are cut; infinite or outside the years 1 to 9999: clamped
public.odd,public.odd,amount,\"numeric(15,2)\",amount,\"DECIMAL(15,2)\",\"decimal(15,2)\",NaN: fails
public.odd,public.odd,figure,numeric,figure,\"DECIMAL(38,18)\",\"decimal(38,18)\",more digits before or after the point than the decimal has: fails; NaN: fails
public.odd,public.odd,tags,text[],tags,LIST<STRING>,array(varchar),several dimensions or other subscripts: fails
public.odd,public.odd,note,text,note,STRING,varchar,
";
    assert_eq!(ended.stdout, expected);
    ensure!(!program.lake().exists() || runs(&program.lake())?.is_empty(), "a check has written something");
    Ok(())
}

#[test]
fn what_would_fail_a_run_fails_the_check() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("ALTER TABLE products DROP COLUMN price")?;
    let program = Program::new()?;
    let tables = "--table=all,stream_tasks,huge_tasks,public.nothing";
    let ended = program.run(&["check", &database.uri(), tables, "--format=csv"])?.expect(65)?;
    let ended = ended.says(&["public.products has no column \"price\"", "public.nothing does not exist"])?;
    ensure!(ended.stdout.contains("\nevents,public.events,created_at,"), "{ended}");
    ensure!(ended.stdout.contains("\nusers,public.users,email,character varying,,,,by the task's struct"), "{ended}");
    program.run(&["check", "postgres://nobody@127.0.0.1:1/shop"])?.expect(69)?;
    Ok(())
}
