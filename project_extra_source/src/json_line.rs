//! A line of JSON: its keys, and their values as they were written. serde_json reads every key and every value; what is
//! ours is only where one ends and the next begins, so that numbers keep their digits.

use crate::windows::{Fault, FindRecords, Found};
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use serde_json::error::Category;
use std::collections::HashSet;

/// Brackets within brackets, at most. What reads and writes nested values calls itself for each level.
const DEEPEST: usize = 64;

/// A JSON object whose values are not looked into: keys, and values as JSON.
pub(crate) struct JsonObject<'a>(pub(crate) Vec<(String, &'a str)>);

impl<'a> JsonObject<'a> {
    /// Reads a line. What is wrong with it is told without its text.
    pub(crate) fn parse(line: &'a str) -> Result<Self, Fault> {
        if is_too_deep(line) {
            return Err(Fault::of_line(format!("is nested deeper than {DEEPEST} levels")));
        }
        serde_json::from_str::<IgnoredAny>(line).map_err(|error| {
            Fault::of_line(match error.classify() {
                Category::Eof => "is JSON that ends too early".to_owned(),
                _ => format!("is not JSON from character {} on", error.column()),
            })
        })?;
        let object = Self::members(line.trim()).ok_or_else(|| Fault::of_line("is not a JSON object"))?;
        if let Some(twice) = object.twice() {
            return Err(Fault { reason: "has the key twice".to_owned(), column: Some(twice.to_owned()) });
        }
        Ok(object)
    }

    /// The members of what is known to be JSON; nothing if it is no object.
    fn members(json: &'a str) -> Option<Self> {
        let mut rest = json.strip_prefix('{')?.trim_start();
        let mut members = Vec::new();
        while !rest.starts_with('}') {
            let (key, after) = token(rest)?;
            let (value, after) = token(after.trim_start().strip_prefix(':')?.trim_start())?;
            members.push((serde_json::from_str(key).ok()?, value));
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        Some(Self(members))
    }

    fn twice(&self) -> Option<&str> {
        let mut seen = HashSet::with_capacity(self.0.len());
        self.0.iter().map(|(key, _)| key.as_str()).find(|key| !seen.insert(*key))
    }
}

/// Counts brackets without any understanding of JSON but for its strings.
fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The elements of what is known to be a JSON array.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    let mut rest = json.strip_prefix('[')?.trim_start();
    let mut elements = Vec::new();
    while !rest.starts_with(']') {
        let (element, after) = token(rest)?;
        elements.push(element);
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    Some(elements)
}

/// The value that begins here, and what follows it.
fn token(json: &str) -> Option<(&str, &str)> {
    let mut values = Deserializer::from_str(json).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    json.split_at_checked(values.byte_offset())
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
    pub(crate) fn of(value: &str) -> Self {
        match value.as_bytes().first() {
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
        Some(Found { bytes: from..end, blank, fault: None, open: false })
    }
}
