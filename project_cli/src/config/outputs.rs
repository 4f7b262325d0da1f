//! Who is told what came of a run, besides the terminal.

use crate::config::invocation::SecretText;
use crate::config::{ConfigError, Extra, Insertion};
use crate::setting::{Setting, Settings};
use percent_encoding::percent_decode_str;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use url::Url;

/// Where metrics, the report and failures go; nowhere unless somebody asks for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// `--table` as it was given, or the file that was given alone, which tells the runs of one job from those of another.
    pub(crate) selection: String,
    /// A file for a collector that reads text files.
    pub(crate) metrics_file: Option<PathBuf>,
    /// A server that keeps metrics for Prometheus.
    pub(crate) pushgateway: Option<Pushgateway>,
    /// What came of the run, to keep and to show around.
    pub(crate) report: Option<ReportFile>,
    /// Where failures are reported.
    pub(crate) sentry: Option<Sentry>,
    /// The authorities that may vouch for these servers; the public ones when there is none.
    pub(crate) root_certificates: Option<PathBuf>,
}

/// An account at Sentry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sentry {
    /// Its address, with a key.
    pub(crate) dsn: SecretText,
    /// What it calls this installation.
    pub(crate) environment: String,
}

/// A report's file; its name says its form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReportFile {
    /// One page.
    Html(PathBuf),
    /// For programs.
    Json(PathBuf),
}

impl ReportFile {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Html(path) | Self::Json(path) => path,
        }
    }
}

/// The address of a Pushgateway. Its credentials do not show themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pushgateway {
    /// Without credentials and without a slash at its end.
    pub(crate) url: String,
    /// `user:password`
    pub(crate) credentials: Option<SecretText>,
}

pub(super) fn outputs(
    settings: &Settings<'_>,
    extra: Option<&Extra>,
    insertion: Option<&Insertion>,
) -> Result<Outputs, ConfigError> {
    let selection = match (settings.value("table")?, extra, insertion) {
        (Some(tables), _, _) => tables,
        (None, Some(extra), _) => format!("--extra={}", extra.table),
        (None, None, Some(insertion)) => format!("--file={}", insertion.into),
        (None, None, None) => "all".to_owned(),
    };
    Ok(Outputs {
        selection,
        metrics_file: settings.value("metrics-file")?.map(PathBuf::from),
        pushgateway: settings.get("pushgateway")?.map(|setting| pushgateway(&setting)).transpose()?,
        report: settings.get("report")?.map(|setting| report(&setting)).transpose()?,
        sentry: sentry(settings)?,
        // The name by which other programs, the AWS SDK among them, know it.
        root_certificates: settings.variable("SSL_CERT_FILE")?.map(PathBuf::from),
    })
}

fn sentry(settings: &Settings<'_>) -> Result<Option<Sentry>, ConfigError> {
    let Some(dsn) = settings.variable("SENTRY_DSN")? else { return Ok(None) };
    let environment = settings.variable("SENTRY_ENVIRONMENT")?.unwrap_or_else(|| "production".to_owned());
    Ok(Some(Sentry { dsn: SecretText::new(dsn), environment }))
}

fn report(setting: &Setting) -> Result<ReportFile, ConfigError> {
    let path = PathBuf::from(&setting.value);
    match path.extension().and_then(OsStr::to_str) {
        Some("html") => Ok(ReportFile::Html(path)),
        Some("json") => Ok(ReportFile::Json(path)),
        _ => Err(setting.wrong("must end in .html, for a page, or in .json")),
    }
}

fn pushgateway(setting: &Setting) -> Result<Pushgateway, ConfigError> {
    parse(&setting.value)
        .ok_or_else(|| setting.wrong_secret("must be an address like http://pushgateway.monitoring:9091"))
}

fn parse(text: &str) -> Option<Pushgateway> {
    let mut url = Url::parse(text).ok()?;
    let is_address = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !is_address || url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(String::from).ok();
    let (user, password) = (decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
    let credentials = (!user.is_empty() || !password.is_empty()).then(|| SecretText::new(format!("{user}:{password}")));
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(Pushgateway { url: url.as_str().trim_end_matches('/').to_owned(), credentials })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_address_is_kept_without_its_credentials() {
        let plain = parse("http://pushgateway.monitoring:9091/").unwrap();
        assert_eq!((plain.url.as_str(), plain.credentials), ("http://pushgateway.monitoring:9091", None));
        let below = parse("https://ann:s3%3Acret%2F@push.example/gateway/").unwrap();
        assert_eq!(below.url, "https://push.example/gateway");
        assert_eq!(below.credentials.as_ref().unwrap().expose(), "ann:s3:cret/");
        assert!(!format!("{below:?}").contains("cret"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["x", "host:9091", "ftp://host", "http://", "http://host?a=b", "http://host/#x", "/metrics"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
