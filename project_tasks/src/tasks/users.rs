//! Users, as they are.

use crate::context::{TaskContext, Written};
use crate::data_error::DataError;
use crate::load::load;
use crate::source_table::SourceTable;
use crate::task::ProjectTask;
use anyhow::Result;
use diesel::{QueryDsl, SelectableHelper};
use project_parquet::{RecordColumn, TypedWriter, record_description};
use project_schemas::tables::users;
use project_schemas::users::{User, UserRow};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// `public.users`.
#[derive(Debug)]
pub struct Users;

impl ProjectTask for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn about(&self) -> &'static str {
        "users as they are"
    }

    fn reads(&self) -> Vec<SourceTable> {
        vec![SourceTable::selected_by::<UserRow>()]
    }

    fn writes(&self) -> Result<Vec<RecordColumn>> {
        record_description::<User>()
    }

    fn run(&self, context: &TaskContext) -> Result<Written> {
        let mut connection = context.source.connect_diesel()?;
        let query = users::table.select(UserRow::as_select()).order(users::id);
        let rows: Vec<UserRow> = load("public.users", query, &mut connection)?;
        let rows_read = rows.len() as u64;
        let records: Vec<User> = rows.into_par_iter().map(record).collect::<Result<_, _>>()?;
        let mut writer = TypedWriter::create(&context.first_file(), &context.writer, context.counters.clone())?;
        writer.extend(records)?;
        Ok(Written::one(writer.finish()?, rows_read))
    }
}

fn record(row: UserRow) -> Result<User, DataError> {
    let id = row.id;
    row.into_record().map_err(|error| DataError(format!("public.users: created_at of user {id} {error}")))
}
