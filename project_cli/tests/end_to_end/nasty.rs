//! Inputs that other tools change, lose or fall over, by their numbers in the list that this program was measured by.
//!
//! | no. | input | shown by |
//! |---|---|---|
//! | 1 | `numeric` without precision | [`numbers`] n01, `choices::a_figure_that_a_decimal_cannot_hold_is_told_with_the_remedy` |
//! | 2 | `numeric` beyond 38 digits | [`numbers`] n02, [`crate::golden`] |
//! | 3 | negative scale, scale above the precision | [`numbers`] n03 |
//! | 4 | NaN and infinities of `numeric` | [`numbers`] n04, `choices::each_policy_can_be_chosen` |
//! | 5 | 1.00000001, 1e-20, zeros at the end, negative zero | [`numbers`] n05 |
//! | 6 | NaN, infinities and -0.0 of floats | [`numbers`] n06 |
//! | 7 | integers above 2^53 | [`numbers`] n07 |
//! | 8 | infinite dates and timestamps | `choices::a_table_without_a_task_is_changed_where_it_must_be_and_every_change_is_told` |
//! | 9 | the same in arrays, composites and ranges | [`times`] n09 |
//! | 10 | the years 1 and 9999, and those before and after | [`times`] n10 |
//! | 11 | dates before 1582-10-15 | [`times`] n11 |
//! | 12 | `timestamptz` and `timestamp` | [`times`] n12 |
//! | 13 | microseconds | `choices::each_policy_can_be_chosen`, [`times`] n10, [`crate::differential`] |
//! | 14 | 24:00, `timetz` | [`times`] n14 |
//! | 15 | intervals of mixed signs, infinite ones | [`times`] n15, [`recorded`] n15 |
//! | 16 | `uuid` | [`texts`] n16 |
//! | 17 | keys that come twice and `\u0000` in `json` | [`texts`] n17 |
//! | 18 | text that is not UTF-8 | `choices::text_that_is_not_utf8_is_refused_replaced_or_kept_as_bytes`, [`texts`] n18 |
//! | 19 | `char(n)`, empty text, the words NULL and `\N` | [`texts`] n19 |
//! | 20 | values of hundreds of MB | `bad_input::wide_rows` |
//! | 21 | a column of nothing but NULL, in a table or in a partition | [`crate::golden`], [`tables`] n21 |
//! | 22 | arrays: NULL, empty, of NULL, of several dimensions, from another subscript | [`nested`] n22 |
//! | 23 | a label added during the run, arrays of enums | [`nested`] n23 |
//! | 24 | domains, domains over arrays, dropped attributes | [`nested`] n24 |
//! | 25 | `money`, `bit`, `inet`, `xml`, ..., unknown types | [`nested`] n25, [`crate::golden`] |
//! | 26 | names with case, spaces, dots, quotes; keywords | [`names`] n26, `bad_input::data::names_with_dots_quotes_commas_and_spaces_work` |
//! | 27 | `"Id"` and `"id"` | [`names`] n27, `bad_input::data::two_tables_with_one_folder_are_refused_before_anything_is_read` |
//! | 28 | a data column with the name of the partition key | [`names`] n28 |
//! | 29 | `foo` and `foo_bar`; one name in two schemas | [`names`] n29, `s3_lake::a_second_run_removes_what_it_replaces_and_nothing_of_its_neighbours` |
//! | 30 | no rows; no columns | [`tables`] n30, `bad_input::data::empty_tables_become_one_valid_file_each_with_the_full_schema` |
//! | 31 | columns added, dropped, renamed, retyped, moved | [`tables`] n31, `bad_input::data::a_missing_column_fails_its_task_alone` |
//! | 32 | DDL and TRUNCATE during the run | `bad_input::surroundings` |
//! | 33 | 3,000 partitions, inheritance, views, foreign tables, row security | [`tables`] n33, `table_read::partitioned` |
//! | 34 | split keys of every kind | there are none: tables are cut by blocks, `table_read::worker_count` |
//! | 35 | partition values: NULL, special characters, times | only dates are; `table_read::dates`, `project_tasks` `events` and `one_pass` |
//! | 36 | conflicts with the recovery of a standby | not here: classified in `project_postgres::source_error`, retried by nobody yet |
//! | 37 | timeouts of the server | [`tables`] n37 |
//! | 38 | a connection that breaks at nine tenths | `bad_input::lost_connection` |
//! | 39 | a store that fails, a token that ends, SIGTERM | `s3_lake`, `project_aws` `s3_faults` and `staged` |
//! | 40 | a crawler that runs, merges tables or keeps types | `project_aws` `crawler` and `catalog` |
//! | 41 | two runs at the same time | not here: publishing |
//! | 42 | clock and zone of the machine; a date once more | [`times`] n12, `table_read::dates` |

mod names;
mod nested;
mod numbers;
mod recorded;
mod source;
mod tables;
mod texts;
mod times;
