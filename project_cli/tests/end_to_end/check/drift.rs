//! The compiled tables and structs beside the live database.

use crate::program::Program;
use crate::shop::{EVERYTHING, tiny_shop};
use anyhow::{Result, ensure};

/// A change of the database that a task cannot read.
struct Break {
    sql: &'static str,
    task: &'static str,
    /// What is said of it, by `check` and by a run.
    says: &'static [&'static str],
    /// How the line of the column begins or ends.
    line: &'static str,
}

const BREAKS: [Break; 7] = [
    Break {
        sql: "ALTER TABLE users ALTER country TYPE int USING 1",
        task: "users",
        says: &[
            "public.users: column \"country\" is integer in the database, but project_schemas/src/tables.rs says Nullable<Text>; write `country -> Nullable<Int4>,` there",
        ],
        line: "users,public.users,country,integer,Nullable<Text>,\"retyped, the task fails: `country -> Nullable<Int4>,`\",,,,",
    },
    Break {
        sql: "ALTER TABLE currencies ALTER type TYPE int USING 1",
        task: "combined_orders",
        says: &["write `#[sql_name = \"type\"] type_ -> Nullable<Int4>,` there"],
        line: "combined_orders,public.currencies,type,integer,",
    },
    Break {
        sql: "ALTER TABLE products ALTER quantity TYPE int8, ALTER name TYPE text[] USING NULL",
        task: "products",
        says: &[
            "public.products: column \"quantity\" is bigint in the database, but project_schemas/src/products.rs says Option<i32>; write `pub quantity: Option<i64>,` there",
            "public.products: column \"name\" is text[] in the database, but project_schemas/src/products.rs says Option<String>; no row can hold that type",
        ],
        line: "products,public.products,quantity,bigint,Option<i32>,\"retyped, the task fails: `pub quantity: Option<i64>,`\",,,,",
    },
    Break {
        sql: "ALTER TABLE products DROP COLUMN price, DROP COLUMN approved",
        task: "products",
        says: &[
            "public.products has no column \"price\", which the task products reads; correct `pub price: Option<Decimal>,` in project_schemas/src/products.rs",
            "has no column \"approved\"",
        ],
        line: "products,public.products,price,,Option<Decimal>,\"missing, the task fails\",,,,",
    },
    Break {
        sql: "ALTER TABLE users DROP CONSTRAINT users_pkey, ALTER id DROP NOT NULL",
        task: "users",
        says: &[
            "public.users: column \"id\" may be NULL in the database, but project_schemas/src/tables.rs says Int4; write `id -> Nullable<Int4>,` there",
        ],
        line: "users,public.users,id,integer,Int4,\"may be NULL, the task fails: `id -> Nullable<Int4>,`\",,,,",
    },
    Break {
        sql: "ALTER TABLE events ALTER created_at TYPE text",
        task: "events",
        says: &[
            "public.events: column \"created_at\" is text in the database, but project_tasks/src/tasks/events.rs says a date, timestamp or timestamptz",
        ],
        line: "events,public.events,created_at,text,",
    },
    Break {
        sql: "ALTER TABLE events RENAME created_at TO at",
        task: "events",
        says: &["public.events has no column \"created_at\"", "correct project_tasks/src/tasks/events.rs"],
        line: "events,public.events,created_at,,",
    },
];

#[test]
fn what_a_task_cannot_read_is_told_by_check_and_by_a_run_that_goes_on_without_it() -> Result<()> {
    for Break { sql, task, says, line } in BREAKS {
        let database = tiny_shop()?;
        database.execute(sql)?;
        let program = Program::new()?;
        let (uri, tables) = (database.uri(), format!("--table={task},public.taxes"));
        let checked = program.run(&["check", &uri, &tables, "--format=csv"])?.expect(65)?.says(says)?;
        ensure!(checked.stdout.lines().any(|found| found.starts_with(line)), "{sql}: expected {line:?}: {checked}");
        let ended = program.run(&[&uri, &tables, "--format=json"])?.expect(65)?.says(says)?;
        assert_eq!(ended.published()?, ["public_taxes"], "{sql}");
    }
    Ok(())
}

#[test]
fn what_breaks_nothing_is_a_remark() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "ALTER TABLE users ADD phone text;
         UPDATE products SET uuid = gen_random_uuid();
         ALTER TABLE products ALTER uuid SET NOT NULL, ADD \"type\" int8 NOT NULL DEFAULT 1;
         ALTER TABLE orders ALTER uuid TYPE text, ALTER active DROP NOT NULL",
    )?;
    let program = Program::new()?;
    let uri = database.uri();
    let checked = program.run(&["check", &uri, "--table=combined_orders,users,products", "--format=csv"])?.expect(0)?;
    for line in [
        "users,public.users,phone,text,,\"added: `phone -> Nullable<Text>,`\",,,,",
        "products,public.products,uuid,uuid,Option<UuidText>,\"NOT NULL: `pub uuid: UuidText,`\",,,,",
        "products,public.products,type,bigint,,\"added: `#[sqlx(rename = \"\"type\"\")] pub type_: i64,`\",,,,",
        "combined_orders,public.orders,uuid,text,\"Uuid, not read\",\"retyped: `uuid -> Text,`\",,,,",
        "combined_orders,public.orders,active,boolean,\"Bool, to filter by\",\"may be NULL: `active -> Nullable<Bool>,`\",,,,",
    ] {
        ensure!(checked.stdout.lines().any(|found| found == line), "expected {line:?}: {checked}");
    }
    let ended = program.publish(&uri, "combined_orders,users,products")?.expect(0)?;
    assert_eq!(ended.published()?, ["combined_orders", "users", "products"]);
    Ok(())
}

#[test]
fn other_names_for_the_same_bytes_have_not_drifted() -> Result<()> {
    let database = tiny_shop()?;
    database.execute(
        "CREATE DOMAIN cents AS numeric(12,2) CHECK (VALUE >= 0);
         CREATE DOMAIN price AS cents;
         ALTER TABLE products ALTER price TYPE price, ALTER name TYPE char(9);
         ALTER TABLE users ALTER country TYPE text, ALTER email TYPE varchar(99);
         ALTER TABLE events ALTER created_at TYPE timestamp;
         ALTER TABLE taxes RENAME TO all_taxes;
         CREATE VIEW taxes AS SELECT * FROM all_taxes",
    )?;
    let program = Program::new()?;
    let checked = program.run(&["check", &database.uri(), "--table", EVERYTHING, "--format=json"])?.expect(0)?;
    let lines = checked.report()?;
    ensure!(lines.as_array().is_some_and(|lines| lines.iter().all(|line| line["drift"].is_null())), "{checked}");
    let ended = program.publish(&database.uri(), EVERYTHING)?.expect(0)?;
    assert_eq!(ended.published()?.len(), 5);
    Ok(())
}
