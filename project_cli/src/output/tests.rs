#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use super::{Column, ColumnKind, ROWS_TO_MEASURE, ResultFormat, ResultPrinter, Row};
use proptest::prelude::proptest;
use std::io::{self, Write};

fn columns<const N: usize>(columns: [(&str, ColumnKind); N]) -> Vec<Column> {
    columns.map(|(name, kind)| Column { name: name.into(), kind }).into()
}

fn row<const N: usize>(values: [Option<&str>; N]) -> Row {
    values.map(|value| value.map(str::to_owned)).into()
}

fn printed(format: ResultFormat, columns: Vec<Column>, pages: Vec<Vec<Row>>) -> String {
    let mut out = Vec::new();
    let mut printer = ResultPrinter::new(format, columns, &mut out);
    for page in pages {
        assert!(printer.page(page).unwrap().is_continue());
    }
    printer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn shop() -> (Vec<Column>, Vec<Vec<Row>>) {
    let columns =
        columns([("country", ColumnKind::Text), ("revenue", ColumnKind::Number), ("active", ColumnKind::Boolean)]);
    let pages = vec![
        vec![row([Some("Côte d'Ivoire"), Some("12.50"), Some("true")]), row([Some("日本"), Some("-3"), None])],
        vec![row([None, Some("1234567.00"), Some("false")])],
    ];
    (columns, pages)
}

#[test]
fn a_table_is_aligned() {
    let (columns, pages) = shop();
    let expected = "\
country           revenue  active
-------------  ----------  ------
Côte d'Ivoire       12.50  true
日本                   -3  NULL
NULL           1234567.00  false
";
    assert_eq!(printed(ResultFormat::Table, columns, pages), expected);
}

#[test]
fn a_value_cannot_play_tricks_on_the_terminal() {
    let columns = columns([("a", ColumnKind::Text)]);
    let text = printed(ResultFormat::Table, columns, vec![vec![row([Some("x\u{1b}[2J\ny\u{202e}z\\")])]]);
    assert_eq!(text.lines().nth(2), Some("x\\u{1b}[2J\\ny\\u{202e}z\\"));
}

#[test]
fn a_long_table_streams_with_the_widths_of_its_first_rows() {
    let columns = columns([("n", ColumnKind::Number), ("t", ColumnKind::Text)]);
    let mut out = Vec::new();
    let mut printer = ResultPrinter::new(ResultFormat::Table, columns, &mut out);
    for _ in 0..ROWS_TO_MEASURE {
        let _ = printer.page(vec![row([Some("7"), Some("x")])]).unwrap();
    }
    assert!(printer.held_back.is_empty(), "memory has a bound");
    let _ = printer.page(vec![row([Some("123456"), Some("wide")])]).unwrap();
    printer.finish().unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 2 + ROWS_TO_MEASURE + 1);
    assert_eq!(text.lines().last(), Some("123456  wide"));
}

#[test]
fn csv_tells_null_from_empty_and_quotes_what_needs_it() {
    let columns = columns([("a", ColumnKind::Text), ("b,c", ColumnKind::Number)]);
    let pages = vec![
        vec![row([None, Some("1.10")]), row([Some(""), None])],
        vec![row([Some("say \"hi\", you\r\n"), Some("2")])],
    ];
    let expected = "a,\"b,c\"\n,1.10\n\"\",\n\"say \"\"hi\"\", you\r\n\",2\n";
    assert_eq!(printed(ResultFormat::Csv, columns, pages), expected);
}

#[test]
fn json_keeps_every_digit() {
    let columns = columns([("n", ColumnKind::Number), ("t", ColumnKind::Text), ("b", ColumnKind::Boolean)]);
    let pages = vec![
        vec![row([Some("123456789012345678901234567890.10"), Some("1"), Some("true")])],
        vec![row([Some("NaN"), Some("a\"\n"), None]), row([Some("1e400"), None, Some("false")])],
        vec![row([Some("007"), None, Some("?")]), row([Some("-0.5"), None, None])],
    ];
    let expected = "[\n{\"n\":123456789012345678901234567890.10,\"t\":\"1\",\"b\":true},\n\
        {\"n\":\"NaN\",\"t\":\"a\\\"\\n\",\"b\":null},\n\
        {\"n\":1e400,\"t\":null,\"b\":false},\n\
        {\"n\":\"007\",\"t\":null,\"b\":\"?\"},\n\
        {\"n\":-0.5,\"t\":null,\"b\":null}\n]\n";
    assert_eq!(printed(ResultFormat::Json, columns, pages), expected);
}

#[test]
fn two_columns_of_one_name_stay_two_in_json() {
    let columns = columns([
        ("a", ColumnKind::Number),
        ("a", ColumnKind::Number),
        ("a_2", ColumnKind::Number),
        ("a", ColumnKind::Number),
    ]);
    let pages = vec![vec![row([Some("1"), Some("2"), Some("3"), Some("4")])]];
    assert_eq!(printed(ResultFormat::Json, columns, pages), "[\n{\"a\":1,\"a_2\":2,\"a_2_2\":3,\"a_3\":4}\n]\n");
}

#[test]
fn an_empty_result_still_has_its_form() {
    let (columns, _) = shop();
    let text = |format| printed(format, columns.clone(), vec![vec![]]);
    assert_eq!(text(ResultFormat::Json), "[]\n");
    assert_eq!(text(ResultFormat::Csv), "country,revenue,active\n");
    assert_eq!(text(ResultFormat::Table), "country  revenue  active\n-------  -------  ------\n");
}

/// Takes some bytes and then behaves as `head` does, or as a full disk.
struct Closing(usize, io::ErrorKind);

impl Write for Closing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(buffer.len()).ok_or(self.1)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_result_quietly() {
    for format in [ResultFormat::Table, ResultFormat::Csv, ResultFormat::Json] {
        let (columns, pages) = shop();
        let mut printer = ResultPrinter::new(format, columns, Closing(20, io::ErrorKind::BrokenPipe));
        for page in pages {
            let flow = printer.page(page).unwrap();
            assert!(flow.is_break() || format == ResultFormat::Table);
        }
        printer.finish().unwrap();

        let (columns, pages) = shop();
        let mut printer = ResultPrinter::new(format, columns, Closing(20, io::ErrorKind::StorageFull));
        let outcome = pages.into_iter().try_for_each(|page| printer.page(page).map(|_| ()));
        assert!(outcome.and_then(|()| printer.finish()).is_err(), "a full disk is not quiet");
    }
}

proptest! {
    #[test]
    fn json_is_always_json(number in "[-+0-9.eENaif ]{0,8}", text in ".{0,10}", name in ".{0,4}") {
        let columns = vec![
            Column { name: name.clone(), kind: ColumnKind::Number },
            Column { name, kind: ColumnKind::Text },
        ];
        let printed = printed(ResultFormat::Json, columns, vec![vec![vec![Some(number), Some(text.clone())]]]);
        // serde_json holds numbers as f64 and refuses those beyond it, though JSON has no such limit.
        match serde_json::from_str::<serde_json::Value>(&printed) {
            Ok(value) => {
                let object = value[0].as_object().unwrap();
                assert_eq!(object.len(), 2);
                assert!(object.values().any(|value| *value == text));
            }
            Err(error) => assert!(error.to_string().contains("number out of range"), "{error}: {printed}"),
        }
    }
}
