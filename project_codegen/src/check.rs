//! Whether the generated files are still what the database would give.

use crate::difference::differences;
use crate::failure::{Failure, UNREACHABLE};
use crate::header::{Header, untouched};
use crate::kind::Kind;
use crate::lookup::{exists, find};
use crate::make_command::create_model;
use crate::model::Model;
use crate::model_files::generated_text;
use crate::workspace::Workspace;
use project_postgres::{ConnectionSettings, Source, close};
use sqlx::PgConnection;

/// Compares every generated file with the database; how many there are.
///
/// # Errors
/// A line for each difference, with table and column and the command that renews the file, and for each table that cannot
/// be looked up.
pub async fn check(workspace: &Workspace, database: ConnectionSettings) -> Result<usize, Failure> {
    let files = workspace.modules_in("project_schemas/src/generated")?;
    let mut connection = Source::new(database, "codegen").connect_plain().await?;
    let mut failures = Vec::new();
    for (_, file) in &files {
        // One table that cannot be looked up hides no other.
        if let Err(failure) = compare(workspace, &mut connection, file).await {
            let unreachable = failure.code == UNREACHABLE;
            failures.push(failure);
            if unreachable {
                break;
            }
        }
    }
    close(connection).await;
    Failure::all(&failures).map_or(Ok(files.len()), Err)
}

async fn compare(workspace: &Workspace, connection: &mut PgConnection, file: &str) -> Result<(), Failure> {
    let text = workspace.read_existing(file)?;
    let header = untouched(&text, file)?;
    let drifted = drift(workspace, connection, &header, &text).await?;
    if drifted.is_empty() { Ok(()) } else { Err(Failure::refused(drifted.join("\n"))) }
}

async fn drift(
    workspace: &Workspace,
    connection: &mut PgConnection,
    header: &Header,
    text: &str,
) -> Result<Vec<String>, Failure> {
    let table = &header.table;
    if !exists(connection, table).await? {
        return Ok(vec![format!(
            "{table} does not exist any more, and the task {} reads it; remove the task, or bring the table back",
            header.task
        )]);
    }
    let found = find(connection, table).await.map_err(|failure| failure.of(format!("the task {}", header.task)))?;
    let partition_by = header.partition_by().map(str::to_owned);
    let model = Model::of(header.task.clone(), &found.relation, &found.primary_key, header.kind, partition_by);
    let renew = create_model(header);
    let differences = differences(header, &model.header());
    if !differences.is_empty() {
        let remedy = match header.kind {
            Kind::Huge => format!("see {}", crate::workspace::task_file(&header.task)),
            Kind::Batch | Kind::Stream => format!("renew it with: {renew}"),
        };
        let sentences = differences.iter().map(|found| format!("{table}: {}; {remedy}", found.sentence));
        return Ok(sentences.collect());
    }
    let same = generated_text(workspace, &model)? == text;
    let other = format!(
        "{table}: the columns are the same, but the generator writes another file today; renew it with: {renew}"
    );
    Ok(if same { Vec::new() } else { vec![other] })
}
