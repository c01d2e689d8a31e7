//! Mail into the desk: a batch in one durable commit, one bad message never stopping the others (promises G1, G4).

use super::Flow;
use super::apply::{Applied, Original, Work, keep};
use super::beside;
use super::gather::Facts;
use crate::desk::event::{Event, Mail};
use crate::desk::inbound::{Digest, Inbound, Kind};
use crate::desk::policy::Policy;
use crate::desk::staff;
use crate::mail;
use crate::ports::{Content, Cursor};
use crate::store::{Place, Source, StoreError, Tx};
use crate::time::Timestamp;
use futures_util::FutureExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

/// So often a message is tried when another daemon changed the same ticket at the same moment.
const TRIES_ALONE: usize = 20;

/// A message as it reached the desk.
#[derive(Debug)]
pub struct Arrival {
    /// Which mailbox and UID; `None` when it was handed in by `ingest`.
    pub source: Option<Source>,
    /// INTERNALDATE, or the time it was handed in.
    pub arrived: Timestamp,
    pub size: usize,
    pub content: Content,
}

impl Arrival {
    fn raw(&self) -> &[u8] {
        match &self.content {
            Content::Whole(raw) => raw,
            Content::TooLarge { header } => header,
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub handled: usize,
    /// Came a second time; nothing was done again.
    pub known: usize,
    /// Could not be handled; kept aside with its bytes.
    pub quarantined: usize,
    pub tickets: usize,
}

/// How far a mailbox was read, to be noted in the same commit.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    pub mailbox: &'a str,
    /// Everything up to here is in this batch or in earlier ones.
    pub cursor: Cursor,
    /// Earlier messages that were moved away on the server since the last commit.
    pub put_away: &'a [u32],
}

/// A batch that is being read, or was.
pub type Reading = beside::Work<ReadBatch>;

/// Arrivals that were read, in their order.
pub struct ReadBatch(Vec<(Read, Arrival)>);

/// An arrival that was read.
struct Read {
    event: Event,
    identity: Digest,
}

impl Flow {
    /// Reads a batch, beside; touches nothing. Apart from [`Flow::ingest_read`], so that the next batch is read while one
    /// is written.
    pub fn read(&self, batch: Vec<Arrival>) -> Reading {
        let policy = self.policy();
        let with_reading = move |arrival| (read(&arrival, &policy), arrival);
        self.beside.run(move || ReadBatch(batch.into_iter().map(with_reading).collect()))
    }

    /// Reads a batch and takes it in, see [`Flow::ingest_read`].
    ///
    /// # Errors
    /// As there.
    pub async fn ingest(
        &self,
        batch: Vec<Arrival>,
        progress: Option<Progress<'_>>,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        self.ingest_read(&self.read(batch).done().await, progress, now).await
    }

    /// Takes a batch in. All of it is durable when this returns, and `progress` with it.
    ///
    /// # Errors
    /// The store's, when it cannot take anything at all (full, locked, gone): nothing has happened, try again later.
    pub async fn ingest_read(
        &self,
        batch: &ReadBatch,
        progress: Option<Progress<'_>>,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        self.taken_in.fetch_add(u64::from(!batch.0.is_empty()), Ordering::Relaxed);
        let together = AssertUnwindSafe(self.together(&batch.0, progress, now)).catch_unwind().await;
        match together {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) if error.is_systemic() => Err(error),
            Ok(Err(_)) | Err(_) => self.one_by_one(&batch.0, progress, now).await,
        }
    }

    /// The good path: one transaction for everything.
    async fn together(
        &self,
        batch: &[(Read, Arrival)],
        progress: Option<Progress<'_>>,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let rules = self.rules();
        let mut tx = self.store.begin().await?;
        let (mut applied, mut outcome) = (Applied::default(), Outcome::default());
        let mut facts = Facts::new(&self.beside, now);
        let identities: Vec<Digest> = batch.iter().map(|(read, _)| read.identity).collect();
        let known = tx.known_messages(&identities).await?;
        let unknown = batch.iter().zip(&known).filter(|(_, known)| !**known);
        let unknown: Vec<&Inbound> = unknown.filter_map(|((read, _), _)| inbound(&read.event)).collect();
        facts.prefetch(&mut tx, &unknown, now).await?;
        for (i, (read, arrival)) in batch.iter().enumerate() {
            let repeated = identities[..i].contains(&read.identity);
            if known[i] || repeated {
                outcome.known += 1;
                note(&mut tx, arrival).await?;
                continue;
            }
            let original = Original { source: arrival.source.as_ref(), raw: arrival.raw() };
            let mut work = Work { tx: &mut tx, rules: &rules, facts: &mut facts, applied: &mut applied, now };
            work.carry_out(&read.event, Some(original)).await?;
            outcome.handled += 1;
        }
        facts.letters.write(&mut tx).await?;
        note_progress(&mut tx, progress).await?;
        tx.commit().await?;
        self.ring(&applied, facts.letters.queued);
        outcome.tickets = applied.tickets;
        Ok(outcome)
    }

    /// Something in the batch is poison: every message gets its own transaction, the bad one is put aside.
    async fn one_by_one(
        &self,
        batch: &[(Read, Arrival)],
        progress: Option<Progress<'_>>,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        for one in batch {
            let (read, _) = one;
            let reason = match self.alone(one, now).await {
                Ok(Ok(one)) => {
                    outcome.handled += one.handled;
                    outcome.known += one.known;
                    outcome.tickets += one.tickets;
                    continue;
                }
                Ok(Err(error)) if error.is_systemic() => return Err(error),
                Ok(Err(error)) => format!("could not be handled: {error}"),
                Err(_) => "could not be handled: the program stumbled over it".to_owned(),
            };
            tracing::error!(message = ?read.identity, reason, "a message was put into quarantine");
            self.put_aside(one, &reason, now).await?;
            outcome.quarantined += 1;
        }
        let mut tx = self.store.begin().await?;
        note_progress(&mut tx, progress).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// One message in its own transaction; again when another daemon changed the same ticket at the same moment.
    async fn alone(&self, one: &(Read, Arrival), now: Timestamp) -> std::thread::Result<Result<Outcome, StoreError>> {
        // Other daemons meet us so often only by a fault of our own, which must not hold up the queue (promise G4).
        for _ in 0..TRIES_ALONE {
            match AssertUnwindSafe(self.together(std::slice::from_ref(one), None, now)).catch_unwind().await {
                Ok(Err(error)) if error.is_conflict() => {}
                done => return done,
            }
        }
        AssertUnwindSafe(self.together(std::slice::from_ref(one), None, now)).catch_unwind().await
    }

    /// With its bytes and without a word of what was read from it, but so that it is recognised when it comes again.
    async fn put_aside(&self, one: &(Read, Arrival), reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let (Read { identity, .. }, arrival) = one;
        let inbound = Inbound { identity: *identity, ..Inbound::unreadable(arrival.raw()) };
        let mail = Mail::new(inbound, arrival.arrived, None);
        let mut tx = self.store.begin().await?;
        let original = Original { source: arrival.source.as_ref(), raw: arrival.raw() };
        keep(&mut tx, &mail, &original, Place::SetAside(reason), now).await?;
        tx.commit().await
    }
}

fn read(arrival: &Arrival, policy: &Policy) -> Read {
    let over_limit = matches!(arrival.content, Content::TooLarge { .. }).then_some(policy.limits.message_bytes);
    let mail = catch_unwind(AssertUnwindSafe(|| {
        let mut mail = Mail::new(mail::parse(arrival.raw()), arrival.arrived, over_limit);
        staff::settle(policy, &mut mail.inbound);
        // A reply most likely joins a ticket, which asks for none of this.
        let opens = mail.inbound.kind.is_human() || mail.inbound.kind == Kind::AutoGenerated;
        if mail.inbound.in_reply_to.is_empty() && opens {
            mail.sort(&policy.rules);
        }
        mail
    }));
    let unreadable = |_| Mail::new(Inbound::unreadable(arrival.raw()), arrival.arrived, over_limit);
    let mut mail = mail.unwrap_or_else(unreadable);
    mail.inbound.size = mail.inbound.size.max(arrival.size);
    let identity = mail.inbound.identity;
    Read { event: Event::Mail(mail), identity }
}

fn inbound(event: &Event) -> Option<&Inbound> {
    if let Event::Mail(mail) = event { Some(&mail.inbound) } else { None }
}

async fn note_progress(tx: &mut Tx, progress: Option<Progress<'_>>) -> Result<(), StoreError> {
    let Some(Progress { mailbox, cursor, put_away }) = progress else { return Ok(()) };
    tx.mark_put_away(mailbox, cursor.uid_validity, put_away).await?;
    tx.set_cursor(mailbox, cursor).await
}

async fn note(tx: &mut Tx, arrival: &Arrival) -> Result<(), StoreError> {
    match &arrival.source {
        Some(source) => tx.note_source(source).await,
        None => Ok(()),
    }
}
