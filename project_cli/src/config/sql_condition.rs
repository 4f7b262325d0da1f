//! A condition written in SQL, looked through for the slips that would end its statement or hide what follows it.
//!
//! Whoever writes the file may read the tables anyway, so this keeps nobody out; whether the rest is SQL is for the
//! server to say.

const SEMICOLON: &str = "has a semicolon outside of quotes, which would end the statement; it takes one SQL condition";
const COMMENT: &str = "has an SQL comment, which would hide what follows; write it in the file after a #";
const DOLLAR: &str = "has a dollar sign outside of quotes; write text in single quotes";
const TEXT: &str = "has an odd number of single quotes; each text needs two, and a quote inside of it is doubled";
const IDENTIFIER: &str = "has a double quote that is not closed; a name needs two, and a quote inside of it is doubled";
const CLOSED: &str = "closes a parenthesis that it has not opened";
const OPEN: &str = "opens a parenthesis that it does not close";

/// Looks through a condition. The error is the end of a sentence that begins with the name of the key; it repeats
/// nothing of the condition.
pub(super) fn check(condition: &str) -> Result<(), &'static str> {
    if condition.trim().is_empty() {
        return Err("is empty; leave it out to read all rows");
    }
    // The server would take it for the end of the statement's text, even inside of quotes.
    if condition.contains('\0') {
        return Err("holds the character NUL, which no statement can");
    }
    let mut open = 0_u32;
    let mut rest = condition;
    while let Some(character) = rest.chars().next() {
        let (word, after_word) = rest.split_at(rest.find(|letter: char| !in_word(letter)).unwrap_or(rest.len()));
        let next = &rest[character.len_utf8()..];
        rest = match character {
            '$' => return Err(DOLLAR),
            _ if word.eq_ignore_ascii_case("e") && after_word.starts_with('\'') => {
                after_quotes(&after_word[1..], '\'', true).ok_or(TEXT)?
            }
            _ if !word.is_empty() => after_word,
            '\'' => after_quotes(next, '\'', false).ok_or(TEXT)?,
            '"' => after_quotes(next, '"', false).ok_or(IDENTIFIER)?,
            '-' if next.starts_with('-') => return Err(COMMENT),
            '/' if next.starts_with('*') => return Err(COMMENT),
            ';' => return Err(SEMICOLON),
            '(' => {
                open += 1;
                next
            }
            ')' => {
                open = open.checked_sub(1).ok_or(CLOSED)?;
                next
            }
            _ => next,
        };
    }
    if open == 0 { Ok(()) } else { Err(OPEN) }
}

/// Whether a character belongs to a name, a word or a number, as the server's parser sees it.
fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

/// What follows the quote that closes `text`, in which a doubled quote is one quote and, in `E'...'`, a backslash
/// takes away the meaning of what follows it.
fn after_quotes(text: &str, quote: char, backslashes: bool) -> Option<&str> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if backslashes && character == '\\' {
            characters.next();
        } else if character == quote {
            let after = &text[at + quote.len_utf8()..];
            if !after.starts_with(quote) {
                return Some(after);
            }
            characters.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::check;
    use proptest::prelude::{any, proptest};

    #[test]
    fn conditions_that_are_whole_pass() {
        for condition in [
            "deleted_at IS NULL",
            "(a = 1 OR b = 2) AND (c IN (3, 4))",
            "name = 'it''s; (here) -- /* $$'",
            "\"odd;name'(\" = 1 AND \"a\"\"b;\" > 0",
            "name = E'it\\'s;' OR name = e'\\\\'",
            "name = E'a''b\\';'",
            "name LIKE 'a\\' AND true",
            "largest = '' AND e = 'x'",
            "at >= now() - interval '1 day'\n  AND n - -1 > 2 / 3 * 4",
            "tabelle.größe > 1 AND a$b = 2",
            "data ->> 'key' = 'x' AND tags @> ARRAY['a']",
        ] {
            assert_eq!(check(condition), Ok(()), "{condition}");
        }
    }

    #[test]
    fn slips_are_named() {
        for (condition, word) in [
            ("", "empty"),
            (" \n", "empty"),
            ("a = 1; DROP TABLE users", "semicolon"),
            ("a = 1;", "semicolon"),
            ("name = 'a'';' || ';'';", "odd number of single quotes"),
            ("name = 'a'; --'", "semicolon"),
            ("name = 'it's'", "odd number of single quotes"),
            ("name = E'a\\'", "odd number of single quotes"),
            ("name = E'\\\\'; x = '", "semicolon"),
            ("fine = 'a\\'; x = ''", "semicolon"),
            ("\"name = 1", "double quote"),
            ("a = 1) OR (b = 2", "has not opened"),
            ("(a = 1", "does not close"),
            ("a = ')' AND (b", "does not close"),
            ("a = 1 -- only these", "comment"),
            ("a = 1 /* only these */", "comment"),
            ("a = $$;$$", "dollar"),
            ("a = $1", "dollar"),
            ("a = 1\0 OR b", "NUL"),
            ("a = 'b\0'", "NUL"),
        ] {
            let message = check(condition).unwrap_err();
            assert!(message.contains(word), "{condition}: {message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), odd in "[eE'\"\\\\;()$é -]{0,20}") {
            let _ = (check(&text), check(&odd));
        }

        /// Whatever stands between quotes, it does not matter once its quotes are doubled.
        #[test]
        fn quoted_text_may_hold_anything(text in "[^\\x00]{0,20}") {
            assert_eq!(check(&format!("a = '{}' AND (b)", text.replace('\'', "''"))), Ok(()));
            assert_eq!(check(&format!("\"{}\" = 1 AND (b)", text.replace('"', "\"\""))), Ok(()));
            assert!(check(&format!("a = '{}' AND (b);", text.replace('\'', "''"))).is_err());
        }
    }
}
