//! The IMAP inbox: one long connection, read by UID, never by `\Seen` (`domain.md` 2.5).
//!
//! Reading goes in three steps, so that nothing is fetched twice and nothing large by surprise: which UIDs are there
//! (`UID SEARCH`, in windows), how large and how old they are (a few hundred at a time), and then the bodies of one
//! batch in one command. Handled messages are moved away with one command per batch.

use super::folder::{move_set, prepare_folder};
use super::link::{Link, SMALL, Selected};
use super::listing::{HEADER_BYTES, Listed, Listing, Trouble, choose, fetch_into, refill, still_there};
use super::sets::uid_sets;
use crate::ports::{Batch, BatchLimit, Content, Cursor, Fetched, Inbox, InboxError};
use crate::time::Timestamp;
use crate::wire::{Dialer, Endpoint};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// After so many failures in a row to hand over one message only its header is asked for, after twice as many nothing.
const PATIENCE: u32 = 5;
/// How to reach and treat one mailbox.
#[derive(Clone, Debug)]
pub struct ImapSettings {
    pub server: Endpoint,
    pub user: String,
    pub password: SecretString,
    /// The folder that is watched, readable name with `/` between levels.
    pub folder: String,
    /// Where handled messages go; created when missing. Readable name with `/` between levels.
    pub processed: String,
    /// How long the server may take for one step.
    pub command_timeout: Duration,
    /// IDLE is renewed after this long: Lark cuts it at 10 minutes, Microsoft 365 falls silent (`domain.md` 2.5).
    pub idle_renewal: Duration,
    /// How often to look where the server has no IDLE.
    pub poll: Duration,
}

impl ImapSettings {
    pub fn new(server: Endpoint, user: &str, password: SecretString) -> ImapSettings {
        ImapSettings {
            server,
            user: user.to_owned(),
            password,
            folder: "INBOX".into(),
            processed: "Processed".into(),
            command_timeout: Duration::from_secs(60),
            idle_renewal: Duration::from_secs(5 * 60),
            poll: Duration::from_secs(60),
        }
    }
}

/// An IMAP mailbox.
#[derive(Debug)]
pub struct ImapInbox {
    settings: ImapSettings,
    dialer: Dialer,
    link: Option<Link>,
    selected: Selected,
    listing: Option<Listing>,
    trouble: Option<Trouble>,
    idle_refused: bool,
    /// The processed folder's name on the wire, once it is known to exist.
    processed: Option<String>,
}

impl ImapInbox {
    /// Connects only when first used.
    pub fn new(settings: ImapSettings) -> ImapInbox {
        ImapInbox {
            dialer: Dialer::new(settings.server.clone()),
            settings,
            link: None,
            selected: Selected::default(),
            listing: None,
            trouble: None,
            idle_refused: false,
            processed: None,
        }
    }

    /// Connects, logs in and opens the folder; `true` when the connection is a new one.
    ///
    /// # Errors
    /// As [`Inbox::fetch_after`].
    pub async fn connect(&mut self) -> Result<bool, InboxError> {
        if self.link.as_ref().is_some_and(Link::is_usable) {
            return Ok(false);
        }
        self.link = None;
        let s = &self.settings;
        let mut link = Link::open(&mut self.dialer, &s.user, &s.password, s.command_timeout).await?;
        self.selected = link.select(&s.folder).await?;
        tracing::info!(
            idle = link.can("IDLE"),
            r#move = link.can("MOVE"),
            messages = link.exists,
            "IMAP connected to {}",
            s.server.host
        );
        self.link = Some(link);
        self.listing = None;
        self.idle_refused = false;
        self.processed = None;
        Ok(true)
    }

    /// Connects, logs in and opens the folder, changes nothing, and says what it found.
    ///
    /// # Errors
    /// As [`Inbox::fetch_after`].
    pub async fn probe(&mut self) -> Result<String, InboxError> {
        self.connect().await?;
        let link = self.link.as_ref().ok_or_else(no_link)?;
        let folder = &self.settings.folder;
        let idle = if link.can("IDLE") { "IDLE" } else { "no IDLE: it is looked at every so often" };
        let moves = if link.can("MOVE") { "MOVE" } else { "no MOVE: messages are copied and deleted instead" };
        let found = format!("login accepted, folder {folder:?} has {} messages; {idle}; {moves}", link.exists);
        self.close().await;
        Ok(found)
    }

    /// Ends the connection politely.
    pub async fn close(&mut self) {
        if let Some(link) = self.link.take() {
            link.close().await;
        }
    }

    /// A broken connection is never used again.
    fn drop_if_lost<T>(&mut self, result: Result<T, InboxError>) -> Result<T, InboxError> {
        if result.is_err() {
            self.link = None;
            self.listing = None;
        }
        result
    }

    async fn fetch(&mut self, after: Cursor, since: Timestamp, limit: BatchLimit) -> Result<Batch, InboxError> {
        self.connect().await?;
        let uid_validity = self.selected.uid_validity;
        let first = after.uid_validity != uid_validity;
        let position = if first { 0 } else { after.uid };
        let mut listing = match self.listing.take().filter(|l| l.position == position) {
            Some(listing) => listing,
            None => {
                Listing { position, end: position, more: true, since: first.then_some(since), ..Listing::default() }
            }
        };
        let link = self.link.as_mut().ok_or_else(no_link)?;
        refill(link, &mut listing, self.selected, since).await?;
        let chosen = choose(&mut listing, limit, self.trouble);
        let (messages, complete) = self.bodies(&chosen, limit).await?;
        let emptied = complete && listing.sized.is_empty() && listing.uids.is_empty();
        let last = messages.last().map_or(position, |m| m.uid);
        let gone = if complete { chosen.last().map_or(0, |m| m.uid) } else { 0 };
        let seen_up_to = if emptied { listing.end } else { last.max(gone) }.max(position);
        let more = !emptied || listing.more;
        listing.position = seen_up_to;
        self.listing = complete.then_some(listing).filter(|_| more);
        Ok(Batch { uid_validity, messages, seen_up_to, more })
    }

    /// Fetches the chosen messages. When the server fails half-way, what came before the first missing one is
    /// returned with `false`; the rest stays for the next call.
    async fn bodies(&mut self, chosen: &[Listed], limit: BatchLimit) -> Result<(Vec<Fetched>, bool), InboxError> {
        let link = self.link.as_mut().ok_or_else(no_link)?;
        let times = |uid| self.trouble.filter(|t| t.uid == uid).map_or(0, |t| t.times);
        let (large, whole): (Vec<&Listed>, Vec<&Listed>) =
            chosen.iter().partition(|m| m.size > limit.message_bytes || times(m.uid) >= PATIENCE);
        let (given_up, large): (Vec<&Listed>, Vec<&Listed>) =
            large.into_iter().partition(|m| times(m.uid) >= 2 * PATIENCE);
        let mut got: BTreeMap<u32, Content> = BTreeMap::new();
        // Some servers only estimate the size (Exchange): allow twice as much.
        let budget = whole.iter().map(|m| m.size * 2 + 1024).sum::<usize>() + SMALL;
        got.extend(given_up.iter().map(|m| (m.uid, Content::TooLarge { header: Vec::new() })));
        let mut failure = fetch_into(link, &whole, "BODY.PEEK[]", budget, |uid, body| {
            got.insert(uid, Content::Whole(body));
        })
        .await
        .err();
        if failure.is_none() {
            let item = format!("BODY.PEEK[HEADER]<0.{HEADER_BYTES}>");
            let budget = large.len() * (HEADER_BYTES + 1024) + SMALL;
            failure = fetch_into(link, &large, &item, budget, |uid, header| {
                got.insert(uid, Content::TooLarge { header });
            })
            .await
            .err();
        }
        if failure.is_none() {
            let missing: Vec<u32> = chosen.iter().map(|m| m.uid).filter(|uid| !got.contains_key(uid)).collect();
            match still_there(link, &missing).await {
                Ok(None) => {}
                Ok(Some(uid)) => {
                    failure = Some(InboxError::Lost(format!("IMAP: the server does not hand over UID {uid}")))
                }
                Err(e) => failure = Some(e),
            }
        }
        self.settle(chosen, got, failure)
    }

    /// Keeps what is certain, and remembers which message stood in the way.
    fn settle(
        &mut self,
        chosen: &[Listed],
        mut got: BTreeMap<u32, Content>,
        failure: Option<InboxError>,
    ) -> Result<(Vec<Fetched>, bool), InboxError> {
        let mut messages = Vec::with_capacity(got.len());
        for listed in chosen {
            match got.remove(&listed.uid) {
                Some(content) => {
                    messages.push(Fetched { uid: listed.uid, arrived: listed.arrived, size: listed.size, content })
                }
                None if failure.is_some() => {
                    let before = self.trouble.filter(|t| t.uid == listed.uid).map_or(0, |t| t.times);
                    self.trouble = Some(Trouble { uid: listed.uid, times: before + 1 });
                    break;
                }
                // Another client moved or deleted it meanwhile: no longer ours.
                None => tracing::debug!(uid = listed.uid, "a message vanished before it was fetched"),
            }
        }
        let Some(failure) = failure else {
            let passed = |t: &Trouble| chosen.iter().any(|m| m.uid == t.uid);
            self.trouble = self.trouble.filter(|t| !passed(t));
            return Ok((messages, true));
        };
        self.link = None;
        if messages.is_empty() { Err(failure) } else { Ok((messages, false)) }
    }

    async fn move_away(&mut self, uid_validity: u32, uids: &[u32]) -> Result<(), InboxError> {
        self.connect().await?;
        if uids.is_empty() || uid_validity != self.selected.uid_validity {
            // The mailbox was rebuilt: these numbers name other messages now.
            return Ok(());
        }
        // Every moved message is answered with a line: few enough at a time that the answer stays within its bounds.
        let sets = uids.chunks(1000).flat_map(uid_sets);
        let link = self.link.as_mut().ok_or_else(no_link)?;
        if self.processed.is_none() {
            self.processed = Some(prepare_folder(link, &self.settings.processed).await?);
        }
        let folder = self.processed.clone().unwrap_or_default();
        for set in sets {
            if let Err(refused) = move_set(link, &set, &folder).await? {
                if !refused.try_create {
                    return Err(InboxError::Lost(format!(
                        "IMAP: moving to {:?} refused: {}",
                        self.settings.processed, refused.text
                    )));
                }
                // Somebody removed the folder meanwhile.
                prepare_folder(link, &self.settings.processed).await?;
                let again = move_set(link, &set, &folder).await?;
                again.map_err(|a| InboxError::Lost(format!("IMAP: moving refused: {}", a.text)))?;
            }
        }
        Ok(())
    }

    async fn watch(&mut self, at_most: Duration) -> Result<(), InboxError> {
        if self.connect().await? || self.listing.is_some() {
            return Ok(());
        }
        let end = Instant::now() + at_most;
        while Instant::now() < end {
            let rest = end - Instant::now();
            let link = self.link.as_mut().ok_or_else(no_link)?;
            if link.news {
                break;
            }
            if !link.can("IDLE") || self.idle_refused {
                // The next fetch looks; it begins with a NOOP on the open connection.
                sleep(rest.min(self.settings.poll)).await;
                break;
            }
            self.idle_refused = !link.idle(rest.min(self.settings.idle_renewal)).await?;
        }
        Ok(())
    }
}

impl Inbox for ImapInbox {
    async fn fetch_after(&mut self, after: Cursor, since: Timestamp, limit: BatchLimit) -> Result<Batch, InboxError> {
        let result = self.fetch(after, since, limit).await;
        self.drop_if_lost(result)
    }

    async fn put_away(&mut self, uid_validity: u32, uids: &[u32]) -> Result<(), InboxError> {
        let result = self.move_away(uid_validity, uids).await;
        self.drop_if_lost(result)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), InboxError> {
        let result = self.watch(at_most).await;
        self.drop_if_lost(result)
    }
}

fn no_link() -> InboxError {
    InboxError::Lost("IMAP: not connected".into())
}
