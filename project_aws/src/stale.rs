//! Removing the files of earlier runs from a table's folder.

use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

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
        let folder = table_folder.trim_matches('/');
        let keys = self.list_objects(&table).await?.into_iter().map(|object| format!("{folder}/{}", object.key));
        let stale: Vec<String> = keys.filter(|key| key.ends_with(".parquet") && stale(key)).collect();
        let task = format!("cannot remove old files from {table}");
        let consequence = "until they are gone readers see old and new rows";
        self.delete_below(destination, &stale, &task, consequence).await?;
        tracing::info!(%table, files = stale.len(), "removed files of earlier runs");
        Ok(stale)
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
