//! `--file`: results go back into Postgres, and only there where TARGET_DATABASE_URL leads.

use crate::deadline::wait_for;
use crate::program::{Ended, Program};
use crate::shop::{sample_shop, value};
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres};
use std::fs::{read_to_string, write};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A database to write to, and the binary that knows it.
fn target(sql: &str) -> Result<(Database<'static>, Program)> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(sql)?;
    let program = Program::new()?.with_environment([("TARGET_DATABASE_URL", database.uri())]);
    Ok((database, program))
}

/// What the report says of the rows: read, inserted, updated, unchanged, deleted.
fn figures(ended: &Ended) -> Result<[u64; 5]> {
    let report = ended.report()?;
    let step = &report["steps"][0];
    ensure!(step["step"] == "file", "{step}");
    let figure = |name: &str| step["insertion"][name].as_u64().with_context(|| format!("{name} in {step}"));
    Ok([figure("rows_read")?, figure("inserted")?, figure("updated")?, figure("unchanged")?, figure("deleted")?])
}

#[test]
fn a_file_goes_into_a_table_and_a_rerun_changes_nothing() -> Result<()> {
    let (database, program) =
        target("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'old'), (9, 'gone')")?;
    write(program.path("a.csv"), "id,name\n1,new\n2,two\n")?;
    let run = |more: &[&str]| program.run(&[&["--file=a.csv", "--into=public.t", "--format=json"], more].concat());
    let inserted = run(&[])?.expect(0)?;
    assert_eq!(figures(&inserted)?, [2, 1, 0, 1, 0]);
    inserted
        .says(&["--file: a.csv into public.t: 2 rows read = 1 inserted + 0 updated + 1 unchanged (1 of them differ"])?;
    assert_eq!(figures(&run(&["--mode=upsert"])?.expect(0)?)?, [2, 0, 1, 1, 0]);
    assert_eq!(figures(&run(&["--mode=replace", "--report=report.html"])?.expect(0)?)?, [2, 0, 0, 2, 1]);
    assert_eq!(figures(&run(&["--mode=replace"])?.expect(0)?)?, [2, 0, 0, 2, 0]);
    assert_eq!(database.query_text("SELECT id, name FROM t ORDER BY id")?.concat().len(), 4);
    assert_eq!(value(&database, "SELECT string_agg(name, ',' ORDER BY id) FROM t")?, "new,two");
    let page = read_to_string(program.path("report.html"))?;
    ensure!(page.contains("2 rows read") && page.contains("1 deleted"), "{page}");
    ensure!(!program.lake().exists(), "a run without tables has made a lake");
    program.check_scratch_is_empty()
}

#[test]
fn bad_input_is_a_sentence_and_its_exit_code() -> Result<()> {
    let (database, program) = target("CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE keyless (id int)")?;
    write(program.path("good.csv"), "id,name\n1,canary\n")?;
    write(program.path("bad.csv"), "id,name\ncanary,x\n")?;
    write(program.path("wrong.csv"), "id,nmae\n1,canary\n")?;
    for (arguments, code, words) in [
        (&["--file=good.csv", "--into=public.nothing"][..], 65, &["no table public.nothing"][..]),
        (&["--file=good.csv", "--into=public.keyless"], 65, &["no primary key", "--key"]),
        (&["--file=good.csv", "--into=public.t", "--key=nmae"], 65, &["no column \"nmae\""]),
        (&["--file=bad.csv", "--into=public.t"], 65, &["line 2 of bad.csv", "column \"id\""]),
        (&["--file=wrong.csv", "--into=public.t"], 65, &["no column \"nmae\""]),
        (&["--file=missing.csv", "--into=public.t"], 78, &["missing.csv", "no such file"]),
        (&["--file=good.csv"], 78, &["--into"]),
        (&["--file=good.csv", "--into=public.t", "--mode=merge"], 2, &["--mode"]),
        (&["--file=query:SELECT 1", "--into=public.t"], 65, &["lake"]),
    ] {
        program.run(arguments)?.expect(code)?.says(words)?.never_says("canary")?;
        assert_eq!(value(&database, "SELECT count(*) FROM t")?, "0", "{arguments:?}");
    }
    let nobody = Program::new()?.with_environment([("TARGET_DATABASE_URL", "postgres://u@127.0.0.1:1/d".to_owned())]);
    write(nobody.path("good.csv"), "id\n1\n")?;
    nobody.run(&["--file=good.csv", "--into=public.t"])?.expect(69)?.says(&["does not answer"])?;
    program.check_scratch_is_empty()
}

#[test]
fn the_source_is_never_written_even_where_it_could_be() -> Result<()> {
    let source = Database::create(Postgres::shared()?)?;
    source.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")?;
    let program = Program::new()?.with_environment([("DATABASE_URL", source.uri())]);
    write(program.path("a.csv"), "id,name\n1,new\n")?;
    let arguments = ["--file=a.csv", "--into=public.t", "--mode=upsert"];
    program.run(&arguments)?.expect(78)?.says(&["TARGET_DATABASE_URL"])?;
    program.run(&[&[source.uri().as_str()], &arguments[..]].concat())?.expect(78)?.says(&["TARGET_DATABASE_URL"])?;
    let itself =
        Program::new()?.with_environment([("TARGET_DATABASE_URL", source.uri()), ("DATABASE_URL", source.uri())]);
    write(itself.path("a.csv"), "id,name\n1,new\n")?;
    itself.run(&arguments)?.expect(78)?.says(&["the database that is read is never written to"])?;
    assert_eq!(value(&source, "SELECT count(*) FROM t")?, "0");
    Ok(())
}

#[test]
fn a_table_is_published_and_the_answer_of_the_lake_goes_back() -> Result<()> {
    let shop = sample_shop()?;
    let (database, program) = target(
        "CREATE TABLE sales (country text PRIMARY KEY, users bigint NOT NULL, first timestamp, average numeric(20,4), none text)",
    )?;
    let sql = "query:SELECT country, count(*) AS users, min(created_at) AS first, CAST(1.5 AS decimal(10,1)) AS average, \
               CAST(NULL AS varchar) AS none FROM users WHERE country IS NOT NULL GROUP BY country";
    let arguments =
        [&shop.uri(), "--table=users", "--file", sql, "--into=public.sales", "--mode=replace", "--format=json"];
    let ended = program.run(&arguments)?.expect(0)?;
    assert_eq!(ended.published()?, ["users"]);
    let expected = shop.query_text("SELECT country, count(*), date_trunc('milliseconds', min(created_at)), '1.5000', NULL FROM users WHERE country IS NOT NULL GROUP BY country ORDER BY country COLLATE \"C\"")?;
    assert_eq!(database.query_text("SELECT * FROM sales ORDER BY country COLLATE \"C\"")?, expected);
    assert_eq!(figures(&ended)?[1], expected.len() as u64);
    let again = program.run(&arguments)?.expect(0)?;
    assert_eq!(figures(&again)?, [expected.len() as u64, 0, 0, expected.len() as u64, 0]);
    let empty = program.run(&[
        "--file=query:SELECT country, 1 AS users FROM users WHERE 1 = 0",
        "--into=public.sales",
        "--format=json",
    ])?;
    assert_eq!(figures(&empty.expect(0)?)?, [0; 5]);
    let wrong = ["--file=query:SELECT country, random() AS users FROM users", "--into=public.sales"];
    program.run(&wrong)?.expect(65)?.says(&["\"users\" is FLOAT64"])?;
    for failing in [
        "query:SELECT country, CAST('canary' || country AS int) AS users FROM users",
        "query:SELECT country, CAST(id + 8127301 AS smallint) AS users FROM users",
        "query:SELECT country, CAST(CAST(id + 8127301 AS decimal(20,2)) AS decimal(4,2)) AS users FROM users",
    ] {
        let ended = program.run(&["--file", failing, "--into=public.sales"])?.expect(65)?;
        let ended = ended.says(&["the query on the lake", "cannot be converted or computed", "project query"])?;
        ended.never_says("canary")?.never_says("81273")?;
    }
    program.check_scratch_is_empty()
}

#[test]
fn after_a_failure_nothing_goes_back() -> Result<()> {
    let source = Database::create(Postgres::shared()?)?;
    source.execute("CREATE TABLE broken AS SELECT 'NaN'::numeric AS n")?;
    let (database, program) = target("CREATE TABLE t (id int PRIMARY KEY)")?;
    write(program.path("a.csv"), "id\n1\n")?;
    let ended =
        program.run(&[&source.uri(), "--table=public.broken", "--nan=error", "--file=a.csv", "--into=public.t"])?;
    ended.expect(65)?.says(&["not done, because the run failed before"])?;
    assert_eq!(value(&database, "SELECT count(*) FROM t")?, "0");
    Ok(())
}

/// Types that come back as they went, in the order of their columns.
const ROUND_TRIP: &str = "b bool, i2 int2, i4 int4, i8 int8, o oid, f4 float4, f8 float8, n numeric(20,6), d date,
    ts timestamp(3), tz timestamptz(3), s text, v varchar(9), c char(5), j json, jb jsonb, u uuid, bin bytea, t time, tt timetz,
    iv interval, m money, bits bit(3), ip inet, x xml, v2 tsvector, p point, mood mood, a4 int4[], at text[], an numeric(6,2)[], am mood[]";

#[test]
fn what_was_exported_comes_back_to_the_last_bit() -> Result<()> {
    let schema = format!("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, {ROUND_TRIP})");
    let source = Database::create(Postgres::shared()?)?;
    source.execute(&schema)?;
    source.execute(
        "INSERT INTO t VALUES
         (1, true, -32768, -2147483648, -9223372036854775808, 4294967295, '-0', 'NaN', -99999999999999.999999, '0001-01-01',
          '9999-12-31 23:59:59.999', '2026-01-02 03:04:05.678+02', E'a\"\\\\,\\n\\t', 'ärger', 'ab', '{ \"a\" : 1.0 }', '{\"a\": 1.00}',
          '00010203-0405-0607-0809-0a0b0c0d0e0f', '\\x00ff', '24:00', '12:00:00+05:30', '1 mon -2 days 03:00', '-12.34', B'101',
          '10.0.0.1/8', '<a>b</a>', 'a:1 b:2', '(1,2)', 'ok', '{1,NULL,3}', '{\"a,b\",NULL,\"\",\"NULL\"}', '{1.5,NULL}', '{ok,NULL}'),
         (2, false, 32767, 0, 9223372036854775807, 0, 'Infinity', '-1e-300', 0, '9999-12-31', '0001-01-01', '1582-10-14 00:00+00', '',
          '', '', '[]', '[]', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '', '00:00', '00:00+00', '0', '0', B'000', '::1', '<a/>', '', '(0,0)',
          'sad', '{}', '{}', '{}', '{}')",
    )?;
    source.execute("INSERT INTO t (id) VALUES (3)")?;
    let (database, program) = target(&schema)?;
    program.publish(&source.uri(), "public.t")?.expect(0)?;
    let ended = program.run(&["--file=lake/public_t", "--into=public.t", "--format=json"])?.expect(0)?;
    assert_eq!(figures(&ended)?, [3, 3, 0, 0, 0]);
    let rows = "SELECT t::text FROM t ORDER BY id";
    assert_eq!(database.query_text(rows)?, source.query_text(rows)?);
    assert_eq!(
        figures(
            &program.run(&["--file=lake/public_t", "--into=public.t", "--mode=replace", "--format=json"])?.expect(0)?
        )?,
        [3, 0, 0, 3, 0]
    );
    Ok(())
}

const MANY: u32 = 300_000;

#[test]
fn killed_at_any_moment_there_are_the_old_rows_or_the_new_ones() -> Result<()> {
    let (database, program) =
        target("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (-1, 'old')")?;
    let text = (0..MANY).fold("id,name\n".to_owned(), |text, id| text + &format!("{id},name of {id}\n"));
    write(program.path("many.csv"), text)?;
    let arguments = ["--file=many.csv", "--into=public.t", "--mode=replace", "--max-shrink=100"];
    let rows = || value(&database, "SELECT count(*) FROM t");
    let everything = MANY.to_string();
    let mut seen_old = false;
    for moment in 0..12u64 {
        let running = program.start(&arguments)?;
        std::thread::sleep(Duration::from_millis(40 + moment * 90));
        running.kill()?;
        wait_for("the end of the session and of its staging table", PATIENCE, || {
            let left = value(
                &database,
                "SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'project/%' AND datname = current_database())
                      + (SELECT count(*) FROM pg_class WHERE relname = 'project_staging')",
            )?;
            Ok((left == "0").then_some(()))
        })?;
        let found = rows()?;
        ensure!(found == "1" || found == everything, "{found} rows after a kill");
        seen_old |= found == "1";
        if found == everything {
            database.execute("DELETE FROM t; INSERT INTO t VALUES (-1, 'old')")?;
        }
    }
    ensure!(seen_old, "no kill came early enough to show anything");
    program.run(&arguments)?.expect(0)?;
    assert_eq!(rows()?, everything);
    Ok(())
}

#[test]
fn ctrl_c_and_sigterm_roll_back_within_seconds() -> Result<()> {
    let (database, program) = target(
        "CREATE TABLE t (id int PRIMARY KEY);
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(100); RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()",
    )?;
    write(program.path("a.csv"), "id\n1\n")?;
    let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let running = program.start(&["--file=a.csv", "--into=public.t"])?;
        wait_for("the slow trigger", PATIENCE, || Ok((value(&database, sleeping)? == "1").then_some(())))?;
        running.signal(&[signal])?;
        running.wait(Duration::from_secs(10))?.expect(code)?;
        wait_for("the end of the statement", Duration::from_secs(5), || {
            Ok((value(&database, sleeping)? == "0").then_some(()))
        })?;
        assert_eq!(value(&database, "SELECT count(*) FROM t")?, "0");
    }
    Ok(())
}
