//! The same decoders as Diesel's `FromSql` and sqlx's `Decode`, so that all paths read a value alike.

use super::decimal::Decimal;
use super::from_postgres::FromPostgres;
use super::oid::Oid as OidValue;
use super::text::{CastText, JsonText, UuidText, jsonb_text, uuid_text};
use super::timestamp::{Date, Timestamp};
use diesel::deserialize::{FromSql, Result as DieselResult};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use std::str::from_utf8;

impl FromSql<sql_types::Numeric, Pg> for Decimal {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self::from_wire(value.as_bytes())?)
    }
}

impl FromSql<sql_types::Timestamp, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self::from_wire(value.as_bytes())?)
    }
}

impl FromSql<sql_types::Timestamptz, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self::from_wire(value.as_bytes())?)
    }
}

impl FromSql<sql_types::Date, Pg> for Date {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self::from_wire(value.as_bytes())?)
    }
}

impl FromSql<sql_types::Oid, Pg> for OidValue {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        oid_from_wire(value.as_bytes())
    }
}

impl FromSql<sql_types::Text, Pg> for CastText {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self(from_utf8(value.as_bytes())?.to_owned()))
    }
}

impl FromSql<sql_types::Uuid, Pg> for UuidText {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        uuid_from_wire(value.as_bytes())
    }
}

impl FromSql<sql_types::Json, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self(from_utf8(value.as_bytes())?.to_owned()))
    }
}

impl FromSql<sql_types::Jsonb, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> DieselResult<Self> {
        Ok(Self(from_utf8(jsonb_text(value.as_bytes())?)?.to_owned()))
    }
}

/// sqlx's side: the OIDs (`pg_type.dat`) of the types that a value is read from, and the same decoder on its bytes.
macro_rules! sqlx_value {
    ($target:ty, [$($oid:literal),+], $decode:expr) => {
        impl FromPostgres for $target {
            fn oids() -> Vec<u32> {
                vec![$($oid),+]
            }
        }

        sqlx_decode!($target, [$($oid),+], $decode);
    };
}

/// The same without saying which types of columns can be read.
macro_rules! sqlx_decode {
    ($target:ty, [$($oid:literal),+], $decode:expr) => {
        impl sqlx::Type<Postgres> for $target {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_oid(Oid([$($oid),+][0]))
            }

            fn compatible(given: &PgTypeInfo) -> bool {
                given.oid().is_some_and(|oid| [$($oid),+].contains(&oid.0))
            }
        }

        impl sqlx::Decode<'_, Postgres> for $target {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                if value.format() != PgValueFormat::Binary {
                    return Err("can only be read in the binary format".into());
                }
                let decode: fn(&[u8]) -> Result<Self, BoxDynError> = $decode;
                decode(value.as_bytes()?)
            }
        }
    };
}

sqlx_value!(Decimal, [1700], |bytes| Ok(Self::from_wire(bytes)?));
sqlx_value!(Timestamp, [1114, 1184], |bytes| Ok(Self::from_wire(bytes)?));
sqlx_value!(Date, [1082], |bytes| Ok(Self::from_wire(bytes)?));
sqlx_value!(OidValue, [26], oid_from_wire);
sqlx_decode!(CastText, [25], |bytes| Ok(Self(from_utf8(bytes)?.to_owned())));
sqlx_value!(UuidText, [2950], uuid_from_wire);
sqlx_value!(JsonText, [114, 3802], |bytes| {
    // No JSON text begins with a control character, so a first byte of 1 is jsonb's version.
    let text = if bytes.first() == Some(&1) { jsonb_text(bytes)? } else { bytes };
    Ok(Self(from_utf8(text)?.to_owned()))
});

fn oid_from_wire(bytes: &[u8]) -> Result<OidValue, BoxDynError> {
    let bytes = bytes.try_into().map_err(|_| "is not an oid of 4 bytes")?;
    Ok(OidValue(u32::from_be_bytes(bytes)))
}

fn uuid_from_wire(bytes: &[u8]) -> Result<UuidText, BoxDynError> {
    let bytes = bytes.try_into().map_err(|_| "is not a uuid of 16 bytes")?;
    Ok(UuidText(String::from_utf8(uuid_text(bytes).to_vec())?))
}
