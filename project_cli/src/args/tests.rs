#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::{Args, CommandLine, USAGE, Verb, known_options, parse};
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

const URI: &str = "postgres://ann:s3cret@localhost/shop";

fn line(arguments: &[&str]) -> Result<CommandLine, String> {
    parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
}

fn args(arguments: &[&str]) -> Args {
    match line(arguments) {
        Ok(CommandLine::Args(args)) => *args,
        other => unreachable!("{arguments:?}: {other:?}"),
    }
}

fn refusal(arguments: &[&str]) -> String {
    let message = line(arguments).unwrap_err();
    assert!(message.ends_with("; see project --help"), "{message}");
    assert!(!message.contains("s3cret") && !message.contains('\n'), "{message}");
    message
}

fn value<'a>(args: &'a Args, name: &str) -> Option<&'a str> {
    args.values.get(name).map(String::as_str)
}

#[test]
fn the_help_holds_the_form_that_was_asked_for() {
    for text in [
        "project <POSTGRES-URI> [--table=<table>] [--upload=<S3_URL>] [--file=<file>] [--extra=<file>] [--limit=<LIMIT>] [--no-upload]",
        "-l --limit=<LIMIT>           rows per request to the database [default: 1000]",
        "-t --table=<TABLE>",
        "-u --upload=<S3_URL>",
        "-n --no-upload               skip uploading",
        "-b --file=<file>",
        "-k --extra=<file>",
        "-h --help",
        "--version",
        "Exit codes: 0 done; 2 usage; 65",
    ] {
        assert!(USAGE.contains(text), "{text}");
    }
    for text in [
        "Values that have no exact place:",
        "date, included: 2026-01-01",
        "folder for unfinished files; finished ones are uploaded while",
    ] {
        assert!(USAGE.contains(text), "{text}");
    }
    assert!(USAGE.lines().count() < 130);
    let form = |line: &str| line.trim_start().starts_with("project <");
    assert!(USAGE.lines().all(|line| form(line) || line.chars().count() <= 118), "a line is too wide");
    assert!(USAGE.find("project query").unwrap() < USAGE.find("project <POSTGRES-URI>").unwrap());
}

#[test]
fn the_help_describes_every_option_of_this_version() {
    let expected = [
        "table",
        "from",
        "to",
        "limit",
        "workers",
        "max-snapshot-age",
        "no-snapshot",
        "memory",
        "attempts",
        "retry-delay",
        "read-timeout",
        "extra",
        "as",
        "extra-schema",
        "file",
        "into",
        "key",
        "mode",
        "then",
        "then-timeout",
        "infinity",
        "nan",
        "numeric",
        "invalid-text",
        "timestamp-unit",
        "arrays",
        "rejects",
        "config",
        "upload",
        "no-upload",
        "publish",
        "max-shrink",
        "force",
        "keep-runs",
        "grace",
        "verify",
        "scratch",
        "gzip-level",
        "region",
        "s3-path-style",
        "glue-database",
        "crawler",
        "crawler-role",
        "crawler-timeout",
        "no-wait-crawler",
        "athena-workgroup",
        "athena-output",
        "format",
        "report",
        "metrics-file",
        "pushgateway",
        "quiet",
        "log-format",
        "help",
        "version",
    ];
    let expected: Vec<String> = expected.iter().map(|name| format!("--{name}")).collect();
    assert_eq!(known_options(), expected);
}

#[test]
fn help_and_version_win_wherever_they_stand() {
    for arguments in [&["--help"][..], &["-h"], &["query", "--help"], &["list", "-h"], &[URI, "--bogus", "--help"]] {
        assert_eq!(line(arguments), Ok(CommandLine::Help), "{arguments:?}");
    }
    assert_eq!(line(&["--version"]), Ok(CommandLine::Version));
    assert_eq!(line(&[URI, "--version"]), Ok(CommandLine::Version));
    assert!(matches!(line(&["query", "--", "--help"]), Ok(CommandLine::Args(_))));
}

#[test]
fn options_stand_before_between_and_after() {
    let expected = args(&[URI, "--table=users", "--limit=5", "--no-upload", "--region=eu-west-1", "-v"]);
    assert_eq!(expected.uri.as_deref(), Some(URI));
    assert_eq!(value(&expected, "table"), Some("users"));
    assert_eq!(value(&expected, "limit"), Some("5"));
    assert!(expected.switches.contains("no-upload"));
    assert_eq!(expected.verbosity, 1);
    for arguments in [
        &["-v", "--region", "eu-west-1", "--no-upload", "--limit", "5", "--table", "users", URI][..],
        &["-n", "-t", "users", URI, "-l", "5", "-v", "--region=eu-west-1"],
        &["-vn", "-tusers", "-l5", "--region=eu-west-1", URI],
        &["--region=eu-west-1", "-l", "5", "-t", "users", "-n", "-v", "--", URI],
    ] {
        assert_eq!(args(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn the_card_form_in_full() {
    let args =
        args(&[URI, "--table=all", "--upload=s3://b/p", "--file=f.sql", "--extra=e.csv", "--limit=10", "--no-upload"]);
    for (name, expected) in [("table", "all"), ("upload", "s3://b/p"), ("file", "f.sql"), ("extra", "e.csv")] {
        assert_eq!(value(&args, name), Some(expected));
    }
    assert_eq!(args.verb, None);
}

#[test]
fn dates_and_memory_stand_where_other_options_do() {
    let expected = args(&[URI, "--from=2026-01-01", "--to=2026-01-31", "--memory=1G", "-thuge_tasks"]);
    for (name, text) in [("from", "2026-01-01"), ("to", "2026-01-31"), ("memory", "1G"), ("table", "huge_tasks")] {
        assert_eq!(value(&expected, name), Some(text));
    }
    let apart = ["--memory", "1G", "--to", "2026-01-31", URI, "--from", "2026-01-01", "--table=huge_tasks"];
    assert_eq!(args(&apart), expected);
    for flag in ["--from", "--to", "--memory"] {
        assert!(refusal(&[URI, flag]).contains(&format!("{flag} needs a value")));
        let twice = refusal(&[URI, &format!("{flag}=1"), &format!("{flag}=2")]);
        assert!(twice.contains(&format!("{flag} is given twice")), "{twice}");
    }
}

#[test]
fn a_flag_that_is_not_given_is_absent_even_when_it_has_a_default() {
    let args = args(&[URI]);
    assert!(args.values.is_empty() && args.switches.is_empty());
    assert_eq!(args.verbosity, 0);
}

#[test]
fn verbs_stand_anywhere_between_options() {
    assert_eq!(args(&["list"]).verb, Some(Verb::List));
    assert_eq!(args(&["--format=json", "list"]).verb, Some(Verb::List));
    let query = args(&["-u", "lake", "query", "select 1 -- one\n", "--format=csv"]);
    assert_eq!(query.verb, Some(Verb::Query("select 1 -- one\n".into())));
    assert_eq!(value(&query, "upload"), Some("lake"));
    let query = args(&["query", "--", "-- comment first\nselect 1"]);
    assert_eq!(query.verb, Some(Verb::Query("-- comment first\nselect 1".into())));
    assert_eq!(args(&[]), Args::default());
    assert_eq!(args(&["-vv", "list"]).verbosity, 2);
    assert_eq!(args(&["-v", "list", "-v"]).verbosity, 2);
}

#[test]
fn values_may_hold_anything() {
    for table in ["public.Order Details", "a=b", "\"x,y\".z", "-", "täble", ""] {
        assert_eq!(value(&args(&[URI, &format!("--table={table}")]), "table"), Some(table));
        assert_eq!(value(&args(&[URI, "--table", table]), "table"), Some(table));
    }
}

#[test]
fn mistakes_are_named() {
    for (arguments, words) in [
        (&[URI, "--tabel=users"][..], &["no option --tabel", "did you mean --table?"][..]),
        (&[URI, "--no-uplaod"], &["--no-uplaod", "--no-upload?"]),
        (&[URI, "--form=2026-01-01"], &["no option --form", "did you mean --from?"]),
        (&[URI, "--infinty=null"], &["no option --infinty", "did you mean --infinity?"]),
        (&[URI, "--nan"], &["--nan needs a value"]),
        (&[URI, "--config=a.toml", "--config", "b.toml"], &["--config is given twice"]),
        (&[URI, "--zzz"], &["no option --zzz"]),
        (&[URI, "-z"], &["no option -z"]),
        (&[URI, "--table"], &["--table needs a value"]),
        (&[URI, "-t"], &["--table needs a value"]),
        (&[URI, "--quiet=s3cret"], &["--quiet takes no value"]),
        (&[URI, "-t", "a", "--table=b"], &["--table is given twice"]),
        (&["query"], &["query takes one argument"]),
        (&["query", "select", "1"], &["query takes one argument"]),
        (&["list", "users"], &["list takes no argument"]),
        (&[URI, URI], &["too many arguments"]),
    ] {
        let message = refusal(arguments);
        for word in words {
            assert!(message.contains(word), "{arguments:?}: {message}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_a_usage_error() {
    let bytes = OsString::from_vec(vec![b'-', b'-', 0xff]);
    let message = parse([OsString::from(URI), bytes]).unwrap_err().to_string();
    assert!(message.contains("argument 2 is not valid UTF-8"), "{message}");
}

#[test]
fn many_arguments_take_no_time() {
    let mut many = vec![URI.to_owned()];
    for option in known_options() {
        let has_value = USAGE.contains(&format!("{option}=<"));
        match option.as_str() {
            "--help" | "--version" => {}
            option if has_value => many.extend([option.to_owned(), "x".to_owned()]),
            option => many.push(option.to_owned()),
        }
    }
    let started = Instant::now();
    assert!(many.len() > 35, "{}", many.len());
    assert!(matches!(parse(many.iter().map(OsString::from)), Ok(CommandLine::Args(_))));
    for filler in ["x", "-v", "--table=x", "list", "--", "-", "-tttt"] {
        let arguments = vec![OsString::from(filler); 256];
        let _ = parse(arguments);
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let message = parse(vec![OsString::from("-v"); 257]).unwrap_err().to_string();
    assert!(message.contains("more than 256"), "{message}");
}

fn any_argument() -> impl Strategy<Value = String> {
    let options = known_options();
    prop_oneof![
        (0..options.len()).prop_map(move |at| options[at].clone()),
        "-{0,3}[a-z=<> \\n\"']{0,6}",
        "list|query|--|-|-v|-t|-n|-l5|--limit=1",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_command_line_makes_it_panic_or_hang(arguments in proptest::collection::vec(any_argument(), 0..40)) {
        let started = Instant::now();
        let _ = parse(arguments.iter().map(OsString::from));
        assert!(started.elapsed() < Duration::from_secs(1), "{arguments:?}");
    }
}
