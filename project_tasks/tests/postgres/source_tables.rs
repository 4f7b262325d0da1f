//! The empty tables that a task reads: the sample shop for its own tasks, and for any other task what its code expects.

use crate::task_run::run;
use project_tasks::{REGISTRY, SourceTable, Task};
use project_test_servers::postgres::{Database, Postgres};

/// The tasks that the sample shop belongs to.
const TASKS_OF_THE_SHOP: [&str; 4] = ["combined_orders", "users", "products", "events"];

/// The server's types that a column can be created with; the first that the code reads is taken.
const TYPES: [(u32, &str); 16] = [
    (16, "bool"),
    (21, "int2"),
    (23, "int4"),
    (20, "int8"),
    (26, "oid"),
    (700, "float4"),
    (701, "float8"),
    (1700, "numeric"),
    (25, "text"),
    (17, "bytea"),
    (1082, "date"),
    (1114, "timestamp"),
    (1184, "timestamptz"),
    (2950, "uuid"),
    (114, "json"),
    (3802, "jsonb"),
];

/// The registered tasks that read the sample shop.
pub(crate) fn tasks_of_the_shop() -> impl Iterator<Item = &'static Task> {
    REGISTRY.iter().filter(|task| TASKS_OF_THE_SHOP.contains(&task.name()))
}

/// A database with everything that the task reads, empty.
pub(crate) fn database_for(task: &Task) -> Database<'static> {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    if TASKS_OF_THE_SHOP.contains(&task.name()) {
        database.create_shop_tables().unwrap();
    } else {
        task.reads().iter().for_each(|table| create(&database, table));
    }
    database
}

fn create(database: &Database<'_>, table: &SourceTable) {
    let columns = table.columns.iter().map(|column| {
        let expected = &column.expected;
        let found = TYPES.iter().find(|(oid, name)| expected.reads(*oid, name));
        let (_, type_name) = found.expect("TYPES has a type that the task reads; add it there");
        let constraint = if expected.nullable { "" } else { "NOT NULL" };
        format!("\"{}\" {type_name} {constraint}", expected.name.replace('"', "\"\""))
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let schema = table.table.schema.replace('"', "\"\"");
    let name = table.table.quoted();
    database.execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"; CREATE TABLE {name} ({columns})")).unwrap();
}

/// Also the tables of the shop could be made of what its tasks expect.
#[test]
fn a_task_runs_on_what_its_code_expects() {
    for task in tasks_of_the_shop() {
        let database = Database::create(Postgres::shared().unwrap()).unwrap();
        task.reads().iter().for_each(|table| create(&database, table));
        let finished = run(&database, task).unwrap_or_else(|error| panic!("{}: {error:#}", task.name()));
        assert_eq!(finished.written.rows(), 0, "{}", task.name());
    }
}
