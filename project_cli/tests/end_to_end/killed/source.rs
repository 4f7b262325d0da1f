//! A source that is another one in every round, so that each row tells when it was read.

use super::content::Content;
use crate::deadline::wait_for;
use crate::shop::{empty_shop, value};
use anyhow::Result;
use project_test_servers::postgres::Database;
use std::time::Duration;

/// How soon the server must notice that a client is dead.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

/// `products`, one file; `events`, one file for each date; and as many small tables as one likes.
pub(super) struct Source {
    database: Database<'static>,
    small: u32,
    round: u32,
}

impl Source {
    pub(super) fn new(small: u32) -> Result<Self> {
        let database = empty_shop()?;
        for number in 1..=small {
            database.execute(&format!("CREATE TABLE stock_{number} (id int4 PRIMARY KEY, round_number int4)"))?;
        }
        Ok(Self { database, small, round: 0 })
    }

    pub(super) fn uri(&self) -> String {
        self.database.uri()
    }

    /// `--table` for all of them.
    pub(super) fn selection(&self) -> String {
        let small = (1..=self.small).map(|number| format!(",public.stock_{number}"));
        format!("products,events{}", small.collect::<String>())
    }

    /// Every row is replaced by one of the next round. There are more or fewer of them, yet never so few that a run
    /// becomes suspicious.
    pub(super) fn advance(&mut self) -> Result<Content> {
        self.round += 1;
        let round = self.round;
        let mut sql = format!(
            "TRUNCATE products, events;
             INSERT INTO products SELECT id, 'product', {round}, '2026-01-03', true, id + 0.25, NULL
                 FROM generate_series(1, 40 + {round} % 5 * 6) AS id;
             INSERT INTO events SELECT day * 1000 + number, {round}, 'view', '{{}}', timestamptz '2026-01-01 12:00Z' + make_interval(days => day)
                 FROM generate_series(1, 4) AS day, generate_series(1, 20 + ({round} + day) % 5 * 2) AS number;"
        );
        for number in 1..=self.small {
            sql.push_str(&format!(
                "TRUNCATE stock_{number};
                 INSERT INTO stock_{number} SELECT id, {round} FROM generate_series(1, 10 + ({round} + {number}) % 3) AS id;"
            ));
        }
        self.database.execute(&sql)?;
        self.content()
    }

    fn content(&self) -> Result<Content> {
        let date = "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
        let rows = self.database.query_text(&self.sql(date, "public."))?;
        Content::of_rows(rows.iter().map(|row| row.iter().map(|field| field.as_deref().unwrap_or_default()).collect()))
    }

    /// What any reader of the lake is asked.
    pub(super) fn lake_sql(&self) -> String {
        self.sql("dt", "public_")
    }

    fn sql(&self, date: &str, prefix: &str) -> String {
        let table = |name: &str, table: &str, date: &str, round: &str| {
            let fields = format!("'{name}' AS name, {date} AS date, {round} AS round_number");
            format!("SELECT {fields}, count(*) AS number, sum(id) AS ids FROM {table} GROUP BY 1, 2, 3")
        };
        let mut tables =
            vec![table("products", "products", "''", "quantity"), table("events", "events", date, "user_id")];
        tables.extend((1..=self.small).map(|number| {
            let name = format!("stock_{number}");
            table(&name, &format!("{prefix}{name}"), "''", "round_number")
        }));
        tables.join(" UNION ALL ")
    }

    pub(super) fn wait_until_no_session_is_left(&self) -> Result<()> {
        let sql = "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'project/%'";
        wait_for("the end of the sessions of a dead run", NOTICED_WITHIN, || {
            Ok((value(&self.database, sql)? == "0").then_some(()))
        })
    }
}
