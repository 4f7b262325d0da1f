//! What the values of a key have been, in all lines.

use crate::column_type::{ColumnType, Member};
use crate::inference::SeenTexts;
use crate::json_line::{JsonKind, JsonObject, elements};
use project_parquet::lake_name;
use std::collections::{HashMap, HashSet};

/// Objects with more keys than this are data of another shape, such as a map.
const MOST_MEMBERS: usize = 500;

/// The values of one key, one member or one element.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    strings: bool,
    booleans: bool,
    numbers: SeenTexts,
    elements: Option<Box<Shape>>,
    members: Option<Shapes>,
    /// Something that has no place in columns, such as a key that is there twice.
    odd: bool,
}

/// Keys in the order in which they were seen first.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    names: Vec<String>,
    places: HashMap<String, usize>,
    shapes: Vec<Shape>,
}

impl Shapes {
    /// Takes the members of an object.
    pub(crate) fn take(&mut self, object: &JsonObject<'_>) {
        for (key, value) in &object.0 {
            let place = match self.places.get(key) {
                Some(place) => *place,
                None => {
                    self.places.insert(key.clone(), self.names.len());
                    self.names.push(key.clone());
                    self.shapes.push(Shape::default());
                    self.names.len() - 1
                }
            };
            self.shapes[place].take(value);
        }
    }

    /// The keys and what their values were.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Shape)> {
        self.names.iter().zip(&self.shapes)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

impl Shape {
    fn take(&mut self, value: &str) {
        match JsonKind::of(value) {
            JsonKind::Null => {}
            JsonKind::Boolean => self.booleans = true,
            JsonKind::String => self.strings = true,
            JsonKind::Number => self.numbers.take(value),
            JsonKind::Array => self.take_elements(value),
            JsonKind::Object => match JsonObject::parse(value) {
                Ok(object) => {
                    let members = self.members.get_or_insert_default();
                    // More are not looked at: it is no struct any more.
                    if members.len() <= MOST_MEMBERS {
                        members.take(&object);
                    }
                }
                Err(_) => self.odd = true,
            },
        }
    }

    fn take_elements(&mut self, value: &str) {
        match elements(value) {
            Some(values) => {
                let shape = self.elements.get_or_insert_default();
                values.into_iter().for_each(|value| shape.take(value));
            }
            None => self.odd = true,
        }
    }

    fn kinds(&self) -> usize {
        let kinds = [self.strings, self.booleans, self.numbers.any(), self.elements.is_some(), self.members.is_some()];
        kinds.into_iter().filter(|seen| *seen).count()
    }

    /// The type that holds all of them.
    pub(crate) fn column_type(&self) -> ColumnType {
        let nested = self.elements.is_some() || self.members.is_some();
        if self.odd || (nested && self.kinds() > 1) {
            return ColumnType::Json;
        }
        match (&self.elements, &self.members) {
            (Some(elements), _) => match elements.column_type() {
                ColumnType::Json => ColumnType::Json,
                element => ColumnType::Array(Box::new(element)),
            },
            (_, Some(members)) => row(members).unwrap_or(ColumnType::Json),
            _ if self.kinds() > 1 => ColumnType::Text,
            _ if self.booleans => ColumnType::Boolean,
            _ => self.numbers.column_type(),
        }
    }

    /// What somebody should know who looks for the values.
    pub(crate) fn told(&self, name: &str, kind: &ColumnType) -> Option<String> {
        let why = match kind {
            ColumnType::Json => "its values have no one shape, so it holds them as JSON text",
            ColumnType::Text if self.kinds() > 1 => "it holds strings and other values, so all of them are text",
            ColumnType::Text if self.numbers.any() => "no number type holds all its numbers exactly, so they are text",
            _ => return None,
        };
        Some(format!("column \"{name}\": {why}"))
    }
}

/// A struct, if its members can be one.
fn row(shapes: &Shapes) -> Option<ColumnType> {
    let mut names = HashSet::new();
    let mut members = Vec::with_capacity(shapes.len());
    for (name, shape) in shapes.iter() {
        let member = Member { name: name.clone(), lake_name: lake_name(name), kind: shape.column_type() };
        if member.kind == ColumnType::Json || member.lake_name.is_empty() || !names.insert(member.lake_name.clone()) {
            return None;
        }
        members.push(member);
    }
    (1..=MOST_MEMBERS).contains(&members.len()).then_some(ColumnType::Row(members))
}

#[cfg(test)]
mod tests {
    use super::Shapes;
    use crate::json_line::JsonObject;

    fn kind(lines: &[&str]) -> String {
        let mut shapes = Shapes::default();
        lines.iter().for_each(|line| shapes.take(&JsonObject::parse(line).ok().unwrap()));
        shapes.iter().next().unwrap().1.column_type().to_string()
    }

    #[test]
    fn all_lines_decide() {
        for (lines, expected) in [
            (vec![r#"{"a":null}"#], "varchar"),
            (vec![r#"{"a":1}"#, r#"{}"#, r#"{"a":-20}"#], "bigint"),
            (vec![r#"{"a":12.50}"#, r#"{"a":99999999999999999999}"#], "decimal(22,2)"),
            (vec![r#"{"a":1.5e3}"#], "double"),
            (vec![r#"{"a":"1"}"#], "varchar"),
            (vec![r#"{"a":"1"}"#, r#"{"a":1}"#], "varchar"),
            (vec![r#"{"a":true}"#], "boolean"),
            (vec![r#"{"a":[]}"#], "array(varchar)"),
            (vec![r#"{"a":[1,2.5,null]}"#], "array(decimal(2,1))"),
            (vec![r#"{"a":[1]}"#, r#"{"a":1}"#], "varchar"),
            (vec![r#"{"a":{"B c":1}}"#, r#"{"a":{"d":[true]}}"#], "row(b_c bigint, d array(boolean))"),
            (vec![r#"{"a":{"b":1,"B":2}}"#], "varchar"),
            (vec![r#"{"a":{}}"#], "varchar"),
            (vec![r#"{"a":[{"b":1},{"b":[1]}]}"#], "varchar"),
        ] {
            assert_eq!(kind(&lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_bad_line_is_told_without_its_text() {
        for (line, told) in [
            ("{\"a\":1,\"a\":2}", "twice"),
            ("[1]", "is not a JSON object"),
            ("\"secret\"", "is not a JSON object"),
            ("{\"a\":secret}", "is not JSON from character 6"),
            ("{\"a\":1", "is JSON that ends too early"),
            ("{\"a\":1} {}", "is not JSON"),
        ] {
            let fault = JsonObject::parse(line).err().unwrap();
            assert!(fault.reason.contains(told) && !fault.reason.contains("secret"), "{line}: {}", fault.reason);
        }
    }
}
