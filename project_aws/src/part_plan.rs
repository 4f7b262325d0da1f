//! How a file is cut for a multipart upload.

const MIB: u64 = 1 << 20;

/// A file of this size or more goes up in parts, a smaller one in one request.
pub(crate) const MULTIPART_FROM: u64 = 32 * MIB;

/// Large enough that requests cost nothing, small enough that a repeated part costs little.
const USUAL_PART: u64 = 16 * MIB;

/// S3's limit.
const MOST_PARTS: u64 = 10_000;

/// One part: its number from 1 and the range of the file that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) number: i32,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// The parts of a file of `total` bytes: all of one size but the last, consecutive numbers, at most 10,000. An empty
/// file is one empty part, because S3 completes nothing that has no part.
pub(crate) fn plan_parts(total: u64) -> impl Iterator<Item = Part> {
    let size = part_bytes(total);
    (1..).zip(0..total.div_ceil(size).max(1)).map(move |(number, index)| Part {
        number,
        offset: index * size,
        bytes: size.min(total - index * size),
    })
}

/// The usual size, or the next whole MiB that makes 10,000 parts enough.
fn part_bytes(total: u64) -> u64 {
    USUAL_PART.max(total.div_ceil(MOST_PARTS).next_multiple_of(MIB))
}

#[cfg(test)]
mod tests {
    use super::{MIB, MOST_PARTS, Part, USUAL_PART, part_bytes, plan_parts};

    /// Every byte in exactly one part, numbers from 1 without a gap, all parts alike but the last.
    fn check(total: u64) -> u64 {
        let parts: Vec<Part> = plan_parts(total).collect();
        let mut next = 0;
        for (index, part) in parts.iter().enumerate() {
            assert_eq!(part.number as usize, index + 1);
            assert_eq!(part.offset, next);
            assert!(part.bytes > 0);
            next += part.bytes;
        }
        assert_eq!(next, total);
        if let Some((last, others)) = parts.split_last() {
            assert!(others.iter().all(|part| part.bytes == part_bytes(total)));
            assert!(last.bytes <= part_bytes(total));
        }
        parts.len() as u64
    }

    #[test]
    fn usual_files_are_cut_into_parts_of_16_mib() {
        assert_eq!(check(2 * USUAL_PART), 2);
        assert_eq!(check(2 * USUAL_PART + 1), 3);
        assert_eq!(check(512_000_000), 31);
        assert_eq!(check(MOST_PARTS * USUAL_PART), MOST_PARTS);
    }

    #[test]
    fn small_files_are_one_part_and_even_an_empty_one_has_a_part() {
        assert_eq!(check(1), 1);
        assert_eq!(plan_parts(0).collect::<Vec<_>>(), [Part { number: 1, offset: 0, bytes: 0 }]);
    }

    #[test]
    fn huge_files_get_larger_parts_instead_of_more_than_s3_allows() {
        assert!(check(MOST_PARTS * USUAL_PART + 1) <= MOST_PARTS);
        let fifty_terabytes = 50_000_000_000_000;
        assert!(check(fifty_terabytes) <= MOST_PARTS);
        assert!(part_bytes(fifty_terabytes) <= 5 * 1024 * MIB);
    }
}
