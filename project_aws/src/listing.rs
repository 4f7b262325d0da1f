//! What lies below a folder.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;

use crate::classify::sdk_error;
use crate::connection::Aws;
use crate::error::AwsError;
use crate::location::S3Url;

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key below the folder that was listed.
    pub key: String,
    /// Its length.
    pub bytes: u64,
}

impl Aws {
    /// All objects below a folder, however deep, sorted by their keys.
    pub async fn list_objects(&self, folder: &S3Url) -> Result<Vec<ListedObject>, AwsError> {
        let root = folder.folder_prefix();
        let mut found = Vec::new();
        self.each_page(folder, self.list_request(folder), |page| {
            let objects = page.contents.into_iter().flatten().filter_map(|object| {
                // The folder itself may be an object, which consoles make.
                let key = object.key?.strip_prefix(&root).filter(|key| !key.is_empty())?.to_owned();
                Some(ListedObject { key, bytes: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0) })
            });
            found.extend(objects);
        })
        .await?;
        Ok(found)
    }

    /// The names of the folders directly below a folder, without a slash, sorted.
    pub async fn list_folders(&self, folder: &S3Url) -> Result<Vec<String>, AwsError> {
        let root = folder.folder_prefix();
        let mut found = Vec::new();
        self.each_page(folder, self.list_request(folder).delimiter("/"), |page| {
            let folders = page.common_prefixes.into_iter().flatten().filter_map(|common| common.prefix);
            found.extend(folders.filter_map(|path| {
                let name = path.strip_prefix(&root)?.trim_end_matches('/');
                (!name.is_empty()).then(|| name.to_owned())
            }));
        })
        .await?;
        Ok(found)
    }

    /// The prefix ends in a slash: without it `foo` would mean `foo_bar` as well.
    fn list_request(&self, folder: &S3Url) -> ListObjectsV2FluentBuilder {
        self.s3.list_objects_v2().bucket(folder.bucket()).prefix(folder.folder_prefix())
    }

    async fn each_page(
        &self,
        folder: &S3Url,
        request: ListObjectsV2FluentBuilder,
        mut take: impl FnMut(ListObjectsV2Output) + Send,
    ) -> Result<(), AwsError> {
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            take(page.map_err(|error| sdk_error(format_args!("cannot list {folder}"), error))?);
        }
        Ok(())
    }
}
