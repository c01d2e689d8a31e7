//! The people of a story and the mails they write: new ones, and replies as a mail client makes them.

use crate::address::Mailbox;
use crate::mail;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A letter somebody received, as their mail client shows it.
#[derive(Clone, Debug)]
pub struct Letter {
    pub from: String,
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub references: Vec<String>,
    pub text: String,
    pub raw: Vec<u8>,
}

impl Letter {
    /// Reads a letter's bytes.
    pub fn read(raw: Vec<u8>) -> Letter {
        let read = mail::parse(&raw);
        let shown =
            |m: &Mailbox| if m.name.is_empty() { m.address.to_string() } else { format!("{} <{}>", m.name, m.address) };
        Letter {
            from: read.from.as_ref().map(shown).unwrap_or_default(),
            to: read.to.first().map(|m| m.address.to_string()).unwrap_or_default(),
            subject: read.subject,
            message_id: read.message_id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
            references: read.references.iter().map(|id| id.as_str().to_owned()).collect(),
            text: read.full_text,
            raw,
        }
    }

    /// The links to this page of the desk, such as `/s/`, in the order they stand in the text.
    pub fn links(&self, page: &str) -> Vec<String> {
        let starts = self.text.match_indices("http").map(|(at, _)| &self.text[at..]);
        let links =
            starts.map(|rest| rest.split(|c: char| c.is_whitespace() || "<>\"（）()".contains(c)).next().unwrap_or(""));
        links.filter(|link| link.contains(page)).map(str::to_owned).collect()
    }
}

/// A mail from `from` to the desk.
pub fn write(from: &Mailbox, desk: &str, subject: &str, text: &str, at: Timestamp) -> Vec<u8> {
    message(from, desk, subject, text, at, "")
}

/// A reply to `letter` with the letter quoted below, the way desktop clients do it.
pub fn reply(from: &Mailbox, desk: &str, letter: &Letter, text: &str, at: Timestamp) -> Vec<u8> {
    let quote: String = letter.text.lines().map(|line| format!("> {line}\n")).collect();
    let chinese = mail::parse(&letter.raw).language == crate::desk::words::Language::Chinese;
    let prefix = if letter.subject.to_lowercase().starts_with("re:") || letter.subject.starts_with("回复") {
        ""
    } else if chinese {
        "回复："
    } else {
        "Re: "
    };
    let body = if chinese {
        format!("{text}\n\n在 2026-11-23 10:00:00，{} 写道：\n{quote}", letter.from)
    } else {
        format!("{text}\n\nOn Mon, Nov 23, 2026 at 10:00 AM {} wrote:\n{quote}", letter.from)
    };
    let references: Vec<String> =
        letter.references.iter().chain([&letter.message_id]).map(|id| format!("<{id}>")).collect();
    let headers = format!("In-Reply-To: <{}>\r\nReferences: {}\r\n", letter.message_id, references.join("\r\n "));
    message(from, desk, &format!("{prefix}{}", letter.subject), &body, at, &headers)
}

fn message(from: &Mailbox, desk: &str, subject: &str, text: &str, at: Timestamp, headers: &str) -> Vec<u8> {
    let id =
        crate::desk::inbound::Digest::of(format!("{}{subject}{text}{}", from.address, at.millis()).as_bytes()).hex();
    let encoded = STANDARD.encode(text.replace('\n', "\r\n"));
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!(
        "From: {name} <{address}>\r\nTo: <{desk}>\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{id}@{domain}>\r\n{headers}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n",
        name = word(&from.name),
        address = from.address,
        subject = word(subject),
        date = at.utc().to_rfc2822(),
        id = &id[..24],
        domain = from.address.domain(),
        body = lines.join("\r\n"),
    )
    .into_bytes()
}

/// RFC 2047 words of at most twelve characters each, so that every line stays short.
fn word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let encoded =
        characters.chunks(12).map(|c| format!("=?utf-8?B?{}?=", STANDARD.encode(c.iter().collect::<String>())));
    encoded.collect::<Vec<_>>().join("\r\n ")
}
