//! The server's types by the names that code gives them.

/// OID (`pg_type.dat`), type of `table!`, type of a row struct's field.
const NAMES: &[(u32, &str, &str)] = &[
    (16, "Bool", "bool"),
    (21, "Int2", "i16"),
    (23, "Int4", "i32"),
    (20, "Int8", "i64"),
    (700, "Float4", "f32"),
    (701, "Float8", "f64"),
    (1700, "Numeric", "Decimal"),
    (25, "Text", "String"),
    (1043, "Varchar", "String"),
    (1042, "Bpchar", "String"),
    (17, "Bytea", "Vec<u8>"),
    (1082, "Date", "Date"),
    (1114, "Timestamp", "Timestamp"),
    (1184, "Timestamptz", "Timestamp"),
    (2950, "Uuid", "UuidText"),
    (114, "Json", "JsonText"),
    (3802, "Jsonb", "JsonText"),
    (26, "Oid", "Oid"),
];

/// The type in `table!`, if it has one that a row can hold.
pub(super) fn in_table(oid: u32) -> Option<&'static str> {
    NAMES.iter().find(|(known, ..)| *known == oid).map(|(_, name, _)| *name)
}

/// The type of a field, if a row can hold it.
pub(super) fn in_struct(oid: u32) -> Option<&'static str> {
    NAMES.iter().find(|(known, ..)| *known == oid).map(|(.., name)| *name)
}

#[cfg(test)]
mod tests {
    use super::NAMES;
    use diesel::deserialize::FromSql;
    use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
    use diesel::sql_types::{
        Bool, Bpchar, Bytea, Date, Float4, Float8, HasSqlType, Int2, Int4, Int8, Json, Jsonb, Numeric, Oid, Text,
        Timestamp, Timestamptz, Uuid, Varchar,
    };
    use project_postgres::value::{self, Decimal, FromPostgres, JsonText, TEXT_TYPES, UuidText};

    struct NoLookup;

    impl PgMetadataLookup for NoLookup {
        fn lookup_type(&mut self, type_name: &str, _schema: Option<&str>) -> PgTypeMetadata {
            panic!("{type_name} is not built in")
        }
    }

    /// Compiles only where Diesel reads the type into the field; then both must read what the table says.
    fn check<ST, Field>(row: (u32, &str, &str))
    where
        Pg: HasSqlType<ST>,
        Field: FromSql<ST, Pg> + FromPostgres,
    {
        let (oid, in_table, in_struct) = row;
        assert!(Field::oids().contains(&oid), "{in_struct} does not read {oid}");
        let declared = <Pg as HasSqlType<ST>>::metadata(&mut NoLookup).oid().unwrap();
        let text = TEXT_TYPES.contains(&oid) && TEXT_TYPES.contains(&declared);
        assert!(declared == oid || text, "{in_table} is {declared}, not {oid}");
        let name = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
        let field = std::any::type_name::<Field>().replace("alloc::vec::", "");
        assert_eq!(name(&field), in_struct);
    }

    #[test]
    fn every_name_stands_for_its_type() {
        let [bool, i16, i32, i64, f32, f64, rest @ ..] = NAMES else { panic!("too few") };
        check::<Bool, bool>(*bool);
        check::<Int2, i16>(*i16);
        check::<Int4, i32>(*i32);
        check::<Int8, i64>(*i64);
        check::<Float4, f32>(*f32);
        check::<Float8, f64>(*f64);
        let [numeric, text, varchar, bpchar, bytea, rest @ ..] = rest else { panic!("too few") };
        check::<Numeric, Decimal>(*numeric);
        check::<Text, String>(*text);
        check::<Varchar, String>(*varchar);
        check::<Bpchar, String>(*bpchar);
        check::<Bytea, Vec<u8>>(*bytea);
        let [date, timestamp, timestamptz, uuid, json, jsonb, oid] = rest else { panic!("another number of types") };
        check::<Date, value::Date>(*date);
        check::<Timestamp, value::Timestamp>(*timestamp);
        check::<Timestamptz, value::Timestamp>(*timestamptz);
        check::<Uuid, UuidText>(*uuid);
        check::<Json, JsonText>(*json);
        check::<Jsonb, JsonText>(*jsonb);
        check::<Oid, value::Oid>(*oid);
    }
}
