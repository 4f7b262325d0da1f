//! The figures of `combined_orders` against the same figures computed by Postgres.

use crate::task_run::{Finished, run};
use parquet::record::Field;
use project_tasks::{REGISTRY, Task};
use project_test_servers::postgres::{Database, Postgres};

const EXPECTED: &str = "
    SELECT o.id::text, o.user_id::text, u.country, coalesce(c.currency, 'USD'),
           round(coalesce(c.conversion_rate, 1), 8)::text, u.email, round(o.amount, 2)::text,
           round(o.amount * coalesce(c.conversion_rate, 1), 2)::text,
           round(o.amount * (1 + coalesce(t.rate, 0)), 2)::text,
           (extract(epoch FROM date_trunc('milliseconds', o.created_at)) * 1000)::bigint::text
    FROM orders o
    LEFT JOIN users u ON u.id = o.user_id
    LEFT JOIN currencies c ON c.type = 'Order' AND c.type_id = o.id
    LEFT JOIN taxes t ON t.order_id = o.id
    WHERE o.active AND o.user_id IS NOT NULL ORDER BY o.id";

fn combined_orders() -> &'static Task {
    REGISTRY.iter().find(|task| task.name() == "combined_orders").unwrap()
}

fn cells(finished: &Finished) -> Vec<Vec<Option<String>>> {
    let cell = |field: &Field| match field {
        Field::Null => None,
        Field::TimestampMillis(millis) => Some(millis.to_string()),
        Field::Str(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let rows = finished.rows();
    rows.iter().map(|row| row.get_column_iter().map(|(_, field)| cell(field)).collect()).collect()
}

#[test]
fn every_cell_reconciles_with_sql_on_the_source() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.load_shop_sample().unwrap();
    let finished = run(&database, combined_orders()).unwrap();
    let expected = database.query_text(EXPECTED).unwrap();
    assert!(expected.len() > 1000, "the sample is too small to show anything");
    let cells = cells(&finished);
    assert_eq!(cells.len(), expected.len());
    for (cells, expected) in cells.iter().zip(&expected) {
        assert_eq!(cells, expected);
    }
}

#[test]
fn halves_round_away_from_zero_and_joins_may_be_empty() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    database
        .execute(
            "INSERT INTO orders SELECT n, CASE WHEN n = 5 THEN NULL ELSE 1 END, amount, n <> 6, NULL, gen_random_uuid()
             FROM (VALUES (1, 1.005), (2, -1.005), (3, NULL), (4, 999999999999999.994), (5, 1), (6, 1),
                          (7, 0.00000000000000000000000000000000000001)) AS v(n, amount);
             INSERT INTO currencies VALUES (1, 'Order', 1, 'EUR', 1.123456785), (2, 'Product', 2, 'GBP', 9)",
        )
        .unwrap();
    let finished = run(&database, combined_orders()).unwrap();
    assert_eq!(cells(&finished), database.query_text(EXPECTED).unwrap());
    assert_eq!(finished.written.rows(), 5);
}

#[test]
fn data_that_breaks_a_rule_is_refused_with_the_order() {
    for (sql, words) in [
        (
            "INSERT INTO currencies VALUES (1, 'Order', 1, 'EUR', 1), (2, 'Order', 1, 'USD', 1)",
            "public.currencies has several rows",
        ),
        ("INSERT INTO taxes VALUES (1, 1, 0.1), (2, 1, 0.1)", "public.taxes has several rows"),
        ("INSERT INTO currencies VALUES (1, 'Order', 1, 'EUR', NULL)", "conversion_rate is NULL"),
        ("INSERT INTO taxes VALUES (1, 1, NULL)", "rate is NULL"),
        ("UPDATE orders SET amount = 10000000000000000", "does not fit DECIMAL(18,2)"),
        ("UPDATE orders SET created_at = 'infinity'", "is infinite"),
    ] {
        let database = Database::create(Postgres::shared().unwrap()).unwrap();
        database.create_shop_tables().unwrap();
        database.execute("INSERT INTO orders VALUES (1, 1, 1, true, now(), gen_random_uuid())").unwrap();
        database.execute(sql).unwrap();
        let message = run(&database, combined_orders()).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("order 1") && message.contains(words), "{sql}: {message}");
    }
}

#[test]
fn a_value_that_no_decimal_holds_is_refused_by_its_column() {
    let database = Database::create(Postgres::shared().unwrap()).unwrap();
    database.create_shop_tables().unwrap();
    database.execute("INSERT INTO orders VALUES (1, 1, 'NaN', true, now(), gen_random_uuid())").unwrap();
    let message = run(&database, combined_orders()).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("public.orders") && message.contains("NaN"), "{message}");
}
