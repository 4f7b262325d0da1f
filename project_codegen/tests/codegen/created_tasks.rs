//! The real proof: tasks of every kind are made in a copy of the workspace, the program is built with them, and what it
//! writes is what the server holds.

use crate::tables::database;
use crate::workspace_copy::{Ran, WorkspaceCopy};
use project_test_servers::postgres::Database;
use std::fs::write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::tempdir;

/// Another name than the program's, whose file in `target` other tests use.
const PROGRAM: &str = "project_of_the_copy";

const MODELS: [&[(&str, &str)]; 9] = [
    &[("TABLE", "invoices")],
    &[("TABLE", "invoices"), ("KIND", "stream"), ("TASK", "invoices_streamed")],
    &[("TABLE", "invoices"), ("KIND", "huge"), ("TASK", "invoices_by_day")],
    &[("TABLE", "every_type")],
    &[("TABLE", "every_type"), ("KIND", "stream"), ("TASK", "every_type_streamed")],
    &[("TABLE", "Odd Things")],
    &[("TABLE", "parted"), ("KIND", "huge")],
    &[("TABLE", "it's $x `q`"), ("SCHEMA", "Sales EU"), ("KIND", "stream")],
    &[("TABLE", "wide"), ("KIND", "stream")],
];

/// Names that collide with those of Rust, Diesel and the workspace need only compile.
const MORE: &str = "result diesel";

/// Task, its columns in the lake, and the same in SQL.
const ROWS: [(&str, &str, &str); 8] = [
    ("invoices", INVOICES, INVOICES_ON_THE_SERVER),
    ("invoices_streamed", INVOICES, INVOICES_ON_THE_SERVER),
    ("invoices_by_day", INVOICES, INVOICES_ON_THE_SERVER),
    ("every_type", EVERY_TYPE, EVERY_TYPE_ON_THE_SERVER),
    ("every_type_streamed", EVERY_TYPE, EVERY_TYPE_ON_THE_SERVER),
    (
        "odd_things",
        "a, p, r, h, mo, ip, x, bits, CAST(dom AS varchar), doubled, \"table\", odd_things, columns, type, r_fn FROM odd_things",
        "a::text, p::text, r::text, h::text, mo::text, ip::text, x::text, bits::text, dom, doubled, \"table\", odd_things, columns, type, \"r#fn\" FROM \"Odd Things\"",
    ),
    ("parted", "id, dt FROM parted", "id, dt FROM parted"),
    ("sales_eu_it_s_x_q", "id, \"async\" FROM sales_eu_it_s_x_q", "id, async FROM \"Sales EU\".\"it's $x `q`\""),
];

const INVOICES: &str =
    "id, customer, CAST(amount AS varchar), CAST(date_part('epoch', created_at) AS bigint), note FROM {task}";
const INVOICES_ON_THE_SERVER: &str = "id, customer, amount, extract(epoch FROM created_at)::bigint, note FROM invoices";
const EVERY_TYPE: &str = "type, self_, r_async, \"async\", order_id, order_id_2, we_ird_, _t_, \"_2nd\", a_b, a__b, CAST(b AS varchar), CAST(d AS varchar), CAST(date_part('epoch', ts) * 1000 AS bigint), CAST(date_part('epoch', tz) * 1000 AS bigint), u, j, jb, o, n, n2, CAST(n3 AS varchar), n4, t, i, m FROM {task}";
const EVERY_TYPE_ON_THE_SERVER: &str = "type, self, \"r#async\", async::text, \"Order Id\"::numeric(3,1), order_id::numeric(3,1), \"we\"\"ird\\\", été, \"2nd\", \"a.b\", a__b, convert_from(b, 'UTF8'), d, (extract(epoch FROM ts) * 1000)::bigint, (extract(epoch FROM tz) * 1000)::bigint, u, j, jb, o, n, trim_scale(n2), n3, n4, t, i, m FROM every_type";

#[test]
fn every_kind_of_task_compiles_and_copies_its_table() {
    let database = database();
    let target = target_folder();
    let copy = WorkspaceCopy::to_build(target.join("codegen-test"));
    for model in MODELS {
        copy.run(&database, "create-model", model).expect(0);
    }
    copy.run(&database, "create-models", &[("TABLES", MORE)]).expect(0);
    let program = build(&copy, &target);
    let tasks = ROWS.map(|(task, ..)| task).join(",");
    let lake = tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(lake.path()).env("DATABASE_URL", database.uri());
        Ran::of(command.output().unwrap()).expect(0).stdout
    };
    let checked = run(&["check", &format!("--table={tasks},wide,result,table_diesel"), "--format=csv"]);
    assert!(!["retyped", "missing", "may be NULL", "added"].iter().any(|drift| checked.contains(drift)), "{checked}");
    run(&[&format!("--table={tasks}")]);
    for (task, in_lake, on_server) in ROWS {
        let sql = format!("SELECT {} ORDER BY 1", in_lake.replace("{task}", task));
        let found = run(&["query", &sql, "--format=csv"]);
        assert_eq!(rows_of(&found), on_the_server(&database, on_server), "{task}");
    }
}

/// Builds the program as the tests of this workspace were built, so that the crates of others are there already.
///
/// Cargo knows a member of a workspace by its path in it: without a version of their own the copy's crates would take the
/// places of ours in `target`.
fn build(copy: &WorkspaceCopy, target: &Path) -> PathBuf {
    change(copy, "Cargo.toml", "\nversion = \"0.1.0\"", "\nversion = \"0.1.0-copy\"");
    change(copy, "project_cli/Cargo.toml", "name = \"project\"", &format!("name = \"{PROGRAM}\""));
    write(copy.path("project_cli/tests/of_the_copy.rs"), "//! Only there so that the program is built.\n").unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--offline", "--workspace", "--no-run", "--test", "of_the_copy"])
        .current_dir(copy.path(""))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let built = Ran::of(built).expect(0);
    assert!(!built.stderr.contains("warning"), "{}", built.stderr);
    target.join("debug").join(PROGRAM)
}

fn change(copy: &WorkspaceCopy, file: &str, from: &str, to: &str) {
    let text = copy.text(file);
    assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
    write(copy.path(file), text.replace(from, to)).unwrap();
}

/// Where this test was built.
fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_project_codegen")).ancestors().nth(2).unwrap().to_owned()
}

/// The lines of a CSV without its head, each value without its quotes.
fn rows_of(csv: &str) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = csv.lines().skip(1).map(values).collect();
    lines.sort();
    lines
}

fn values(line: &str) -> Vec<String> {
    let (mut values, mut value, mut quoted) = (Vec::new(), String::new(), false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(std::mem::take(&mut value)),
            other => value.push(other),
        }
    }
    values.push(value);
    values
}

fn on_the_server(database: &Database<'_>, select: &str) -> Vec<Vec<String>> {
    let rows = database.query_text(&format!("SELECT {select}")).unwrap().into_iter();
    // The CSV has no other sign for NULL, and quotes inside of values went with those around them.
    let value = |value: Option<String>| value.unwrap_or_default().replace('"', "");
    let mut rows: Vec<Vec<String>> = rows.map(|row| row.into_iter().map(value).collect()).collect();
    rows.sort();
    rows
}
