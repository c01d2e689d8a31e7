//! From a letter's words to its exact bytes (RFC 5322, RFC 2045-2049).
//!
//! The same letter always gives the same bytes (promise G2): the date is `now`, boundaries come from the Message-ID,
//! nothing is random. lettre builds the MIME tree. Bodies come to it encoded, because the shape of a letter's text is
//! known here; header values are written here because strangers choose what is in them.

use crate::address::{Address, MessageId};
use crate::desk::inbound::Attachment;
use crate::desk::letter::{Content, Letter, Manner, NoticeReason};
use crate::desk::link::Key;
use crate::desk::policy::Identity;
use crate::desk::words::Priority;
use crate::mail::calendar::{self, Calendar};
use crate::mail::outgoing_body::text;
use crate::mail::outgoing_header::{address_field, file_name, unstructured};
use crate::mail::pieces::{Form, Piece, Pieces};
use crate::mail::render::Rendered;
use crate::mail::view::one_line;
use crate::time::Timestamp;
use lettre::message::header::{ContentTransferEncoding, Header, HeaderName, HeaderValue, Headers};
use lettre::message::{Body, MultiPart, SinglePart};
use memchr::memmem;
use std::collections::HashSet;
use std::sync::Arc;

/// A letter ready to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    pub message_id: MessageId,
    pub subject: String,
    /// `None` is the null sender `<>`.
    pub envelope_from: Option<Address>,
    /// The whole message, lines ended by CR LF and at most 998 bytes long. Files are pieces of their own.
    pub bytes: Pieces<'static>,
    /// What leaves first when much is waiting: the smallest.
    pub urgency: i64,
}

const CONTENT_TYPE: &str = "Content-Type";

/// The oldest ids of a long conversation are left out, but never the first: clients hang the thread on it.
const MAX_REFERENCES: usize = 20;

/// Composes a letter. `conversation`: ids of what this reader saw of the ticket so far, oldest first.
pub fn compose(
    words: &Rendered,
    letter: &Letter,
    desk: &Identity,
    key: &Key,
    conversation: &[MessageId],
    now: Timestamp,
) -> Composed {
    let number = letter.ticket.as_ref().map(|t| t.number);
    let id = key.message_id(number, &letter.to.mailbox.address, &letter.key, desk.address.domain());
    let unique = unique(&id);
    let (images, files): (Vec<_>, Vec<_>) = letter.attachments.iter().partition(|a| is_shown(a, &words.html));
    let calendar = calendar::write(letter, words, desk, now);
    let mut message = body(words, &images, &files, calendar.as_ref(), &unique);
    // The top part's own fields go last, below the message's.
    let content_type = message.headers_mut().remove_raw(CONTENT_TYPE);
    header(message.headers_mut(), words, letter, desk, &id, conversation, now);
    content_type.into_iter().for_each(|field| message.headers_mut().insert_raw(field));
    let bytes = with_files(message.formatted(), images.into_iter().chain(files), &unique);
    Composed {
        message_id: MessageId::parse(&id).expect("an id of our own making has no spaces or brackets"),
        subject: words.subject.clone(),
        envelope_from: envelope_from(&letter.content, desk),
        bytes,
        urgency: urgency(letter),
    }
}

/// The desk's own address, so that what cannot be delivered comes back to the desk, which shows it to the engineer
/// and never answers it (`hardening.md` L2). A null sender is kept for the one letter whose loss nobody needs to
/// know and that any stranger can cause (L12); submission servers that insist on the login's address (QQ, NetEase)
/// refuse it.
fn envelope_from(content: &Content, desk: &Identity) -> Option<Address> {
    (!matches!(content, Content::TooLarge { .. })).then(|| desk.address.clone())
}

/// 0 emergencies, 1 what a person said, 2 work for engineers, 3 receipts, 4 reminders and housekeeping.
fn urgency(letter: &Letter) -> i64 {
    let urgent = letter.ticket.as_ref().is_some_and(|t| t.priority <= Priority::P2);
    match &letter.content {
        Content::Notice { reason: NoticeReason::Unassigned { .. }, .. } => 0,
        Content::Notice { .. }
        | Content::Handover { .. }
        | Content::Dissatisfied { .. }
        | Content::Escalation { .. }
            if urgent =>
        {
            0
        }
        content if content.manner() == Manner::Human => 1,
        Content::Notice { .. } | Content::Dissatisfied { .. } | Content::Undelivered { .. } => 2,
        Content::Transcript { .. } | Content::ConfirmCommand { .. } | Content::VisitAnswer { .. } => 2,
        Content::Escalation { .. } | Content::Overdue { .. } | Content::Taken { .. } | Content::Progress { .. } => 2,
        // Whoever waits for it in the queue misses the visit.
        Content::VisitReminder { .. } => 1,
        Content::Impersonated { .. } | Content::Unheard { .. } | Content::TakenBack { .. } => 2,
        Content::Outage { .. } => 1,
        Content::OnHold { .. } | Content::Incident { .. } => 2,
        Content::ApprovalCode { .. } | Content::ApprovalOverdue { .. } | Content::ApprovalRequest { .. } => 2,
        Content::ConfirmReminder { .. }
        | Content::Waiting { .. }
        | Content::Closed { .. }
        | Content::TooLarge { .. } => 4,
        _ => 3,
    }
}

fn header(
    fields: &mut Headers,
    words: &Rendered,
    letter: &Letter,
    desk: &Identity,
    id: &str,
    conversation: &[MessageId],
    now: Timestamp,
) {
    let desk_name = desk.name(letter.to.language);
    let from = match letter.content.author().map(|a| one_line(a, 60)).filter(|a| !a.is_empty()) {
        Some(author) => format!("{author} ({desk_name})"),
        None => desk_name.to_owned(),
    };
    // An outsider's name is the outsider's words (S44); a letter written by a person may use it.
    let named = letter.content.manner() == Manner::Human || desk.is_colleague(&letter.to.mailbox.address);
    let to = if named { one_line(&letter.to.mailbox.name, 60) } else { String::new() };
    put(fields, "Date", now.at_zone(letter.to.zone).to_rfc2822());
    put(fields, "From", address_field(&from, &desk.address, "From".len()));
    put(fields, "To", address_field(&to, &letter.to.mailbox.address, "To".len()));
    put(fields, "Reply-To", address_field(desk_name, &desk.address, "Reply-To".len()));
    put(fields, "Subject", unstructured(&words.subject, "Subject".len()));
    put(fields, "Message-ID", format!("<{id}>"));
    thread(fields, letter.answers.as_ref(), conversation);
    manner(fields, letter, desk);
    put(fields, "MIME-Version", "1.0".into());
}

/// Adds a field whose value is encoded and folded already.
fn put(fields: &mut Headers, name: &'static str, value: String) {
    let name = HeaderName::new_from_ascii_str(name);
    fields.insert_raw(HeaderValue::dangerous_new_pre_encoded(name, String::new(), value));
}

/// RFC 5322 section 3.6.4, each id on its own line.
fn thread(fields: &mut Headers, answers: Option<&MessageId>, conversation: &[MessageId]) {
    let plain = |id: &&MessageId| id.as_str().is_ascii();
    let Some(parent) = answers.filter(plain).or_else(|| conversation.iter().rev().find(plain)) else { return };
    let mut seen = HashSet::from([parent]);
    let mut references: Vec<_> = conversation.iter().filter(plain).filter(|id| seen.insert(id)).collect();
    references.push(parent);
    if references.len() > MAX_REFERENCES {
        references.drain(1..=references.len() - MAX_REFERENCES);
    }
    let references: Vec<String> = references.into_iter().map(MessageId::to_string).collect();
    put(fields, "In-Reply-To", parent.to_string());
    put(fields, "References", references.join("\r\n "));
}

/// What tells other machines not to answer (`hardening.md` L9-L12) and the desk that this is its own (L1).
fn manner(fields: &mut Headers, letter: &Letter, desk: &Identity) {
    let (submitted, suppress) = match letter.content.manner() {
        Manner::AutoReplied => (Some("auto-replied"), "All"),
        Manner::AutoGenerated => (Some("auto-generated"), "All"),
        Manner::Human => (None, "OOF, AutoReply"),
    };
    if let Some(submitted) = submitted {
        put(fields, "Auto-Submitted", submitted.into());
    }
    put(fields, "X-Auto-Response-Suppress", suppress.into());
    put(fields, "X-Maildesk-Loop", desk.address.key().into());
    if urgency(letter) == 0 {
        put(fields, "X-Priority", "1".into());
        put(fields, "Importance", "high".into());
    }
}

/// `mixed( related( alternative(text, html, calendar), images ), files, calendar )`, each level only where it is needed.
fn body(
    words: &Rendered,
    images: &[&Arc<Attachment>],
    files: &[&Arc<Attachment>],
    calendar: Option<&Calendar>,
    unique: &str,
) -> MultiPart {
    let mut message = multipart("alternative", "", unique)
        .singlepart(said("plain", &words.text))
        .singlepart(said("html", &words.html));
    // Last: programs that know it show it before the others (RFC 2046 section 5.1.4).
    if let Some(calendar) = calendar {
        message = message.singlepart(invitation(calendar));
    }
    let mut marks = (0..).map(|n| file_mark(n, unique));
    let mut add = |message: MultiPart, file: &Attachment, inline| {
        message.singlepart(attached(file, inline, marks.next().unwrap_or_default()))
    };
    if !images.is_empty() {
        message = multipart("related", ";\r\n type=\"multipart/alternative\"", unique).multipart(message);
        message = images.iter().fold(message, |message, image| add(message, image, true));
    }
    if !files.is_empty() || calendar.is_some() {
        message = multipart("mixed", "", unique).multipart(message);
        message = files.iter().fold(message, |message, file| add(message, file, false));
    }
    match calendar {
        Some(calendar) => message.singlepart(invitation_file(calendar)),
        None => message,
    }
}

/// What calendar programs look for (RFC 6047 section 2.4).
fn invitation(calendar: &Calendar) -> SinglePart {
    let field = TypeField(format!("text/calendar; charset=utf-8; method={}", calendar.method));
    SinglePart::builder().header(field).body(text(&calendar.text))
}

/// The same to be opened by hand, where the mail program knows no calendar. Of another type, or it would be taken twice.
fn invitation_file(calendar: &Calendar) -> SinglePart {
    let name = "invite.ics";
    SinglePart::builder()
        .header(TypeField(format!("application/ics{}", file_name("name", name, false))))
        .header(DispositionField(format!("attachment{}", file_name("filename", name, true))))
        .body(text(&calendar.text))
}

/// A part of words.
fn said(kind: &str, words: &str) -> SinglePart {
    SinglePart::builder().header(TypeField(format!("text/{kind}; charset=utf-8"))).body(text(words))
}

/// What stands in a message where a file will be: like the boundary, nothing else in the message can hold it, and no
/// stranger can know the id beforehand.
fn file_mark(index: usize, unique: &str) -> String {
    format!("=_file{index}_{unique}")
}

/// The message with the files in their places.
fn with_files<'a>(message: Vec<u8>, files: impl Iterator<Item = &'a Arc<Attachment>>, unique: &str) -> Pieces<'static> {
    let (mut pieces, mut done) = (Vec::new(), 0);
    for (index, file) in files.enumerate() {
        let mark = file_mark(index, unique);
        let found =
            memmem::find(&message[done..], mark.as_bytes()).expect("each file's mark was written in this order");
        pieces.push(Piece::Bytes(message[done..done + found].to_vec().into()));
        pieces.push(Piece::File { digest: file.digest, size: file.bytes.len(), form: Form::OWN });
        done += found + mark.len();
    }
    if done == 0 {
        return Pieces::whole(message);
    }
    pieces.push(Piece::Bytes(message[done..].to_vec().into()));
    Pieces(pieces)
}

/// The boundary holds `=_`, which neither base64 nor quoted-printable can produce, and the letter's own id.
fn multipart(kind: &str, parameters: &str, unique: &str) -> MultiPart {
    let field = TypeField(format!("multipart/{kind};\r\n boundary=\"=_{}_{unique}\"{parameters}", &kind[..3]));
    MultiPart::builder().header(field).build()
}

fn unique(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).take(48).collect()
}

/// An image the HTML shows. SVG can hold script, so it is only ever a file (`hardening.md` S36).
fn is_shown(attachment: &Attachment, html: &str) -> bool {
    let Some(id) = attachment.content_id.as_deref() else { return false };
    let usable =
        id.len() <= 200 && !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"&".contains(&b));
    let image = attachment.media_type.starts_with("image/") && !attachment.media_type.contains("svg");
    usable && image && html.contains(&format!("cid:{id}"))
}

fn attached(attachment: &Attachment, inline: bool, mark: String) -> SinglePart {
    let name = one_line(&attachment.name, 255);
    let name = if name.is_empty() { "attachment" } else { &name };
    let kind = if inline { "inline" } else { "attachment" };
    let mut part = SinglePart::builder()
        .header(TypeField(format!("{}{}", media_type(&attachment.media_type), file_name("name", name, false))))
        .header(DispositionField(format!("{kind}{}", file_name("filename", name, true))));
    if let Some(id) = attachment.content_id.as_deref().filter(|_| inline) {
        part = part.header(lettre::message::header::ContentId::from(format!("<{id}>")));
    }
    part.body(Body::dangerous_pre_encoded(mark.into_bytes(), ContentTransferEncoding::Base64))
}

/// The attachment's type when it is one that may be sent in base64: RFC 2046 section 5 forbids that for `message`
/// and `multipart`, so those go as plain files, which mail programs open by their name.
fn media_type(stated: &str) -> &str {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    match stated.split_once('/') {
        Some(("message" | "multipart", _)) => "application/octet-stream",
        Some((kind, subtype)) if token(kind) && token(subtype) && stated.len() <= 100 => stated,
        _ => "application/octet-stream",
    }
}

/// A field whose value is written here: encoded and folded already.
#[derive(Clone)]
struct TypeField(String);

#[derive(Clone)]
struct DispositionField(String);

impl Header for TypeField {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str(CONTENT_TYPE)
    }
    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }
    /// lettre reads the boundary in the first of the two values and writes the second.
    fn display(&self) -> HeaderValue {
        HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.replace("\r\n", ""), self.0.clone())
    }
}

impl Header for DispositionField {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }
    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::dangerous_new_pre_encoded(Self::name(), String::new(), self.0.clone())
    }
}
