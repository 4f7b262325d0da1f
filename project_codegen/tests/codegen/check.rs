//! What happens after the first time: nothing, until the database changes.

use crate::tables::database;
use crate::workspace_copy::{Ran, WorkspaceCopy};
use std::fs::write;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn the_second_time_changes_nothing() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let models: [&[(&str, &str)]; 4] = [
        &[("TABLE", "invoices")],
        &[("TABLE", "every_type"), ("KIND", "stream")],
        &[("TABLE", "parted"), ("KIND", "huge")],
        &[("TABLE", "it's $x `q`"), ("SCHEMA", "Sales EU"), ("KIND", "stream")],
    ];
    for model in models {
        copy.run(&database, "create-model", model).expect(0).says(&["next: make build"]);
    }
    let before = copy.texts();
    for model in models {
        copy.run(&database, "create-model", model).expect(0).says(&["nothing has changed"]);
        // What was said the first time is remembered.
        let table: Vec<_> = model.iter().filter(|(name, _)| *name != "KIND").copied().collect();
        copy.run(&database, "create-model", &table).expect(0).says(&["nothing has changed"]);
    }
    assert_eq!(copy.texts(), before);
    copy.run(&database, "codegen-check", &[]).expect(0).says(&["4 generated files"]);
}

#[test]
fn drift_is_found_and_mended_and_the_developers_files_stay() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    copy.run(&database, "create-models", &[("TABLES", "invoices \"Odd Things\"")]).expect(0);
    let record = "project_schemas/src/invoices.rs";
    let own = copy.text(record).replace("A row of", "My own row of");
    write(copy.path(record), &own).unwrap();
    database
        .execute(
            "ALTER TABLE invoices ALTER amount TYPE numeric(14,4), DROP note, ADD paid boolean NOT NULL DEFAULT false;
             DROP TABLE \"Odd Things\"",
        )
        .unwrap();
    copy.run(&database, "codegen-check", &[]).expect(65).says(&[
        "public.invoices: column \"amount\" is numeric(14,4), and was numeric(12,2); renew it with: make create-model TABLE=invoices\n",
        "column \"note\" (character varying(40)) is gone",
        "column \"paid\" (boolean) is new",
        "public.Odd Things does not exist any more, and the task odd_things reads it",
    ]);
    let line = |text: &str| 1 + own.lines().position(|line| line.contains(text)).unwrap();
    copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(0).says(&[
        "renewed   project_schemas/src/generated/invoices.rs",
        "kept      project_schemas/src/invoices.rs",
        &format!("{record}:{}: pub amount: Option<i64>,", line("pub amount")),
        &format!("{record}:{}: note: self.note,", line("note: self")),
        "add `pub paid: bool,` to the record, and `paid: self.paid,` to into_record",
    ]);
    assert_eq!(copy.text(record), own);
    let checked = copy.run(&database, "codegen-check", &[]).expect(65);
    assert!(!checked.stderr.contains("invoices"), "{}", checked.stderr);
}

/// Of a huge task only the column matters that cuts it.
#[test]
fn a_huge_task_drifts_only_with_its_dates() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let model = [("TABLE", "two_dates"), ("KIND", "huge"), ("PARTITION_BY", "at")];
    copy.run(&database, "create-model", &model).expect(0);
    database.execute("ALTER TABLE two_dates ADD more text").unwrap();
    copy.run(&database, "codegen-check", &[]).expect(0).says(&["1 generated file is what"]);
    database.execute("ALTER TABLE two_dates ALTER at TYPE timestamptz").unwrap();
    let sentence = "public.two_dates: column \"at\" is timestamp with time zone, and was timestamp without time zone";
    copy.run(&database, "codegen-check", &[]).expect(65).says(&[sentence]);
}

#[test]
fn lines_that_were_lost_are_put_back() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    let shared =
        ["project_schemas/src/lib.rs", "project_schemas/src/generated/mod.rs", "project_tasks/src/tasks/mod.rs"];
    let shared = [&shared[..], &["project_tasks/src/registry.rs"]].concat();
    let originals: Vec<String> = shared.iter().map(|file| copy.text(file)).collect();
    copy.run(&database, "create-model", &[("TABLE", "every_type")]).expect(0).says(&["becomes text with every digit"]);
    let made = copy.texts();
    for (file, original) in shared.iter().zip(originals) {
        write(copy.path(file), original).unwrap();
        let again = copy.run(&database, "create-model", &[("TABLE", "every_type")]).expect(0);
        let again = again.says(&[&format!("changed   {file}")]);
        // The record is kept, and may say something else by now.
        assert!(!again.stdout.contains("nothing has changed") && !again.stdout.contains("note:"), "{}", again.stdout);
        assert_eq!(copy.texts(), made, "{file}");
    }
}

/// Whatever order that is.
#[test]
fn modules_stand_as_rustfmt_orders_them() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    for task in ["part10", "part", "part2", "part_a"] {
        copy.run(&database, "create-model", &[("TABLE", "no_date"), ("TASK", task)]).expect(0);
    }
    for file in ["project_schemas/src/lib.rs", "project_schemas/src/generated/mod.rs", "project_tasks/src/tasks/mod.rs"]
    {
        let modules: String = copy
            .text(file)
            .lines()
            .filter(|line| line.starts_with("pub mod"))
            .fold(String::new(), |text, line| text + line + "\n");
        let mut rustfmt = Command::new("rustfmt")
            .args(["--edition", "2024"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        rustfmt.stdin.take().unwrap().write_all(modules.as_bytes()).unwrap();
        let formatted = Ran::of(rustfmt.wait_with_output().unwrap()).expect(0).stdout;
        assert_eq!(modules, formatted, "{file}");
    }
}

#[test]
fn a_table_that_cannot_be_read_hides_no_other() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    copy.run(&database, "create-models", &[("TABLES", "invoices no_date"), ("KIND", "stream")]).expect(0);
    let role = format!("clerk_{}", database.name());
    database.execute(&format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON no_date TO {role}")).unwrap();
    let uri = format!("postgres://{role}@127.0.0.1:{}/{}", database.server().port(), database.name());
    let denied = copy.run_with("codegen-check", &[("DATABASE_URL", &uri)]);
    database.execute("ALTER TABLE no_date ADD more text").unwrap();
    let both = copy.run_with("codegen-check", &[("DATABASE_URL", &uri)]);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
    let sentence = "the task invoices: permission denied for public.invoices";
    denied.expect(77).says(&[sentence]);
    both.expect(65).says(&[sentence, "public.no_date: column \"more\" (text) is new"]);
}

#[test]
fn only_lines_that_a_change_concerns_are_named() {
    let (database, copy) = (database(), WorkspaceCopy::new());
    copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(0);
    database.execute("ALTER TABLE invoices ALTER note TYPE varchar(50)").unwrap();
    let longer = copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(0);
    let longer = longer.says(&["column \"note\" is character varying(50), and was character varying(40)"]);
    assert!(!longer.stdout.contains("need a look"), "{}", longer.stdout);
    database
        .execute("ALTER TABLE invoices RENAME id TO number; ALTER TABLE invoices ALTER created_at TYPE timestamp, ALTER amount TYPE numeric(14,4)")
        .unwrap();
    let renamed = copy.run(&database, "create-model", &[("TABLE", "invoices")]).expect(0);
    let renamed = renamed.says(&["Logical::TimestampMillis { utc: true }", "invoices::table.select("]);
    let look: Vec<&str> = renamed.stdout.lines().skip_while(|line| !line.contains("need a look")).collect();
    assert!(look.iter().enumerate().all(|(at, line)| !look[..at].contains(line)), "{}", renamed.stdout);
    assert!(look.iter().any(|line| line.contains("project_tasks/src/tasks/invoices.rs:")), "{}", renamed.stdout);
}
