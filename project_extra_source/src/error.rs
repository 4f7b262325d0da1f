//! Why a source does not become a table.

use crate::source_file::SourceFile;
use thiserror::Error;

/// What is wrong, in a sentence that names the file and never quotes a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExtraError {
    /// The data is not what it should be.
    #[error("{0}")]
    Data(String),
    /// The schema file, or what it says, is not what it should be.
    #[error("{0}")]
    Schema(String),
    /// Somebody asked for the end.
    #[error("the run was stopped")]
    Stopped,
}

impl ExtraError {
    /// Data that is refused.
    pub(crate) fn data(message: impl Into<String>) -> anyhow::Error {
        Self::Data(message.into()).into()
    }

    /// A file that is refused.
    pub(crate) fn file(file: &SourceFile, what: impl AsRef<str>) -> anyhow::Error {
        Self::data(format!("{}: {}", file.name, what.as_ref()))
    }
}
