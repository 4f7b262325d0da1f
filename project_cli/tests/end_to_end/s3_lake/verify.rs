//! `--verify` with files that leave the disk while their task goes on.

use super::early_upload::eight_dates;
use super::{Aws, BUCKET, ROLE};
use anyhow::{Result, ensure};
use serde_json::json;

/// A column that is read through a cast, and a cast that tells the query that reads something else of one row.
const FICKLE_CAST: &str = "
    CREATE TYPE pair AS (\"Id\" int, \"id\" int);
    CREATE FUNCTION told(pair) RETURNS text LANGUAGE sql AS
        $$ SELECT CASE WHEN current_query() LIKE 'COPY%' AND ($1).\"id\" = 4 THEN '4711' ELSE ($1).\"id\"::text END $$;
    CREATE CAST (pair AS text) WITH FUNCTION told(pair);
    ALTER TABLE events ADD COLUMN mark pair;";

#[test]
fn files_are_compared_before_they_leave_the_disk() -> Result<()> {
    let database = eight_dates()?;
    database.execute(&format!("{FICKLE_CAST} UPDATE events SET mark = ROW(id, id)::pair WHERE id <> 4"))?;
    let aws = Aws::turn()?;
    let ended = aws.publish(&database.uri(), "events", &[ROLE, "--verify"])?.expect(0)?;
    assert_eq!(ended.report()?["tasks"][0]["verified"], json!({"columns": 6, "counted_only": []}));
    assert_eq!(aws.query("SELECT count(*) AS n, sum(id) AS ids FROM events")?, "n,ids\n80,3240\n");
    Ok(())
}

#[test]
fn a_difference_takes_back_what_was_uploaded() -> Result<()> {
    let database = eight_dates()?;
    database.execute(&format!("{FICKLE_CAST} UPDATE events SET mark = ROW(id, id)::pair"))?;
    let aws = Aws::turn()?;
    let ended = aws.publish(&database.uri(), "events,users", &[ROLE, "--verify"])?.expect(65)?;
    let ended = ended
        .says(&["public.events: its finished files differ from the table: column \"mark\" (public.pair) in hash;"])?;
    assert_eq!(ended.never_says("4711")?.published()?, ["users"]);
    ensure!(aws.calls("UploadPart")?.len() >= 8, "the dates were not uploaded before");
    assert_eq!(aws.keys("shop/events/")?, [""; 0]);
    let pending = aws.server()?.list_pending_uploads(BUCKET)?;
    ensure!(pending.is_empty(), "uploads that cost money for ever: {pending:?}");
    Ok(())
}
