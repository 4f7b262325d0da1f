//! Runs the Python programs of `tests/`: the AWS stand-in and readers that share no code with ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Runs `script`, a path relative to the workspace root, and returns what it printed.
///
/// # Errors
///
/// When the test environment is missing, or the script fails: then with what it wrote to standard error.
pub fn run_python<'a>(script: &str, args: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let output = command(script)?.args(args).output().with_context(|| format!("cannot run {script}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{script} failed with {}: {complaint}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{script} did not print UTF-8"))
}

/// The interpreter of the tests.
///
/// # Errors
///
/// When the test environment is missing.
pub fn interpreter() -> Result<PathBuf> {
    let python = root().join("target/test-venv/bin/python");
    ensure!(python.exists(), "the Python of the tests is not at {}: run make test-setup", python.display());
    Ok(python)
}

/// The command that runs `script`, not yet started.
pub(crate) fn command(script: &str) -> Result<Command> {
    let mut command = Command::new(interpreter()?);
    command.arg(root().join(script));
    Ok(command)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[cfg(test)]
mod tests {
    use super::run_python;

    #[test]
    fn what_a_script_prints_comes_back_and_its_complaint_too() {
        let help = run_python("tests/read_parquet.py", ["--help"]).unwrap();
        assert!(help.contains("--engine"), "{help}");
        let missing = run_python("tests/read_parquet.py", ["--engine", "duckdb", "no/such/place"]);
        let complaint = missing.unwrap_err().to_string();
        assert!(complaint.contains("no Parquet file at no/such/place"), "{complaint}");
    }
}
