//! A `pub mod` line in its place among others.

/// The file with the module declared; the same when it is there already.
pub(crate) fn with_module(text: &str, module: &str) -> String {
    let line = format!("pub mod {module};");
    let lines: Vec<&str> = text.lines().collect();
    let is_there = |existing: &&str| {
        let visibility = existing.strip_suffix(line.trim_start_matches("pub ")).map(str::trim);
        visibility.is_some_and(|visibility| visibility.is_empty() || visibility.starts_with("pub"))
    };
    if lines.iter().any(is_there) {
        return text.to_owned();
    }
    let declared = |line: &str| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned);
    let modules = lines.iter().enumerate().filter_map(|(at, line)| Some((at, declared(line)?)));
    let (mut after, mut before) = (None, None);
    for (at, existing) in modules {
        // The names alone: a semicolon sorts after a digit.
        if existing.as_str() < module {
            after = Some(at + 1);
        } else if before.is_none() {
            before = Some(at);
        }
    }
    let at = before.or(after);
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    match at {
        Some(at) => lines.insert(at, line),
        None => lines.extend([String::new(), line]),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::with_module;
    use std::fs::read_to_string;
    use std::path::Path;

    #[test]
    fn a_module_stands_in_the_order_of_names() {
        let text = "//! Doc.\n\npub mod a;\nmod b_hidden;\npub mod c;\n\nfn x() {}\n";
        for (module, expected) in [
            ("b", "pub mod a;\nmod b_hidden;\npub mod b;\npub mod c;"),
            ("_a", "pub mod _a;\npub mod a;"),
            ("d", "pub mod c;\npub mod d;\n\nfn"),
        ] {
            let changed = with_module(text, module);
            assert!(changed.contains(expected), "{changed}");
            assert_eq!(with_module(&changed, module), changed);
        }
        let numbered = "pub mod part;\npub mod part1;\npub mod part_a;\n";
        assert_eq!(with_module("pub mod part1;\npub mod part_a;\n", "part"), numbered);
        assert_eq!(with_module("pub mod part;\npub mod part_a;\n", "part1"), numbered);
        for there in ["mod b;\n", "pub(crate) mod b;\n"] {
            assert_eq!(with_module(there, "b"), there);
        }
        assert!(with_module("// pub mod b;\n", "b").contains("\npub mod b;\n"));
        assert_eq!(with_module("//! Doc.\n", "a"), "//! Doc.\n\npub mod a;\n");
    }

    #[test]
    fn the_real_files_take_one() {
        for file in
            ["project_schemas/src/lib.rs", "project_tasks/src/tasks/mod.rs", "project_schemas/src/generated/mod.rs"]
        {
            let text = read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
            let changed = with_module(&text, "my_new_orders");
            let mut modules: Vec<&str> = changed.lines().filter_map(|line| line.strip_prefix("pub mod ")).collect();
            let name = |module: &&str| module.trim_end_matches(';').to_owned();
            assert!(modules.contains(&"my_new_orders;"), "{file}");
            let found = modules.clone();
            modules.sort_by_key(name);
            assert_eq!(found, modules, "{file}");
            let without: String = changed.lines().filter(|line| *line != "pub mod my_new_orders;").collect();
            assert_eq!(without, text.lines().collect::<String>(), "{file}");
        }
    }
}
