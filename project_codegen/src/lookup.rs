//! A table as the catalog has it, or why no task can be made of it.

use crate::failure::Failure;
use project_postgres::TableName;
use project_postgres::catalog::{Relation, primary_key, relation, tables_of_schema};
use project_postgres::table_facts::{TableFacts, table_facts};
use sqlx::PgConnection;

/// What the catalog says.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) relation: Relation,
    pub(crate) primary_key: Vec<String>,
    pub(crate) facts: TableFacts,
}

/// Looks a table up.
///
/// # Errors
/// A sentence that names the table: it is missing, or our role may not read it.
pub(crate) async fn find(connection: &mut PgConnection, table: &TableName) -> Result<Found, Failure> {
    let Some(relation) = relation(connection, table).await? else {
        return Err(missing(connection, table).await?);
    };
    if !relation.storage.readable {
        return Err(Failure::denied(format!(
            "permission denied for {table}; GRANT SELECT on it (and USAGE on its schema) to this role"
        )));
    }
    let facts = table_facts(connection, &relation).await?;
    if let Some(column) = facts.denied_columns.first() {
        return Err(Failure::denied(format!(
            "permission denied for column \"{column}\" of {table}; GRANT SELECT on the table to this role, or make the task of a view of the other columns"
        )));
    }
    if relation.columns.is_empty() {
        return Err(Failure::refused(format!("{table} has no columns, and a Parquet file needs at least one")));
    }
    let primary_key = primary_key(connection, &relation).await?;
    Ok(Found { relation, primary_key, facts })
}

/// Whether there is a table of that name.
pub(crate) async fn exists(connection: &mut PgConnection, table: &TableName) -> Result<bool, Failure> {
    Ok(relation(connection, table).await?.is_some())
}

async fn missing(connection: &mut PgConnection, table: &TableName) -> Result<Failure, Failure> {
    if let Some((schema, name)) = table.name.split_once('.')
        && exists(connection, &TableName::new(schema, name)).await?
    {
        let (schema, name) = (crate::make_command::word(schema), crate::make_command::word(name));
        return Ok(Failure::refused(format!(
            "{table} does not exist; for a table of another schema write TABLE={name} SCHEMA={schema}"
        )));
    }
    let tables = tables_of_schema(connection, &table.schema).await?;
    if tables.is_empty() {
        let schema = &table.schema;
        return Ok(Failure::refused(format!(
            "{table} does not exist: there is no schema \"{schema}\" with tables; another schema is given by SCHEMA="
        )));
    }
    let nearest = nearest(&table.name, tables.iter().map(|table| table.name.as_str()));
    let hint = nearest.map(|name| format!("; did you mean TABLE={}?", crate::make_command::word(name)));
    Ok(Failure::refused(format!(
        "{table} does not exist (names are taken exactly, without folding to lower case){}",
        hint.unwrap_or_default()
    )))
}

/// The name that is meant most likely, if any is near enough to be a slip of the fingers.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let most = (wanted.chars().count() / 3).clamp(1, 4);
    let slips = |candidate: &str| strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
    candidates.filter(|candidate| slips(candidate) <= most).min_by_key(|candidate| slips(candidate))
}
