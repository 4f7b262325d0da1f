//! Parquet files that pyarrow writes, in the types of the lake.

use crate::loader::{Loader, row};
use anyhow::{Context, Result, ensure};
use project_test_servers::python::interpreter;
use std::fs::read;
use std::process::Command;

/// The bytes of a file that pyarrow writes from an expression.
fn written(table: &str, options: &str) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.parquet");
    let script = format!(
        "import sys, datetime, decimal, pyarrow as pa, pyarrow.parquet as pq\n\
         pq.write_table(pa.table({table}), sys.argv[1]{options})\n"
    );
    let done = Command::new(interpreter()?).args(["-c", &script]).arg(&path).output().context("python")?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(read(path)?)
}

const TABLE: &str = "{'id': pa.array([1, 2], pa.uint32()), 'Name': pa.array(['a', None], pa.dictionary(pa.int8(), pa.string())), \
    'at': pa.array([1_500_001, -1], pa.timestamp('us')), 'utc': pa.array([0, 1], pa.timestamp('ns', tz='Europe/Paris')), \
    'price': pa.array([decimal.Decimal('1.50'), None], pa.decimal128(30, 2)), 'big': pa.array([2**64 - 1, 0], pa.uint64()), \
    'l': pa.array([[1, 2], None], pa.large_list(pa.int8())), 's': pa.array([{'A b': 1}, None], pa.struct([('A b', pa.int64())])), \
    'm': pa.array([[('k', 1)], []], pa.map_(pa.string(), pa.int32())), 'time': pa.array([1, 2], pa.time32('s'))}";

#[test]
fn types_become_those_of_the_lake_whatever_the_codec() -> Result<()> {
    for codec in ["snappy", "zstd", "gzip", "brotli", "lz4", "none"] {
        let loader = Loader::of("a.parquet", written(TABLE, &format!(", compression='{codec}'"))?)?;
        let loaded = loader.load()?;
        assert_eq!((loaded.rows_read, loaded.notes.len()), (2, 2), "{codec}: {:?}", loaded.notes);
        let (columns, rows) = loader.table("id")?;
        let expected = [
            "id:int64",
            "name:string",
            "at:timestamp[ms]",
            "utc:timestamp[ms, tz=UTC]",
            "price:decimal128(30, 2)",
            "big:decimal128(20, 0)",
            "l:list<element: int16>",
            "s:struct<a_b: int64>",
            "m:map<string, int32 ('m')>",
            "time:string",
        ];
        assert_eq!(columns, expected, "{codec}");
        assert_eq!(rows[0][..3], row(["1", "a", "1970-01-01 00:00:01.500000"]));
        assert_eq!(rows[1][2].as_deref(), Some("1969-12-31 23:59:59.999000"));
        assert_eq!((rows[0][5].as_deref(), rows[0][9].as_deref()), (Some("18446744073709551615"), Some("00:00:01")));
    }
    Ok(())
}

#[test]
fn old_timestamps_of_96_bits_go_to_the_year_9999() -> Result<()> {
    let table =
        "{'at': pa.array([datetime.datetime(9999, 12, 31, 1, 2, 3), datetime.datetime(1, 1, 1)], pa.timestamp('us'))}";
    let loader = Loader::of("a.parquet", written(table, ", use_deprecated_int96_timestamps=True")?)?;
    loader.load()?;
    let found = loader.table("at")?.1;
    assert_eq!(found, [row(["0001-01-01 00:00:00.000000"]), row(["9999-12-31 01:02:03.000000"])]);
    Ok(())
}

/// 2009-02-13 23:31:30.123456789, and the same time before 1970, in every unit.
const UNITS: &str = "{'id': [1, 2], **{f'{unit}{len(zone)}': pa.array([1234567890123456789 // per, -1234567890123456789 // per], \
    pa.timestamp(unit, tz=zone or None)) for zone in ['', 'Asia/Tokyo'] \
    for unit, per in [('s', 10**9), ('ms', 10**6), ('us', 1000), ('ns', 1)]}, \
    'inner': pa.array([{'at': 1234567890123456789}, None], pa.struct([('at', pa.timestamp('ns'))]))}";

#[test]
fn timestamps_are_the_same_instant_in_every_unit() -> Result<()> {
    // The shorter ones are floored by Python, as the longer ones are by us.
    let shown = |digits: usize| {
        let fraction = |all: &str| format!("{:0<6}", &all[..digits.min(all.len())]);
        let (first, second) = (fraction("123456"), fraction(["", "", "", "876", "", "", "876543"][digits]));
        let before = if digits == 0 { "29.000000".to_owned() } else { format!("29.{second}") };
        [format!("2009-02-13 23:31:30.{first}"), format!("1930-11-18 00:28:{before}")]
    };
    for (micros, options) in [
        (false, ", version='2.6'"),
        (true, ", version='2.6'"),
        (false, ", use_deprecated_int96_timestamps=True"),
        (true, ", use_deprecated_int96_timestamps=True"),
        (false, ", store_schema=False, data_page_version='2.0'"),
    ] {
        let loader = Loader::of("a.parquet", written(UNITS, options)?)?;
        let (loader, finest) = if micros { (loader.micros(), 6) } else { (loader, 3) };
        let loaded = loader.load()?;
        let (columns, rows) = loader.table("id")?;
        for (place, column) in columns.iter().enumerate().skip(1).take(8) {
            let unit = column.trim_end_matches(char::is_alphabetic);
            let digits = [("s", 0), ("ms", 3), ("us", finest), ("ns", finest)];
            let name = unit.split([':', '0', '1']).next().context("a name")?;
            let digits = digits.iter().find(|(unit, _)| *unit == name).context("a unit")?.1;
            for (row, expected) in rows.iter().zip(shown(digits)) {
                assert_eq!(row[place].as_deref(), Some(expected.as_str()), "{column} {options}");
            }
            assert_eq!(
                column.contains("tz=UTC"),
                column.starts_with(&format!("{name}10")) && !options.contains("int96")
            );
        }
        let inner = rows[0][9].as_deref().context("a struct")?;
        assert!(inner.contains("2009, 2, 13, 23, 31, 30, 123"), "{inner}");
        assert!(micros || loaded.notes.iter().any(|note| note.contains("\"ns0\": 2 timestamps were cut")), "{options}");
    }
    Ok(())
}

#[test]
fn a_uuid_is_text_and_other_bytes_are_bytes() -> Result<()> {
    let table = "{'id': [1, 2], 'u': pa.array([bytes(range(16)), None], pa.uuid()), \
        'us': pa.ListArray.from_arrays([0, 1, 1], pa.array([bytes(range(240, 256))], pa.uuid())), \
        'b': pa.array([bytes(range(16)), None], pa.binary(16)), 'c': pa.array([b'abc', None], pa.binary(3))}";
    let loader = Loader::of("a.parquet", written(table, "")?)?;
    let kinds: Vec<String> = loader.load()?.columns.iter().map(|column| column.kind.to_string()).collect();
    assert_eq!(kinds, ["bigint", "varchar", "array(varchar)", "varbinary", "varbinary"]);
    let (columns, rows) = loader.table("id")?;
    assert_eq!(columns[1..], ["u:string", "us:list<element: string>", "b:binary", "c:binary"]);
    assert_eq!(rows[0][1].as_deref(), Some("00010203-0405-0607-0809-0a0b0c0d0e0f"));
    assert_eq!(rows[0][2].as_deref(), Some("[\"f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff\"]"));
    assert_eq!((&rows[1][1], &rows[1][3]), (&None, &None));
    Ok(())
}

#[test]
fn packed_and_several_files_of_one_schema() -> Result<()> {
    let one = written("{'id': [1]}", "")?;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, &written("{'id': [2]}", "")?)?;
    let loader = Loader::of("a.parquet", &one)?.with("b.parquet.gz", packer.finish()?)?;
    assert_eq!(loader.load()?.rows_read, 2);
    assert_eq!(loader.table("id")?.1, [row(["1"]), row(["2"])]);
    let other = written("{'id': ['x']}", "")?;
    let refused = Loader::of("a.parquet", &one)?.with("b.parquet", other)?.refused()?;
    assert!(refused.contains("b.parquet: column \"id\" is Utf8, in a.parquet it is Int64"), "{refused}");
    let refused = Loader::of("a.parquet", &one)?.with("b.parquet", written("{'x': [1]}", "")?)?.refused()?;
    assert!(refused.contains("b.parquet: its columns are not those of a.parquet"), "{refused}");
    let refused = Loader::of("a.parquet", &one[..one.len() - 3])?.refused()?;
    assert!(refused.contains("a.parquet: is no Parquet file"), "{refused}");
    Ok(())
}

#[test]
fn what_the_lake_cannot_hold_is_refused_with_its_column() -> Result<()> {
    let far = "{'at': pa.array([9 * 10**17], pa.timestamp('us'))}";
    let refused = Loader::of("a.parquet", written(far, "")?)?.refused()?;
    assert!(refused.contains("a.parquet: column \"at\": a date or timestamp is infinite or outside"), "{refused}");
    assert!(refused.contains("write NULL"), "{refused}");
    let far = "{'at': pa.array([9223372036854775807], pa.timestamp('ms'))}";
    assert!(Loader::of("a.parquet", written(far, "")?)?.micros().refused()?.contains("infinite or outside"));
    let refused = Loader::of("a.parquet", written("[], names=[]", "")?)?.refused()?;
    assert!(refused.contains("a.parquet: the file has no columns"), "{refused}");
    let twice = "[pa.array([1]), pa.array([2])], names=['a', 'A']";
    let refused = Loader::of("a.parquet", written(twice, "")?)?.refused()?;
    assert!(refused.contains("\"a\" and \"A\" are both \"a\""), "{refused}");
    let inside = "{'s': pa.array([{'a': 1, 'A': 2}], pa.struct([('a', pa.int64()), ('A', pa.int64())]))}";
    let refused = Loader::of("a.parquet", written(inside, "")?)?.refused()?;
    assert!(refused.contains("column \"s\" is Struct") && refused.contains("no type for"), "{refused}");
    let refused = Loader::of("a.parquet", written("{'id': [1]}", "")?)?.schema("[columns]\nid = \"int\"")?.refused()?;
    assert!(refused.contains("leave [columns] out"), "{refused}");
    Ok(())
}
