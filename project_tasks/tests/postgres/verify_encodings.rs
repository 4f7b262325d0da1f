//! Databases that do not keep text in UTF-8 are compared as well.

use crate::task_run::run_changed;
use project_postgres::{Choices, InvalidText, PolicyOverrides, TableName};
use project_tasks::tasks::table::TableTask;
use project_tasks::{Task, Verified, Written};
use project_test_servers::postgres::{Database, Postgres};
use std::sync::Arc;

const TEXTS: &str = "
    CREATE EXTENSION hstore;
    CREATE TYPE label AS (name text, other varchar[]);
    CREATE TABLE texts (id int, t text, v varchar(9), c char(9), j jsonb, a text[], l label, h hstore, m money);
    INSERT INTO texts SELECT 1, x, x, x, to_jsonb(x), ARRAY[x, NULL], (x, ARRAY[x])::label, hstore(x, x), 5 FROM (VALUES ('x')) AS v(x)";

fn verified(database: &Database<'_>, invalid_text: InvalidText) -> Written {
    let task = Task::Table(Arc::new(TableTask::new(TableName::new("public", "texts"))));
    let policies = PolicyOverrides { invalid_text: Some(invalid_text), ..PolicyOverrides::default() };
    let finished = run_changed(&database.uri(), &task, |context| {
        context.verify = true;
        context.choices = Arc::new(Choices { policies, ..Choices::default() });
    });
    finished.unwrap().written
}

#[test]
fn text_that_is_turned_into_utf8_on_its_way_is_compared_as_utf8() {
    let database = Database::create_latin1(Postgres::shared().unwrap()).unwrap();
    // The server itself sends a wrong length with an hstore that it turns into UTF-8.
    database.execute(&TEXTS.replace("'x'", "'é ü'").replace("hstore(x, x)", "'a=>b'")).unwrap();
    database.execute("INSERT INTO texts (t) VALUES ('plain'), (''), ('ÿ')").unwrap();
    for policy in [InvalidText::Error, InvalidText::Binary, InvalidText::Replace] {
        let expected = Verified { columns: 9, counted_only: Vec::new() };
        assert_eq!(verified(&database, policy).verified, Some(expected), "{policy:?}");
    }
}

#[test]
fn text_that_was_replaced_is_only_counted_and_that_is_said() {
    let database = Database::create_sql_ascii(Postgres::shared().unwrap()).unwrap();
    database.execute(TEXTS).unwrap();
    let all = Some(Verified { columns: 9, counted_only: Vec::new() });
    for policy in [InvalidText::Error, InvalidText::Binary, InvalidText::Replace] {
        assert_eq!(verified(&database, policy).verified, all, "{policy:?}");
    }
    database.execute(r"INSERT INTO texts (t, a) VALUES (E'caf\xe9', ARRAY[E'\xff']), (NULL, NULL)").unwrap();
    assert_eq!(verified(&database, InvalidText::Binary).verified, all);
    let expected = Verified { columns: 7, counted_only: vec!["t".into(), "a".into()] };
    assert_eq!(verified(&database, InvalidText::Replace).verified, Some(expected));
}
