//! How tables are read: in ranges of blocks, leaf by leaf, date by date.

pub(crate) mod dates;
mod estimate;
mod every_row;
mod partitioned;
pub(crate) mod parts;
mod worker_count;
