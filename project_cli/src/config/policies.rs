//! The policies for values that have no exact place, by the names that flags and keys of the file share.

use project_postgres::{NamedPolicy, PolicyOverrides};

use crate::config::ConfigError;
use crate::setting::Setting;

/// The flags without their dashes, which are also the keys of the file.
pub(super) const NAMES: [&str; 5] = ["infinity", "nan", "numeric", "invalid-text", "timestamp-unit"];

/// What was chosen; `get` looks one of the names up.
pub(super) fn policies(
    get: impl Fn(&str) -> Result<Option<Setting>, ConfigError>,
) -> Result<PolicyOverrides, ConfigError> {
    let [infinity, not_a_number, any_numeric, invalid_text, timestamp_unit] = NAMES;
    Ok(PolicyOverrides {
        infinity: policy(get(infinity)?)?,
        not_a_number: policy(get(not_a_number)?)?,
        any_numeric: policy(get(any_numeric)?)?,
        invalid_text: policy(get(invalid_text)?)?,
        timestamp_unit: policy(get(timestamp_unit)?)?,
    })
}

fn policy<P: NamedPolicy>(setting: Option<Setting>) -> Result<Option<P>, ConfigError> {
    setting.map(|setting| setting.one_of(P::NAMES)).transpose()
}

#[cfg(test)]
mod tests {
    use super::{NAMES, policies};
    use crate::args::USAGE;
    use crate::setting::Setting;
    use project_postgres::{AnyNumeric, Infinity, InvalidText, NamedPolicy, NotANumber, TimestampUnit};

    fn names<P: NamedPolicy>() -> Vec<&'static str> {
        P::NAMES.iter().map(|(name, _)| *name).collect()
    }

    /// The names of the choices, in the order of [`NAMES`].
    fn choices() -> [Vec<&'static str>; 5] {
        [
            names::<Infinity>(),
            names::<NotANumber>(),
            names::<AnyNumeric>(),
            names::<InvalidText>(),
            names::<TimestampUnit>(),
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
}
