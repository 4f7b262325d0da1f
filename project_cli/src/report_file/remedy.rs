//! What an exit code means and what to do about it, beside the message that says what happened.

use crate::exit_code::ExitCode;

/// For a person who reads of a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remedy {
    /// A few words.
    pub(super) meaning: &'static str,
    /// What to do.
    pub(super) what_to_do: &'static str,
}

pub(super) fn remedy(code: ExitCode) -> Remedy {
    let (meaning, what_to_do) = match code {
        ExitCode::Ok => ("done", ""),
        ExitCode::Usage => {
            ("command line", "Correct the command line; project --help shows every flag, project list every task.")
        }
        ExitCode::Data => (
            "data or schema refused",
            "The next run would end the same way. Mend what the message names: the data, the table, or a choice for it \
             (--infinity, --nan, --numeric, --invalid-text, --arrays, --rejects, --config). project check shows what a run \
             would do, without doing it.",
        ),
        ExitCode::Unreachable => {
            ("not reachable", "Try again. If it stays, look at host name, port, network and the server itself.")
        }
        ExitCode::Internal => {
            ("internal error", "A fault of the program: please report it, with the message and the log.")
        }
        ExitCode::Disk => (
            "local disk",
            "Make room or set the rights where the message says, or name another folder with --scratch or --upload.",
        ),
        ExitCode::Temporary => ("temporary", "Try again; it is likely to pass by itself."),
        ExitCode::Denied => (
            "permission denied",
            "Give the right that the message names, to the role in Postgres or on AWS; docs/operations.md has both.",
        ),
        ExitCode::Configuration => {
            ("configuration", "Set or correct what the message names; each flag has a variable, too.")
        }
        ExitCode::Interrupted | ExitCode::Terminated => {
            ("stopped by a signal", "Run it again; there is nothing to clean up.")
        }
    };
    Remedy { meaning, what_to_do }
}
