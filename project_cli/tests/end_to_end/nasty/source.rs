//! A database made for one test, copied, and read back by others.

use crate::every_value::{ENGINES, Table, read_tables};
use crate::program::{Ended, Program};
use anyhow::{Context, Result};
use project_test_servers::postgres::{Database, Postgres};

/// A database and the lake that it is copied to.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) database: Database<'static>,
    pub(crate) program: Program,
}

impl Source {
    /// A database with what `sql` makes.
    pub(crate) fn new(sql: &str) -> Result<Self> {
        Self::of(Database::create(Postgres::shared()?)?, sql)
    }

    /// The same in a database that takes any bytes for text.
    pub(crate) fn sql_ascii(sql: &str) -> Result<Self> {
        Self::of(Database::create_sql_ascii(Postgres::shared()?)?, sql)
    }

    fn of(database: Database<'static>, sql: &str) -> Result<Self> {
        // What the server prints must not depend on where it runs.
        database.execute(&format!("ALTER DATABASE {} SET TimeZone = 'UTC'", database.name()))?;
        database.execute(sql)?;
        Ok(Self { database, program: Program::new()? })
    }

    /// A run that copies these tables.
    pub(crate) fn run(&self, tables: &str, flags: &[&str]) -> Result<Ended> {
        let uri = self.database.uri();
        self.program.run(&[&[uri.as_str(), "--table", tables, "--format=json"], flags].concat())
    }

    /// A table of the lake, in the order of `id`, in which all readers must find the same.
    pub(crate) fn read(&self, table: &str) -> Result<Read> {
        let read = |engine: &&str| Ok(read_tables(engine, &self.program.lake(), [table])?.remove(0));
        let mut found: Vec<Table> = ENGINES.iter().map(read).collect::<Result<_>>()?;
        assert_eq!(found.first(), found.last(), "{ENGINES:?} do not agree on {table}");
        Ok(Read(found.remove(0)))
    }

    /// What Postgres prints for an expression in each row, in the order of `id`; NULL is `NULL`.
    pub(crate) fn printed(&self, table: &str, expression: &str) -> Result<Vec<String>> {
        let rows = self.database.query_text(&format!("SELECT {expression} FROM {table} ORDER BY id"))?;
        Ok(rows.into_iter().map(|mut row| or_null(row.remove(0))).collect())
    }
}

/// What all readers found in a table.
#[derive(Debug)]
pub(crate) struct Read(Table);

impl Read {
    /// The values of a column; NULL is `NULL`.
    pub(crate) fn column(&self, column: &str) -> Result<Vec<String>> {
        let at = self.0.columns.iter().position(|found| found.name == column);
        let at = at.with_context(|| format!("no column {column} in {:?}", self.0.columns))?;
        Ok(self.0.rows.iter().map(|row| or_null(row[at].clone())).collect())
    }

    /// Names and types as Athena calls them, without the key.
    pub(crate) fn types(&self) -> String {
        let columns = self.0.columns.iter().filter(|column| column.name != "id");
        columns.map(|column| format!("{} {}", column.name, column.athena)).collect::<Vec<_>>().join(", ")
    }
}

fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "NULL".to_owned())
}
