//! Removing the files of earlier runs from a table's folder.

use aws_sdk_s3::types::{Delete, Error as KeyError, ObjectIdentifier};

use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

/// S3's limit for one DeleteObjects.
const KEYS_PER_REQUEST: usize = 1_000;

impl Aws {
    /// Deletes those `*.parquet` below `table_folder` of the destination that are `stale`, and returns their keys. Keys
    /// are relative to the destination, as in [`Uploaded::key`](crate::Uploaded::key).
    pub async fn remove_stale(
        &self,
        destination: &S3Url,
        table_folder: &str,
        stale: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<String>, AwsError> {
        let table = folder_below(destination, table_folder)?;
        let root = destination.folder_prefix();
        let keys = self.parquet_keys(&table).await?.into_iter();
        let stale: Vec<String> =
            keys.filter_map(|key| key.strip_prefix(&root).map(str::to_owned)).filter(|key| stale(key)).collect();
        for batch in stale.chunks(KEYS_PER_REQUEST) {
            self.delete(destination, &table, batch).await?;
        }
        tracing::info!(%table, files = stale.len(), "removed files of earlier runs");
        Ok(stale)
    }

    /// All keys below the folder, which ends in a slash here: without it `foo` would mean `foo_bar` as well.
    async fn parquet_keys(&self, folder: &S3Url) -> Result<Vec<String>, AwsError> {
        let mut pages =
            self.s3.list_objects_v2().bucket(folder.bucket()).prefix(folder.folder_prefix()).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| sdk_error(format_args!("cannot list {folder}"), error))?;
            let names = page.contents.into_iter().flatten().filter_map(|object| object.key);
            keys.extend(names.filter(|key| key.ends_with(".parquet")));
        }
        Ok(keys)
    }

    async fn delete(&self, destination: &S3Url, folder: &S3Url, keys: &[String]) -> Result<(), AwsError> {
        let task = format!("cannot remove old files from {folder}");
        let objects = keys
            .iter()
            .map(|key| ObjectIdentifier::builder().key(destination.join(key).prefix()).build())
            .collect::<Result<Vec<_>, _>>()
            .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
            .map_err(|error| AwsError::new(AwsErrorKind::Data, format!("{task}: {error}")))?;
        let answer = self
            .s3
            .delete_objects()
            .bucket(destination.bucket())
            .delete(objects)
            .send()
            .await
            .map_err(|error| sdk_error(&task, error))?;
        // The request as a whole succeeds even when not one key could be deleted.
        match answer.errors() {
            [] => Ok(()),
            [first, others @ ..] => Err(not_deleted(&task, first, others.len())),
        }
    }
}

/// A folder that is not the whole of `place`.
fn folder_below(place: &S3Url, folder: &str) -> Result<S3Url, AwsError> {
    let below = place.join(folder);
    if below != *place {
        return Ok(below);
    }
    Err(AwsError::new(
        AwsErrorKind::Configuration,
        format!("refused to remove old files from all of {place}: name a folder in it"),
    ))
}

fn not_deleted(task: &str, first: &KeyError, others: usize) -> AwsError {
    let code = first.code().unwrap_or("unknown error");
    let kind = match code {
        "AccessDenied" => AwsErrorKind::Denied,
        _ => AwsErrorKind::Temporary,
    };
    let text = format!(
        "{task}: {} ({code}) for the key {} and {others} more; until they are gone readers see old and new rows: \
         give these credentials s3:DeleteObject, or run it again",
        first.message().unwrap_or("no message"),
        first.key().unwrap_or("unknown"),
    );
    AwsError::new(kind, text)
}
