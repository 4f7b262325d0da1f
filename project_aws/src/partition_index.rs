//! The Glue index of a date-cut table: with it a query for one date does not make Glue go through all partitions.
//!
//! Crawlers give one to the tables that they create, unless that is switched off, and older tables have none. The
//! property by which Athena uses it is the crawler's to set: it removes from a table what it has not set itself.

use aws_sdk_glue::types::{PartitionIndex, PartitionIndexDescriptor, PartitionIndexStatus};

use crate::classify::{sdk_error, service_code};
use crate::connection::Aws;
use crate::crawler::CrawlerSettings;
use crate::error::{AwsError, AwsErrorKind};

impl Aws {
    /// Gives each table that has a partition key an index on it. Queries are right without one, so what prevents it is
    /// a warning.
    pub(crate) async fn index_partitions(&self, settings: &CrawlerSettings, tables_seen: &[String]) {
        for (published, name) in settings.tables.iter().zip(tables_seen) {
            let Some(key) = &published.partition_key else { continue };
            match self.ensure_partition_index(&settings.database, name, key).await {
                Ok(()) => {}
                Err(error) if error.kind() == AwsErrorKind::Denied => tracing::warn!(
                    table = name,
                    %error,
                    "no partition index: give glue:GetPartitionIndexes and glue:CreatePartitionIndex, or make one yourself"
                ),
                Err(error) => tracing::warn!(table = name, %error, "no partition index; the next run tries again"),
            }
        }
    }

    async fn ensure_partition_index(&self, database: &str, table: &str, key: &str) -> Result<(), AwsError> {
        let key = key.to_lowercase();
        let task = format!("cannot look at the partition indexes of the Glue table {database}.{table}");
        let answer = self.glue.get_partition_indexes().database_name(database).table_name(table).send().await;
        // At most three, so one page holds them all.
        let indexes = answer.map_err(|error| sdk_error(task, error))?.partition_index_descriptor_list;
        if indexes.unwrap_or_default().iter().any(|index| serves(index, &key)) {
            return Ok(());
        }
        let task = format!("cannot create a partition index on {key} of the Glue table {database}.{table}");
        let index = PartitionIndex::builder()
            .index_name(format!("project_{key}"))
            .keys(&key)
            .build()
            .map_err(|error| AwsError::new(AwsErrorKind::Data, format!("{task}: {error}")))?;
        let request = self.glue.create_partition_index().database_name(database).table_name(table);
        match request.partition_index(index).send().await {
            Ok(_) => {
                tracing::info!(
                    database,
                    table,
                    key,
                    "began a partition index; Athena uses it once the table has partition_filtering.enabled=true"
                );
                Ok(())
            }
            // Another run was faster, or our first request was and its answer was lost.
            Err(error) if service_code(&error) == Some("AlreadyExistsException") => Ok(()),
            Err(error) => Err(sdk_error(task, error)),
        }
    }
}

/// An index that exists or is being made and that begins with the key. A failed one keeps its name: it is in the way
/// until somebody deletes it.
fn serves(index: &PartitionIndexDescriptor, key: &str) -> bool {
    let lives = matches!(index.index_status(), PartitionIndexStatus::Active | PartitionIndexStatus::Creating);
    lives && index.keys().first().is_some_and(|first| first.name() == key)
}
