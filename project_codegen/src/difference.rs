//! What has changed in the database since a file was generated.

use crate::header::{Header, HeaderColumn, one_line};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The column, or nothing for the primary key.
    pub(crate) column: Option<String>,
    /// With the column's name.
    pub(crate) sentence: String,
    pub(crate) change: Change,
}

/// What a difference means for the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A new column.
    Added,
    /// A column that is there no more.
    Gone,
    /// The code has another type for the column.
    InCode,
    /// The code stays as it is.
    OnlyOnTheServer,
}

/// What is different; empty when the columns are the same.
pub(crate) fn differences(before: &Header, after: &Header) -> Vec<Difference> {
    let find = |columns: &[HeaderColumn], name: &str| columns.iter().find(|column| column.name == name).cloned();
    let mut found = Vec::new();
    for column in &before.columns {
        let name = &column.name;
        let sentence = match find(&after.columns, name) {
            None => format!("column \"{name}\" ({}) is gone", column.type_name),
            Some(now) if one_line(&now.type_name) != column.type_name => {
                format!("column \"{name}\" is {}, and was {}", now.type_name, column.type_name)
            }
            Some(now) if now.not_null && !column.not_null => format!("column \"{name}\" is NOT NULL, and was not"),
            Some(now) if !now.not_null && column.not_null => format!("column \"{name}\" may be NULL, and was NOT NULL"),
            Some(_) => continue,
        };
        let change = match find(&after.columns, name) {
            None => Change::Gone,
            Some(now) if now.not_null == column.not_null && in_code(&now.type_name) == in_code(&column.type_name) => {
                Change::OnlyOnTheServer
            }
            Some(_) => Change::InCode,
        };
        found.push(Difference { column: Some(name.clone()), sentence, change });
    }
    for column in after.columns.iter().filter(|column| find(&before.columns, &column.name).is_none()) {
        let sentence = format!("column \"{}\" ({}) is new", column.name, column.type_name);
        found.push(Difference { column: Some(column.name.clone()), sentence, change: Change::Added });
    }
    if before.primary_key != after.primary_key {
        let key =
            |names: &[String]| if names.is_empty() { "none".to_owned() } else { format!("({})", names.join(", ")) };
        let (now, was) = (key(&after.primary_key), key(&before.primary_key));
        let sentence = format!("the primary key is {now}, and was {was}");
        found.push(Difference { column: None, sentence, change: Change::OnlyOnTheServer });
    }
    found
}

/// What a type is in the code: a length or a precision is nowhere there but in a numeric.
fn in_code(type_name: &str) -> String {
    let is_numeric = type_name.starts_with("numeric");
    match (type_name.split_once('('), type_name.rsplit_once(')')) {
        (Some((before, _)), Some((_, after))) if !is_numeric && !type_name.contains('"') => format!("{before}{after}"),
        _ => type_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, differences};
    use crate::header::{Header, HeaderColumn};
    use crate::kind::Kind;
    use project_postgres::TableName;

    fn header(columns: &[(&str, &str, bool)], key: &[&str]) -> Header {
        let columns = columns.iter().map(|(name, type_name, not_null)| HeaderColumn {
            name: (*name).into(),
            type_name: (*type_name).into(),
            not_null: *not_null,
        });
        Header {
            task: "t".into(),
            table: TableName::new("public", "t"),
            kind: Kind::Batch,
            primary_key: key.iter().map(|name| (*name).to_owned()).collect(),
            columns: columns.collect(),
        }
    }

    #[test]
    fn every_difference_names_its_column() {
        let before =
            header(&[("a", "int4", true), ("b", "int4", true), ("c", "int4", false), ("d", "text", true)], &["a"]);
        let after = header(&[("a", "int8", true), ("b", "int4", false), ("c", "int4", true), ("e", "text", true)], &[]);
        let found: Vec<String> = differences(&before, &after).into_iter().map(|found| found.sentence).collect();
        assert_eq!(
            found,
            [
                "column \"a\" is int8, and was int4",
                "column \"b\" may be NULL, and was NOT NULL",
                "column \"c\" is NOT NULL, and was not",
                "column \"d\" (text) is gone",
                "column \"e\" (text) is new",
                "the primary key is none, and was (a)",
            ]
        );
        assert_eq!(differences(&before, &before), []);
    }

    #[test]
    fn a_length_is_not_in_the_code() {
        for (was, is, matters) in [
            ("character varying(10)", "character varying(20)", false),
            ("character varying(10)[]", "character varying[]", false),
            ("timestamp(3) without time zone", "timestamp without time zone", false),
            ("timestamp without time zone", "timestamp with time zone", true),
            ("numeric(12,2)", "numeric(14,4)", true),
            ("integer", "bigint", true),
        ] {
            let found = differences(&header(&[("a", was, true)], &[]), &header(&[("a", is, true)], &[]));
            let change = if matters { Change::InCode } else { Change::OnlyOnTheServer };
            assert_eq!(found.iter().map(|found| found.change).collect::<Vec<_>>(), [change], "{was}, {is}");
            let found = differences(&header(&[("a", was, true)], &[]), &header(&[("a", is, false)], &[]));
            assert_eq!(found.iter().map(|found| found.change).collect::<Vec<_>>(), [Change::InCode], "{was}, {is}");
        }
    }
}
