//! The command line as typed. This is the only file that knows docopt, which is unmaintained; nothing else would have
//! to change if it were replaced.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::fmt;

use docopt::{ArgvMap, Docopt, Error as DocoptError, Value};

use crate::table_names::nearest;

/// The help text, and the grammar of the command line.
pub(crate) const USAGE: &str = include_str!("usage.txt");

/// The version that `--version` prints.
pub(crate) const VERSION: &str = concat!("project ", env!("CARGO_PKG_VERSION"));

/// docopt's matching slows down with the number of arguments, and nobody types this many.
const MAX_ARGUMENTS: usize = 256;

/// What was typed, not yet checked. Defaults are not applied here, because a variable of the environment comes before
/// them. Options go by their long names without the dashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// The verb, if there is one.
    pub(crate) verb: Option<Verb>,
    /// The Postgres URI.
    pub(crate) uri: Option<String>,
    /// The options that have a value.
    pub(crate) values: BTreeMap<String, String>,
    /// The options that have none.
    pub(crate) switches: BTreeSet<String>,
    /// How often `-v` was given.
    pub(crate) verbosity: u64,
}

/// The verbs of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `list`.
    List,
    /// `check`.
    Check,
    /// `query`, with its SQL.
    Query(String),
    /// `runs`.
    Runs,
    /// `rollback`.
    RollBack,
    /// `gc`.
    Gc,
}

/// The names of the verbs, for the errors that concern them.
pub(crate) const VERBS: [&str; 6] = ["list", "check", "query", "runs", "rollback", "gc"];

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandLine {
    /// `--help` stands somewhere on it.
    Help,
    /// `--version` stands somewhere on it.
    Version,
    /// Something is to be done.
    Args(Box<Args>),
}

/// A command line that cannot be understood; one sentence, and where to read more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageError(String);

impl UsageError {
    fn new(sentence: impl fmt::Display) -> Self {
        Self(format!("{sentence}; see project --help"))
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<CommandLine, UsageError> {
    let arguments = as_text(arguments)?;
    let options = arguments.iter().take_while(|argument| *argument != "--");
    for option in options {
        match option.as_str() {
            "-h" | "--help" => return Ok(CommandLine::Help),
            "--version" => return Ok(CommandLine::Version),
            _ => {}
        }
    }
    let docopt = Docopt::new(grammar())
        .map_err(|error| UsageError::new(format!("the help text is broken: {error}")))?
        .help(false)
        .argv(std::iter::once("project").chain(arguments.iter().map(String::as_str)));
    let matched = docopt.parse().map_err(|error| explain(&error, &arguments))?;
    let args = typed(&matched);
    if args.uri.as_deref() == Some("query") {
        // A verb without its argument has the form of a run.
        return Err(explain_mismatch(&arguments));
    }
    Ok(CommandLine::Args(Box::new(args)))
}

fn typed(matched: &ArgvMap) -> Args {
    let verb = if matched.get_bool("list") {
        Some(Verb::List)
    } else if matched.get_bool("check") {
        Some(Verb::Check)
    } else if matched.get_bool("query") {
        // docopt takes the brackets off a name in capitals.
        Some(Verb::Query(matched.get_str("SQL").to_owned()))
    } else if matched.get_bool("runs") {
        Some(Verb::Runs)
    } else if matched.get_bool("rollback") {
        Some(Verb::RollBack)
    } else if matched.get_bool("gc") {
        Some(Verb::Gc)
    } else {
        None
    };
    let mut args =
        Args { verb, uri: text(matched.find("<POSTGRES-URI>")), verbosity: matched.get_count("-v"), ..Args::default() };
    for option in known_options() {
        let name = option.trim_start_matches('-').to_owned();
        match matched.find(&option) {
            Some(Value::Switch(true)) => {
                args.switches.insert(name);
            }
            value => args.values.extend(text(value).map(|value| (name, value))),
        }
    }
    args
}

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Plain(Some(text))) => Some(text.clone()),
        _ => None,
    }
}

fn as_text(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<String>, UsageError> {
    let mut texts = Vec::new();
    for (at, argument) in arguments.into_iter().enumerate() {
        if at == MAX_ARGUMENTS {
            return Err(UsageError::new(format!("there are more than {MAX_ARGUMENTS} arguments")));
        }
        // The text itself stays out of the message: it may be a URI with a password.
        let text =
            argument.into_string().map_err(|_| UsageError::new(format!("argument {} is not valid UTF-8", at + 1)))?;
        texts.push(text);
    }
    Ok(texts)
}

/// The help text without its default, which would make "not given" look like "given" and hide the environment.
fn grammar() -> String {
    USAGE.replace("[default:", "[default is")
}

/// docopt's error in our words. Values are never repeated: one of them may be a URI with a password.
fn explain(error: &DocoptError, arguments: &[String]) -> UsageError {
    match error {
        DocoptError::WithProgramUsage(inner, _) => explain(inner, arguments),
        DocoptError::Argv(message) => explain_option(message),
        DocoptError::NoMatch => explain_mismatch(arguments),
        other => UsageError::new(format!("the arguments cannot be read: {other}")),
    }
}

fn explain_option(message: &str) -> UsageError {
    let Some(flag) = message.split('\'').nth(1) else {
        return UsageError::new("an option cannot be read");
    };
    if message.starts_with("Unknown flag") {
        let known = known_options();
        let hint = match nearest(flag, known.iter().map(String::as_str)) {
            Some(near) if flag.starts_with("--") => format!(", did you mean {near}?"),
            _ => String::new(),
        };
        return UsageError::new(format!("there is no option {flag}{hint}"));
    }
    if message.contains("cannot have an argument") {
        return UsageError::new(format!("the option {flag} takes no value"));
    }
    UsageError::new(format!("the option {flag} needs a value"))
}

/// docopt only says that nothing matched; the reasons are few.
fn explain_mismatch(arguments: &[String]) -> UsageError {
    if let Some(flag) = given_twice(arguments) {
        return UsageError::new(format!("the option {flag} is given twice"));
    }
    let verb = arguments.iter().find(|argument| VERBS.contains(&argument.as_str()));
    match verb.map(String::as_str) {
        Some("query") => UsageError::new(
            "query takes one argument, the SQL in quotes: project query \"select * from orders limit 10\"",
        ),
        Some("check") => UsageError::new("check takes at most one argument, the Postgres URI"),
        Some(verb) => UsageError::new(format!("{verb} takes no argument")),
        None => UsageError::new(
            "there are too many arguments; a run takes one, the Postgres URI, and a value with spaces needs quotes",
        ),
    }
}

fn given_twice(arguments: &[String]) -> Option<String> {
    let names = Names::of_the_help();
    let mut seen = HashSet::new();
    let options = arguments.iter().take_while(|argument| *argument != "--");
    options.filter_map(|argument| names.long_name(argument)).find(|name| !seen.insert(name.clone()))
}

/// Every long option of the help text.
pub(crate) fn known_options() -> Vec<String> {
    Names::of_the_help().0.into_iter().map(|(_, long)| long).collect()
}

/// Short name, if any, and long name of every option.
struct Names(Vec<(Option<String>, String)>);

impl Names {
    fn of_the_help() -> Self {
        let descriptions = USAGE.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let names = descriptions.filter_map(|line| {
            let described = line.split("  ").next().unwrap_or(line);
            let mut words = described.split(' ').filter(|word| word.starts_with('-'));
            let first = words.next()?;
            let (short, long) = match words.next() {
                Some(long) => (Some(first.to_owned()), long),
                None => (None, first),
            };
            let long = long.split('=').next().unwrap_or(long);
            long.starts_with("--").then(|| (short, long.to_owned()))
        });
        Self(names.collect())
    }

    fn long_name(&self, argument: &str) -> Option<String> {
        let name = argument.split('=').next().unwrap_or(argument);
        let known = self.0.iter().find(|(short, long)| long == name || short.as_deref() == Some(name));
        known.map(|(_, long)| long.clone())
    }
}

#[cfg(test)]
mod tests;
