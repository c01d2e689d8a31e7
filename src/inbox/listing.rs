//! What waits in the mailbox: found by search, measured, chosen for a batch, fetched.

use super::link::{Link, SMALL, Selected};
use super::sets::uid_sets;
use crate::ports::{BatchLimit, InboxError};
use crate::time::Timestamp;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response};
use chrono::DateTime;
use std::collections::{BTreeMap, VecDeque};

/// UIDs asked for in one search: the answer stays far below the longest line the connection takes.
const WINDOW: u32 = 10_000;
/// Messages whose size and date are asked for at once.
const SIZES: usize = 500;
/// As much of an over-large message's header as is fetched (`hardening.md` S53).
pub const HEADER_BYTES: usize = 64 * 1024;
/// One message as the server lists it.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    pub uid: u32,
    pub size: usize,
    pub arrived: Timestamp,
}

/// What is known to wait behind the cursor.
#[derive(Debug, Default)]
pub struct Listing {
    /// The cursor this list goes on from.
    pub position: u32,
    /// Found by the search, size not asked yet.
    pub uids: VecDeque<u32>,
    pub sized: VecDeque<Listed>,
    /// Everything up to here is accounted for once both lists are empty.
    pub end: u32,
    /// More windows lie behind `end`.
    pub more: bool,
    /// Only what arrived at or after this counts (first connect).
    pub since: Option<Timestamp>,
}

/// A message the server could not hand over, and how often that happened in a row.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub uid: u32,
    pub times: u32,
}

/// Makes sure that sizes of the next messages are known, unless nothing is left.
pub async fn refill(
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
    let day = listing.since.map_or(0, |s| s.millis().saturating_sub(86_400_000));
    let since = Some(Timestamp::from_millis(day).utc()).filter(|_| day > 0);
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
    for set in uid_sets(uids) {
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
pub fn choose(listing: &mut Listing, limit: BatchLimit, trouble: Option<Trouble>) -> Vec<Listed> {
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
pub async fn fetch_into(
    link: &mut Link,
    messages: &[&Listed],
    item: &str,
    budget: usize,
    mut each: impl FnMut(u32, Vec<u8>) + Send,
) -> Result<(), InboxError> {
    let uids: Vec<u32> = messages.iter().map(|m| m.uid).collect();
    for set in uid_sets(&uids) {
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
pub async fn still_there(link: &mut Link, uids: &[u32]) -> Result<Option<u32>, InboxError> {
    let mut found: Option<u32> = None;
    for set in uid_sets(uids) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
