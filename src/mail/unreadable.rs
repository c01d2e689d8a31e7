//! What is left to say about a message that could not be read at all.

use crate::desk::inbound::{Body, Digest, Inbound, Kind};
use crate::desk::words::Language;

/// Stands for a message that the reader stumbled over: nothing is known of it but its bytes.
pub fn unreadable(raw: &[u8]) -> Inbound {
    Inbound {
        kind: Kind::Request,
        from: None,
        to: Vec::new(),
        cc: Vec::new(),
        subject: String::new(),
        message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        date: None,
        language: Language::default(),
        body: Body::default(),
        full_text: String::new(),
        commands: Vec::new(),
        after_commands: Body::default(),
        commands_doubtful: false,
        attachments: Vec::new(),
        bounce: None,
        authentication_results: Vec::new(),
        references_in_text: Vec::new(),
        asks_no_answer: false,
        hops: 0,
        digest: Digest::of(raw),
        content: None,
        size: raw.len(),
        anomalies: vec!["unreadable".into()],
    }
}
