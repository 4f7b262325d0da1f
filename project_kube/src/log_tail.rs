//! The end of a pod's log, as it may be shown.

use crate::api_server::{ApiServer, Call, Refusal};
use crate::outcome::LogTail;
use crate::pods::LastPod;

/// What is kept of it.
const LONGEST: usize = 8 * 1024;
/// What is asked for: the server would cut at the end, and the end is what counts.
const LONGEST_ANSWER: usize = 1024 * 1024;

pub(crate) async fn read(server: &ApiServer, namespace: &str, pod: &LastPod, lines: usize) -> Result<LogTail, Refusal> {
    let name = &pod.name;
    let container = pod.container.as_ref().map(|name| format!("container={name}&")).unwrap_or_default();
    let address = format!(
        "/api/v1/namespaces/{namespace}/pods/{name}/log?{container}tailLines={lines}&limitBytes={LONGEST_ANSWER}"
    );
    let bytes = server.bytes(&Call::get(address, format!("read the log of the pod {name}"))).await?;
    Ok(LogTail { pod: name.clone(), text: printable(&bytes, lines) })
}

/// The last lines, at most 8 KiB of them, without what would move a terminal's cursor.
fn printable(bytes: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\t', " ");
    let text: String = text.chars().filter(|&c| c == '\n' || !(c.is_control() || is_invisible(c))).collect();
    let text = text.trim_end();
    let first = text.rmatch_indices('\n').nth(lines.saturating_sub(1)).map_or(0, |(at, _)| at + 1);
    let text = &text[first..];
    let mut start = text.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}

/// Those that turn the direction of writing around, and hide what stands there.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, printable};

    #[test]
    fn the_last_lines_stay_and_nothing_moves_the_cursor() {
        assert_eq!(printable(b"1\n2\r\n3\n\n", 2), "2\n3");
        assert_eq!(printable(b"\x1b[2Jred\x1b[0m\x07 \xff\ta\rb", 20), "[2Jred[0m \u{fffd} ab");
        assert_eq!(printable("a\u{202e}b".as_bytes(), 20), "ab");
        assert_eq!(printable(b"", 20), "");
        assert_eq!(printable(b"a\nb", 0), "b");
    }

    #[test]
    fn a_long_line_keeps_its_end() {
        let line = "\u{e4}".repeat(LONGEST) + "end";
        let text = printable(line.as_bytes(), 20);
        assert!(text.len() <= LONGEST && text.len() > LONGEST - 4 && text.ends_with("\u{e4}end"));
    }
}
