//! What happens after the first time: nothing, until the database changes.

use crate::tables::database;
use crate::workspace_copy::WorkspaceCopy;
use std::fs::write;

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
    copy.run(&database, "codegen-check", &[]).expect(0);
    database.execute("ALTER TABLE two_dates ALTER at TYPE timestamptz").unwrap();
    let sentence = "public.two_dates: column \"at\" is timestamp with time zone, and was timestamp without time zone";
    copy.run(&database, "codegen-check", &[]).expect(65).says(&[sentence]);
}
