//! Looking whether a crawl that says it succeeded has made the tables.
//!
//! It may have ignored a folder whose schema it could not merge (it only logs that), or have given a table another name
//! because the name was taken.

use aws_sdk_glue::types::Crawler;

use crate::classify::{sdk_error, service_code};
use crate::connection::Aws;
use crate::crawler::CrawlerSettings;
use crate::error::{AwsError, AwsErrorKind};

impl Aws {
    /// The names of the published folders' tables, each of which reads its folder.
    pub(crate) async fn verify_tables(
        &self,
        settings: &CrawlerSettings,
        crawler: &Crawler,
    ) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::with_capacity(settings.tables.len());
        for folder in &settings.tables {
            let name = table_name(crawler.table_prefix(), folder);
            self.verify_table(settings, folder, &name).await?;
            names.push(name);
        }
        Ok(names)
    }

    async fn verify_table(&self, settings: &CrawlerSettings, folder: &str, name: &str) -> Result<(), AwsError> {
        let (database, crawler) = (&settings.database, &settings.name);
        let root = settings.target.join(folder).to_string();
        let answer = self.glue.get_table().database_name(database).name(name).send().await;
        let table = match answer {
            Ok(answer) => answer.table,
            Err(error) if service_code(&error) == Some("EntityNotFoundException") => None,
            Err(error) => {
                return Err(sdk_error(
                    format_args!("cannot look at the Glue table {database}.{name}"),
                    error,
                ));
            }
        };
        let place = table
            .as_ref()
            .and_then(|table| table.storage_descriptor())
            .and_then(|storage| storage.location());
        match place {
            Some(place) if place.trim_end_matches('/') == root => Ok(()),
            Some(place) => Err(AwsError::new(
                AwsErrorKind::Data,
                format!(
                    "the Glue table {database}.{name} reads {place} and not {root}, so queries would not see the new files; \
                     drop that table, or publish into another --glue-database"
                ),
            )),
            None => Err(AwsError::new(
                AwsErrorKind::Data,
                format!(
                    "the crawler {crawler} succeeded, but there is no Glue table {database}.{name} for {root}; \
                     its files may differ too much from each other: see the crawler's log"
                ),
            )),
        }
    }
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
