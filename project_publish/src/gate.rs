//! The gate before publishing: a table that lost most of its rows is more often a fault than the truth.

use crate::error::PublishError;
use crate::manifest::{TableManifest, Window};

/// How much a table may shrink from one published run to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The largest fall that is allowed, in per cent. A fall to nothing never is.
    pub max_shrink: u8,
    /// Publishes whatever it is, and over what somebody else has made.
    pub force: bool,
}

impl Gate {
    /// Compares with what readers see; within a window only what lies in it.
    pub(crate) fn check(
        &self,
        new: &TableManifest,
        previous_run: &str,
        previous: &TableManifest,
    ) -> Result<(), PublishError> {
        let window = new.window.as_ref();
        let (rows, previous_rows) = (rows_in(new, window), rows_in(previous, window));
        if self.force || self.allows(previous_rows, rows) {
            return Ok(());
        }
        Err(PublishError::Shrunk {
            table: new.table.clone(),
            rows,
            previous_rows,
            previous_run: previous_run.to_owned(),
            within: window.map(|window| format!(" in the dates {window}")).unwrap_or_default(),
        })
    }

    fn allows(&self, previous: u64, rows: u64) -> bool {
        let least = u128::from(previous) * u128::from(100 - self.max_shrink.min(100));
        previous == 0 || rows > 0 && u128::from(rows) * 100 >= least
    }
}

fn rows_in(table: &TableManifest, window: Option<&Window>) -> u64 {
    let Some(window) = window else { return table.rows };
    let in_window = |value: &Option<String>| value.as_ref().is_some_and(|value| window.contains(value));
    table.files.iter().filter(|file| in_window(&file.partition)).map(|file| file.rows).sum()
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_table_may_lose_as_much_as_was_said_and_never_all() {
        for (max_shrink, previous, rows, allowed) in [
            (50, 0, 0, true),
            (50, 10, 5, true),
            (50, 10, 4, false),
            (50, 1, 0, false),
            (50, u64::MAX, u64::MAX / 2 + 1, true),
            (50, 10, 1_000, true),
            (0, 10, 9, false),
            (0, 10, 10, true),
            (100, 10, 1, true),
            (100, 10, 0, false),
        ] {
            let gate = Gate { max_shrink, force: false };
            assert_eq!(gate.allows(previous, rows), allowed, "{max_shrink} % of {previous} to {rows}");
        }
    }
}
