//! Reads a raw message. Never fails: what is odd is noted in `anomalies`.
//!
//! Order of work: part tree, text and attachments, header fields in the charset of the text, the body's new text,
//! and at last what kind of message it is.

use crate::address::{Mailbox, MessageId};
use crate::desk::inbound::{Attachment, Bounce, Digest, Forwarded, Inbound, Kind};
use crate::desk::words::Language;
use crate::mail::attachment::Outline;
use crate::mail::body::{self, Purpose, Reading};
use crate::mail::charset::Charset;
use crate::mail::content::{self, Content};
use crate::mail::header::{self, Header};
use crate::mail::kind::{self, Evidence};
use crate::mail::part::{Notes, Part};
use crate::mail::{bounce, calendar, external, language, lists, mailbox};
use crate::time::Timestamp;
use mail_parser::DateTime;
use regex::Regex;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// Characters of a subject that are kept.
const MAX_SUBJECT: usize = 2000;
/// References to our letters that are taken from one text.
const MAX_REFERENCES: usize = 20;
/// `Authentication-Results` fields that are kept.
const MAX_RESULTS: usize = 20;
/// Command lines that are read; nobody writes more by hand.
const MAX_COMMANDS: usize = 100;
/// `Received` fields are counted up to here.
const MAX_HOPS: usize = 1000;

/// What is known of an attachment without building its bytes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Shape {
    pub name: String,
    #[serde(rename = "type")]
    pub media_type: String,
    pub bytes: usize,
    pub inline: bool,
}

/// Reads a raw message (RFC 5322 and what real clients make of it).
pub fn parse(raw: &[u8]) -> Inbound {
    let build =
        |outlines: Vec<Outline>| outlines.into_iter().map(|o| Arc::new(o.build())).collect::<Vec<Arc<Attachment>>>();
    let (mut inbound, attachments) = read(raw, build);
    inbound.attachments = attachments;
    inbound
}

/// As [`parse`], but with the attachments' shapes only; `Inbound::attachments` stays empty.
pub fn outline(raw: &[u8]) -> (Inbound, Vec<Shape>) {
    let shape = |o: &Outline| Shape {
        name: o.name.clone(),
        media_type: o.media_type.clone(),
        bytes: o.size(),
        inline: o.inline,
    };
    read(raw, |outlines| outlines.iter().map(shape).collect())
}

fn read<A>(raw: &[u8], attachments: impl Fn(Vec<Outline>) -> A) -> (Inbound, A) {
    let message = with_line_feeds(raw);
    let mut notes = Notes::default();
    let root = Part::parse(&message, &mut notes);
    let hint = text_charset(&root);
    let mut content = Content::of(&root, hint);
    let header = &root.header;
    let subject = header.first("Subject").map(|v| header::decode(v, hint)).unwrap_or_default();
    let subject: String = subject.chars().take(MAX_SUBJECT).collect();
    let (mut reading, encloses, html) = read_body(&mut content, hint, kind::purpose(&subject, header));
    reading.commands.truncate(MAX_COMMANDS);
    let author = mailbox::author(header, hint);
    let kind = kind::classify(&Evidence {
        root: &root,
        subject: &subject,
        text: &reading.full_text,
        daemon: bounce::is_daemon(&root),
        has_quote: reading.has_quote,
        has_forward: reading.has_forward,
        encloses_message: encloses,
        calendar: content.calendar.is_some_and(is_invitation),
    });
    let bounce = (kind == Kind::Bounce).then(|| bounce::details(&root, &reading.full_text, hint));
    let forwarded = (kind == Kind::Forward).then(|| forwarded(&mut content, &reading, hint)).flatten();
    let passed_on = kind == Kind::Forward && bounce::is_passed_on(&reading.full_text);
    let mut anomalies = anomalies(&root, &notes, &content, &author);
    if external::links_to_files(&reading.body) {
        anomalies.push(external::ANOMALY.to_owned());
    }
    // A file that a person attached is none.
    let sent = |part: &&Part| !part.is_attachment() || part.media.token("method").is_some();
    let calendar_reply = content.calendar.filter(sent).and_then(|part| calendar::read(&part.text(hint)));
    let message_id = mailbox::message_id(header);
    let identity = message_id.as_ref().map(|id| content_digest(id, author.as_ref().ok(), &subject, &message));
    let inbound = Inbound {
        kind,
        from: author.ok(),
        to: mailbox::list(header, "To", hint),
        cc: mailbox::list(header, "Cc", hint),
        message_id,
        in_reply_to: mailbox::ids(header, "In-Reply-To"),
        references: mailbox::ids(header, "References"),
        date: header.text("Date").and_then(|text| date(&text)),
        language: language(&reading, forwarded.as_ref(), &subject, kind, header, hint),
        references_in_text: references_in_text([&reading.full_text, html.as_deref().unwrap_or("")]),
        body: reading.body,
        full_text: reading.full_text,
        commands: reading.commands,
        after_commands: reading.after_commands,
        commands_doubtful: reading.commands_doubtful,
        attachments: Vec::new(),
        bounce: bounce.map(own_line),
        calendar_reply,
        sent_as: None,
        forwarded: forwarded.map(Box::new),
        authentication_results: header
            .all("Authentication-Results")
            .take(MAX_RESULTS)
            .map(header::unfold_text)
            .collect(),
        asks_no_answer: asks_no_answer(header) || passed_on,
        lists: lists::ids(header),
        mass: lists::is_mass(header),
        hops: header.all("Received").take(MAX_HOPS).count(),
        identity: identity.unwrap_or_else(|| Digest::of(raw)),
        size: raw.len(),
        subject,
        anomalies,
    };
    (inbound, attachments(content.attachments))
}

/// One message that came by two ways differs in its trace fields only (`hardening.md` R12).
fn content_digest(id: &MessageId, from: Option<&Mailbox>, subject: &str, message: &[u8]) -> Digest {
    let body = &message[body_start(message)..];
    let from = from.map_or("", |m| m.address.key());
    let head = format!("{}\0{from}\0{subject}\0", id.as_str());
    // Servers and files end their lines differently: carriage returns do not count.
    let pieces = std::iter::once(head.as_bytes()).chain(header::split_at_byte(body, b'\r'));
    Digest::of_parts(pieces)
}

/// Where the body begins: behind the first empty line, or at the end.
fn body_start(message: &[u8]) -> usize {
    let empty = |at: &usize| matches!(message.get(*at..), Some([b'\n', ..] | [b'\r', b'\n', ..]));
    memchr::memchr_iter(b'\n', message).map(|at| at + 1).find(empty).unwrap_or(message.len())
}

/// Old Macintosh files end their lines with CR alone.
fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect())
}

/// The charset of the first text that names one: what raw 8-bit header fields are most likely written in.
fn text_charset(root: &Part) -> Option<Charset> {
    root.walk().into_iter().filter(|p| p.main_type() == "text").find_map(Part::charset)
}

/// Reads the text; a message passed on without own words is read instead of them.
/// Gives the reading, whether a message is enclosed, and the HTML source.
fn read_body(content: &mut Content, hint: Option<Charset>, purpose: Purpose) -> (Reading, bool, Option<String>) {
    let (plain, html) = content.take_text();
    let reading = body::read_as(purpose, plain.as_deref(), html.as_deref());
    let encloses = !content.enclosed.is_empty();
    if !encloses || !reading.full_text.trim().is_empty() {
        return (reading, encloses, html);
    }
    let enclosed: Vec<String> = content.enclosed.iter().take(10).map(|m| content::enclosed_text(m, hint)).collect();
    (body::read(Some(&enclosed.join("\n\n")), None), encloses, html)
}

/// What a forward passes on: an enclosed message, or one that stands in the text. The pictures that an enclosed one shows
/// come with its words, though the message itself stays whole as a file.
fn forwarded(content: &mut Content, reading: &Reading, hint: Option<Charset>) -> Option<Forwarded> {
    let Some(enclosed) = content.enclosed.first() else { return reading.forwarded.clone() };
    let inner = enclosed.children.first()?;
    let hint = inner.charset().or(hint);
    let mut inside = Content::of(inner, hint);
    let (plain, html) = inside.take_text();
    let author = mailbox::author(&inner.header, hint).ok();
    let field = |name| inner.header.first(name).map(|value| header::decode(value, hint)).unwrap_or_default();
    let body = body::read(plain.as_deref(), html.as_deref()).body;
    let shown = |file: &Outline| file.content_id.as_ref().is_some_and(|id| body.shows_id(id));
    content.attachments.extend(inside.attachments.into_iter().filter(shown));
    Some(Forwarded {
        name: author.as_ref().map_or(String::new(), |author| author.name.clone()),
        address: author.map(|author| author.address),
        subject: field("Subject").chars().take(MAX_SUBJECT).collect(),
        date: field("Date").chars().take(100).collect(),
        // Without words of its own the outer text is the enclosed one.
        above: if body.text.trim() == reading.body.text.trim() || reading.has_forward {
            String::new()
        } else {
            reading.after_commands.text.clone()
        },
        body,
    })
}

/// A calendar part that asks or answers something (RFC 5546 section 1.4).
fn is_invitation(part: &Part) -> bool {
    let method = part.media.token("method").or_else(|| {
        let text = part.text(None).to_ascii_uppercase();
        let method = text.lines().take(50).find_map(|l| l.trim().strip_prefix("METHOD:").map(str::to_ascii_lowercase));
        method.filter(|_| !part.is_attachment())
    });
    method.is_some_and(|m| ["request", "reply", "cancel", "counter", "declinecounter"].contains(&m.trim()))
}

fn date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_rfc822(text.get(..text.len().min(100))?)?;
    let plausible = (1970..2200).contains(&date.year) && date.is_valid();
    plausible.then(|| Timestamp::from_seconds(date.to_timestamp()))
}

/// The language of what the sender wrote; short of words, that of the subject, the whole text, the charset.
fn language(
    reading: &Reading,
    forwarded: Option<&Forwarded>,
    subject: &str,
    kind: Kind,
    header: &Header,
    hint: Option<Charset>,
) -> Language {
    let new = match forwarded {
        Some(forwarded) => &forwarded.body.text,
        None if kind == Kind::Forward => &reading.full_text,
        None => &reading.body.text,
    };
    let by_charset = || hint.filter(|c| c.is_simplified_chinese()).map(|_| Language::Chinese);
    let by_header = || {
        let tag = header.token("Content-Language").or_else(|| header.token("Accept-Language"))?;
        Some(if tag.starts_with("zh") { Language::Chinese } else { Language::English })
    };
    let texts: [&str; 3] = [new, subject, &reading.full_text];
    texts.into_iter().find_map(language::of_text).or_else(by_charset).or_else(by_header).unwrap_or_default()
}

static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i-u)\bIT[0-9]{3,12}-[A-Z2-7]{8}\b").expect("a constant pattern"));

/// The references our letters carry in their footer, wherever they stand: quotes, links, hidden text.
fn references_in_text(texts: [&str; 2]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for reference in texts.iter().flat_map(|t| REFERENCE.find_iter(t)) {
        let reference = reference.as_str().to_ascii_uppercase();
        if !found.contains(&reference) {
            found.push(reference);
        }
        if found.len() >= MAX_REFERENCES {
            break;
        }
    }
    found
}

/// `X-Auto-Response-Suppress` of a sender who wants no answer from machines (L6). `OOF` and `DR` alone do not say that.
fn asks_no_answer(header: &Header) -> bool {
    header.all("X-Auto-Response-Suppress").any(|value| {
        let value = header::unfold_text(value).to_ascii_lowercase();
        value.split([',', ' ', ';']).any(|word| word == "all" || word == "autoreply")
    })
}

fn own_line(mut bounce: Bounce) -> Bounce {
    bounce.recipient = header::one_line(&bounce.recipient).chars().take(320).collect();
    bounce
}

/// What was odd, for the engineer and the operator.
fn anomalies(root: &Part, notes: &Notes, content: &Content, author: &Result<Mailbox, &str>) -> Vec<String> {
    let header = &root.header;
    let repeated = |name: &'static str| header.all(name).nth(1).is_some();
    let found = [
        (header.fields.is_empty(), "no header"),
        (header.cut, "header cut: too large"),
        (header.junk, "lines in the header that are no fields"),
        (repeated("Subject"), "several Subject fields"),
        (repeated("Message-ID"), "several Message-ID fields"),
        (header.has("Date") && header.text("Date").and_then(|t| date(&t)).is_none(), "unreadable date"),
        (notes.too_many_parts, "too many parts: the rest was not read"),
        (notes.too_deep, "nested too deeply: the rest was not read"),
        (notes.never_closed, "multipart without end"),
        (notes.no_boundary, "multipart without parts"),
        (content.too_long, "text cut: too long"),
        (content.tnef, "winmail.dat: content in a format only Outlook opens"),
        (author.as_ref().is_ok_and(mailbox::pretends), "the shown name holds another address"),
    ];
    let told = found.into_iter().filter(|(odd, _)| *odd).map(|(_, what)| what.to_owned());
    author.as_ref().err().map(|why| (*why).to_owned()).into_iter().chain(told).collect()
}

#[cfg(test)]
mod tests;
