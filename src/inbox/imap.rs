//! The IMAP inbox: one long connection, read by UID, never by `\Seen` (`domain.md` 2.5).
//!
//! Reading goes in three steps, so that nothing is fetched twice and nothing large by surprise: which UIDs are there
//! (`UID SEARCH`, in windows), how large and how old they are (a few hundred at a time), and then the bodies of one
//! batch in one command. Handled messages are moved away with one command per batch.

use super::link::{Link, SMALL, Selected, quoted};
use super::utf7;
use crate::ports::{Batch, BatchLimit, Content, Cursor, Fetched, Inbox, InboxError};
use crate::time::Timestamp;
use crate::wire::{Dialer, Endpoint};
use async_imap::imap_proto::{AttributeValue, MailboxDatum, NameAttribute, Response};
use chrono::DateTime;
use secrecy::SecretString;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// UIDs asked for in one search: the answer stays far below the longest line the connection takes.
const WINDOW: u32 = 10_000;
/// Messages whose size and date are asked for at once.
const SIZES: usize = 500;
/// As much of an over-large message's header as is fetched (`hardening.md` S53).
const HEADER_BYTES: usize = 64 * 1024;
/// A message that the server fails to hand over this many times in a row is treated as too large.
const PATIENCE: u32 = 5;
/// Longest UID set in one command (RFC 2683 section 3.2.1.5 asks for lines under 1,000 bytes).
const SET_BYTES: usize = 900;

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

/// One message as the server lists it.
#[derive(Clone, Copy, Debug)]
struct Listed {
    uid: u32,
    size: usize,
    arrived: Timestamp,
}

/// What is known to wait behind the cursor.
#[derive(Debug, Default)]
struct Listing {
    /// The cursor this list goes on from.
    position: u32,
    /// Found by the search, size not asked yet.
    uids: VecDeque<u32>,
    sized: VecDeque<Listed>,
    /// Everything up to here is accounted for once both lists are empty.
    end: u32,
    /// More windows lie behind `end`.
    more: bool,
    /// Only what arrived at or after this counts (first connect).
    since: Option<Timestamp>,
}

/// A message the server could not hand over, and how often that happened in a row.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    uid: u32,
    times: u32,
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
        if self.link.is_some() {
            return Ok(false);
        }
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
        let hopeless = self.trouble.filter(|t| t.times >= PATIENCE).map(|t| t.uid);
        let (large, whole): (Vec<&Listed>, Vec<&Listed>) =
            chosen.iter().partition(|m| m.size > limit.message_bytes || Some(m.uid) == hopeless);
        let mut got: BTreeMap<u32, Content> = BTreeMap::new();
        // Some servers only estimate the size (Exchange): allow twice as much.
        let budget = whole.iter().map(|m| m.size * 2 + 1024).sum::<usize>() + SMALL;
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
                Ok(Some(uid)) if Some(uid) == hopeless => {
                    got.insert(uid, Content::TooLarge { header: Vec::new() });
                }
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
        let sets = uid_sets(uids, SET_BYTES);
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

/// Makes sure that sizes of the next messages are known, unless nothing is left.
async fn refill(
    link: &mut Link,
    listing: &mut Listing,
    selected: Selected,
    undated: Timestamp,
) -> Result<(), InboxError> {
    while listing.sized.is_empty() {
        if listing.uids.is_empty() {
            if !listing.more {
                return Ok(());
            }
            search(link, listing, selected).await?;
            continue;
        }
        let count = listing.uids.len().min(SIZES);
        let uids: Vec<u32> = listing.uids.drain(..count).collect();
        let mut sized = sizes(link, &uids, undated).await?;
        sized.retain(|m| listing.since.is_none_or(|since| m.arrived >= since));
        listing.sized.extend(sized);
    }
    Ok(())
}

/// One window of UIDs behind `listing.end`.
async fn search(link: &mut Link, listing: &mut Listing, selected: Selected) -> Result<(), InboxError> {
    // A server may tell of new messages only here (RFC 3501 section 6.1.2).
    link.command("NOOP", SMALL, |_| {}).await?.or_lost("NOOP was")?;
    link.news = false;
    let from = listing.end.saturating_add(1);
    let known_end = selected.uid_next.map_or(0, |next| next.saturating_sub(1));
    let open_ended = link.exists <= WINDOW || known_end.saturating_sub(listing.end) <= WINDOW;
    let to = listing.end.saturating_add(WINDOW);
    let range = if open_ended { format!("{from}:*") } else { format!("{from}:{to}") };
    // SINCE compares whole days in the server's zone: ask for a day more, the exact time is compared later.
    let since = listing.since.map(|s| Timestamp::from_millis(s.millis().saturating_sub(86_400_000)).utc());
    let since = since.map(|day| format!(" SINCE {}", day.format("%d-%b-%Y"))).unwrap_or_default();
    let mut found = Vec::new();
    link.command(&format!("UID SEARCH UID {range}{since}"), SMALL, |response| {
        if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
            // `n:*` also names the last message when n lies behind it.
            found.extend(uids.iter().copied().filter(|uid| *uid >= from && *uid < u32::MAX));
        }
    })
    .await?
    .or_lost("the search was")?;
    found.sort_unstable();
    found.dedup();
    let last = found.last().copied().unwrap_or(0);
    listing.end = if open_ended { listing.end.max(last).max(known_end) } else { to };
    listing.more = !open_ended;
    listing.uids = found.into();
    Ok(())
}

/// Size and arrival of messages, by UID.
async fn sizes(link: &mut Link, uids: &[u32], undated: Timestamp) -> Result<Vec<Listed>, InboxError> {
    let mut found = BTreeMap::new();
    for set in uid_sets(uids, SET_BYTES) {
        link.command(&format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)"), SMALL, |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let (mut uid, mut size, mut arrived) = (None, None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(number) => uid = Some(*number),
                    AttributeValue::Rfc822Size(bytes) => size = Some(*bytes as usize),
                    AttributeValue::InternalDate(date) => arrived = internal_date(date),
                    _ => {}
                }
            }
            if let (Some(uid), Some(size)) = (uid, size) {
                // Without a date (no real server) it counts as new: better answered too much than never.
                let arrived = arrived.unwrap_or(undated);
                found.insert(uid, Listed { uid, size, arrived });
            }
        })
        .await?
        .or_lost("asking for sizes was")?;
    }
    Ok(uids.iter().filter_map(|uid| found.get(uid).copied()).collect())
}

/// RFC 3501 section 9, `date-time`: `17-Jul-1996 02:44:25 -0700`, the day padded with a space.
fn internal_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

/// Takes the next batch off the listing. A message that made trouble goes alone.
fn choose(listing: &mut Listing, limit: BatchLimit, trouble: Option<Trouble>) -> Vec<Listed> {
    let mut chosen: Vec<Listed> = Vec::new();
    let mut bytes = 0usize;
    while let Some(next) = listing.sized.front().copied() {
        let weight = if next.size > limit.message_bytes { HEADER_BYTES.min(next.size) } else { next.size };
        let alone = trouble.is_some_and(|t| t.uid == next.uid);
        let full = chosen.len() >= limit.messages || bytes.saturating_add(weight) > limit.bytes;
        if !chosen.is_empty() && (full || alone) {
            break;
        }
        bytes = bytes.saturating_add(weight);
        chosen.push(next);
        listing.sized.pop_front();
        if alone {
            break;
        }
    }
    chosen
}

/// One FETCH for all of `messages`; `each` gets every body that came, also when the command fails later.
async fn fetch_into(
    link: &mut Link,
    messages: &[&Listed],
    item: &str,
    budget: usize,
    mut each: impl FnMut(u32, Vec<u8>) + Send,
) -> Result<(), InboxError> {
    let uids: Vec<u32> = messages.iter().map(|m| m.uid).collect();
    for set in uid_sets(&uids, SET_BYTES) {
        let answer = link
            .command(&format!("UID FETCH {set} (UID {item})"), budget, |response| {
                let Response::Fetch(_, attributes) = response else { return };
                let uid =
                    attributes.iter().find_map(|a| if let AttributeValue::Uid(uid) = a { Some(*uid) } else { None });
                let body = attributes.iter().find_map(|a| match a {
                    AttributeValue::BodySection { data, .. } => data.as_deref(),
                    _ => None,
                });
                if let (Some(uid), Some(body)) = (uid.filter(|uid| uids.contains(uid)), body) {
                    each(uid, body.to_vec());
                }
            })
            .await?;
        // NO: some of them are gone (RFC 2180 section 4.1); whoever did not come is looked for afterwards.
        if !answer.ok && !answer.no {
            return Err(InboxError::Lost(format!("IMAP: fetching refused: {}", answer.text)));
        }
    }
    Ok(())
}

/// The first of `uids` that the server still lists.
async fn still_there(link: &mut Link, uids: &[u32]) -> Result<Option<u32>, InboxError> {
    let mut found: Option<u32> = None;
    for set in uid_sets(uids, SET_BYTES) {
        link.command("NOOP", SMALL, |_| {}).await?.or_lost("NOOP was")?;
        link.command(&format!("UID SEARCH UID {set}"), SMALL, |response| {
            if let Response::MailboxData(MailboxDatum::Search(there)) = response {
                found = there.iter().copied().chain(found).filter(|uid| uids.contains(uid)).min();
            }
        })
        .await?
        .or_lost("the search was")?;
    }
    Ok(found)
}

/// Moves a UID set; the inner error is the server's refusal.
async fn move_set(link: &mut Link, set: &str, folder: &str) -> Result<Result<(), super::link::Answer>, InboxError> {
    let folder = quoted(folder);
    let commands = match link.can("MOVE") {
        true => vec![format!("UID MOVE {set} {folder}")],
        // RFC 6851 section 3.3. Never a plain EXPUNGE: the mailbox has other users. Without UIDPLUS the message
        // stays, marked as deleted.
        false => vec![format!("UID COPY {set} {folder}"), format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")],
    };
    for command in commands {
        let answer = link.command(&command, SMALL, |_| {}).await?;
        if answer.ok {
            continue;
        }
        // Some servers refuse when a UID of the set is gone already.
        let uids = expand(set);
        if !answer.try_create && still_there(link, &uids).await?.is_none() {
            return Ok(Ok(()));
        }
        return Ok(Err(answer));
    }
    if !link.can("MOVE") && link.can("UIDPLUS") {
        link.command(&format!("UID EXPUNGE {set}"), SMALL, |_| {}).await?.or_lost("UID EXPUNGE was")?;
    }
    Ok(Ok(()))
}

/// Finds or creates the folder for handled messages; returns its name on the wire.
///
/// The configured name has `/` between levels; the server's own delimiter comes from LIST. QQ keeps every user folder
/// under an unselectable `其他文件夹` (`domain.md` 2.5), some servers everything under `INBOX`.
async fn prepare_folder(link: &mut Link, name: &str) -> Result<String, InboxError> {
    let mut delimiter = "/".to_owned();
    let mut parents = Vec::new();
    link.command("LIST \"\" \"%\"", SMALL, |response| {
        if let Response::MailboxData(MailboxDatum::List(list)) = response {
            if let Some(d) = list.delimiter.as_deref() {
                delimiter = d.to_owned();
            }
            if list.name_attributes.contains(&NameAttribute::NoSelect) && parents.len() < 100 {
                parents.push(list.name.to_string());
            }
        }
    })
    .await?
    .or_lost("LIST was")?;
    let levels: Vec<String> = name.split('/').filter(|l| !l.is_empty()).map(utf7::encode).collect();
    let qq = utf7::encode("其他文件夹");
    let root =
        if parents.contains(&qq) && levels.first() != Some(&qq) { format!("{qq}{delimiter}") } else { String::new() };
    let plain = format!("{root}{}", levels.join(&delimiter));
    let below_inbox = format!("INBOX{delimiter}{}", levels.join(&delimiter));
    let mut refusal = String::new();
    for candidate in [plain, below_inbox] {
        if exists(link, &candidate).await? {
            return Ok(candidate);
        }
        let answer = link.command(&format!("CREATE {}", quoted(&candidate)), SMALL, |_| {}).await?;
        if answer.ok {
            // So that people see it in their mail program; a refusal does not matter.
            link.command(&format!("SUBSCRIBE {}", quoted(&candidate)), SMALL, |_| {}).await?;
            return Ok(candidate);
        }
        if exists(link, &candidate).await? {
            return Ok(candidate);
        }
        refusal = answer.text;
    }
    Err(InboxError::Lost(format!("IMAP: cannot create the folder {name:?}: {refusal}")))
}

async fn exists(link: &mut Link, folder: &str) -> Result<bool, InboxError> {
    let mut found = false;
    link.command(&format!("LIST \"\" {}", quoted(folder)), SMALL, |response| {
        if let Response::MailboxData(MailboxDatum::List(list)) = response {
            found |= list.name == folder && !list.name_attributes.contains(&NameAttribute::NoSelect);
        }
    })
    .await?
    .or_lost("LIST was")?;
    Ok(found)
}

/// UIDs as sequence sets (`1:3,7`), each at most `most` bytes long.
fn uid_sets(uids: &[u32], most: usize) -> Vec<String> {
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    uids.dedup();
    let mut sets: Vec<String> = Vec::new();
    for run in uids.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let part = if first == last { first.to_string() } else { format!("{first}:{last}") };
        match sets.last_mut() {
            Some(set) if set.len() + 1 + part.len() <= most => {
                set.push(',');
                set.push_str(&part);
            }
            _ => sets.push(part),
        }
    }
    sets
}

/// The UIDs of a set that [`uid_sets`] made.
fn expand(set: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let range = |part: &str| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        number(first)..=number(last)
    };
    set.split(',').flat_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_compressed_and_cut() {
        for (uids, most, sets) in [
            (&[][..], 100, &[][..]),
            (&[5], 100, &["5"]),
            (&[3, 1, 2, 2, 7, 9, 10], 100, &["1:3,7,9:10"]),
            (&[1, 3, 5, 7], 3, &["1,3", "5,7"]),
            (&[u32::MAX], 100, &["4294967295"]),
        ] {
            assert_eq!(uid_sets(uids, most), sets);
        }
        assert_eq!(expand("1:3,7"), [1, 2, 3, 7]);
    }

    #[test]
    fn dates_of_servers() {
        for (text, expected) in [
            ("17-Jul-1996 02:44:25 -0700", Some("1996-07-17T09:44:25Z")),
            (" 7-Nov-2026 08:00:00 +0800", Some("2026-11-07T00:00:00Z")),
            ("nonsense", None),
        ] {
            assert_eq!(internal_date(text), expected.and_then(Timestamp::parse), "{text}");
        }
    }

    fn listing(sizes: &[usize]) -> Listing {
        let at = Timestamp::default();
        let sized = sizes.iter().zip(1..).map(|(size, uid)| Listed { uid, size: *size, arrived: at }).collect();
        Listing { sized, ..Listing::default() }
    }

    #[test]
    fn s55_batches_keep_their_bounds() {
        let limit = BatchLimit { messages: 3, bytes: 1_000_000, message_bytes: 500_000 };
        for (sizes, trouble, count) in [
            (&[][..], None, 0),
            (&[10, 10, 10, 10], None, 3),
            (&[400_000, 400_000, 400_000], None, 2),
            (&[499_000], None, 1),
            (&[900_000_000, 400_000, 400_000], None, 3),
            (&[10, 10], Some(1), 1),
            (&[10, 10, 10], Some(2), 1),
        ] {
            let trouble = trouble.map(|uid| Trouble { uid, times: 1 });
            assert_eq!(choose(&mut listing(sizes), limit, trouble).len(), count, "{sizes:?}");
        }
        let small = BatchLimit { messages: 3, bytes: 5, message_bytes: 500 };
        assert_eq!(choose(&mut listing(&[400, 1]), small, None).len(), 1, "at least one comes");
    }
}
