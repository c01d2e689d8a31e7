//! Lists of words, written as one text with `|` between them so that they stay readable.

use aho_corasick::AhoCorasick;

/// The words of a list.
pub fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split('|').map(str::trim).filter(|w| !w.is_empty())
}

/// Whether `word` is one of the list.
pub fn listed(list: &str, word: &str) -> bool {
    // Found first, judged by its neighbours after: most words stand nowhere in the list.
    let stands_alone = |at: usize| {
        let (before, after) = (list[..at].trim_end(), list[at + word.len()..].trim_start());
        (before.is_empty() || before.ends_with('|')) && (after.is_empty() || after.starts_with('|'))
    };
    let is_word = !word.is_empty() && word == word.trim() && !word.contains('|');
    is_word && memchr::memmem::find_iter(list.as_bytes(), word.as_bytes()).any(stands_alone)
}

/// Finds any word of the list inside a text, in one pass. The text must be lower case, as the words are.
pub fn finder(list: &str) -> AhoCorasick {
    AhoCorasick::new(split(list)).expect("constant words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_and_searched() {
        assert!(listed("one | two words|三", "two words") && listed("a|三", "三") && !listed("a|b", "ab"));
        assert!(!listed("a|b", "") && !listed("a | b", "a |") && !listed("a b | c", "b") && listed("ab | b", "b"));
        assert!(finder("user unknown | 不存在").is_match("地址不存在"));
        assert!(!finder("user unknown").is_match("unknown user"));
    }
}
