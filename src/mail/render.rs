//! From a letter as data to its words: subject, text and HTML in the reader's language and zone.

use crate::desk::letter::{Content, Letter};
use crate::desk::link::Key;
use crate::desk::policy::Identity;
use crate::mail::templates::Templates;
use crate::mail::view::{MAX_SUBJECT_CHARS, escape, is_outsider, one_line, view};
use crate::time::Timestamp;
use memchr::memchr_iter;
use tera::Value;

/// A letter's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Finds the words for a letter. `now` is the moment it is written, for "today" and "tomorrow".
pub fn render(templates: &Templates, letter: &Letter, desk: &Identity, key: &Key, now: Timestamp) -> Rendered {
    let view = view(letter, desk, key, now);
    let [subject, text, html] = templates.names_for(letter);
    let subject = subject_line(letter, desk, || templates.render(&subject, &view).unwrap_or_default());
    // No sample failed at start, so this is for a site's template that fails on facts no sample had, twice over.
    let text = templates.render(&text, &view).unwrap_or_else(|| subject.clone());
    let html = templates.render(&html, &view).unwrap_or_else(|| escape(&text));
    let own = view.get("reference").and_then(Value::as_str);
    Rendered { subject, text: tidy_end(without_others(text, own)), html: tidy_end(without_others(html, own)) }
}

/// A reference proves who it was sent to (`hardening.md` S21): one that came along in somebody's words stays behind,
/// and leaves the ticket's number there.
fn without_others(text: String, own: Option<&str>) -> String {
    let (mut kept, mut done) = (String::new(), 0);
    for (start, dash, end) in references(&text) {
        if start < done {
            continue;
        }
        let own = own.filter(|own| own.eq_ignore_ascii_case(&text[start..end]));
        kept.push_str(&text[done..start]);
        kept.push_str(own.unwrap_or(&text[start..dash]));
        done = end;
    }
    if done == 0 {
        return text;
    }
    kept.push_str(&text[done..]);
    kept
}

/// The text with every reference cut down to its ticket's number.
pub(super) fn without_references(text: &str) -> String {
    without_others(text.to_owned(), None)
}

/// Where `IT001-ABCDEFGH` stands, in any case and not as part of a longer word: its start, its dash and its end.
fn references(text: &str) -> impl Iterator<Item = (usize, usize, usize)> {
    let bytes = text.as_bytes();
    let in_word = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    memchr_iter(b'-', bytes).filter_map(move |dash| {
        let digits = bytes[..dash].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let (start, end) = (dash.checked_sub(digits + 2)?, dash + 9);
        let mac = bytes.get(dash + 1..end)?;
        let is_one = (3..=12).contains(&digits)
            && bytes[start..start + 2].eq_ignore_ascii_case(b"IT")
            && mac.iter().all(|b| matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'2'..=b'7'))
            && !(start > 0 && in_word(start - 1))
            && !in_word(end);
        is_one.then_some((start, dash, end))
    })
}

/// Without blank lines at the start, and one line end behind the last line.
fn tidy_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    let start = text.len() - text.trim_start().len();
    text.drain(..start);
    text
}

/// `[IT001] <the requester's subject>` through the ticket's life; letters about no ticket have their own, and those to
/// somebody who has to do with the module, not with the request.
/// An outsider never gets their own words back from the desk (`hardening.md` S44), so theirs is fixed too.
fn subject_line(letter: &Letter, desk: &Identity, own: impl Fn() -> String) -> String {
    let own = || one_line(&own(), MAX_SUBJECT_CHARS);
    let Some(ticket) = &letter.ticket else { return own() };
    let words = one_line(&ticket.subject, MAX_SUBJECT_CHARS);
    let apart = matches!(letter.content, Content::Outage { .. });
    let words = if words.is_empty() || apart || is_outsider(letter, desk) { own() } else { words };
    format!("[{}] {words}", ticket.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s21_a_reference_of_somebody_else_stays_behind() {
        let check =
            |text: &str, shown: &str| assert_eq!(without_others(text.to_owned(), Some("IT001-ABCDEFGH")), shown);
        check("see IT001-ABCDEFGH", "see IT001-ABCDEFGH");
        check("Re: it001-abcdefgh", "Re: IT001-ABCDEFGH");
        check("> it001-zzzzzzzz <b>IT002-ABCDEFGH</b>", "> it001 <b>IT002</b>");
        check("IT001-ABCDEFG7, 见IT123456789012-abcdefgh。", "IT001, 见IT123456789012。");
        check("IT002-IT345671-ABCDEFGH", "IT002-IT345671");
        check("IT002-IT345672-ABCDEFGH", "IT002-ABCDEFGH");
        for other in ["IT001-SHORT and IT001", "IT01-ABCDEFGH", "IT1234567890123-ABCDEFGH", "001-ABCDEFGH", "-ABCDEFGH"]
        {
            check(other, other);
        }
        for longer in ["xIT002-ABCDEFGH", "_IT002-ABCDEFGH", "IT002-ABCDEFGHI", "IT002-ABCDEFG1", "IT002-ABCDEFG"] {
            check(longer, longer);
        }
    }
}
