//! The objects of a lake in S3, as the publish protocol wants them.

use anyhow::Result;
use futures::future::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use project_aws::{Aws, S3Url, StagedFile};
use project_publish::{Created, Duplicate, Facts, Object, Objects, Replaced, Reveal};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// These requests carry no file; a table may have thousands of dates.
const COPIES_AT_ONCE: usize = 32;

/// The objects below a place. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct BucketObjects {
    pub(crate) aws: Aws,
    pub(crate) url: S3Url,
}

impl BucketObjects {
    pub(crate) fn new(aws: Aws, url: S3Url) -> Self {
        Self { aws, url }
    }

    async fn copy_one(&self, Duplicate { file, to }: &Duplicate) -> Result<()> {
        self.aws.copy_object(&self.url.join(&file.key), &self.url.join(to), file.bytes, &file.crc32).await?;
        Ok(())
    }
}

impl Objects for BucketObjects {
    async fn read(&self, key: &str) -> Result<Option<Object>> {
        let found = self.aws.read_object(&self.url.join(key)).await?;
        Ok(found.map(|found| Object { content: found.bytes, version: found.etag }))
    }

    async fn create(&self, key: &str, content: Vec<u8>) -> Result<Created> {
        Ok(match self.aws.create_object(&self.url.join(key), content).await? {
            project_aws::Created::Done => Created::Done,
            project_aws::Created::Exists => Created::Exists,
        })
    }

    async fn replace(&self, key: &str, content: Vec<u8>, expected: Option<&str>) -> Result<Replaced> {
        let written = self.aws.replace_object(&self.url.join(key), content.clone(), expected).await?;
        // The version is that of what is there now, which must still be ours.
        match (written, self.read(key).await?) {
            (project_aws::Replaced::Done, Some(now)) if now.content == content => Ok(Replaced::Done(now.version)),
            _ => Ok(Replaced::Overtaken),
        }
    }

    async fn folders(&self) -> Result<Vec<String>> {
        Ok(self.aws.list_folders(&self.url).await?)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>> {
        let found = self.aws.list_objects(&self.url.join(folder)).await?;
        Ok(found.into_iter().map(|object| format!("{folder}/{}", object.key)).collect())
    }

    async fn facts(&self, key: &str) -> Result<Option<Facts>> {
        let found = self.aws.object_facts(&self.url.join(key)).await?;
        Ok(found.map(|found| Facts { bytes: found.bytes, crc32: found.crc32 }))
    }

    async fn copy(&self, copies: &[Duplicate]) -> Result<()> {
        // In boxes, because the compiler cannot see that a stream of borrowing futures may change threads.
        let copies: Vec<_> = copies.iter().map(|copy| self.copy_one(copy).boxed()).collect();
        stream::iter(copies).buffer_unordered(COPIES_AT_ONCE).try_collect().await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        Ok(self.aws.delete_objects_below(&self.url, keys).await?)
    }
}

/// The same, and files that are uploaded and not at their keys yet.
#[derive(Debug)]
pub(crate) struct StagedObjects {
    objects: BucketObjects,
    staged: Mutex<BTreeMap<String, Vec<StagedFile>>>,
    cancel: CancellationToken,
}

impl StagedObjects {
    /// The staged files by table.
    pub(crate) fn new(
        objects: BucketObjects,
        staged: BTreeMap<String, Vec<StagedFile>>,
        cancel: &CancellationToken,
    ) -> Self {
        Self { objects, staged: Mutex::new(staged), cancel: cancel.clone() }
    }

    /// Removes what was not revealed.
    pub(crate) async fn abandon_rest(&self) {
        let rest = std::mem::take(&mut *self.staged.lock().unwrap_or_else(PoisonError::into_inner));
        self.objects.aws.abandon(&self.objects.url, rest.into_values().flatten().collect()).await;
    }

    fn take(&self, table: &str) -> Vec<StagedFile> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).remove(table).unwrap_or_default()
    }
}

impl Reveal for StagedObjects {
    async fn reveal(&self, table: &str) -> Result<Duration> {
        let staged = self.take(table);
        if staged.is_empty() {
            return Ok(Duration::ZERO);
        }
        Ok(self.objects.aws.make_visible(&self.objects.url, staged, &self.cancel).await?.window)
    }
}

impl Objects for StagedObjects {
    async fn read(&self, key: &str) -> Result<Option<Object>> {
        self.objects.read(key).await
    }

    async fn create(&self, key: &str, content: Vec<u8>) -> Result<Created> {
        self.objects.create(key, content).await
    }

    async fn replace(&self, key: &str, content: Vec<u8>, expected: Option<&str>) -> Result<Replaced> {
        self.objects.replace(key, content, expected).await
    }

    async fn folders(&self) -> Result<Vec<String>> {
        self.objects.folders().await
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>> {
        self.objects.list(folder).await
    }

    async fn facts(&self, key: &str) -> Result<Option<Facts>> {
        self.objects.facts(key).await
    }

    async fn copy(&self, copies: &[Duplicate]) -> Result<()> {
        self.objects.copy(copies).await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        self.objects.delete(keys).await
    }
}
