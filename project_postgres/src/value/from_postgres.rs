//! Which types of the server a Rust type can be read from.

use super::text::CastText;
use sqlx::Type;
use sqlx::postgres::Postgres;

/// A Rust type that a column can be read into.
pub trait FromPostgres {
    /// Whether it can hold NULL.
    const NULLABLE: bool = false;
    /// Whether it is read from any type, which the query casts to text.
    const BY_CAST: bool = false;
    /// The OIDs (`pg_type.dat`) of the types whose binary form it reads.
    fn oids() -> Vec<u32>;
}

/// The types that sqlx decodes itself, each from the one type that it names.
macro_rules! one_type {
    ($($target:ty),+) => {
        $(impl FromPostgres for $target {
            fn oids() -> Vec<u32> {
                <Self as Type<Postgres>>::type_info().oid().map(|oid| oid.0).into_iter().collect()
            }
        })+
    };
}

one_type!(bool, i16, i32, i64, f32, f64, Vec<u8>);

impl FromPostgres for String {
    fn oids() -> Vec<u32> {
        TEXT_TYPES.to_vec()
    }
}

impl FromPostgres for CastText {
    const BY_CAST: bool = true;

    fn oids() -> Vec<u32> {
        TEXT_TYPES.to_vec()
    }
}

impl<T: FromPostgres> FromPostgres for Option<T> {
    const NULLABLE: bool = true;
    const BY_CAST: bool = T::BY_CAST;

    fn oids() -> Vec<u32> {
        T::oids()
    }
}

/// text, varchar, char(n), name: the same bytes.
pub const TEXT_TYPES: [u32; 4] = [25, 1043, 1042, 19];

#[cfg(test)]
mod tests {
    use super::FromPostgres;
    use crate::value::{Decimal, JsonText, Timestamp};

    #[test]
    fn every_type_says_where_it_can_be_read_from() {
        assert_eq!((bool::oids(), i16::oids(), i32::oids(), i64::oids()), (vec![16], vec![21], vec![23], vec![20]));
        assert_eq!((f32::oids(), f64::oids(), <Vec<u8>>::oids()), (vec![700], vec![701], vec![17]));
        assert!(String::oids().contains(&1043) && !String::NULLABLE);
        assert!(<Option<String>>::oids().contains(&1043) && <Option<String>>::NULLABLE);
        assert_eq!(
            (Decimal::oids(), Timestamp::oids(), JsonText::oids()),
            (vec![1700], vec![1114, 1184], vec![114, 3802])
        );
    }
}
