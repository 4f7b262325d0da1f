//! Diesel's own tool reads the same tables: both must say the same of them.

use crate::tables::database;
use crate::workspace_copy::{Ran, WorkspaceCopy};
use std::process::Command;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Ordinary types, with and without NULL, keys of one and two columns, names that need an attribute.
const TABLES: &str = "
    CREATE TABLE plain (a bool NOT NULL, b int2, c int4 NOT NULL, d int8, e float4, f float8 NOT NULL, g numeric(12,2), h text,
        i varchar(10), j char(3) NOT NULL, k bytea, l date, m timestamp, n timestamptz NOT NULL, o uuid, p json, q jsonb, r oid,
        PRIMARY KEY (n, c));
    CREATE TABLE \"Named Oddly\" (id serial PRIMARY KEY, \"type\" text, \"a b\" int NOT NULL, \"table\" int)";

#[test]
fn both_say_the_same() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    database.execute(TABLES).unwrap();
    let diesel = Command::new(format!("{REPOSITORY}/scripts/install_diesel_cli.sh")).arg("--path").output().unwrap();
    let diesel = Ran::of(diesel).expect(0).stdout;
    for (table, task, columns) in [
        ("plain", "plain", 18),
        ("Named Oddly", "named_oddly", 4),
        ("invoices", "invoices", 5),
        ("two_dates", "two_dates", 3),
    ] {
        copy.run(&database, "create-model", &[("TABLE", table)]).expect(0);
        let ours = described(&copy.text(&format!("project_schemas/src/generated/{task}.rs")));
        let printed = Command::new(diesel.trim())
            .args(["print-schema", "--database-url", &database.uri(), "--only-tables", &format!("^{table}$")])
            .env_clear()
            .output()
            .unwrap();
        let theirs = described(&Ran::of(printed).expect(0).stdout);
        assert_eq!(ours, theirs, "{table}");
        assert_eq!(ours.columns.len(), columns, "{table}");
    }
}

/// What a `table!` says, with the names that the columns have in Postgres.
#[derive(Debug, PartialEq, Eq)]
struct Described {
    table: String,
    primary_key: Vec<String>,
    columns: Vec<(String, String)>,
}

fn described(code: &str) -> Described {
    let start = code.find("table! {").unwrap();
    let mut renamed: Option<String> = None;
    let (mut table, mut key, mut columns, mut identifiers) = (String::new(), Vec::new(), Vec::new(), Vec::new());
    let bare = |name: &str| name.trim().trim_start_matches("r#").to_owned();
    for line in code[start..].lines().skip(1).map(str::trim).take_while(|line| *line != "}") {
        if let Some(name) = line.strip_prefix("#[sql_name = ") {
            renamed = Some(serde_json::from_str(name.trim_end_matches(']')).unwrap());
        } else if let Some((name, data_type)) = line.split_once(" -> ") {
            identifiers.push((bare(name), renamed.take().unwrap_or_else(|| bare(name))));
            let data_type = data_type.trim_end_matches(',').to_owned();
            columns.push((identifiers.last().unwrap().1.clone(), data_type));
        } else if let Some((name, rest)) = line.split_once(" (") {
            let name = name.strip_prefix("public.").unwrap_or(name);
            table = renamed.take().unwrap_or_else(|| bare(name));
            key = rest.trim_end_matches(") {").split(',').map(bare).collect();
        }
    }
    let in_postgres = |key: String| identifiers.iter().find(|(name, _)| *name == key).unwrap().1.clone();
    Described { table, primary_key: key.into_iter().map(in_postgres).collect(), columns }
}
