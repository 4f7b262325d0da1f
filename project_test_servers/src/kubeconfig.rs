//! The file that tells a program which API server of Kubernetes it talks to, and as whom.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

/// Writes one into the folder: the server's address, its authority if it has one, a token unless it is
/// empty, and a namespace.
///
/// # Errors
/// When the file cannot be written.
pub fn write(folder: &Path, server: &str, authority: Option<&Path>, token: &str, namespace: &str) -> Result<PathBuf> {
    let file = folder.join("kubeconfig");
    // YAML is more than JSON.
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "test", "user": {"token": Some(token).filter(|token| !token.is_empty())}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
        "current-context": "test",
    });
    std::fs::write(&file, content.to_string())?;
    Ok(file)
}
