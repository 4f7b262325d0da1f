//! Values that have no exact place, and what somebody has chosen for them; columns and rows that are left out.

use crate::program::{Ended, Program};
use anyhow::{Result, ensure};
use project_test_servers::postgres::{Database, Postgres};
use serde_json::json;
use std::fs::write;

/// A value without an exact place in every column but the first.
fn odd_table() -> Result<Database<'static>> {
    let database = Database::create(Postgres::shared()?)?;
    database.execute(
        "CREATE TABLE odd (id int PRIMARY KEY, until date NOT NULL, seen timestamptz, amount numeric(15,2), figure numeric,
                           secret text);
         INSERT INTO odd VALUES
             (1, 'infinity', '-infinity', 'NaN', 1.5, 's3cret'),
             (2, '0044-03-15 BC', '294276-12-31', 7.25, 'NaN', 's3cret'),
             (3, '2026-01-01', '2026-01-01 00:00:00.123456Z', NULL, 0.000000000000000001, NULL)",
    )?;
    Ok(database)
}

fn publish(program: &Program, database: &Database<'_>, choices: &[&str]) -> Result<Ended> {
    let uri = database.uri();
    let arguments = [&[&uri as &str, "--table=public.odd", "--format=json"], choices].concat();
    program.run(&arguments)
}

fn columns(program: &Program, columns: &str) -> Result<String> {
    program.query(&format!("SELECT {columns} FROM public_odd ORDER BY id"))
}

#[test]
fn a_table_without_a_task_is_changed_where_it_must_be_and_every_change_is_told() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    let ended = publish(&program, &database, &[])?.expect(0)?.says(&[
        "column \"until\": 2 values were infinite or out of range, clamped",
        "column \"seen\": 2 values were infinite or out of range, clamped",
        "column \"amount\": 1 values were NaN or infinite, now NULL",
        "column \"figure\": 1 values were NaN or infinite, now NULL",
    ])?;
    let changes = &ended.report()?["tasks"][0]["changes"];
    ensure!(changes.as_array().is_some_and(|changes| changes.len() == 4), "{changes}");
    assert_eq!(changes[0]["values"], 2);
    assert_eq!((&changes[0]["policy"], &changes[3]["policy"]), (&json!("infinity=clamp"), &json!("nan=null")));
    assert_eq!(columns(&program, "until")?, "until\n9999-12-31\n0001-01-01\n2026-01-01\n");
    assert_eq!(
        columns(&program, "seen")?,
        "seen\n0001-01-01 00:00:00+00:00\n9999-12-31 23:59:59.999+00:00\n2026-01-01 00:00:00.123+00:00\n"
    );
    assert_eq!(columns(&program, "amount")?, "amount\n\n7.25\n\n");
    let figures = "figure\n1.500000000000000000\n\n0.000000000000000001\n";
    assert_eq!(columns(&program, "figure")?, figures);
    Ok(())
}

#[test]
fn each_policy_can_be_chosen() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    publish(&program, &database, &["--infinity=null", "--nan=string", "--timestamp-unit=micros"])?.expect(0)?;
    assert_eq!(columns(&program, "until")?, "until\n\n\n2026-01-01\n");
    assert_eq!(columns(&program, "seen")?, "seen\n\n\n2026-01-01 00:00:00.123456+00:00\n");
    assert_eq!(columns(&program, "amount")?, "amount\nNaN\n7.25\n\n");
    assert_eq!(columns(&program, "figure")?, "figure\n1.5\nNaN\n0.000000000000000001\n");
    for (choice, says) in [
        ("--infinity=error", ["column \"until\" (date)", "--infinity=clamp"]),
        ("--nan=error", ["column \"amount\" (numeric(15,2))", "--nan=null"]),
    ] {
        publish(&program, &database, &[choice])?.expect(65)?.says(&says)?;
    }
    publish(&program, &database, &["--nan=nil"])?.expect(2)?.says(&["--nan=nil", "null or error or string", "nil"])?;
    Ok(())
}

#[test]
fn a_figure_that_a_decimal_cannot_hold_is_told_with_the_remedy() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    for figure in ["1e-19", "1e20", "repeat('9', 200)::numeric"] {
        database.execute(&format!("UPDATE odd SET figure = {figure} WHERE id = 3"))?;
        let says = ["public.odd", "column \"figure\" (numeric)", "--numeric=string"];
        publish(&program, &database, &[])?.expect(65)?.says(&says)?;
        publish(&program, &database, &["--numeric=string"])?.expect(0)?;
        let exact = database.query_text("SELECT figure::text FROM odd WHERE id = 3")?[0][0].clone();
        ensure!(columns(&program, "figure")?.ends_with(&format!("\n{}\n", exact.unwrap_or_default())), "{figure}");
    }
    Ok(())
}

#[test]
fn text_that_is_not_utf8_is_refused_replaced_or_kept_as_bytes() -> Result<()> {
    let database = Database::create_sql_ascii(Postgres::shared()?)?;
    database.execute(r"CREATE TABLE odd (id int, note text); INSERT INTO odd VALUES (1, 'fine'), (2, E'caf\xe9')")?;
    let program = Program::new()?;
    publish(&program, &database, &[])?.expect(65)?.says(&["column \"note\" (text)", "--invalid-text=replace"])?;
    let ended = publish(&program, &database, &["--invalid-text=replace"])?.expect(0)?;
    ended.says(&["column \"note\": 1 values were not valid UTF-8, replaced"])?;
    assert_eq!(columns(&program, "note")?, "note\nfine\ncaf\u{fffd}\n");
    publish(&program, &database, &["--invalid-text=binary"])?.expect(0)?;
    assert_eq!(columns(&program, "encode(note, 'hex') AS note")?, "note\n66696e65\n636166e9\n");
    Ok(())
}

#[test]
fn a_file_chooses_columns_rows_and_policies() -> Result<()> {
    let (database, program) = (odd_table()?, Program::new()?);
    write(
        program.path("project.toml"),
        "[tables.\"public.odd\"]\nexclude = [\"secret\"]\nwhere = \"id <> 3\"\ninfinity = \"null\"\n\
         [columns.\"public.odd\".seen]\ninfinity = \"clamp\"\n",
    )?;
    // The file wins over the flag, and the column over its table.
    publish(&program, &database, &["--config=project.toml", "--infinity=error"])?.expect(0)?;
    assert_eq!(columns(&program, "id, until")?, "id,until\n1,\n2,\n");
    assert_eq!(columns(&program, "seen")?, "seen\n0001-01-01 00:00:00+00:00\n9999-12-31 23:59:59.999+00:00\n");
    let refused = program.run(&["query", "SELECT secret FROM public_odd"])?;
    ensure!(refused.code == Some(65) || refused.code == Some(2), "{refused}");
    let bytes: Vec<u8> = program
        .lake()
        .join("public_odd")
        .read_dir()?
        .map(|file| Ok(std::fs::read(file?.path())?))
        .collect::<Result<Vec<_>>>()?
        .concat();
    ensure!(!bytes.windows(6).any(|word| word == b"secret"), "the column is still in the file");

    write(program.path("project.toml"), "[tables.\"public.odd\"]\ncolumns = [\"id\", \"nothing\"]\n")?;
    let ended = publish(&program, &database, &["--config=project.toml"])?.expect(65)?;
    ended.says(&["public.odd has no column \"nothing\"", "--config"])?;
    Ok(())
}

#[test]
fn a_file_cannot_choose_for_a_task_that_has_its_own_columns() -> Result<()> {
    let database = crate::shop::tiny_shop()?;
    let program = Program::new()?;
    write(program.path("project.toml"), "[tables.\"public.users\"]\nexclude = [\"email\"]\n")?;
    let uri = database.uri();
    let ended = program.run(&[&uri, "--table=users,events", "--config=project.toml", "--format=json"])?.expect(65)?;
    assert_eq!(ended.says(&["public.users", "--table=public.users"])?.published()?, ["events"]);
    let ended = program.run(&[&uri, "--table=public.users", "--config=project.toml", "--format=json"])?.expect(0)?;
    assert_eq!(ended.published()?, ["public_users"]);
    Ok(())
}
