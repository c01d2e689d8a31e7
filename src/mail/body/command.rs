//! `#word value` lines at the top of the new text (`design.md` 5.3).

use super::lines::{Line, is_space};
use crate::desk::command::CommandLine;

/// A command word has at most this many characters; longer ones are prose.
const LONGEST_WORD: usize = 40;

/// Reads a line as a command: `#` or `＃` (a blank behind it is a slip, not a heading: better one refused line too many
/// than a note that goes out), a word of letters, then blank or colon (either width) and the value.
pub fn command(line: &str) -> Option<CommandLine> {
    let line = line.trim_matches(is_space).strip_prefix(['#', '＃'])?.trim_start_matches(is_space);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let end = line.find(|c| !is_word(c)).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    if !word.starts_with(char::is_alphabetic) || word.chars().count() > LONGEST_WORD {
        return None;
    }
    if !rest.is_empty()
        && !rest.starts_with(|c: char| is_space(c) || matches!(c, ':' | '：' | '，' | ',' | '。' | '.' | '!' | '！'))
    {
        return None;
    }
    let value = rest.trim_matches(|c: char| is_space(c) || matches!(c, ':' | '：'));
    let value = if matches!(value, "," | "，" | "。" | "." | "!" | "！") { "" } else { value };
    Some(CommandLine { word: word.to_owned(), value: value.to_owned() })
}

/// The commands `lines` begin with, and how many lines they take, blank ones between and after included.
pub fn leading(lines: &[&Line]) -> (Vec<CommandLine>, usize) {
    let mut commands = Vec::new();
    let mut used = 0;
    for (i, line) in lines.iter().enumerate() {
        if line.is_blank() {
            continue;
        }
        match command(&line.text).filter(|_| !line.place.doubtful && !line.is_quoted()) {
            Some(found) => commands.push(found),
            None => break,
        }
        used = i + 1;
    }
    (commands, used)
}

#[cfg(test)]
mod tests {
    use super::super::lines::from_text;
    use super::*;

    #[test]
    fn command_lines() {
        let check = |line: &str, expect: Option<(&str, &str)>| {
            let found = command(line);
            assert_eq!(found.as_ref().map(|c| (&*c.word, &*c.value)), expect, "{line:?}");
        };
        check("#resolve", Some(("resolve", "")));
        check("  #assign  Li Lei ", Some(("assign", "Li Lei")));
        check("＃解决", Some(("解决", "")));
        check("#优先级：P1 全公司", Some(("优先级", "P1 全公司")));
        check("#挂起　等待厂商", Some(("挂起", "等待厂商")));
        check("#visit: 2026-11-24 14:00 Room 3", Some(("visit", "2026-11-24 14:00 Room 3")));
        check("# note the password", Some(("note", "the password")));
        check("## heading", None);
        check("#1 please", None);
        check("#", None);
        check("#define(x)", None);
        check("resolve", None);
        check(&format!("#{}", "x".repeat(41)), None);
    }

    #[test]
    fn they_end_at_the_first_other_line() {
        let check = |text: &str, words: &[&str], used: usize| {
            let lines = from_text(text);
            let (found, n) = leading(&lines.iter().collect::<Vec<_>>());
            assert_eq!((found.iter().map(|c| &*c.word).collect::<Vec<_>>(), n), (words.to_vec(), used), "{text:?}");
        };
        check("#take\n\n#priority P1\ntext\n#close", &["take", "priority"], 3);
        check("hello\n#take", &[], 0);
        check("> #take\n#close", &[], 0);
        check("\n\n#take", &["take"], 3);
    }
}
