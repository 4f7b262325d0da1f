//! The operations that publishing needs. Each happens as a whole or not at all, and a failure may mean either.

use crate::manifest::{DataFile, Run, TableManifest};
use anyhow::Result;
use std::collections::BTreeSet;
use std::time::Duration;

/// Objects by their keys, which are relative to the lake: `run=<id>/orders/part-00000.parquet`.
pub trait Objects: Sync {
    /// A small object with its version, if it is there.
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<Object>>> + Send;

    /// Creates an object, unless its key is taken. The same content counts as created, so that a lost answer does not.
    fn create(&self, key: &str, content: Vec<u8>) -> impl Future<Output = Result<Created>> + Send;

    /// Replaces an object of this version, or creates it where none is expected.
    fn replace(
        &self,
        key: &str,
        content: Vec<u8>,
        expected: Option<&str>,
    ) -> impl Future<Output = Result<Replaced>> + Send;

    /// The names of the folders at the top of the lake.
    fn folders(&self) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// The keys of all objects below a folder.
    fn list(&self, folder: &str) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Length and checksum of an object, if it is there.
    fn facts(&self, key: &str) -> impl Future<Output = Result<Option<Facts>>> + Send;

    /// Gives files a further key each that is not taken, without moving their bytes through here, and proves each result.
    fn copy(&self, copies: &[Duplicate]) -> impl Future<Output = Result<()>> + Send;

    /// Deletes objects; those that are gone already count as deleted.
    fn delete(&self, keys: &[String]) -> impl Future<Output = Result<()>> + Send;
}

/// A lake whose tables show one run each.
pub trait Lake: Sync {
    /// Where its files are.
    type Objects: Objects;

    /// Where its files are.
    fn objects(&self) -> &Self::Objects;

    /// The key that a file of an earlier run has as part of this one. The same key when files are not kept by run.
    fn carried_key(&self, run_id: &str, table: &str, key: &str) -> String;

    /// The run that readers of a table see, if they see any.
    fn live(&self, table: &str) -> impl Future<Output = Result<Option<Live>>> + Send;

    /// Every run that readers of any table see, of tables that no manifest knows as well. `known` are the runs that have
    /// a manifest.
    fn live_runs(&self, known: &[Run]) -> impl Future<Output = Result<BTreeSet<String>>> + Send;

    /// Shows a table of a run to its readers, unless they see something else by now than what is `expected`.
    fn commit(&self, release: Release<'_>, expected: Option<&Live>) -> impl Future<Output = Result<Committed>> + Send;
}

/// A small object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub content: Vec<u8>,
    /// Differs after every change.
    pub version: String,
}

/// A file, and a further key for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The file.
    pub file: DataFile,
    /// The key.
    pub to: String,
}

/// Whether an object was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there, with this content.
    Done,
    /// Its key holds something else.
    Exists,
}

/// Whether an object was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It is, and has this version.
    Done(String),
    /// It has another version than the one expected.
    Overtaken,
}

/// What a store knows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The length.
    pub bytes: u64,
    /// The CRC-32 as in [`DataFile::crc32`], if the store keeps it.
    pub crc32: Option<String>,
}

/// What readers of a table see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The run; nothing when somebody else made the table.
    pub run: Option<String>,
    /// For a compare-and-swap.
    pub version: String,
}

/// A table of a run, about to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// The run.
    pub run: &'a Run,
    /// The table.
    pub table: &'a TableManifest,
}

/// Whether a table was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Readers see it; how long some of them may have seen old and new files together.
    Done(Duration),
    /// Readers saw something else than expected, and still do.
    Overtaken,
}
