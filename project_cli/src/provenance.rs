//! Where the rows of a file come from, said in its footer.

use crate::course::moment;
use project_postgres::Snapshot;
use std::sync::Arc;

/// The keys and values of every file of a run; what the server does not tell is left out.
pub(crate) fn provenance(run_id: &str, snapshot: Option<&Snapshot>) -> Arc<[(String, String)]> {
    let known = [
        ("project.version", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("project.run_id", Some(run_id.to_owned())),
        ("project.snapshot", snapshot.map(|snapshot| snapshot.id.clone())),
        ("project.snapshot_lsn", snapshot.and_then(|snapshot| snapshot.lsn.clone())),
        ("project.snapshot_at", snapshot.map(|snapshot| moment(&snapshot.taken_at))),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
