//! What every registered task says that it reads and writes, beside what it does.

use crate::source_tables::{database_for, tasks_of_the_shop};
use crate::task_run::{run, run_as};
use project_postgres::{Choices, ConnectionDefaults, ConnectionSettings, Source};
use project_tasks::{REGISTRY, Task, Usage, examine};
use project_test_servers::postgres::{Database, Postgres};

fn shop() -> Database<'static> {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    database
}

fn quoted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect()
}

#[test]
fn no_task_has_drifted_from_the_sample_shop() {
    let database = shop();
    let settings = ConnectionSettings::parse(&database.uri(), &ConnectionDefaults::default()).unwrap();
    let drift = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut connection = Source::new(settings, "test").connect_plain().await.unwrap();
        let mut drift = Vec::new();
        for task in tasks_of_the_shop() {
            let found = examine(&mut connection, task, &Choices::default()).await.unwrap();
            drift.extend(found.into_iter().flat_map(|table| table.drift).map(|drift| drift.to_string()));
        }
        drift
    });
    assert_eq!(drift, Vec::<String>::new());
}

/// A column that a task reads and does not name would not be looked at before a run.
#[test]
fn no_task_reads_a_column_that_it_does_not_name() {
    for task in REGISTRY {
        let database = database_for(task);
        let role = format!("reader_of_{}_{}", database.name(), task.name());
        database.execute(&format!("CREATE ROLE {role} LOGIN")).unwrap();
        for source in task.reads() {
            let columns = match task {
                // These read whatever there is.
                Task::Huge(_) | Task::Table(_) => String::new(),
                Task::Batch(_) | Task::Stream(_) => format!("({})", quoted(source.needed_columns()).join(", ")),
            };
            let (table, schema) = (source.table.quoted(), source.table.schema.replace('"', "\"\""));
            database.execute(&format!("GRANT USAGE ON SCHEMA \"{schema}\" TO {role}")).unwrap();
            database.execute(&format!("GRANT SELECT {columns} ON {table} TO {role}")).unwrap();
        }
        let uri = format!("postgres://{role}@127.0.0.1:{}/{}", database.server().port(), database.name());
        let outcome = run_as(&uri, task, Choices::default());
        database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
        if let Err(error) = outcome {
            panic!("{} reads more than reads() says: {error:#}", task.name());
        }
    }
}

/// The other way round: what is named and not read is looked at in vain, or was forgotten in the query.
#[test]
fn every_task_reads_every_column_that_it_names() {
    for task in REGISTRY.iter().filter(|task| matches!(task, Task::Batch(_) | Task::Stream(_))) {
        let database = database_for(task);
        for source in task.reads() {
            let needed = source.columns.iter().filter(|column| column.usage != Usage::Unused);
            for name in quoted(needed.map(|column| column.expected.name.clone())) {
                let table = source.table.quoted();
                let rename = |from: &str, to: &str| {
                    database.execute(&format!("ALTER TABLE {table} RENAME {from} TO {to}")).unwrap();
                };
                rename(&name, "elsewhere");
                let outcome = run(&database, task);
                rename("elsewhere", &name);
                assert!(outcome.is_err(), "{} does not read {table}.{name}", task.name());
            }
        }
    }
}

#[test]
fn every_task_writes_the_columns_that_it_says() {
    for task in REGISTRY {
        let database = database_for(task);
        let said: Vec<String> = task.writes().unwrap().into_iter().map(|column| column.name).collect();
        if matches!(task, Task::Huge(_)) {
            assert!(said.is_empty(), "{} writes what it reads", task.name());
            continue;
        }
        let schema = run(&database, task).unwrap().schema();
        let written: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
        assert_eq!(said, written, "{}", task.name());
    }
}
