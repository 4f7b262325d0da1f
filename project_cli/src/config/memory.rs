//! How much memory a run may use: what was asked for, else the default, and never more than the system grants.

use crate::config::ConfigError;
use crate::setting::{Setting, Settings};

const MIB: u64 = 1 << 20;

/// On two cores this gives each worker row groups of 64 MiB, more than which the writer never holds.
pub(super) const DEFAULT_MEMORY: u64 = 192 * MIB;

/// With less than this, row groups are so small that files compress badly and a query reads many small pieces.
const LEAST_MEMORY: u64 = 32 * MIB;

/// Bytes for reading, encoding and row groups of all workers together. `limit` is what the control group allows.
pub(super) fn memory(settings: &Settings<'_>, limit: Option<u64>) -> Result<u64, ConfigError> {
    match settings.get("memory")? {
        Some(setting) => asked_for(&setting, limit),
        None => unasked(limit),
    }
}

fn asked_for(setting: &Setting, limit: Option<u64>) -> Result<u64, ConfigError> {
    let memory = size(&setting.value).filter(|memory| *memory >= LEAST_MEMORY);
    let memory = memory.ok_or_else(|| {
        let least = LEAST_MEMORY / MIB;
        setting.wrong(&format!("must be a size of at least {least}MiB, like 192MiB, 256M, 1G or 256 for 256MiB"))
    })?;
    match limit {
        // The command line is right, but not for this place; therefore 78 even for a flag.
        Some(limit) if memory > limit => Err(ConfigError::configuration(format!(
            "{} is more than the {} MiB that the control group (container) of this process may use; \
             ask for less or raise that limit",
            setting.as_given(),
            limit / MIB
        ))),
        _ => Ok(memory),
    }
}

fn unasked(limit: Option<u64>) -> Result<u64, ConfigError> {
    let Some(limit) = limit else {
        return Ok(DEFAULT_MEMORY);
    };
    let memory = DEFAULT_MEMORY.min(share_for_rows(limit));
    if memory < LEAST_MEMORY {
        let least = (1..).find(|mib| share_for_rows(mib * MIB) >= LEAST_MEMORY).unwrap_or(LEAST_MEMORY);
        return Err(ConfigError::configuration(format!(
            "the control group (container) of this process may use {} MiB of memory, and a run needs {least} MiB; \
             raise that limit, or say with --memory how much of it is for rows",
            limit / MIB
        )));
    }
    Ok(memory)
}

/// 60 %: the program itself, connections and uploads need memory besides.
fn share_for_rows(limit: u64) -> u64 {
    limit / 5 * 3
}

/// Mebibytes, or a number with a unit.
fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "m" | "mi" | "mib" => MIB,
        "g" | "gi" | "gib" => 1024 * MIB,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::{MIB, size, unasked};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn sizes_are_mebibytes_or_name_their_unit() {
        for text in ["256", "256M", "256m", "256Mi", "256MiB", "0256mib"] {
            assert_eq!(size(text), Some(256 * MIB), "{text}");
        }
        for text in ["2G", "2Gi", "2GiB", "2048"] {
            assert_eq!(size(text), Some(2048 * MIB), "{text}");
        }
        for text in ["", "M", "1.5G", "-1", "+1", "1 G", "256MB", "64K", "1T", "Gi2", "1é", "99999999999999999999"] {
            assert_eq!(size(text), None, "{text}");
        }
        assert_eq!(size("17592186044415M"), Some(u64::MAX / MIB * MIB));
        assert_eq!((size("17592186044416M"), size("17179869184G")), (None, None), "more bytes than a number holds");
    }

    #[test]
    fn the_default_leaves_the_program_its_part_of_the_limit() {
        assert_eq!(unasked(None), Ok(192 * MIB));
        assert_eq!(unasked(Some(8192 * MIB)), Ok(192 * MIB));
        assert_eq!(unasked(Some(320 * MIB)), Ok(192 * MIB));
        assert_eq!(unasked(Some(100 * MIB)), Ok(60 * MIB));
    }

    #[test]
    fn the_limit_that_a_refusal_asks_for_is_enough_and_one_less_is_not() {
        for too_little in [0, MIB, 32 * MIB, 53 * MIB] {
            let error = unasked(Some(too_little)).unwrap_err();
            assert_eq!(error.exit, 78);
            assert!(error.message.contains(&format!("may use {} MiB", too_little / MIB)), "{error}");
            assert!(error.message.contains("needs 54 MiB") && error.message.contains("--memory"), "{error}");
        }
        assert!(unasked(Some(54 * MIB)).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = size(&text);
        }

        #[test]
        fn every_number_of_mebibytes_reads_back(mib in 0u64..=u64::MAX / MIB) {
            prop_assert_eq!(size(&format!("{mib}MiB")), Some(mib * MIB));
            prop_assert_eq!(size(&mib.to_string()), Some(mib * MIB));
        }
    }
}
