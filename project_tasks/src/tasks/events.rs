//! Events, one folder for each UTC date.

use crate::task::HugeStreamTask;
use project_postgres::TableName;

/// `public.events` by the date of `created_at`.
#[derive(Debug)]
pub struct Events;

impl HugeStreamTask for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn about(&self) -> &'static str {
        "events as they are, one partition for each UTC date of created_at"
    }

    fn table(&self) -> TableName {
        TableName::new("public", "events")
    }

    fn partition_column(&self) -> &'static str {
        "created_at"
    }
}
