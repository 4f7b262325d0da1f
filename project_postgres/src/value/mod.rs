//! One value in Postgres's binary form, decoded once for all three ways of reading: COPY, sqlx and Diesel.

mod decimal;
mod drivers;
mod numeric;
mod text;
mod timestamp;

pub use decimal::Decimal;
pub use numeric::NumericError;
pub(crate) use numeric::numeric_to_scale;
pub use text::{JsonText, UuidText};
pub(crate) use text::{jsonb_text, uuid_text};
pub use timestamp::{Date, Timestamp, TimestampError};
