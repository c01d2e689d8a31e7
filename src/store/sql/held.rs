//! Rows that are held back and written together.
//!
//! Each statement is a trip to the database and back. Rows that are seldom read in the transaction that writes them
//! (the timeline, participants, timers, places in the mailbox, ids, attachments, small blobs) wait in memory and are written
//! many at a time: before such a table is read, before a mark, and before the commit. So a batch of a hundred messages
//! makes half the trips. The number counter is likewise kept in mind while its row is locked.
//!
//! Nothing is lost by it: what was held back when a transaction ends without a commit was not promised to anyone.

use super::{Db, Tx};
use crate::address::Address;
use crate::desk::event::Timer;
use crate::desk::inbound::{Digest, Inbound};
use crate::desk::ticket::{Entry, Number, Who};
use crate::store::text::{LINE, NOTE, clean, json, line};
use crate::store::{Result, Source};
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};

/// Cited ids that are kept of one message: enough to join a thread, a bound for a stranger's header.
const CITED: usize = 32;
/// Attachments that are listed of one message.
const PARTS: usize = 500;
/// Rows of one statement at most.
const ROWS: usize = 64;
/// Bytes of blobs that may wait in memory.
const BYTES: usize = 1 << 20;

/// What waits to be written.
#[derive(Default)]
pub struct Held {
    /// The last ticket number used, known while this transaction holds the counter.
    pub counter: Option<i64>,
    /// There is a savepoint to return to.
    pub marked: bool,
    pub participants: Vec<(i64, Address)>,
    pub timers: Vec<Timer>,
    timeline: Vec<Line>,
    sources: Vec<(Source, Option<i64>)>,
    refs: Vec<(String, i64, bool)>,
    attachments: Vec<File>,
    blobs: Vec<(Digest, Vec<u8>)>,
    blob_bytes: usize,
}

struct Line {
    ticket: i64,
    at: i64,
    who: String,
    what: String,
    why: String,
}

struct File {
    message: i64,
    position: i64,
    name: String,
    media_type: String,
    bytes: i64,
    digest: Digest,
    inline: bool,
    content_id: Option<String>,
}

/// Takes rows off for one statement: a power of two of them, so that a few prepared statements serve any number.
pub(super) fn some<T>(rows: &mut Vec<T>) -> Option<Vec<T>> {
    let most = rows.len().min(ROWS);
    let count = if most.is_power_of_two() { most } else { most.next_power_of_two() / 2 };
    (count > 0).then(|| rows.drain(..count).collect())
}

impl Tx {
    pub(super) fn hold_entry(&mut self, number: Number, entry: &Entry) {
        let who = match &entry.who {
            Who::Desk => "desk",
            Who::Person(address) => address.as_str(),
        };
        self.held.timeline.push(Line {
            ticket: number.0,
            at: entry.at.millis(),
            who: who.to_owned(),
            what: json(&entry.what),
            why: clean(&entry.why, NOTE).into_owned(),
        });
    }

    pub(super) fn hold_source(&mut self, source: &Source, message: Option<i64>) {
        self.held.sources.push((source.clone(), message));
    }

    pub(super) fn hold_refs(&mut self, number: Number, inbound: &Inbound) {
        self.held.refs.extend(refs(inbound).into_iter().map(|(id, own)| (id.to_owned(), number.0, own)));
    }

    pub(super) fn hold_attachments(&mut self, message: i64, inbound: &Inbound) {
        let files = (0..).zip(inbound.attachments.iter().take(PARTS)).map(|(position, file)| File {
            message,
            position,
            name: line(&file.name).into_owned(),
            media_type: line(&file.media_type).into_owned(),
            bytes: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
            digest: file.digest,
            inline: file.inline,
            content_id: file.content_id.as_deref().map(|id| clean(id, LINE).into_owned()),
        });
        self.held.attachments.extend(files);
    }

    pub(super) async fn hold_blob(&mut self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        self.held.blob_bytes += bytes.len();
        self.held.blobs.push((*digest, bytes.to_owned()));
        if self.held.blob_bytes > BYTES { self.write_blobs().await } else { Ok(()) }
    }

    /// Writes everything that waits.
    pub(super) async fn write_held(&mut self) -> Result<()> {
        self.write_counter().await?;
        self.write_timeline().await?;
        self.write_participants().await?;
        self.write_timers().await?;
        self.write_sources().await?;
        self.write_refs().await?;
        self.write_attachments().await?;
        self.write_blobs().await
    }

    async fn write_counter(&mut self) -> Result<()> {
        if let Some(used) = self.held.counter {
            sqlx::query("update counter set value = $1 where name = 'ticket' and value <> $1")
                .bind(used)
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn write_timeline(&mut self) -> Result<()> {
        while let Some(lines) = some(&mut self.held.timeline) {
            // Lines of one ticket follow each other; two daemons that write to one ticket at the same moment meet in
            // the primary key, and the second one tries again.
            let mut query = QueryBuilder::<Db>::new(
                "insert into timeline (ticket, seq, at, who, what, why)
                 select column1, column2 + coalesce((select max(seq) from timeline where ticket = column1), 0),
                     column3, column4, column5, column6 from (",
            );
            let mut position: HashMap<i64, i64> = HashMap::new();
            query.push_values(lines, |mut row, line| {
                let position = position.entry(line.ticket).or_default();
                *position += 1;
                row.push_bind(line.ticket).push_bind(*position).push_bind(line.at);
                row.push_bind(line.who).push_bind(line.what).push_bind(line.why);
            });
            query.push(") as held").build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub(super) async fn write_participants(&mut self) -> Result<()> {
        while let Some(people) = some(&mut self.held.participants) {
            let mut query = QueryBuilder::<Db>::new("insert into participant (ticket, address_key, address) ");
            query.push_values(people, |mut row, (number, address)| {
                row.push_bind(number).push_bind(address.key().to_owned()).push_bind(address.as_str().to_owned());
            });
            query.push(" on conflict (ticket, address_key) do nothing").build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    async fn write_sources(&mut self) -> Result<()> {
        // PostgreSQL does not update a row twice in one statement: of one place the last word counts.
        let mut seen = HashSet::new();
        self.held.sources.reverse();
        self.held.sources.retain(|(source, _)| seen.insert(source.clone()));
        while let Some(sources) = some(&mut self.held.sources) {
            let mut query =
                QueryBuilder::<Db>::new("insert into source (mailbox, uid_validity, uid, message, put_away) ");
            query.push_values(sources, |mut row, (source, message)| {
                row.push_bind(source.mailbox).push_bind(i64::from(source.uid_validity));
                row.push_bind(i64::from(source.uid)).push_bind(message).push_bind(false);
            });
            // A place seen again is to be put away again: the first time may have failed (`hardening.md` R11).
            query.push(
                " on conflict (mailbox, uid_validity, uid)
                 do update set message = coalesce(excluded.message, source.message), put_away = excluded.put_away",
            );
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub(super) async fn write_refs(&mut self) -> Result<()> {
        // Own before cited, then each once, for the same reason.
        self.held.refs.sort_unstable_by(|a, b| (&a.0, a.1, !a.2).cmp(&(&b.0, b.1, !b.2)));
        self.held.refs.dedup_by(|b, a| (&a.0, a.1) == (&b.0, b.1));
        while let Some(refs) = some(&mut self.held.refs) {
            let mut query = QueryBuilder::<Db>::new("insert into message_ref (id, ticket, own) ");
            query.push_values(refs, |mut row, (id, number, own)| {
                row.push_bind(id).push_bind(number).push_bind(own);
            });
            query.push(" on conflict (id, ticket) do update set own = excluded.own where excluded.own");
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub(super) async fn write_attachments(&mut self) -> Result<()> {
        while let Some(files) = some(&mut self.held.attachments) {
            let mut query = QueryBuilder::<Db>::new(
                "insert into attachment (message, position, name, media_type, bytes, digest, inline, content_id) ",
            );
            query.push_values(files, |mut row, file| {
                row.push_bind(file.message).push_bind(file.position).push_bind(file.name).push_bind(file.media_type);
                row.push_bind(file.bytes).push_bind(file.digest.0.to_vec()).push_bind(file.inline);
                row.push_bind(file.content_id);
            });
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub(super) async fn write_blobs(&mut self) -> Result<()> {
        self.held.blob_bytes = 0;
        while let Some(blobs) = some(&mut self.held.blobs) {
            let mut query = QueryBuilder::<Db>::new("insert into blob (digest, chunk, bytes) ");
            query.push_values(blobs, |mut row, (digest, bytes)| {
                row.push_bind(digest.0.to_vec()).push_bind(0_i64).push_bind(bytes);
            });
            query.push(" on conflict (digest, chunk) do nothing").build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}

/// The ids by which a later message may find this one's ticket, each once: its own, and those it cites, the nearest
/// first. A reply may arrive before its original, which then joins it (`hardening.md` R26).
fn refs(inbound: &Inbound) -> Vec<(&str, bool)> {
    let own = inbound.message_id.iter().map(|id| (id.as_str(), true));
    let nearest = inbound.in_reply_to.iter().chain(inbound.references.iter().rev());
    // The root of the thread stands first in References.
    let cited = inbound.references.first().into_iter().chain(nearest).map(|id| (id.as_str(), false));
    let mut seen = HashSet::new();
    own.chain(cited).filter(|(id, _)| seen.insert(*id)).take(CITED + 1).collect()
}
