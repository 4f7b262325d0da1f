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

/// The UTC days from one date to another, both included; a side without a date is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateWindow {
    from: Option<PartitionDate>,
    to: Option<PartitionDate>,
}

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

/// Why two dates are no window.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{from} is after {to}, so that no date lies between them")]
pub struct EmptyWindow {
    from: PartitionDate,
    to: PartitionDate,
}

/// 1970-01-01, counted from 0001-01-01 as day 1.
const EPOCH: i32 = 719_163;

impl PartitionDate {
    /// The day, or nothing when its year needs more or fewer than the four digits of a partition name.
    pub fn new(day: NaiveDate) -> Option<Self> {
        (1..=9999).contains(&day.year()).then_some(Self(day))
    }

    /// The day with this number, where 1970-01-01 is 0; nothing when it is outside of the years 1 to 9999.
    pub fn of_day(number: i32) -> Option<Self> {
        NaiveDate::from_num_days_from_ce_opt(number.checked_add(EPOCH)?).and_then(Self::new)
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

impl DateWindow {
    /// The days from `from` to `to`, both included.
    pub fn new(from: Option<PartitionDate>, to: Option<PartitionDate>) -> Result<Self, EmptyWindow> {
        match (from, to) {
            (Some(from), Some(to)) if from > to => Err(EmptyWindow { from, to }),
            _ => Ok(Self { from, to }),
        }
    }

    /// Whether the day lies in the window.
    pub fn contains(&self, date: PartitionDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }

    /// The first day; nothing when it has no beginning.
    pub fn first(&self) -> Option<PartitionDate> {
        self.from
    }

    /// The last day; nothing when it has no end.
    pub fn last(&self) -> Option<PartitionDate> {
        self.to
    }

    /// The first instant of the window, as a Postgres literal; nothing when it has no beginning.
    pub fn start(&self) -> Option<String> {
        self.from.map(PartitionDate::start)
    }

    /// The first instant after the window, as a Postgres literal; nothing when it has no end.
    pub fn end(&self) -> Option<String> {
        self.to.map(PartitionDate::end)
    }

    /// Every day of the window in ascending order; nothing when there are more than `most` or a side is open.
    pub fn days(&self, most: usize) -> Option<Vec<PartitionDate>> {
        let (from, to) = (self.from?, self.to?);
        let count = usize::try_from((to.0 - from.0).num_days()).ok()?.checked_add(1)?;
        (count <= most).then(|| from.0.iter_days().take(count).map(PartitionDate).collect())
    }
}

impl fmt::Display for DateWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), Some(to)) => write!(f, "{from} to {to}"),
            (Some(from), None) => write!(f, "{from} and later"),
            (None, Some(to)) => write!(f, "up to {to}"),
            (None, None) => f.write_str("all dates"),
        }
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
    use super::{DateWindow, Partition, PartitionDate};
    use chrono::NaiveDate;
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, prop_assume, proptest};

    fn date(text: &str) -> PartitionDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        assert_eq!(date("2024-02-28").end(), "2024-02-29 00:00:00+00");
        assert_eq!(date("2024-12-31").end(), date("2025-01-01").start());
        assert_eq!(date("9999-12-31").end(), "10000-01-01 00:00:00+00");
    }

    fn window(from: Option<&str>, to: Option<&str>) -> DateWindow {
        DateWindow::new(from.map(date), to.map(date)).unwrap()
    }

    fn any_date() -> impl Strategy<Value = PartitionDate> {
        (-719_162i32..=2_932_896).prop_map(|number| PartitionDate::of_day(number).unwrap())
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (number, name) in [(0, "1970-01-01"), (-1, "1969-12-31"), (19_782, "2024-02-29")] {
            assert_eq!(PartitionDate::of_day(number), Some(date(name)));
        }
        assert_eq!(PartitionDate::of_day(-719_162), Some(date("0001-01-01")));
        assert_eq!(PartitionDate::of_day(2_932_896), Some(date("9999-12-31")));
        for number in [-719_163, 2_932_897, i32::MIN, i32::MAX] {
            assert_eq!(PartitionDate::of_day(number), None, "{number}");
        }
    }

    #[test]
    fn a_window_includes_both_of_its_dates() {
        let january = window(Some("2026-01-01"), Some("2026-01-31"));
        assert!(january.contains(date("2026-01-01")) && january.contains(date("2026-01-31")));
        assert!(!january.contains(date("2025-12-31")) && !january.contains(date("2026-02-01")));
        assert_eq!(january.start().as_deref(), Some("2026-01-01 00:00:00+00"));
        assert_eq!(january.end().as_deref(), Some("2026-02-01 00:00:00+00"));
        assert_eq!(january.to_string(), "2026-01-01 to 2026-01-31");
        assert_eq!(window(Some("2026-01-01"), Some("2026-01-01")).days(1), Some(vec![date("2026-01-01")]));
        let last = window(None, Some("9999-12-31"));
        assert_eq!(last.end().as_deref(), Some("10000-01-01 00:00:00+00"));
    }

    #[test]
    fn a_side_without_a_date_is_open() {
        let (first, last) = (date("0001-01-01"), date("9999-12-31"));
        let later = window(Some("2026-01-01"), None);
        assert!(later.contains(last) && !later.contains(date("2025-12-31")));
        assert_eq!((later.end(), later.days(usize::MAX)), (None, None));
        assert_eq!(later.to_string(), "2026-01-01 and later");
        let earlier = window(None, Some("2026-01-31"));
        assert!(earlier.contains(first) && !earlier.contains(date("2026-02-01")));
        assert_eq!((earlier.start(), earlier.days(usize::MAX)), (None, None));
        assert_eq!(earlier.to_string(), "up to 2026-01-31");
        let all = window(None, None);
        assert!(all.contains(first) && all.contains(last));
        assert_eq!((all.start(), all.end(), all.to_string()), (None, None, "all dates".to_owned()));
    }

    #[test]
    fn a_window_without_any_date_is_refused() {
        let error = DateWindow::new(Some(date("2026-02-01")), Some(date("2026-01-31"))).unwrap_err();
        assert_eq!(error.to_string(), "2026-02-01 is after 2026-01-31, so that no date lies between them");
    }

    #[test]
    fn the_days_of_a_window_have_a_bound() {
        let leap = window(Some("2024-02-28"), Some("2024-03-01"));
        assert_eq!(leap.days(3), Some(vec![date("2024-02-28"), date("2024-02-29"), date("2024-03-01")]));
        assert_eq!(leap.days(2), None);
        let end_of_time = window(Some("9999-12-30"), Some("9999-12-31"));
        assert_eq!(end_of_time.days(2), Some(vec![date("9999-12-30"), date("9999-12-31")]));
        assert_eq!(window(Some("0001-01-01"), Some("9999-12-31")).days(1000), None);
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

        #[test]
        fn a_window_holds_what_lies_between_its_bounds(from in any_date(), to in any_date(), day in any_date()) {
            let window = DateWindow::new(Some(from), Some(to));
            prop_assert_eq!(window.is_ok(), from <= to);
            prop_assume!(window.is_ok());
            let window = window.unwrap();
            // Four-digit years sort as text; the bound after 9999-12-31 does not, and nothing lies behind it.
            let (start, end) = (window.start().unwrap(), window.end().unwrap());
            let between = start <= day.start() && (day.start() < end || to.next().is_none());
            prop_assert_eq!(window.contains(day), between);
        }

        #[test]
        fn the_days_of_a_window_are_those_it_contains(from in any_date(), length in 1usize..50) {
            let steps = std::iter::successors(Some(from), |day| day.next()).take(length);
            let expected: Vec<PartitionDate> = steps.collect();
            let window = DateWindow::new(Some(from), expected.last().copied()).unwrap();
            prop_assert!(expected.iter().all(|day| window.contains(*day)));
            prop_assert_eq!(window.days(expected.len() - 1), None);
            prop_assert_eq!(window.days(expected.len()), Some(expected));
        }
    }
}
