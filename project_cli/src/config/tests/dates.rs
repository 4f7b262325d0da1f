use super::{URI, Variables, refusal, run};

#[test]
fn dates_are_both_included_and_each_may_be_missing() {
    let window = |arguments: &[&str], variables: Variables<'_>| {
        run(&[&[URI], arguments].concat(), variables).window.map(|window| window.to_string())
    };
    assert_eq!(window(&[], &[]), None);
    let both = ["--from=2026-01-01", "--to=2026-01-31"];
    assert_eq!(window(&both, &[]).as_deref(), Some("2026-01-01 to 2026-01-31"));
    assert_eq!(window(&both[..1], &[]).as_deref(), Some("2026-01-01 and later"));
    assert_eq!(window(&both[1..], &[]).as_deref(), Some("up to 2026-01-31"));
    let mixed = window(&["--to=2026-01-31"], &[("PROJECT_FROM", "2026-01-31"), ("PROJECT_TO", "2026-12-31")]);
    assert_eq!(mixed.as_deref(), Some("2026-01-31 to 2026-01-31"));
    let nightly = window(&["--from=-3d", "--to=yesterday"], &[]);
    assert_eq!(nightly.as_deref(), Some("2026-01-29 to 2026-01-31"));
    assert_eq!(window(&[], &[("PROJECT_FROM", "today")]).as_deref(), Some("2026-02-01 and later"));
}

#[test]
fn dates_in_the_wrong_order_are_refused() {
    let message = refusal(2, &[URI, "--from=2026-02-01", "--to=2026-01-31"], &[]);
    assert!(message.contains("--from=2026-02-01 is after --to=2026-01-31"), "{message}");
    let message = refusal(78, &[URI], &[("PROJECT_FROM", "2026-02-01"), ("PROJECT_TO", "2026-01-31")]);
    assert!(message.contains("PROJECT_FROM=2026-02-01 is after the variable PROJECT_TO=2026-01-31"), "{message}");
    assert!(refusal(2, &[URI, "--from=yesterday", "--to=-2d"], &[]).contains("--from=yesterday is after --to=-2d"));
    let message = refusal(2, &[URI, "--from=2026-02-01"], &[("PROJECT_TO", "2026-01-31")]);
    assert!(message.contains("is after the variable PROJECT_TO"), "{message}");
}
