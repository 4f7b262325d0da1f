//! What cannot be made is refused with its exit code, and nothing is written then.

use crate::tables::database;
use crate::workspace_copy::WorkspaceCopy;
use std::fs::{remove_file, write};

type Variables = &'static [(&'static str, &'static str)];

#[test]
fn each_refusal_says_what_to_do_and_writes_nothing() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let before = copy.texts();
    let refusals: [(Variables, i32, &str); 15] = [
        (
            &[("TABLE", "invoice")],
            65,
            "public.invoice does not exist (names are taken exactly, without folding to lower case); did you mean TABLE=invoices?",
        ),
        (&[("TABLE", "Sales EU.it's $x `q`")], 65, "write TABLE='it'\\''s $x `q`' SCHEMA='Sales EU'"),
        (&[("TABLE", "x"), ("SCHEMA", "nope")], 65, "there is no schema \"nope\""),
        (
            &[("TABLE", "users")],
            65,
            "the name users is taken by project_schemas/src/users.rs; give the new task another one (TASK=...)",
        ),
        (&[("TABLE", "no_date"), ("TASK", "combined_orders")], 65, "the name combined_orders is taken by"),
        (&[("TABLE", "no_date"), ("TASK", "No Date")], 2, "TASK=No Date cannot be the name of a task"),
        (&[("TABLE", "no_date"), ("TASK", "lib")], 2, "TASK=lib cannot be the name of a task"),
        (&[("TABLE", "wide")], 65, "public.wide has 40 columns, and Diesel is built for 32; take KIND=stream"),
        (&[("TABLE", "empty_table"), ("KIND", "stream")], 65, "public.empty_table has no columns"),
        (
            &[("TABLE", "it's $x `q`"), ("SCHEMA", "Sales EU")],
            65,
            "Diesel cannot name the schema \"Sales EU\"; take KIND=stream",
        ),
        (
            &[("TABLE", "two_dates"), ("KIND", "huge")],
            2,
            "public.two_dates can be cut by \"at\", \"at2\"; say which by PARTITION_BY=",
        ),
        (&[("TABLE", "two_dates"), ("KIND", "huge"), ("PARTITION_BY", "at3")], 65, "did you mean PARTITION_BY=at"),
        (
            &[("TABLE", "no_date"), ("KIND", "huge")],
            65,
            "public.no_date has no column of type date, timestamp or timestamptz",
        ),
        (&[("TABLE", "two_dates"), ("PARTITION_BY", "at")], 2, "PARTITION_BY needs KIND=huge"),
        (&[("TABLE", "invoices"), ("KIND", "big")], 2, "KIND=big must be batch, stream or huge"),
    ];
    for (variables, code, sentence) in refusals {
        copy.run(&database, "create-model", variables).expect(code).says(&[sentence]);
    }
    // One that could be made beside one that cannot.
    copy.run(&database, "create-models", &[("TABLES", "invoices nothing")]).expect(65).says(&["public.nothing"]);
    assert_eq!(copy.texts(), before);
}

#[test]
fn a_role_without_rights_and_a_server_that_is_not_there() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let role = format!("nobody_{}", database.name());
    database.execute(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    let uri = format!("postgres://{role}@127.0.0.1:{}/{}", database.server().port(), database.name());
    let denied = copy.run_with("create-model", &[("DATABASE_URL", &uri), ("TABLE", "invoices")]);
    database.execute(&format!("GRANT SELECT (id) ON invoices TO {role}")).unwrap();
    let denied_column = copy.run_with("create-model", &[("DATABASE_URL", &uri), ("TABLE", "invoices")]);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
    denied.expect(77).says(&["permission denied for public.invoices; GRANT SELECT"]);
    denied_column.expect(77).says(&["permission denied for column \"customer\" of public.invoices"]);
    let nobody = [("DATABASE_URL", "postgres://ann:s3cret@127.0.0.1:1/shop"), ("TABLE", "invoices")];
    let gone = copy.run_with("create-model", &nobody).expect(69);
    assert!(!gone.stderr.contains("s3cret"), "{}", gone.stderr);
    copy.run_with("codegen-check", &[]).expect(78).says(&["DATABASE_URL is missing"]);
}

#[test]
fn a_generated_file_that_was_edited_is_not_overwritten() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(0);
    let file = "project_schemas/src/generated/invoices.rs";
    let edited = copy.text(file).replace("pub note: Option<String>", "pub note: Option<CastText>");
    assert_ne!(edited, copy.text(file));
    write(copy.path(file), &edited).unwrap();
    let sentence = format!("{file} was changed by hand");
    copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(65).says(&[&sentence, "delete"]);
    copy.run(&database, "codegen-check", &[]).expect(65).says(&[&sentence]);
    assert_eq!(copy.text(file), edited);
}

/// Also when the generated file, which remembers it, is gone.
#[test]
fn a_task_keeps_its_kind_and_its_column() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let run = |variables: &[(&str, &str)]| copy.run(&database, "create-model", variables);
    let stream = [("TABLE", "no_date"), ("KIND", "stream")];
    let huge = [("TABLE", "two_dates"), ("KIND", "huge"), ("PARTITION_BY", "at")];
    run(&stream).expect(0);
    run(&huge).expect(0);
    let (made, generated) = (copy.texts(), |task: &str| format!("project_schemas/src/generated/{task}.rs"));
    run(&[("TABLE", "NO_DATE")]).expect(65).says(&["public.NO_DATE does not exist", "did you mean TABLE=no_date?"]);
    let file = generated("no_date");
    write(copy.path(&file), format!("{}// mine\n", copy.text(&file))).unwrap();
    run(&stream).expect(65).says(&["run make create-model TABLE=no_date KIND=stream\n"]);
    remove_file(copy.path(&file)).unwrap();
    remove_file(copy.path(&generated("two_dates"))).unwrap();
    let before = copy.texts();
    run(&[("TABLE", "no_date")]).expect(65).says(&[
        "project_tasks/src/tasks/no_date.rs is a task of KIND=stream",
        "run make create-model TABLE=no_date KIND=stream,",
    ]);
    run(&[("TABLE", "two_dates"), ("KIND", "huge"), ("PARTITION_BY", "at2")]).expect(65).says(&[
        "project_tasks/src/tasks/two_dates.rs cuts public.two_dates by \"at\"",
        "run make create-model TABLE=two_dates KIND=huge PARTITION_BY=at\n",
    ]);
    assert_eq!(copy.texts(), before);
    run(&stream).expect(0);
    run(&huge).expect(0);
    assert_eq!(copy.texts(), made);
}

#[test]
fn a_lost_anchor_of_the_registry_is_named() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let file = "project_tasks/src/registry.rs";
    write(copy.path(file), copy.text(file).replace("pub static REGISTRY", "pub static EVERY_TASK")).unwrap();
    let before = copy.texts();
    copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(65).says(&[file, "REGISTRY"]);
    assert_eq!(copy.texts(), before);
}
