//! What each mode does with rows that are there, that are not there, and that differ.

use crate::fixture::{Fixture, figures, insertion};
use anyhow::Result;
use project_insert_data::{InsertErrorKind, Mode};
use project_postgres::TableName;

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric);
    INSERT INTO t VALUES (1, 'one', 1.0), (2, 'two', 2.0), (3, 'three', NULL);";
const FILE: &str = "id,name,amount\n2,two,2.0\n3,drei,\n4,four,4\n";
const ROWS: &str = "SELECT * FROM t ORDER BY id";

#[test]
fn insert_adds_what_is_missing_and_leaves_the_rest() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let file = fixture.csv("a.csv", FILE)?;
    assert_eq!(figures(&fixture.insert(Mode::Insert, file.clone())?), [3, 1, 0, 2, 1, 0]);
    let expected = "1,one,1.0;2,two,2.0;3,three,~;4,four,4";
    assert_eq!(fixture.rows(ROWS)?, expected);
    assert_eq!(figures(&fixture.insert(Mode::Insert, file)?), [3, 0, 0, 3, 1, 0]);
    assert_eq!(fixture.rows(ROWS)?, expected);
    Ok(())
}

#[test]
fn upsert_changes_what_differs_and_a_rerun_touches_nothing() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let file = fixture.csv("a.csv.gz", FILE)?;
    assert_eq!(figures(&fixture.insert(Mode::Upsert, file.clone())?), [3, 1, 1, 1, 0, 0]);
    assert_eq!(fixture.rows(ROWS)?, "1,one,1.0;2,two,2.0;3,drei,~;4,four,4");
    let versions = "SELECT id, xmin, ctid FROM t ORDER BY id";
    let before = fixture.rows(versions)?;
    assert_eq!(figures(&fixture.insert(Mode::Upsert, file)?), [3, 0, 0, 3, 0, 0]);
    assert_eq!(fixture.rows(versions)?, before);
    Ok(())
}

#[test]
fn replace_leaves_exactly_the_rows_of_the_file() -> Result<()> {
    let fixture = Fixture::new(TABLE)?;
    let file = fixture.csv("a.csv", FILE)?;
    assert_eq!(figures(&fixture.insert(Mode::Replace, file.clone())?), [3, 1, 1, 1, 0, 1]);
    assert_eq!(fixture.rows(ROWS)?, "2,two,2.0;3,drei,~;4,four,4");
    assert_eq!(figures(&fixture.insert(Mode::Replace, file)?), [3, 0, 0, 3, 0, 0]);
    Ok(())
}

#[test]
fn replace_without_a_key_compares_rows_as_often_as_they_come() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (a int, b json); INSERT INTO t VALUES (1, '{}'), (1, '{}'), (2, NULL)")?;
    let same = fixture.csv("same.csv", "b,a\n,2\n{},1\n{},1\n")?;
    let before = fixture.rows("SELECT xmin, ctid FROM t ORDER BY ctid")?;
    assert_eq!(figures(&fixture.insert(Mode::Replace, same)?), [3, 0, 0, 3, 0, 0]);
    assert_eq!(fixture.rows("SELECT xmin, ctid FROM t ORDER BY ctid")?, before);
    let other = fixture.csv("other.csv", "b,a\n,2\n\"{ }\",1\n{},1\n")?;
    assert_eq!(figures(&fixture.insert(Mode::Replace, other)?), [3, 3, 0, 0, 0, 3]);
    assert_eq!(fixture.rows("SELECT a, b FROM t ORDER BY a, b::text")?, "1,{ };1,{};2,~");
    Ok(())
}

#[test]
fn rows_that_a_trigger_changes_are_told() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE keyless (id int, name text);
         CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$;
         CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION shout();
         CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON keyless FOR EACH ROW EXECUTE FUNCTION shout()",
    )?;
    for mode in [Mode::Upsert, Mode::Replace] {
        for table in ["t", "keyless"] {
            let mut insertion = insertion(mode, fixture.csv("a.csv", "id,name\n1,a\n2,B\n3,c\n")?);
            insertion.table = TableName::new("public", table);
            insertion.key = (mode == Mode::Upsert).then(|| vec!["id".to_owned()]);
            insertion.force = true;
            let notes = fixture.run(&insertion)?.notes.concat();
            assert!(notes.contains("2 rows differ from the input afterwards: a trigger"), "{mode} {table}: {notes}");
        }
    }
    let changed_already = fixture.insert(Mode::Replace, fixture.csv("a.csv", "id,name\n1,A\n2,B\n3,C\n")?)?;
    assert_eq!((changed_already.unchanged, changed_already.notes), (3, Vec::new()));
    Ok(())
}

#[test]
fn without_a_key_only_replace_can_be_repeated() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (a int)")?;
    for mode in [Mode::Insert, Mode::Upsert] {
        let file = fixture.csv("a.csv", "a\n1\n")?;
        fixture.refuses(
            &insertion(mode, file),
            InsertErrorKind::Data,
            &["no primary key", "--key", "--mode=replace"],
        )?;
    }
    Ok(())
}

#[test]
fn equal_is_what_is_equal_to_the_last_bit() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric, f float8, i interval, j jsonb, p point, x xml);
         INSERT INTO t VALUES (1, 1.0, 0, '1 mon', '1.0', '(1,2)', '<a/>')",
    )?;
    let file = |row: &str| fixture.csv("a.csv", format!("id,n,f,i,j,p,x\n1,{row}\n"));
    let equal = file("1.0,0,1 mon,1.0,\"(1,2)\",<a/>")?;
    assert_eq!(fixture.insert(Mode::Upsert, equal)?.unchanged, 1);
    for other in [
        "1.00,0,1 mon,1.0,\"(1,2)\",<a/>",
        "1.00,-0,1 mon,1.0,\"(1,2)\",<a/>",
        "1.00,-0,30 days,1.0,\"(1,2)\",<a/>",
        "1.00,-0,30 days,1.00,\"(1,2)\",<a/>",
        "1.00,-0,30 days,1.00,\"(1,3)\",<a/>",
        "1.00,-0,30 days,1.00,\"(1,3)\",<b/>",
    ] {
        assert_eq!(fixture.insert(Mode::Upsert, file(other)?)?.updated, 1, "{other}");
        assert_eq!(fixture.insert(Mode::Upsert, file(other)?)?.unchanged, 1, "{other}");
    }
    Ok(())
}

#[test]
fn a_table_does_not_lose_its_rows_by_accident() -> Result<()> {
    let fixture = Fixture::new("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)")?;
    let rows = |last: u32| (1..=last).fold("id\n".to_owned(), |text, id| text + &format!("{id}\n"));
    let empty = insertion(Mode::Replace, fixture.csv("empty.csv", rows(0))?);
    fixture.refuses(&empty, InsertErrorKind::Data, &["no rows", "--force"])?;
    let four = insertion(Mode::Replace, fixture.csv("four.csv", rows(4))?);
    fixture.refuses(&four, InsertErrorKind::Data, &["6 of the 10 rows", "--max-shrink=50"])?;
    assert_eq!(fixture.insert(Mode::Replace, fixture.csv("five.csv", rows(5))?)?.deleted, 5);
    let mut forced = insertion(Mode::Replace, fixture.csv("empty.csv", rows(0))?);
    forced.force = true;
    assert_eq!(figures(&fixture.run(&forced)?), [0, 0, 0, 0, 0, 5]);
    assert_eq!(figures(&fixture.insert(Mode::Replace, fixture.csv("empty.csv", rows(0))?)?), [0; 6]);
    for mode in [Mode::Insert, Mode::Upsert] {
        assert_eq!(figures(&fixture.insert(mode, fixture.csv("empty.csv", rows(0))?)?), [0; 6]);
    }
    Ok(())
}

#[test]
fn names_are_exact_and_defaults_fill_what_the_file_lacks() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE SCHEMA \"my.schema\";
         CREATE TABLE \"my.schema\".\"T \"\"x\" (\"Order Id\" int PRIMARY KEY, \"select\" text, n int NOT NULL DEFAULT 7,
            g int GENERATED ALWAYS AS (n + 1) STORED, i int GENERATED BY DEFAULT AS IDENTITY)",
    )?;
    let mut insertion = insertion(Mode::Insert, fixture.csv("a.csv", "order_id,select\n1,a\n2,\"\"\n3,\n")?);
    insertion.table = TableName::new("my.schema", "T \"x");
    assert_eq!(figures(&fixture.run(&insertion)?), [3, 3, 0, 0, 0, 0]);
    assert_eq!(fixture.rows("SELECT * FROM \"my.schema\".\"T \"\"x\" ORDER BY 1")?, "1,a,7,8,1;2,,7,8,2;3,~,7,8,3");
    Ok(())
}

#[test]
fn partitioned_tables_and_types_of_extensions_and_domains_work() -> Result<()> {
    let fixture = Fixture::new(
        "CREATE EXTENSION citext; CREATE DOMAIN positive AS numeric(6,2) CHECK (VALUE > 0);
         CREATE TABLE t (k citext, part int, p positive, PRIMARY KEY (k, part)) PARTITION BY LIST (part);
         CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);
         INSERT INTO t VALUES ('A', 1, 1), ('b', 2, 2)",
    )?;
    let file = fixture.csv("a.csv", "k,part,p\na,1,1\nb,2,2.00\nc,2,3.5\n")?;
    assert_eq!(figures(&fixture.insert(Mode::Upsert, file)?), [3, 1, 1, 1, 0, 0]);
    assert_eq!(fixture.rows("SELECT * FROM t ORDER BY k")?, "a,1,1.00;b,2,2.00;c,2,3.50");
    let wrong = insertion(Mode::Upsert, fixture.csv("a.csv", "k,part,p\nz,1,-1\n")?);
    fixture.refuses(&wrong, InsertErrorKind::Data, &["check"])?;
    let nowhere = insertion(Mode::Upsert, fixture.csv("a.csv", "k,part,p\nz,3,1\n")?);
    fixture.refuses(&nowhere, InsertErrorKind::Data, &["partition"])?;
    Ok(())
}

#[test]
fn a_key_without_an_index_works_and_is_told() -> Result<()> {
    let fixture =
        Fixture::new("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (NULL, 'y'), (NULL, 'z')")?;
    let mut insertion = insertion(Mode::Upsert, fixture.csv("a.csv", "a,b\n1,xx\n2,yy\n")?);
    insertion.key = Some(vec!["a".to_owned()]);
    let done = fixture.run(&insertion)?;
    assert_eq!(figures(&done), [2, 1, 1, 0, 0, 0]);
    assert!(done.notes.concat().contains("no unique index"), "{:?}", done.notes);
    fixture.database.execute("INSERT INTO t VALUES (2, 'again')")?;
    fixture.refuses(&insertion, InsertErrorKind::Data, &["public.t has 1 key ", "more than once"])?;
    Ok(())
}
