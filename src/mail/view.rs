//! What the templates are told of a letter, made ready to show, and the filters they have.

use crate::address::Address;
use crate::desk::letter::{Content, Letter, Manner};
use crate::desk::link::Key;
use crate::desk::policy::Identity;
use crate::desk::ticket::{Number, Ticket, What};
use crate::desk::words::{Field, Language, Rating, Status};
use crate::mail::phrases;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, Write};
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

/// Longest text of a person that is passed on; the whole stays in the store.
const MAX_TEXT_BYTES: usize = 256 * 1024;
/// A subject longer than this helps nobody.
pub(super) const MAX_SUBJECT_CHARS: usize = 150;
const MAX_LINE_CHARS: usize = 200;

/// A requester who is no colleague. Engineers are never outsiders, wherever their mailbox is.
pub(super) fn is_outsider(letter: &Letter, desk: &Identity) -> bool {
    if let Content::Acknowledgement { outsider, .. } = letter.content {
        return outsider;
    }
    let to = &letter.to.mailbox.address;
    letter.ticket.as_ref().is_some_and(|t| t.requester.address == *to) && !desk.is_colleague(to)
}

/// What the templates know. Names are those of the types in `desk`, made ready to show; see `templates/README.md`.
pub(super) fn view(letter: &Letter, desk: &Identity, key: &Key, now: Timestamp) -> Context {
    let language = letter.to.language;
    let reader = &letter.to.mailbox;
    let ticket = letter.ticket.as_deref();
    // What the desk says by itself to an outsider holds nothing they chose, their name neither (S44).
    let nameless = is_outsider(letter, desk) && letter.content.manner() != Manner::Human;
    let called = if nameless { String::new() } else { one_line(reader.called(), 60) };
    let mut view = Context::new();
    view.insert("language", language.as_str());
    view.insert("zone", letter.to.zone.name());
    view.insert("now", &now);
    view.insert("desk", &PersonView { name: desk.name(language).to_owned(), address: desk.address.as_str() });
    view.insert("reader", &PersonView { name: called, address: reader.address.as_str() });
    view.insert("outsider", &is_outsider(letter, desk));
    view.insert("attached", &!letter.attachments.is_empty());
    view.insert("number", &ticket.map(|t| t.number.to_string()));
    view.insert("reference", &ticket.map(|t| key.reference(t.number, &reader.address)));
    view.insert("ticket", &ticket.map(|t| TicketView::new(t, language, &reader.address)));
    view.insert("tap", &ticket.filter(|_| desk.plus_addresses).map(|t| Taps::new(t, desk, key, &reader.address)));
    let content = Value::from_serializable(&letter.content);
    view.insert_value("letter", cleaned(&content, "", language).unwrap_or(content));
    view
}

/// Mails that need no typing: whoever opens one of these and sends it has given the command.
#[derive(Serialize)]
struct Taps {
    take: String,
    note: String,
    resolve: String,
}

impl Taps {
    fn new(ticket: &Ticket, desk: &Identity, key: &Key, reader: &Address) -> Taps {
        let reference = key.reference(ticket.number, reader);
        let (local, domain) = (desk.address.local(), desk.address.domain());
        let subject = percent(&format!("Re: [{}]", ticket.number));
        let mail = |verb: &str| {
            // RFC 6068 section 5: a line break in the body is %0D%0A.
            format!("mailto:{}%2B{verb}@{domain}?subject={subject}&body=%0D%0A%0D%0A{reference}", percent(local))
        };
        Taps { take: mail("take"), note: mail("note"), resolve: mail("resolve") }
    }
}

/// Percent-encoded as RFC 3986 section 2.1 wants it.
fn percent(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[derive(Serialize)]
struct PersonView<'a> {
    name: String,
    address: &'a str,
}

#[derive(Serialize)]
struct FactView {
    field: Field,
    label: &'static str,
    value: String,
}

#[derive(Serialize)]
struct TicketView<'a> {
    subject: String,
    requester: PersonView<'a>,
    category: &'static str,
    category_name: &'static str,
    priority: &'static str,
    priority_name: &'static str,
    impact_name: &'static str,
    status: &'static str,
    status_name: &'static str,
    wait: Option<&'static str>,
    wait_name: Option<&'static str>,
    department: Option<String>,
    contact: Option<String>,
    /// What else the requester told: since when, steps, error text, employee number.
    facts: Vec<FactView>,
    assignee: Option<&'a str>,
    /// The reader works on it.
    mine: bool,
    /// The requester was asked for what is missing.
    asked: bool,
    created: Timestamp,
    first_response: Option<Timestamp>,
    response_due: Timestamp,
    resolution_due: Timestamp,
    related: Option<String>,
    /// Addresses in copy.
    copied: Vec<&'a str>,
}

impl<'a> TicketView<'a> {
    fn new(ticket: &'a Ticket, language: Language, reader: &Address) -> TicketView<'a> {
        let told = |field: Field| {
            let limit = if matches!(field, Field::Steps | Field::Error) { 1000 } else { MAX_LINE_CHARS };
            ticket.fields.get(&field).map(|v| one_line(v, limit)).filter(|v| !v.is_empty())
        };
        let facts = [
            Field::Vip,
            Field::EmployeeId,
            Field::Location,
            Field::Manager,
            Field::Channel,
            Field::When,
            Field::Steps,
            Field::Error,
        ]
        .into_iter();
        let facts =
            facts.filter_map(|field| told(field).map(|value| FactView { field, label: field.name(language), value }));
        let name = told(Field::Name).unwrap_or_else(|| one_line(ticket.requester.called(), 60));
        TicketView {
            subject: one_line(&ticket.subject, MAX_SUBJECT_CHARS),
            requester: PersonView { name, address: ticket.requester.address.as_str() },
            category: ticket.category.as_str(),
            category_name: ticket.category.name(language),
            priority: ticket.priority.as_str(),
            priority_name: ticket.priority.name(language),
            impact_name: ticket.impact.name(language),
            status: ticket.status.as_str(),
            status_name: ticket.status.name(language),
            wait: ticket.wait.map(|w| w.as_str()),
            wait_name: ticket.wait.map(|w| w.name(language)),
            department: told(Field::Department),
            contact: told(Field::Contact),
            facts: facts.collect(),
            assignee: ticket.assignee.as_ref().map(Address::as_str),
            mine: ticket.assignee.as_ref() == Some(reader),
            asked: ticket.asked,
            created: ticket.created,
            first_response: ticket.answered,
            response_due: ticket.response_due,
            resolution_due: ticket.resolution_due,
            related: ticket.related.map(|n| n.to_string()),
            copied: ticket.copied.iter().map(|person| person.address.as_str()).collect(),
        }
    }
}

/// Control characters and those that turn or hide text (`hardening.md` S49).
fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One line of plain characters, cut at `limit` characters with an ellipsis.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let plain = |c: char| if c.is_whitespace() { Some(' ') } else { (!is_tricky(c)).then_some(c) };
    let mut line = String::new();
    let mut length = 0;
    for character in text.trim().chars().filter_map(plain) {
        if character == ' ' && line.ends_with(' ') {
            continue;
        }
        if length == limit {
            line.push('…');
            break;
        }
        line.push(character);
        length += 1;
    }
    line
}

/// The value with its strings made safe to show, when any was not: a person's text and comment keep their lines,
/// everything else is one line.
fn cleaned(value: &Value, name: &str, language: Language) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return cleaned_text(text, name, language).map(Value::from);
    }
    if let Some(items) = value.as_array() {
        let mut new: Option<Vec<Value>> = None;
        for (at, item) in items.iter().enumerate() {
            if let Some(item) = cleaned(item, name, language) {
                new.get_or_insert_with(|| items.to_vec())[at] = item;
            }
        }
        return new.map(Value::from);
    }
    let (map, mut new) = (value.as_map()?, None);
    for (key, item) in map.iter() {
        if let Some(item) = cleaned(item, key.as_str().unwrap_or(""), language) {
            new.get_or_insert_with(|| map.clone()).insert(key.clone(), item);
        }
    }
    new.map(Value::from)
}

/// What takes the place of a text that may not be shown as it is.
fn cleaned_text(text: &str, name: &str, language: Language) -> Option<String> {
    match name {
        "html" => None,
        "text" | "comment" | "note" | "why" => {
            Some(readable(text, language)).filter(|shown| shown != text).map(Cow::into_owned)
        }
        _ if text.chars().any(is_tricky) || text.len() > MAX_LINE_CHARS => Some(one_line(text, 1000)),
        _ => None,
    }
}

/// A person's text without control and direction-turning characters, at most [`MAX_TEXT_BYTES`] long.
fn readable(text: &str, language: Language) -> Cow<'_, str> {
    let text = text.trim_end().trim_start_matches(['\r', '\n']);
    let odd = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let cut = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let mut shown = if cut.contains(odd) { Cow::Owned(cut.replace(odd, "")) } else { Cow::Borrowed(cut) };
    if cut.len() < text.len() {
        let note = language
            .pick("\n\n……（内容过长，此处省略，全文已存档）", "\n\n… (too long to send on; the whole text is kept)");
        shown.to_mut().push_str(note);
    }
    shown
}

/// Plain text as HTML: every character itself, lines broken, runs of blanks kept.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    let (mut after_blank, mut done) = (true, 0);
    for (at, byte) in text.bytes().enumerate() {
        let shown = match byte {
            b'\n' => "<br>\n",
            b'\t' => "&nbsp;&nbsp;&nbsp; ",
            b' ' if after_blank => "&nbsp;",
            _ => entity(byte).unwrap_or_default(),
        };
        after_blank = matches!(byte, b'\t' | b'\n') || (byte == b' ' && !after_blank);
        if !shown.is_empty() {
            html.push_str(&text[done..at]);
            html.push_str(shown);
            done = at + 1;
        }
    }
    html.push_str(&text[done..]);
    html
}

/// What stands for a character that means something in HTML.
fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

/// Writes a value of an HTML template: what needs no entity at one go, where the engine's own goes byte by byte.
pub(super) fn write_escaped(text: &str, html: &mut dyn Write) -> io::Result<()> {
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(entity) = entity(byte) {
            html.write_all(&text.as_bytes()[done..at])?;
            html.write_all(entity.as_bytes())?;
            done = at + 1;
        }
    }
    html.write_all(&text.as_bytes()[done..])
}

/// The filters of the templates; they read the reader's language, zone and `now` from the view.
pub(super) fn register_filters(tera: &mut Tera) {
    tera.register_filter("time", |at: i64, _: Kwargs, state: &State| -> TeraResult<String> {
        let now = Timestamp::from_millis(state.get::<i64>("now")?.unwrap_or_default());
        Ok(phrases::moment(Timestamp::from_millis(at), now, zone(state)?, language(state)?))
    });
    // `letter.visit.start | span(to=letter.visit.end)`
    tera.register_filter("span", |from: i64, given: Kwargs, state: &State| -> TeraResult<String> {
        let now = Timestamp::from_millis(state.get::<i64>("now")?.unwrap_or_default());
        let to = Timestamp::from_millis(given.must_get::<i64>("to")?);
        Ok(phrases::span(Timestamp::from_millis(from), to, now, zone(state)?, language(state)?))
    });
    tera.register_filter("number", |number: i64, _: Kwargs, _: &State| Number(number).to_string());
    tera.register_filter("size", |bytes: u64, _: Kwargs, _: &State| phrases::size(bytes));
    tera.register_filter("field", |key: &str, _: Kwargs, state: &State| -> TeraResult<String> {
        Ok(Field::parse(key).map_or(key, |f| language(state).map_or("", |l| f.name(l))).to_owned())
    });
    tera.register_filter("status", |key: &str, _: Kwargs, state: &State| -> TeraResult<String> {
        let language = language(state)?;
        Ok(Status::parse(key).map_or(key, |s| s.name(language)).to_owned())
    });
    tera.register_filter("rating", |key: &str, _: Kwargs, state: &State| -> TeraResult<String> {
        let language = language(state)?;
        Ok(Rating::parse(key).map_or(key, |r| r.name(language)).to_owned())
    });
    // Plain text has no frame: a bar before every line shows where somebody else's words begin and end.
    tera.register_filter("set_off", |text: &str, _: Kwargs, _: &State| format!("│ {}", text.replace('\n', "\n│ ")));
    tera.register_filter("happened", |what: Value, _: Kwargs, state: &State| -> TeraResult<String> {
        let what = What::deserialize(&what).map_err(tera::Error::message)?;
        Ok(phrases::happened(&what, language(state)?))
    });
    tera.register_filter("rich", |body: &Value, _: Kwargs, _: &State| -> TeraResult<Value> {
        let html = rich(body).ok_or_else(|| tera::Error::message("`rich` shows a body: {text, html}"))?;
        Ok(Value::safe_string(&html))
    });
}

fn zone(state: &State) -> TeraResult<chrono_tz::Tz> {
    let zone = state.get::<Value>("zone")?;
    Ok(zone.as_ref().and_then(Value::as_str).and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC))
}

fn language(state: &State) -> TeraResult<Language> {
    let language = state.get::<Value>("language")?;
    Ok(language.as_ref().and_then(Value::as_str).and_then(Language::parse).unwrap_or_default())
}

/// A body as HTML: its own, which arrives cleaned, else its text with line breaks.
fn rich(body: &Value) -> Option<Cow<'_, str>> {
    let said = |name| body.get_from_path(name).and_then(Value::as_str);
    let html = said("html").filter(|html| !html.trim().is_empty());
    html.map(Cow::Borrowed).or_else(|| said("text").map(|text| Cow::Owned(escape(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_shape_as_html() {
        let check = |text: &str, html: &str| assert_eq!(escape(text), html);
        check("a < b & \"c\"", "a &lt; b &amp; &quot;c&quot;");
        check("one\n  two\tthree", "one<br>\n&nbsp; two&nbsp;&nbsp;&nbsp; three");
        check(" a    b; c", "&nbsp;a &nbsp; &nbsp;b; c");
    }

    #[test]
    fn lines_are_one_line_and_bounded() {
        let check = |text: &str, line: &str| assert_eq!(one_line(text, 8), line);
        check("  打印机\r\n\t坏了 ", "打印机 坏了");
        check("a\u{202e}b\u{0}c", "abc");
        check("123456789", "12345678…");
        check("12345678", "12345678");
        check("", "");
    }
}
