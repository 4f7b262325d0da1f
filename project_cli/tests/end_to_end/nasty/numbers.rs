//! Numbers that other tools cut, round or turn into something else.

use super::source::Source;
use crate::every_value::read_footer;
use anyhow::{Result, ensure};
use serde_json::Value;

#[test]
fn n01_a_figure_that_no_decimal_holds_is_told_with_the_remedy_wherever_it_stands() -> Result<()> {
    let source = Source::new(
        "CREATE TYPE pair AS (a numeric, b text);
         CREATE TABLE t (id int, list numeric[], pair pair, span numrange, spans nummultirange);
         INSERT INTO t VALUES (1, '{1}', '(1,)', '[1,2)', '{[1,2)}'), (2, '{0.125,1e-19}', '(1e-19,x)', '[0,1e-19)', '{[0,1e-19)}')",
    )?;
    let columns = ["list", "pair", "span", "spans"];
    for column in columns {
        source.database.execute(&format!("CREATE VIEW only_{column} AS SELECT id, {column} FROM t"))?;
        let ended = source.run(&format!("public.only_{column}"), &[])?.expect(65)?;
        ended.says(&[&format!("column \"{column}\""), "row 2", "--numeric=string"])?.never_says("0.125")?;
    }
    source.run("public.t", &["--numeric=string"])?.expect(0)?;
    let read = source.read("public_t")?;
    for column in columns {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    source.database.execute("DELETE FROM t WHERE id = 2")?;
    source.run("public.t", &["--numeric=decimal(4,1)"])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(
        columns.map(|column| read.column(column)).into_iter().collect::<Result<Vec<_>>>()?.concat(),
        ["{1.0}", "(1.0,)", "[1.0,2.0)", "{\"[1.0,2.0)\"}"]
    );
    Ok(())
}

#[test]
fn n02_numerics_beyond_38_digits_are_text() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, long numeric(247,0), longer numeric(300,200), list numeric(39,0)[], any_numeric numeric);
         INSERT INTO t VALUES (1, repeat('9', 247)::numeric, 1e-200, ARRAY[repeat('8', 39)::numeric, NULL], repeat('7', 1000)::numeric),
             (2, -1, -1.5, '{}', 1e-1000), (3, NULL, NULL, NULL, NULL)",
    )?;
    source.run("public.t", &["--numeric=string"])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "long varchar, longer varchar, list array(varchar), any_numeric varchar");
    for column in ["long", "longer", "list", "any_numeric"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    Ok(())
}

#[test]
fn n03_negative_scales_and_scales_above_the_precision_are_decimals() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, hundreds numeric(5,-2), small numeric(3,5), list numeric(2,-3)[]);
         INSERT INTO t VALUES (1, 9999900, 0.00999, '{99000,-1000,0}'), (2, -1250, -0.00001, '{499}'), (3, 0, 0, '{500}')",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "hundreds decimal(7,0), small decimal(5,5), list array(decimal(5,0))");
    assert_eq!(read.column("hundreds")?, ["9999900", "-1300", "0"]);
    assert_eq!(read.column("small")?, ["0.00999", "-0.00001", "0.00000"]);
    assert_eq!(read.column("list")?, ["{99000,-1000,0}", "{0}", "{1000}"]);
    Ok(())
}

#[test]
fn n04_nan_and_infinities_of_numeric_are_null_text_or_an_error_wherever_they_stand() -> Result<()> {
    let source = Source::new(
        "CREATE TYPE pair AS (a numeric, b numeric(9,2));
         CREATE TABLE t (id int, one numeric NOT NULL, list numeric[], pair pair, span numrange);
         INSERT INTO t VALUES (1, 'NaN', '{NaN,1,Infinity,NULL}', '(-Infinity,NaN)', '[1,Infinity]'),
             (2, 'Infinity', '{}', NULL, 'empty'), (3, '-Infinity', NULL, '(1,2)', '(,)'), (4, 0, '{2}', '(,)', '[1,2)')",
    )?;
    let ended = source.run("public.t", &[])?.expect(0)?.says(&[
        "column \"one\": 3 values were NaN or infinite, now NULL",
        "column \"list\": 2 values were NaN or infinite, now NULL",
        "column \"pair\": 2 values were NaN or infinite, now NULL",
        "column \"span\": 1 values were NaN or infinite, now NULL",
    ])?;
    assert_eq!(ended.report()?["tasks"][0]["changes"].as_array().map(Vec::len), Some(4));
    let read = source.read("public_t")?;
    let zeros = "0".repeat(18);
    assert_eq!(read.column("one")?, ["NULL", "NULL", "NULL", &format!("0.{zeros}")]);
    let lists = [&format!("{{NULL,1.{zeros},NULL,NULL}}"), "{}", "NULL", &format!("{{2.{zeros}}}")];
    assert_eq!(read.column("list")?, lists);
    assert_eq!(read.column("pair")?, ["(,)", "NULL", &format!("(1.{zeros},2.00)"), "(,)"]);
    assert_eq!(read.column("span")?[0], format!("[1.{zeros},]"));

    source.run("public.t", &["--nan=string"])?.expect(0)?;
    let read = source.read("public_t")?;
    for column in ["one", "list", "pair", "span"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    for column in ["one", "list", "pair", "span"] {
        source.database.execute(&format!("CREATE OR REPLACE VIEW only_{column} AS SELECT id, {column} FROM t"))?;
        let ended = source.run(&format!("public.only_{column}"), &["--nan=error"])?.expect(65)?;
        ended.says(&[&format!("column \"{column}\""), "--nan=null"])?;
    }
    Ok(())
}

#[test]
fn n05_no_digit_of_a_numeric_is_lost() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, exact numeric(38,20), plain numeric);
         INSERT INTO t SELECT row_number() OVER (), n, n FROM unnest(ARRAY[1.00000001, 1e-20, 1.500, -0.0, 10000.0001,
             100000000, 0.00010000, 123456789012345678.00000000000000000001, -0.9999, 10000, 9999.9999]) AS n",
    )?;
    source.run("public.t", &["--numeric=string"])?.expect(0)?;
    let read = source.read("public_t")?;
    for column in ["exact", "plain"] {
        assert_eq!(read.column(column)?, source.printed("t", &format!("{column}::text"))?);
    }
    ensure!(read.column("plain")?.contains(&"1.500".to_owned()), "zeros at the end belong to the text");
    Ok(())
}

#[test]
fn n06_floats_keep_nan_and_infinities() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, real float4, double float8, list float8[], only_nan float8, zeros float8);
         INSERT INTO t VALUES (1, 'NaN', 'NaN', '{NaN,1}', 'NaN', '-0'), (2, 'Infinity', 'Infinity', '{-0}', 'NaN', '0'),
             (3, '-Infinity', '-Infinity', '{Infinity}', 'NaN', '-0'), (4, '-0', '-0', '{-Infinity}', NULL, '0'),
             (5, 1.5, 1.5, NULL, 'NaN', '-0')",
    )?;
    let ended = source.run("public.t", &["--nan=error", "--infinity=error"])?.expect(0)?;
    assert_eq!(ended.report()?["tasks"][0]["changes"].as_array().map_or(0, Vec::len), 0);
    let read = source.read("public_t")?;
    for column in ["real", "double", "list", "only_nan", "zeros"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    // A reader that trusts bounds of NaN skips what it should read.
    for (path, leaf) in read_footer(&source.program.lake().join("public_t"))?.leaves {
        for bounds in &leaf.statistics {
            let text = format!("{} {}", bounds["min"], bounds["max"]).to_lowercase();
            ensure!(!text.contains("nan"), "{path}: {bounds}");
            // Nor may bounds of zero leave out the zero of the other sign.
            if path == "zeros" {
                assert_eq!((&bounds["min"], &bounds["max"]), (&Value::from("-0.0"), &Value::from("0.0")));
            }
        }
    }
    Ok(())
}

#[test]
fn n07_integers_above_2_to_the_53_stay_exact() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, big int8 NOT NULL, list int8[], doc jsonb, plain json);
         INSERT INTO t SELECT row_number() OVER (), n, ARRAY[n, NULL, n - 1], jsonb_build_object('n', n), to_json(n)
             FROM unnest(ARRAY[9007199254740993, -9007199254740993, 9223372036854775807, -9223372036854775807]) AS n;
         UPDATE t SET doc = '{\"n\": 12345678901234567890.123456789, \"m\": 1e30}' WHERE id = 4",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "big bigint, list array(bigint), doc varchar, plain varchar");
    for column in ["big", "list", "doc", "plain"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    ensure!(read.column("doc")?[3].contains("12345678901234567890.123456789"), "{:?}", read.column("doc"));
    let bounds = &read_footer(&source.program.lake().join("public_t"))?.leaves["big"].statistics[0];
    assert_eq!((&bounds["min"], &bounds["max"]), (&"-9223372036854775807".into(), &"9223372036854775807".into()));
    Ok(())
}
