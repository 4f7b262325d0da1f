//! What can be said of all values of a table at once, so that files can be compared with the table they were read from
//! without comparing row by row: for each column the number of NULLs, least, greatest and sum, and a hash that does
//! not depend on the order of the rows.
//!
//! Files are read back by parquet-rs, which shares nothing with our encoder. The hash is the sum of
//! [`hash_text`] over the canonical texts of the values, which whoever computes the other side has
//! to make too:
//!
//! | value | canonical text |
//! |---|---|
//! | BOOLEAN | `true` or `false` |
//! | an integer | its digits |
//! | FLOAT, DOUBLE | its bits as hexadecimal digits, the highest first |
//! | DECIMAL | its digits, with as many after the point as its scale says |
//! | DATE | `2026-01-31` |
//! | TIMESTAMP | `2026-01-31 12:00:00.5`, and `+00` when it is adjusted to UTC |
//! | STRING | itself, or its bytes as hexadecimal digits: see [`TextForm`] |
//! | BYTE_ARRAY | its bytes as hexadecimal digits |
//! | LIST, group | its parts in their order: of each the bytes of its canonical text, a colon and the text, or a minus for NULL |
//! | MAP of strings | `"key"=>"value", "key"=>NULL` in its order, with a backslash before `"` and `\`; in the form of a STRING |

mod canonical_text;
mod column_tally;
mod read_back;
mod table_proof;
mod text_hash;

pub use canonical_text::TextForm;
pub use column_tally::TableTally;
pub use read_back::tally_file;
pub use table_proof::{ColumnProof, TableProof};
pub use text_hash::hash_text;
