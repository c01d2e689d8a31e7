//! Gathers what the rules have to know about an event, inside the transaction that will carry it out.

use super::letters::Letters;
use crate::address::{Address, MessageId};
use crate::desk::command::{self, Command};
use crate::desk::event::{Candidate, Event, KnownId, Mail, SenderCounts, Situation};
use crate::desk::inbound::{Digest, Inbound, Kind};
use crate::desk::policy::Policy;
use crate::desk::thread;
use crate::desk::ticket::{Number, Ticket};
use crate::desk::words::Status;
use crate::mail;
use crate::store::{StoreError, Tx};
use crate::time::Timestamp;
use std::collections::HashMap;

/// A merge leads to a merge at most so many times.
const MERGES_FOLLOWED: usize = 10;

/// Facts that hold for the whole transaction, so that a batch of a hundred mails asks for them once.
#[derive(Default)]
pub struct Facts {
    /// What is to be said and not in the outbox yet.
    pub letters: Letters,
    next_number: Option<Number>,
    loads: Option<Vec<(Address, i64)>>,
    /// Ids of the whole batch, looked up together; ids written in this transaction are added.
    known_ids: HashMap<MessageId, Vec<KnownId>>,
}

impl Facts {
    /// Looks up every id of a batch at once.
    pub async fn prefetch(&mut self, tx: &mut Tx, inbounds: impl Iterator<Item = &Inbound>) -> Result<(), StoreError> {
        let ids: Vec<MessageId> = inbounds.flat_map(ids_of).collect();
        for id in &ids {
            self.known_ids.entry(id.clone()).or_default();
        }
        for chunk in ids.chunks(500) {
            for known in tx.known_ids(chunk).await? {
                self.learn(known);
            }
        }
        Ok(())
    }

    fn learn(&mut self, known: KnownId) {
        let rows = self.known_ids.entry(known.id.clone()).or_default();
        if !rows.iter().any(|k| k.number == known.number && k.only_cited == known.only_cited) {
            rows.push(known);
        }
    }

    /// A message has joined a ticket: later mails of the batch may answer it.
    pub fn joined(&mut self, inbound: &Inbound, number: Number) {
        for id in ids_of(inbound) {
            let only_cited = inbound.message_id.as_ref() != Some(&id);
            self.learn(KnownId { id, number, only_cited });
        }
    }

    pub fn opened(&mut self, ticket: &Ticket) {
        self.next_number = Some(Number(ticket.number.0 + 1));
        self.count_load(ticket.assignee.as_ref(), 1);
    }

    fn count_load(&mut self, engineer: Option<&Address>, by: i64) {
        let row = self.loads.iter_mut().flatten().find(|(address, _)| Some(address) == engineer);
        if let Some((_, load)) = row {
            *load += by;
        }
    }

    /// A stored ticket changed hands or status: loads are read again when next asked for.
    pub fn saved(&mut self) {
        self.loads = None;
    }

    /// The situation this event meets.
    pub async fn gather<'a>(
        &mut self,
        tx: &mut Tx,
        policy: &'a Policy,
        event: &Event,
        now: Timestamp,
    ) -> Result<Situation<'a>, StoreError> {
        let mut situation = Situation {
            policy,
            next_number: Number(0),
            candidates: Vec::new(),
            known_ids: Vec::new(),
            sender: None,
            counts: SenderCounts::default(),
            loads: self.loads(tx, policy).await?,
            unconfirmed: None,
            own_open: Vec::new(),
        };
        let numbers = match event {
            Event::Mail(mail) => {
                situation.next_number = self.next_number(tx).await?;
                self.about_mail(tx, &mut situation, mail, now).await?
            }
            Event::Rated { number, .. } | Event::Undelivered { number, .. } => vec![*number],
            Event::Timer(timer) => vec![timer.number],
        };
        situation.candidates = candidates(tx, &numbers, policy, event).await?;
        Ok(situation)
    }

    async fn next_number(&mut self, tx: &mut Tx) -> Result<Number, StoreError> {
        if self.next_number.is_none() {
            self.next_number = Some(tx.next_number().await?);
        }
        Ok(self.next_number.expect("just set"))
    }

    async fn loads(&mut self, tx: &mut Tx, policy: &Policy) -> Result<Vec<(Address, i64)>, StoreError> {
        if self.loads.is_none() {
            let engineers: Vec<Address> = policy.engineers.iter().map(|e| e.address().clone()).collect();
            let counted: HashMap<Address, i64> = tx.loads(&engineers).await?.into_iter().collect();
            self.loads = Some(
                engineers
                    .into_iter()
                    .map(|e| (counted.get(&e).copied().unwrap_or(0), e))
                    .map(|(n, e)| (e, n))
                    .collect(),
            );
        }
        Ok(self.loads.clone().unwrap_or_default())
    }

    /// Fills in what is about the sender and the message; gives the tickets it may belong to.
    async fn about_mail(
        &mut self,
        tx: &mut Tx,
        s: &mut Situation<'_>,
        mail: &Mail,
        now: Timestamp,
    ) -> Result<Vec<Number>, StoreError> {
        let inbound = &mail.inbound;
        s.known_ids = self.known(tx, inbound).await?;
        let mut numbers = thread::named(inbound);
        numbers.extend(s.known_ids.iter().map(|k| k.number));
        if let Some(from) = &inbound.from {
            if self.letters.go_to(&from.address) {
                self.letters.write(tx).await?;
            }
            s.counts = tx.sender_counts(&from.address, now).await?;
            s.sender = tx.person(&from.address).await?;
            if s.counts.tickets >= s.policy.limits.tickets_per_hour {
                numbers.extend(s.counts.newest);
            }
            if s.policy.engineer(&from.address).is_some() {
                numbers.extend(self.about_engineer(tx, s, inbound).await?);
            }
        }
        Ok(numbers)
    }

    /// The store's knowledge of this message's ids; asks only for those the batch did not look up.
    async fn known(&mut self, tx: &mut Tx, inbound: &Inbound) -> Result<Vec<KnownId>, StoreError> {
        let ids: Vec<MessageId> = ids_of(inbound).collect();
        let missing: Vec<MessageId> = ids.iter().filter(|id| !self.known_ids.contains_key(id)).cloned().collect();
        if !missing.is_empty() {
            let found = tx.known_ids(&missing).await?;
            for id in missing {
                self.known_ids.entry(id).or_default();
            }
            found.into_iter().for_each(|known| self.learn(known));
        }
        Ok(ids.iter().filter_map(|id| self.known_ids.get(id)).flatten().cloned().collect())
    }

    /// What only an engineer's mail asks for: the other ticket of a merge, the own list, the message to be confirmed.
    async fn about_engineer(
        &mut self,
        tx: &mut Tx,
        s: &mut Situation<'_>,
        inbound: &Inbound,
    ) -> Result<Vec<Number>, StoreError> {
        let from = &inbound.from.as_ref().expect("an engineer has an address").address;
        let commands: Vec<Command> = inbound.commands.iter().filter_map(|c| command::read(c).ok()).collect();
        if commands.contains(&Command::List) {
            s.own_open = tx.open_of(from).await?;
        }
        if let Some(id) = inbound.in_reply_to.first() {
            s.unconfirmed = unconfirmed(tx, id, from).await?;
        }
        let merged = commands.iter().filter_map(|c| if let Command::Merge(number) = c { Some(*number) } else { None });
        Ok(merged.collect())
    }
}

/// Own id, In-Reply-To, References and the id a bounce names; at most forty.
fn ids_of(inbound: &Inbound) -> impl Iterator<Item = MessageId> + '_ {
    let bounced = inbound.bounce.iter().filter_map(|b| b.original_message_id.as_ref());
    inbound.message_id.iter().chain(bounced).chain(thread::replied_to(inbound)).take(40).cloned()
}

/// The message a `ConfirmCommand` letter to this engineer asked about; the letter's key names both.
async fn unconfirmed(tx: &mut Tx, letter: &MessageId, engineer: &Address) -> Result<Option<Box<Inbound>>, StoreError> {
    let Some(key) = tx.letter_of(letter).await? else { return Ok(None) };
    let mut parts = key.split('/').skip(1);
    let (Some("confirm_command"), Some(digest), Some(asked)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let Some(digest) = Digest::from_hex(digest).filter(|_| asked == engineer.key()) else { return Ok(None) };
    Ok(tx.raw_of(&digest).await?.map(|raw| Box::new(mail::parse(&raw))))
}

/// The tickets with what the rules need of each; merges are followed.
async fn candidates(
    tx: &mut Tx,
    numbers: &[Number],
    policy: &Policy,
    event: &Event,
) -> Result<Vec<Candidate>, StoreError> {
    let mut wanted: Vec<Number> = Vec::new();
    for number in numbers {
        if !wanted.contains(number) && wanted.len() < 16 {
            wanted.push(*number);
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for ticket in tx.tickets(&wanted).await? {
        let named = ticket.number;
        let ticket = follow_merges(tx, ticket).await?;
        let participants = tx.participants(ticket.number).await?;
        let mut candidate =
            Candidate { named, ticket, participants, timeline: Vec::new(), description: Default::default() };
        if needs_history(&candidate, policy, event) {
            candidate.timeline = tx.timeline(candidate.ticket.number).await?;
            candidate.description = tx.description(candidate.ticket.number).await?;
        }
        found.push(candidate);
    }
    Ok(found)
}

async fn follow_merges(tx: &mut Tx, mut ticket: Ticket) -> Result<Ticket, StoreError> {
    for _ in 0..MERGES_FOLLOWED {
        let Some(into) = ticket.merged_into else { break };
        let Some(next) = tx.tickets(&[into]).await?.into_iter().next() else { break };
        ticket = next;
    }
    Ok(ticket)
}

/// Engineers may hand the ticket on or ask for its story; a requester's "not satisfied" needs who had it.
fn needs_history(candidate: &Candidate, policy: &Policy, event: &Event) -> bool {
    match event {
        Event::Mail(mail) => {
            let engineer = mail.inbound.from.as_ref().is_some_and(|m| policy.engineer(&m.address).is_some());
            let awaiting = matches!(candidate.ticket.status, Status::Resolved | Status::Closed);
            engineer || (awaiting && mail.inbound.kind != Kind::Bounce)
        }
        Event::Rated { .. } => true,
        Event::Timer(_) | Event::Undelivered { .. } => false,
    }
}
