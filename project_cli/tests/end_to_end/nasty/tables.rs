//! Tables of odd shapes, and tables that change.

use super::source::Source;
use crate::every_value::read_footer;
use crate::independent_reader::read;
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Result, ensure};

#[test]
fn n21_a_column_of_nothing_but_null_has_the_type_of_the_catalog() -> Result<()> {
    let database = tiny_shop()?;
    // No row of one date has a user or a payload.
    database.execute("INSERT INTO events VALUES (8, NULL, NULL, NULL, '2026-01-05 12:00Z'), (9, NULL, NULL, NULL, '2026-01-05 13:00Z')")?;
    let program = Program::new()?;
    program.publish(&database.uri(), "events")?.expect(0)?;
    // The reader refuses files of different types.
    for found in read(&program.lake().join("events"))? {
        assert_eq!((found.rows, found.partitions["dt=2026-01-05"]), (5, 2));
    }
    let leaves = read_footer(&program.lake().join("events/dt=2026-01-05"))?.leaves;
    assert_eq!((leaves["user_id"].physical.as_str(), leaves["payload"].logical.as_str()), ("INT32", "String"));
    Ok(())
}

#[test]
fn n30_a_table_without_columns_is_refused_with_the_reason_and_one_without_rows_is_not() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE hollow (); INSERT INTO hollow DEFAULT VALUES; CREATE TABLE empty (id int, note text);
         CREATE TABLE emptied (gone int); ALTER TABLE emptied DROP COLUMN gone",
    )?;
    for tables in ["public.hollow", "public.emptied"] {
        let ended = source.run(&format!("{tables},public.empty"), &[])?.expect(65)?;
        let ended = ended.says(&[tables, "has no columns to read"])?;
        assert_eq!(ended.published()?, ["public_empty"]);
        let says = [tables, "has no columns to read"];
        source.program.run(&["check", &source.database.uri(), "--table", tables])?.expect(65)?.says(&says)?;
    }
    assert_eq!(source.read("public_empty")?.types(), "note varchar");
    Ok(())
}

#[test]
fn n31_a_table_that_has_changed_since_the_last_run_arrives_as_it_is_now() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, dropped text, renamed int, retyped int, moved text);
         INSERT INTO t VALUES (1, 'a', 2, 3, 'm')",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    assert_eq!(source.read("public_t")?.types(), "dropped varchar, renamed integer, retyped integer, moved varchar");
    source.database.execute(
        "ALTER TABLE t DROP dropped; ALTER TABLE t RENAME renamed TO named; ALTER TABLE t ALTER retyped TYPE numeric(9,2);
         ALTER TABLE t ADD added date DEFAULT '2026-01-01'; ALTER TABLE t RENAME moved TO old; ALTER TABLE t ADD moved text;
         UPDATE t SET moved = old; ALTER TABLE t DROP old",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "named integer, retyped decimal(9,2), added date, moved varchar");
    let row = ["named", "retyped", "added", "moved"]
        .map(|column| read.column(column))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    assert_eq!(row.concat(), ["2", "3.00", "2026-01-01", "m"]);
    Ok(())
}

#[test]
fn n33_three_thousand_partitions_are_one_table() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, note text) PARTITION BY LIST (id);
         SELECT format('CREATE TABLE t_%s PARTITION OF t FOR VALUES IN (%s)', i, i) FROM generate_series(1, 3000) AS i \\gexec
         INSERT INTO t SELECT i, 'note ' || i FROM generate_series(1, 3000) AS i",
    )?;
    source.run("public.t", &["--workers=2"])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("note")?, source.printed("t", "note")?);
    Ok(())
}

#[test]
fn n33_a_view_an_heir_and_a_table_whose_rows_are_hidden() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE parent (id int, note text); CREATE TABLE heir (more int) INHERITS (parent);
         INSERT INTO parent VALUES (1, 'parent'); INSERT INTO heir VALUES (2, 'heir', 3);
         CREATE VIEW view AS SELECT id, upper(note) AS note FROM parent;
         CREATE MATERIALIZED VIEW kept AS SELECT * FROM view;
         CREATE TABLE hidden (id int, owner text); INSERT INTO hidden VALUES (1, 'locked'), (2, 'somebody else');
         ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON hidden USING (owner = current_user);
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO locked",
    )?;
    source.run("public.parent,public.view,public.kept,public.heir", &[])?.expect(0)?;
    assert_eq!(source.read("public_parent")?.column("note")?, ["parent", "heir"]);
    assert_eq!(source.read("public_view")?.column("note")?, ["PARENT", "HEIR"]);
    assert_eq!(source.read("public_kept")?.column("note")?, ["PARENT", "HEIR"]);
    assert_eq!(source.read("public_heir")?.types(), "note varchar, more integer");
    // Half of the rows would look like all of them.
    let uri = source.database.uri_with_password("locked");
    let ended = source.program.publish(&uri, "public.hidden,public.parent")?;
    ensure!(ended.code != Some(0), "the rows that a policy leaves were taken for the table: {ended}");
    let ended = ended.says(&["public.hidden", "row"])?;
    assert_eq!(ended.published()?, ["public_parent"]);
    Ok(())
}

#[test]
fn n37_the_timeouts_of_the_server_do_not_end_a_long_read() -> Result<()> {
    let source = Source::new("CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(1)::text AS slept")?;
    let name = source.database.name();
    for setting in [
        "statement_timeout = '300ms'",
        "idle_in_transaction_session_timeout = '300ms'",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
    ] {
        source.database.execute(&format!("ALTER DATABASE {name} SET {setting}"))?;
    }
    source.run("public.slow", &[])?.expect(0)?;
    assert_eq!(source.read("public_slow")?.column("slept")?, [""]);
    Ok(())
}
