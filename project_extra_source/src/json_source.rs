//! JSON lines: what the keys are, and the rows, decoded by arrow-json. Numbers go through their text, which arrow-json
//! keeps, so that none is rounded on its way.

use crate::column_type::{ColumnType, Member};
use crate::csv_source::TakeTexts;
use crate::error::ExtraError;
use crate::input::Input;
use crate::json_line::{JsonKind, JsonObject, Lines};
use crate::json_shape::Shapes;
use crate::rejects::Rejects;
use crate::source_file::SourceFile;
use crate::table::{Column, put_faults};
use crate::windows::{BOM, Fault, Record, Window, Windows};
use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray, StructArray};
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows that are decoded at once, at most.
const MOST_ROWS: usize = 1 << 14;
/// More keys than this are values in the place of keys.
const MOST_KEYS: usize = 2000;

/// Blanks before the first character are few.
const FIRST_BYTES: usize = 4096;

/// Files of one shape.
pub(crate) struct JsonSource<'a> {
    pub(crate) files: &'a [SourceFile],
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
}

impl JsonSource<'_> {
    /// Looks at all lines; returns the keys, and how many lines there are.
    pub(crate) fn shapes(&self, rejects: &mut Rejects) -> Result<(Shapes, u64)> {
        let (mut shapes, mut lines) = (Shapes::default(), 0);
        for file in self.files {
            refuse_array(file)?;
            let mut windows = Windows::open(file)?;
            while let Some(mut window) = self.next(&mut windows)? {
                window.check_text();
                for record in &mut window.records {
                    if record.fault.is_some() {
                        continue;
                    }
                    match JsonObject::parse(line(window.bytes, record)) {
                        Ok(object) => shapes.take(&object),
                        Err(fault) => record.fault = Some(fault),
                    }
                }
                lines += window.records.len() as u64;
                put_faults(rejects, file, &window)?;
                if shapes.len() > MOST_KEYS {
                    let what =
                        format!("its lines have more than {MOST_KEYS} different keys; are there data in the keys?");
                    return Err(ExtraError::file(file, what));
                }
            }
        }
        Ok((shapes, lines))
    }

    fn next<'w>(&self, windows: &'w mut Windows) -> Result<Option<Window<'w>>> {
        if (self.stop)() {
            return Err(ExtraError::Stopped.into());
        }
        windows.next(&mut Lines, MOST_ROWS)
    }

    /// Reads all files. Ends early when nobody takes the rows any more.
    pub(crate) fn read(&self, plan: &JsonPlan<'_>, take: &mut TakeTexts<'_>) -> Result<()> {
        for file in self.files {
            let mut windows = Windows::open(file)?;
            while let Some(mut window) = self.next(&mut windows)? {
                window.check_text();
                let arrays = plan.arrays(file, &mut window)?;
                if !take(file, &window, arrays)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Refuses a file that is one array. When it is written over several lines, some of these would be objects by chance.
fn refuse_array(file: &SourceFile) -> Result<()> {
    let mut begin = [0; FIRST_BYTES];
    let read = Input::open(file)?.fill(file, &mut begin)?;
    let begin = begin[..read].strip_prefix(BOM).unwrap_or(&begin[..read]);
    if begin.trim_ascii_start().first() == Some(&b'[') {
        let what = "it begins with \"[\", so it is a JSON array; JSON lines are wanted, one object per line, and \
                    jq -c '.[]' makes them of an array";
        return Err(ExtraError::file(file, what));
    }
    Ok(())
}

/// How lines become columns.
pub(crate) struct JsonPlan<'a> {
    columns: &'a [Column],
    places: HashMap<&'a str, usize>,
    /// Of the columns that arrow-json reads.
    schema: SchemaRef,
    /// Whether the columns were chosen, so that another key is an error and a text may be asked of any value.
    chosen: bool,
}

impl<'a> JsonPlan<'a> {
    pub(crate) fn new(columns: &'a [Column], unit: TimeUnit, chosen: bool) -> Self {
        let by_arrow = |column: &&Column| !is_copied(&column.kind, chosen);
        let field = |column: &Column| Field::new(&column.name, source_type(&column.kind, unit), true);
        let fields: Fields = columns.iter().filter(by_arrow).map(field).collect();
        let places = columns.iter().enumerate().map(|(place, column)| (column.name.as_str(), place)).collect();
        Self { columns, places, schema: Arc::new(Schema::new(fields)), chosen }
    }

    fn arrays(&self, file: &SourceFile, window: &mut Window<'_>) -> Result<Vec<ArrayRef>> {
        let copied = self.looked_at(file, window)?;
        let batch = match self.decode(window) {
            Ok(batch) => batch,
            Err(_) => {
                self.find_unreadable(window);
                return self.arrays(file, window);
            }
        };
        let mut decoded = batch.columns().iter();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (column, texts) in self.columns.iter().zip(copied) {
            arrays.push(match texts {
                Some(texts) => Arc::new(StringArray::from(texts)) as ArrayRef,
                None => {
                    let array = decoded.next().context("arrow-json reads every column")?;
                    lake_array(array, &column.kind)?
                }
            });
        }
        Ok(arrays)
    }

    /// Finds the lines that are no rows, and takes the texts of the columns that are copied as they are.
    fn looked_at(&self, file: &SourceFile, window: &mut Window<'_>) -> Result<Vec<Option<Vec<Option<String>>>>> {
        let copied = |column: &Column| is_copied(&column.kind, self.chosen).then(Vec::new);
        let mut texts: Vec<Option<Vec<Option<String>>>> = self.columns.iter().map(copied).collect();
        for record in window.records.iter_mut().filter(|record| record.fault.is_none()) {
            let object = match JsonObject::parse(line(window.bytes, record)) {
                Ok(object) => object,
                Err(fault) => {
                    record.fault = Some(fault);
                    continue;
                }
            };
            if let Some(fault) = self.fault(file, record, &object)? {
                record.fault = Some(fault);
                continue;
            }
            texts.iter_mut().flatten().for_each(|texts| texts.push(None));
            for (key, value) in &object.0 {
                let Some(place) = self.places.get(key.as_str()) else { continue };
                if let Some(last) = texts[*place].as_mut().and_then(|texts| texts.last_mut()) {
                    *last = if self.chosen { text_of(value) } else { json_of(value) };
                }
            }
        }
        Ok(texts)
    }

    fn fault(&self, file: &SourceFile, record: &Record, object: &JsonObject<'_>) -> Result<Option<Fault>> {
        for (key, value) in &object.0 {
            let column = match self.places.get(key.as_str()) {
                Some(place) => &self.columns[*place],
                None if self.chosen => {
                    let what =
                        format!("line {} has the key \"{key}\", which the schema file does not name", record.line);
                    return Err(ExtraError::file(file, what));
                }
                None => continue,
            };
            if self.chosen && column.kind != ColumnType::Text && JsonKind::of(value).is_nested() {
                let reason = format!("the value is no {}", column.kind);
                return Ok(Some(Fault { reason, column: Some(column.name.clone()) }));
            }
        }
        Ok(None)
    }

    /// The good lines.
    fn decode(&self, window: &Window<'_>) -> Result<RecordBatch, ArrowError> {
        let rows: Vec<&Record> = window.good().collect();
        self.decode_rows(window, &rows)
    }

    fn decode_rows(&self, window: &Window<'_>, rows: &[&Record]) -> Result<RecordBatch, ArrowError> {
        if rows.is_empty() || self.schema.fields().is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let builder = ReaderBuilder::new(Arc::clone(&self.schema)).with_batch_size(rows.len());
        let mut decoder = builder.with_coerce_primitive(true).build_decoder()?;
        for row in rows {
            decoder.decode(&window.bytes[row.bytes.clone()])?;
        }
        let batch = decoder.flush()?.filter(|batch| batch.num_rows() == rows.len());
        batch.ok_or_else(|| ArrowError::JsonError("other rows".to_owned()))
    }

    /// Marks what arrow-json cannot read though it is JSON, such as half of a surrogate pair.
    fn find_unreadable(&self, window: &mut Window<'_>) {
        let unreadable: Vec<usize> = window
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.fault.is_none() && self.decode_rows(window, &[record]).is_err())
            .map(|(at, _)| at)
            .collect();
        for at in unreadable {
            window.records[at].fault =
                Some(Fault::of_line("is JSON that cannot be a row, such as half of a character"));
        }
    }
}

/// A record that is known to be UTF-8.
fn line<'a>(bytes: &'a [u8], record: &Record) -> &'a str {
    std::str::from_utf8(&bytes[record.bytes.clone()]).unwrap_or_default()
}

/// Whether the texts of a column are those of the line, and not what arrow-json makes of them.
fn is_copied(kind: &ColumnType, chosen: bool) -> bool {
    *kind == ColumnType::Json || (chosen && *kind == ColumnType::Text)
}

fn json_of(value: &str) -> Option<String> {
    (JsonKind::of(value) != JsonKind::Null).then(|| value.to_owned())
}

fn text_of(value: &str) -> Option<String> {
    match JsonKind::of(value) {
        JsonKind::String => serde_json::from_str(value).ok(),
        _ => json_of(value),
    }
}

/// The type in which arrow-json reads a column: texts, but for what is nested.
fn source_type(kind: &ColumnType, unit: TimeUnit) -> DataType {
    match kind {
        ColumnType::Array(_) | ColumnType::Row(_) => nested_type(kind, unit),
        _ => DataType::Utf8,
    }
}

/// As [`ColumnType::arrow_type`], with the names of the source.
fn nested_type(kind: &ColumnType, unit: TimeUnit) -> DataType {
    match kind {
        ColumnType::Array(element) => DataType::List(Arc::new(Field::new_list_field(nested_type(element, unit), true))),
        ColumnType::Row(members) => {
            let field = |member: &Member| Field::new(&member.name, nested_type(&member.kind, unit), true);
            DataType::Struct(members.iter().map(field).collect())
        }
        plain => plain.arrow_type(unit),
    }
}

/// The same values with the names of the lake.
fn lake_array(array: &ArrayRef, kind: &ColumnType) -> Result<ArrayRef> {
    Ok(match kind {
        ColumnType::Array(element) => {
            let list = array.as_list::<i32>();
            let values = lake_array(list.values(), element)?;
            let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
            Arc::new(ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?)
        }
        ColumnType::Row(members) => {
            let group = array.as_struct();
            let mut columns = Vec::with_capacity(members.len());
            let mut fields = Vec::with_capacity(members.len());
            for (member, column) in members.iter().zip(group.columns()) {
                let column = lake_array(column, &member.kind)?;
                fields.push(Field::new(&member.lake_name, column.data_type().clone(), true));
                columns.push(column);
            }
            Arc::new(StructArray::try_new(fields.into(), columns, group.nulls().cloned())?)
        }
        _ => Arc::clone(array),
    })
}
