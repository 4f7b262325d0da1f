//! Looking whether a crawl that says it succeeded has catalogued what was published.
//!
//! It may have ignored a folder or a partition whose schema it could not merge (it only logs that), have kept an older
//! definition (its settings may say so), or have given a table another name because the name was taken.

use aws_sdk_glue::types::{Crawler, Table};

use crate::catalog_check::{column_differences, key_difference, told};
use crate::connection::Aws;
use crate::crawler::CrawlerSettings;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;
use crate::published_table::PublishedTable;

impl Aws {
    /// The names of the published folders' tables, each of which reads its folder as it was written.
    pub(crate) async fn verify_tables(
        &self,
        settings: &CrawlerSettings,
        crawler: &Crawler,
    ) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::with_capacity(settings.tables.len());
        for published in &settings.tables {
            let name = table_name(crawler.table_prefix(), &published.folder);
            self.verify_table(settings, published, &name).await?;
            names.push(name);
        }
        Ok(names)
    }

    async fn verify_table(
        &self,
        settings: &CrawlerSettings,
        published: &PublishedTable,
        name: &str,
    ) -> Result<(), AwsError> {
        let (database, crawler) = (&settings.database, &settings.name);
        let root = settings.target.join(&published.folder);
        let table = self.find_table(database, name).await?;
        let Some((table, place)) = table.as_ref().and_then(|table| Some((table, location(table)?))) else {
            return Err(AwsError::new(
                AwsErrorKind::Data,
                format!(
                    "the crawler {crawler} succeeded, but there is no Glue table {database}.{name} for {root}; \
                     its files may differ too much from each other: see the crawler's log"
                ),
            ));
        };
        if place.trim_end_matches('/') != root.to_string() {
            return Err(AwsError::new(
                AwsErrorKind::Data,
                format!(
                    "the Glue table {database}.{name} reads {place} and not {root}, so queries would not see the new files; \
                     drop that table, or publish into another --glue-database"
                ),
            ));
        }
        let mut differences = table_differences(table, published);
        // Partitions of other keys could not be asked for by ours.
        if differences.is_empty() {
            differences = self.partition_differences((database, name), published, &root).await?;
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(other_than_published(settings, name, &root, &differences))
    }
}

fn location(table: &Table) -> Option<&str> {
    table.storage_descriptor()?.location()
}

fn table_differences(table: &Table, published: &PublishedTable) -> Vec<String> {
    let columns = table.storage_descriptor().map(|storage| storage.columns()).unwrap_or_default();
    let mut differences = column_differences(&published.columns, columns);
    differences.extend(key_difference(published.partition_key.as_deref(), table.partition_keys()));
    differences
}

fn other_than_published(settings: &CrawlerSettings, name: &str, root: &S3Url, differences: &[String]) -> AwsError {
    let (database, crawler, differences) = (&settings.database, &settings.name, told(differences));
    AwsError::new(
        AwsErrorKind::Data,
        format!(
            "the crawler {crawler} succeeded, but the Glue table {database}.{name} is not what was published to {root}: \
             {differences}; drop the Glue table and run the crawler again (its log says what it ignored), \
             or publish with another --crawler into another --glue-database"
        ),
    )
}

/// How a crawler names the table of a folder.
fn table_name(prefix: Option<&str>, folder: &str) -> String {
    let last = folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder);
    let plain = |letter: char| match letter.to_ascii_lowercase() {
        letter @ ('a'..='z' | '0'..='9' | '_') => letter,
        _ => '_',
    };
    let name: String = last.chars().map(plain).collect();
    format!("{}{name}", prefix.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::table_name;

    #[test]
    fn a_table_is_named_as_the_crawler_names_it() {
        assert_eq!(table_name(None, "orders"), "orders");
        assert_eq!(table_name(None, "Sales-2026 (old)"), "sales_2026__old_");
        assert_eq!(table_name(Some("raw_"), "a/orders/"), "raw_orders");
    }
}
