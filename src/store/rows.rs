//! What goes into the store and comes out of it, besides the types of `desk`.

use crate::address::{Address, Mailbox, MessageId};
use crate::desk::event::Visibility;
use crate::desk::inbound::{Body, Digest, Inbound, Kind};
use crate::desk::ticket::Number;
use crate::desk::words::{Rating, Status};
use crate::mail::pieces::Pieces;
use crate::time::Timestamp;

/// Where a message lies on the mail server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    pub mailbox: String,
    pub uid_validity: u32,
    pub uid: u32,
}

/// A message to be taken in.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// `None` when it came from a file, not from a mailbox.
    pub source: Option<&'a Source>,
    pub inbound: &'a Inbound,
    /// As they arrived.
    pub bytes: &'a [u8],
    /// When the mail server took it.
    pub arrived: Timestamp,
    /// When the desk handles it.
    pub handled: Timestamp,
    pub place: Place<'a>,
}

/// Where a message belongs: promise G1 knows nothing else.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    Ticket(Number, Visibility),
    /// On the ticket that was opened for it.
    Opens(Number, Visibility),
    /// On no ticket, and why.
    SetAside(&'a str),
}

/// A message that was taken in.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    pub id: i64,
    /// The ticket it belongs to; `None` when set aside.
    pub number: Option<Number>,
    /// Why it was set aside; `None` on a ticket.
    pub set_aside: Option<String>,
    pub visibility: Visibility,
    pub kind: Kind,
    pub from: Option<Mailbox>,
    pub subject: String,
    pub message_id: Option<MessageId>,
    /// The new text only; cut at half a megabyte.
    pub body: Body,
    /// Everything; cut at half a megabyte.
    pub full_text: String,
    /// Of its exact bytes.
    pub size: i64,
    pub arrived: Timestamp,
    pub handled: Timestamp,
    pub anomalies: Vec<String>,
    pub attachments: Vec<StoredAttachment>,
}

/// What a requester said at the end of a round.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rated {
    pub cycle: i64,
    pub rating: Rating,
    pub comment: String,
    pub at: Timestamp,
}

/// Where a person stands in the desk.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// Their own tickets and how these stand.
    pub own: Vec<(Number, Status)>,
    /// Tickets of others in which they took part or are named.
    pub others: Vec<Number>,
    /// What they are called, as it was ever written.
    pub names: Vec<String>,
    /// Employee and phone numbers.
    pub numbers: Vec<String>,
}

/// A message or a letter whose words may be somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: i64,
    /// A message that came in; otherwise a letter that left.
    pub message: bool,
    /// It is from this person, or to them.
    pub own: bool,
}

/// How much was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    pub tickets: u64,
    pub messages: u64,
    pub letters: u64,
    pub files: u64,
}

impl std::ops::AddAssign for Deletion {
    fn add_assign(&mut self, more: Deletion) {
        self.tickets += more.tickets;
        self.messages += more.messages;
        self.letters += more.letters;
        self.files += more.files;
    }
}

/// A file that came with a message; its bytes are the blob named by `digest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAttachment {
    pub name: String,
    pub media_type: String,
    /// Size in bytes.
    pub bytes: i64,
    pub digest: Digest,
    pub inline: bool,
    pub content_id: Option<String>,
}

/// Which tickets to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    pub status: Option<Status>,
    /// `Some(true)`: only those on which work is owed; `Some(false)`: only the others.
    pub open: Option<bool>,
    pub assignee: Option<Address>,
    pub requester: Option<Address>,
    /// At most this many; 0 means 100.
    pub limit: i64,
    pub offset: i64,
}

/// A letter's exact bytes, to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// One cause, one letter: a second one with the same key is not queued.
    pub key: String,
    pub number: Option<Number>,
    pub to: Address,
    /// `None` is the null sender.
    pub envelope_from: Option<Address>,
    pub message_id: MessageId,
    pub subject: String,
    pub template: String,
    /// The smaller, the sooner.
    pub urgency: i64,
    pub bytes: Pieces<'static>,
    pub queued: Timestamp,
}

/// A letter whose turn it is, leased to the caller.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: i64,
    /// Names this claim; to be given back when it is settled.
    pub attempt: i64,
    /// This try's number for the retry schedule, from 1: claims that were no fault of the letter do not count.
    pub counted: i64,
    pub key: String,
    pub number: Option<Number>,
    pub to: Address,
    pub envelope_from: Option<Address>,
    pub message_id: MessageId,
    pub subject: String,
    pub template: String,
    pub urgency: i64,
    pub bytes: Vec<u8>,
    pub queued: Timestamp,
}

/// What became of a claimed letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The server took responsibility.
    Sent { at: Timestamp, answer: String },
    /// To be tried again at `due`. `uncounted` when it was no fault of the letter: login, configuration, shutdown.
    Again { due: Timestamp, error: String, uncounted: bool },
    /// Given up.
    Failed { at: Timestamp, error: String },
}

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    Pending,
    Sent,
    Failed,
}

/// A letter in the outbox, for display: everything but its bytes.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    pub id: i64,
    pub key: String,
    pub number: Option<Number>,
    pub to: Address,
    pub message_id: MessageId,
    pub subject: String,
    pub template: String,
    pub urgency: i64,
    /// Of its bytes.
    pub size: i64,
    pub queued: Timestamp,
    pub state: OutboxState,
    /// Next try or end of the lease, while pending.
    pub due: Timestamp,
    pub attempts: i64,
    /// The server's last words.
    pub answer: String,
    pub settled: Option<Timestamp>,
}

/// How many letters stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    pub pending: i64,
    pub sent: i64,
    pub failed: i64,
    /// When the letter was queued that waits longest.
    pub oldest_pending: Option<Timestamp>,
}

impl OutboxState {
    pub fn as_str(self) -> &'static str {
        match self {
            OutboxState::Pending => "pending",
            OutboxState::Sent => "sent",
            OutboxState::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<OutboxState> {
        [OutboxState::Pending, OutboxState::Sent, OutboxState::Failed].into_iter().find(|s| s.as_str() == text)
    }
}
