//! What a run holds, in one JSON file that is written once, after the data and before anybody sees it.

use crate::lake::Facts;
use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The form of the file. A reader refuses a newer one.
const FORMAT: u32 = 1;

/// A manifest, `_runs/<id>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file.
    pub format: u32,
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// When this was written: all data was there, and nothing of it visible.
    pub written_at: DateTime<Utc>,
    /// Its tables.
    pub tables: Vec<TableManifest>,
}

/// What is true of a run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub run_id: String,
    /// The program and its version.
    pub tool: String,
    /// How it is made visible.
    pub mode: Mode,
    /// The Glue database of its tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The moment that it shows.
    pub snapshot: Snapshot,
}

/// How a destination shows its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One folder for each table, whose files are replaced; a crawler catalogues it.
    Crawler,
    /// A folder for each run, and a Glue table that is switched to it.
    Catalog,
    /// A folder for each run on the local disk, and a link that is switched to it.
    Folder,
}

/// The moment that a run shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// By the clock of the database server.
    pub taken_at: DateTime<Utc>,
    /// The place in the write-ahead log, if the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsn: Option<String>,
    /// Which server's log that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// False with --no-snapshot: the tables show different moments from then on.
    pub shared: bool,
}

/// A table of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableManifest {
    /// Its folder in the lake, and its name in the catalog.
    pub table: String,
    /// The task that made it.
    pub task: String,
    /// Rows in all files.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The columns of the files.
    pub columns: Vec<Column>,
    /// The key of its `key=value` folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// The condition under which rows were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The dates that were read; the files of all others are those of an earlier run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// That earlier run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<String>,
    /// The run that readers saw until this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Every file that belongs to the table.
    pub files: Vec<DataFile>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as Glue writes it.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its key in the lake.
    pub key: String,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// The CRC-32 of the whole file: base64 of the big-endian bytes, as S3 writes it.
    pub crc32: String,
    /// The value of the partition key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
}

/// UTC dates as folder names write them, both included; a side without a date is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Manifest {
    /// For a run whose data is complete.
    pub fn new(run: Run, tables: Vec<TableManifest>) -> Self {
        Self { format: FORMAT, run, written_at: Utc::now(), tables }
    }

    /// The table, if the run holds it.
    pub fn table(&self, table: &str) -> Option<&TableManifest> {
        self.tables.iter().find(|found| found.table == table)
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).context("cannot write the manifest")
    }

    pub(crate) fn from_json(key: &str, content: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let unreadable = || format!("the manifest {key} cannot be read; move it away if it is not needed any more");
        let form: Form = serde_json::from_slice(content).with_context(unreadable)?;
        let newer = format!("the manifest {key} was written by a newer version of project; use that one");
        ensure!(form.format <= FORMAT, newer);
        serde_json::from_slice(content).with_context(unreadable)
    }
}

impl Snapshot {
    /// Whether this shows a later moment than the other. A standby may be behind: of one server's log the place counts
    /// and not the clock.
    pub(crate) fn is_later_than(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.place(), other.place());
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if self.server == other.server => ours > theirs,
            _ => self.taken_at > other.taken_at,
        }
    }

    /// `16/B374D848` as a number.
    fn place(&self) -> Option<u64> {
        self.server.as_ref()?;
        let (high, low) = self.lsn.as_ref()?.split_once('/')?;
        Some(u64::from(u32::from_str_radix(high, 16).ok()?) << 32 | u64::from(u32::from_str_radix(low, 16).ok()?))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.taken_at.to_rfc3339_opts(SecondsFormat::Micros, true))?;
        self.lsn.as_ref().map_or(Ok(()), |lsn| write!(f, " at {lsn}"))
    }
}

impl DataFile {
    /// What is wrong with what the store has under this key; nothing when it is this file.
    pub(crate) fn fault(&self, found: Option<&Facts>) -> Option<String> {
        match found {
            None => Some("is gone".to_owned()),
            Some(found) if found.bytes != self.bytes => {
                Some(format!("has {} bytes instead of {}", found.bytes, self.bytes))
            }
            Some(found) if found.crc32.as_ref().is_some_and(|crc32| *crc32 != self.crc32) => {
                Some("has another checksum than its manifest says".to_owned())
            }
            Some(_) => None,
        }
    }
}

impl Window {
    /// Whether the value of a partition key is a date of the window.
    pub fn contains(&self, value: &str) -> bool {
        // Dates of four-digit years sort as text; what is no date, such as the partition of NULL, is in no window.
        let is_date = value.len() == 10 && value.starts_with(|first: char| first.is_ascii_digit());
        is_date
            && self.from.as_deref().is_none_or(|from| from <= value)
            && self.to.as_deref().is_none_or(|to| value <= to)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{from} to {to}"),
            (Some(from), None) => write!(f, "{from} and later"),
            (None, Some(to)) => write!(f, "up to {to}"),
            (None, None) => f.write_str("all dates"),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crawler => "crawler",
            Self::Catalog => "catalog",
            Self::Folder => "folder",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{DataFile, Manifest, Snapshot, Window};
    use crate::lake::Facts;

    #[test]
    fn a_window_holds_its_dates_and_never_the_rows_without_a_date() {
        let window = Window { from: Some("2026-01-02".into()), to: Some("2026-01-03".into()) };
        let inside = ["2026-01-02", "2026-01-03"];
        inside.iter().for_each(|date| assert!(window.contains(date), "{date}"));
        for outside in ["2026-01-01", "2026-01-04", "__HIVE_DEFAULT_PARTITION__", ""] {
            assert!(!window.contains(outside), "{outside}");
        }
        assert!(Window::default().contains("0001-01-01"));
        assert!(!Window::default().contains("__HIVE_DEFAULT_PARTITION__"));
    }

    #[test]
    fn a_file_is_known_by_its_length_and_checksum() {
        let file = DataFile { key: "k".into(), rows: 1, bytes: 3, crc32: "abc".into(), partition: None };
        let facts = |bytes, crc32: Option<&str>| Facts { bytes, crc32: crc32.map(str::to_owned) };
        assert_eq!(file.fault(Some(&facts(3, Some("abc")))), None);
        assert_eq!(file.fault(Some(&facts(3, None))), None);
        assert!(file.fault(None).unwrap().contains("gone"));
        assert!(file.fault(Some(&facts(4, Some("abc")))).unwrap().contains("4 bytes instead of 3"));
        assert!(file.fault(Some(&facts(3, Some("abd")))).unwrap().contains("checksum"));
    }

    #[test]
    fn the_place_in_the_log_counts_more_than_the_clock() {
        let snapshot = |second: u32, lsn: &str, server: Option<&str>| Snapshot {
            taken_at: format!("2026-01-01T00:00:{second:02}Z").parse().unwrap(),
            lsn: Some(lsn.to_owned()),
            server: server.map(str::to_owned),
            shared: true,
        };
        // A standby that is behind.
        let (primary, standby) = (snapshot(1, "1/0", Some("7")), snapshot(2, "0/FFFFFFFF", Some("7")));
        assert!(primary.is_later_than(&standby) && !standby.is_later_than(&primary));
        assert!(!primary.is_later_than(&primary.clone()));
        // Another server, or one that does not tell.
        for other in [Some("8"), None] {
            assert!(snapshot(2, "0/1", other).is_later_than(&primary));
        }
    }

    #[test]
    fn a_newer_form_and_what_is_no_manifest_are_refused_by_name() {
        for (content, said) in
            [("{\"format\":2}", "newer version"), ("{", "cannot be read"), ("{\"format\":1}", "cannot be read")]
        {
            let error = Manifest::from_json("_runs/a.json", content.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("_runs/a.json"), "{error}");
        }
    }
}
