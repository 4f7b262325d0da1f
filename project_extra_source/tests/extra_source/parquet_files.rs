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
    assert!(refused.contains("a.parquet: column \"at\": a date or timestamp is outside"), "{refused}");
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
