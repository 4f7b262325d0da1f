//! Rows as a server sends them that the tests do not have: a binary COPY, through the program's own decoder and writer.

use crate::every_value::{ENGINES, read_tables};
use anyhow::{Result, ensure};
use project_parquet::{ColumnarWriter, WriterSettings};
use project_postgres::catalog_type::CatalogType;
use project_postgres::{ColumnPlan, CopyDecoder, Decoding, Policies, TableName, TablePlan};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// What `interval_send` of Postgres 17 makes of `infinity`: the largest microseconds, days and months.
const INFINITY: [u8; 16] = [0x7f, 255, 255, 255, 255, 255, 255, 255, 0x7f, 255, 255, 255, 0x7f, 255, 255, 255];
/// And of `-infinity`: the smallest.
const MINUS_INFINITY: [u8; 16] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0];
/// `interval '1 mon -1 day'`.
const MIXED: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 1];
/// `pg_type.oid` of interval.
const INTERVAL: u32 = 1186;

#[test]
fn n15_an_infinite_interval_of_postgres_17_is_text() -> Result<()> {
    let plan = plan("interval", Decoding::Interval);
    let found = read_back(&plan, &[Some(&INFINITY), Some(&MINUS_INFINITY), None, Some(&MIXED)])?;
    assert_eq!(found, ["infinity", "-infinity", "NULL", "1 mon -1 days"]);
    let plan = self::plan("interval[]", Decoding::List(Box::new(Decoding::Interval)));
    let found = read_back(&plan, &[Some(&array(INTERVAL, &[&MIXED, &INFINITY]))])?;
    assert_eq!(found, ["{\"1 mon -1 days\",infinity}"]);
    Ok(())
}

#[test]
fn a_form_of_jsonb_that_is_not_known_yet_is_refused_and_not_taken_for_text() -> Result<()> {
    let refused = read_back(&plan("jsonb", Decoding::Jsonb), &[Some(b"\x02{\"canary\": 1}")]);
    let message = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
    ensure!(message.contains("column \"value\" (jsonb)") && message.contains("row 1"), "{message:?}");
    ensure!(!message.contains("canary"), "{message}");
    Ok(())
}

/// A table of a key and one more column.
fn plan(type_name: &str, decoding: Decoding) -> TablePlan {
    let column = |name: &str, type_name: &str, decoding| ColumnPlan {
        name: name.to_owned(),
        lake_name: name.to_owned(),
        type_name: type_name.to_owned(),
        data_type: CatalogType::Scalar { oid: 0, modifier: -1 },
        decoding,
        not_null: false,
        policies: Policies::TOLERANT,
    };
    let columns = vec![column("id", "integer", Decoding::Int32), column("value", type_name, decoding)];
    TablePlan { table: TableName::new("public", "recorded"), columns, filter: None }
}

/// What two readers find in the file that is made of these values.
fn read_back(plan: &TablePlan, values: &[Option<&[u8]>]) -> Result<Vec<String>> {
    let lake = TempDir::new()?;
    write(plan, values, &lake.path().join("recorded/part-00000.parquet"))?;
    let mut found = Vec::new();
    for engine in ENGINES {
        let rows = read_tables(engine, lake.path(), ["recorded"])?.remove(0).rows;
        let shown = rows.into_iter().filter_map(|mut row| row.pop());
        found.push(shown.map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>());
    }
    assert_eq!(found.first(), found.last());
    Ok(found.remove(0))
}

fn write(plan: &TablePlan, values: &[Option<&[u8]>], file: &Path) -> Result<()> {
    let mut decoder = CopyDecoder::new(plan, 1 << 20);
    decoder.push(&stream(values))?;
    decoder.end_of_stream()?;
    let batch = decoder.take_batch()?;
    let mut writer = ColumnarWriter::create(file, plan.schema(), &WriterSettings::new(1), Arc::default())?;
    writer.write(&batch)?;
    assert_eq!(writer.finish(None)?.rows, values.len() as u64);
    Ok(())
}

/// A whole stream: header, rows, trailer.
fn stream(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut stream = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for (id, value) in (0i32..).zip(values) {
        stream.extend([0, 2, 0, 0, 0, 4]);
        stream.extend(id.to_be_bytes());
        stream.extend(value.map_or(-1, |value| value.len() as i32).to_be_bytes());
        stream.extend(value.unwrap_or_default());
    }
    stream.extend([255, 255]);
    stream
}

/// One dimension without NULL, as `array_send` lays it out.
fn array(element_type: u32, elements: &[&[u8]]) -> Vec<u8> {
    let header = [1, 0, element_type, elements.len() as u32, 1];
    let mut array: Vec<u8> = header.iter().flat_map(|number: &u32| number.to_be_bytes()).collect();
    for element in elements {
        array.extend((element.len() as u32).to_be_bytes());
        array.extend(*element);
    }
    array
}
