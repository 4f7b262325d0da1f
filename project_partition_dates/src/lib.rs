//! How a table is cut by date: the UTC days of a span, their folder names and their bounds.
//!
//! A partition holds the rows whose column lies in `[day, next day)` in UTC, or the rows whose column is
//! NULL. Folder names follow Hive's `key=value` form, which Athena, Spark and DuckDB read alike.

use chrono::{Datelike, Days, NaiveDate};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The folder value that Hive and its descendants read as NULL.
pub const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// One UTC day between 0001-01-01 and 9999-12-31, the span that a partition name can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionDate(NaiveDate);

/// What one folder of a partitioned table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The rows without a date.
    Null,
    /// The rows of one UTC day.
    Date(PartitionDate),
}

/// Why a text is not the name of a partition date.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a partition date; write it as YYYY-MM-DD, between 0001-01-01 and 9999-12-31")]
pub struct InvalidDate(String);

impl PartitionDate {
    /// The day, or nothing when its year needs more or fewer than the four digits of a partition name.
    pub fn new(day: NaiveDate) -> Option<Self> {
        (1..=9999).contains(&day.year()).then_some(Self(day))
    }

    /// The first instant of the day, as a Postgres literal that means the same under any `TimeZone`.
    pub fn start(self) -> String {
        format!("{self} 00:00:00+00")
    }

    /// The day after; for 9999-12-31 nothing, because its name would not fit.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add_days(Days::new(1)).and_then(Self::new)
    }

    /// The first instant that no longer belongs to the day, as a Postgres literal.
    pub fn end(self) -> String {
        match self.next() {
            Some(next) => next.start(),
            None => "10000-01-01 00:00:00+00".to_owned(),
        }
    }
}

impl fmt::Display for PartitionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for PartitionDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let invalid = || InvalidDate(text.to_owned());
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| invalid())?;
        let date = Self::new(day).ok_or_else(invalid)?;
        // chrono also takes 2026-1-5; a second spelling would be a second folder for the same day.
        if date.to_string() == text { Ok(date) } else { Err(invalid()) }
    }
}

impl Partition {
    /// The part of the folder name after `key=`.
    pub fn value(&self) -> String {
        match self {
            Self::Null => NULL_PARTITION.to_owned(),
            Self::Date(date) => date.to_string(),
        }
    }

    /// The folder name, for example `dt=2026-01-31`.
    pub fn folder(&self, key: &str) -> String {
        format!("{key}={}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::{Partition, PartitionDate};
    use chrono::NaiveDate;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn date(text: &str) -> PartitionDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        assert_eq!(date("2024-02-28").end(), "2024-02-29 00:00:00+00");
        assert_eq!(date("2024-12-31").end(), date("2025-01-01").start());
        assert_eq!(date("9999-12-31").end(), "10000-01-01 00:00:00+00");
    }

    #[test]
    fn folders_are_hive_names() {
        assert_eq!(Partition::Date(date("0001-01-01")).folder("dt"), "dt=0001-01-01");
        assert_eq!(Partition::Null.folder("dt"), "dt=__HIVE_DEFAULT_PARTITION__");
    }

    #[test]
    fn only_one_spelling_of_a_day_is_a_name() {
        for text in ["2026-1-5", "2026-13-01", "20260105", " 2026-01-05", "-001-01-01", "10000-01-01", ""] {
            assert!(text.parse::<PartitionDate>().is_err(), "{text} was accepted");
        }
    }

    proptest! {
        #[test]
        fn names_read_back_as_the_same_day(days in 0i32..3_652_058) {
            let day = NaiveDate::from_num_days_from_ce_opt(days + 1).unwrap();
            let name = PartitionDate::new(day).unwrap().to_string();
            prop_assert_eq!(name.parse::<PartitionDate>().unwrap(), PartitionDate::new(day).unwrap());
        }
    }
}
