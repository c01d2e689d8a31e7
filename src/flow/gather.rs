//! Gathers what the rules have to know about an event, inside the transaction that will carry it out.

use super::beside::Beside;
use super::letters::Letters;
use crate::address::{Address, Mailbox, MessageId};
use crate::desk::approval::Approval;
use crate::desk::command::{self, Command};
use crate::desk::event::{Candidate, Event, KnownId, Mail, Person, SenderCounts, Situation, Timer, TimerKind};
use crate::desk::held::{AllHeld, Held};
use crate::desk::inbound::{Body, Digest, Inbound, Kind};
use crate::desk::knowledge::rank::{self, Frequencies, Weighed};
use crate::desk::knowledge::{Similar, terms};
use crate::desk::letter::{Action, Letter};
use crate::desk::policy::Policy;
use crate::desk::review::{self, Review};
use crate::desk::ticket::{Entry, Number, Ticket};
use crate::desk::visit::Visit;
use crate::desk::words::Status;
use crate::desk::{behalf, hush, logo, thread};
use crate::mail;
use crate::store::{StoreError, Tx};
use crate::time::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// A merge leads to a merge at most so many times.
const MERGES_FOLLOWED: usize = 10;

/// Facts that hold for the whole transaction, so that a batch of a hundred mails asks for them once. What the
/// transaction changes is kept up to date here, so that nothing it wrote is asked for again.
pub struct Facts {
    /// What is to be said and not in the outbox yet.
    pub letters: Letters,
    now: Timestamp,
    next_number: Option<Number>,
    loads: Option<Vec<(Address, i64)>>,
    /// Where each of these ids leads.
    known_ids: HashMap<MessageId, Vec<KnownId>>,
    /// `None`: there is no such ticket.
    tickets: HashMap<Number, Option<Known>>,
    people: HashMap<Address, Option<Person>>,
    counts: HashMap<Address, SenderCounts>,
    /// The leading open ticket of each fault that was asked for.
    faults: HashMap<String, Option<Number>>,
    /// How many solved documents hold the terms that were asked for.
    solved: Frequencies,
    asked_terms: HashSet<String>,
    /// The beginning of the timelines of leading tickets, and what their requesters wrote: many reports ask for them.
    leading: HashMap<Number, (Arc<Vec<Entry>>, Body)>,
    /// Addresses nothing is sent to.
    held: Option<Arc<AllHeld>>,
}

/// A ticket and who has to do with it.
struct Known {
    ticket: Ticket,
    participants: Vec<Address>,
    /// The ids of what each of them saw of it.
    conversations: HashMap<Address, Vec<MessageId>>,
    /// When each of them was told something about it lately, oldest first.
    told: HashMap<Address, Vec<Timestamp>>,
    visit: Option<Visit>,
    approval: Option<Approval>,
    archived: Option<Timestamp>,
    reviews: Vec<Review>,
}

impl Known {
    fn new(ticket: Ticket) -> Known {
        let (participants, visit, approval, archived) = (Vec::new(), None, None, None);
        let (conversations, told, reviews) = (HashMap::new(), HashMap::new(), Vec::new());
        Known { ticket, participants, conversations, told, visit, approval, archived, reviews }
    }
}

/// A reply that tells only by its subject what it answers belongs to a ticket no older than this.
const SAME_SUBJECT: Duration = Duration::from_secs(14 * 86_400);

/// So much of a leading ticket's timeline is looked at when a report joins it: whoever leads was told of a hundred reports
/// long before, and a thousand people must not make each further mail dearer.
const ENTRIES_OF_LEADING: i64 = 200;

/// Ids kept of a conversation besides the first one.
const LATEST: usize = 12;

/// Adds an id to what somebody saw: the first one and the latest are kept.
fn add_seen(seen: &mut Vec<MessageId>, id: MessageId) {
    if seen.contains(&id) {
        return;
    }
    seen.push(id);
    if seen.len() > LATEST + 1 {
        seen.remove(1);
    }
}

/// How often the sender's possible logos came before; asks for nothing when there are none.
async fn sent_before(tx: &mut Tx, inbound: &Inbound) -> Result<Vec<(Digest, u64)>, StoreError> {
    let (pictures, mut sent) = (logo::possible(inbound), Vec::new());
    let Some(from) = &inbound.from else { return Ok(sent) };
    for picture in pictures {
        sent.push((picture, tx.came_from(&from.address, &picture).await?));
    }
    Ok(sent)
}

impl Facts {
    pub fn new(beside: &Beside, now: Timestamp) -> Facts {
        Facts {
            letters: Letters::new(beside),
            now,
            next_number: None,
            loads: None,
            known_ids: HashMap::new(),
            tickets: HashMap::new(),
            people: HashMap::new(),
            counts: HashMap::new(),
            faults: HashMap::new(),
            solved: Frequencies::default(),
            asked_terms: HashSet::new(),
            leading: HashMap::new(),
            held: None,
        }
    }

    /// Looks up at once what a batch of mails will ask for.
    pub async fn prefetch(&mut self, tx: &mut Tx, inbounds: &[&Inbound], now: Timestamp) -> Result<(), StoreError> {
        // First, for it holds the counters: two daemons take in their batches one after the other.
        self.next_number(tx).await?;
        let ids: Vec<MessageId> = inbounds.iter().flat_map(|inbound| ids_of(inbound)).collect();
        self.look_up_ids(tx, &ids).await?;
        let senders = inbounds.iter().filter_map(|inbound| inbound.from.as_ref());
        let senders: Vec<Address> = senders.map(|from| from.address.clone()).collect();
        self.look_up_senders(tx, &senders, now).await?;
        let named = inbounds.iter().flat_map(|inbound| thread::named(inbound));
        let led_to = self.known_ids.values().flatten().map(|known| known.number);
        let numbers: Vec<Number> = named.chain(led_to).collect();
        self.look_up_tickets(tx, &numbers).await
    }

    async fn look_up_ids(&mut self, tx: &mut Tx, ids: &[MessageId]) -> Result<(), StoreError> {
        let missing: Vec<MessageId> = ids.iter().filter(|id| !self.known_ids.contains_key(id)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = tx.known_ids(&missing).await?;
        for id in missing {
            self.known_ids.entry(id).or_default();
        }
        found.into_iter().for_each(|known| self.learn_id(known));
        Ok(())
    }

    async fn look_up_senders(&mut self, tx: &mut Tx, senders: &[Address], now: Timestamp) -> Result<(), StoreError> {
        let missing: HashSet<&Address> = senders.iter().filter(|sender| !self.counts.contains_key(sender)).collect();
        let missing: Vec<Address> = missing.into_iter().cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        if missing.iter().any(|sender| self.letters.go_to(sender)) {
            self.letters.write(tx).await?;
        }
        let counts = tx.sender_counts(&missing, now).await?;
        self.look_up_people(tx, &missing).await?;
        self.counts.extend(missing.into_iter().zip(counts));
        Ok(())
    }

    async fn look_up_people(&mut self, tx: &mut Tx, addresses: &[Address]) -> Result<(), StoreError> {
        let missing: Vec<Address> = addresses.iter().filter(|a| !self.people.contains_key(a)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = tx.people(&missing).await?;
        self.people.extend(missing.into_iter().map(|address| (address, None)));
        self.people.extend(found.into_iter().map(|(address, person)| (address, Some(person))));
        Ok(())
    }

    async fn look_up_tickets(&mut self, tx: &mut Tx, numbers: &[Number]) -> Result<(), StoreError> {
        let missing: BTreeSet<Number> = numbers.iter().filter(|n| !self.tickets.contains_key(n)).copied().collect();
        let missing: Vec<Number> = missing.into_iter().collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.tickets.extend(missing.iter().map(|number| (*number, None)));
        for ticket in tx.tickets(&missing).await? {
            self.tickets.insert(ticket.number, Some(Known::new(ticket)));
        }
        for (number, address) in tx.participants(&missing).await? {
            self.on(number, |known| known.participants.push(address));
        }
        for (number, with, seen) in tx.conversations(&missing).await? {
            self.on(number, |known| drop(known.conversations.insert(with, seen)));
        }
        for (number, reader, queued) in tx.letters_told(&missing, self.now - hush::PACED_OVER).await? {
            self.on(number, |known| known.told.entry(reader).or_default().push(queued));
        }
        match tx.with_more(&missing).await?.as_slice() {
            [] => Ok(()),
            more => self.look_up_more(tx, more).await,
        }
    }

    async fn look_up_more(&mut self, tx: &mut Tx, numbers: &[Number]) -> Result<(), StoreError> {
        for (number, approval) in tx.approvals(numbers).await? {
            self.on(number, |known| known.approval = Some(approval));
        }
        for review in tx.reviews_of(numbers).await? {
            self.on(review.ticket, |known| known.reviews.push(review));
        }
        for (number, at) in tx.archived(numbers).await? {
            self.on(number, |known| known.archived = Some(at));
        }
        for (number, visit) in tx.visits(numbers).await? {
            self.on(number, |known| known.visit = Some(visit));
        }
        Ok(())
    }

    fn on(&mut self, number: Number, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.tickets.get_mut(&number).and_then(Option::as_mut) {
            change(known);
        }
    }

    fn learn_id(&mut self, known: KnownId) {
        let rows = self.known_ids.entry(known.id.clone()).or_default();
        if !rows.iter().any(|k| k.number == known.number && k.only_cited == known.only_cited) {
            rows.push(known);
        }
    }

    /// A message has joined a ticket: later mails of the batch may answer it, and its author has seen it.
    pub async fn joined(&mut self, tx: &mut Tx, inbound: &Inbound, number: Number) -> Result<(), StoreError> {
        // What its requester wrote may be another thing now.
        self.leading.remove(&number);
        for id in ids_of(inbound) {
            let only_cited = inbound.message_id.as_ref() != Some(&id);
            self.learn_id(KnownId { id, number, only_cited });
        }
        match (&inbound.from, &inbound.message_id) {
            (Some(from), Some(id)) => self.saw(tx, number, &from.address, id.clone()).await,
            _ => Ok(()),
        }
    }

    /// What this person saw of a ticket so far, oldest first.
    pub async fn conversation(
        &mut self,
        tx: &mut Tx,
        number: Number,
        with: &Address,
    ) -> Result<Vec<MessageId>, StoreError> {
        self.look_up_tickets(tx, &[number]).await?;
        let known = self.tickets.get(&number).and_then(Option::as_ref);
        Ok(known.and_then(|known| known.conversations.get(with)).cloned().unwrap_or_default())
    }

    /// This person wrote this on a ticket, or is told it.
    pub async fn saw(&mut self, tx: &mut Tx, number: Number, who: &Address, id: MessageId) -> Result<(), StoreError> {
        self.look_up_tickets(tx, &[number]).await?;
        let Some(known) = self.tickets.get_mut(&number).and_then(Option::as_mut) else { return Ok(()) };
        let seen = known.conversations.entry(who.clone()).or_default();
        add_seen(seen, id);
        tx.keep_conversation(number, who, seen).await
    }

    pub fn opened(&mut self, ticket: &Ticket, now: Timestamp) {
        self.next_number = Some(Number(ticket.number.0 + 1));
        self.count_load(ticket, 1);
        if let (Some(fault), None) = (&ticket.fault, ticket.parent) {
            // What was not asked for yet is asked for when it matters.
            if let Some(leading) = self.faults.get_mut(fault) {
                leading.get_or_insert(ticket.number);
            }
        }
        self.tickets.insert(ticket.number, Some(Known::new(ticket.clone())));
        if let Some(counts) = self.counts.get_mut(&ticket.requester.address)
            && ticket.created > now - SenderCounts::FLOOD
        {
            counts.tickets += 1;
            counts.newest = Some(ticket.number);
        }
    }

    /// A stored ticket changed, perhaps hands or status.
    pub fn saved(&mut self, ticket: &Ticket) {
        self.faults.retain(|_, leading| *leading != Some(ticket.number));
        let mut before = None;
        self.on(ticket.number, |known| before = Some(std::mem::replace(&mut known.ticket, ticket.clone())));
        match before {
            Some(before) => {
                self.count_load(&before, -1);
                self.count_load(ticket, 1);
            }
            None => self.loads = None,
        }
    }

    fn count_load(&mut self, ticket: &Ticket, by: i64) {
        let Some(engineer) = ticket.assignee.as_ref().filter(|_| ticket.status.is_open()) else { return };
        let row = self.loads.iter_mut().flatten().find(|(address, _)| address == engineer);
        if let Some((_, load)) = row {
            *load += by;
        }
    }

    pub fn take_part(&mut self, number: Number, people: &[Address]) {
        self.on(number, |known| {
            for person in people {
                if !known.participants.contains(person) {
                    known.participants.push(person.clone());
                }
            }
        });
    }

    pub fn visited(&mut self, number: Number, visit: &Visit) {
        self.on(number, |known| known.visit = Some(visit.clone()));
    }

    pub fn archived(&mut self, number: Number, at: Timestamp) {
        self.on(number, |known| known.archived = Some(at));
    }

    pub fn reviewed(&mut self, review: &Review) {
        self.on(review.ticket, |known| {
            known.reviews.retain(|earlier| earlier.kind != review.kind);
            known.reviews.push(review.clone());
        });
    }

    pub fn keep_approval(&mut self, number: Number, approval: &Approval) {
        self.on(number, |known| known.approval = Some(approval.clone()));
    }

    /// Takes in what a ticket teaches about its requester; gives what is known of them now, when that is new.
    pub async fn learn(&mut self, tx: &mut Tx, who: &Mailbox, new: &Person) -> Result<Option<&Person>, StoreError> {
        self.look_up_people(tx, std::slice::from_ref(&who.address)).await?;
        let known = self.people.entry(who.address.clone()).or_default();
        let mut person = known.clone().unwrap_or_default();
        person.learn(&who.name, new);
        if known.as_ref() == Some(&person) {
            return Ok(None);
        }
        Ok(Some(known.insert(person)))
    }

    /// When the next letter about a ticket may go to this reader (`hardening.md` L18); it counts from now on.
    pub fn pace(&mut self, number: Number, reader: &Address) -> Timestamp {
        let mut at = self.now;
        self.on(number, |known| {
            let told = known.told.entry(reader.clone()).or_default();
            at = hush::pace(told, at);
            told.push(at);
        });
        at
    }

    /// A letter is queued.
    pub fn told(&mut self, letter: &Letter) {
        if let Some(counts) = self.counts.get_mut(&letter.to.mailbox.address)
            && letter.content.is_counted()
        {
            counts.acknowledgements.iter_mut().for_each(|had| *had += 1);
        }
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
            same_subject: None,
            sender: None,
            counts: SenderCounts::default(),
            loads: Vec::new(),
            incident: None,
            similar: Vec::new(),
            unconfirmed: None,
            proposed: None,
            reviewed: None,
            sent_before: Vec::new(),
            own_open: Vec::new(),
            behalf: None,
            held: self.held(tx).await?,
            bounced: None,
        };
        // Timers give nobody work.
        if !matches!(event, Event::Due(_)) {
            situation.loads = self.loads(tx, policy).await?;
        }
        let numbers = match event {
            Event::Mail(mail) => {
                situation.next_number = self.next_number(tx).await?;
                situation.sent_before = sent_before(tx, &mail.inbound).await?;
                first_few(&self.about_mail(tx, &mut situation, mail, now).await?)
            }
            Event::Rated { number, .. }
            | Event::Undelivered { number, .. }
            | Event::Helped { number, .. }
            | Event::CodeWanted { number, .. }
            | Event::CodeEntered { number, .. } => vec![*number],
            Event::Recurred(seen) => seen.tickets(),
            Event::Absent { number, parent } => [Some(*number), *parent].into_iter().flatten().collect(),
            Event::Due(timers) => timers.iter().map(|timer| timer.number).collect(),
        };
        situation.candidates = self.candidates(tx, &numbers, policy, event, situation.incident).await?;
        if let Event::Mail(mail) = event
            && situation.candidates.iter().any(|on| !on.reviews.is_empty())
        {
            situation.reviewed = reviewed(tx, &mail.inbound).await?;
        }
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
        let ids: Vec<MessageId> = ids_of(inbound).collect();
        self.look_up_ids(tx, &ids).await?;
        s.known_ids = ids.iter().filter_map(|id| self.known_ids.get(id)).flatten().cloned().collect();
        s.incident = self.leading_of(tx, s.policy, mail).await?;
        if let Some(letter) = inbound.bounce.as_ref().and_then(|bounce| bounce.original_message_id.as_ref()) {
            s.bounced = tx.recipient_of(letter).await?;
        }
        if s.known_ids.is_empty() {
            s.similar = self.similar(tx, mail).await?;
        }
        let mut numbers = thread::named(inbound);
        numbers.extend(s.incident);
        numbers.extend(s.known_ids.iter().map(|k| k.number));
        if let (Some(from), Some(subject)) = (&inbound.from, thread::answers_by_subject(inbound, &s.known_ids)) {
            s.same_subject = tx.open_with_subject(&from.address, &subject, mail.arrived - SAME_SUBJECT).await?;
            numbers.extend(s.same_subject);
        }
        if let Some(from) = &inbound.from {
            self.look_up_senders(tx, std::slice::from_ref(&from.address), now).await?;
            s.counts = self.counts.get(&from.address).copied().unwrap_or_default();
            s.sender = self.people.get(&from.address).cloned().flatten();
            if s.counts.tickets >= s.policy.limits.tickets_per_hour {
                numbers.extend(s.counts.newest);
            }
            if s.policy.engineer(&from.address).is_some() {
                numbers.extend(self.about_engineer(tx, s, inbound).await?);
            }
            let target = behalf::target(s.policy, s.unconfirmed.as_deref().unwrap_or(inbound));
            if let Some(target) = target.or_else(|| behalf::target(s.policy, inbound)) {
                self.look_up_senders(tx, std::slice::from_ref(&target), now).await?;
                let person = self.people.get(&target).cloned().flatten();
                let counts = self.counts.get(&target).copied().unwrap_or_default();
                if counts.tickets >= s.policy.limits.tickets_per_hour {
                    numbers.extend(counts.newest);
                }
                s.behalf = Some((person, counts));
            }
        }
        Ok(numbers)
    }

    /// The open ticket that leads the fault this mail reports, if it was sorted beforehand: a reply is no report.
    async fn leading_of(&mut self, tx: &mut Tx, policy: &Policy, mail: &Mail) -> Result<Option<Number>, StoreError> {
        let sorted = mail.sorted.as_ref().filter(|_| mail.inbound.kind != Kind::Bulk);
        let Some(fault) = sorted.and_then(|sorted| sorted.verdict.fault.as_ref()) else { return Ok(None) };
        if let Some(known) = self.faults.get(fault) {
            return Ok(*known);
        }
        let found = tx.leading_ticket(fault, mail.arrived - policy.incident.window).await?;
        self.faults.insert(fault.clone(), found);
        Ok(found)
    }

    /// What was solved before and is like this mail, if it was sorted beforehand and a person wrote it.
    async fn similar(&mut self, tx: &mut Tx, mail: &Mail) -> Result<Vec<Similar>, StoreError> {
        let inbound = &mail.inbound;
        let Some(sorted) = mail.sorted.as_ref().filter(|_| inbound.kind.is_human()) else { return Ok(Vec::new()) };
        if self.count_solved(tx).await? == 0 {
            return Ok(Vec::new());
        }
        let mut telling = terms::telling(&format!("{}\n{}", thread::plain_subject(&inbound.subject), inbound.told()));
        telling.truncate(rank::WEIGHED);
        let missing: Vec<String> = telling.iter().filter(|term| !self.asked_terms.contains(*term)).cloned().collect();
        if !missing.is_empty() {
            self.solved.with.extend(tx.frequencies(&missing).await?);
            self.asked_terms.extend(missing);
        }
        let weighed = Weighed::new(&telling, &self.solved);
        let sought: Vec<&str> = weighed.sought().collect();
        let found = tx.solved_documents(&sought, rank::CANDIDATES).await?;
        let mut similar = rank::alike(&weighed, sorted.verdict.category, found);
        similar.truncate(rank::KEPT);
        Ok(similar)
    }

    /// How many solved documents there are.
    async fn count_solved(&mut self, tx: &mut Tx) -> Result<i64, StoreError> {
        if self.asked_terms.insert(String::new()) {
            let all = tx.frequencies(&[String::new()]).await?;
            self.solved.documents = all.get("").copied().unwrap_or(0);
        }
        Ok(self.solved.documents)
    }

    async fn leading(&mut self, tx: &mut Tx, number: Number) -> Result<(Arc<Vec<Entry>>, Body), StoreError> {
        if let Some(known) = self.leading.get(&number) {
            return Ok(known.clone());
        }
        let timeline = Arc::new(tx.first_entries(number, ENTRIES_OF_LEADING).await?);
        let known = (timeline, tx.description(number).await?);
        self.leading.insert(number, known.clone());
        Ok(known)
    }

    async fn held(&mut self, tx: &mut Tx) -> Result<Arc<AllHeld>, StoreError> {
        if self.held.is_none() {
            let held = tx.held_addresses(self.now).await?;
            self.held = Some(Arc::new(held.into_iter().map(|held| (held.address.clone(), held)).collect()));
        }
        Ok(self.held.clone().unwrap_or_default())
    }

    /// Nothing is sent to an address any more, or it is again.
    pub fn now_held(&mut self, address: &Address, held: Option<&Held>) {
        let all = Arc::make_mut(self.held.get_or_insert_default());
        match held {
            Some(held) => drop(all.insert(address.clone(), held.clone())),
            None => drop(all.remove(address)),
        }
    }

    /// A ticket's timeline has one more entry.
    pub fn recorded(&mut self, number: Number, entry: &Entry) {
        let leading = self.leading.get_mut(&number).map(|(timeline, _)| timeline);
        if let Some(timeline) = leading.filter(|timeline| timeline.len() < ENTRIES_OF_LEADING as usize) {
            Arc::make_mut(timeline).push(entry.clone());
        }
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
        // Foxmail sends References alone (`domain.md` section 0).
        if let Some(id) = thread::replied_to(inbound).next()
            && let Some(key) = tx.letter_of(id).await?
        {
            s.unconfirmed = unconfirmed(tx, &key, from).await?;
            s.proposed = proposed(&key, from);
        }
        let merged = commands.iter().filter_map(|c| match c {
            Command::Merge(number) | Command::Parent(number) | Command::Split(Some(number)) => Some(*number),
            _ => None,
        });
        Ok(merged.collect())
    }

    /// The tickets with what the rules need of each; merges are followed.
    async fn candidates(
        &mut self,
        tx: &mut Tx,
        numbers: &[Number],
        policy: &Policy,
        event: &Event,
        incident: Option<Number>,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.look_up_tickets(tx, numbers).await?;
        let wanted: BTreeSet<Number> = numbers.iter().copied().collect();
        let mut found = Vec::new();
        for named in wanted {
            let Some(known) = self.merged_into(tx, named).await? else { continue };
            let mut candidate = Candidate {
                named,
                ticket: known.ticket.clone(),
                participants: known.participants.clone(),
                timeline: Arc::default(),
                reports: Vec::new(),
                description: Body::default(),
                visit: known.visit.clone(),
                approval: known.approval.clone(),
                article: None,
                suggested: Vec::new(),
                archived: known.archived,
                reviews: known.reviews.clone(),
                recurred: Vec::new(),
            };
            let number = candidate.ticket.number;
            if needs_history(&candidate, policy, event) {
                candidate.timeline = Arc::new(tx.timeline(candidate.ticket.number).await?);
                candidate.description = tx.description(candidate.ticket.number).await?;
                candidate.article = tx.article(candidate.ticket.number).await?;
                candidate.suggested = tx.suggestions(candidate.ticket.number).await?;
                if candidate.ticket.parent.is_none() {
                    candidate.reports = tx.reports_of(candidate.ticket.number).await?;
                }
                if let Some(problem) = candidate.review(review::Kind::Problem) {
                    candidate.recurred = tx.tickets(&problem.tickets).await?;
                }
            } else if incident == Some(named) {
                (candidate.timeline, candidate.description) = self.leading(tx, number).await?;
            }
            found.push(candidate);
        }
        Ok(found)
    }

    /// The ticket of this number, or the one it was merged into, and who takes part.
    async fn merged_into(&mut self, tx: &mut Tx, number: Number) -> Result<Option<&Known>, StoreError> {
        let mut number = number;
        for _ in 0..=MERGES_FOLLOWED {
            self.look_up_tickets(tx, &[number]).await?;
            match self.tickets.get(&number).and_then(Option::as_ref).and_then(|known| known.ticket.merged_into) {
                Some(into) => number = into,
                None => break,
            }
        }
        Ok(self.tickets.get(&number).and_then(Option::as_ref))
    }
}

/// Each once, at most sixteen: a stranger chooses how many a mail names.
fn first_few(numbers: &[Number]) -> Vec<Number> {
    let mut few: Vec<Number> = Vec::new();
    for number in numbers {
        if !few.contains(number) && few.len() < 16 {
            few.push(*number);
        }
    }
    few
}

/// Own id, In-Reply-To, References and the id a bounce names; at most forty.
fn ids_of(inbound: &Inbound) -> impl Iterator<Item = MessageId> + '_ {
    let bounced = inbound.bounce.iter().filter_map(|b| b.original_message_id.as_ref());
    inbound.message_id.iter().chain(bounced).chain(thread::replied_to(inbound)).take(40).cloned()
}

/// The message a `ConfirmCommand` letter to this engineer asked about; the letter's key names both.
async fn unconfirmed(tx: &mut Tx, key: &str, engineer: &Address) -> Result<Option<Box<Inbound>>, StoreError> {
    let mut parts = key.split('/').skip(1);
    let (Some("confirm_command"), Some(digest), Some(asked)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let Some(digest) = Digest::from_hex(digest).filter(|_| asked == engineer.key()) else { return Ok(None) };
    Ok(tx.message_bytes(&digest).await?.map(|raw| Box::new(mail::parse(&raw))))
}

/// What a `Proposal` letter to this engineer asked, and in which cycle: `IT001/proposal/resolve-1-0f3c/wang@corp.example`.
fn proposed(key: &str, engineer: &Address) -> Option<(Action, i64)> {
    let mut parts = key.split('/').skip(1);
    let (template, cause, asked) = (parts.next()?, parts.next()?, parts.next()?);
    let mut cause = cause.split('-');
    let (action, cycle) = (cause.next()?, cause.next()?.parse().ok()?);
    let action = Action::ALL.iter().copied().find(|known| known.as_str() == action)?;
    (template == "proposal" && asked == engineer.key()).then_some((action, cycle))
}

/// The review that the answered letter was about: `IT001/review/incident-ask/wang@corp.example`.
async fn reviewed(tx: &mut Tx, inbound: &Inbound) -> Result<Option<(Number, review::Kind)>, StoreError> {
    let Some(id) = thread::replied_to(inbound).next() else { return Ok(None) };
    let Some(key) = tx.letter_of(id).await? else { return Ok(None) };
    let mut parts = key.split('/');
    let (Some(number), Some("review" | "review_plan"), Some(cause)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let kind = cause.split('-').next().and_then(review::Kind::parse);
    Ok(Number::parse(number).zip(kind))
}

/// Engineers and the supervisor may hand the ticket on or ask for its story; a requester's "not satisfied" needs who had
/// it.
fn needs_history(candidate: &Candidate, policy: &Policy, event: &Event) -> bool {
    match event {
        Event::Mail(mail) => {
            let from = mail.inbound.from.as_ref().map(|from| &from.address);
            let works_here = |from| policy.engineer(from).is_some() || policy.duty.supervisor(from).is_some();
            let engineer = from.is_some_and(works_here);
            let awaiting = matches!(candidate.ticket.status, Status::Resolved | Status::Closed);
            engineer || (awaiting && mail.inbound.kind != Kind::Bounce)
        }
        Event::Rated { .. } | Event::Helped { .. } => true,
        Event::Absent { number, .. } => candidate.named == *number,
        Event::Due(timers) => {
            let kinds = [
                TimerKind::Progress,
                TimerKind::Hold,
                TimerKind::FollowUp,
                TimerKind::Knowledge,
                TimerKind::Review,
                TimerKind::Problem,
            ];
            let looks_back = |timer: &Timer| timer.number == candidate.named && kinds.contains(&timer.kind);
            timers.iter().any(looks_back)
        }
        Event::Recurred(_) => false,
        Event::Undelivered { .. } | Event::CodeWanted { .. } | Event::CodeEntered { .. } => false,
    }
}
