//! Where the Glue catalog differs from what was published, in words. No network.
//!
//! Athena reads by the catalog: a column that it lacks is never seen, and one whose type differs breaks every query or
//! is read as something else.

use std::collections::HashMap;

use aws_sdk_glue::types::Column;

/// Differences told one by one; the rest is counted.
const DIFFERENCES_TOLD: usize = 5;

/// The differences between the columns of the files (name, Glue type) and those of the catalog. Glue keeps names in lower
/// case, and Athena finds a Parquet column by its name wherever it stands.
pub(crate) fn column_differences(published: &[(String, String)], catalogued: &[Column]) -> Vec<String> {
    let mut left: HashMap<String, &str> = catalogued
        .iter()
        .map(|column| (column.name().to_lowercase(), column.r#type().unwrap_or("without a type")))
        .collect();
    let mut differences = Vec::new();
    for (name, in_files) in published {
        match left.remove(&name.to_lowercase()) {
            Some(in_glue) if is_same_type(in_files, in_glue) => {}
            Some(in_glue) => {
                differences.push(format!("column {name} is {in_files} in the files and {in_glue} in Glue"))
            }
            None => differences.push(format!("column {name} ({in_files}) of the files is missing in Glue")),
        }
    }
    // In the catalog's order, so that the message is the same every time.
    let unknown = catalogued.iter().filter(|column| left.contains_key(&column.name().to_lowercase()));
    differences.extend(unknown.map(|column| {
        let in_glue = column.r#type().unwrap_or("without a type");
        format!("column {} ({in_glue}) of Glue is not in the files", column.name())
    }));
    differences
}

/// The difference between the key of the folders and the partition keys of the catalog.
pub(crate) fn key_difference(published: Option<&str>, catalogued: &[Column]) -> Option<String> {
    let in_glue: Vec<String> = catalogued.iter().map(|key| key.name().to_lowercase()).collect();
    let in_files: Vec<String> = published.iter().map(|key| key.to_lowercase()).collect();
    let told = |keys: &[String]| match keys {
        [] => "no key".to_owned(),
        keys => keys.join(", "),
    };
    (in_glue != in_files).then(|| {
        let (in_files, in_glue) = (told(&in_files), told(&in_glue));
        format!("its files are partitioned by {in_files} and in Glue by {in_glue}")
    })
}

/// The first few as one enumeration.
pub(crate) fn told(differences: &[String]) -> String {
    let first = differences.iter().take(DIFFERENCES_TOLD).map(String::as_str);
    let text = first.collect::<Vec<_>>().join("; ");
    match differences.len().saturating_sub(DIFFERENCES_TOLD) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

/// Whether a file with the one type reads as it should when the catalog says the other.
///
/// The one difference that a crawler may make rightly: Parquet stores INT(8) and INT(16) as INT32, and whoever overlooks
/// the annotation calls the column `int`. No value changes: Trino, of which Athena is made, reads an INT32 as `int`
/// whatever the width of its annotation (`ColumnReaderFactory`). All else is a difference, a wider type that could be
/// read included, because then the catalog was not made from these files.
fn is_same_type(in_files: &str, in_glue: &str) -> bool {
    let (in_files, in_glue) = (words(in_files), words(in_glue));
    let is_narrow = |word: &str| matches!(word, "tinyint" | "smallint");
    in_files.len() == in_glue.len()
        && in_files
            .iter()
            .zip(&in_glue)
            .all(|(in_files, in_glue)| in_files == in_glue || is_narrow(in_files) && in_glue == "int")
}

/// The words and signs of a type, which may be nested: case and blanks mean nothing.
fn words(glue_type: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in glue_type.chars().filter(|letter| !letter.is_whitespace()) {
        let is_sign = matches!(letter, '<' | '>' | '(' | ')' | ',' | ':');
        if is_sign {
            words.extend([letter.to_string(), String::new()]);
        } else if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::Column;

    use super::{column_differences, is_same_type, key_difference, told};

    fn glue(columns: &[(&str, &str)]) -> Vec<Column> {
        let column = |&(name, glue_type): &(&str, &str)| Column::builder().name(name).r#type(glue_type).build();
        columns.iter().map(|pair| column(pair).unwrap()).collect()
    }

    fn differences(files: &[(&str, &str)], catalogued: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        column_differences(&files, &glue(catalogued))
    }

    #[test]
    fn order_and_case_make_no_difference() {
        let files = [("Id", "bigint"), ("Tags", "array<struct<Name:string>>")];
        let catalogued = [("tags", "array<struct<name: string>>"), ("id", "bigint")];
        assert_eq!(differences(&files, &catalogued), [""; 0]);
    }

    #[test]
    fn another_type_a_missing_column_and_a_strange_one_are_named() {
        let files = [("id", "bigint"), ("amount", "decimal(18,2)"), ("name", "string")];
        let catalogued = [("id", "int"), ("amount", "decimal(18,3)"), ("old_name", "string")];
        let expected = [
            "column id is bigint in the files and int in Glue",
            "column amount is decimal(18,2) in the files and decimal(18,3) in Glue",
            "column name (string) of the files is missing in Glue",
            "column old_name (string) of Glue is not in the files",
        ];
        assert_eq!(differences(&files, &catalogued), expected);
    }

    #[test]
    fn a_column_of_glue_without_a_type_differs() {
        let untyped = [Column::builder().name("id").build().unwrap()];
        let files = [("id".to_owned(), "int".to_owned())];
        let expected = ["column id is int in the files and without a type in Glue"];
        assert_eq!(column_differences(&files, &untyped), expected);
    }

    #[test]
    fn narrow_integers_may_be_ints_in_glue_and_nothing_else() {
        for (in_files, in_glue, same) in [
            ("smallint", "int", true),
            ("tinyint", "int", true),
            ("array<smallint>", "array<int>", true),
            ("map<string,struct<a:tinyint,b:date>>", "map<string,struct<a:int,b:date>>", true),
            ("smallint", "smallint", true),
            ("tinyint", "smallint", false),
            ("int", "smallint", false),
            ("smallint", "bigint", false),
            ("int", "bigint", false),
            ("float", "double", false),
            ("timestamp", "bigint", false),
            ("date", "string", false),
            ("decimal(18,2)", "decimal(18,8)", false),
            ("array<string>", "string", false),
            ("struct<a:int,b:int>", "struct<a:int>", false),
            ("struct<a:int>", "struct<b:int>", false),
        ] {
            assert_eq!(is_same_type(in_files, in_glue), same, "{in_files} and {in_glue}");
        }
    }

    #[test]
    fn partition_keys_are_the_key_of_the_folders_and_no_other() {
        let (none, dt) = (glue(&[]), glue(&[("dt", "string")]));
        let two = glue(&[("run", "string"), ("dt", "string")]);
        assert_eq!(key_difference(None, &none), None);
        assert_eq!(key_difference(Some("Dt"), &dt), None);
        let told = |published, keys| key_difference(published, keys).unwrap();
        assert_eq!(told(None, &dt), "its files are partitioned by no key and in Glue by dt");
        assert_eq!(told(Some("dt"), &none), "its files are partitioned by dt and in Glue by no key");
        assert_eq!(told(Some("dt"), &two), "its files are partitioned by dt and in Glue by run, dt");
    }

    #[test]
    fn many_differences_are_counted() {
        let many: Vec<String> = (1..=7).map(|number| format!("d{number}")).collect();
        assert_eq!(told(&many), "d1; d2; d3; d4; d5; and 2 more");
        assert_eq!(told(&many[..5]), "d1; d2; d3; d4; d5");
    }
}
