//! How tables become visible, and what is done with the runs of a lake.

use crate::args::Verb;
use crate::config::{
    Cataloguing, ConfigError, CrawlerSettings, DEFAULT_CRAWLER_TIMEOUT, LakeAction, LakeConfig, Messages, aws,
    destination, result_format, time,
};
use crate::setting::Settings;
use project_publish::Gate;
use std::time::Duration;

/// Half of the rows gone is more often a fault than the truth.
const DEFAULT_MAX_SHRINK: u32 = 50;
const DEFAULT_KEEP_RUNS: u32 = 4;
/// Longer than any run or query, and a weekend's nobody-looked.
const DEFAULT_GRACE: Duration = Duration::from_secs(3 * 86_400);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Crawler,
    Catalog,
}

pub(super) fn cataloguing(settings: &Settings<'_>) -> Result<Cataloguing, ConfigError> {
    match mode(settings)? {
        Mode::Crawler => crawler(settings).map(Cataloguing::Crawler),
        Mode::Catalog => {
            let why = "with --publish=catalog a run writes its tables into a Glue database";
            Ok(Cataloguing::Catalog { database: settings.needed("glue-database", why)? })
        }
    }
}

fn mode(settings: &Settings<'_>) -> Result<Mode, ConfigError> {
    let modes = [("crawler", Mode::Crawler), ("catalog", Mode::Catalog)];
    Ok(settings.one_of("publish", &modes)?.unwrap_or(Mode::Crawler))
}

fn crawler(settings: &Settings<'_>) -> Result<CrawlerSettings, ConfigError> {
    let why = "a run that publishes to s3:// starts a Glue crawler (or give --publish=catalog or --no-upload)";
    let timeout = time(settings, "crawler-timeout")?.unwrap_or(DEFAULT_CRAWLER_TIMEOUT);
    Ok(CrawlerSettings {
        database: settings.needed("glue-database", why)?,
        name: settings.needed("crawler", why)?,
        role: settings.value("crawler-role")?,
        wait: (!settings.switch("no-wait-crawler")?).then_some(timeout),
    })
}

pub(super) fn gate(settings: &Settings<'_>) -> Result<Gate, ConfigError> {
    let max_shrink = settings.number("max-shrink", 0, 100)?.unwrap_or(DEFAULT_MAX_SHRINK);
    Ok(Gate { max_shrink: u8::try_from(max_shrink).unwrap_or(u8::MAX), force: settings.switch("force")? })
}

/// `runs`, `rollback` and `gc`.
pub(super) fn lake(verb: &Verb, settings: &Settings<'_>, messages: Messages) -> Result<LakeConfig, ConfigError> {
    let action = match verb {
        Verb::RollBack => LakeAction::RollBack {
            table: settings.needed("table", "a rollback is about one table of the lake")?,
            to: settings.value("to")?,
        },
        Verb::Gc => LakeAction::Gc {
            keep_runs: settings.number("keep-runs", 1, u32::MAX)?.unwrap_or(DEFAULT_KEEP_RUNS) as usize,
            grace: time(settings, "grace")?.unwrap_or(DEFAULT_GRACE),
        },
        _ => LakeAction::Runs,
    };
    Ok(LakeConfig {
        action,
        destination: destination(settings)?,
        aws: aws(settings)?,
        database: settings.value("glue-database")?,
        format: result_format(settings)?,
        messages,
    })
}
