//! What may be written into a text column: bounded, and free of NUL, which PostgreSQL refuses (`hardening.md` R13).

use crate::store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// Names, subjects, reasons of one line.
pub const LINE: usize = 2_000;
/// Notes, comments, a server's answer.
pub const NOTE: usize = 64 << 10;
/// The text of a message. Whatever is longer is whole in its raw bytes.
pub const TEXT: usize = 512 << 10;

/// `text` cut to at most `bytes` at a character boundary, NUL shown as U+FFFD.
pub fn clean(text: &str, bytes: usize) -> Cow<'_, str> {
    let cut = &text[..text.floor_char_boundary(bytes)];
    match cut.contains('\0') {
        true => Cow::Owned(cut.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(cut),
    }
}

/// `text` on one line of at most [`LINE`] bytes.
pub fn line(text: &str) -> Cow<'_, str> {
    clean(text, LINE)
}

/// `text` with every occurrence of `needle` replaced, ASCII letters in any case.
pub fn replaced(text: &str, needle: &str, by: &str) -> String {
    if needle.is_empty() {
        return text.to_owned();
    }
    // Folding ASCII alone keeps every byte in its place.
    let (lower, needle) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    let (mut whole, mut done) = (String::with_capacity(text.len()), 0);
    for (at, _) in lower.match_indices(&needle) {
        whole.push_str(&text[done..at]);
        whole.push_str(by);
        done = at + needle.len();
    }
    whole.push_str(&text[done..]);
    whole
}

/// As JSON. A NUL inside a string stands there escaped, and would come back: it becomes U+FFFD too.
pub fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    if text.len() <= NOTE && !text.contains(r"\u0000") {
        return text;
    }
    let mut value = serde_json::to_value(value).unwrap_or_default();
    without_nul(&mut value);
    value.to_string()
}

fn without_nul(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            if let Cow::Owned(cleaned) = clean(text, NOTE) {
                *text = cleaned;
            } else {
                text.truncate(text.floor_char_boundary(NOTE));
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(without_nul),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(without_nul),
        _ => {}
    }
}

/// Reads a JSON column back; `row` names it in the error.
pub fn from_json<T: DeserializeOwned>(row: impl std::fmt::Display, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::damaged_row(row, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r13_text_is_cut_at_characters_and_has_no_nul() {
        for (text, bytes, expect) in
            [("打印机", 7, "打印"), ("打印机", 9, "打印机"), ("", 0, ""), ("a\0b", 9, "a\u{fffd}b"), ("a\0b", 1, "a")]
        {
            assert_eq!(clean(text, bytes), expect, "{text:?} {bytes}");
        }
    }

    #[test]
    fn r13_json_has_no_nul_and_keeps_a_written_backslash() {
        let text = json(&vec!["a\0b", r"\u0000", "打印"]);
        let back: Vec<String> = from_json("test", &text).unwrap();
        assert_eq!(back, ["a\u{fffd}b", r"\u0000", "打印"]);
        assert!(from_json::<Vec<String>>("test", "[").is_err());
    }
}
