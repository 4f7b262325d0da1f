//! The stream task: a cursor in small requests, filters as bound parameters.

use crate::task_run::run;
use project_tasks::Task;
use project_tasks::tasks::products::Products;
use project_test_servers::postgres::{Database, Postgres};

static APPROVED: Products = Products { approved: Some(true), quantity_from: Some(3) };

#[test]
fn all_rows_come_through_requests_of_seven() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    let finished = run(&database, &Task::Stream(&Products::ALL)).unwrap();
    let expected = database.query_text("SELECT count(*)::text FROM products").unwrap();
    assert_eq!(expected[0][0], Some(finished.written.rows().to_string()));
}

#[test]
fn filters_are_bound() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    let finished = run(&database, &Task::Stream(&APPROVED)).unwrap();
    let expected = database.query_text("SELECT count(*)::text FROM products WHERE approved AND quantity >= 3").unwrap();
    assert_eq!(expected[0][0], Some(finished.written.rows().to_string()));
    assert!(finished.written.rows() > 0);
}

#[test]
fn what_does_not_fit_is_named() {
    for (sql, words) in [
        ("INSERT INTO products VALUES (4, 'x', 1, 'infinity', true, 1, NULL)", "created_at of product 4 is infinite"),
        ("INSERT INTO products VALUES (4, 'x', 1, NULL, true, 1e17, NULL)", "price of product 4 does not fit"),
        ("INSERT INTO products VALUES (4, 'x', 1, NULL, true, 'NaN', NULL)", "\"price\""),
        ("INSERT INTO products VALUES (4, 'x', 1, NULL, true, '1e200', NULL)", "\"price\""),
    ] {
        let database = Database::create(Postgres::shared().unwrap()).unwrap();
        database.create_shop_tables().unwrap();
        database.execute(sql).unwrap();
        let message = run(&database, &Task::Stream(&Products::ALL)).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("public.products") && message.contains(words), "{sql}: {message}");
    }
}
