//! From a letter as data to its words: subject, text and HTML in the reader's language and zone.

use crate::desk::letter::Letter;
use crate::desk::link::Key;
use crate::desk::policy::Identity;
use crate::mail::templates::Templates;
use crate::mail::view::{MAX_SUBJECT_CHARS, escape, is_outsider, one_line, view};
use crate::time::Timestamp;
use regex::{Captures, Regex};
use std::sync::LazyLock;

static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i-u)\b(IT[0-9]{3,12})-[A-Z2-7]{8}\b").expect("a constant pattern"));

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
    let mut names = templates.names_for(letter).into_iter();
    let mut next = || templates.render(&names.next().unwrap_or_default(), &view);
    let own_subject = next().unwrap_or_default();
    let subject = subject(letter, desk, &own_subject);
    let (text, html) = (next(), next());
    // No sample failed at start, so this is for a site's template that fails on facts no sample had, twice over.
    let text = text.unwrap_or_else(|| subject.clone());
    let html = html.unwrap_or_else(|| escape(&text));
    let own = letter.ticket.as_ref().map(|t| key.reference(t.number, &letter.to.mailbox.address));
    let own = |text: &str| without_others(text, own.as_deref());
    Rendered { subject, text: tidy_end(own(&text)), html: tidy_end(own(&html)) }
}

/// A reference proves who it was sent to (`hardening.md` S21): one that came along in somebody's words stays behind.
fn without_others(text: &str, own: Option<&str>) -> String {
    let kept = |found: &Captures| match found[0].to_ascii_uppercase() {
        reference if Some(reference.as_str()) == own => reference,
        _ => found[1].to_owned(),
    };
    REFERENCE.replace_all(text, kept).into_owned()
}

fn tidy_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    let start = text.len() - text.trim_start().len();
    text.drain(..start);
    text
}

/// `[IT001] <the requester's subject>` through the ticket's life; only letters about no ticket have their own.
/// An outsider never gets their own words back from the desk (`hardening.md` S44), so theirs is fixed too.
fn subject(letter: &Letter, desk: &Identity, own: &str) -> String {
    let own = one_line(own, MAX_SUBJECT_CHARS);
    let Some(ticket) = &letter.ticket else { return own };
    let words = one_line(&ticket.subject, MAX_SUBJECT_CHARS);
    if words.is_empty() || is_outsider(letter, desk) {
        return format!("[{}] {own}", ticket.number);
    }
    format!("[{}] {words}", ticket.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s21_a_reference_of_somebody_else_stays_behind() {
        let check = |text: &str, shown: &str| assert_eq!(without_others(text, Some("IT001-ABCDEFGH")), shown);
        check("see IT001-ABCDEFGH", "see IT001-ABCDEFGH");
        check("> it001-zzzzzzzz <b>IT002-ABCDEFGH</b>", "> it001 <b>IT002</b>");
        check("IT001-SHORT and IT001", "IT001-SHORT and IT001");
    }
}
