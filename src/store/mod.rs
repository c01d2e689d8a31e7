//! Everything the desk knows, in SQLite or PostgreSQL. The only place that knows sqlx.
//!
//! # One SQL text, compiled once per database
//!
//! The files in `sql/` are written once, with `$1` placeholders and the part of SQL that both databases understand, and
//! are compiled twice: as children of the module `sqlite` and as children of `postgres`. They name the database only as
//! `super::Db`. What differs - how a connection is opened, how a transaction begins, the words that lock a row - stands
//! in `sqlite.rs` and `postgres.rs` and nowhere else. [`Store`] and [`Tx`] are enums over the two.
//!
//! `sqlx::Any` would have made one module of it, but it takes 1.5 to 3 times as long per small statement on SQLite,
//! knows no booleans there, and copies every text it binds. Generics over `sqlx::Database` need a bound for each type
//! in each function. Two hand-written copies would drift apart.
//!
//! # Promises
//!
//! - A [`Tx`] is everything or nothing, and durable once [`Tx::commit`] has returned (`synchronous=FULL`,
//!   `synchronous_commit=on`). A dropped `Tx` is rolled back.
//! - A store call must not be cancelled: no `timeout`, no `select!` around it. Spawn it instead. (On PostgreSQL a
//!   cancelled `begin` would leave a connection in a transaction; it is rolled back before it is used again, so that
//!   nothing is lost, but the caller would not know what became of its statement.)
//! - Time is given, never asked of the database; there is no chance in a statement.
//! - Text is cut at a bound and has no NUL; the raw bytes of a message are whole.

mod error;
mod postgres;
mod rows;
mod sqlite;
mod text;

pub use error::StoreError;
pub use rows::{
    Claimed, Deletion, Kept, NewMessage, OutboxCounts, OutboxRow, OutboxState, Outgoing, Place, Rated, Settled, Source,
    StoredAttachment, StoredMessage, TicketFilter, Traces,
};
pub use text::replaced;

use crate::address::{Address, MessageId};
use crate::desk::approval::Approval;
use crate::desk::digest::{Mails, Past, Reuse, Round};
use crate::desk::event::{KnownId, Person, SenderCounts, Timer, TimerKind};
use crate::desk::held;
use crate::desk::inbound::{Attachment, Body, Digest};
use crate::desk::knowledge::article::Article;
use crate::desk::knowledge::{About, Document, Suggestion, rank, terms};
use crate::desk::review::Review;
use crate::desk::review::recur::Symptom;
use crate::desk::ticket::{Entry, Number, Ticket};
use crate::desk::triage;
use crate::desk::visit::Visit;
use crate::desk::words::Rating;
use crate::ports::Cursor;
use crate::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Documents of each kind that a search looks at before the best are chosen: the newest.
const LOOKED_AT: i64 = 200;

pub type Result<T> = std::result::Result<T, StoreError>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    Sqlite(sqlite::Store),
    Postgres(postgres::Store),
}

/// A transaction: everything or nothing. On SQLite it is the only writer while it lives.
///
/// After a call has failed, or its future was dropped half-way, the rest is refused: a database may have ended the
/// transaction by itself, and nothing may be written outside it. Rows are held back until they are read or committed, so
/// a fault may be told later than at the call that caused it.
pub struct Tx {
    of: Transaction,
    /// A call has failed, or is under way.
    failed: bool,
}

enum Transaction {
    Sqlite(sqlite::Tx),
    Postgres(postgres::Tx),
}

/// Calls the same method of whichever database the store is.
macro_rules! each {
    ($self:ident . $method:ident ($($argument:expr),*)) => {
        match $self {
            Store::Sqlite(db) => db.$method($($argument),*).await,
            Store::Postgres(db) => db.$method($($argument),*).await,
        }
    };
}

/// Calls the same method of whichever database the transaction belongs to, unless an earlier call has failed.
macro_rules! within {
    ($self:ident . $method:ident ($($argument:expr),*)) => {{
        $self.begin_call()?;
        let done = match &mut $self.of {
            Transaction::Sqlite(db) => db.$method($($argument),*).await,
            Transaction::Postgres(db) => db.$method($($argument),*).await,
        };
        $self.failed = done.is_err();
        done
    }};
}

/// Opening, and the desk's own values.
impl Store {
    /// Opens `sqlite:///path/desk.db`, `sqlite::memory:` or `postgres://user@host/name`, creates what is missing and
    /// brings the schema up to date. A schema newer than this program is refused.
    pub async fn open(url: &str) -> Result<Store> {
        Store::open_as(url, false).await
    }

    /// The same for the daemon: a second one on the same SQLite file is refused (`hardening.md` R42). Daemons on
    /// PostgreSQL share the work.
    pub async fn open_exclusive(url: &str) -> Result<Store> {
        Store::open_as(url, true).await
    }

    async fn open_as(url: &str, exclusive: bool) -> Result<Store> {
        match url.split_once(':') {
            Some(("sqlite", place)) => Ok(Store::Sqlite(sqlite::Store::open(place, exclusive).await?)),
            Some(("postgres" | "postgresql", _)) => Ok(Store::Postgres(postgres::Store::open(url).await?)),
            _ => Err(StoreError::Refused(
                "the database must be given as sqlite:///path/desk.db or postgres://user@host/name".to_owned(),
            )),
        }
    }

    /// Starts a transaction.
    pub async fn begin(&self) -> Result<Tx> {
        let of = match self {
            Store::Sqlite(db) => Transaction::Sqlite(db.begin().await?),
            Store::Postgres(db) => Transaction::Postgres(db.begin().await?),
        };
        Ok(Tx { of, failed: false })
    }

    /// Closes all connections after their current statement.
    pub async fn close(&self) {
        each!(self.close())
    }

    /// The desk's signing key, when it has one.
    pub async fn secret(&self) -> Result<Option<[u8; 32]>> {
        each!(self.secret())
    }

    /// When this desk was started for the first time: mail from before is not answered unless configured.
    pub async fn first_start(&self) -> Result<Option<Timestamp>> {
        each!(self.first_start())
    }
}

/// Mailboxes: how far they were read, and what is still to be put away.
impl Store {
    pub async fn cursor(&self, mailbox: &str) -> Result<Option<Cursor>> {
        each!(self.cursor(mailbox))
    }

    /// UIDs of handled messages that still lie in the mailbox, smallest first, at most 10,000.
    pub async fn to_put_away(&self, mailbox: &str, uid_validity: u32) -> Result<Vec<u32>> {
        each!(self.to_put_away(mailbox, uid_validity))
    }
}

/// Messages and bytes.
impl Store {
    /// The messages of a ticket in the order they were taken in.
    pub async fn messages(&self, number: Number) -> Result<Vec<StoredMessage>> {
        each!(self.messages(number))
    }

    /// The messages that belong to no ticket, newest first.
    pub async fn set_aside(&self, limit: i64) -> Result<Vec<StoredMessage>> {
        each!(self.set_aside(limit))
    }

    /// The exact bytes of a message ([`StoredMessage::id`]) or a letter ([`OutboxRow::id`]).
    pub async fn whole(&self, id: i64) -> Result<Option<Vec<u8>>> {
        each!(self.whole(id))
    }

    /// The file with this digest.
    pub async fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>> {
        each!(self.blob(&digest))
    }
}

/// Tickets.
impl Store {
    pub async fn ticket(&self, number: Number) -> Result<Option<Ticket>> {
        each!(self.ticket(number))
    }

    pub async fn tickets(&self, filter: &TicketFilter) -> Result<Vec<Ticket>> {
        each!(self.tickets(filter))
    }

    /// Everything that happened to a ticket, oldest first.
    pub async fn timeline(&self, number: Number) -> Result<Vec<Entry>> {
        each!(self.timeline(number))
    }

    /// Who has to approve a ticket, and what they said; `None` when nobody was ever asked.
    pub async fn approval(&self, number: Number) -> Result<Option<Approval>> {
        each!(self.approval(number))
    }

    /// Timers that are due, earliest first.
    pub async fn due_timers(&self, now: Timestamp, limit: i64) -> Result<Vec<Timer>> {
        each!(self.due_timers(now, limit))
    }

    /// When the next timer falls due, also when that is past.
    pub async fn next_timer(&self) -> Result<Option<Timestamp>> {
        each!(self.next_timer())
    }
}

/// The archive.
impl Store {
    /// Since when nothing of this ticket changes any more; `None`: it is not archived.
    pub async fn archived_at(&self, number: Number) -> Result<Option<Timestamp>> {
        each!(self.archived_at(number))
    }

    /// What its requester said, round by round.
    pub async fn ratings(&self, number: Number) -> Result<Vec<Rated>> {
        each!(self.ratings(number))
    }

    /// Everybody who had to do with it.
    pub async fn participants(&self, number: Number) -> Result<Vec<Address>> {
        each!(self.participants(number))
    }
}

/// Articles and search.
impl Store {
    /// The article learnt from this ticket.
    pub async fn article(&self, number: Number) -> Result<Option<Article>> {
        each!(self.article(number))
    }

    /// The best answers to a query, see [`rank::order`]; both databases give the same ones.
    pub async fn search(&self, query: &str, limit: usize) -> Result<Vec<Document>> {
        let wanted = terms::wanted(query);
        let mut found = each!(self.find_documents(&wanted, LOOKED_AT))?;
        rank::order(&wanted, &mut found);
        found.truncate(limit);
        Ok(found)
    }
}

/// Reviews.
impl Store {
    /// What is reviewed because of these tickets.
    pub async fn reviews_of(&self, numbers: &[Number]) -> Result<Vec<Review>> {
        each!(self.reviews_of(numbers))
    }

    /// Reviews that were opened before a moment and that are open, or were done since another, oldest first; of very many
    /// the newest.
    pub async fn reviews(&self, opened_before: Timestamp, since: Timestamp) -> Result<Vec<Review>> {
        each!(self.reviews(opened_before, since))
    }
}

/// Reports.
impl Store {
    /// The ticket with the highest number of which there are rounds; 0 when there are none.
    pub async fn highest_round(&self) -> Result<Number> {
        each!(self.highest_round())
    }

    /// The rounds of tickets from a number (included) to another (not included), in their order: those that began before
    /// a moment and that are open or counted for something since another.
    pub async fn rounds(
        &self,
        from: Number,
        to: Number,
        began_before: Timestamp,
        since: Timestamp,
    ) -> Result<Vec<Round>> {
        each!(self.rounds(from, to, began_before, since))
    }

    /// Those of these tickets that exist, in the order of their numbers.
    pub async fn tickets_by_number(&self, numbers: &[Number]) -> Result<Vec<Ticket>> {
        each!(self.tickets_by_number(numbers))
    }

    /// What was added to 不满意, in the order of the tickets and of their rounds.
    pub async fn complaints(&self, numbers: &[Number]) -> Result<Vec<(Number, String)>> {
        each!(self.complaints(numbers))
    }

    /// What articles were good for in a time.
    pub async fn reuse(&self, from: Timestamp, to: Timestamp) -> Result<Reuse> {
        each!(self.reuse(from, to))
    }

    /// The mail of a time.
    pub async fn mails(&self, from: Timestamp, to: Timestamp) -> Result<Mails> {
        each!(self.mails(from, to))
    }

    /// Keys of the addresses to which this report was sent already.
    pub async fn digest_readers(&self, name: &str, slot: Timestamp) -> Result<Vec<String>> {
        each!(self.digest_readers(name, slot))
    }
}

/// What people made of the desk's sorting.
impl Store {
    /// The lowest and the highest number of tickets that arrived since then, or of all.
    pub async fn tickets_since(&self, since: Option<Timestamp>) -> Result<Option<(Number, Number)>> {
        each!(self.tickets_since(since))
    }

    /// What is known of the sorting of the tickets from a number (included) to another (not included), in their order;
    /// tickets without a message are left out.
    pub async fn sorted_tickets(&self, from: Number, to: Number) -> Result<Vec<triage::Past>> {
        each!(self.sorted_tickets(from, to))
    }
}

/// The outbox. Its states and promises are told in `sql/outbox.rs`.
impl Store {
    /// Leases up to `limit` due letters to the caller, most urgent first, for `lease`; the attempt is counted before
    /// this returns. Fewer come when they are large (8 MiB together, but at least one).
    pub async fn claim(&self, now: Timestamp, lease: Duration, limit: i64) -> Result<Vec<Claimed>> {
        self.settle_and_claim(&[], now, lease, limit).await
    }

    /// [`Store::settle_all`] and then [`Store::claim`], in one commit.
    pub async fn settle_and_claim(
        &self,
        settled: &[(i64, i64, Settled)],
        now: Timestamp,
        lease: Duration,
        limit: i64,
    ) -> Result<Vec<Claimed>> {
        each!(self.settle_and_claim(settled, now, lease, limit))
    }

    /// For a daemon that has the database to itself, at its start: what its predecessor had claimed when it was killed
    /// is due now, not when the lease is over. Letters that waited for their second or third try come forward, too;
    /// later tries are further away than a lease, so that a daemon that is killed again and again tries no faster.
    /// Daemons on PostgreSQL share the work and wait for each other's leases: there this does nothing.
    pub async fn end_leases(&self, now: Timestamp, lease: Duration) -> Result<()> {
        match self {
            Store::Sqlite(db) => db.end_leases(now, lease).await,
            Store::Postgres(_) => Ok(()),
        }
    }

    /// Records what became of a claimed letter. `false`: the claim was no longer the caller's, nothing changed.
    pub async fn settle(&self, id: i64, attempt: i64, settled: Settled) -> Result<bool> {
        Ok(self.settle_all(&[(id, attempt, settled)]).await? == [true])
    }

    /// [`Store::settle`] for several letters in one commit.
    pub async fn settle_all(&self, all: &[(i64, i64, Settled)]) -> Result<Vec<bool>> {
        each!(self.settle_all(all))
    }

    /// When a letter may next be claimed: `now` when one is due already.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        each!(self.next_due(now))
    }

    /// How many letters went out at or after `since`.
    pub async fn sent_since(&self, since: Timestamp) -> Result<i64> {
        each!(self.sent_since(since))
    }

    pub async fn outbox_counts(&self) -> Result<OutboxCounts> {
        each!(self.outbox_counts())
    }

    /// The letters about a ticket, oldest first.
    pub async fn outbox_of(&self, number: Number) -> Result<Vec<OutboxRow>> {
        each!(self.outbox_of(number))
    }

    /// Every letter ever queued, oldest first, with its bytes: for tests and the demonstration.
    pub async fn all_outgoing(&self) -> Result<Vec<(OutboxRow, Vec<u8>)>> {
        each!(self.all_outgoing())
    }
}

/// The end of a transaction, and the desk's own values.
impl Tx {
    /// Makes everything durable. When this returns an error, nothing happened - except that a connection lost in this
    /// very moment leaves it open: then the event is handled again, and known messages are recognised.
    pub async fn commit(mut self) -> Result<()> {
        self.begin_call()?;
        match self.of {
            Transaction::Sqlite(db) => db.commit().await,
            Transaction::Postgres(db) => db.commit().await,
        }
    }

    fn begin_call(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.failed, true) {
            let words = "an earlier statement of this transaction failed: drop it";
            return Err(StoreError::Fault(words.to_owned()));
        }
        Ok(())
    }

    /// Keeps `secret` as the signing key unless there is one; gives the one that is kept.
    pub async fn make_secret(&mut self, secret: [u8; 32]) -> Result<[u8; 32]> {
        within!(self.make_secret(secret))
    }

    /// Remembers the first start; gives the remembered one when there was one before.
    pub async fn make_first_start(&mut self, at: Timestamp) -> Result<Timestamp> {
        within!(self.make_first_start(at))
    }
}

/// Mailboxes.
impl Tx {
    pub async fn set_cursor(&mut self, mailbox: &str, cursor: Cursor) -> Result<()> {
        within!(self.set_cursor(mailbox, cursor))
    }

    /// A message that is known already lies at this place (too): it is to be put away.
    pub async fn note_source(&mut self, source: &Source) -> Result<()> {
        within!(self.note_source(source))
    }

    pub async fn mark_put_away(&mut self, mailbox: &str, uid_validity: u32, uids: &[u32]) -> Result<()> {
        within!(self.mark_put_away(mailbox, uid_validity, uids))
    }
}

/// Messages and bytes.
impl Tx {
    /// Which of these messages were taken in before, by their [`Inbound::identity`](crate::desk::inbound::Inbound).
    pub async fn known_messages(&mut self, identities: &[Digest]) -> Result<Vec<bool>> {
        within!(self.known_messages(identities))
    }

    /// Takes a message in, with its exact bytes, its files, its ids and its source; gives its number.
    /// [`StoreError::Conflict`], told at the commit, when it was taken in before.
    pub async fn add_message(&mut self, message: &NewMessage<'_>) -> Result<i64> {
        within!(self.add_message(message))
    }

    /// Which of these Message-IDs belong to a message, to a letter, or are cited by a message, and on which ticket.
    pub async fn known_ids(&mut self, ids: &[MessageId]) -> Result<Vec<KnownId>> {
        within!(self.known_ids(ids))
    }

    /// The text of the ticket's first message; empty when it has none.
    pub async fn description(&mut self, number: Number) -> Result<Body> {
        within!(self.description(number))
    }

    /// The files of the ticket's first message, with their bytes.
    pub async fn first_files(&mut self, number: Number) -> Result<Vec<Attachment>> {
        within!(self.first_files(number))
    }

    /// How many mails of this sender brought the file, among the latest of anybody that did.
    pub async fn came_from(&mut self, from: &Address, file: &Digest) -> Result<u64> {
        within!(self.came_from(from, file))
    }

    /// Keeps a file under its digest, once.
    pub async fn put_blob(&mut self, digest: Digest, bytes: &[u8]) -> Result<()> {
        within!(self.put_blob(&digest, bytes))
    }

    /// The exact bytes of the message of this [`Inbound::identity`](crate::desk::inbound::Inbound).
    pub async fn message_bytes(&mut self, identity: &Digest) -> Result<Option<Vec<u8>>> {
        within!(self.message_bytes(identity))
    }
}

/// Tickets.
impl Tx {
    /// The number the next ticket will get. Held for this transaction, used up only by [`Tx::open_ticket`].
    pub async fn next_number(&mut self) -> Result<Number> {
        within!(self.next_number())
    }

    /// Adds a ticket under the number that [`Tx::next_number`] gave.
    pub async fn open_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        within!(self.open_ticket(ticket))
    }

    /// Writes a changed ticket. [`StoreError::Conflict`], here or at the commit, unless the stored version is
    /// `ticket.version - 1`.
    pub async fn save_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        within!(self.save_ticket(ticket))
    }

    /// Those of these tickets that exist, in the order of their numbers.
    pub async fn tickets(&mut self, numbers: &[Number]) -> Result<Vec<Ticket>> {
        within!(self.tickets(numbers))
    }

    /// Adds a line to the timeline.
    pub async fn record(&mut self, number: Number, entry: &Entry) -> Result<()> {
        within!(self.record(number, entry))
    }

    pub async fn timeline(&mut self, number: Number) -> Result<Vec<Entry>> {
        within!(self.timeline(number))
    }

    pub async fn add_participants(&mut self, number: Number, people: &[Address]) -> Result<()> {
        within!(self.add_participants(number, people))
    }

    pub async fn participants(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Address)>> {
        within!(self.participants(numbers))
    }

    /// Keeps the ids of what a person saw of a ticket, oldest first.
    pub async fn keep_conversation(&mut self, number: Number, with: &Address, seen: &[MessageId]) -> Result<()> {
        within!(self.keep_conversation(number, with, seen))
    }

    /// Those of these tickets that have an approval, an appointment or a review, or are archived. Few have.
    pub async fn with_more(&mut self, numbers: &[Number]) -> Result<Vec<Number>> {
        within!(self.with_more(numbers))
    }

    /// What everybody saw of these tickets.
    pub async fn conversations(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Address, Vec<MessageId>)>> {
        within!(self.conversations(numbers))
    }

    /// Keeps a ticket's approval, in place of an earlier one.
    pub async fn keep_approval(&mut self, number: Number, approval: &Approval) -> Result<()> {
        within!(self.keep_approval(number, approval))
    }

    /// The approvals of those of these tickets that have one.
    pub async fn approvals(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Approval)>> {
        within!(self.approvals(numbers))
    }

    /// How many open tickets each of these people has.
    pub async fn loads(&mut self, assignees: &[Address]) -> Result<Vec<(Address, i64)>> {
        within!(self.loads(assignees))
    }

    /// The open tickets of an assignee, most urgent first, at most 50.
    pub async fn open_of(&mut self, assignee: &Address) -> Result<Vec<Ticket>> {
        within!(self.open_of(assignee))
    }

    /// Keeps the judgement of a round; a later one of the same round replaces it.
    pub async fn rate(
        &mut self,
        number: Number,
        cycle: i64,
        rating: Rating,
        comment: &str,
        at: Timestamp,
    ) -> Result<()> {
        within!(self.rate(number, cycle, rating, comment, at))
    }
}

/// Who has open tickets.
impl Store {
    /// Everybody who has any.
    pub async fn open_assignees(&self) -> Result<Vec<Address>> {
        each!(self.open_assignees())
    }

    /// As [`Tx::open_of`], as it stands.
    pub async fn open_of(&self, assignee: &Address) -> Result<Vec<Ticket>> {
        each!(self.open_of(assignee))
    }
}

/// The directory.
impl Store {
    /// What was kept of a source, and when it was read.
    pub async fn directory(&self, source: &str) -> Result<Option<(Timestamp, Vec<u8>)>> {
        each!(self.directory(source))
    }
}

/// People.
impl Tx {
    /// Keeps what a source of the directory says, in place of what it said before.
    pub async fn keep_directory(&mut self, source: &str, people: &[u8], at: Timestamp) -> Result<()> {
        within!(self.keep_directory(source, people, at))
    }

    /// How much each of these senders caused lately.
    pub async fn sender_counts(&mut self, senders: &[Address], now: Timestamp) -> Result<Vec<SenderCounts>> {
        within!(self.sender_counts(senders, now))
    }

    /// What is remembered of those of these people who are known.
    pub async fn people(&mut self, addresses: &[Address]) -> Result<Vec<(Address, Person)>> {
        within!(self.people(addresses))
    }

    /// Remembers this about somebody, instead of what was known before.
    pub async fn remember(&mut self, address: &Address, person: &Person) -> Result<()> {
        within!(self.remember(address, person))
    }
}

/// Addresses a letter came back from.
impl Tx {
    /// Those that are held at `now`; of very many the latest.
    pub async fn held_addresses(&mut self, now: Timestamp) -> Result<Vec<held::Held>> {
        within!(self.held_addresses(now))
    }

    /// Keeps that nothing is to be sent there for a while, in place of what was known before.
    pub async fn hold_address(&mut self, held: &held::Held) -> Result<()> {
        within!(self.hold_address(held))
    }

    /// It can be written to again: the letters that waited for that are due at `now`.
    pub async fn release_address(&mut self, address: &Address, now: Timestamp) -> Result<()> {
        within!(self.release_address(address, now))
    }

    /// Whom the letter with this Message-ID was sent to.
    pub async fn recipient_of(&mut self, letter: &MessageId) -> Result<Option<Address>> {
        within!(self.recipient_of(letter))
    }
}

/// Timers.
impl Tx {
    /// Sets a timer; it replaces the one of the same ticket and kind.
    pub async fn schedule(&mut self, timer: &Timer) -> Result<()> {
        within!(self.schedule(timer))
    }

    /// Drops a timer of a ticket; no matter if there is none.
    pub async fn unschedule(&mut self, number: Number, kind: TimerKind) -> Result<()> {
        within!(self.unschedule(number, kind))
    }

    /// Timers that are due, earliest first; nobody else takes them until the end.
    pub async fn due_timers(&mut self, now: Timestamp, limit: i64) -> Result<Vec<Timer>> {
        within!(self.due_timers(now, limit))
    }

    /// Whether this timer is still set as it was; if so, nobody else takes it until the end.
    pub async fn still_set(&mut self, timer: &Timer) -> Result<bool> {
        within!(self.still_set(timer))
    }

    /// Removes these timers at the end, unless they are set anew.
    pub async fn take_timers(&mut self, timers: &[Timer]) -> Result<()> {
        within!(self.take_timers(timers))
    }
}

/// The archive.
impl Tx {
    /// From now on nothing of this ticket can be changed.
    pub async fn archive(&mut self, number: Number, at: Timestamp) -> Result<()> {
        within!(self.archive(number, at))
    }

    /// Which of these tickets are archived, and since when.
    pub async fn archived(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Timestamp)>> {
        within!(self.archived(numbers))
    }
}

/// Erasing. What has to do with one person is done in one transaction; [`Store::scrub`] comes after it.
impl Tx {
    /// Where this person stands in the desk.
    pub async fn traces(&mut self, who: &Address) -> Result<Traces> {
        within!(self.traces(who))
    }

    /// Messages and letters of these tickets and of none, and those from and to this person.
    pub async fn holdings(&mut self, numbers: &[Number], who: &Address) -> Result<Vec<Kept>> {
        within!(self.holdings(numbers, who))
    }

    /// The exact bytes of a message or a letter.
    pub async fn held_bytes(&mut self, id: i64) -> Result<Vec<u8>> {
        within!(self.held_bytes(id))
    }

    /// Empties messages and takes letters away, with their bytes and the files that nothing else holds.
    pub async fn erase_held(&mut self, held: &[Kept]) -> Result<Deletion> {
        within!(self.erase_held(held))
    }

    /// Opens archived tickets for a change; they are to be archived again in the same transaction.
    pub async fn unarchive(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Timestamp)>> {
        within!(self.unarchive(numbers))
    }

    /// Takes words and names from these tickets; their requester is `as_whom` from now on.
    pub async fn erase_tickets(&mut self, numbers: &[Number], as_whom: &Address) -> Result<()> {
        within!(self.erase_tickets(numbers, as_whom))
    }

    /// Forgets a person; wherever they did something, `as_whom` did it.
    pub async fn erase_person(&mut self, who: &Address, as_whom: &Address) -> Result<()> {
        within!(self.erase_person(who, as_whom))
    }

    /// Forgets people none of whose tickets is left.
    pub async fn forget_strangers(&mut self) -> Result<()> {
        within!(self.forget_strangers())
    }

    /// Writes a ticket's timeline anew, entry by entry.
    pub async fn rewrite_timeline(&mut self, number: Number, change: impl Fn(Entry) -> Entry) -> Result<()> {
        within!(self.rewrite_timeline(number, &change))
    }

    /// Nobody of this address is in copy of these tickets any more.
    pub async fn drop_from_copies(&mut self, numbers: &[Number], who: &Address) -> Result<()> {
        within!(self.drop_from_copies(numbers, who))
    }

    /// The same person under another address in what is known of approvals.
    pub async fn rename_in_approvals(&mut self, numbers: &[Number], who: &Address, as_whom: &Address) -> Result<()> {
        within!(self.rename_in_approvals(numbers, who, as_whom))
    }

    /// Keeps evidence of a deletion.
    pub async fn note_deletion(&mut self, why: &str, gone: &Deletion, at: Timestamp) -> Result<()> {
        within!(self.note_deletion(why, gone, at))
    }

    /// Closed tickets whose data were kept since before `before`: urgent ones, or all others.
    pub async fn kept_long_enough(&mut self, urgent: bool, before: Timestamp, limit: i64) -> Result<Vec<Number>> {
        within!(self.kept_long_enough(urgent, before, limit))
    }

    /// The same for messages of no ticket.
    pub async fn aside_long_enough(&mut self, before: Timestamp, limit: i64) -> Result<Vec<Kept>> {
        within!(self.aside_long_enough(before, limit))
    }
}

impl Store {
    /// What was deleted, when and how much of it.
    pub async fn deletions(&self) -> Result<Vec<(Timestamp, String, Deletion)>> {
        each!(self.deletions())
    }

    /// Takes from the disk what was deleted: the files of the database hold it until they are written anew. Others wait
    /// meanwhile. Backups, and PostgreSQL's write-ahead log, end by settings of their own.
    pub async fn scrub(&self) -> Result<()> {
        each!(self.scrub())
    }
}

/// Articles.
impl Tx {
    /// The article learnt from this ticket.
    pub async fn article(&mut self, number: Number) -> Result<Option<Article>> {
        within!(self.article(number))
    }

    /// Keeps an article in place of an earlier version.
    pub async fn keep_article(&mut self, article: &Article) -> Result<()> {
        within!(self.keep_article(article))
    }

    /// Takes an article away that nobody has published.
    pub async fn drop_article(&mut self, number: Number) -> Result<()> {
        within!(self.drop_article(number))
    }

    /// What the requester of this ticket was shown.
    pub async fn suggestions(&mut self, number: Number) -> Result<Vec<Suggestion>> {
        within!(self.suggestions(number))
    }

    pub async fn suggest(&mut self, number: Number, article: Number, at: Timestamp) -> Result<()> {
        within!(self.suggest(number, article, at))
    }

    /// What they said of it; a later word replaces an earlier one.
    pub async fn note_helped(&mut self, number: Number, article: Number, helped: bool, at: Timestamp) -> Result<()> {
        within!(self.note_helped(number, article, helped, at))
    }
}

/// Search, and what new tickets are likened to.
impl Tx {
    /// How many solved documents hold each of these terms, where any does; of the empty term: how many there are.
    pub async fn frequencies(&mut self, terms: &[String]) -> Result<HashMap<String, i64>> {
        within!(self.frequencies(terms))
    }

    /// Solved documents that hold any of these terms, the newest `limit` articles and then the newest `limit` tickets.
    pub async fn solved_documents(&mut self, any: &[&str], limit: i64) -> Result<Vec<Document>> {
        within!(self.solved_documents(any, limit))
    }

    /// What has changed since its document was written; it no longer counts as such. Other daemons that ask wait for the end of
    /// this transaction.
    pub async fn take_stale(&mut self, limit: i64) -> Result<Vec<About>> {
        within!(self.take_stale(limit))
    }

    /// What was written on a ticket, the new texts of its first messages.
    pub async fn told_on(&mut self, number: Number, limit: i64) -> Result<Vec<String>> {
        within!(self.told_on(number, limit))
    }

    /// Keeps these documents in place of earlier ones about the same. Only after [`Tx::take_stale`].
    pub async fn put_documents(&mut self, new: &[Document]) -> Result<()> {
        within!(self.put_documents(new))
    }

    /// Nobody finds this any more.
    pub async fn drop_document(&mut self, about: About) -> Result<()> {
        within!(self.drop_document(about))
    }
}

/// Reports.
impl Tx {
    /// Takes tickets whose rounds are not up to date off their list, the oldest first. What this transaction makes of them
    /// is theirs until something happens to them again.
    pub async fn take_changed(&mut self, limit: i64) -> Result<Vec<Number>> {
        within!(self.take_changed(limit))
    }

    /// What happened to these tickets.
    pub async fn pasts(&mut self, numbers: &[Number]) -> Result<BTreeMap<Number, Past>> {
        within!(self.pasts(numbers))
    }

    /// Keeps the rounds of these tickets in place of those that were known.
    pub async fn keep_rounds(&mut self, numbers: &[Number], rounds: &[Round]) -> Result<()> {
        within!(self.keep_rounds(numbers, rounds))
    }

    /// Remembers when a report was first heard of; gives that moment.
    pub async fn know_digest(&mut self, name: &str, now: Timestamp) -> Result<Timestamp> {
        within!(self.know_digest(name, now))
    }

    /// Whether this reader is still to be sent this report: the first transaction that asks and commits is told so, and
    /// no other.
    pub async fn claim_digest(&mut self, name: &str, slot: Timestamp, reader: &Address, at: Timestamp) -> Result<bool> {
        within!(self.claim_digest(name, slot, reader, at))
    }
}

/// Reviews.
impl Tx {
    /// What is reviewed because of these tickets.
    pub async fn reviews_of(&mut self, numbers: &[Number]) -> Result<Vec<Review>> {
        within!(self.reviews_of(numbers))
    }

    /// Keeps a review. [`StoreError::Conflict`] unless the stored version is `review.version - 1`.
    pub async fn keep_review(&mut self, review: &Review) -> Result<()> {
        within!(self.keep_review(review))
    }

    /// Forgets what these faults look like, and those that came before a moment.
    pub async fn forget_symptoms(&mut self, gone: &[Number], before: Timestamp) -> Result<()> {
        within!(self.forget_symptoms(gone, before))
    }

    /// Keeps what a fault looks like; gives the problem it belongs to already.
    pub async fn keep_symptom(&mut self, symptom: &Symptom) -> Result<Option<Number>> {
        within!(self.keep_symptom(symptom))
    }

    /// Faults of a module or category since a moment, the newest first.
    pub async fn symptoms(&mut self, about: &str, since: Timestamp, limit: i64) -> Result<Vec<Symptom>> {
        within!(self.symptoms(about, since, limit))
    }

    /// These faults are of this problem.
    pub async fn mark_symptoms(&mut self, problem: Number, tickets: &[Number]) -> Result<()> {
        within!(self.mark_symptoms(problem, tickets))
    }
}

/// Appointments on site.
impl Tx {
    /// Keeps the appointment of a ticket in place of an earlier one.
    pub async fn keep_visit(&mut self, number: Number, visit: &Visit) -> Result<()> {
        within!(self.keep_visit(number, visit))
    }

    /// The latest appointments of those of these tickets that ever had one.
    pub async fn visits(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Visit)>> {
        within!(self.visits(numbers))
    }
}

/// The outbox.
impl Tx {
    /// Queues letters, due at once, in this order; gives how many were not queued before. A letter whose key was queued
    /// before changes nothing. Their files must have been put.
    pub async fn enqueue_all(&mut self, letters: &[Outgoing]) -> Result<usize> {
        within!(self.enqueue_all(letters))
    }

    /// The only open ticket of this requester, opened since, with exactly this subject; `None` when there are several.
    pub async fn open_with_subject(
        &mut self,
        requester: &Address,
        subject: &str,
        since: Timestamp,
    ) -> Result<Option<Number>> {
        within!(self.open_with_subject(requester, subject, since))
    }

    /// The first open ticket of this fault that came after `since` and hangs on no other.
    pub async fn leading_ticket(&mut self, fault: &str, since: Timestamp) -> Result<Option<Number>> {
        within!(self.leading_ticket(fault, since))
    }

    /// Tickets that hang on this one, oldest first.
    pub async fn reports_of(&mut self, number: Number) -> Result<Vec<Ticket>> {
        within!(self.reports_of(number))
    }

    /// The beginning of a ticket's timeline.
    pub async fn first_entries(&mut self, number: Number, limit: i64) -> Result<Vec<Entry>> {
        within!(self.first_entries(number, limit))
    }

    /// Writes what waits in memory now, while the caller has something else under way.
    pub async fn flush(&mut self) -> Result<()> {
        within!(self.flush())
    }

    /// Letters about these tickets queued after `since`: the ticket, the reader, when; oldest first.
    pub async fn letters_told(
        &mut self,
        numbers: &[Number],
        since: Timestamp,
    ) -> Result<Vec<(Number, Address, Timestamp)>> {
        within!(self.letters_told(numbers, since))
    }

    /// The key of the letter with this Message-ID.
    pub async fn letter_of(&mut self, id: &MessageId) -> Result<Option<String>> {
        within!(self.letter_of(id))
    }
}
