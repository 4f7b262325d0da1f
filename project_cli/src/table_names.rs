//! The language of `--table`: task names, groups, `schema.table`, `schema.*`, with commas between them.
//!
//! Names are exact: no case is folded and spaces inside a name belong to it; spaces around a comma do not. A name that
//! holds a dot, a comma or a quote, or begins or ends with a space, stands in double quotes, and a quote inside is
//! doubled, as in SQL.

use std::fmt;

/// One entry of `--table`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TableSelector {
    /// A task or a group of tasks.
    Name(String),
    /// A table of the database.
    Table {
        /// Its schema.
        schema: String,
        /// Its name in the schema.
        table: String,
    },
    /// Every table of a schema.
    Schema(String),
}

/// Why `--table` cannot be read, and where: the character, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableNameError {
    position: usize,
    what: &'static str,
}

impl fmt::Display for TableNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (at character {})", self.what, self.position)
    }
}

impl std::error::Error for TableNameError {}

/// Reads the value of `--table`.
pub(crate) fn parse(text: &str) -> Result<Vec<TableSelector>, TableNameError> {
    let mut reader = Reader { characters: text.chars().collect(), at: 0 };
    let mut selectors = vec![reader.selector()?];
    while reader.take(',') {
        selectors.push(reader.selector()?);
    }
    Ok(selectors)
}

/// The candidate that `name` most likely means, if any is near enough to be a slip of the fingers.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let slips_allowed = (wanted.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(slips, _)| *slips <= slips_allowed)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

struct Reader {
    characters: Vec<char>,
    at: usize,
}

/// One side of a dot.
struct Part {
    name: String,
    quoted: bool,
    start: usize,
}

impl Part {
    fn is_star(&self) -> bool {
        !self.quoted && self.name == "*"
    }
}

impl Reader {
    fn selector(&mut self) -> Result<TableSelector, TableNameError> {
        self.skip_spaces();
        let first = self.part()?;
        if !self.take('.') {
            if first.is_star() {
                return Err(wrong(first.start, "'*' needs a schema before it: schema.*, or all for every task"));
            }
            return Ok(TableSelector::Name(first.name));
        }
        if first.is_star() {
            return Err(wrong(first.start, "'*' cannot stand for a schema"));
        }
        let second = self.part()?;
        if self.peek() == Some('.') {
            return Err(wrong(
                self.at,
                "a table has one dot, schema.table; put a name that holds a dot in double quotes",
            ));
        }
        Ok(if second.is_star() {
            TableSelector::Schema(first.name)
        } else {
            TableSelector::Table { schema: first.name, table: second.name }
        })
    }

    fn part(&mut self) -> Result<Part, TableNameError> {
        let start = self.at;
        if self.take('"') {
            let name = self.quoted(start)?;
            self.skip_spaces();
            return match self.peek() {
                None | Some('.' | ',') if name.is_empty() => Err(wrong(start, "a name is empty")),
                None | Some('.' | ',') => Ok(Part { name, quoted: true, start }),
                Some(_) => Err(wrong(self.at, "after a closing quote comes a dot, a comma or nothing")),
            };
        }
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|character| !matches!(character, '.' | ',')) {
            if character == '"' {
                return Err(wrong(
                    self.at,
                    "a quote inside a name; put the whole name in double quotes and double the quote",
                ));
            }
            name.push(character);
            self.at += 1;
        }
        if self.peek() != Some('.') {
            name.truncate(name.trim_end().len());
        }
        if name.is_empty() {
            return Err(wrong(start, "a name is missing"));
        }
        Ok(Part { name, quoted: false, start })
    }

    /// The rest of a quoted name; a doubled quote is one quote.
    fn quoted(&mut self, start: usize) -> Result<String, TableNameError> {
        let mut name = String::new();
        loop {
            match self.peek() {
                None => return Err(wrong(start, "a quote is not closed")),
                Some('"') => {
                    self.at += 1;
                    if !self.take('"') {
                        return Ok(name);
                    }
                    name.push('"');
                }
                Some(character) => {
                    name.push(character);
                    self.at += 1;
                }
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn take(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        self.at += usize::from(found);
        found
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }
}

/// `at` counts from 0, people count from 1.
fn wrong(at: usize, what: &'static str) -> TableNameError {
    TableNameError { position: at + 1, what }
}

impl fmt::Display for TableSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write_name(formatter, name),
            Self::Table { schema, table } => {
                write_name(formatter, schema)?;
                formatter.write_str(".")?;
                write_name(formatter, table)
            }
            Self::Schema(schema) => {
                write_name(formatter, schema)?;
                formatter.write_str(".*")
            }
        }
    }
}

fn write_name(formatter: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let plain = name != "*" && name.trim() == name && !name.contains(['.', ',', '"']);
    if plain { formatter.write_str(name) } else { write!(formatter, "\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::{TableSelector, nearest, parse};
    use proptest::prelude::{Strategy, prop_oneof, proptest};

    fn name(name: &str) -> TableSelector {
        TableSelector::Name(name.into())
    }

    fn table(schema: &str, table: &str) -> TableSelector {
        TableSelector::Table { schema: schema.into(), table: table.into() }
    }

    fn one(text: &str) -> TableSelector {
        let selectors = parse(text).unwrap();
        assert_eq!(selectors.len(), 1, "{text}");
        selectors.into_iter().next().unwrap()
    }

    #[test]
    fn names_are_exact() {
        assert_eq!(one("combined_orders"), name("combined_orders"));
        assert_eq!(one("public.Order Details"), table("public", "Order Details"));
        assert_eq!(one("\"my.schema\".\"a,b\"\"c\""), table("my.schema", "a,b\"c"));
        assert_eq!(one("Sales.*"), TableSelector::Schema("Sales".into()));
        assert_eq!(one("public.\"*\""), table("public", "*"));
        assert_eq!(one("public.\" padded \""), table("public", " padded "));
        assert_eq!(one("\"users\""), name("users"));
        assert_eq!(one("schéma.täble"), table("schéma", "täble"));
    }

    #[test]
    fn commas_separate_and_spaces_around_them_do_not_count() {
        let expected = vec![name("users"), name("stream_tasks"), table("public", "invoices")];
        assert_eq!(parse("users,stream_tasks,public.invoices").unwrap(), expected);
        assert_eq!(parse(" users , stream_tasks, public.invoices ").unwrap(), expected);
    }

    #[test]
    fn errors_name_the_character() {
        for (text, position, word) in [
            ("", 1, "missing"),
            ("users,", 7, "missing"),
            ("users,,orders", 7, "missing"),
            ("public.", 8, "missing"),
            (".orders", 1, "missing"),
            ("a.b.c", 4, "one dot"),
            ("users, pub\"lic", 11, "quote inside"),
            ("users,\"open", 7, "not closed"),
            ("\"a\"b", 4, "closing quote"),
            ("\"\".x", 1, "empty"),
            ("*", 1, "needs a schema"),
            ("*.orders", 1, "cannot stand"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(word), "{text}: {message}");
            assert!(message.ends_with(&format!("(at character {position})")), "{text}: {message}");
        }
    }

    #[test]
    fn the_nearest_name_is_a_slip_away() {
        let tasks = ["combined_orders", "users", "products", "events"];
        assert_eq!(nearest("user", tasks), Some("users"));
        assert_eq!(nearest("Combined-Orders", tasks), Some("combined_orders"));
        assert_eq!(nearest("prodcuts", tasks), Some("products"));
        assert_eq!(nearest("invoices", tasks), None);
        assert_eq!(nearest("x", []), None);
    }

    fn any_name() -> impl Strategy<Value = String> {
        prop_oneof![".{1,12}", "[a-z.,\"* ]{1,8}"]
    }

    proptest! {
        #[test]
        fn printing_and_reading_again_changes_nothing(parts in proptest::collection::vec((any_name(), any_name(), 0..3_u8), 1..5)) {
            let selectors: Vec<_> = parts.into_iter().map(|(first, second, kind)| match kind {
                0 => TableSelector::Name(first),
                1 => TableSelector::Table { schema: first, table: second },
                _ => TableSelector::Schema(first),
            }).collect();
            let text = selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            assert_eq!(parse(&text).unwrap(), selectors);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-z.,\"* é]{0,20}") {
            if let Ok(selectors) = parse(&text) {
                assert!(!selectors.is_empty());
            }
        }
    }
}
