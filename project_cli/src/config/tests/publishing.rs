use super::{URI, invoke, refusal, run};
use crate::config::{Cataloguing, CrawlerSettings, Invocation, LakeAction, LakeConfig, RunConfig};
use project_publish::Gate;
use std::time::Duration;

fn crawler(run: RunConfig) -> CrawlerSettings {
    match run.cataloguing {
        Some(Cataloguing::Crawler(crawler)) => crawler,
        other => unreachable!("{other:?}"),
    }
}

fn lake(arguments: &[&str]) -> LakeConfig {
    match invoke(arguments, &[]) {
        Ok(Invocation::Lake(lake)) => *lake,
        other => unreachable!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn publishing_to_s3_needs_a_crawler_and_a_database() {
    let message = refusal(78, &[URI, "-u", "s3://b"], &[]);
    assert!(message.contains("--glue-database") && message.contains("PROJECT_GLUE_DATABASE"), "{message}");
    let message = refusal(78, &[URI, "-u", "s3://b", "--glue-database=d"], &[]);
    assert!(message.contains("--crawler ") && message.contains("PROJECT_CRAWLER"), "{message}");
    let complete = [URI, "-u", "s3://b", "--glue-database=d", "--crawler=c"];
    let settings = crawler(run(&complete, &[]));
    assert_eq!((settings.database.as_str(), settings.name.as_str(), settings.role), ("d", "c", None));
    assert_eq!(settings.wait, Some(Duration::from_secs(1800)));
    assert!(run(&[URI, "-u", "s3://b", "--no-upload"], &[]).cataloguing.is_none());
    for (text, seconds) in [("600", 600), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)] {
        let settings = crawler(run(&[&complete[..], &["--crawler-timeout", text]].concat(), &[]));
        assert_eq!(settings.wait, Some(Duration::from_secs(seconds)));
    }
    for wrong in ["0", "m", "-5", "1.5h", "10 m", "99999999999", "é"] {
        let message = refusal(2, &[&complete[..], &[&format!("--crawler-timeout={wrong}")]].concat(), &[]);
        assert!(message.contains("--crawler-timeout"), "{message}");
    }
    let only_started = crawler(run(&[&complete[..], &["--no-wait-crawler"]].concat(), &[]));
    assert_eq!(only_started.wait, None);
}

#[test]
fn the_catalog_needs_a_database_and_no_crawler() {
    let catalog = [URI, "-u", "s3://b", "--publish=catalog"];
    assert!(refusal(78, &catalog, &[]).contains("--glue-database"));
    let run = run(&[&catalog[..], &["--glue-database=d"]].concat(), &[]);
    assert_eq!(run.cataloguing, Some(Cataloguing::Catalog { database: "d".into() }));
    assert!(refusal(2, &[URI, "-u", "s3://b", "--publish=hive"], &[]).contains("must be crawler or catalog"));
}

#[test]
fn half_of_the_rows_may_go_unless_somebody_says_otherwise() {
    assert_eq!(run(&[URI], &[]).gate, Gate { max_shrink: 50, force: false });
    assert_eq!(run(&[URI, "--max-shrink=0", "--force"], &[]).gate, Gate { max_shrink: 0, force: true });
    assert!(refusal(2, &[URI, "--max-shrink=101"], &[]).contains("--max-shrink=101"));
}

#[test]
fn the_verbs_of_a_lake() {
    assert_eq!(lake(&["runs"]).action, LakeAction::Runs);
    let grace = Duration::from_secs(3 * 86_400);
    assert_eq!(lake(&["gc"]).action, LakeAction::Gc { keep_runs: 4, grace });
    let gc = lake(&["gc", "--keep-runs=9", "--grace=36h"]).action;
    assert_eq!(gc, LakeAction::Gc { keep_runs: 9, grace: Duration::from_secs(36 * 3600) });
    assert!(refusal(2, &["gc", "--keep-runs=0"], &[]).contains("--keep-runs=0"));
    let back = lake(&["rollback", "--table=users", "--to=20260131T235959999Z-1a2b"]).action;
    let to = Some("20260131T235959999Z-1a2b".to_owned());
    assert_eq!(back, LakeAction::RollBack { table: "users".into(), to });
    assert!(refusal(78, &["rollback"], &[]).contains("--table"));
}
