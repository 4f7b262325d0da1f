//! Names that fold, collide, or mean something to somebody.

use super::source::Source;
use anyhow::{Result, ensure};
use std::fs::write;

/// An identifier has at most 63 bytes in Postgres; the folder has both names.
const LONGEST: &str = "a_name_of_63_bytes_which_is_as_long_as_Postgres_lets_a_name_be_";

#[test]
fn n26_names_keep_what_they_can_and_keywords_stay_themselves() -> Result<()> {
    let source = Source::new(&format!(
        r#"CREATE SCHEMA "{LONGEST}";
           CREATE TYPE "Odd Type" AS ("select" int, "Ünï, ""x""" text, "a.b" int[]);
           CREATE TABLE "{LONGEST}"."{LONGEST}" (id int, "{LONGEST}" int);
           CREATE TABLE "Mixed Case" (id int, "UserId" int, "select" text, "from" int, "table" int, "two  words" int, "dot.ted" int,
               "quo""te" int, "a-b" int, "1st" int, "_hidden" int, "naïve" int, "100%" int, "tab	" int, "odd" "Odd Type",
               "lower" int, "element" text[], "key_value" int, "$1" int);
           INSERT INTO "Mixed Case" VALUES (1, 2, '3', 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, ROW(15, 'x', '{{16}}'), 17, '{{18}}', 19, 20);
           INSERT INTO "{LONGEST}"."{LONGEST}" VALUES (1, 2)"#,
    ))?;
    let tables = format!("public.Mixed Case,{LONGEST}.{LONGEST}");
    let ended = source.run(&tables, &[])?.expect(0)?;
    let long = LONGEST.to_lowercase();
    assert_eq!(ended.published()?, ["public_mixed_case", &format!("{long}_{long}")]);
    let read = source.read("public_mixed_case")?;
    let names = "userid, select, from, table, two_words, dot_ted, quo_te, a_b, 1st, _hidden, na_ve, 100_, tab_, odd, lower, \
                 element, key_value, _1";
    let types = read.types();
    for name in names.split(", ") {
        ensure!(types.split(", ").any(|column| column.starts_with(&format!("{name} "))), "{name} is not in {types}");
    }
    ensure!(types.contains("odd row(select integer, _n_x_ varchar, a_b array(integer))"), "{types}");
    assert_eq!(read.column("odd")?, ["(15,x,{16})"]);
    assert_eq!(read.column("tab_")?, ["14"]);
    assert_eq!(source.read(&format!("{long}_{long}"))?.column(&long)?, ["2"]);
    let answer = source.program.query("SELECT \"select\", \"from\", \"1st\" FROM public_mixed_case")?;
    assert_eq!(answer, "select,from,1st\n3,4,10\n");
    Ok(())
}

#[test]
fn n27_names_that_differ_by_case_alone_are_refused_by_check_and_by_the_run_with_both_names() -> Result<()> {
    let source = Source::new(
        r#"CREATE TABLE t ("Id" int, id int); CREATE TABLE u ("数量" int, "名前" int); CREATE TABLE fine (id int);
           INSERT INTO fine VALUES (7)"#,
    )?;
    let uri = source.database.uri();
    for (table, one, other) in [("public.t", "\"Id\"", "\"id\""), ("public.u", "\"数量\"", "\"名前\"")] {
        let says = [table, one, other, "the same name in the lake", "--config"];
        source.program.run(&["check", &uri, "--table", table])?.expect(65)?.says(&says)?;
        let ended = source.run(&format!("{table},public.fine"), &[])?.expect(65)?.says(&says)?;
        assert_eq!(ended.published()?, ["public_fine"]);
    }
    Ok(())
}

#[test]
fn n28_a_data_column_with_the_name_of_the_partition_key_does_not_spoil_the_table() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE events (id int8, user_id int4, kind varchar, payload jsonb, created_at timestamptz, dt text);
         INSERT INTO events VALUES (1, 1, 'view', '{}', '2026-01-04 12:00Z', 'mine')",
    )?;
    let says = ["public.events", "column \"dt\"", "exclude it in the file of --config"];
    source.run("events", &[])?.expect(65)?.says(&says)?;
    source.program.run(&["check", &source.database.uri(), "--table=events"])?.expect(65)?.says(&says)?;
    write(source.program.path("project.toml"), "[tables.\"public.events\"]\nexclude = [\"dt\"]\n")?;
    source.run("events", &["--config=project.toml"])?.expect(0)?;
    assert_eq!(source.program.query("SELECT id, dt FROM events")?, "id,dt\n1,2026-01-04\n");
    Ok(())
}

#[test]
fn n29_the_same_table_name_in_two_schemas_and_a_name_that_begins_another_are_kept_apart() -> Result<()> {
    let source = Source::new(
        "CREATE SCHEMA other;
         CREATE TABLE foo AS SELECT 1 AS id, 'public' AS note; CREATE TABLE foo_bar AS SELECT 2 AS id, 'bar' AS note;
         CREATE TABLE other.foo AS SELECT 3 AS id, 'other' AS note",
    )?;
    source.run("public.foo,public.foo_bar,other.foo", &[])?.expect(0)?;
    source.database.execute("UPDATE foo SET note = 'again'")?;
    source.run("public.foo", &[])?.expect(0)?;
    for (table, note) in [("public_foo", "again"), ("public_foo_bar", "bar"), ("other_foo", "other")] {
        assert_eq!(source.read(table)?.column("note")?, [note], "{table}");
    }
    Ok(())
}
