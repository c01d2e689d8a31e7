//! Where mail comes from: an IMAP mailbox or a local Maildir.

mod folder;
pub mod imap;
mod link;
mod listing;
pub mod maildir;
mod sets;
mod sieve;
pub mod utf7;

pub use imap::{ImapInbox, ImapSettings};
pub use maildir::{MaildirInbox, MaildirSettings};

use crate::ports::{Batch, BatchLimit, Cursor, Inbox, InboxError};
use crate::time::Timestamp;
use std::time::Duration;

/// The inbox that the configuration chose.
#[derive(Debug)]
pub enum AnyInbox {
    Imap(Box<ImapInbox>),
    Maildir(MaildirInbox),
}

impl AnyInbox {
    /// Tries whether mail can be read, without reading any; says what was found.
    ///
    /// # Errors
    /// What [`Inbox::fetch_after`] would say.
    pub async fn probe(&mut self) -> Result<String, InboxError> {
        match self {
            AnyInbox::Imap(inbox) => inbox.probe().await,
            AnyInbox::Maildir(inbox) => inbox.probe(),
        }
    }
}

impl Inbox for AnyInbox {
    async fn fetch_after(&mut self, after: Cursor, since: Timestamp, limit: BatchLimit) -> Result<Batch, InboxError> {
        match self {
            AnyInbox::Imap(inbox) => inbox.fetch_after(after, since, limit).await,
            AnyInbox::Maildir(inbox) => inbox.fetch_after(after, since, limit).await,
        }
    }

    async fn put_away(&mut self, uid_validity: u32, uids: &[u32]) -> Result<(), InboxError> {
        match self {
            AnyInbox::Imap(inbox) => inbox.put_away(uid_validity, uids).await,
            AnyInbox::Maildir(inbox) => inbox.put_away(uid_validity, uids).await,
        }
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), InboxError> {
        match self {
            AnyInbox::Imap(inbox) => inbox.wait(at_most).await,
            AnyInbox::Maildir(inbox) => inbox.wait(at_most).await,
        }
    }
}
