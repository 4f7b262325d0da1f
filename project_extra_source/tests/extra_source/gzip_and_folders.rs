//! Packed files and several files.

use crate::loader::{Loader, row};
use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes)?;
    Ok(packer.finish()?)
}

#[test]
fn gzip_is_seen_by_its_content_and_may_have_several_members() -> Result<()> {
    for name in ["a.csv", "a.csv.gz"] {
        let packed = [gzip(b"id,t\n1,a\n")?, gzip(b"2,b\n")?].concat();
        let loader = Loader::of(name, packed)?;
        assert_eq!(loader.load()?.rows_read, 2);
        assert_eq!(loader.table("id")?.1, [row(["1", "a"]), row(["2", "b"])]);
    }
    assert_eq!(Loader::of("a.csv.gz", "id\n1\n")?.load()?.rows_read, 1);
    Ok(())
}

#[test]
fn a_gzip_file_that_is_cut_or_damaged_is_never_a_short_table() -> Result<()> {
    let mut text = "id,t\n".to_owned();
    (0..50_000).for_each(|id| text.push_str(&format!("{id},{}\n", id * 7919 % 10_007)));
    let packed = gzip(text.as_bytes())?;
    for length in [10, 11, packed.len() / 2, packed.len() - 8, packed.len() - 1] {
        let refused = Loader::of("a.csv.gz", &packed[..length])?.refused()?;
        assert!(refused.contains("a.csv.gz: the gzip data is damaged or cut short"), "{length}: {refused}");
    }
    let mut damaged = packed.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    let refused = Loader::of("a.csv.gz", &damaged)?.refused()?;
    assert!(refused.contains("damaged"), "{refused}");
    Ok(())
}

#[test]
fn several_files_are_one_table_if_they_agree() -> Result<()> {
    let loader = Loader::of("a.csv", "id,t\n1,5\n")?.with("b.csv.gz", gzip(b"id,t\n2,x\n3\n")?)?;
    let loaded = loader.load()?;
    assert_eq!((loaded.rows_read, loaded.rows_rejected), (3, 1));
    assert_eq!(loader.table("id")?.1, [row(["1", "5"]), row(["2", "x"])]);
    let refused = Loader::of("a.csv", "id,t\n1,5\n")?.with("b.csv", "t,id\n2,x\n")?.refused()?;
    assert!(refused.contains("b.csv: column \"t\" stands where a.csv has \"id\""), "{refused}");
    let refused = Loader::of("a.csv", "id,t\n1,5\n")?.with("b.csv", "id\n2\n")?.refused()?;
    assert!(refused.contains("b.csv: there are 1 columns, a.csv has 2"), "{refused}");
    let refused = Loader::of("a.csv", "id\n1\n")?.with("b.jsonl", "{}")?.refused()?;
    assert!(refused.contains("a.csv and b.jsonl are of different formats"), "{refused}");
    Ok(())
}
