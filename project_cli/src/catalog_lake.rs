//! A lake whose tables are Glue tables: each is switched to the files of a run by one compare-and-swap.

use crate::bucket_objects::BucketObjects;
use anyhow::Result;
use chrono::SecondsFormat;
use project_aws::{CatalogTable, ProjectedKey, Switched, TableDefinition};
use project_partition_dates::NULL_PARTITION;
use project_publish::{Committed, Lake, Live, Release, Run, TableManifest, carried_key};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The parameter of a Glue table that says which run it shows.
const RUN: &str = "project.run_id";

/// Objects in a bucket, tables in a Glue database.
#[derive(Debug)]
pub(crate) struct CatalogLake {
    objects: BucketObjects,
    database: String,
}

impl CatalogLake {
    pub(crate) fn new(objects: BucketObjects, database: String) -> Self {
        Self { objects, database }
    }

    /// The run that a Glue table shows. One that reads another place is somebody else's, whoever made it.
    fn shown(&self, table: CatalogTable) -> Live {
        let root = format!("{}/", self.objects.url);
        let ours = table.location.as_deref().is_some_and(|location| location.starts_with(&root));
        let run = table.parameters.get(RUN).filter(|_| ours && !table.is_of_a_crawler).cloned();
        Live { run, version: table.version }
    }

    fn definition(&self, release: Release<'_>) -> TableDefinition {
        let Release { run, table } = release;
        let location = self.objects.url.join(&format!("run={}/{}", run.run_id, table.table));
        let mut parameters: BTreeMap<String, String> = [
            (RUN, run.run_id.clone()),
            ("project.rows", table.rows.to_string()),
            ("project.snapshot_at", run.snapshot.taken_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        parameters.extend(run.snapshot.lsn.as_ref().map(|lsn| ("project.snapshot_lsn".to_owned(), lsn.clone())));
        TableDefinition {
            name: table.table.clone(),
            partition: table.partition_key.as_ref().map(|key| ProjectedKey {
                key: key.clone(),
                values: partition_values(table),
                location_template: format!("{location}/{key}=${{{key}}}/"),
            }),
            location,
            columns: table.columns.iter().map(|column| (column.name.clone(), column.kind.clone())).collect(),
            parameters,
        }
    }
}

/// Each value that has files, so that the rows without a date are seen as well. A table without rows has one folder
/// without files: a projection needs a value.
fn partition_values(table: &TableManifest) -> Vec<String> {
    let values: BTreeSet<&String> = table.files.iter().filter_map(|file| file.partition.as_ref()).collect();
    if values.is_empty() { vec![NULL_PARTITION.to_owned()] } else { values.into_iter().cloned().collect() }
}

impl Lake for CatalogLake {
    type Objects = BucketObjects;

    fn objects(&self) -> &BucketObjects {
        &self.objects
    }

    fn carried_key(&self, run_id: &str, table: &str, key: &str) -> String {
        carried_key(run_id, table, key)
    }

    async fn live(&self, table: &str) -> Result<Option<Live>> {
        let found = self.objects.aws.catalog_table(&self.database, table).await?;
        Ok(found.map(|found| self.shown(found)))
    }

    async fn live_runs(&self, known: &[Run]) -> Result<BTreeSet<String>> {
        // A run may have been published into another database, by another setting.
        let mut databases: BTreeSet<&str> = known.iter().filter_map(|run| run.database.as_deref()).collect();
        databases.insert(&self.database);
        let mut live = BTreeSet::new();
        for database in databases {
            let tables = self.objects.aws.catalog_tables(database).await?;
            live.extend(tables.into_iter().filter_map(|table| self.shown(table).run));
        }
        Ok(live)
    }

    async fn commit(&self, release: Release<'_>, expected: Option<&Live>) -> Result<Committed> {
        let definition = self.definition(release);
        let aws = &self.objects.aws;
        let overtaken = match expected {
            None => aws.create_catalog_table(&self.database, &definition).await? == project_aws::Created::Exists,
            Some(live) => {
                let switched = aws.update_catalog_table(&self.database, &definition, &live.version).await?;
                switched == Switched::Overtaken
            }
        };
        Ok(if overtaken { Committed::Overtaken } else { Committed::Done(Duration::ZERO) })
    }
}
