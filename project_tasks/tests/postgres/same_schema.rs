//! The same table has the same Parquet schema by any path.

use crate::task_run::{run, run_with};
use project_postgres::{
    Choices, ConnectionDefaults, ConnectionSettings, NotANumber, PolicyOverrides, Source, TableName,
};
use project_tasks::tasks::table::TableTask;
use project_tasks::{REGISTRY, Task, examine};
use project_test_servers::postgres::{Database, Postgres};
use std::sync::Arc;
use tokio::runtime::Runtime;

fn by_copy(name: &str) -> Task {
    Task::Table(Arc::new(TableTask::new(TableName::new("public", name))))
}

#[test]
fn typed_and_columnar_files_agree() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    // The typed tasks write money as DECIMAL(18,2) by choice; give the columns the type that says so.
    database
        .execute(
            "ALTER TABLE products ALTER price TYPE numeric(18,2);
             CREATE TABLE combined_orders (order_id int NOT NULL, user_id int NOT NULL, country text, currency text,
                 conversion_rate numeric(18,8) NOT NULL, user_email text, amount numeric(18,2),
                 amount_usd numeric(18,2), amount_with_tax numeric(18,2), created_at timestamp)",
        )
        .unwrap();
    // A column that is declared NOT NULL can become NULL where NaN is to become NULL.
    let policies = PolicyOverrides { not_a_number: Some(NotANumber::Error), ..PolicyOverrides::default() };
    let exact = Choices { policies, ..Choices::default() };
    for name in ["users", "products", "combined_orders"] {
        let typed_task = REGISTRY.iter().find(|task| task.name() == name).unwrap();
        let typed = run(&database, typed_task).unwrap().schema();
        let columnar = run_with(&database, &by_copy(name), exact.clone()).unwrap().schema();
        assert_eq!(format!("{typed:#?}"), format!("{columnar:#?}"), "{name}");
        assert_eq!(described(&database, typed_task, &exact), described(&database, &by_copy(name), &exact), "{name}");
    }
}

/// What `project check` says of the columns that a task writes: name, Parquet type, Athena type.
fn described(database: &Database<'_>, task: &Task, choices: &Choices) -> Vec<[String; 3]> {
    let settings = ConnectionSettings::parse(&database.uri(), &ConnectionDefaults::default()).unwrap();
    let found = Runtime::new().unwrap().block_on(async {
        let mut connection = Source::new(settings, "test").connect_plain().await.unwrap();
        examine(&mut connection, task, choices).await.unwrap()
    });
    let planned = found.into_iter().filter_map(|table| table.plan).flat_map(|plan| plan.columns);
    let planned = planned.map(|column| [column.lake_name.clone(), column.parquet_type(), column.athena_type()]);
    let written = task.writes().unwrap().into_iter();
    planned.chain(written.map(|column| [column.name, column.parquet_type, column.athena_type])).collect()
}
