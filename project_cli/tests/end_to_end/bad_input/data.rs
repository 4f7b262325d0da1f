//! What the source holds, or does not hold.

use crate::independent_reader::{compare, read};
use crate::lake_folder::{links, runs};
use crate::program::Program;
use crate::shop::{EVERYTHING, TABLES, empty_shop, tiny_shop};
use anyhow::{Context, Result, ensure};
use project_test_servers::postgres::{Database, Postgres};

#[test]
fn a_missing_table_fails_its_task_alone() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("DROP TABLE taxes")?;
    let program = Program::new()?;
    let ended = program.publish(&database.uri(), "combined_orders,users,products,public.nothing")?.expect(65)?;
    let ended = ended.says(&["public.taxes does not exist", "public.nothing does not exist"])?;
    assert_eq!(ended.published()?, ["users", "products"]);
    assert_eq!(links(&program.lake())?.len(), 2);
    Ok(())
}

#[test]
fn a_missing_column_fails_its_task_alone() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("ALTER TABLE products DROP COLUMN price")?;
    let program = Program::new()?;
    let ended = program.publish(&database.uri(), EVERYTHING)?.expect(65)?;
    let ended = ended.says(&["public.products has no column \"price\""])?;
    assert_eq!(ended.published()?, ["combined_orders", "users", "events", "public_currencies"]);
    Ok(())
}

#[test]
fn when_every_task_is_refused_nothing_is_written() -> Result<()> {
    let database = tiny_shop()?;
    let program = Program::new()?;
    program.publish(&database.uri(), "public.nothing")?.expect(65)?;
    program.publish(&database.uri(), "nowhere.*")?.expect(65)?.says(&["nowhere"])?;
    ensure!(!program.lake().exists() || runs(&program.lake())?.is_empty(), "a run has left its folder");
    Ok(())
}

#[test]
fn a_value_that_does_not_fit_is_65_with_table_and_column_and_without_the_value() -> Result<()> {
    const VALUE: &str = "98765432109876543";
    for (spoil, task, place) in [
        (format!("UPDATE orders SET amount = {VALUE} WHERE id = 2"), "combined_orders", ["order 2", "amount"]),
        (format!("UPDATE products SET price = {VALUE} WHERE id = 2"), "products", ["products", "price"]),
        (
            format!(
                "ALTER TABLE taxes ADD COLUMN at timestamp; INSERT INTO taxes VALUES ({}, 1, 0, 'infinity')",
                &VALUE[..8]
            ),
            "public.taxes",
            ["public.taxes", "\"at\""],
        ),
        (
            "INSERT INTO events VALUES (98765432, 1, '', NULL, '-infinity')".to_owned(),
            "events",
            ["public.events", "created_at"],
        ),
    ] {
        let database = tiny_shop()?;
        let program = Program::new()?;
        program.publish(&database.uri(), &format!("{task},users"))?.expect(0)?;
        let before = links(&program.lake())?;
        database.execute(&spoil)?;
        let tables = format!("{task},users");
        let exact = ["--infinity=error", "--nan=error", "--format=json", "-vv"];
        let ended = program.run(&[&[&database.uri() as &str, "--table", &tables], &exact[..]].concat())?;
        let ended = ended.expect(65)?.says(&place)?.never_says(&VALUE[..8])?;
        assert_eq!(ended.published()?, ["users"], "{task}");
        let folder = task.replace('.', "_");
        assert_eq!(links(&program.lake())?[&folder], before[&folder], "{task}");
        let failed = program.lake().join(runs(&program.lake())?.pop().context("a run")?).join(&folder);
        ensure!(!failed.exists(), "{} was left behind", failed.display());
    }
    Ok(())
}

#[test]
fn a_value_that_does_not_fit_is_found_by_the_blocks_or_the_date_that_were_read() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "ALTER TABLE events ADD COLUMN price numeric(15,2);
         INSERT INTO events VALUES (9, 1, 'view', '{}', '2026-01-07 12:00Z', 'NaN');
         CREATE TABLE sparse (id int, price numeric(15,2), pad text) WITH (fillfactor = 10);
         INSERT INTO sparse SELECT id, CASE WHEN id = 9000 THEN numeric 'NaN' ELSE id END, repeat('-', 600)
             FROM generate_series(1, 10000) AS id",
    )?;
    let program = Program::new()?;
    let tables = "--table=public.sparse,events,users";
    let ended = program.run(&[&database.uri(), tables, "--workers=2", "--nan=error", "--format=json"])?.expect(65)?;
    let ended = ended.says(&["public.events, dt=2026-01-07: column \"price\" (numeric(15,2)): the value in row 1"])?;
    let message = ended.stderr.lines().find(|line| line.contains("public.sparse, blocks "));
    let message = message.with_context(|| ended.to_string())?;
    ensure!(message.contains(" of public.sparse: column \"price\" (numeric(15,2))"), "{message}");
    assert_eq!(ended.published()?, ["users"]);

    // Without an index the date is not known before the row is read.
    database.execute("DROP INDEX events_created_at")?;
    let ended = program.publish(&database.uri(), "events")?.expect(65)?;
    ended.says(&["public.events, all of public.events: column \"price\" (numeric(15,2))"])?;
    Ok(())
}

#[test]
fn two_rates_for_one_order_are_65_and_name_the_order() -> Result<()> {
    let database = tiny_shop()?;
    database.execute("INSERT INTO taxes VALUES (1, 3, 0.1), (2, 3, 0.2)")?;
    let ended = Program::new()?.publish(&database.uri(), "combined_orders,users")?.expect(65)?;
    ended.says(&["order 3", "public.taxes"])?;
    Ok(())
}

#[test]
fn names_with_dots_quotes_commas_and_spaces_work() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        r#"CREATE SCHEMA "we.ird";
           CREATE TABLE "we.ird"."it's a ""ta,ble" ("the ""am,ount"" in $" numeric(12,2), "select" int, "Ünï" text);
           INSERT INTO "we.ird"."it's a ""ta,ble" VALUES (1.25, 1, 'x'), (2.50, 2, NULL)"#,
    )?;
    let program = Program::new()?;
    let table = r#""we.ird"."it's a ""ta,ble""#;
    let selection = format!("users,{table}");
    let ended = program.publish(&database.uri(), &selection)?.expect(0)?;
    assert_eq!(ended.published()?, ["users", "we_ird_it_s_a_ta_ble"]);
    let sums = [("the_am_ount_in_", r#""the ""am,ount"" in $""#), ("select", r#""select""#)];
    compare(&database, table, &sums, &program.lake().join("we_ird_it_s_a_ta_ble"))?;
    Ok(())
}

#[test]
fn two_tables_with_one_folder_are_refused_before_anything_is_read() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(r#"CREATE TABLE "Users" (id int)"#)?;
    let program = Program::new()?;
    let ended = program.publish(&database.uri(), "public.users,public.Users,products")?.expect(65)?;
    let ended = ended.says(&["would both be the table \"public_users\""])?;
    assert_eq!(ended.published()?, ["products"]);
    Ok(())
}

#[test]
fn empty_tables_become_one_valid_file_each_with_the_full_schema() -> Result<()> {
    let database = empty_shop()?;
    let program = Program::new()?;
    program.publish(&database.uri(), EVERYTHING)?.expect(0)?;
    for (table, columns) in TABLES.iter().zip([10, 5, 7, 5, 5]) {
        for found in read(&program.lake().join(table.name))? {
            assert_eq!((found.rows, found.columns.len()), (0, columns), "{}", table.name);
        }
        let sql = format!("SELECT count(*) AS n FROM {}", table.name);
        assert_eq!(program.query(&sql)?, "n\n0\n");
    }
    Ok(())
}

#[test]
fn text_that_is_not_utf_8_is_65_and_names_table_range_and_column() -> Result<()> {
    let database = Database::create_sql_ascii(Postgres::shared()?)?;
    database.execute(
        "CREATE TABLE good AS SELECT 1 AS id, 'x'::text AS t;
         CREATE TABLE bad AS SELECT 1 AS id, E'c4n4ry \\xff'::text AS t;",
    )?;
    let program = Program::new()?;
    let ended = program.publish(&database.uri(), "public.bad,public.good")?.expect(65)?;
    let ended = ended.says(&["public.bad, all of public.bad: column \"t\" (text)"])?.never_says("c4n4ry")?;
    assert_eq!(ended.published()?, ["public_good"]);
    Ok(())
}
