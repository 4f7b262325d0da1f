//! What a column's type is made of, as the catalog resolves it: domains, arrays, composites, ranges, to their ground.

use sqlx::postgres::types::Oid;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;

/// A type; a domain is the type below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogType {
    /// A type without parts, or one whose parts are nobody else's business.
    Scalar {
        /// `pg_type.oid`.
        oid: u32,
        /// Type modifier, -1 for none.
        modifier: i32,
    },
    /// One of some labels.
    Enum,
    /// Any number of elements in any number of dimensions: the server does not keep to what was declared.
    Array(Box<Self>),
    /// A row type, with the attributes that were not dropped.
    Composite(Vec<CatalogAttribute>),
    /// A range of the type.
    Range(Box<Self>),
    /// Several ranges of the type.
    Multirange(Box<Self>),
    /// Keys and values, both text: the extension hstore.
    Hstore,
}

/// An attribute of a composite type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogAttribute {
    /// Name, as the catalog spells it.
    pub name: String,
    /// Its type.
    pub data_type: CatalogType,
}

impl CatalogType {
    /// `pg_type.oid` of a type without parts; 0, which no type has, for the others.
    pub fn oid(&self) -> u32 {
        match self {
            Self::Scalar { oid, .. } => *oid,
            _ => 0,
        }
    }
}

/// Everything that the types of a relation's columns are made of. `rngmultitypid` is younger than the oldest server
/// that we read.
const TYPES: &str = "
    WITH RECURSIVE part(oid) AS (
        SELECT atttypid FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
        UNION
        SELECT below.oid FROM part
        JOIN pg_catalog.pg_type t ON t.oid = part.oid
        CROSS JOIN LATERAL (
            SELECT t.typbasetype WHERE t.typtype = 'd'
            UNION ALL SELECT t.typelem WHERE t.typsend = 'pg_catalog.array_send'::pg_catalog.regproc
            UNION ALL SELECT atttypid FROM pg_catalog.pg_attribute
                WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
            UNION ALL SELECT rngsubtype FROM pg_catalog.pg_range WHERE rngtypid = t.oid
            UNION ALL SELECT rngsubtype FROM pg_catalog.pg_range r
                WHERE t.typtype = 'm' AND (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid
        ) AS below(oid)
    )
    SELECT t.oid, t.typtype::text, t.typbasetype, t.typtypmod,
        CASE WHEN t.typsend = 'pg_catalog.array_send'::pg_catalog.regproc THEN t.typelem END,
        (SELECT rngsubtype FROM pg_catalog.pg_range r
         WHERE r.rngtypid = t.oid OR t.typtype = 'm' AND (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid),
        EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid = t.typsend AND p.proname = 'hstore_send'),
        a.names, a.types, a.modifiers
    FROM part JOIN pg_catalog.pg_type t ON t.oid = part.oid
    CROSS JOIN LATERAL (
        SELECT pg_catalog.array_agg(attname::text ORDER BY attnum), pg_catalog.array_agg(atttypid ORDER BY attnum),
               pg_catalog.array_agg(atttypmod ORDER BY attnum)
        FROM pg_catalog.pg_attribute
        WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
    ) AS a(names, types, modifiers)";

/// Types within types; the server allows no circle, and nobody nests so deep.
const MOST_DEPTH: u32 = 32;

/// The types that the columns of one relation are made of.
#[derive(Debug)]
pub(crate) struct CatalogTypes(HashMap<u32, TypeRow>);

/// A row of `pg_type`, as far as it matters.
#[derive(Debug)]
struct TypeRow {
    kind: String,
    base: u32,
    modifier: i32,
    element: Option<u32>,
    range_of: Option<u32>,
    hstore: bool,
    /// Name, type and modifier.
    attributes: Vec<(String, u32, i32)>,
}

impl CatalogTypes {
    /// Asks the catalog for the types of the relation's columns.
    pub(crate) async fn of_relation(connection: &mut PgConnection, relation: u32) -> sqlx::Result<Self> {
        let rows = sqlx::query(TYPES).bind(Oid(relation)).persistent(false).fetch_all(connection).await?;
        let mut types = HashMap::with_capacity(rows.len());
        for row in rows {
            let Oid(oid) = row.try_get(0)?;
            let names: Option<Vec<String>> = row.try_get(7)?;
            let oids: Option<Vec<Oid>> = row.try_get(8)?;
            let modifiers: Option<Vec<i32>> = row.try_get(9)?;
            let attributes = (names.unwrap_or_default().into_iter())
                .zip(oids.unwrap_or_default())
                .zip(modifiers.unwrap_or_default())
                .map(|((name, Oid(oid)), modifier)| (name, oid, modifier));
            let Oid(base) = row.try_get(2)?;
            let found = TypeRow {
                kind: row.try_get(1)?,
                base,
                modifier: row.try_get(3)?,
                element: row.try_get::<Option<Oid>, _>(4)?.map(|Oid(oid)| oid),
                range_of: row.try_get::<Option<Oid>, _>(5)?.map(|Oid(oid)| oid),
                hstore: row.try_get(6)?,
                attributes: attributes.collect(),
            };
            types.insert(oid, found);
        }
        Ok(Self(types))
    }

    /// The type with its parts. Of the modifiers on the way through domains the outermost that is set counts, and that
    /// of an array is its elements'.
    pub(crate) fn resolve(&self, oid: u32, modifier: i32) -> CatalogType {
        self.resolve_within(oid, modifier, MOST_DEPTH)
    }

    fn resolve_within(&self, oid: u32, modifier: i32, depth: u32) -> CatalogType {
        let scalar = CatalogType::Scalar { oid, modifier };
        let (Some(found), Some(depth)) = (self.0.get(&oid), depth.checked_sub(1)) else { return scalar };
        let part = |oid, modifier| self.resolve_within(oid, modifier, depth);
        match (found.kind.as_str(), found.element, found.range_of) {
            ("d", ..) => part(found.base, if modifier == -1 { found.modifier } else { modifier }),
            (_, Some(element), _) => CatalogType::Array(Box::new(part(element, modifier))),
            ("e", ..) => CatalogType::Enum,
            ("r", _, Some(of)) => CatalogType::Range(Box::new(part(of, -1))),
            ("m", _, Some(of)) => CatalogType::Multirange(Box::new(part(of, -1))),
            ("c", ..) => {
                let attribute = |(name, oid, modifier): &(String, u32, i32)| CatalogAttribute {
                    name: name.clone(),
                    data_type: part(*oid, *modifier),
                };
                CatalogType::Composite(found.attributes.iter().map(attribute).collect())
            }
            _ if found.hstore => CatalogType::Hstore,
            _ => scalar,
        }
    }
}
