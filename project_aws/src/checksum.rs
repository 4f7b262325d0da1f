//! CRC-32, the checksum that travels with every object.
//!
//! Of the checksums that S3 keeps for a whole multipart object it is the one that every S3-compatible store knows.

use std::fmt;

use crc32fast::Hasher;

/// The CRC-32 of some bytes, and how many they were, so that parts can be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crc32 {
    value: u32,
    bytes: u64,
}

impl Crc32 {
    pub(crate) fn of(data: &[u8]) -> Self {
        Self { value: crc32fast::hash(data), bytes: data.len() as u64 }
    }

    /// The checksum of these bytes followed by `next`.
    pub(crate) fn followed_by(self, next: Self) -> Self {
        let mut hasher = Hasher::new_with_initial_len(self.value, self.bytes);
        hasher.combine(&Hasher::new_with_initial_len(next.value, next.bytes));
        Self { value: hasher.finalize(), bytes: self.bytes + next.bytes }
    }
}

/// Base64 of the big-endian bytes, as S3 writes it.
impl fmt::Display for Crc32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        // 32 bits are five digits of six bits and two bits that open a sixth.
        let bits = u64::from(self.value) << 4;
        for digit in (0..6).rev() {
            let index = (bits >> (6 * digit)) & 0x3f;
            write!(f, "{}", char::from(ALPHABET[index as usize]))?;
        }
        f.write_str("==")
    }
}

#[cfg(test)]
mod tests {
    use super::Crc32;

    #[test]
    fn it_is_written_as_s3_writes_it() {
        // echo -n 123456789 | crc32 is cbf43926, whose bytes are y/Q5Jg== in base64.
        assert_eq!(Crc32::of(b"123456789").to_string(), "y/Q5Jg==");
        assert_eq!(Crc32::of(b"").to_string(), "AAAAAA==");
    }

    #[test]
    fn parts_give_the_checksum_of_the_whole() {
        let whole: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
        let parts = whole.chunks(7_777).map(Crc32::of).fold(Crc32::of(b""), Crc32::followed_by);
        assert_eq!(parts, Crc32::of(&whole));
    }
}
