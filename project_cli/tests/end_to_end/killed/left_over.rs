//! What may lie in a lake after everything that died there was collected.

use super::store::{Kind, Store};
use crate::lake_folder::listing;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// More than the grace that gc is given here.
const AFTER_GRACE: Duration = Duration::from_millis(1200);

impl Store {
    /// Collects, and fails when anything is there that the manifest of the one run that stays does not name.
    pub(super) fn check_nothing_is_left_over(&self) -> Result<()> {
        self.age_claims()?;
        sleep(AFTER_GRACE);
        self.collect()?;
        let found = self.found()?;
        let manifests: Vec<&String> = found.iter().filter(|key| is_manifest(key)).collect();
        let [manifest] = manifests.as_slice() else { anyhow::bail!("one run should stay: {manifests:?}") };
        let expected = self.expected(manifest)?;
        let strange: Vec<&String> = found.difference(&expected).collect();
        ensure!(strange.is_empty(), "left over, and no manifest names it: {strange:?}");
        let missing: Vec<&String> = expected.difference(&found).collect();
        ensure!(missing.is_empty(), "collected, although a table shows it: {missing:?}");
        if self.kind != Kind::Folder {
            let pending = self.pending_uploads()?;
            ensure!(pending.is_empty(), "uploads that cost money for ever: {pending:?}");
        }
        Ok(())
    }

    fn found(&self) -> Result<BTreeSet<String>> {
        match self.kind {
            Kind::Folder => Ok(listing(&self.program.lake())?.keys().map(|path| path.display().to_string()).collect()),
            _ => Ok(self.keys()?.into_iter().collect()),
        }
    }

    fn expected(&self, manifest: &str) -> Result<BTreeSet<String>> {
        let content: Value = serde_json::from_slice(&self.object(manifest)?)?;
        let mut expected = BTreeSet::from([manifest.to_owned()]);
        for table in content["tables"].as_array().context("tables")? {
            let name = table["table"].as_str().context("the name of a table")?;
            let files = table["files"].as_array().context("files")?;
            let keys = files.iter().map(|file| file["key"].as_str().context("a key").map(str::to_owned));
            expected.extend(keys.collect::<Result<Vec<String>>>()?);
            expected.extend(match self.kind {
                Kind::Folder => Some(name.to_owned()),
                Kind::Crawler => Some(format!("_runs/live/{name}.json")),
                Kind::Catalog => None,
            });
        }
        if self.kind == Kind::Folder {
            let folders: Vec<String> = expected.iter().flat_map(|key| parents(key)).collect();
            expected.extend(folders);
            expected.extend(["_runs/.lock", "_runs/claims"].map(str::to_owned));
        }
        Ok(expected)
    }
}

fn is_manifest(key: &str) -> bool {
    key.strip_prefix("_runs/").is_some_and(|name| !name.contains('/') && name.ends_with(".json"))
}

fn parents(key: &str) -> Vec<String> {
    let parents = Path::new(key).ancestors().skip(1).map(|path| path.display().to_string());
    parents.filter(|path| !path.is_empty()).collect()
}
