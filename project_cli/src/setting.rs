//! One setting at a time: the flag if it was given, else its variable `PROJECT_<NAME>`, else nothing. A value of the
//! configuration file is a setting too, so that every wrong value is told in the same words.

use std::ffi::OsString;

use crate::args::Args;
use crate::config::ConfigError;

/// Where settings are looked up.
pub(crate) struct Settings<'a> {
    args: &'a Args,
    variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// A value and where it came from.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) value: String,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Flag(String),
    Variable(String),
    /// A key of the configuration file, with its place.
    File(String),
}

impl Setting {
    /// A value of the configuration file; `key` names its place and ends with the key.
    pub(crate) fn in_file(key: String, value: &str) -> Self {
        Self { value: value.to_owned(), origin: Origin::File(key) }
    }

    /// The error for a value that cannot be used: its own origin is named, the value is quoted.
    pub(crate) fn wrong(&self, what: &str) -> ConfigError {
        let sentence = format!("{} {what}", self.as_given());
        match &self.origin {
            Origin::Flag(_) => ConfigError::usage(sentence),
            Origin::Variable(_) | Origin::File(_) => ConfigError::configuration(sentence),
        }
    }

    /// The same for a value that may hold a secret and is not quoted.
    pub(crate) fn wrong_secret(&self, what: &str) -> ConfigError {
        match &self.origin {
            Origin::Flag(flag) => ConfigError::usage(format!("the value of {flag} {what}")),
            Origin::Variable(name) => ConfigError::configuration(format!("the variable {name} {what}")),
            Origin::File(key) => ConfigError::configuration(format!("{key} {what}")),
        }
    }

    /// Where the value came from, and the value.
    pub(crate) fn as_given(&self) -> String {
        match &self.origin {
            Origin::Flag(flag) => format!("{flag}={}", self.value),
            Origin::Variable(name) => format!("the variable {name}={}", self.value),
            Origin::File(key) => format!("{key} = {:?}", self.value),
        }
    }

    /// The choice that the value names.
    pub(crate) fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let chosen = choices.iter().find(|(name, _)| *name == self.value);
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(&format!("must be {}", names.join(" or ")))
        })
    }
}

impl<'a> Settings<'a> {
    pub(crate) fn new(args: &'a Args, variable: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { args, variable }
    }

    /// A variable as it stands; an empty one counts as absent, because charts and shells cannot always leave it out.
    pub(crate) fn variable(&self, name: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = (self.variable)(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        value
            .into_string()
            .map(Some)
            .map_err(|_| ConfigError::configuration(format!("the variable {name} is not valid UTF-8")))
    }

    /// A setting with a value.
    pub(crate) fn get(&self, flag: &str) -> Result<Option<Setting>, ConfigError> {
        if let Some(value) = self.args.values.get(flag) {
            let setting = Setting { value: value.clone(), origin: Origin::Flag(format!("--{flag}")) };
            return if value.is_empty() { Err(setting.wrong("needs a value")) } else { Ok(Some(setting)) };
        }
        let name = variable_name(flag);
        Ok(self.variable(&name)?.map(|value| Setting { value, origin: Origin::Variable(name) }))
    }

    pub(crate) fn value(&self, flag: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.get(flag)?.map(|setting| setting.value))
    }

    /// A setting without which the work cannot be done, and why it is needed.
    pub(crate) fn needed(&self, flag: &str, why: &str) -> Result<String, ConfigError> {
        self.value(flag)?.ok_or_else(|| {
            ConfigError::configuration(format!("--{flag} (or the variable {}) is missing: {why}", variable_name(flag)))
        })
    }

    pub(crate) fn number(&self, flag: &str, least: u32, most: u32) -> Result<Option<u32>, ConfigError> {
        let Some(setting) = self.get(flag)? else {
            return Ok(None);
        };
        let number = setting.value.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| setting.wrong(&format!("must be a whole number from {least} to {most}")))
    }

    pub(crate) fn one_of<T: Copy>(&self, flag: &str, choices: &[(&str, T)]) -> Result<Option<T>, ConfigError> {
        self.get(flag)?.map(|setting| setting.one_of(choices)).transpose()
    }

    /// A flag without a value.
    pub(crate) fn switch(&self, flag: &str) -> Result<bool, ConfigError> {
        if self.args.switches.contains(flag) {
            return Ok(true);
        }
        let name = variable_name(flag);
        match self.variable(&name)?.map(|value| value.to_lowercase()).as_deref() {
            None | Some("0" | "false" | "no" | "off") => Ok(false),
            Some("1" | "true" | "yes" | "on") => Ok(true),
            Some(other) => {
                Err(ConfigError::configuration(format!("the variable {name}={other} must be true or false")))
            }
        }
    }

    /// How often `-v` was given, or `PROJECT_VERBOSE`.
    pub(crate) fn verbosity(&self) -> Result<u64, ConfigError> {
        if self.args.verbosity > 0 {
            return Ok(self.args.verbosity);
        }
        match self.variable("PROJECT_VERBOSE")? {
            None => Ok(0),
            Some(value) => value.parse().map_err(|_| {
                ConfigError::configuration(format!("the variable PROJECT_VERBOSE={value} must be 0, 1 or 2"))
            }),
        }
    }
}

fn variable_name(flag: &str) -> String {
    format!("PROJECT_{}", flag.replace('-', "_").to_uppercase())
}
