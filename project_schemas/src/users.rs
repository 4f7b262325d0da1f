//! Users, as they are.

use crate::tables;
use diesel::{Queryable, Selectable};
use parquet_derive::ParquetRecordWriter;
use project_parquet::{Logical, Record};
use project_postgres::value::{Timestamp, TimestampError};

/// A row of `public.users`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tables::users)]
pub struct UserRow {
    /// Key.
    pub id: i32,
    /// Name.
    pub name: Option<String>,
    /// Country code.
    pub country: Option<String>,
    /// Wall clock of the registration.
    pub created_at: Option<Timestamp>,
    /// Address.
    pub email: Option<String>,
}

/// A row of the lake's `users`.
#[derive(Debug, Clone, PartialEq, Eq, ParquetRecordWriter)]
pub struct User {
    /// Key.
    pub id: i32,
    /// Name.
    pub name: Option<String>,
    /// Country code.
    pub country: Option<String>,
    /// Wall clock of the registration, milliseconds.
    pub created_at: Option<i64>,
    /// Address.
    pub email: Option<String>,
}

impl Record for User {
    const LOGICAL: &'static [(&'static str, Logical)] = &[("created_at", Logical::TimestampMillis { utc: false })];
}

impl UserRow {
    /// The record, or why the time has no place in it.
    pub fn into_record(self) -> Result<User, TimestampError> {
        let created_at = self.created_at.map(Timestamp::to_millis).transpose()?;
        Ok(User { id: self.id, name: self.name, country: self.country, created_at, email: self.email })
    }
}
