//! Numbers, times and differences as people read them.

use crate::report::{grouped, seconds};
use chrono::{DateTime, Utc};

/// A time in the two units that matter.
pub(super) fn duration(milliseconds: u64) -> String {
    let whole = milliseconds / 1000;
    match whole {
        0 => format!("{milliseconds} ms"),
        1..60 => seconds(milliseconds),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// `21 November 2026, 07:43:57 UTC`.
pub(super) fn date_and_time(time: &DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}

/// The same, short, of a text in RFC 3339; the text itself when it is none.
pub(super) fn short_date(text: &str) -> String {
    let time = DateTime::parse_from_rfc3339(text);
    time.map_or_else(|_| text.to_owned(), |time| time.format("%-d %b %Y, %H:%M").to_string())
}

pub(super) fn rows_per_second(rows: u64, milliseconds: u64) -> String {
    match u128::from(rows) * 1000 / u128::from(milliseconds.max(1)) {
        _ if rows == 0 => "\u{2013}".to_owned(),
        rate => grouped(u64::try_from(rate).unwrap_or(u64::MAX)),
    }
}

/// How far a number is from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// `+1,204 (+2.1 %)`
    pub(super) text: String,
    /// Less than half of it is left.
    pub(super) alarming: bool,
}

pub(super) fn difference(now: u64, earlier: u64) -> Difference {
    let sign = if now < earlier { '\u{2212}' } else { '+' };
    let text = match (now.abs_diff(earlier), earlier) {
        (0, _) => "unchanged".to_owned(),
        (change, 0) => format!("+{}", grouped(change)),
        (change, _) => format!("{sign}{} ({})", grouped(change), percent(now, earlier)),
    };
    Difference { text, alarming: now < earlier / 2 + earlier % 2 }
}

/// `+2.1 %`
fn percent(now: u64, earlier: u64) -> String {
    let sign = if now < earlier { '\u{2212}' } else { '+' };
    let per_mille = u128::from(now.abs_diff(earlier)) * 1000 / u128::from(earlier.max(1));
    match per_mille {
        // A table that grows by a row is not unchanged.
        0 => format!("{sign}<0.1 %"),
        1..10_000 => format!("{sign}{}.{} %", per_mille / 10, per_mille % 10),
        _ => format!("{}-fold", grouped(now / earlier.max(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::{difference, duration, rows_per_second, short_date};

    #[test]
    fn times_have_two_units() {
        let texts = [7, 1_250, 59_999, 60_000, 3_599_000, 3_661_000].map(duration);
        assert_eq!(texts, ["7 ms", "1.2 s", "59.9 s", "1 min 00 s", "59 min 59 s", "1 h 01 min"]);
        assert_eq!(short_date("2026-11-21T07:43:57.485Z"), "21 Nov 2026, 07:43");
        assert_eq!(short_date("yesterday"), "yesterday");
    }

    #[test]
    fn differences_are_told_in_rows_and_per_cent() {
        let texts =
            [(1_020, 1_000), (1_000, 1_000), (999, 1_000), (5, 0), (0, 0), (3_000_000, 1), (1_000_001, 1_000_000)];
        let texts = texts.map(|(now, earlier)| difference(now, earlier).text);
        let expected = [
            "+20 (+2.0 %)",
            "unchanged",
            "\u{2212}1 (\u{2212}0.1 %)",
            "+5",
            "unchanged",
            "+2,999,999 (3,000,000-fold)",
            "+1 (+<0.1 %)",
        ];
        assert_eq!(texts, expected);
        let alarming =
            [(499, 1_000), (500, 1_000), (0, 1), (0, 0), (1, 3)].map(|(now, then)| difference(now, then).alarming);
        assert_eq!(alarming, [true, false, true, false, true]);
    }

    #[test]
    fn no_time_divides_nothing() {
        assert_eq!(rows_per_second(3, 0), "3,000");
        assert_eq!(rows_per_second(0, 10), "\u{2013}");
        assert_eq!(rows_per_second(u64::MAX, 1), "18,446,744,073,709,551,615");
    }
}
