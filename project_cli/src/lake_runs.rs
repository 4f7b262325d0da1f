//! `project runs`, `project rollback` and `project gc`: the runs of a lake.

use crate::bucket_objects::{BucketObjects, StagedObjects};
use crate::catalog_lake::CatalogLake;
use crate::config::{self, ConfigError, LakeAction, LakeConfig, MessageLevel};
use crate::output::{Column, ColumnKind, ResultFormat, ResultPrinter, Row};
use anyhow::Result;
use chrono::{TimeDelta, Utc};
use project_aws::{Aws, S3Url};
use project_publish::gc::{Keep, collect};
use project_publish::{FolderLake, InPlaceLake, Lake, Mode, PublishError, Runs, roll_back};
use std::collections::BTreeMap;
use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Does what was asked for.
pub(crate) async fn act(config: &LakeConfig) -> Result<()> {
    let url: S3Url = match &config.destination {
        config::Location::Local(folder) if !folder.is_dir() => return Err(no_lake(folder).into()),
        config::Location::Local(folder) => return on(&FolderLake::new(folder), config).await,
        config::Location::S3(url) => url.parse()?,
    };
    let aws = Aws::connect(&config.aws).await?;
    aws.check_bucket(&url).await?;
    let objects = BucketObjects::new(aws.clone(), url.clone());
    let newest = Runs::of(&objects).newest().await?;
    match newest.as_ref().map(|manifest| manifest.run.mode) {
        Some(Mode::Catalog) => {
            let database = config.database.clone().or_else(|| newest.and_then(|manifest| manifest.run.database));
            on(&CatalogLake::new(objects, database.unwrap_or_default()), config).await?;
        }
        Some(Mode::Crawler) | Some(Mode::Folder) | None => {
            if let LakeAction::RollBack { .. } = config.action {
                return Err(keeps_no_runs(&url).into());
            }
            let nothing_staged = StagedObjects::new(objects, BTreeMap::new(), &CancellationToken::new());
            on(&InPlaceLake::new(nothing_staged), config).await?;
        }
    }
    match config.action {
        LakeAction::Gc { grace, .. } => abort_abandoned(&aws, &url, grace, config).await,
        _ => Ok(()),
    }
}

fn no_lake(folder: &Path) -> PublishError {
    PublishError::NoSuchRun(format!("there is no lake in {}; name one with --upload", folder.display()))
}

fn keeps_no_runs(url: &S3Url) -> ConfigError {
    ConfigError::usage(format!(
        "{url} holds one set of files for each table, because it is published with --publish=crawler: there is no older \
         run to go back to; export the table again, or publish with --publish=catalog, which keeps runs"
    ))
}

async fn on<L: Lake>(lake: &L, config: &LakeConfig) -> Result<()> {
    match &config.action {
        LakeAction::Runs => list(lake, config.format).await,
        LakeAction::RollBack { table, to } => {
            let done = roll_back(lake, table, to.as_deref()).await?;
            let (run, from) = (&done.to.run, done.from.unwrap_or_else(|| "nothing".to_owned()));
            tell(config, &format!("{table} shows run {} ({}) and no longer {from}", run.run_id, run.snapshot));
            Ok(())
        }
        LakeAction::Gc { keep_runs, grace } => {
            let grace = TimeDelta::from_std(*grace).unwrap_or(TimeDelta::MAX);
            let gone = collect(lake, Keep { runs: *keep_runs, grace }, Utc::now()).await?;
            let (runs, dead) = (gone.runs.len(), gone.dead.len());
            let done = format!(
                "removed {runs} old runs and what {dead} dead runs had left, {} objects; {} runs stay",
                gone.objects, gone.kept
            );
            tell(config, &done);
            Ok(())
        }
    }
}

/// One line for each table of each run, newest first.
async fn list<L: Lake>(lake: &L, format: ResultFormat) -> Result<()> {
    let manifests = Runs::of(lake.objects()).all().await?;
    let mut shown = BTreeMap::new();
    for table in manifests.iter().flat_map(|manifest| &manifest.tables).map(|table| &table.table) {
        if !shown.contains_key(table) {
            shown.insert(table, lake.live(table).await?.and_then(|live| live.run));
        }
    }
    let columns = ["run", "snapshot", "table", "rows", "bytes", "files", "dates", "shown"];
    let columns = columns.map(|name| Column { name: name.to_owned(), kind: kind(name) }).to_vec();
    let mut printer = ResultPrinter::new(format, columns, stdout().lock());
    for manifest in manifests.iter().rev() {
        let is_shown = |table: &String| shown.get(table).and_then(Option::as_ref) == Some(&manifest.run.run_id);
        let rows = manifest.tables.iter().map(|table| {
            let fields: [String; 6] = [
                manifest.run.run_id.clone(),
                manifest.run.snapshot.to_string(),
                table.table.clone(),
                table.rows.to_string(),
                table.bytes.to_string(),
                table.files.len().to_string(),
            ];
            let mut row: Row = fields.into_iter().map(Some).collect();
            row.push(table.window.as_ref().map(ToString::to_string));
            row.push(Some(if is_shown(&table.table) { "true" } else { "false" }.to_owned()));
            row
        });
        // A reader that has gone away needs no more rows.
        let _ = printer.page(rows.collect())?;
    }
    Ok(printer.finish()?)
}

fn kind(column: &str) -> ColumnKind {
    match column {
        "rows" | "bytes" | "files" => ColumnKind::Number,
        "shown" => ColumnKind::Boolean,
        _ => ColumnKind::Text,
    }
}

async fn abort_abandoned(aws: &Aws, url: &S3Url, grace: Duration, config: &LakeConfig) -> Result<()> {
    let abandoned = aws.abandoned_uploads(url, grace).await?;
    aws.abort_uploads(url, &abandoned).await?;
    tell(config, &format!("removed {} uploads that were never finished", abandoned.len()));
    Ok(())
}

/// A sentence for whoever asked, or for the log of whoever runs this at night.
fn tell(config: &LakeConfig, sentence: &str) {
    match (config.messages.level, config.messages.json) {
        (MessageLevel::Quiet, _) => {}
        (_, true) => info!("{sentence}"),
        // A reader that has gone away changes nothing about what was done.
        (_, false) => drop(writeln!(stderr(), "{sentence}")),
    }
}
