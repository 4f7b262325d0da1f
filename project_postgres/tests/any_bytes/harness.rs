//! A table with a column of every kind, streams of it, and the decoder with its limits checked.

use project_postgres::catalog_type::CatalogType;
use project_postgres::{
    AnyNumeric, Arrays, ColumnPlan, CopyDecoder, Decoding, Infinity, Member, NotANumber, Policies, TableName,
    TablePlan, TimestampUnit,
};

/// Columns of the table.
pub(crate) const COLUMNS: usize = 26;

/// Rows that the decoder makes room for, whatever comes, times the bytes of a value of each column.
const ROOM: usize = 64 << 20;

fn decodings() -> [Decoding; COLUMNS] {
    let member = |name: &str, decoding| Member { name: name.into(), lake_name: name.into(), decoding };
    let record = || Decoding::Struct(vec![member("a", Decoding::Int32), member("b", Decoding::Text)]);
    [
        Decoding::Bool,
        Decoding::Int16,
        Decoding::Int32,
        Decoding::Int64,
        Decoding::Oid,
        Decoding::Float32,
        Decoding::Float64,
        Decoding::Decimal { precision: 5, scale: 2 },
        Decoding::Decimal { precision: 15, scale: 2 },
        Decoding::Decimal { precision: 38, scale: 18 },
        Decoding::Date,
        Decoding::Timestamp { utc: true, unit: TimestampUnit::Millis },
        Decoding::Timestamp { utc: false, unit: TimestampUnit::Micros },
        Decoding::Time,
        Decoding::TimeWithOffset,
        Decoding::Interval,
        Decoding::Uuid,
        Decoding::Text,
        Decoding::Jsonb,
        Decoding::Bytes,
        Decoding::List(Box::new(Decoding::Int32)),
        Decoding::List(Box::new(record())),
        record(),
        Decoding::Range(Box::new(Decoding::Date)),
        Decoding::Multirange(Box::new(Decoding::Int32)),
        Decoding::Map,
    ]
}

/// For what changes a value where it can, so that as little as possible is refused.
pub(crate) const YIELDING: Policies = Policies {
    infinity: Infinity::Clamp,
    not_a_number: NotANumber::Null,
    any_numeric: AnyNumeric::DECIMAL,
    arrays: Arrays::Flatten,
    ..Policies::EXACT
};

/// A table with such columns, named c0, c1 and so on.
pub(crate) fn plan(decodings: &[Decoding], policies: Policies) -> TablePlan {
    let column = |(index, decoding): (usize, &Decoding)| ColumnPlan {
        name: format!("c{index}"),
        lake_name: format!("c{index}"),
        type_name: "test".into(),
        data_type: CatalogType::Scalar { oid: 0, modifier: -1 },
        decoding: decoding.clone(),
        not_null: false,
        policies,
    };
    let columns = decodings.iter().enumerate().map(column).collect();
    TablePlan { table: TableName::new("public", "t"), columns, filter: None }
}

/// Rows in the stream, or why it is none.
pub(crate) fn decode(bytes: &[u8], policies: Policies) -> Result<usize, String> {
    let plan = plan(&decodings(), policies);
    let mut decoder = CopyDecoder::new(&plan, usize::MAX);
    decoder.push(bytes).and_then(|()| decoder.end_of_stream()).map_err(|error| error.to_string())?;
    let batch = decoder.take_batch().map_err(|error| error.to_string())?;
    let memory = batch.get_array_memory_size();
    assert!(memory <= ROOM + bytes.len() * 64, "{} bytes became {memory}", bytes.len());
    Ok(batch.num_rows())
}

/// A COPY of these rows.
pub(crate) fn stream(rows: &[Vec<Option<Vec<u8>>>]) -> Vec<u8> {
    let mut bytes = [b"PGCOPY\n\xff\r\n\0".as_slice(), &[0; 8]].concat();
    for row in rows {
        bytes.extend((row.len() as i16).to_be_bytes());
        row.iter().for_each(|value| bytes.extend(with_length(value.as_deref())));
    }
    bytes.extend((-1i16).to_be_bytes());
    bytes
}

fn with_length(value: Option<&[u8]>) -> Vec<u8> {
    let length = value.map_or(-1, |value| value.len() as i32);
    [&length.to_be_bytes(), value.unwrap_or_default()].concat()
}

/// A well-formed value of the column, made of a number and a text.
pub(crate) fn value(column: usize, number: i64, text: &str) -> Vec<u8> {
    let wire = |words: &[i32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let day = (number % 700_000) as i32;
    let record = || {
        let (id, name) = (with_length(Some(&day.to_be_bytes())), with_length(Some(text.as_bytes())));
        [wire(&[2, 23]), id, wire(&[25]), name].concat()
    };
    let integer = || with_length(Some(&day.to_be_bytes()));
    let array = |element: Vec<u8>| [wire(&[1, 1, 23, 2, 1]), element, wire(&[-1])].concat();
    let numeric = |group: i64| {
        let sign = if number < 0 { 0x4000u16 } else { 0 };
        [1u16, 0, sign, 0, group.unsigned_abs() as u16].iter().flat_map(|word| word.to_be_bytes()).collect()
    };
    match column {
        0 => vec![(number & 1) as u8],
        1 => (number as i16).to_be_bytes().into(),
        2 | 4 | 5 => (number as i32).to_be_bytes().into(),
        3 | 6 | 11 | 12 => number.to_be_bytes().into(),
        7 => numeric(number % 1000),
        8 | 9 => numeric(number % 10_000),
        10 => day.to_be_bytes().into(),
        13 => (number.rem_euclid(86_400_000_000)).to_be_bytes().into(),
        14 => [&number.rem_euclid(86_400_000_000).to_be_bytes()[..], &(day % 50_000).to_be_bytes()].concat(),
        15 => [&number.to_be_bytes()[..], &day.to_be_bytes(), &day.to_be_bytes()].concat(),
        16 => i128::from(number).to_be_bytes().into(),
        18 => [b"\x01", text.as_bytes()].concat(),
        20 => array(integer()),
        21 => array(with_length(Some(&record()))),
        22 => record(),
        23 if number % 3 == 0 => vec![0x01],
        23 => [vec![0x02], integer(), integer()].concat(),
        24 => [wire(&[1]), with_length(Some(&[vec![0x08 | 0x04], integer()].concat()))].concat(),
        25 => [wire(&[1]), with_length(Some(text.as_bytes())), wire(&[-1])].concat(),
        _ => text.as_bytes().into(),
    }
}
