//! Reads a raw message. Never fails: what is odd is noted in `anomalies`.

use crate::address::{Address, Mailbox, MessageId};
use crate::desk::inbound::{Body, Digest, Inbound, Kind};
use crate::desk::words::Language;
use crate::mail::body;
use crate::time::Timestamp;
use mail_parser::{HeaderValue, MessageParser};

/// Reads a raw message (RFC 5322 and what real clients make of it).
pub fn parse(raw: &[u8]) -> Inbound {
    let message = MessageParser::default().parse(raw).unwrap_or_default();
    let mailboxes = |value: Option<&mail_parser::Address>| -> Vec<Mailbox> {
        let one = |a: &mail_parser::Addr| {
            Some(Mailbox::new(Address::parse(a.address.as_deref()?)?, a.name.as_deref().unwrap_or("")))
        };
        value.map(|v| v.iter().filter_map(one).collect()).unwrap_or_default()
    };
    let ids = |value: &HeaderValue| match value {
        HeaderValue::Text(t) => MessageId::parse(t).into_iter().collect(),
        HeaderValue::TextList(l) => l.iter().filter_map(|t| MessageId::parse(t)).collect(),
        _ => Vec::new(),
    };
    let plain = message.text_bodies().find(|p| p.is_text() && !p.is_text_html()).and_then(|p| p.text_contents());
    let html = message.html_bodies().find(|p| p.is_text_html()).and_then(|p| p.text_contents());
    let reading = body::read(plain, html);
    Inbound {
        kind: Kind::Request,
        from: mailboxes(message.from()).into_iter().next(),
        to: mailboxes(message.to()),
        cc: mailboxes(message.cc()),
        subject: message.subject().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" "),
        message_id: message.message_id().and_then(MessageId::parse),
        in_reply_to: ids(message.in_reply_to()),
        references: ids(message.references()),
        date: message.date().map(|d| Timestamp::from_seconds(d.to_timestamp())),
        language: Language::English,
        full_text: reading.full_text,
        commands: reading.commands,
        after_commands: reading.after_commands,
        body: Body { text: reading.body.text, html: reading.body.html },
        attachments: Vec::new(),
        bounce: None,
        authentication_results: Vec::new(),
        references_in_text: Vec::new(),
        asks_no_answer: false,
        hops: 0,
        digest: Digest::of(raw),
        content: None,
        size: raw.len(),
        anomalies: Vec::new(),
    }
}
