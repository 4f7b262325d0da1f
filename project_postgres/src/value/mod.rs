//! One value in Postgres's binary form, decoded once for all three ways of reading: COPY, sqlx and Diesel.

mod clock;
mod decimal;
mod drivers;
mod from_postgres;
mod numeric;
mod oid;
mod text;
mod timestamp;

pub(crate) use clock::{ClockError, interval_text, time_text, time_with_offset_text};
pub use decimal::Decimal;
pub use from_postgres::{FromPostgres, TEXT_TYPES};
pub use numeric::NumericError;
pub(crate) use numeric::numeric_to_scale;
pub use oid::Oid;
pub use text::{CastText, JsonText, UuidText};
pub(crate) use text::{jsonb_text, uuid_text};
pub use timestamp::{Date, Timestamp, TimestampError};
