//! Names that the workspace or Rust has given away already, so that no table can have them in the code.

/// Modules and crates beside which the module of a task stands, and the groups of `--table`.
pub(crate) const MODULES: &[&str] = &[
    "all",
    "alloc",
    "anyhow",
    "as_text",
    "core",
    "diesel",
    "expected",
    "futures",
    "generated",
    "huge_tasks",
    "lib",
    "main",
    "money",
    "no_place",
    "parquet",
    "parquet_derive",
    "project_parquet",
    "project_postgres",
    "project_schemas",
    "rayon",
    "rejects",
    "sqlx",
    "std",
    "stream_tasks",
    "table",
    "tables",
];

/// Types that the files of a task, or the registry, mention.
pub(crate) const TYPES: &[&str] = &[
    "Box",
    "BoxFuture",
    "DataError",
    "Err",
    "HugeStreamTask",
    "IntoParallelIterator",
    "None",
    "Ok",
    "Option",
    "ParallelIterator",
    "ProjectStreamTask",
    "ProjectTask",
    "QueryDsl",
    "RecordColumn",
    "Result",
    "SelectableHelper",
    "Self",
    "Some",
    "SourceTable",
    "String",
    "TableName",
    "Task",
    "TaskContext",
    "TypedWriter",
    "Vec",
    "Written",
];

/// What Diesel defines beside the columns of a table.
pub(crate) const DIESEL: &[&str] =
    &["all_columns", "columns", "dsl", "is_nullable", "star", "table", "crate", "self", "super"];

/// The words that Rust keeps for itself.
pub(crate) const KEYWORDS: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Those of them that cannot even be written as `r#word`.
pub(crate) const NEVER_RAW: &[&str] = &["Self", "crate", "self", "super"];
