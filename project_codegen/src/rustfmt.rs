//! Rust code as rustfmt writes it.

use crate::failure::Failure;
use crate::workspace::Workspace;
use std::io::Write;
use std::process::{Command, Stdio};

const REMEDY: &str = "install it with rustup component add rustfmt";

/// The text, formatted as the workspace is; `file` names it in messages.
///
/// # Errors
/// When there is no rustfmt, or it cannot read the text.
pub(crate) fn formatted(workspace: &Workspace, file: &str, text: &str) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| Failure::configuration(format!("cannot run rustfmt: {error}; {REMEDY}"));
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--quiet", "--emit", "stdout", "--config-path"])
        .arg(workspace.path("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let stdin = child.stdin.take();
    // It reads everything before it writes anything.
    let written = stdin.map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(cannot)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        return Err(match said.contains("not installed") {
            true => Failure::configuration(format!("cannot run rustfmt: {said}; {REMEDY}")),
            false => Failure::refused(format!("rustfmt cannot read {file}: {said}")),
        });
    }
    written.map_err(cannot)?;
    String::from_utf8(output.stdout).map_err(|_| Failure::refused(format!("rustfmt made {file} no UTF-8")))
}
