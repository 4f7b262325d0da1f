//! `--rejects`: rows that the lake cannot hold are put aside, with what is known of them, and the others arrive.

use crate::program::Program;
use anyhow::Result;
use project_test_servers::postgres::{Database, Postgres};

const ROWS: &str = "SELECT count(*) AS n FROM public_odd";

/// Five rows with a value that is refused under `error`, one of them with two, among a hundred.
fn odd_table() -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(
        "CREATE TABLE odd (id int, part int, until date NOT NULL, amount numeric, tags text[], PRIMARY KEY (id, part));
         INSERT INTO odd SELECT id, 0, date '2026-01-01' + id, id * 1.5, '{a}' FROM generate_series(1, 100) AS id;
         UPDATE odd SET until = 'infinity', amount = 'NaN' WHERE id = 10;
         UPDATE odd SET until = '0044-03-15 BC' WHERE id = 20;
         UPDATE odd SET amount = 1e-30 WHERE id = 30;
         UPDATE odd SET tags = '{{a,b},{c,d}}' WHERE id = 40;
         UPDATE odd SET amount = '-Infinity' WHERE id = 100",
    )?;
    Ok(database)
}

#[test]
fn what_cannot_be_kept_is_put_aside_with_key_column_text_and_reason() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    let uri = database.uri();
    let exact = [&uri, "--table=public.odd", "--infinity=error", "--nan=error", "--format=json"];
    program.run(&exact)?.expect(65)?;
    let ended = program.run(&[&exact[..], &["--rejects=5"]].concat())?.expect(0)?;
    let ended = ended.says(&["5 rows were rejected and are missing; table public_odd__rejects says why"])?;
    let task = &ended.report()?["tasks"][0];
    assert_eq!((&task["rows"], &task["rejected"]), (&95.into(), &5.into()));
    assert_eq!(program.query(ROWS)?, "n\n95\n");
    let rejects = "SELECT row_key, column_name, raw_text FROM public_odd__rejects ORDER BY row_key, column_name";
    let expected = "row_key,column_name,raw_text\n\
        \"{\"\"id\"\": 10, \"\"part\"\": 0}\",amount,NaN\n\
        \"{\"\"id\"\": 10, \"\"part\"\": 0}\",until,infinity\n\
        \"{\"\"id\"\": 100, \"\"part\"\": 0}\",amount,-Infinity\n\
        \"{\"\"id\"\": 20, \"\"part\"\": 0}\",until,0044-03-15 BC\n\
        \"{\"\"id\"\": 30, \"\"part\"\": 0}\",amount,0.000000000000000000000000000001\n\
        \"{\"\"id\"\": 40, \"\"part\"\": 0}\",tags,\"{{a,b},{c,d}}\"\n";
    assert_eq!(program.query(rejects)?, expected);
    let reasons = program.query("SELECT reason FROM public_odd__rejects WHERE column_name = 'tags'")?;
    assert!(reasons.contains("several dimensions"), "{reasons}");
    Ok(())
}

#[test]
fn more_than_allowed_fail_the_table_and_an_earlier_one_stays() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    let uri = database.uri();
    let all = [&uri, "--table=public.odd", "--infinity=error", "--nan=error"];
    program.run(&[&all[..], &["--rejects=5"]].concat())?.expect(0)?;
    let says = ["public.odd", "more than 4 rows", "raise --rejects"];
    program.run(&[&all[..], &["--rejects=4"]].concat())?.expect(65)?.says(&says)?;
    assert_eq!(program.query(ROWS)?, "n\n95\n");
    // Nothing is wrong any more: the table of rejects is there and empty.
    database.execute("DELETE FROM odd WHERE id IN (10, 20, 30, 40, 100)")?;
    program.run(&[&all[..], &["--rejects=0"]].concat())?.expect(0)?;
    assert_eq!(program.query("SELECT count(*) AS n FROM public_odd__rejects")?, "n\n0\n");
    Ok(())
}

#[test]
fn a_table_that_is_refused_keeps_what_was_left_out_of_it_and_counts_as_not_published() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    let uri = database.uri();
    let all = [&uri, "--table=public.odd", "--infinity=error", "--nan=error", "--rejects=9", "--format=json"];
    program.run(&all)?.expect(0)?;
    let rejects = "SELECT count(*) AS n FROM public_odd__rejects";
    let before = program.query(rejects)?;
    database.execute("DELETE FROM odd WHERE id > 30")?;
    let refused = program.run(&all)?.expect(65)?.says(&["failed: 0 of 1 table published"])?;
    assert_eq!(refused.report()?["tasks"][0]["published"], false);
    assert_eq!(program.query(rejects)?, before);
    assert_eq!(program.query(ROWS)?, "n\n95\n");
    Ok(())
}

#[test]
fn a_view_has_no_keys_and_a_table_may_be_rejected_whole() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    let uri = database.uri();
    database.execute("CREATE VIEW seen AS SELECT * FROM odd WHERE id IN (10, 20)")?;
    let ended =
        program.run(&[&uri, "--table=public.seen", "--infinity=error", "--nan=error", "--rejects=9"])?.expect(0)?;
    ended.says(&["2 rows were rejected"])?;
    assert_eq!(program.query("SELECT count(*) AS n FROM public_seen")?, "n\n0\n");
    let known = program.query("SELECT count(row_key) AS keys, count(*) AS n FROM public_seen__rejects")?;
    assert_eq!(known, "keys,n\n0,3\n");
    Ok(())
}

#[test]
fn invalid_text_and_partitions_are_found_again() -> Result<()> {
    let database = Database::create_sql_ascii(Postgres::shared()?)?;
    let program = Program::new()?;
    database.execute(
        "CREATE TABLE odd (id int, name text NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE odd_low PARTITION OF odd FOR VALUES FROM (0) TO (50);
         CREATE TABLE odd_high PARTITION OF odd FOR VALUES FROM (50) TO (200);
         INSERT INTO odd SELECT id, 'fine' FROM generate_series(1, 100) AS id;
         UPDATE odd SET name = E'caf\\xe9' WHERE id IN (7, 77)",
    )?;
    let uri = database.uri();
    program.run(&[&uri, "--table=public.odd", "--rejects=2"])?.expect(0)?.says(&["2 rows were rejected"])?;
    assert_eq!(program.query(ROWS)?, "n\n98\n");
    let rejects = program.query("SELECT row_key, raw_text FROM public_odd__rejects ORDER BY length(row_key)")?;
    let expected = "row_key,raw_text\n\"{\"\"id\"\": 7}\",caf\u{fffd}\n\"{\"\"id\"\": 77}\",caf\u{fffd}\n";
    assert_eq!(rejects, expected);
    Ok(())
}
