//! From a name in a source to a name in the lake.

/// Lower case; every run of characters other than `a-z`, `0-9` and `_` becomes one `_`.
///
/// Athena folds names to lower case and takes these characters without quotes. Two names that fall together are
/// refused by whoever uses them side by side.
pub fn lake_name(name: &str) -> String {
    let mut mapped = String::with_capacity(name.len());
    let mut replaced = false;
    for character in name.chars().flat_map(char::to_lowercase) {
        let kept = character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
        if kept {
            mapped.push(character);
        } else if !replaced {
            mapped.push('_');
        }
        replaced = !kept;
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::lake_name;

    #[test]
    fn names() {
        for (name, expected) in [
            ("orders", "orders"),
            ("OrderId", "orderid"),
            ("my table.x", "my_table_x"),
            ("a - b", "a_b"),
            ("été", "_t_"),
            ("a__b", "a__b"),
            ("\"", "_"),
        ] {
            assert_eq!(lake_name(name), expected, "{name}");
        }
    }
}
