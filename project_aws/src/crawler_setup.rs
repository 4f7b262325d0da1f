//! Making sure that the crawler exists and looks at every published folder.

use aws_sdk_glue::types::{
    Crawler, CrawlerTargets, DatabaseInput, DeleteBehavior, S3Target, SchemaChangePolicy, UpdateBehavior,
};

use crate::classify::{sdk_error, service_code};
use crate::connection::Aws;
use crate::crawler::CrawlerSettings;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

impl Aws {
    /// Creates the crawler, and its database, if it does not exist; refuses one that fills another database.
    pub(crate) async fn ensure_crawler(&self, settings: &CrawlerSettings) -> Result<(), AwsError> {
        let name = &settings.name;
        match self.glue.get_crawler().name(name).send().await {
            Ok(answer) => check_database(settings, answer.crawler.as_ref()),
            Err(error) if service_code(&error) == Some("EntityNotFoundException") => {
                let role = settings.role.as_deref().ok_or_else(|| missing_role(name))?;
                self.ensure_database(&settings.database).await?;
                self.create_crawler(settings, role).await
            }
            Err(error) => Err(sdk_error(format_args!("cannot look at the crawler {name}"), error)),
        }
    }

    async fn ensure_database(&self, database: &str) -> Result<(), AwsError> {
        match self.glue.get_database().name(database).send().await {
            Ok(_) => return Ok(()),
            Err(error) if service_code(&error) == Some("EntityNotFoundException") => {}
            Err(error) => {
                return Err(sdk_error(format_args!("cannot look at the Glue database {database}"), error));
            }
        }
        let task = format!("cannot create the Glue database {database}");
        let input = DatabaseInput::builder()
            .name(database)
            .build()
            .map_err(|error| AwsError::new(AwsErrorKind::Configuration, format!("{task}: {error}")))?;
        match self.glue.create_database().database_input(input).send().await {
            Ok(_) => {
                tracing::info!(database, "created the Glue database");
                Ok(())
            }
            // Another run was faster, or our first request was and its answer was lost.
            Err(error) if service_code(&error) == Some("AlreadyExistsException") => Ok(()),
            Err(error) => Err(sdk_error(task, error)),
        }
    }

    async fn create_crawler(&self, settings: &CrawlerSettings, role: &str) -> Result<(), AwsError> {
        let name = &settings.name;
        let roots = settings.tables.iter().map(|table| settings.target.join(&table.folder));
        let targets =
            CrawlerTargets::builder().set_s3_targets(Some(roots.map(|root| s3_target(&root)).collect())).build();
        let answer = self
            .glue
            .create_crawler()
            .name(name)
            .role(role)
            .database_name(&settings.database)
            .targets(targets)
            .configuration(crawl_configuration(&settings.target))
            .schema_change_policy(schema_changes())
            .send()
            .await;
        match answer {
            Ok(_) => {
                tracing::info!(crawler = name, database = settings.database, "created the crawler");
                Ok(())
            }
            // Whoever made it: its targets are looked at before it is started.
            Err(error) if service_code(&error) == Some("AlreadyExistsException") => Ok(()),
            Err(error) => Err(sdk_error(
                format_args!("cannot create the crawler {name} with the role {role} (--crawler-role)"),
                error,
            )),
        }
    }

    /// Adds the published folders that the crawler does not look at yet. What others gave it stays.
    pub(crate) async fn add_missing_targets(
        &self,
        settings: &CrawlerSettings,
        crawler: &Crawler,
    ) -> Result<(), AwsError> {
        let missing = missing_roots(settings, crawler.targets());
        if missing.is_empty() {
            return Ok(());
        }
        let name = &settings.name;
        tracing::info!(crawler = name, folders = missing.len(), "adding folders to the crawler");
        let mut targets = crawler.targets().cloned().unwrap_or_else(|| CrawlerTargets::builder().build());
        let s3_targets = targets.s3_targets.get_or_insert_default();
        s3_targets.extend(missing.iter().map(s3_target));
        let answer = self.glue.update_crawler().name(name).targets(targets).send().await;
        answer.map(drop).map_err(|error| sdk_error(format_args!("cannot add folders to the crawler {name}"), error))
    }
}

/// A trailing slash: without it Glue takes `orders` for `orders_old`, too.
fn s3_target(root: &S3Url) -> S3Target {
    S3Target::builder().path(format!("{root}/")).build()
}

/// The published folders that are neither a target nor below one.
fn missing_roots(settings: &CrawlerSettings, targets: Option<&CrawlerTargets>) -> Vec<S3Url> {
    let covered: Vec<String> = targets
        .map(CrawlerTargets::s3_targets)
        .unwrap_or_default()
        .iter()
        .filter_map(|target| target.path())
        .map(|path| format!("{}/", path.trim_end_matches('/')))
        .collect();
    let roots = settings.tables.iter().map(|table| settings.target.join(&table.folder));
    roots.filter(|root| !covered.iter().any(|target| format!("{root}/").starts_with(target))).collect()
}

/// One table for each published folder, whatever its neighbours look like, and partitions that follow their table.
fn crawl_configuration(target: &S3Url) -> String {
    // Glue counts the bucket as level 1; a table's folder is one below the destination.
    let folders = target.prefix().split('/').filter(|part| !part.is_empty());
    let level = 1 + folders.count() + 1;
    format!(
        r#"{{"Version":1.0,"Grouping":{{"TableGroupingPolicy":"CombineCompatibleSchemas","TableLevelConfiguration":{level}}},"CrawlerOutput":{{"Partitions":{{"AddOrUpdateBehavior":"InheritFromTable"}}}}}}"#
    )
}

/// The tables follow the files. Nothing is deleted or marked as deprecated: a folder that is empty for a moment, while a
/// run replaces its files, must not take a table away from those who query it.
fn schema_changes() -> SchemaChangePolicy {
    SchemaChangePolicy::builder()
        .update_behavior(UpdateBehavior::UpdateInDatabase)
        .delete_behavior(DeleteBehavior::Log)
        .build()
}

fn check_database(settings: &CrawlerSettings, crawler: Option<&Crawler>) -> Result<(), AwsError> {
    let fills = crawler.and_then(Crawler::database_name);
    let Some(other) = fills.filter(|database| *database != settings.database) else {
        return Ok(());
    };
    Err(AwsError::new(
        AwsErrorKind::Configuration,
        format!(
            "the crawler {} fills the Glue database {other}, not {}; \
             set --glue-database={other} or give --crawler another name",
            settings.name, settings.database
        ),
    ))
}

fn missing_role(name: &str) -> AwsError {
    AwsError::new(
        AwsErrorKind::Configuration,
        format!(
            "the crawler {name} does not exist, and creating it needs a role that may read the bucket; \
             name one with --crawler-role or PROJECT_CRAWLER_ROLE"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_glue::types::CrawlerTargets;

    use super::{crawl_configuration, missing_roots, s3_target};
    use crate::crawler::CrawlerSettings;
    use crate::location::S3Url;
    use crate::published_table::PublishedTable;

    fn url(text: &str) -> S3Url {
        text.parse().unwrap()
    }

    fn published(folder: &str) -> PublishedTable {
        PublishedTable { folder: folder.to_owned(), columns: Vec::new(), partition_key: None, partitions: Vec::new() }
    }

    fn missing(tables: &[&str], targets: &[&str]) -> Vec<String> {
        let settings = CrawlerSettings {
            name: "nightly".to_owned(),
            database: "lake".to_owned(),
            role: None,
            target: url("s3://lake/team"),
            tables: tables.iter().map(|&folder| published(folder)).collect(),
            timeout: Duration::from_secs(1),
            wait: true,
        };
        let targets = CrawlerTargets::builder()
            .set_s3_targets(Some(targets.iter().map(|target| s3_target(&url(target))).collect()))
            .build();
        let missing = missing_roots(&settings, Some(&targets));
        missing.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_folder_is_covered_by_itself_and_by_a_folder_above_but_not_by_a_longer_name() {
        assert_eq!(missing(&["foo"], &["s3://lake/team/foo"]), [""; 0]);
        assert_eq!(missing(&["foo"], &["s3://lake/team/"]), [""; 0]);
        assert_eq!(missing(&["foo"], &["s3://lake"]), [""; 0]);
        assert_eq!(missing(&["foo_bar"], &["s3://lake/team/foo"]), ["s3://lake/team/foo_bar"]);
        assert_eq!(missing(&["foo"], &["s3://lake/team/foo_bar"]), ["s3://lake/team/foo"]);
        assert_eq!(missing(&["foo"], &["s3://other-lake/team/foo"]), ["s3://lake/team/foo"]);
    }

    #[test]
    fn the_table_level_counts_the_bucket_as_one() {
        for (target, level) in [("s3://lake", 2), ("s3://lake/a", 3), ("s3://lake/a/b", 4)] {
            let expected = format!(r#""TableLevelConfiguration":{level}}}"#);
            let configuration = crawl_configuration(&url(target));
            assert!(configuration.contains(&expected), "{configuration}");
        }
    }
}
