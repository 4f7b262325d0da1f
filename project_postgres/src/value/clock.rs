//! Times of day and intervals, as the text that Postgres writes for them (ISO dates, IntervalStyle `postgres`).

use std::fmt::Write;
use thiserror::Error;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// 24:00:00 is a time of its own.
const DAY: i64 = 24 * HOUR;
/// Offsets stay below 16 hours (postgres, `MAX_TZDISP_HOUR`).
const MOST_OFFSET: i32 = 16 * 3600;

/// The bytes are not a time or an interval.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("is not a well-formed time or interval")]
pub(crate) struct ClockError;

/// A `time`: microseconds since midnight.
pub(crate) fn time_text(bytes: &[u8]) -> Result<String, ClockError> {
    let micros = i64::from_be_bytes(bytes.try_into().map_err(|_| ClockError)?);
    time_of_day(micros)
}

/// A `timetz`: a time and seconds west of Greenwich.
pub(crate) fn time_with_offset_text(bytes: &[u8]) -> Result<String, ClockError> {
    let (micros, west) = bytes.split_first_chunk().ok_or(ClockError)?;
    let west = i32::from_be_bytes(west.try_into().map_err(|_| ClockError)?);
    if west.unsigned_abs() >= MOST_OFFSET.unsigned_abs() {
        return Err(ClockError);
    }
    let mut text = time_of_day(i64::from_be_bytes(*micros))?;
    let (hours, minutes, seconds) = (west.abs() / 3600, west.abs() / 60 % 60, west.abs() % 60);
    text.push(if west <= 0 { '+' } else { '-' });
    push_two(&mut text, hours);
    if minutes != 0 || seconds != 0 {
        text.push(':');
        push_two(&mut text, minutes);
    }
    if seconds != 0 {
        text.push(':');
        push_two(&mut text, seconds);
    }
    Ok(text)
}

/// An `interval`: microseconds, days, months, each with a sign of its own.
pub(crate) fn interval_text(bytes: &[u8]) -> Result<String, ClockError> {
    let (micros, rest) = bytes.split_first_chunk().ok_or(ClockError)?;
    let (days, months) = rest.split_first_chunk().ok_or(ClockError)?;
    let months = i32::from_be_bytes(months.try_into().map_err(|_| ClockError)?);
    let (micros, days) = (i64::from_be_bytes(*micros), i32::from_be_bytes(*days));
    Ok(match (months, days, micros) {
        (i32::MAX, i32::MAX, i64::MAX) => "infinity".to_owned(),
        (i32::MIN, i32::MIN, i64::MIN) => "-infinity".to_owned(),
        _ => finite_interval(months, days, micros),
    })
}

/// As `EncodeInterval` does it (postgres, `datetime.c`): a part after a negative one shows its plus.
fn finite_interval(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::new();
    let mut after_negative = false;
    for (value, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if value == 0 {
            continue;
        }
        let space = if text.is_empty() { "" } else { " " };
        let plus = if after_negative && value > 0 { "+" } else { "" };
        let plural = if value == 1 { "" } else { "s" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{space}{plus}{value} {unit}{plural}");
        after_negative = value < 0;
    }
    if text.is_empty() || micros != 0 {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(if micros < 0 {
            "-"
        } else if after_negative {
            "+"
        } else {
            ""
        });
        push_clock(&mut text, micros.unsigned_abs());
    }
    text
}

fn time_of_day(micros: i64) -> Result<String, ClockError> {
    if !(0..=DAY).contains(&micros) {
        return Err(ClockError);
    }
    let mut text = String::with_capacity(15);
    push_clock(&mut text, micros.unsigned_abs());
    Ok(text)
}

/// Hours, minutes and seconds; the fraction without zeros at its end.
fn push_clock(text: &mut String, micros: u64) {
    let (hour, minute, second) = (HOUR.unsigned_abs(), MINUTE.unsigned_abs(), SECOND.unsigned_abs());
    push_two(text, micros / hour);
    text.push(':');
    push_two(text, micros % hour / minute);
    text.push(':');
    push_two(text, micros % minute / second);
    let fraction = micros % second;
    if fraction != 0 {
        let digits = format!(".{fraction:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
}

fn push_two(text: &mut String, number: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{number:0>2}");
}

#[cfg(test)]
mod tests {
    use super::{ClockError, DAY, interval_text, time_text, time_with_offset_text};

    fn interval(months: i32, days: i32, micros: i64) -> String {
        let bytes = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()].concat();
        interval_text(&bytes).unwrap()
    }

    #[test]
    fn times() {
        let time = |micros: i64| time_text(&micros.to_be_bytes());
        assert_eq!(time(0).unwrap(), "00:00:00");
        assert_eq!(time(DAY).unwrap(), "24:00:00");
        assert_eq!(time(45_296_789_000).unwrap(), "12:34:56.789");
        assert_eq!(time(DAY + 1), Err(ClockError));
        assert_eq!(time_text(&[0; 7]), Err(ClockError));
        let offset = |west: i32| time_with_offset_text(&[&[0; 8][..], &west.to_be_bytes()].concat());
        for (west, text) in [(0, "+00"), (-7200, "+02"), (19_800, "-05:30"), (-3661, "+01:01:01")] {
            assert_eq!(offset(west).unwrap(), format!("00:00:00{text}"));
        }
        assert_eq!(offset(i32::MIN), Err(ClockError));
    }

    #[test]
    fn intervals() {
        for (months, days, micros, text) in [
            (0, 0, 0, "00:00:00"),
            (14, 0, 0, "1 year 2 mons"),
            (1, -1, 0, "1 mon -1 days"),
            (-1, 1, 3_723_000_001, "-1 mons +1 day 01:02:03.000001"),
            (0, -1, 1_000_000, "-1 days +00:00:01"),
            (0, 0, -90_000_000_000_000, "-25000:00:00"),
            (i32::MAX, i32::MAX, i64::MAX, "infinity"),
            (i32::MIN, i32::MIN, i64::MIN, "-infinity"),
        ] {
            assert_eq!(interval(months, days, micros), text);
        }
        assert_eq!(interval_text(&[0; 15]), Err(ClockError));
    }
}
