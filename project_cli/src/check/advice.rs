//! What a person should know before a run, besides the columns.

use crate::report::{grouped, size};
use anyhow::Result;
use project_postgres::TableName;
use project_postgres::catalog::leaves;
use project_postgres::server_hazards::ServerFacts;
use project_postgres::table_facts::EstimatedRows;
use project_tasks::{FoundTable, Task};
use sqlx::PgConnection;

/// How much there is to read.
pub(super) async fn on_size(connection: &mut PgConnection, task: &Task, found: &FoundTable) -> Result<String> {
    let bytes: u64 = leaves(connection, &found.relation).await?.iter().map(|storage| storage.bytes).sum();
    let rows = match found.facts.rows {
        EstimatedRows::About(rows) => format!("about {} rows, ", grouped(rows)),
        EstimatedRows::NeverAnalysed => "never analysed, so nobody knows how many rows, ".to_owned(),
        EstimatedRows::Unknown => String::new(),
    };
    Ok(format!("{} reads {} ({rows}{} on the server's disk)", task.name(), found.source.table, size(bytes)))
}

/// What of a table can spoil reading it.
pub(super) fn hazards(server: &ServerFacts, found: &FoundTable) -> Vec<String> {
    let (table, facts) = (&found.source.table, &found.facts);
    let foreign = facts.foreign.then(|| {
        format!("{table} lies on another server, wholly or in part: the snapshot of the run does not cover it")
    });
    let unlogged = (facts.unlogged && server.hot_standby.is_some())
        .then(|| format!("{table} is unlogged, and a standby has no rows of it; read it from the primary"));
    foreign.into_iter().chain(unlogged).collect()
}

/// A role that may do more than read can do more harm than a wrong report.
pub(super) fn on_rights(server: &ServerFacts, mut writable: Vec<TableName>) -> Option<String> {
    const REMEDY: &str = "a role with nothing but SELECT on these tables is enough";
    let role = &server.role;
    if server.superuser {
        return Some(format!("{role} is a superuser; {REMEDY}"));
    }
    writable.sort();
    writable.dedup();
    let others = match writable.len() {
        0 | 1 => String::new(),
        2 => " and another table".to_owned(),
        tables => format!(" and {} other tables", tables - 1),
    };
    let first = writable.first()?;
    Some(format!("{role} may change rows of {first}{others}; {REMEDY}"))
}

#[cfg(test)]
mod tests {
    use super::on_rights;
    use project_postgres::TableName;
    use project_postgres::server_hazards::ServerFacts;

    #[test]
    fn a_role_that_may_write_is_told_once() {
        let server = |superuser| ServerFacts { role: "app".into(), superuser, ..ServerFacts::default() };
        let table = |name| TableName::new("public", name);
        assert_eq!(on_rights(&server(false), Vec::new()), None);
        let one = on_rights(&server(false), vec![table("users"), table("users")]).unwrap();
        assert!(one.starts_with("app may change rows of public.users; a role"), "{one}");
        let three = on_rights(&server(false), vec![table("c"), table("b"), table("a")]).unwrap();
        assert!(three.contains("public.a and 2 other tables"), "{three}");
        assert!(on_rights(&server(true), vec![table("users")]).unwrap().starts_with("app is a superuser"));
    }
}
