//! `--extra`: files from S3 and from the disk become tables of a lake on S3.

use super::{Aws, BUCKET, CATALOG, LAKE, ROLE};
use anyhow::{Context, Result};
use std::fs::write;

const PUBLISHED: &str = "product_id,price\n1,12.50\n2,7.00\n";

impl Aws {
    fn put(&self, key: &str, text: &str) -> Result<()> {
        self.server()?.put_object(BUCKET, key, text.as_bytes())
    }
}

#[test]
fn a_prefix_becomes_a_table_of_the_crawler() -> Result<()> {
    let aws = Aws::turn()?;
    for (key, text) in [
        ("in/prices/2026/a.csv", "product_id,price\n1,12.50\n"),
        ("in/prices/b.csv", "product_id,price\n2,7\n3\n"),
        ("in/prices/_SUCCESS", ""),
        ("in/prices.old/c.csv", "product_id,price\n9,9\n"),
    ] {
        aws.put(key, text)?;
    }
    let arguments = ["--extra=s3://lake/in/prices", LAKE, "--scratch=scratch", "--format=json", ROLE];
    let ended = aws.program.run(&[&arguments, &CATALOG[..]].concat())?.expect(0)?;
    assert_eq!(ended.published()?, ["prices"]);
    aws.program.check_scratch_is_empty()?;
    assert_eq!(aws.query("SELECT product_id, price FROM prices ORDER BY product_id")?, PUBLISHED);
    let rejects = aws.query("SELECT file_name, line_number, raw_text FROM prices__rejects")?;
    assert_eq!(rejects, "file_name,line_number,raw_text\ns3://lake/in/prices/b.csv,3,3\n");
    assert_eq!(aws.glue_columns("prices")?.0, ["product_id bigint", "price decimal(4,2)"]);
    Ok(())
}

#[test]
fn a_file_becomes_a_table_of_the_catalog() -> Result<()> {
    let aws = Aws::turn()?;
    aws.server()?.glue("CreateDatabase", &serde_json::json!({"DatabaseInput": {"Name": "shop"}}))?;
    write(aws.program.path("prices.csv"), "product_id,price\n1,12.50\n2,7\n")?;
    let catalog =
        [LAKE, "--publish=catalog", "--s3-path-style", "--glue-database=shop", "--scratch=scratch", "--format=json"];
    let ended = aws.program.run(&[&["--extra=prices.csv"], &catalog[..]].concat())?.expect(0)?;
    assert_eq!(ended.published()?, ["prices"]);
    assert_eq!(aws.query("SELECT product_id, price FROM prices ORDER BY product_id")?, PUBLISHED);
    let missing = [&["--extra=s3://lake/nothing/"], &catalog[..]].concat();
    aws.program.run(&missing)?.expect(78)?.says(&["there is no such file, and none below it"])?;
    let bytes = aws.server()?.get_object(BUCKET, aws.keys("shop/run=")?.first().context("a file")?)?;
    assert_eq!(&bytes[..4], b"PAR1");
    aws.program.check_scratch_is_empty()
}
