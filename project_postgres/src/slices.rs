//! How a table is cut into pieces that workers read, each in one go.

use crate::catalog::Storage;
use crate::sql::{Predicate, TableName};
use project_parquet::PartitionValue;
use std::fmt;
use std::iter::once;

/// Heap bytes below which a table is read by one worker into one file.
const SPLIT_FROM: u64 = 64 << 20;
/// Ranges for each worker, so that all finish at about the same time.
const RANGES_PER_WORKER: u64 = 8;
const BLOCK_BYTES: u64 = 8192;

/// A part of a table that one worker reads in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The table, or the leaf of a partitioned one.
    pub relation: TableName,
    /// Which of its rows: those that all of these allow.
    pub rows: Vec<Predicate>,
    /// The partition folder that all of them go to.
    pub partition: Option<PartitionValue>,
}

/// As it stands in messages, after the name of the table.
impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(PartitionValue { key, value }) = &self.partition {
            return write!(f, "{key}={value}");
        }
        let range = self.rows.iter().find_map(|predicate| match predicate {
            Predicate::Blocks { from, to } => Some((from.unwrap_or(0), *to)),
            _ => None,
        });
        match range {
            Some((from, Some(to))) => write!(f, "blocks {from} to {} of {}", to.saturating_sub(1), self.relation),
            Some((from, None)) => write!(f, "blocks from {from} of {}", self.relation),
            None => write!(f, "all of {}", self.relation),
        }
    }
}

/// All rows of a table as slices: by block ranges where the server can read them, else a storage at a time.
pub fn whole_table(storages: &[Storage], workers: usize) -> Vec<Slice> {
    let total: u64 = storages.iter().map(|storage| storage.bytes).sum();
    let count = if workers < 2 || total < SPLIT_FROM { 1 } else { workers as u64 * RANGES_PER_WORKER };
    let range_bytes = total.div_ceil(count).max(1);
    let slice = |storage: &Storage, rows| Slice { relation: storage.name.clone(), rows, partition: None };
    let (in_ranges, whole): (Vec<&Storage>, Vec<&Storage>) =
        storages.iter().partition(|storage| storage.by_blocks && storage.bytes > range_bytes);
    // What cannot be cut comes first, because it may take longest.
    let whole = whole.into_iter().map(|storage| slice(storage, Vec::new()));
    let ranges = in_ranges.into_iter().flat_map(|storage| {
        let ranges = block_ranges(storage.bytes, storage.bytes.div_ceil(range_bytes));
        ranges.into_iter().map(move |range| slice(storage, vec![range]))
    });
    whole.chain(ranges).collect()
}

/// Cuts a heap into about `count` ranges of whole blocks. The first and the last are open, so that a size that has
/// grown meanwhile loses no row.
fn block_ranges(bytes: u64, count: u64) -> Vec<Predicate> {
    let blocks = u32::try_from(bytes.div_ceil(BLOCK_BYTES)).unwrap_or(u32::MAX);
    let step = blocks.div_ceil(u32::try_from(count).unwrap_or(u32::MAX).max(1)).max(1);
    let cuts: Vec<u32> = (1..).map_while(|at: u32| at.checked_mul(step).filter(|cut| *cut < blocks)).collect();
    let starts = once(None).chain(cuts.iter().copied().map(Some));
    let ends = cuts.iter().copied().map(Some).chain(once(None));
    starts.zip(ends).map(|(from, to)| Predicate::Blocks { from, to }).collect()
}

#[cfg(test)]
mod tests {
    use super::{SPLIT_FROM, Slice, block_ranges, whole_table};
    use crate::catalog::Storage;
    use crate::sql::{Predicate, TableName};
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn storage(name: &str, bytes: u64, by_blocks: bool) -> Storage {
        Storage { name: TableName::new("public", name), by_blocks, bytes, toast_bytes: Some(0), readable: true }
    }

    fn places(slices: &[Slice]) -> Vec<String> {
        slices.iter().map(Slice::to_string).collect()
    }

    #[test]
    fn small_tables_and_single_workers_get_one_slice() {
        assert_eq!(places(&whole_table(&[storage("t", SPLIT_FROM - 1, true)], 8)), ["all of public.t"]);
        assert_eq!(places(&whole_table(&[storage("t", 1 << 40, true)], 1)), ["all of public.t"]);
    }

    #[test]
    fn large_leaves_are_cut_and_small_or_foreign_ones_are_not() {
        let leaves = [storage("large", SPLIT_FROM * 2, true), storage("small", 9, true), storage("away", 0, false)];
        let slices = whole_table(&leaves, 2);
        let places = places(&slices);
        assert_eq!(places[..2], ["all of public.small", "all of public.away"]);
        assert_eq!(places[2], "blocks 0 to 1023 of public.large");
        assert_eq!(places.last().unwrap(), "blocks from 15360 of public.large");
        assert_eq!(slices.len(), 2 + 16);
    }

    proptest! {
        #[test]
        fn ranges_cover_every_block_once(bytes in 0u64..1 << 36, count in 1u64..2000) {
            let mut expected = None;
            let ranges = block_ranges(bytes, count);
            prop_assert!(ranges.len() as u64 <= count.max(1));
            for (index, range) in ranges.iter().enumerate() {
                let Predicate::Blocks { from, to } = range else { panic!("{range:?}") };
                prop_assert_eq!(*from, expected);
                prop_assert!(to.is_some() == (index + 1 < ranges.len()));
                prop_assert!(to.is_none_or(|to| to > from.unwrap_or(0)));
                expected = *to;
            }
        }
    }
}
