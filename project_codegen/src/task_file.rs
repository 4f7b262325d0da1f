//! The developer's file in `project_tasks`: the task.

use crate::identifiers::unraw;
use crate::kind::Kind;
use crate::model::Model;
use crate::source_text::{literal, quoted};
use project_parquet::lake_name;

/// The whole text, not formatted yet; `name` is the struct's.
pub(crate) fn text(model: &Model, name: &str) -> String {
    let table = quoted(&model.table.to_string());
    let made =
        format!("//! {table}, as it is. `make create-model` has made this file once; from here on it is yours.\n");
    match model.kind {
        Kind::Batch => format!("{made}{}", batch(model, name)),
        Kind::Stream => format!("{made}{}", stream(model, name)),
        Kind::Huge => format!("{made}{}", huge(model, name)),
    }
}

/// Bytes of the longest line that `project list` wants.
const LONGEST_ABOUT: usize = 100;

/// One line for `project list`: the first that is short enough.
fn about(model: &Model) -> String {
    let table: String = model.table.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let by_date = match &model.partition_by {
        Some(column) => format!(", one partition for each UTC date of {}", unraw(column)),
        None => String::new(),
    };
    let lines = [
        format!("{table} as it is{by_date}"),
        format!("{} as it is{by_date}", model.task),
        format!("{} as it is", model.task),
    ];
    let fits = |line: &String| line.len() <= LONGEST_ABOUT && !line.chars().any(char::is_control);
    lines.into_iter().find(fits).unwrap_or_else(|| "a table as it is".to_owned())
}

fn batch(model: &Model, name: &str) -> String {
    let Model { task, .. } = model;
    let (row, record, about) = (model.row(), model.record(), literal(&about(model)));
    let (table, doc) = (literal(&model.table.to_string()), quoted(&model.table.to_string()));
    let key: Vec<String> = model.key_columns().map(|column| format!("{task}::{}", column.diesel_name)).collect();
    let order = match key.as_slice() {
        [] => String::new(),
        [one] => format!(".order({one})"),
        several => format!(".order(({}))", several.join(", ")),
    };
    format!(
        r#"
use crate::context::{{TaskContext, Written}};
use crate::data_error::DataError;
use crate::load::load;
use crate::source_table::SourceTable;
use crate::task::ProjectTask;
use anyhow::Result;
use diesel::{{QueryDsl, SelectableHelper}};
use project_parquet::{{RecordColumn, TypedWriter, record_description}};
use project_schemas::generated::{task}::{{{row}, {task}}};
use project_schemas::{task}::{record};
use rayon::iter::{{IntoParallelIterator, ParallelIterator}};

/// The table in messages.
const TABLE: &str = {table};

/// {doc}.
#[derive(Debug)]
pub struct {name};

impl ProjectTask for {name} {{
    fn name(&self) -> &'static str {{
        "{task}"
    }}

    fn about(&self) -> &'static str {{
        {about}
    }}

    fn reads(&self) -> Vec<SourceTable> {{
        vec![SourceTable::selected_by::<{row}>()]
    }}

    fn writes(&self) -> Result<Vec<RecordColumn>> {{
        record_description::<{record}>()
    }}

    fn run(&self, context: &TaskContext) -> Result<Written> {{
        let mut connection = context.source.connect_diesel()?;
        let query = {task}::table.select({row}::as_select()){order};
        let rows: Vec<{row}> = load(TABLE, query, &mut connection)?;
        let rows_read = rows.len() as u64;
        let records: Vec<{record}> = rows.into_par_iter().map(record).collect::<Result<_, _>>()?;
        let mut writer = TypedWriter::create(&context.first_file(), &context.writer, context.counters.clone())?;
        writer.extend(records)?;
        Ok(Written::one(writer.finish()?, rows_read))
    }}
}}

fn record(row: {row}) -> Result<{record}, DataError> {{
    row.into_record().map_err(|error| DataError(format!("{{TABLE}}: {{error}}")))
}}
"#
    )
}

fn stream(model: &Model, name: &str) -> String {
    let Model { task, .. } = model;
    let (row, record, about) = (model.row(), model.record(), literal(&about(model)));
    let doc = quoted(&model.table.to_string());
    let (schema, table) = (literal(&model.table.schema), literal(&model.table.name));
    format!(
        r#"
use crate::context::{{TaskContext, Written}};
use crate::data_error::DataError;
use crate::source_table::SourceTable;
use crate::stream::export_rows;
use crate::task::ProjectStreamTask;
use anyhow::Result;
use futures::future::BoxFuture;
use project_parquet::{{RecordColumn, record_description}};
use project_postgres::TableName;
use project_schemas::generated::{task}::{row};
use project_schemas::{task}::{record};

/// {doc}.
#[derive(Debug)]
pub struct {name};

impl ProjectStreamTask for {name} {{
    fn name(&self) -> &'static str {{
        "{task}"
    }}

    fn about(&self) -> &'static str {{
        {about}
    }}

    fn reads(&self) -> Vec<SourceTable> {{
        vec![source()]
    }}

    fn writes(&self) -> Result<Vec<RecordColumn>> {{
        record_description::<{record}>()
    }}

    fn run<'a>(&'a self, context: &'a TaskContext) -> BoxFuture<'a, Result<Written>> {{
        Box::pin(export_rows(context, source().rows(), record))
    }}
}}

fn source() -> SourceTable {{
    SourceTable::read_into::<{row}>(table())
}}

fn table() -> TableName {{
    TableName::new({schema}, {table})
}}

fn record(row: {row}) -> Result<{record}, DataError> {{
    row.into_record().map_err(|error| DataError(format!("{{}}: {{error}}", table())))
}}
"#
    )
}

/// The key of the folders must not be a column as well.
pub(crate) const OTHER_KEY: &str = "partition_date";

/// Whether a column has the name that the folders' key usually has.
pub(crate) fn needs_other_key(model: &Model) -> bool {
    model.columns.iter().any(|column| lake_name(&column.name) == "dt")
}

fn huge(model: &Model, name: &str) -> String {
    let Model { task, .. } = model;
    let doc = quoted(&model.table.to_string());
    let (schema, table) = (literal(&model.table.schema), literal(&model.table.name));
    let column = model.partition_by.as_deref().unwrap_or_default();
    let (about, column, by) = (literal(&about(model)), literal(column), quoted(column));
    let key = match needs_other_key(model) {
        false => String::new(),
        true => format!(
            "\n    /// There is a column `dt`, which the folders' key cannot be called then.\n    \
             fn partition_key(&self) -> &'static str {{\n        \"{OTHER_KEY}\"\n    }}\n"
        ),
    };
    format!(
        r#"//!
//! `make codegen-check` finds in `project_schemas/src/generated/{task}.rs` what the database was like.

use crate::task::HugeStreamTask;
use project_postgres::TableName;

/// {doc} by the date of {by}.
#[derive(Debug)]
pub struct {name};

impl HugeStreamTask for {name} {{
    fn name(&self) -> &'static str {{
        "{task}"
    }}

    fn about(&self) -> &'static str {{
        {about}
    }}

    fn table(&self) -> TableName {{
        TableName::new({schema}, {table})
    }}

    fn partition_column(&self) -> &'static str {{
        {column}
    }}
{key}}}
"#
    )
}
