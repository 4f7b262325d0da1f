//! `--extra`: files become tables of a local lake, alone and together with tables of the database.

use crate::deadline::wait_for;
use crate::independent_reader::read;
use crate::lake_folder::{links, listing, runs};
use crate::program::Program;
use crate::shop::tiny_shop;
use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{create_dir_all, write};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

const PRICES: &str = "product_id,price,note\n1,12.50,\"a,b\"\n2,7,\n3,0.005,007\n";

fn with_file(name: &str, bytes: impl AsRef<[u8]>) -> Result<Program> {
    let program = Program::new()?;
    let path = program.path(name);
    create_dir_all(path.parent().context("a folder")?)?;
    write(path, bytes)?;
    Ok(program)
}

fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes())?;
    Ok(packer.finish()?)
}

#[test]
fn a_csv_file_becomes_a_table_without_any_database() -> Result<()> {
    let program = with_file("prices.csv.gz", gzip(PRICES)?)?;
    let ended = program.run(&["--extra=prices.csv.gz", "--format=json"])?.expect(0)?;
    assert_eq!(ended.published()?, ["prices"]);
    let report = ended.report()?;
    assert_eq!((&report["tasks"][0]["rows"], &report["tasks"][0]["rejected"]), (&3.into(), &0.into()));
    let answer = program.query("SELECT product_id, price, note FROM prices ORDER BY product_id")?;
    assert_eq!(answer, "product_id,price,note\n1,12.500,\"a,b\"\n2,7.000,\n3,0.005,007\n");
    for found in read(&program.lake().join("prices"))? {
        let names: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((found.rows, names), (3, vec!["product_id", "price", "note"]));
    }
    program.check_scratch_is_empty()?;
    // The same again replaces it; another format of the same name does, too.
    write(program.path("prices.jsonl"), "{\"product_id\":9,\"tags\":[\"x\"],\"at\":{\"lat\":1.25}}\n")?;
    program.run(&["--extra=prices.jsonl", "--force"])?.expect(0)?.says(&["1 of 1 table published", "1 rows"])?;
    let answer = program.query("SELECT product_id, tags[1] AS tag, at['lat'] AS lat FROM prices")?;
    assert_eq!(answer, "product_id,tag,lat\n9,x,1.25\n");
    // What this program has written is a Parquet file as any other.
    let folder = format!("--extra={}", program.lake().join("prices/").display());
    program.run(&[&folder, "--as=Copy of prices"])?.expect(0)?;
    assert_eq!(program.query("SELECT count(*) AS n FROM copy_of_prices")?, "n\n1\n");
    Ok(())
}

#[test]
fn a_folder_is_one_table_and_a_schema_file_chooses() -> Result<()> {
    let program = with_file("daily/b.csv", "2;\\N\n")?;
    write(program.path("daily/a.csv"), "1;2026-01-31\nx;2026-02-30\n")?;
    write(program.path("daily/_SUCCESS"), "")?;
    write(
        program.path("types.toml"),
        "delimiter = \";\"\nheader = false\nnull = \"\\\\N\"\n[columns]\nid = \"bigint\"\nday = \"date\"\n",
    )?;
    let arguments = ["--extra=daily", "--extra-schema=types.toml", "--as=days"];
    let ended = program.run(&arguments)?.expect(0)?;
    ended.says(&["1 row was rejected and is missing; table days__rejects says why"])?;
    assert_eq!(program.query("SELECT id, day FROM days ORDER BY id")?, "id,day\n1,2026-01-31\n2,\n");
    let rejects = program.query("SELECT line_number, column_name, raw_text, reason FROM days__rejects")?;
    assert_eq!(rejects, "line_number,column_name,raw_text,reason\n2,id,x;2026-02-30,the value is no bigint\n");
    // Mended: the table of rejects is there and empty.
    write(program.path("daily/a.csv"), "1;2026-01-31\n3;2026-02-28\n")?;
    program.run(&arguments)?.expect(0)?;
    assert_eq!(program.query("SELECT count(*) AS n FROM days__rejects")?, "n\n0\n");
    assert_eq!(program.query("SELECT count(*) AS n FROM days")?, "n\n3\n");
    Ok(())
}

#[test]
fn with_tables_it_is_one_run() -> Result<()> {
    let database = tiny_shop()?;
    let program = with_file("prices.csv", PRICES)?;
    let uri = database.uri();
    let ended = program.run(&[&uri, "--table=users", "--extra=prices.csv", "--format=json"])?.expect(0)?;
    assert_eq!(ended.published()?, ["users", "prices"]);
    assert_eq!(runs(&program.lake())?.len(), 1);
    let shown: Vec<String> = links(&program.lake())?.into_keys().collect();
    assert_eq!(shown, ["prices", "prices__rejects", "users"]);
    let nobody =
        program.run(&["postgres://reader@127.0.0.1:1/shop", "--table=users", "--extra=prices.csv"])?.expect(69)?;
    nobody.never_says("starts over")?;
    // A bad file stops no table, and a table that is taken is refused before anything is read.
    write(program.path("prices.csv"), "")?;
    let ended = program.run(&[&uri, "--table=users", "--extra=prices.csv", "--format=json"])?.expect(65)?;
    assert_eq!(ended.published()?, ["users"]);
    assert_eq!(program.query("SELECT count(*) AS n FROM prices")?, "n\n3\n");
    for table in ["users", "users__rejects"] {
        let arguments = [&uri, "--table=users", "--extra=prices.csv", &format!("--as={table}"), "--format=json"];
        let ended = program.run(&arguments)?.expect(65)?;
        assert_eq!(ended.published()?, Vec::<String>::new());
        ended.says(&["--as"])?;
    }
    Ok(())
}

#[test]
fn bad_input_is_told_with_its_code_and_leaves_nothing() -> Result<()> {
    let packed = gzip(&PRICES.repeat(500))?;
    for (name, bytes, more, code, told) in [
        ("empty.csv", Vec::new(), "", 65, "empty.csv: the file is empty"),
        (
            "cut.csv.gz",
            packed[..packed.len() - 9].to_vec(),
            "",
            65,
            "cut.csv.gz: the gzip data is damaged or cut short",
        ),
        ("twice.csv", b"a,A\n1,2\n".to_vec(), "", 65, "the columns \"a\" and \"A\" are both \"a\" in the lake"),
        (
            "other.csv",
            b"{\"a\":1,\"b\":2}\n".to_vec(),
            "",
            65,
            "the first line has text after a closing quote; is the file of another format",
        ),
        (
            "lines.jsonl",
            b"{\"a\":1}\nx\n{\"a\":1\n".to_vec(),
            "--rejects=1",
            65,
            "lines.jsonl, line 3: is JSON that ends too early",
        ),
        (
            "half.csv",
            b"a,b\n1,2\n3\n4\n".to_vec(),
            "",
            65,
            "2 of 3 lines are bad, the first is half.csv, line 3: has 1 field",
        ),
        ("array.json", b"[\n{\"a\":1}\n]\n".to_vec(), "", 65, "array.json: it begins with \"[\""),
        ("deep.jsonl", "{\"a\":".repeat(350).into_bytes(), "", 65, "is nested deeper than 64 levels"),
        ("no.parquet", b"PAR1".to_vec(), "", 65, "no.parquet: is no Parquet file"),
        ("sheet.xlsx", b"PK".to_vec(), "", 78, "sheet.xlsx: the ending does not say what is in it"),
        ("a.csv", b"a\n1\n".to_vec(), "--extra-schema=types.toml", 78, "types.toml: the key \"colums\" is not known"),
        (
            "a.csv",
            b"b\n1\n".to_vec(),
            "--extra-schema=good.toml",
            65,
            "there is no column \"a\", which the schema file names",
        ),
        ("a.csv", b"a\n1\n".to_vec(), "--extra-schema=none.toml", 78, "--extra-schema=none.toml cannot be read"),
    ] {
        let program = with_file(name, bytes)?;
        write(program.path("types.toml"), "[colums]\na = \"int\"\n")?;
        write(program.path("good.toml"), "[columns]\na = \"int\"\n")?;
        let extra = format!("--extra={name}");
        let arguments = [extra.as_str(), more];
        let arguments: Vec<&str> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
        program.run(&arguments)?.expect(code)?.says(&[told])?;
        program.check_scratch_is_empty()?;
        let left = if program.lake().exists() { listing(&program.lake())? } else { Default::default() };
        let files: Vec<_> = left.iter().filter(|(_, what)| !what.starts_with("folder")).collect();
        ensure!(files.iter().all(|(path, _)| !path.to_string_lossy().contains(".parquet")), "{name} left {files:?}");
    }
    let program = Program::new()?;
    program.run(&["--extra=nothing.csv"])?.expect(78)?.says(&["there is no such file"])?;
    ensure!(Command::new("mkfifo").arg(program.path("pipe.csv")).status()?.success(), "mkfifo");
    program.run(&["--extra=pipe.csv"])?.expect(78)?.says(&["pipe.csv is neither a file nor a folder"])?;
    Ok(())
}

#[test]
fn stopped_or_killed_it_leaves_the_old_table_and_the_next_run_is_clean() -> Result<()> {
    let program = with_file("big.csv", "id,t\n1,x\n")?;
    program.run(&["--extra=big.csv"])?.expect(0)?;
    let line = format!("12345,{}\n", "x".repeat(190));
    write(program.path("big.csv"), format!("id,t\n{}", line.repeat(400_000)))?;
    for (signal, code) in [("TERM", Some(143)), ("KILL", None)] {
        let running = program.start(&["--extra=big.csv"])?;
        let part = || -> Result<bool> {
            let found = listing(&program.lake())?;
            Ok(found.keys().any(|path| path.to_string_lossy().ends_with("part-00000.parquet.partial")))
        };
        wait_for("the first file of the table", Duration::from_secs(60), || Ok(part()?.then_some(())))?;
        running.signal(&[signal])?;
        let ended = running.wait(Duration::from_secs(30))?;
        assert_eq!(ended.code, code, "{ended}");
        assert_eq!(program.query("SELECT count(*) AS n FROM big")?, "n\n1\n");
    }
    program.run(&["--extra=big.csv"])?.expect(0)?;
    assert_eq!(program.query("SELECT count(*) AS n FROM big")?, "n\n400000\n");
    ensure!(!listing(&program.lake())?.keys().any(|path| path.to_string_lossy().ends_with(".partial")), "left over");
    Ok(())
}
