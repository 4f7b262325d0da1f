//! What the program can do.
//!
//! [`REGISTRY`] is the list of all tasks. A task is one file below `tasks/` that implements one of the three traits:
//! [`ProjectTask`] for small tables that are joined in memory, [`ProjectStreamTask`] for big tables in one pass,
//! [`HugeStreamTask`] for huge tables cut by UTC date.

// A task's file names what it uses as everybody else does, so that it can be written and tested outside of this crate.
extern crate self as project_tasks;

mod blocking;
mod context;
mod data_error;
mod drift;
mod load;
mod memory_share;
mod partitions;
mod preflight;
mod registry;
mod reject_table;
mod row_count;
mod source_table;
mod stream;
mod task;
pub mod tasks;
mod verification;

pub use context::{TaskContext, Verified, Written};
pub use data_error::DataError;
pub use drift::{Drift, DriftKind};
pub use load::{load, load_both};
pub use memory_share::MemoryShare;
pub use preflight::{FoundTable, examine, judge, preflight};
pub use registry::REGISTRY;
pub use reject_table::{REJECTS_SUFFIX, write_rejects};
pub use source_table::{SourceColumn, SourceTable, Usage};
pub use stream::export_rows;
pub use task::{Group, HugeStreamTask, ProjectStreamTask, ProjectTask, Task};
