//! `--from` and `--to`: a UTC date, or one that is counted from the day of the run, because a nightly job has no fixed one.

use crate::config::ConfigError;
use crate::setting::{Setting, Settings};
use chrono::{Days, NaiveDate};
use project_partition_dates::{DateWindow, PartitionDate};

/// The dates of tasks that are cut by date, if any were named.
pub(super) fn window(settings: &Settings<'_>, today: NaiveDate) -> Result<Option<DateWindow>, ConfigError> {
    let (from, to) = (settings.get("from")?, settings.get("to")?);
    let Some(given) = from.as_ref().or(to.as_ref()) else {
        return Ok(None);
    };
    let date = |setting: &Setting| {
        date(&setting.value, today).ok_or_else(|| {
            setting.wrong(
                "must be a UTC date like 2026-01-31, from 0001-01-01 to 9999-12-31, or today, yesterday or -7d (days ago)",
            )
        })
    };
    let first = from.as_ref().map(date).transpose()?;
    let last = to.as_ref().map(date).transpose()?;
    DateWindow::new(first, last).map(Some).map_err(|_| {
        let end = to.as_ref().map(Setting::as_given).unwrap_or_default();
        given.wrong(&format!("is after {end}, so that there is no date to read"))
    })
}

fn date(text: &str, today: NaiveDate) -> Option<PartitionDate> {
    let days_ago = |days| today.checked_sub_days(Days::new(days)).and_then(PartitionDate::new);
    match text {
        "today" => days_ago(0),
        "yesterday" => days_ago(1),
        _ => match text.strip_prefix('-').and_then(|rest| rest.strip_suffix('d')) {
            Some(days) if days.bytes().all(|byte| byte.is_ascii_digit()) => days_ago(days.parse().ok()?),
            Some(_) => None,
            None => text.parse().ok(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::date;
    use chrono::NaiveDate;

    #[test]
    fn days_are_counted_from_the_day_of_the_run() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap_or_default();
        for (text, day) in [
            ("today", "2026-03-01"),
            ("yesterday", "2026-02-28"),
            ("-0d", "2026-03-01"),
            ("-1d", "2026-02-28"),
            ("-60d", "2025-12-31"),
            ("2026-01-31", "2026-01-31"),
        ] {
            assert_eq!(date(text, today).map(|date| date.to_string()).as_deref(), Some(day), "{text}");
        }
        for text in [
            "",
            "-d",
            "-7",
            "7d",
            "+7d",
            "--7d",
            "-1.5d",
            "-7D",
            "tomorrow",
            "Today",
            "-99999999d",
            "-99999999999999999999999d",
        ] {
            assert_eq!(date(text, today), None, "{text}");
        }
    }
}
