//! Dates and times as the server reads them, also where no library's calendar reaches.

use std::fmt::Write;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from 0000-03-01 to 2000-01-01.
const FROM_MARCH_OF_YEAR_0: i64 = 730_425;
const DAYS_PER_ERA: i64 = 146_097;

/// Days since 2000-01-01.
pub(crate) fn write_date(days: i32, text: &mut String) {
    if write_day(days.into(), text) {
        text.push_str(" BC");
    }
}

/// Microseconds since 2000-01-01.
pub(crate) fn write_timestamp(micros: i64, text: &mut String) {
    let before_christ = write_day(micros.div_euclid(MICROS_PER_DAY), text);
    text.push(' ');
    write_time(micros.rem_euclid(MICROS_PER_DAY), text);
    if before_christ {
        text.push_str(" BC");
    }
}

/// Microseconds since midnight.
pub(crate) fn write_time(micros: i64, text: &mut String) {
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing to a string cannot fail.
    let _ = write!(text, "{hour:02}:{minute:02}:{second:02}.{:06}", micros % 1_000_000);
}

/// Year, month and day, and whether the year counts backwards: there is no year 0, which is 1 BC.
fn write_day(days: i64, text: &mut String) -> bool {
    let (year, month, day) = civil(days);
    let shown = if year > 0 { year } else { 1 - year };
    let _ = write!(text, "{shown:04}-{month:02}-{day:02}");
    year <= 0
}

/// The proleptic Gregorian calendar, by eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + FROM_MARCH_OF_YEAR_0;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{write_date, write_timestamp};

    #[test]
    fn days_have_their_names() {
        for (days, expected) in [
            (0, "2000-01-01"),
            (59, "2000-02-29"),
            (-36_466, "1900-02-28"),
            (-36_465, "1900-03-01"),
            (36_583, "2100-02-28"),
            (36_584, "2100-03-01"),
            (-10_957, "1970-01-01"),
            (-730_119, "0001-01-01"),
            (-730_120, "0001-12-31 BC"),
            (-2_451_507, "4713-01-01 BC"),
            (2_921_939, "9999-12-31"),
            (2_145_031_948, "5874897-12-31"),
        ] {
            let mut text = String::new();
            write_date(days, &mut text);
            assert_eq!(text, expected, "{days}");
        }
        let mut text = String::new();
        write_timestamp(-1, &mut text);
        assert_eq!(text, "1999-12-31 23:59:59.999999");
    }
}
