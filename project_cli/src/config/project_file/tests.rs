#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::File;
use crate::config::ConfigError;
use project_postgres::{
    AnyNumeric, Arrays, Infinity, InvalidText, NotANumber, PolicyOverrides, TableName, TableOptions, TimestampUnit,
};
use proptest::prelude::{any, proptest};
use std::collections::BTreeMap;

type Tables = BTreeMap<TableName, TableOptions>;

fn read(text: &str) -> Result<Tables, ConfigError> {
    File { name: "project.toml", text }.tables()
}

fn refusal(text: &str) -> String {
    let error = read(text).unwrap_err();
    assert_eq!(error.exit, 78, "{text}: {error}");
    assert!(error.message.starts_with("project.toml, line "), "{text}: {error}");
    assert!(!error.message.contains('\n'), "{text}: {error}");
    error.message
}

fn infinity(infinity: Infinity) -> PolicyOverrides {
    PolicyOverrides { infinity: Some(infinity), ..PolicyOverrides::default() }
}

fn users() -> TableName {
    TableName::new("public", "users")
}

#[test]
fn a_table_with_everything() {
    let tables = read(
        r#"
        # A comment.
        [tables."public.users"]
        columns = ["id", "Name"]
        exclude = ["password_hash"]
        where = "deleted_at IS NULL"
        infinity = "null"
        nan = "string"
        numeric = "decimal"
        invalid-text = "replace"
        timestamp-unit = "micros"
        arrays = "flatten"

        [columns."public.users".valid_to]
        infinity = "clamp"

        [columns."public.users"."valid from"]
        infinity = "error"
        "#,
    );
    let expected = TableOptions {
        columns: Some(vec!["id".into(), "Name".into()]),
        exclude: vec!["password_hash".into()],
        filter: Some("deleted_at IS NULL".into()),
        policies: PolicyOverrides {
            infinity: Some(Infinity::Null),
            not_a_number: Some(NotANumber::Text),
            any_numeric: Some(AnyNumeric::DECIMAL),
            invalid_text: Some(InvalidText::Replace),
            timestamp_unit: Some(TimestampUnit::Micros),
            arrays: Some(Arrays::Flatten),
        },
        column_policies: BTreeMap::from([
            ("valid_to".into(), infinity(Infinity::Clamp)),
            ("valid from".into(), infinity(Infinity::Error)),
        ]),
    };
    assert_eq!(tables, Ok(Tables::from([(users(), expected)])));
}

#[test]
fn everything_may_be_left_out() {
    for nothing in ["", "# only a comment\n", "[tables]\n[columns]\n"] {
        assert_eq!(read(nothing), Ok(Tables::new()), "{nothing}");
    }
    let only_named = read("[tables.\"public.users\"]\nexclude = []").unwrap();
    assert_eq!(only_named, Tables::from([(users(), TableOptions::default())]));
    let only_a_column = read("columns.\"public.users\".valid_to.infinity = 'null'").unwrap();
    let policies = &only_a_column[&users()].column_policies;
    assert_eq!(policies, &BTreeMap::from([("valid_to".into(), infinity(Infinity::Null))]));
}

#[test]
fn names_of_tables_are_those_of_the_command_line() {
    for (heading, schema, table) in [
        ("\"public.Order Details\"", "public", "Order Details"),
        ("'\"my.schema\".\"a,b\"\"c\"'", "my.schema", "a,b\"c"),
        ("\"public.\\\"*\\\"\"", "public", "*"),
        ("'schéma.täble'", "schéma", "täble"),
    ] {
        let tables = read(&format!("[tables.{heading}]\nwhere = 'true'\n[columns.{heading}.a]\nnan = 'null'")).unwrap();
        let [(name, options)] = &tables.iter().collect::<Vec<_>>()[..] else { unreachable!("one table: {tables:?}") };
        assert_eq!(**name, TableName::new(schema, table));
        assert!(options.filter.is_some() && options.column_policies.contains_key("a"), "{options:?}");
    }
}

#[test]
fn headings_that_are_not_one_table_are_refused() {
    for (heading, words) in [
        (
            "tables.users",
            &["line 2, [tables.users]: \"users\" is not one table;", "as in [tables.\"public.users\"]"][..],
        ),
        ("tables.public.users", &["[tables.public]: \"public\" is not one table"]),
        ("tables.\"public.*\"", &["\"public.*\" is not one table"]),
        ("tables.\"public.a,public.b\"", &["[tables.\"public.a,public.b\"]: ", "is not one table"]),
        ("tables.\"public.\"", &["\"public.\" is not one table: a name is missing (at character 8);"]),
        ("tables.\"a.b.c\"", &["one dot", "double quotes"]),
        ("tables.\"\"", &["[tables.\"\"]"]),
        ("columns.users.id", &["line 2, [columns.users]", "as in [columns.\"public.users\".valid_to]"]),
        (
            "[tables.\"public.users\"]",
            &["line 2, [tables]: public.users must be part of a heading, as in [tables.\"pub"],
        ),
    ] {
        let message = refusal(&format!("\n[{heading}]\n"));
        for word in words {
            assert!(message.contains(word), "{heading}: {message}");
        }
    }
    assert!(refusal("tables = 3").contains("line 1: tables must be part of a heading"));
    let without_column = refusal("[columns.\"public.users\"]\ninfinity = \"null\"");
    assert!(without_column.contains("line 2, [columns.\"public.users\"]: infinity must be part"), "{without_column}");
}

#[test]
fn one_table_under_two_spellings_is_refused() {
    let message = refusal("[tables.\"public.users\"]\n[tables.'public.\"users\"']");
    assert!(message.contains("another heading means the same"), "{message}");
    let message = refusal("[columns.\"a.b\".c]\n[columns.' a.b'.c]");
    assert!(message.contains(".c]: another heading means the same"), "{message}");
    let two_columns = read("[columns.\"a.b\".c]\n[columns.' a.b'.d]").unwrap();
    assert_eq!(two_columns[&TableName::new("a", "b")].column_policies.len(), 2);
    assert!(refusal("[tables.\"a.b\"]\n[tables.\"a.b\"]").contains("line 2: this is not TOML: duplicate key"));
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    for (text, words) in [
        ("table = 1", &["line 1: there is no key \"table\"; did you mean tables?"][..]),
        ("[settings]", &["line 1: there is no key \"settings\"; the keys here are tables, columns"]),
        (
            "[tables.\"public.users\"]\n\ncolums = []",
            &["line 3, [tables.\"public.users\"]: there is no key \"colums\"; did you mean columns?"],
        ),
        ("[tables.\"a.b\"]\ninvalid_text = 'error'", &["line 2", "did you mean invalid-text?"]),
        ("[tables.\"a.b\".c]\nnan = 'null'", &["[tables.\"a.b\"]: there is no key \"c\"", "exclude, where, infinity"]),
        (
            "[columns.\"a.b\".c]\nwhere = 'x'",
            &["line 2, [columns.\"a.b\".c]: there is no key \"where\"", "infinity, nan"],
        ),
    ] {
        let message = refusal(text);
        for word in words {
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}

#[test]
fn wrong_policies_name_the_right_ones() {
    let message = refusal("[tables.\"public.users\"]\nnan = \"clamp\"");
    let expected = "line 2, [tables.\"public.users\"]: nan = \"clamp\" must be null or error or string";
    assert!(message.ends_with(expected), "{message}");
    let message = refusal("[columns.\"public.users\".valid_to]\n\ninfinity = \"ze\\nro\"");
    let expected = "line 3, [columns.\"public.users\".valid_to]: infinity = \"ze\\nro\" must be clamp or null or error";
    assert!(message.ends_with(expected), "{message}");
    let message = refusal("[tables.\"a.b\"]\ninfinity = true");
    assert!(message.ends_with("line 2, [tables.\"a.b\"]: infinity must be text in quotes, as in infinity = \"...\""));
    let message = refusal("[columns.\"a.b\"]\nc = { numeric = \"float\" }");
    assert!(message.contains("line 2, [columns.\"a.b\".c]: numeric = \"float\" must be decimal"), "{message}");
}

#[test]
fn lists_of_columns_make_sense() {
    for (entries, words) in [
        ("columns = []", "line 2, [tables.\"a.b\"]: columns is empty; name at least one"),
        ("columns = \"id\"", "line 2, [tables.\"a.b\"]: columns must be a list of names, as in columns = [\"id\""),
        ("columns = [\"id\", 3]", "columns must be a list of names"),
        ("exclude = true", "exclude must be a list of names"),
        ("columns = [\n\"id\",\n\"id\",\n]", "line 4, [tables.\"a.b\"]: columns names \"id\" twice"),
        ("exclude = [\"id\", \"id\"]", "exclude names \"id\" twice"),
        (
            "columns = [\"id\", \"hash\"]\nexclude = [\"hash\"]",
            "line 3, [tables.\"a.b\"]: \"hash\" is in columns and in ex",
        ),
    ] {
        let message = refusal(&format!("[tables.\"a.b\"]\n{entries}"));
        assert!(message.contains(words), "{entries}: {message}");
    }
    let apart = read("[tables.\"a.b\"]\ncolumns = [\"id\"]\nexclude = [\"hash\", \"Id\"]").unwrap();
    assert_eq!(apart[&TableName::new("a", "b")].exclude, ["hash", "Id"]);
}

#[test]
fn a_condition_that_cannot_be_whole_is_refused_without_repeating_it() {
    for (condition, words) in [
        ("'secret = 1; DROP TABLE x'", "line 3, [tables.\"a.b\"]: where has a semicolon outside of quotes"),
        ("\"secret = 'a\"", "where has an odd number of single quotes"),
        ("'secret) OR (true'", "where closes a parenthesis"),
        ("'(secret'", "where opens a parenthesis"),
        ("'secret -- note'", "where has an SQL comment"),
        ("\"secret\\u0000\"", "where holds the character NUL"),
        ("' '", "where is empty"),
        ("1", "where must be text in quotes"),
    ] {
        let message = refusal(&format!("[tables.\"a.b\"]\n\nwhere = {condition}"));
        assert!(message.contains(words) && !message.contains("secret"), "{condition}: {message}");
    }
    let lines = read("[tables.\"a.b\"]\nwhere = '''\nname = 'it''s;'\nAND (id > 3)'''").unwrap();
    assert_eq!(lines[&TableName::new("a", "b")].filter.as_deref(), Some("name = 'it''s;'\nAND (id > 3)"));
}

#[test]
fn what_is_not_toml_names_its_line() {
    for (text, line) in [("[tables", 1), ("\n\ncolumns", 3), ("[tables.\"a.b\"]\nwhere = null", 2), ("a = 1\na = 2", 2)]
    {
        let message = refusal(text);
        assert!(message.starts_with(&format!("project.toml, line {line}: this is not TOML: ")), "{text:?}: {message}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        text in any::<String>(),
        pieces in proptest::collection::vec("tables|columns|where|nan|\\[|\\]|\\.|=|\n|\"a\\.b\"|'null'|é|\\{|\\}|,", 0..20),
    ) {
        let _ = (read(&text), read(&pieces.concat()));
    }
}
