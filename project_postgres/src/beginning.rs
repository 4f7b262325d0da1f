//! How the transaction of a reader begins, by either driver, and what it means when it cannot.

use crate::moment::{Missed, Moment};
use crate::session;
use crate::source::Source;
use crate::source_error::SourceError;
use diesel::result::Error as DieselError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use sqlx::{AssertSqlSafe, PgConnection};

const BEGINNING: &str = "cannot begin the read-only transaction";

/// Begins it at the moment of the run, if there is one.
pub(crate) async fn begin_by_sqlx(source: &Source, connection: &mut PgConnection) -> Result<(), SourceError> {
    let sql = session::begin(source.moment());
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await else { return Ok(()) };
    let Some((moment, missed)) = missed(source, said_to_sqlx(&error)) else {
        return Err(SourceError::from_sqlx(BEGINNING, &error));
    };
    let sql = session::which_server(moment);
    let answer = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    let answer = answer.as_ref().err().and_then(said_to_sqlx);
    Err(moment.told(source.settings(), &missed, answer))
}

/// The same for Diesel's connection.
pub(crate) async fn begin_by_diesel(source: &Source, connection: &mut AsyncPgConnection) -> Result<(), SourceError> {
    let Err(error) = connection.batch_execute(&session::begin(source.moment())).await else { return Ok(()) };
    let Some((moment, missed)) = missed(source, said_to_diesel(&error)) else {
        return Err(SourceError::from_diesel(BEGINNING, &error));
    };
    let answer = connection.batch_execute(&session::which_server(moment)).await;
    let answer = answer.as_ref().err().and_then(said_to_diesel);
    Err(moment.told(source.settings(), &missed, answer))
}

fn missed<'a>(source: &'a Source, refusal: Option<&str>) -> Option<(&'a Moment, Missed)> {
    let moment = source.moment()?;
    Some((moment, moment.missed(refusal?)?))
}

fn said_to_sqlx(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().map(|server| server.message())
}

fn said_to_diesel(error: &DieselError) -> Option<&str> {
    match error {
        DieselError::DatabaseError(_, server) => Some(server.message()),
        _ => None,
    }
}
