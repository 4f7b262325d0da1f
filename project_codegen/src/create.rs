//! From requests to files: everything is looked up and thought out before anything is written.

use crate::arguments::Request;
use crate::difference::{Difference, differences};
use crate::failure::Failure;
use crate::file_changes::FileChanges;
use crate::header::Header;
use crate::house_names::KEYWORDS;
use crate::identifiers::{is_task_name, task_name, unraw};
use crate::kept_task::KeptTask;
use crate::kind::Kind;
use crate::lookup::{Found, find, nearest};
use crate::model::Model;
use crate::model_files::{Deed, existing_header, note_files, refuse_strangers};
use crate::own_files::OwnFiles;
use crate::task_file::{OTHER_KEY, needs_other_key};
use crate::workspace::{Workspace, generated_file, record_file, task_file};
use project_postgres::catalog::Relation;
use project_postgres::table_facts::EstimatedRows;
use project_postgres::{ConnectionSettings, Policies, Source, TableName, TableOptions, TablePlan, close};
use sqlx::PgConnection;
use std::fmt;
use tokio::signal::unix::{SignalKind, signal};

/// What came of one request.
#[derive(Debug)]
pub struct Outcome {
    table: TableName,
    task: String,
    kind: Kind,
    deeds: Vec<Deed>,
    notes: Vec<String>,
    /// What has changed in the database since the last time.
    differences: Vec<Difference>,
    /// Lines of the developer's files.
    to_look_at: Vec<String>,
}

/// Columns of a table that Diesel is built for.
const MOST_DIESEL_COLUMNS: usize = 32;
/// Rows above which a batch task is the wrong choice.
const MANY_ROWS: u64 = 1_000_000;

/// Makes or renews the code for every request, or for none.
///
/// # Errors
/// The first that came up; then nothing was written.
pub async fn create(
    workspace: &Workspace,
    database: ConnectionSettings,
    requests: &[Request],
) -> Result<Vec<Outcome>, Failure> {
    let mut connection = Source::new(database, "codegen").connect_plain().await?;
    let mut changes = FileChanges::default();
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        outcomes.push(plan(workspace, &mut connection, &mut changes, request).await?);
    }
    close(connection).await;
    // Ctrl-C between two files would leave half of them; from here on it is only noted, for some milliseconds.
    let _noted = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    changes.write(workspace)?;
    Ok(outcomes)
}

async fn plan(
    workspace: &Workspace,
    connection: &mut PgConnection,
    changes: &mut FileChanges,
    request: &Request,
) -> Result<Outcome, Failure> {
    let task = chosen_name(request)?;
    // A table that does not exist clashes with nothing.
    let found = find(connection, &request.table).await?;
    let before = existing_header(workspace, changes, &task)?;
    let kind = chosen_kind(request, &task, before.as_ref())?;
    refuse_strangers(workspace, changes, &task)?;
    let kept = KeptTask::find(workspace, changes, &task)?;
    if let Some(kept) = &kept {
        kept.allow_kind(&task, &request.table, kind)?;
    }
    let (partition_by, mut notes) = match kind {
        Kind::Huge => partition_column(request, &found.relation, before.as_ref())?,
        Kind::Batch | Kind::Stream => (None, Vec::new()),
    };
    if let Some(kept) = &kept {
        kept.allow_partition_by(&task, &request.table, partition_by.as_deref())?;
    }
    check_kind(kind, &found)?;
    let model = Model::of(task.clone(), &found.relation, &found.primary_key, kind, partition_by);
    let deeds = note_files(workspace, changes, &model, kept.as_ref())?;
    notes.extend(notes_of_table(&model, &found));
    // A file that is the developer's may say something else by now.
    let made = |file: &str| deeds.contains(&("made", file.to_owned()));
    if made(&task_file(&task)) {
        notes.extend(notes_of_task(&model));
    }
    if made(&record_file(&task)) {
        notes.extend(notes_of_record(&model));
    }
    let differences = before.as_ref().map(|before| differences(before, &model.header())).unwrap_or_default();
    let own = OwnFiles::read(workspace, changes, &model)?;
    let look = before.map(|before| own.lines_to_look_at(&differences, &before, &model)).unwrap_or_default();
    Ok(Outcome { table: request.table.clone(), task, kind, deeds, notes, differences, to_look_at: look })
}

fn chosen_name(request: &Request) -> Result<String, Failure> {
    match &request.task {
        None => Ok(task_name(&request.table)),
        Some(name) if is_task_name(name) => Ok(name.clone()),
        Some(name) => Err(Failure::usage(format!(
            "TASK={name} cannot be the name of a task: it must be snake case (a-z, 0-9, _), begin with a letter, and be no \
             keyword of Rust and no module or group of the workspace"
        ))),
    }
}

/// A task keeps its table and its kind.
fn chosen_kind(request: &Request, task: &str, before: Option<&Header>) -> Result<Kind, Failure> {
    let kind = match before {
        None => request.kind.unwrap_or(Kind::Batch),
        Some(before) if before.table != request.table => {
            return Err(Failure::refused(format!(
                "{} would be the task {task}, which is made of {} already; give it another name by TASK=",
                request.table, before.table
            )));
        }
        Some(before) => {
            if let Some(kind) = request.kind.filter(|kind| *kind != before.kind) {
                return Err(Failure::refused(format!(
                    "{task} is a task of KIND={}; for KIND={kind} remove it first ({}, {}, {}, and its lines in mod.rs, lib.rs and registry.rs), or make a second one by TASK=",
                    before.kind,
                    generated_file(task),
                    record_file(task),
                    task_file(task)
                )));
            }
            before.kind
        }
    };
    match &request.partition_by {
        Some(_) if kind != Kind::Huge => Err(Failure::usage("PARTITION_BY needs KIND=huge")),
        _ => Ok(kind),
    }
}

/// date, timestamp, timestamptz
const DATES: [u32; 3] = [1082, 1114, 1184];

/// The column that cuts a huge table, and what is to be said about the choice.
fn partition_column(
    request: &Request,
    relation: &Relation,
    before: Option<&Header>,
) -> Result<(Option<String>, Vec<String>), Failure> {
    let table = &request.table;
    let dates: Vec<&str> = (relation.columns.iter())
        .filter(|column| DATES.contains(&column.data_type.oid()))
        .map(|column| column.name.as_str())
        .collect();
    let kept = before.and_then(Header::partition_by);
    if let (Some(kept), Some(wanted)) = (kept, &request.partition_by)
        && kept != wanted
    {
        return Err(Failure::refused(format!(
            "{table} is cut by \"{kept}\"; to cut it by \"{wanted}\", say so in {0} and delete {1}",
            task_file(&before.map(|before| before.task.clone()).unwrap_or_default()),
            generated_file(&before.map(|before| before.task.clone()).unwrap_or_default()),
        )));
    }
    let list = dates.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    match (request.partition_by.as_deref().or(kept), dates.as_slice()) {
        (_, []) => Err(Failure::refused(format!(
            "{table} has no column of type date, timestamp or timestamptz to cut it by; take KIND=stream"
        ))),
        (Some(name), dates) if dates.contains(&name) => Ok((Some(name.to_owned()), Vec::new())),
        (Some(name), dates) => {
            let hint = nearest(name, dates.iter().copied()).map(|name| format!("; did you mean PARTITION_BY={name}?"));
            Err(Failure::refused(format!(
                "{table} has no column \"{name}\" of type date, timestamp or timestamptz, only {list}{}",
                hint.unwrap_or_default()
            )))
        }
        (None, [one]) => Ok((Some((*one).to_owned()), vec![format!("cut by \"{one}\", the only column with a date")])),
        (None, _) => Err(Failure::usage(format!("{table} can be cut by {list}; say which by PARTITION_BY="))),
    }
}

/// What the kind cannot do with such a table.
fn check_kind(kind: Kind, found: &Found) -> Result<(), Failure> {
    let relation = &found.relation;
    let table = &relation.name;
    let count = relation.columns.len();
    let plain = |name: &str| {
        let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        word && !name.starts_with(|c: char| c.is_ascii_digit()) && name != "_" && !KEYWORDS.contains(&name)
    };
    match kind {
        Kind::Batch if count > MOST_DIESEL_COLUMNS => Err(Failure::refused(format!(
            "{table} has {count} columns, and Diesel is built for {MOST_DIESEL_COLUMNS}; take KIND=stream, which has no such limit, or make the task of a view of fewer columns"
        ))),
        Kind::Batch if !plain(&table.schema) => Err(Failure::refused(format!(
            "Diesel cannot name the schema \"{}\"; take KIND=stream, which can",
            table.schema
        ))),
        Kind::Huge => {
            TablePlan::of(relation, &TableOptions::default(), Policies::EXACT)?;
            Ok(())
        }
        Kind::Batch | Kind::Stream => Ok(()),
    }
}

/// What somebody should know of the table who does not look there.
fn notes_of_table(model: &Model, found: &Found) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Kind::Batch, EstimatedRows::About(rows @ MANY_ROWS..)) = (model.kind, found.facts.rows) {
        notes.push(format!(
            "the table has about {rows} rows, and a batch task holds all of them in memory; KIND=stream reads any number \
             in one pass, KIND=huge cuts them by date and reads several dates at once"
        ));
    }
    if found.facts.row_security {
        notes.push("row security would hide rows from this role, so that a run with it would be refused".to_owned());
    }
    notes
}

/// What somebody should know of a new task who does not read its file.
fn notes_of_task(model: &Model) -> Option<String> {
    match model.kind {
        Kind::Huge if needs_other_key(model) => {
            Some(format!("there is a column \"dt\", so the folders' key is {OTHER_KEY}"))
        }
        Kind::Batch if model.primary_key.is_empty() => {
            let first = model.columns.first().map(|column| column.name.as_str()).unwrap_or_default();
            Some(format!("there is no primary key; Diesel wants one and gets \"{first}\", and rows come in no order"))
        }
        _ => None,
    }
}

/// What somebody should know of a new record who does not read its file.
fn notes_of_record(model: &Model) -> Vec<String> {
    let mut notes = Vec::new();
    for column in &model.columns {
        if let Some(note) = column.kind.note() {
            notes.push(format!("column \"{}\" ({}): {note}", column.name, column.type_name));
        }
        if unraw(&column.field) != column.name {
            notes.push(format!(
                "column \"{}\" is called {} in the code and in the lake",
                column.name,
                unraw(&column.field)
            ));
        }
    }
    notes
}

/// A line for each file, then what to know, then what to do.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, task, kind, .. } = self;
        let same = self.deeds.iter().all(|(deed, _)| matches!(*deed, "unchanged" | "kept"));
        writeln!(f, "{table}: task {task}, KIND={kind}{}", if same { ", nothing has changed" } else { "" })?;
        for (deed, file) in &self.deeds {
            let whose = match (*deed, file.contains("/generated/")) {
                ("made", false) => "  (yours from here on)",
                ("made", true) if !file.ends_with("/mod.rs") => "  (renewed by make create-model, not to be edited)",
                _ => "",
            };
            writeln!(f, "  {deed:<9} {file}{whose}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {note}"))?;
        for difference in &self.differences {
            writeln!(f, "  the database has changed: {}", difference.sentence)?;
        }
        if !self.to_look_at.is_empty() {
            writeln!(f, "  these lines need a look:")?;
            self.to_look_at.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
        }
        if same {
            return Ok(());
        }
        writeln!(f, "  next: make build, then with target/release on the PATH")?;
        writeln!(f, "    project check --table={task}")?;
        write!(f, "    project --table={task}")
    }
}
