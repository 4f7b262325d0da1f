//! The manifests of a lake.

use crate::error::PublishError;
use crate::lake::{Created, Objects};
use crate::manifest::{Manifest, Mode};
use crate::run_id::RunId;
use anyhow::{Result, bail};

/// The folder of the manifests.
pub const RUNS_FOLDER: &str = "_runs";

/// The manifests of a lake, by their runs.
#[derive(Debug)]
pub struct Runs<'a, O>(&'a O);

impl<'a, O: Objects> Runs<'a, O> {
    /// Those among these objects.
    pub fn of(objects: &'a O) -> Self {
        Self(objects)
    }

    /// The runs that have a manifest, oldest first.
    pub async fn ids(&self) -> Result<Vec<RunId>> {
        let keys = self.0.list(RUNS_FOLDER).await?;
        let mut ids: Vec<RunId> = keys.iter().filter_map(|key| run_of(key)).collect();
        ids.sort();
        Ok(ids)
    }

    /// A run's manifest, if it has one.
    pub async fn find(&self, run: &str) -> Result<Option<Manifest>> {
        let key = manifest_key(run);
        let found = self.0.read(&key).await?;
        found.map(|found| Manifest::from_json(&key, &found.content)).transpose()
    }

    /// All manifests, oldest first.
    pub async fn all(&self) -> Result<Vec<Manifest>> {
        let mut manifests = Vec::new();
        for id in self.ids().await? {
            // One that gc has removed since the listing is no run any more.
            manifests.extend(self.find(id.as_str()).await?);
        }
        Ok(manifests)
    }

    /// The manifest of the last run, which says how the lake is published, if it ever was.
    pub async fn newest(&self) -> Result<Option<Manifest>> {
        for id in self.ids().await?.iter().rev() {
            let found = self.find(id.as_str()).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(crate) async fn create(&self, manifest: &Manifest) -> Result<()> {
        let run = &manifest.run.run_id;
        match self.0.create(&manifest_key(run), manifest.to_json()?).await? {
            Created::Done => Ok(()),
            Created::Exists => bail!("there is a manifest of run {run} already; run it again"),
        }
    }

    pub(crate) async fn delete(&self, run: &str) -> Result<()> {
        self.0.delete(&[manifest_key(run)]).await
    }
}

/// Refuses to publish to a `place` in another way than before; nothing is changed.
pub async fn check_mode<O: Objects>(objects: &O, place: &str, asked: Mode) -> Result<()> {
    match Runs::of(objects).newest().await?.map(|manifest| manifest.run.mode) {
        Some(found) if found != asked => Err(PublishError::OtherMode { place: place.to_owned(), found, asked }.into()),
        _ => Ok(()),
    }
}

pub(crate) fn manifest_key(run: &str) -> String {
    format!("{RUNS_FOLDER}/{run}.json")
}

fn run_of(key: &str) -> Option<RunId> {
    let name = key.strip_prefix(RUNS_FOLDER)?.strip_prefix('/')?;
    RunId::parse(name.strip_suffix(".json")?)
}
