//! The identifier of an object of the server.

use diesel::deserialize::FromSqlRow;

/// An `oid`: four bytes without sign. Parquet readers agree on signed integers only, so it goes into eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, FromSqlRow)]
pub struct Oid(pub u32);

impl From<Oid> for i64 {
    fn from(oid: Oid) -> Self {
        oid.0.into()
    }
}
