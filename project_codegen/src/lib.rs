//! From a table of the live database to the code of a task.
//!
//! [`create`] asks the catalog, writes what belongs to the generator (`project_schemas/src/generated/`), makes the
//! developer's files once, and registers the task. [`check`] says whether the generated files are still what the
//! database would give.

mod arguments;
mod check;
mod column_kind;
mod create;
mod difference;
mod failure;
mod file_changes;
mod generated_file;
mod header;
mod house_names;
mod identifiers;
mod kept_task;
mod kind;
mod lookup;
mod make_command;
mod model;
mod model_files;
mod own_files;
mod record_file;
mod registry;
mod rustfmt;
mod sorted_modules;
mod source_text;
mod task_file;
mod workspace;

pub use arguments::{Command, Request};
pub use check::check;
pub use create::{Outcome, create};
pub use failure::Failure;
pub use kind::Kind;
pub use workspace::Workspace;
