//! Nested columns as Parquet stores them: each leaf by itself, with levels that say where its values belong (Dremel).
//!
//! The definition level of an entry counts the optional and repeated groups around it that are there; the repetition
//! level says which list it continues, 0 for none: there a row begins.

use anyhow::Result;
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

/// The entries of one leaf for some rows.
pub(crate) struct LeafEntries {
    /// For each entry.
    pub(crate) definition: Vec<u32>,
    /// For each entry.
    pub(crate) repetition: Vec<u32>,
    /// The values of the entries that have one, without NULL.
    pub(crate) values: ArrayRef,
}

/// Whether the type has leaves besides itself.
pub(crate) fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::Struct(_) | DataType::Map(..))
}

/// The types of the leaves, in the order of a file's columns.
pub(crate) fn leaf_types(field: &Field) -> Vec<DataType> {
    match field.data_type() {
        DataType::List(inner) | DataType::Map(inner, _) => leaf_types(inner),
        DataType::Struct(members) => members.iter().flat_map(|member| leaf_types(member)).collect(),
        leaf => vec![leaf.clone()],
    }
}

/// Takes all rows of a nested array apart; one item for each leaf, in the order of [`leaf_types`].
pub(crate) fn leaf_entries(array: &ArrayRef, nullable: bool) -> Result<Vec<LeafEntries>> {
    let rows = u32::try_from(array.len())?;
    let slots = (0..rows).map(|row| Slot { place: Some(row), definition: 0, repetition: 0 }).collect();
    let mut leaves = Vec::new();
    descend(array, nullable, 0, slots, &mut leaves)?;
    Ok(leaves)
}

/// An entry on its way down.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Where its value stands in the array; nothing when a group around it is NULL or empty.
    place: Option<u32>,
    definition: u32,
    repetition: u32,
}

fn descend(
    array: &ArrayRef,
    nullable: bool,
    depth: u32,
    mut slots: Vec<Slot>,
    leaves: &mut Vec<LeafEntries>,
) -> Result<()> {
    if nullable {
        for slot in &mut slots {
            slot.place = slot.place.filter(|place| array.is_valid(*place as usize));
            slot.definition += u32::from(slot.place.is_some());
        }
    }
    match array.data_type() {
        DataType::Struct(members) => {
            for (member, field) in array.as_struct().columns().iter().zip(members) {
                descend(member, field.is_nullable(), depth, slots.clone(), leaves)?;
            }
            Ok(())
        }
        DataType::List(element) => {
            let list = array.as_list::<i32>();
            descend(
                list.values(),
                element.is_nullable(),
                depth + 1,
                elements(list.value_offsets(), &slots, depth),
                leaves,
            )
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            descend(&entries, false, depth + 1, elements(map.value_offsets(), &slots, depth), leaves)
        }
        _ => {
            let places: UInt32Array = slots.iter().filter_map(|slot| slot.place).collect();
            leaves.push(LeafEntries {
                definition: slots.iter().map(|slot| slot.definition).collect(),
                repetition: slots.iter().map(|slot| slot.repetition).collect(),
                values: take(array, &places, None)?,
            });
            Ok(())
        }
    }
}

/// The elements of each list; one entry without a value where there are none.
fn elements(offsets: &[i32], slots: &[Slot], depth: u32) -> Vec<Slot> {
    let mut inner = Vec::with_capacity(slots.len());
    for slot in slots {
        let range = slot.place.map_or(0..0, |place| offsets[place as usize]..offsets[place as usize + 1]);
        if range.is_empty() {
            inner.push(Slot { place: None, ..*slot });
        }
        let first = range.start;
        inner.extend(range.map(|element| Slot {
            place: Some(element.unsigned_abs()),
            definition: slot.definition + 1,
            repetition: if element == first { slot.repetition } else { depth + 1 },
        }));
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::{LeafEntries, leaf_entries};
    use arrow::array::{Array, ArrayRef, AsArray, Int32Builder, ListBuilder, MapBuilder, StringBuilder};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;

    fn levels(leaf: &LeafEntries) -> (&[u32], &[u32]) {
        (&leaf.definition, &leaf.repetition)
    }

    #[test]
    fn null_empty_and_null_inside_are_three_things() {
        let mut lists = ListBuilder::new(Int32Builder::new());
        lists.append_value([Some(1), None]);
        lists.append_null();
        lists.append_value([]);
        lists.append_value([Some(2)]);
        let array: ArrayRef = Arc::new(lists.finish());
        let leaves = leaf_entries(&array, true).unwrap();
        assert_eq!(levels(&leaves[0]), ([3, 2, 0, 1, 3].as_slice(), [0, 1, 0, 0, 0].as_slice()));
        assert_eq!(leaves[0].values.as_primitive::<Int32Type>().values(), &[1, 2]);
        let sliced = leaf_entries(&array.slice(2, 2), true).unwrap();
        assert_eq!(levels(&sliced[0]), ([1, 3].as_slice(), [0, 0].as_slice()));
        assert_eq!(sliced[0].values.as_primitive::<Int32Type>().values(), &[2]);
    }

    #[test]
    fn a_map_has_two_leaves_and_its_keys_are_required() {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        maps.keys().append_value("a");
        maps.values().append_null();
        maps.keys().append_value("b");
        maps.values().append_value(7);
        maps.append(true).unwrap();
        maps.append(false).unwrap();
        let array: ArrayRef = Arc::new(maps.finish());
        let leaves = leaf_entries(&array, true).unwrap();
        assert_eq!(levels(&leaves[0]), ([2, 2, 0].as_slice(), [0, 1, 0].as_slice()));
        assert_eq!(levels(&leaves[1]), ([2, 3, 0].as_slice(), [0, 1, 0].as_slice()));
        assert_eq!(leaves[0].values.len(), 2);
    }
}
