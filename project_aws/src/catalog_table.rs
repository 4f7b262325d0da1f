//! Tables that we define in the Glue catalog ourselves: looking at one, creating it, and switching it in one step.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_glue::types::{Column, Table};

use crate::classify::{outcome_unknown, sdk_error, service_code};
use crate::conditional_object::Created;
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::table_definition::TableDefinition;
use crate::waiting::Pace;

/// Glue may refuse a change because of another that does not touch the version, such as one of the statistics.
const TRIES_AFTER_CONFLICT: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A table of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogTable {
    /// What names exactly this state of it, for [`Aws::update_catalog_table`].
    pub version: String,
    /// The folder that it reads, as it stands there.
    pub location: Option<String>,
    /// Its parameters: ours, the projection, and what others have added.
    pub parameters: HashMap<String, String>,
    /// Name and Glue type.
    pub columns: Vec<(String, String)>,
    /// Name and Glue type.
    pub partition_keys: Vec<(String, String)>,
    /// Whether a crawler made it or has changed it; such a table would be changed again.
    pub is_of_a_crawler: bool,
}

/// What came of switching exactly the table that was looked at before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// It is exactly ours.
    Done,
    /// Somebody else has changed it in the meantime; we have changed nothing.
    Overtaken,
}

impl Aws {
    /// Asks for the Glue database, so that a wrong name is known before a table is read.
    pub async fn check_database(&self, database: &str) -> Result<(), AwsError> {
        match self.glue.get_database().name(database).send().await {
            Ok(_) => Ok(()),
            Err(error) if service_code(&error) == Some("EntityNotFoundException") => Err(no_database(database)),
            Err(error) => Err(sdk_error(format_args!("cannot look at the Glue database {database}"), error)),
        }
    }

    /// A table of the catalog; `None` when there is none. A missing database is an error.
    pub async fn catalog_table(&self, database: &str, name: &str) -> Result<Option<CatalogTable>, AwsError> {
        match self.find_table(database, name).await? {
            Some(table) => describe(database, &table).map(Some),
            None => self.check_database(database).await.map(|()| None),
        }
    }

    /// All tables of a database; those of which Glue names no version are nobody's to switch and are left out.
    pub async fn catalog_tables(&self, database: &str) -> Result<Vec<CatalogTable>, AwsError> {
        let mut pages = self.glue.get_tables().database_name(database).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let doing = format_args!("cannot list the tables of the Glue database {database}");
            let page = page.map_err(|error| match service_code(&error) {
                Some("EntityNotFoundException") => no_database(database),
                _ => sdk_error(doing, error),
            })?;
            let tables = page.table_list.unwrap_or_default();
            found.extend(tables.iter().filter_map(|table| describe(database, table).ok()));
        }
        Ok(found)
    }

    /// Creates a table that must not exist. One that is there and is as defined is ours: the answer to the request that
    /// made it may have been lost.
    pub async fn create_catalog_table(
        &self,
        database: &str,
        definition: &TableDefinition,
    ) -> Result<Created, AwsError> {
        let name = &definition.name;
        let input = definition.to_input()?;
        let answer = self.glue.create_table().database_name(database).table_input(input).send().await;
        let Err(error) = answer else {
            tracing::info!(database, table = name, "created the Glue table");
            return Ok(Created::Done);
        };
        let exists = service_code(&error) == Some("AlreadyExistsException");
        if service_code(&error) == Some("EntityNotFoundException") {
            return Err(no_database(database));
        }
        let unknown = may_be_done(&error);
        let failed = sdk_error(format_args!("cannot create the Glue table {database}.{name}"), error);
        match self.find_table(database, name).await {
            Ok(Some(table)) if definition.is(&table) => Ok(Created::Done),
            Ok(Some(_)) if exists || unknown => Ok(Created::Exists),
            // It was there a moment ago.
            Ok(None) if exists => Err(failed.with_remark("the table has just been dropped: run it again")),
            _ if exists || unknown => Err(failed.with_remark("whether it was created is not known")),
            _ => Err(failed),
        }
    }

    /// Replaces everything that the catalog says of a table, in one step that no reader sees half of, if it still has
    /// the version that was looked at. No older version is kept: their number is limited.
    pub async fn update_catalog_table(
        &self,
        database: &str,
        definition: &TableDefinition,
        expected_version: &str,
    ) -> Result<Switched, AwsError> {
        let name = &definition.name;
        let input = definition.to_input()?;
        let mut pace = Pace::up_to(LONGEST_PAUSE);
        let mut conflicts = 0;
        loop {
            let request = self.glue.update_table().database_name(database).table_input(input.clone());
            let Err(error) = request.version_id(expected_version).skip_archive(true).send().await else {
                tracing::info!(database, table = name, "switched the Glue table");
                return Ok(Switched::Done);
            };
            let conflict = service_code(&error) == Some("ConcurrentModificationException");
            let dropped = service_code(&error) == Some("EntityNotFoundException");
            let unknown = may_be_done(&error);
            let failed = sdk_error(format_args!("cannot switch the Glue table {database}.{name}"), error);
            // Also after a plain refusal: it may be the answer to a repetition by the SDK, and the first one was done.
            match self.find_table(database, name).await {
                Ok(Some(table)) if definition.is(&table) => {
                    tracing::info!(database, table = name, "the answer was lost; the Glue table is switched");
                    return Ok(Switched::Done);
                }
                _ if !conflict && !dropped && !unknown => return Err(failed),
                Ok(Some(table)) if table.version_id() != Some(expected_version) => return Ok(Switched::Overtaken),
                Ok(None) => return self.check_database(database).await.map(|()| Switched::Overtaken),
                // Nothing has changed it, so nothing has overtaken us.
                Ok(Some(_)) if conflict && conflicts < TRIES_AFTER_CONFLICT => {
                    conflicts += 1;
                    pace.pause().await;
                }
                Ok(Some(_)) | Err(_) => return Err(failed.with_remark("whether it was switched is not known")),
            }
        }
    }

    /// The table as Glue has it, or `None`.
    pub(crate) async fn find_table(&self, database: &str, name: &str) -> Result<Option<Table>, AwsError> {
        let answer = self.glue.get_table().database_name(database).name(name).send().await;
        match answer {
            Ok(answer) => Ok(answer.table),
            Err(error) if service_code(&error) == Some("EntityNotFoundException") => Ok(None),
            Err(error) => Err(sdk_error(format_args!("cannot look at the Glue table {database}.{name}"), error)),
        }
    }
}

/// Glue says of a request that took it too long that it is refused, with a status like any other refusal.
fn may_be_done<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    outcome_unknown(error) || service_code(error) == Some("OperationTimeoutException")
}

fn describe(database: &str, table: &Table) -> Result<CatalogTable, AwsError> {
    let version = table.version_id().ok_or_else(|| {
        let text = format!(
            "Glue names no version of the table {database}.{}, so two runs could switch it at once; \
             publish it by a crawler",
            table.name()
        );
        AwsError::new(AwsErrorKind::Configuration, text)
    })?;
    let storage = table.storage_descriptor();
    let parameters = table.parameters().cloned().unwrap_or_default();
    let is_of_a_crawler =
        ["UPDATED_BY_CRAWLER", "CrawlerSchemaSerializerVersion"].iter().any(|name| parameters.contains_key(*name));
    Ok(CatalogTable {
        version: version.to_owned(),
        location: storage.and_then(|storage| storage.location()).map(str::to_owned),
        parameters,
        columns: storage.map(|storage| pairs(storage.columns())).unwrap_or_default(),
        partition_keys: pairs(table.partition_keys()),
        is_of_a_crawler,
    })
}

fn pairs(columns: &[Column]) -> Vec<(String, String)> {
    let pair = |column: &Column| (column.name().to_owned(), column.r#type().unwrap_or_default().to_owned());
    columns.iter().map(pair).collect()
}

fn no_database(database: &str) -> AwsError {
    AwsError::new(
        AwsErrorKind::Configuration,
        format!(
            "there is no Glue database {database}; create it (aws glue create-database \
             --database-input '{{\"Name\":\"{database}\"}}') or correct --glue-database"
        ),
    )
}
