//! The three kinds of task.

use std::fmt;

/// How the task reads its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By Diesel, all rows in memory.
    Batch,
    /// By sqlx, in one pass.
    Stream,
    /// By COPY, a folder for each date.
    Huge,
}

impl Kind {
    /// Every kind.
    pub(crate) const EVERY: [Self; 3] = [Self::Batch, Self::Stream, Self::Huge];

    /// The word in `KIND=` and in the header of a generated file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Stream => "stream",
            Self::Huge => "huge",
        }
    }

    /// The kind of that word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|kind| kind.word() == word)
    }

    /// The variant of the registry.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Batch => "Batch",
            Self::Stream => "Stream",
            Self::Huge => "Huge",
        }
    }

    /// The trait of its tasks.
    pub(crate) fn task_trait(self) -> &'static str {
        match self {
            Self::Batch => "ProjectTask",
            Self::Stream => "ProjectStreamTask",
            Self::Huge => "HugeStreamTask",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
