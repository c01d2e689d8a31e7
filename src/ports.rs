//! The three ports to the world. The rules know none of them; `flow` and `daemon` know only these.

use crate::address::Address;
use crate::time::Timestamp;
use std::future::Future;
use std::time::Duration;

/// What time it is. One real implementation, one for tests.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// How far a mailbox has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// RFC 3501 section 2.3.1.1; 0 before the first connect. A Maildir has one of its own.
    pub uid_validity: u32,
    /// Every UID up to this one was handled or was too old to count.
    pub uid: u32,
}

/// One message brought from a mailbox.
#[derive(Debug)]
pub struct Fetched {
    pub uid: u32,
    /// INTERNALDATE (file time for Maildir): when the server took it.
    pub arrived: Timestamp,
    /// Size on the server in bytes.
    pub size: usize,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Whole(Vec<u8>),
    /// Over the size limit (or the server fails again and again to hand it over): only its header was fetched,
    /// perhaps not even that; the rest stays on the server.
    TooLarge {
        header: Vec<u8>,
    },
}

/// Messages after a cursor, oldest first.
#[derive(Debug)]
pub struct Batch {
    pub uid_validity: u32,
    pub messages: Vec<Fetched>,
    /// The highest UID this batch accounts for, also when `messages` is empty.
    pub seen_up_to: u32,
    /// More is waiting: fetch again at once.
    pub more: bool,
}

/// Bounds of one batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimit {
    pub messages: usize,
    /// Stop adding messages when this many bytes are reached (at least one message comes).
    pub bytes: usize,
    /// A larger message is not downloaded.
    pub message_bytes: usize,
}

/// Why the mailbox could not be read; says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The network, or the server's answer made no sense: connect again after a pause.
    #[error("{0}")]
    Lost(String),
    /// The server refused the login: few retries, the account may be locked.
    #[error("{0}")]
    Refused(String),
}

/// A place where mail arrives.
pub trait Inbox: Send {
    /// Messages with a UID above `after.uid`. When the server's UIDVALIDITY is not `after.uid_validity`
    /// (first connect, or the mailbox was rebuilt) it lists again everything that arrived at or after `since`.
    fn fetch_after(
        &mut self,
        after: Cursor,
        since: Timestamp,
        limit: BatchLimit,
    ) -> impl Future<Output = Result<Batch, InboxError>> + Send;

    /// Puts handled messages away (moves them to the processed folder). Gone UIDs are no error.
    /// Only called after the commit (promise G3). When the mailbox has another UIDVALIDITY by now, the UIDs name
    /// other messages: nothing is moved.
    fn put_away(&mut self, uid_validity: u32, uids: &[u32]) -> impl Future<Output = Result<(), InboxError>> + Send;

    /// Returns when something may have arrived, at the latest after `at_most`.
    fn wait(&mut self, at_most: Duration) -> impl Future<Output = Result<(), InboxError>> + Send;
}

/// A letter's exact bytes on their way to one recipient.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Envelope sender; `None` is the null sender `<>` (RFC 5321 section 4.5.5).
    pub from: Option<Address>,
    pub to: Address,
}

/// What became of one sending attempt; decides what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The server took responsibility; its words.
    Accepted(String),
    /// A passing fault before the final dot: try again on schedule.
    Retry(String),
    /// The server refused this letter or recipient for good (5xx).
    Refused(String),
    /// The connection broke after the final dot: the server may have it. Tried again, same Message-ID.
    Unknown(String),
    /// The server cannot be reached or takes no connection: nothing was said about any letter. The queue waits.
    Unreachable(String),
    /// Nothing wrong with the letter: login, TLS or configuration fault. The queue pauses and the operator is told.
    Misconfigured(String),
}

/// A way to send letters. An implementation may keep a connection open between calls.
pub trait Mailer: Send {
    fn send(&mut self, envelope: &Envelope, message: &[u8]) -> impl Future<Output = SendOutcome> + Send;
}
