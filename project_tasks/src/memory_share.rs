//! How the memory of a run is divided.

use project_postgres::ReadLimits;

/// Bytes of rows that one worker decodes before it encodes them; more would not be faster.
const MOST_BATCH_BYTES: u64 = 8 << 20;

/// What each of the workers that read at the same time may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryShare(u64);

impl MemoryShare {
    /// The share of one of `workers` in `memory` bytes.
    pub fn of(memory: u64, workers: usize) -> Self {
        Self(memory / workers.max(1) as u64)
    }

    /// Bytes of the row groups under construction: encoded, but not yet on the disk. Half; the rest is for rows on
    /// their way there, and for the column that is just being put together.
    pub fn row_group_bytes(self) -> usize {
        usize::try_from(self.0 / 2).unwrap_or(usize::MAX)
    }

    /// A row passes through the driver's buffer, the decoder's and the encoder's, each of which may double as it grows.
    pub fn read_limits(self) -> ReadLimits {
        let batch_bytes = usize::try_from(MOST_BATCH_BYTES.min(self.0 / 12)).unwrap_or(usize::MAX);
        ReadLimits { batch_bytes, row_bytes: self.0 / 4 }
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryShare;

    #[test]
    fn the_default_on_two_cores() {
        let share = MemoryShare::of(192 << 20, 2);
        assert_eq!(share.row_group_bytes(), 48 << 20);
        assert_eq!((share.read_limits().batch_bytes, share.read_limits().row_bytes), (8 << 20, 24 << 20));
    }
}
