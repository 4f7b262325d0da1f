//! The policies for values that have no exact place, by the names that flags and keys of the file share.

use project_postgres::{AnyNumeric, NamedPolicy, PolicyOverrides};

use crate::config::ConfigError;
use crate::setting::Setting;

/// The flags without their dashes, which are also the keys of the file.
pub(super) const NAMES: [&str; 6] = ["infinity", "nan", "numeric", "invalid-text", "timestamp-unit", "arrays"];

/// What was chosen; `get` looks one of the names up.
pub(super) fn policies(
    get: impl Fn(&str) -> Result<Option<Setting>, ConfigError>,
) -> Result<PolicyOverrides, ConfigError> {
    let [infinity, not_a_number, any_numeric, invalid_text, timestamp_unit, arrays] = NAMES;
    Ok(PolicyOverrides {
        infinity: policy(get(infinity)?)?,
        not_a_number: policy(get(not_a_number)?)?,
        any_numeric: get(any_numeric)?.map(numeric).transpose()?,
        invalid_text: policy(get(invalid_text)?)?,
        timestamp_unit: policy(get(timestamp_unit)?)?,
        arrays: policy(get(arrays)?)?,
    })
}

fn policy<P: NamedPolicy>(setting: Option<Setting>) -> Result<Option<P>, ConfigError> {
    setting.map(|setting| setting.one_of(P::NAMES)).transpose()
}

/// Besides its names the decimal may be given with precision and scale.
fn numeric(setting: Setting) -> Result<AnyNumeric, ConfigError> {
    let Some(inside) = setting.value.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')) else {
        return setting.one_of(AnyNumeric::NAMES);
    };
    let digits = inside
        .split_once(',')
        .and_then(|(precision, scale)| AnyNumeric::decimal(precision.trim().parse().ok()?, scale.trim().parse().ok()?));
    digits.ok_or_else(|| setting.wrong("must have a precision from 1 to 38 and a scale that is not above it"))
}

#[cfg(test)]
mod tests {
    use super::{NAMES, policies};
    use crate::args::USAGE;
    use crate::setting::Setting;
    use project_postgres::{AnyNumeric, Arrays, Infinity, InvalidText, NamedPolicy, NotANumber, TimestampUnit};

    fn names<P: NamedPolicy>() -> Vec<&'static str> {
        P::NAMES.iter().map(|(name, _)| *name).collect()
    }

    /// The names of the choices, in the order of [`NAMES`].
    fn choices() -> [Vec<&'static str>; 6] {
        [
            names::<Infinity>(),
            names::<NotANumber>(),
            names::<AnyNumeric>(),
            names::<InvalidText>(),
            names::<TimestampUnit>(),
            names::<Arrays>(),
        ]
    }

    #[test]
    fn every_choice_is_known_under_its_own_name_only() {
        for (name, of_name) in NAMES.into_iter().zip(choices()) {
            for choice in choices().concat() {
                let setting = || Setting::in_file(format!("project.toml, line 1: {name}"), choice);
                let outcome = policies(|asked| Ok((asked == name).then(setting)));
                assert_eq!(outcome.is_ok(), of_name.contains(&choice), "{name} = {choice}");
                if let Err(error) = outcome {
                    let expected = format!("{name} = {choice:?} must be {}", of_name.join(" or "));
                    assert!(error.exit == 78 && error.message.ends_with(&expected), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_help_names_every_choice() {
        let help = USAGE.split_whitespace().collect::<Vec<_>>().join(" ");
        for (name, choices) in NAMES.into_iter().zip(choices()) {
            let from = help.find(&format!("--{name}=<")).unwrap();
            let about = help[from + 2..].split(" --").next().unwrap();
            let words: Vec<&str> = about.split(|letter: char| !letter.is_alphanumeric()).collect();
            for choice in choices {
                assert!(words.contains(&choice), "{choice} is missing: {about}");
            }
        }
    }

    #[test]
    fn a_decimal_may_have_its_digits() {
        let numeric = |value| {
            let setting = || Setting::in_file("numeric".into(), value);
            policies(|asked| Ok((asked == "numeric").then(setting))).map(|policies| policies.any_numeric)
        };
        assert_eq!(numeric("decimal(20, 4)"), Ok(AnyNumeric::decimal(20, 4)));
        assert_eq!(numeric("decimal"), Ok(AnyNumeric::decimal(38, 18)));
        for wrong in ["decimal(39,2)", "decimal(5,6)", "decimal(0,0)", "decimal(5)", "decimal(5,-2)", "decimal(,)"] {
            assert!(numeric(wrong).unwrap_err().message.contains("precision from 1 to 38"), "{wrong}");
        }
    }
}
