//! Which column of a file goes into which column of the table, and whether it may: all that can be said before anything
//! is written.

use crate::error::{InsertError, InsertErrorKind};
use crate::target_table::{Origin, TargetColumn, TargetTable};
use crate::type_matrix;
use crate::{Insertion, Mode};
use arrow::datatypes::DataType;
use project_parquet::lake_name;
use project_postgres::quote_identifier;
use std::collections::HashSet;

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileColumn {
    pub(crate) name: String,
    /// Nothing for CSV, whose values the server itself reads.
    pub(crate) data_type: Option<DataType>,
}

/// What will be done with the table.
#[derive(Debug, Clone)]
pub(crate) struct Matched {
    /// For each column of the file, in its order.
    pub(crate) columns: Vec<TargetColumn>,
    /// Empty when rows have none.
    pub(crate) key: Vec<TargetColumn>,
    /// Whether no two rows of the table can have the same key.
    pub(crate) key_is_unique: bool,
    /// Whether values come as text, which the server reads.
    pub(crate) by_text: bool,
}

/// Matches the columns of the file with those of the table.
///
/// # Errors
/// With everything that is wrong, in one message.
pub(crate) fn match_columns(
    file: &str,
    columns: &[FileColumn],
    table: &TargetTable,
    insertion: &Insertion,
) -> Result<Matched, InsertError> {
    let refused = |problems: Vec<String>| {
        InsertError::data(format!(
            "{file} does not fit into {}: {}; nothing was written",
            table.name,
            problems.join("; ")
        ))
    };
    if columns.is_empty() {
        return Err(refused(vec!["it has no columns".to_owned()]));
    }
    let found: Vec<_> = columns.iter().map(|column| find(&column.name, table)).collect();
    if found.iter().all(Option::is_none) {
        // The first line of a file without a header is a row, whose values have no place in a message.
        return Err(refused(vec![
            "none of its column names is one of the table; a CSV file needs a header, with commas between the names"
                .to_owned(),
        ]));
    }
    let mut problems: Vec<String> = Vec::new();
    let mut matched = Vec::with_capacity(columns.len());
    for (column, found) in columns.iter().zip(found) {
        match found {
            None => problems.push(format!("the table has no column \"{}\"", column.name)),
            Some(target) => {
                problems.extend(misfit(column, target));
                matched.push(target.clone());
            }
        }
    }
    let mut names = HashSet::new();
    let twice = matched.iter().filter(|column| !names.insert(column.name.as_str()));
    problems.extend(twice.map(|column| format!("the column \"{}\" comes twice", column.name)));
    let missing = table.columns.iter().filter(|column| {
        let filled = column.has_default || column.origin != Origin::Whoever;
        column.not_null && !filled && !names.contains(column.name.as_str())
    });
    problems
        .extend(missing.map(|column| format!("it lacks \"{}\", which is NOT NULL and has no default", column.name)));
    let key = key(&matched, table, insertion, &mut problems);
    if !problems.is_empty() {
        return Err(refused(problems));
    }
    check_rights(&matched, &key, table, insertion)?;
    let unique = |index: &Vec<String>| index.iter().all(|name| key.iter().any(|column| column.name == *name));
    let key_is_unique = table.unique_indexes.iter().any(unique);
    Ok(Matched { columns: matched, key, key_is_unique, by_text: false })
}

/// What can be said of the table without a file.
///
/// # Errors
/// When its key or our rights do not allow what is asked for.
pub(crate) fn check_table(table: &TargetTable, insertion: &Insertion) -> Result<(), InsertError> {
    let mut problems = Vec::new();
    // As if the file had every column.
    let key = key(&table.columns, table, insertion, &mut problems);
    if problems.is_empty() {
        return check_rights(&key, &key, table, insertion);
    }
    Err(InsertError::data(format!("nothing can go into {} like this: {}", table.name, problems.join("; "))))
}

/// The exact name, else the one column that the lake would call so: the lake and Athena know only lower case.
fn find<'a>(name: &str, table: &'a TargetTable) -> Option<&'a TargetColumn> {
    let exact = table.columns.iter().find(|column| column.name == name);
    exact.or_else(|| {
        let mut alike = table.columns.iter().filter(|column| lake_name(&column.name) == name);
        alike.next().filter(|_| alike.next().is_none())
    })
}

fn misfit(column: &FileColumn, target: &TargetColumn) -> Option<String> {
    let name = &target.name;
    match target.origin {
        Origin::Generated => {
            return Some(format!("\"{name}\" is generated, and nobody may write it; leave it out of the file"));
        }
        Origin::IdentityAlways => {
            return Some(format!("\"{name}\" is GENERATED ALWAYS AS IDENTITY; leave it out, or make it BY DEFAULT"));
        }
        Origin::Whoever => {}
    }
    let data_type = column.data_type.as_ref()?;
    let refusal = type_matrix::refusal(data_type, &target.column_type)?;
    Some(format!("\"{name}\" is {} and {} in the table: {refusal}", type_matrix::name(data_type), target.type_name))
}

fn key(
    matched: &[TargetColumn],
    table: &TargetTable,
    insertion: &Insertion,
    problems: &mut Vec<String>,
) -> Vec<TargetColumn> {
    let wanted = insertion.key.as_ref().unwrap_or(&table.primary_key);
    if wanted.is_empty() && insertion.mode != Mode::Replace {
        problems.push(
            "the table has no primary key, so a rerun would double the rows; say with --key=<column,...> which columns \
             tell rows apart, or take --mode=replace"
                .to_owned(),
        );
    }
    let mut key: Vec<TargetColumn> = Vec::with_capacity(wanted.len());
    for name in wanted {
        match matched.iter().find(|column| column.name == *name) {
            _ if key.iter().any(|column| column.name == *name) => {
                problems.push(format!("the key names \"{name}\" twice"));
            }
            Some(column) => key.push(column.clone()),
            None if table.columns.iter().any(|column| column.name == *name) => {
                problems.push(format!("it lacks \"{name}\", a column of the key"));
            }
            None => problems.push(format!("the table has no column \"{name}\", which --key names")),
        }
    }
    key
}

/// A right that is missing is told before anything is written, with the statement that gives it.
fn check_rights(
    matched: &[TargetColumn],
    key: &[TargetColumn],
    table: &TargetTable,
    insertion: &Insertion,
) -> Result<(), InsertError> {
    let changes = match (insertion.mode, key.is_empty()) {
        (Mode::Insert, _) => false,
        (Mode::Upsert, _) => true,
        (Mode::Replace, without_key) => !without_key,
    };
    let lacks = |may: fn(&TargetColumn) -> bool| matched.iter().any(|column| !may(column));
    let needed = [
        ("SELECT", lacks(|column| column.may_select)),
        ("INSERT", lacks(|column| column.may_insert)),
        // To insert alone, UPDATE is only what the lock takes.
        ("UPDATE", changes && lacks(|column| column.may_update) || !table.rights.lock),
        ("DELETE", insertion.mode == Mode::Replace && !table.rights.delete),
    ];
    let missing: Vec<&str> = needed.iter().filter(|(_, missing)| *missing).map(|(right, _)| *right).collect();
    let role = quote_identifier(&table.rights.role);
    let denied = |what: String, grant: String| {
        Err(InsertError::new(InsertErrorKind::Denied, format!("the role {role} {what}; let its owner run: {grant}")))
    };
    if !missing.is_empty() {
        let rights = missing.join(", ");
        let what = format!("may not do what --mode={} needs in {}, which includes a lock", insertion.mode, table.name);
        return denied(what, format!("GRANT {rights} ON {} TO {role}", table.name.quoted()));
    }
    if !table.rights.temporary {
        let database = quote_identifier(&table.rights.database);
        let what = format!("may not create temporary tables in the database {database}");
        return denied(what, format!("GRANT TEMPORARY ON DATABASE {database} TO {role}"));
    }
    Ok(())
}
