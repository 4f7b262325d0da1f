//! The three kinds of lake, behind one face for those who run, read and clean up.

use super::content::Content;
use super::source::Source;
use crate::deadline::wait_for;
use crate::program::{Ended, Program, Running};
use anyhow::{Context, Result};
use project_test_servers::aws_stand_in::{AwsStandIn, Call};
use serde_json::{Value, json};
use std::fs::{create_dir_all, read_dir, remove_dir_all, rename, write};
use std::time::Duration;

const BUCKET: &str = "lake";
const ROOT: &str = "shop/";
const S3: [&str; 2] = ["--upload=s3://lake/shop", "--s3-path-style"];
const CATALOG: [&str; 2] = ["--publish=catalog", "--glue-database=shop"];
const CRAWLER: [&str; 4] = [
    "--publish=crawler",
    "--glue-database=shop",
    "--crawler=shop_crawler",
    "--crawler-role=arn:aws:iam::123456789012:role/crawler",
];
const CLAIMS: &str = "_runs/claims/";
const PATIENCE: Duration = Duration::from_secs(60);

/// A kind of lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    Catalog,
    Crawler,
}

/// A lake of its own, and the binary that is led there.
pub(super) struct Store {
    pub(super) kind: Kind,
    pub(super) program: Program,
    stand_in: Option<AwsStandIn>,
}

impl Store {
    pub(super) fn open(kind: Kind) -> Result<Self> {
        let program = Program::new()?;
        if kind == Kind::Folder {
            return Ok(Self { kind, program, stand_in: None });
        }
        let stand_in = AwsStandIn::start()?;
        stand_in.create_bucket(BUCKET)?;
        stand_in.glue("CreateDatabase", &json!({"DatabaseInput": {"Name": "shop"}}))?;
        stand_in.set_crawl(Duration::from_millis(60), Duration::from_millis(20), None)?;
        let program = program.with_environment(stand_in.environment());
        Ok(Self { kind, program, stand_in: Some(stand_in) })
    }

    fn stand_in(&self) -> Result<&AwsStandIn> {
        self.stand_in.as_ref().context("only a lake in S3 has a stand-in")
    }

    /// Where the lake is, for every verb.
    fn place(&self) -> &'static [&'static str] {
        if self.kind == Kind::Folder { &["--upload=lake"] } else { &S3 }
    }

    pub(super) fn start(&self, source: &Source) -> Result<Running> {
        let (uri, tables) = (source.uri(), source.selection());
        let publish: &[&str] = match self.kind {
            Kind::Folder => &[],
            Kind::Catalog => &CATALOG,
            Kind::Crawler => &CRAWLER,
        };
        let arguments = [&uri, "--table", &tables, "--scratch=scratch", "--format=json"];
        self.program.start(&[&arguments, self.place(), publish].concat())
    }

    pub(super) fn run(&self, source: &Source) -> Result<Ended> {
        self.start(source)?.wait(PATIENCE)
    }

    /// What those see who are told of the tables: by the links of the folder, or in Athena.
    pub(super) fn read(&self, source: &Source) -> Result<Content> {
        let sql = source.lake_sql();
        let athena: &[&str] = match self.kind {
            Kind::Folder => &[],
            _ => &["--glue-database=shop", "--athena-output=s3://lake/answers"],
        };
        let query = ["query", &sql, "--format=csv"];
        Content::of_csv(&self.program.run(&[&query, self.place(), athena].concat())?.expect(0)?.stdout)
    }

    /// What those see who read every file below the tables' folders in S3, whatever the catalog says.
    pub(super) fn read_objects(&self, source: &Source) -> Result<Content> {
        let folder = self.program.path("objects");
        let _ = remove_dir_all(&folder);
        for key in self.keys()?.iter().filter(|key| key.ends_with(".parquet")) {
            let path = folder.join(key);
            create_dir_all(path.parent().context("a key has a folder")?)?;
            write(path, self.stand_in()?.get_object(BUCKET, &format!("{ROOT}{key}"))?)?;
        }
        let query = ["query", &source.lake_sql(), "--format=csv", "--upload=objects"];
        Content::of_csv(&self.program.run(&query)?.expect(0)?.stdout)
    }

    /// The keys of all objects, relative to the lake.
    pub(super) fn keys(&self) -> Result<Vec<String>> {
        let keys = self.stand_in()?.list_keys(BUCKET, ROOT)?;
        Ok(keys.iter().filter_map(|key| key.strip_prefix(ROOT)).map(str::to_owned).collect())
    }

    pub(super) fn object(&self, key: &str) -> Result<Vec<u8>> {
        match self.kind {
            Kind::Folder => Ok(std::fs::read(self.program.lake().join(key))?),
            _ => self.stand_in()?.get_object(BUCKET, &format!("{ROOT}{key}")),
        }
    }

    pub(super) fn pending_uploads(&self) -> Result<Vec<String>> {
        self.stand_in()?.list_pending_uploads(BUCKET)
    }

    pub(super) fn calls(&self) -> Result<Vec<Call>> {
        self.stand_in()?.log()
    }

    pub(super) fn inject(&self, faults: &Value) -> Result<()> {
        self.stand_in()?.inject(faults)
    }

    /// Ends all faults.
    pub(super) fn serve_normally(&self) -> Result<()> {
        if self.kind == Kind::Folder { Ok(()) } else { self.inject(&json!([])) }
    }

    /// The claims of all runs: the first thing that a run does to be seen.
    pub(super) fn claims(&self) -> Result<Vec<String>> {
        if self.kind == Kind::Folder {
            let folder = self.program.lake().join(CLAIMS);
            let names = read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            // One that is being written has no name yet.
            return names.filter(|name| !name.as_ref().is_ok_and(|name| name.starts_with('.'))).collect();
        }
        Ok(self.keys()?.iter().filter_map(|key| key.strip_prefix(CLAIMS)).map(str::to_owned).collect())
    }

    /// Makes every claim as old as it is long after a run has died.
    pub(super) fn age_claims(&self) -> Result<()> {
        for (number, claim) in self.claims()?.into_iter().enumerate() {
            let (_, rest) = claim.split_once('.').context("a claim without a purpose")?;
            let old = format!("{CLAIMS}20260101T000000000Z-{number:04x}.{rest}");
            let new = format!("{CLAIMS}{claim}");
            if self.kind == Kind::Folder {
                rename(self.program.lake().join(new), self.program.lake().join(old))?;
            } else {
                self.stand_in()?.put_object(BUCKET, &format!("{ROOT}{old}"), b"")?;
                self.stand_in()?.delete_object(BUCKET, &format!("{ROOT}{new}"))?;
            }
        }
        Ok(())
    }

    /// `project gc`, which keeps as little as it may.
    pub(super) fn collect(&self) -> Result<()> {
        let gc = ["gc", "--keep-runs=1", "--grace=1s"];
        self.program.run(&[&gc, self.place()].concat())?.expect(0)?;
        Ok(())
    }

    /// Waits until the store has done what a dead run has asked of it.
    pub(super) fn settle(&self) -> Result<()> {
        if self.kind == Kind::Folder {
            return Ok(());
        }
        wait_for("the store to finish", PATIENCE, || {
            Ok(self.calls()?.iter().all(|call| call.status.is_some()).then_some(()))
        })
    }
}
