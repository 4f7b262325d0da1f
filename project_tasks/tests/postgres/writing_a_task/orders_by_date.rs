//! Orders, one folder for each date.

use project_postgres::TableName;
use project_tasks::HugeStreamTask;

/// `public.orders` by the date of `created_at`.
#[derive(Debug)]
pub struct OrdersByDate;

impl HugeStreamTask for OrdersByDate {
    fn name(&self) -> &'static str {
        "orders_by_date"
    }

    fn about(&self) -> &'static str {
        "orders as they are, one partition for each date of created_at"
    }

    fn table(&self) -> TableName {
        TableName::new("public", "orders")
    }

    fn partition_column(&self) -> &'static str {
        "created_at"
    }
}
