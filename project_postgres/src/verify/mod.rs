//! What the server itself says of all values of a table: the other side of [`project_parquet::proof`].
//!
//! The canonical texts are made by the server's own functions, so that no fault of our decoder can be in both sides.
//! Only the policies are known to both.

mod canonical_sql;
mod server_proof;

pub use server_proof::ServerProver;
