//! Multipart uploads that somebody began and never ended: their parts cost money, and no listing of objects shows them.

use std::time::{Duration, SystemTime};

use futures::future::FutureExt;
use futures::stream::{self, StreamExt};

use crate::classify::{sdk_error, service_code};
use crate::connection::Aws;
use crate::error::{AwsError, AwsErrorKind};
use crate::location::S3Url;

const REQUESTS_AT_ONCE: usize = 16;

/// An upload that was begun, and neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// The key below the folder that was asked for.
    pub key: String,
    /// S3's name of the upload.
    pub upload_id: String,
    /// When it was begun, by S3's clock.
    pub initiated: SystemTime,
}

impl Aws {
    /// The uploads below a folder that were begun longer ago than `older_than`; it should be longer than the longest
    /// run, or the uploads of a run that is still at it are among them.
    pub async fn abandoned_uploads(
        &self,
        folder: &S3Url,
        older_than: Duration,
    ) -> Result<Vec<AbandonedUpload>, AwsError> {
        let task = format!("cannot list the unfinished uploads below {folder} (s3:ListBucketMultipartUploads)");
        let (root, now) = (folder.folder_prefix(), SystemTime::now());
        let (mut found, mut key_marker, mut upload_id_marker) = (Vec::new(), None, None);
        loop {
            let request = self.s3.list_multipart_uploads().bucket(folder.bucket()).prefix(&root);
            let request = request.set_key_marker(key_marker).set_upload_id_marker(upload_id_marker);
            let page = request.send().await.map_err(|error| sdk_error(&task, error))?;
            found.extend(page.uploads.into_iter().flatten().filter_map(|upload| {
                let initiated = SystemTime::try_from(upload.initiated?).ok()?;
                let is_old = now.duration_since(initiated).is_ok_and(|age| age >= older_than);
                let key = upload.key?.strip_prefix(&root)?.to_owned();
                is_old.then_some(AbandonedUpload { key, upload_id: upload.upload_id?, initiated })
            }));
            if page.is_truncated != Some(true) {
                return Ok(found);
            }
            (key_marker, upload_id_marker) = (page.next_key_marker, page.next_upload_id_marker);
            if key_marker.is_none() {
                let text = format!("{task}: the store says that there is more and not where; run it again");
                return Err(AwsError::new(AwsErrorKind::Temporary, text));
            }
        }
    }

    /// Removes the parts of these uploads below `folder`. One that is gone already is a success; all are tried, and the
    /// first failure is reported.
    pub async fn abort_uploads(&self, folder: &S3Url, uploads: &[AbandonedUpload]) -> Result<(), AwsError> {
        // In boxes, because the compiler cannot see that a stream of borrowing futures may change threads.
        let aborts: Vec<_> = uploads.iter().map(|upload| self.abort_upload(folder, upload).boxed()).collect();
        let outcomes: Vec<_> = stream::iter(aborts).buffer_unordered(REQUESTS_AT_ONCE).collect().await;
        outcomes.into_iter().collect()
    }

    async fn abort_upload(&self, folder: &S3Url, upload: &AbandonedUpload) -> Result<(), AwsError> {
        let object = folder.join(&upload.key);
        let request = self.s3.abort_multipart_upload().bucket(object.bucket()).key(object.prefix());
        match request.upload_id(&upload.upload_id).send().await {
            Ok(_) => Ok(()),
            Err(error) if service_code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(sdk_error(format_args!("cannot abort the unfinished upload of {object}"), error)),
        }
    }
}
