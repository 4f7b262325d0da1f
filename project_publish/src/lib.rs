//! How a run becomes visible, and how it goes away again.
//!
//! The protocol stands here once and knows no service: it works through [`Objects`], whose operations happen as a whole
//! or not at all, and [`Lake`], which adds the one operation that shows a table's new run to its readers. A folder
//! implements both here; S3 and Glue are led here by the program. `tests/protocol` replays every crash and every
//! interleaving of it.
//!
//! ```text
//! run=<id>/<table>/…     data, written once, never changed
//! _runs/<id>.json        the manifest, written once, after the data
//! the table's commit     a link, a Glue table, or the files of the table's own folder: after the manifest
//! _runs/claims/…         who is about to show a run or to remove one: before either, and gone after a while
//! ```
//!
//! A run that dies leaves garbage and never a change; [`collect`](gc::collect) removes it.

mod carry_over;
mod claims;
mod error;
mod folder;
mod gate;
pub mod gc;
mod in_place;
mod lake;
mod manifest;
mod publication;
mod rollback;
mod run_id;
mod runs;

pub use error::PublishError;
pub use folder::{FolderLake, carried_key};
pub use gate::Gate;
pub use in_place::{InPlaceLake, Reveal};
pub use lake::{Committed, Created, Duplicate, Facts, Lake, Live, Object, Objects, Release, Replaced};
pub use manifest::{Column, DataFile, Manifest, Mode, Run, Snapshot, TableManifest, Window};
pub use publication::{Candidate, Publication, Published};
pub use rollback::{RolledBack, roll_back};
pub use run_id::RunId;
pub use runs::{RUNS_FOLDER, Runs, check_mode};
