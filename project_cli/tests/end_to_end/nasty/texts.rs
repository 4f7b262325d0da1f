//! Text, and what looks like text.

use super::source::Source;
use crate::every_value::read_footer;
use anyhow::Result;

#[test]
fn n16_a_uuid_is_text_of_36_characters() -> Result<()> {
    let source = Source::new(
        "CREATE TABLE t (id int, key uuid NOT NULL, list uuid[]);
         INSERT INTO t SELECT i, key, ARRAY[key, NULL] FROM generate_series(1, 50) AS i, LATERAL
             (SELECT md5(i::text)::uuid AS key) AS made",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "key varchar, list array(varchar)");
    assert_eq!(read.column("key")?, source.printed("t", "key")?);
    assert_eq!(read.column("list")?, source.printed("t", "list")?);
    for path in ["key", "list.list.element"] {
        let leaves = read_footer(&source.program.lake().join("public_t"))?.leaves;
        let leaf = &leaves[path];
        assert_eq!((leaf.physical.as_str(), leaf.logical.as_str()), ("BYTE_ARRAY", "String"), "{path}");
    }
    Ok(())
}

#[test]
fn n17_json_is_the_text_that_was_stored() -> Result<()> {
    let source = Source::new(
        r#"CREATE TABLE t (id int, plain json, list json[], tree jsonb);
           INSERT INTO t VALUES
               (1, '{"a": 1,   "a": 2}', ARRAY['{"a":1,"a":2}', '1.50']::json[], '{"b": 1, "a": 2, "a": 3}'),
               (2, '"\u0000 \ud83d\ude00 \/ \u00e9"', '{}', '"\ud83d\ude00 \u00e9"'),
               (3, E' [1.50,\n1E400]\t', NULL, '[1.50, 1E40]'), (4, 'null', '{NULL,"null"}', 'null'), (5, NULL, NULL, NULL)"#,
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    for column in ["plain", "list", "tree"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    assert_eq!(read.column("plain")?[1], r#""\u0000 \ud83d\ude00 \/ \u00e9""#);
    Ok(())
}

#[test]
fn n18_text_that_is_not_utf8_obeys_the_policy_inside_of_everything() -> Result<()> {
    let source = Source::sql_ascii(
        r"CREATE EXTENSION hstore; CREATE EXTENSION citext;
          CREATE TYPE pair AS (n int, note text);
          CREATE TABLE t (id int, list text[], pair pair, pairs pair[], attributes hstore, range_of_text citext, short varchar(9));
          INSERT INTO t VALUES
              (1, ARRAY['fine'], (1, 'fine'), ARRAY[(1, 'fine')]::pair[], 'a=>fine', 'fine', 'fine'),
              (2, ARRAY['ok', E'caf\xe9', NULL], (2, E'\xff'), ARRAY[(1, 'ok'), (2, E'\xc3')]::pair[], hstore(E'k\xe9', E'\xe9'),
                  E'\x80', E'a\xe9b'),
              (3, NULL, NULL, NULL, NULL, NULL, NULL)",
    )?;
    let columns = ["list", "pair", "pairs", "attributes", "range_of_text", "short"];
    for column in columns {
        source.database.execute(&format!("CREATE VIEW only_{column} AS SELECT id, {column} FROM t"))?;
        let ended = source.run(&format!("public.only_{column}"), &[])?.expect(65)?;
        ended.says(&[&format!("column \"{column}\""), "row 2 of this read is not valid UTF-8"])?.never_says("caf")?;
    }
    let ended = source.run("public.t", &["--invalid-text=replace"])?.expect(0)?;
    ended.says(&[
        "column \"list\": 1 values were not valid UTF-8",
        "column \"attributes\": 2 values were not valid UTF-8",
    ])?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("list")?, ["{fine}", "{ok,caf\u{fffd},NULL}", "NULL"]);
    assert_eq!(read.column("pair")?, ["(1,fine)", "(2,\u{fffd})", "NULL"]);
    assert_eq!(read.column("pairs")?, ["{\"(1,fine)\"}", "{\"(1,ok)\",\"(2,\u{fffd})\"}", "NULL"]);
    assert_eq!(read.column("attributes")?, ["\"a\"=>\"fine\"", "\"k\u{fffd}\"=>\"\u{fffd}\"", "NULL"]);
    assert_eq!(read.column("range_of_text")?, ["fine", "\u{fffd}", "NULL"]);
    assert_eq!(read.column("short")?, ["fine", "a\u{fffd}b", "NULL"]);
    Ok(())
}

#[test]
fn n18_text_that_is_not_utf8_is_kept_as_bytes_or_refused_with_the_remedy_that_is_left() -> Result<()> {
    let source = Source::sql_ascii(
        r"CREATE EXTENSION hstore; CREATE EXTENSION citext;
          CREATE TYPE pair AS (n int, note text);
          CREATE TABLE t (id int, list text[], pair pair, padded char(2)) ;
          INSERT INTO t VALUES (1, ARRAY[E'\xe9', NULL], (2, E'\xff'), E'\x80');
          CREATE TABLE map AS SELECT 1 AS id, hstore('k', E'\xe9') AS value;
          CREATE TABLE word AS SELECT 1 AS id, E'\x80'::citext AS value",
    )?;
    source.run("public.t", &["--invalid-text=binary"])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.types(), "list array(varbinary), pair row(n integer, note varbinary), padded varbinary");
    assert_eq!(read.column("list")?, [r#"{"\\xe9",NULL}"#]);
    assert_eq!(read.column("pair")?, [r#"(2,"\\xff")"#]);
    assert_eq!(read.column("padded")?, [r"\x8020"]);
    // There are no bytes of these.
    for table in ["public.map", "public.word"] {
        let ended = source.run(table, &["--invalid-text=binary"])?.expect(65)?;
        ended.says(&["column \"value\"", "or choose --invalid-text=replace"])?.never_says("replace or")?;
        source.run(table, &["--invalid-text=replace"])?.expect(0)?;
    }
    Ok(())
}

#[test]
fn n19_padding_stays_and_empty_is_not_null() -> Result<()> {
    let source = Source::new(
        r"CREATE TABLE t (id int, padded char(5), list char(3)[], note text, bytes bytea, notes text[]);
          INSERT INTO t VALUES (1, 'ab', '{a,NULL}', '', '', ARRAY['']), (2, '', '{}', 'NULL', 'NULL', '{NULL,NULL}'),
              (3, 'abcde', NULL, '\N', '\\N', ARRAY['NULL', '\N', '']), (4, NULL, NULL, NULL, NULL, NULL)",
    )?;
    source.run("public.t", &[])?.expect(0)?;
    let read = source.read("public_t")?;
    assert_eq!(read.column("padded")?, ["ab   ", "     ", "abcde", "NULL"]);
    assert_eq!(read.column("list")?, ["{\"a  \",NULL}", "{}", "NULL", "NULL"]);
    for column in ["note", "bytes", "notes"] {
        assert_eq!(read.column(column)?, source.printed("t", column)?, "{column}");
    }
    // Here NULL and the word differ.
    let nulls =
        "SELECT count(*) - count(note) AS a, count(*) - count(bytes) AS b, sum(CASE note WHEN '' THEN 1 END) AS c,
                 sum(CASE note WHEN 'NULL' THEN 1 END) AS d FROM public_t";
    assert_eq!(source.program.query(nulls)?, "a,b,c,d\n1,1,1,1\n");
    Ok(())
}
