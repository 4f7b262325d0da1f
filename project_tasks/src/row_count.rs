//! The one place where the rows of a table are counted up: as many as were read must have been written or rejected, and
//! those that were written be found.

use crate::data_error::DataError;

/// Compares the rows that a task has read with those that its writers took and with those that the footers of its
/// finished files name. Each writer has compared the last two for its own file; here a file or a batch would be missed.
pub(crate) fn check_row_counts(
    task: &str,
    read: u64,
    rejected: u64,
    written: u64,
    found: u64,
) -> Result<(), DataError> {
    if read == written + rejected && written == found {
        return Ok(());
    }
    Err(DataError(format!(
        "{task}: {read} rows were read, {rejected} were rejected, {written} were written and {found} are in the finished \
         files; nothing of it is published; this is a fault of the program, please report it"
    )))
}

#[cfg(test)]
mod tests {
    use super::check_row_counts;

    #[test]
    fn all_counts_must_agree() {
        assert!(check_row_counts("t", 3, 0, 3, 3).is_ok());
        assert!(check_row_counts("t", 3, 1, 2, 2).is_ok());
        for (read, rejected, written, found) in [(4, 0, 3, 3), (3, 0, 4, 3), (3, 0, 3, 4), (3, 1, 3, 3)] {
            let message = check_row_counts("t", read, rejected, written, found).unwrap_err().to_string();
            let counts = format!(
                "t: {read} rows were read, {rejected} were rejected, {written} were written and {found} are in"
            );
            assert!(message.starts_with(&counts), "{message}");
        }
    }
}
