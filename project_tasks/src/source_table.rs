//! A table that a task reads, and what the task's code expects of it.

use diesel::expression::Selectable;
use diesel::pg::Pg;
use project_postgres::{RowQuery, TableName};
use project_schemas::expected::{ColumnList, Declaration, DeclaredColumn, DeclaredTable, ExpectedColumn, SourceRow};

/// A table that a task reads, for the preflight and the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTable {
    /// Schema and name.
    pub table: TableName,
    /// The columns that the code declares; for a task that takes whatever there is, those that it cannot do without.
    pub columns: Vec<SourceColumn>,
    /// Where a column that the code does not know would have to be declared; nothing for a task that takes whatever
    /// there is.
    pub declaration: Option<Declaration>,
    /// The file that says what is expected.
    pub file: String,
}

/// A declared column, and what the task does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    /// What the code expects.
    pub expected: ExpectedColumn,
    /// What for.
    pub usage: Usage,
}

/// What a task does with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Its values are read.
    Read,
    /// It only decides which rows are read.
    Filter,
    /// Its date decides in which folder a row goes.
    Cut,
    /// Nothing: it is declared for others.
    Unused,
}

impl SourceTable {
    /// What a Diesel row selects of its `table!`.
    pub fn selected_by<Row>() -> Self
    where
        Row: Selectable<Pg, SelectExpression: ColumnList<Table: DeclaredTable>>,
    {
        let selected = Row::SelectExpression::expected();
        let column = |expected: ExpectedColumn| {
            let usage = if selected.contains(&expected) { Usage::Read } else { Usage::Unused };
            SourceColumn { expected, usage }
        };
        Self {
            table: <Row::SelectExpression as ColumnList>::Table::name(),
            columns: <Row::SelectExpression as ColumnList>::Table::columns().into_iter().map(column).collect(),
            declaration: Some(Declaration::Table),
            file: <Row::SelectExpression as ColumnList>::Table::file(),
        }
    }

    /// And a column of the same `table!` that the query filters by.
    #[must_use]
    pub fn filtered_by<Filter: DeclaredColumn>(mut self) -> Self {
        let filter = Filter::expected();
        let unused = self.columns.iter_mut().filter(|column| column.usage == Usage::Unused);
        unused.filter(|column| column.expected == filter).for_each(|column| column.usage = Usage::Filter);
        self
    }

    /// The columns of a row struct that sqlx reads.
    pub fn read_into<Row: SourceRow>(table: TableName) -> Self {
        let columns = Row::columns().into_iter().map(|expected| SourceColumn { expected, usage: Usage::Read });
        let file = Row::FILE.to_owned();
        Self { table, columns: columns.collect(), declaration: Some(Declaration::Struct), file }
    }

    /// Whatever columns there are.
    pub fn whole(table: TableName) -> Self {
        Self { table, columns: Vec::new(), declaration: None, file: String::new() }
    }

    /// Whatever columns there are, cut by the date of this one; `file` is where that is said.
    pub(crate) fn cut_by_date(table: TableName, column: &str, file: String) -> Self {
        // date, timestamp, timestamptz
        let expected = ExpectedColumn::of_types(column, &[1082, 1114, 1184], "a date, timestamp or timestamptz");
        Self { columns: vec![SourceColumn { expected, usage: Usage::Cut }], file, ..Self::whole(table) }
    }

    /// The names of the columns whose values are read.
    pub fn read_columns(&self) -> Vec<String> {
        self.columns_for(|usage| usage == Usage::Read)
    }

    /// All rows with those columns, each as its field wants it.
    pub fn rows(&self) -> RowQuery {
        let cast = self.columns.iter().filter(|column| column.expected.is_cast_to_text());
        let cast: Vec<String> = cast.map(|column| column.expected.name.clone()).collect();
        RowQuery::with_casts(self.table.clone(), &self.read_columns(), &cast)
    }

    /// The names of the columns that a query mentions.
    pub fn needed_columns(&self) -> Vec<String> {
        self.columns_for(|usage| usage != Usage::Unused)
    }

    fn columns_for(&self, wanted: impl Fn(Usage) -> bool) -> Vec<String> {
        let wanted = self.columns.iter().filter(|column| wanted(column.usage));
        wanted.map(|column| column.expected.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceTable, Usage};
    use project_postgres::TableName;
    use project_schemas::combined_orders::OrderRow;
    use project_schemas::products::ProductRow;
    use project_schemas::tables::orders;

    #[test]
    fn a_diesel_row_reads_some_columns_of_its_table() {
        let table = SourceTable::selected_by::<OrderRow>().filtered_by::<orders::active>().filtered_by::<orders::id>();
        let used: Vec<_> = table.columns.iter().map(|column| (column.expected.name.as_str(), column.usage)).collect();
        let expected = [
            ("id", Usage::Read),
            ("user_id", Usage::Read),
            ("amount", Usage::Read),
            ("active", Usage::Filter),
            ("created_at", Usage::Read),
            ("uuid", Usage::Unused),
        ];
        assert_eq!(used, expected);
        assert_eq!(table.read_columns(), ["id", "user_id", "amount", "created_at"]);
        assert_eq!(table.table, TableName::new("public", "orders"));
    }

    #[test]
    fn a_row_struct_reads_all_its_fields() {
        let table = SourceTable::read_into::<ProductRow>(TableName::new("public", "products"));
        assert_eq!(table.read_columns(), ["id", "name", "quantity", "created_at", "approved", "price", "uuid"]);
        assert_eq!(table.file, "project_schemas/src/products.rs");
    }
}
