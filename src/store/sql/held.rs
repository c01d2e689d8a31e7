//! Rows that are held back and written together.
//!
//! Each statement is a trip to the database and back. So what a transaction writes waits in memory and is written many
//! rows at a time: before a table is read again, when much is waiting, and before the commit. The counters are likewise
//! kept in mind while their rows are locked. A batch of a hundred messages makes a few dozen trips.
//!
//! Tickets are written before what belongs to them, and messages likewise: SQLite searches every table for waiting
//! children of each row that comes after them.
//!
//! Nothing is lost by it: what was held back when a transaction ends without a commit was not promised to anyone.

use super::messages::{File, Lead, MessageRow};
use super::pieces::PieceRow;
use super::tickets::{Event, Saved};
use super::{Db, Tx};
use crate::address::{Address, MessageId};
use crate::desk::approval::Approval;
use crate::desk::event::{Person, Timer, TimerKind};
use crate::desk::inbound::Digest;
use crate::desk::ticket::{Number, Ticket};
use crate::desk::visit::Visit;
use crate::store::{Result, Source};
use sqlx::QueryBuilder;
use std::collections::{BTreeMap, HashSet};

/// Rows of one statement: a few sizes, so that a few prepared statements serve any number of rows. The largest is what a full
/// batch of mails or letters has.
const SIZES: [usize; 13] = [100, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];
/// Bytes that may wait in memory.
const BYTES: usize = 2 << 20;

/// What waits to be written.
#[derive(Default)]
pub struct Held {
    /// The numbers used up so far, known while this transaction holds their rows.
    pub counters: Option<Counters>,
    pub opened: Vec<Ticket>,
    pub saved: Vec<Saved>,
    pub participants: Vec<(i64, Address)>,
    pub conversations: BTreeMap<(i64, Address), Vec<MessageId>>,
    pub people: BTreeMap<Address, Person>,
    pub approvals: BTreeMap<i64, Approval>,
    /// To be deleted before `timers` are written.
    pub unscheduled: Vec<(Number, TimerKind)>,
    pub timers: Vec<Timer>,
    pub visits: BTreeMap<i64, Visit>,
    pub timeline: Vec<Event>,
    pub messages: Vec<MessageRow>,
    pub sources: Vec<(Source, Option<i64>)>,
    pub leads: Vec<Lead>,
    pub attachments: Vec<File>,
    pub pieces: Vec<PieceRow>,
    pub blobs: Vec<(Digest, Vec<u8>)>,
    /// Blobs that this transaction has written or holds.
    pub known_blobs: HashSet<Digest>,
    /// Of messages, pieces and blobs.
    pub bytes: usize,
}

/// The last numbers that were used up.
#[derive(Clone, Copy)]
pub struct Counters {
    pub ticket: i64,
    /// Messages and letters share their numbers.
    pub whole: i64,
    changed: bool,
}

/// As many of so many rows as one statement takes; `None` when there are none.
pub fn at_once(rows: usize) -> Option<usize> {
    SIZES.into_iter().find(|size| *size <= rows)
}

/// Takes rows off for one statement.
pub fn some<T>(rows: &mut Vec<T>) -> Option<Vec<T>> {
    at_once(rows.len()).map(|count| rows.drain(..count).collect())
}

impl Tx {
    /// The counters, whose rows are locked from now on.
    pub(super) async fn counters(&mut self) -> Result<&mut Counters> {
        if self.held.counters.is_none() {
            let query = concat!("select value from counter order by name", for_update!());
            let values: Vec<i64> = sqlx::query_scalar(query).fetch_all(&mut *self.inner).await?;
            let value = |at: usize| values.get(at).copied().unwrap_or(0);
            self.held.counters = Some(Counters { ticket: value(0), whole: value(1), changed: false });
        }
        Ok(self.held.counters.as_mut().expect("just set"))
    }

    pub(super) async fn use_ticket_number(&mut self, number: i64) -> Result<()> {
        let counters = self.counters().await?;
        (counters.ticket, counters.changed) = (number, true);
        Ok(())
    }

    /// A new number for a message or a letter.
    pub(super) async fn new_whole(&mut self) -> Result<i64> {
        let counters = self.counters().await?;
        (counters.whole, counters.changed) = (counters.whole + 1, true);
        Ok(counters.whole)
    }

    /// Notes that so many more bytes wait; writes them when they are many.
    pub(super) async fn hold_bytes(&mut self, bytes: usize) -> Result<()> {
        self.held.bytes += bytes;
        if self.held.bytes > BYTES { self.write_messages_and_bytes().await } else { Ok(()) }
    }

    pub(super) async fn write_messages_and_bytes(&mut self) -> Result<()> {
        self.held.bytes = 0;
        self.write_messages().await?;
        self.write_pieces().await?;
        self.write_blobs().await
    }

    pub async fn flush(&mut self) -> Result<()> {
        self.write_held().await
    }

    /// Writes everything that waits.
    pub(super) async fn write_held(&mut self) -> Result<()> {
        self.write_counters().await?;
        self.write_tickets().await?;
        self.write_timeline().await?;
        self.write_participants().await?;
        self.write_conversations().await?;
        self.write_people().await?;
        self.write_approvals().await?;
        self.write_timers().await?;
        self.write_visits().await?;
        self.write_messages_and_bytes().await?;
        self.write_sources().await?;
        self.write_leads().await?;
        self.write_attachments().await
    }

    async fn write_counters(&mut self) -> Result<()> {
        let Some(counters) = self.held.counters.as_mut().filter(|counters| counters.changed) else { return Ok(()) };
        counters.changed = false;
        let mut query = QueryBuilder::<Db>::new("update counter set value = case name when 'ticket' then ");
        query.push_bind(counters.ticket).push(" else ").push_bind(counters.whole).push(" end");
        query.build().execute(&mut *self.inner).await?;
        Ok(())
    }
}
