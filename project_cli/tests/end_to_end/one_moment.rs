//! One moment for the whole run, on a primary and on a hot standby, and a guest that the server hardly notices.

use anyhow::{Result, anyhow};
use project_test_servers::hot_standby::HotStandby;
use std::sync::OnceLock;

mod place_in_log;

/// A primary with its standby, for all tests here. What they read is cancelled by nobody: feedback is on.
fn servers() -> Result<&'static HotStandby> {
    static SERVERS: OnceLock<Result<HotStandby, String>> = OnceLock::new();
    let start = || HotStandby::start(&[("hot_standby_feedback", "on")]).map_err(|error| format!("{error:#}"));
    SERVERS.get_or_init(start).as_ref().map_err(|message| anyhow!("{message}"))
}
