//! Types that the lake holds as text although Postgres sends them in a form of their own.

use diesel::deserialize::FromSqlRow;
use thiserror::Error;

/// A `uuid` in its 36 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, FromSqlRow)]
pub struct UuidText(pub String);

/// A `json` or `jsonb` document, its text as Postgres gives it.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow)]
pub struct JsonText(pub String);

/// A value of any type as the server writes it: the column is cast to `text` in the query.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow)]
pub struct CastText(pub String);

/// The document is in a form of jsonb that this version does not know.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("is not jsonb version 1")]
pub(crate) struct JsonbError;

/// The bytes of the text inside a binary jsonb: version 1 is a byte of 1, then the text.
#[inline]
pub(crate) fn jsonb_text(bytes: &[u8]) -> Result<&[u8], JsonbError> {
    match bytes {
        [1, text @ ..] => Ok(text),
        _ => Err(JsonbError),
    }
}

/// The 36 characters of a uuid, as ASCII.
#[inline]
pub(crate) fn uuid_text(bytes: &[u8; 16]) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{JsonbError, jsonb_text, uuid_text};

    #[test]
    fn uuid_has_its_hyphens() {
        let bytes = [0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0x00, 0x0f];
        assert_eq!(&uuid_text(&bytes), b"550e8400-e29b-41d4-a716-44665544000f");
    }

    #[test]
    fn jsonb_has_a_version() {
        assert_eq!(jsonb_text(b"\x01{}"), Ok(b"{}".as_slice()));
        assert_eq!(jsonb_text(b"\x02{}"), Err(JsonbError));
        assert_eq!(jsonb_text(b""), Err(JsonbError));
    }
}
