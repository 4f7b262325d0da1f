//! What the program is asked to do: one word, and the variables that `make` hands on. The only file that reads them.

use crate::failure::Failure;
use crate::kind::Kind;
use project_postgres::{ConnectionDefaults, ConnectionSettings, TableName};
use std::ffi::OsString;

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Make or renew the code of these tables.
    Create(ConnectionSettings, Vec<Request>),
    /// Compare the generated files with the database.
    Check(ConnectionSettings),
}

/// A table, and what somebody has said about its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The table.
    pub table: TableName,
    /// The kind, when it was given.
    pub kind: Option<Kind>,
    /// The column that cuts a huge table, when it was given.
    pub partition_by: Option<String>,
    /// Another name for the task.
    pub task: Option<String>,
}

const USAGE: &str = "usage: project_codegen create-model | create-models | codegen-check, with the variables \
                     DATABASE_URL, TABLE or TABLES, KIND, SCHEMA, PARTITION_BY and TASK; `make help` shows how they are given";

impl Command {
    /// From the arguments and the variables of this process.
    ///
    /// # Errors
    /// A sentence that names the variable.
    pub fn from_environment() -> Result<Self, Failure> {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        Self::read(&arguments, &|name| std::env::var_os(name))
    }

    fn read(arguments: &[OsString], variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let variables = Variables(variable);
        let [verb] = arguments else { return Err(Failure::usage(USAGE)) };
        let requests = match verb.to_str() {
            Some("create-model") => Some(vec![variables.one_table()?]),
            Some("create-models") => Some(variables.several_tables()?),
            Some("codegen-check") => None,
            _ => return Err(Failure::usage(USAGE)),
        };
        let database = variables.database()?;
        Ok(match requests {
            Some(requests) => Self::Create(database, requests),
            None => Self::Check(database),
        })
    }
}

struct Variables<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl Variables<'_> {
    /// An empty one counts as absent: `make` exports what was not given as nothing.
    fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else { return Ok(None) };
        let value = value.into_string();
        value.map(Some).map_err(|_| Failure::usage(format!("the variable {name} is not valid UTF-8")))
    }

    fn one_table(&self) -> Result<Request, Failure> {
        let table = self.get("TABLE")?;
        let table = table.ok_or_else(|| Failure::usage("TABLE is missing: make create-model TABLE=orders"))?;
        self.request(table)
    }

    fn several_tables(&self) -> Result<Vec<Request>, Failure> {
        let tables = self.get("TABLES")?;
        let missing = || Failure::usage("TABLES is missing: make create-models TABLES=\"orders users\"");
        for alone in ["PARTITION_BY", "TASK"] {
            if self.get(alone)?.is_some() {
                return Err(Failure::usage(format!(
                    "{alone} belongs to one table: use make create-model for that table"
                )));
            }
        }
        words(&tables.ok_or_else(missing)?)?.into_iter().map(|table| self.request(table)).collect()
    }

    fn request(&self, table: String) -> Result<Request, Failure> {
        let kind = match self.get("KIND")? {
            None => None,
            Some(word) => {
                let wrong = || Failure::usage(format!("KIND={word} must be batch, stream or huge"));
                Some(Kind::of(&word).ok_or_else(wrong)?)
            }
        };
        let schema = self.get("SCHEMA")?.unwrap_or_else(|| "public".to_owned());
        let partition_by = self.get("PARTITION_BY")?;
        if partition_by.is_some() && kind.is_some_and(|kind| kind != Kind::Huge) {
            return Err(Failure::usage("PARTITION_BY is for KIND=huge; leave one of the two out"));
        }
        Ok(Request { table: TableName::new(schema, table), kind, partition_by, task: self.get("TASK")? })
    }

    fn database(&self) -> Result<ConnectionSettings, Failure> {
        let missing = "DATABASE_URL is missing: export DATABASE_URL=postgres://user@host:5432/database";
        let uri = self.get("DATABASE_URL")?.ok_or_else(|| Failure::configuration(missing))?;
        let user = match self.get("PGUSER")? {
            None => self.get("USER")?,
            user => user,
        };
        let defaults = ConnectionDefaults { user, password: self.get("PGPASSWORD")? };
        ConnectionSettings::parse(&uri, &defaults)
            .map_err(|error| Failure::configuration(format!("{error} (the variable DATABASE_URL)")))
    }
}

/// Names with blanks between them; one that holds a blank or a quote stands in double quotes, as in SQL.
fn words(text: &str) -> Result<Vec<String>, Failure> {
    let open = || Failure::usage("TABLES has a double quote that is not closed");
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let word;
        (word, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_word(quoted).ok_or_else(open)?,
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        words.push(word);
        rest = rest.trim_start();
    }
    Ok(words)
}

/// The word up to its closing quote, and what follows.
fn quoted_word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        word.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                word.push('"');
                rest = more;
            }
            None => return Some((word, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, words};
    use crate::kind::Kind;
    use project_postgres::TableName;

    fn read(verb: &str, variables: &[(&str, &str)]) -> Result<Command, (u8, String)> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        let read = Command::read(&[verb.into()], &variable);
        read.map_err(|failure| (failure.code, failure.to_string()))
    }

    const URI: (&str, &str) = ("DATABASE_URL", "postgres://ann@localhost/shop");

    #[test]
    fn a_table_is_taken_as_it_is() {
        let variables = [URI, ("TABLE", "a \"b\".$c"), ("KIND", "huge"), ("SCHEMA", "it's"), ("PARTITION_BY", "at")];
        let Ok(Command::Create(_, requests)) = read("create-model", &variables) else { panic!("refused") };
        assert_eq!(requests[0].table, TableName::new("it's", "a \"b\".$c"));
        assert_eq!((requests[0].kind, requests[0].partition_by.as_deref()), (Some(Kind::Huge), Some("at")));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (verb, variables, code, word) in [
            ("create", &[URI][..], 2, "usage"),
            ("create-model", &[URI], 2, "TABLE is missing"),
            ("create-models", &[URI, ("TABLES", "a"), ("TASK", "b")], 2, "TASK belongs to one table"),
            ("create-model", &[URI, ("TABLE", "a"), ("KIND", "big")], 2, "KIND=big must be batch, stream or huge"),
            ("create-model", &[URI, ("TABLE", "a"), ("KIND", "batch"), ("PARTITION_BY", "b")], 2, "PARTITION_BY"),
            ("create-model", &[("TABLE", "a")], 78, "DATABASE_URL is missing"),
            ("codegen-check", &[("DATABASE_URL", "mysql://x:s3cret@h")], 78, "the variable DATABASE_URL"),
        ] {
            let (found, message) = read(verb, variables).unwrap_err();
            assert!(found == code && message.contains(word), "{verb} {variables:?}: {found} {message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }

    #[test]
    fn several_names_stand_side_by_side() {
        assert_eq!(words("  a  b\tc ").unwrap(), ["a", "b", "c"]);
        assert_eq!(words(r#"a "Order Lines" "a""b" "#).unwrap(), ["a", "Order Lines", "a\"b"]);
        assert!(words("a \"b").is_err());
    }
}
