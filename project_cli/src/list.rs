//! `project list`: the registry, and nothing that the registry does not say.

use crate::config::ListConfig;
use crate::output::{Column, ColumnKind, ResultPrinter};
use anyhow::Result;
use project_tasks::{Group, REGISTRY};
use std::io::stdout;

/// Prints every task with its group and what it does.
pub(crate) fn list(config: &ListConfig) -> Result<()> {
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Text };
    let columns = ["task", "group", "about"].map(column).to_vec();
    let mut printer = ResultPrinter::new(config.format, columns, stdout().lock());
    let rows = REGISTRY.iter().map(|task| {
        let group = task.group().map(|group: Group| group.name().to_owned());
        vec![Some(task.name().to_owned()), group, Some(task.about().to_owned())]
    });
    // A reader that has gone away needs no more rows.
    let _ = printer.page(rows.collect())?;
    Ok(printer.finish()?)
}
