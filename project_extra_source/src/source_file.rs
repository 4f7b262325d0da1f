//! A file to be read, and what it is by its name.

use crate::error::ExtraError;
use anyhow::Result;
use std::path::PathBuf;

/// A file on the local disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it lies.
    pub path: PathBuf,
    /// As the person knows it, for messages and for its endings.
    pub name: String,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Tsv,
    JsonLines,
    Parquet,
}

impl Format {
    /// The names that a schema file may use.
    pub(crate) const WORDS: &str = "csv, tsv, jsonl, parquet";

    /// By the word of a schema file, or the ending of a file's name.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "json" | "jsonl" | "ndjson" => Self::JsonLines,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    fn of(file: &SourceFile) -> Result<Self> {
        let name = file.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        ending.and_then(Self::parse).ok_or_else(|| {
            ExtraError::Schema(format!(
                "{}: the ending does not say what is in it; known are .csv, .tsv, .json, .jsonl, .ndjson and .parquet, \
                 each also with .gz; or write format = \"csv\" (or tsv, jsonl, parquet) into a file for --extra-schema",
                file.name
            ))
            .into()
        })
    }

    /// The format of all files together.
    pub(crate) fn of_all(files: &[SourceFile]) -> Result<Self> {
        let mut formats = files.iter().map(|file| anyhow::Ok((file, Self::of(file)?)));
        let Some(first) = formats.next() else { return Err(ExtraError::data("there is no file to read")) };
        let (first, format) = first?;
        for other in formats {
            let (other, its_format) = other?;
            if its_format != format {
                return Err(ExtraError::data(format!(
                    "{} and {} are of different formats; one table is made of files of one format",
                    first.name, other.name
                )));
            }
        }
        Ok(format)
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, SourceFile};

    fn of(names: &[&str]) -> Result<Format, String> {
        let file = |name: &&str| SourceFile { path: name.into(), name: (*name).to_owned() };
        let files: Vec<SourceFile> = names.iter().map(file).collect();
        Format::of_all(&files).map_err(|error| error.to_string())
    }

    #[test]
    fn endings_tell_formats() {
        assert_eq!(of(&["x/prices.csv.gz", "x/B.CSV"]), Ok(Format::Csv));
        assert_eq!(of(&["s3://b/a.ndjson", "s3://b/c.json.gz"]), Ok(Format::JsonLines));
        assert!(of(&["a.parquet", "b.csv"]).unwrap_err().contains("a.parquet and b.csv"));
        for name in ["a", "a.gz", "a.xlsx", "csv", "a.csv/b"] {
            assert!(of(&[name]).unwrap_err().contains(".parquet, each also"), "{name}");
        }
    }
}
