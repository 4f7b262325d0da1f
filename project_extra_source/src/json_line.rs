//! A line of JSON: its keys, and their values as they were written.

use crate::windows::{Fault, FindRecords, Found};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// A JSON object whose values are not looked into.
pub(crate) struct JsonObject<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// A key that may be borrowed from the line.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = JsonObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key, value));
                }
                Ok(JsonObject(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'a> JsonObject<'a> {
    /// Reads a line. What is wrong with it is told without its text.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        let object: Self = serde_json::from_slice(line).map_err(|error| {
            Fault::of_line(match error.classify() {
                serde_json::error::Category::Data => "is not a JSON object".to_owned(),
                _ => format!("is not JSON from character {} on", error.column()),
            })
        })?;
        if let Some(twice) = object.twice() {
            return Err(Fault { reason: "has the key twice".to_owned(), column: Some(twice.to_owned()) });
        }
        Ok(object)
    }

    fn twice(&self) -> Option<&str> {
        let mut seen = HashSet::with_capacity(self.0.len());
        self.0.iter().map(|(key, _)| key.as_ref()).find(|key| !seen.insert(*key))
    }
}

/// What a value is, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonKind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl JsonKind {
    pub(crate) fn of(value: &RawValue) -> Self {
        match value.get().as_bytes().first() {
            Some(b'n') | None => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::String,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            Some(_) => Self::Number,
        }
    }

    pub(crate) fn is_nested(self) -> bool {
        matches!(self, Self::Array | Self::Object)
    }
}

/// Finds lines.
pub(crate) struct Lines;

impl FindRecords for Lines {
    fn next(&mut self, bytes: &[u8], from: usize, _last: bool) -> Option<Found> {
        let end = from + bytes[from..].iter().position(|byte| *byte == b'\n')? + 1;
        let blank = bytes[from..end].iter().all(u8::is_ascii_whitespace);
        Some(Found { bytes: from..end, blank, fault: None })
    }
}
