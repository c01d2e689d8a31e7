//! Keeps the documents of the search up to date, behind the work: what changed is marked by the database as it changes,
//! and read here when there is time. So is seen, too, whether a fault comes back.

use super::Flow;
use super::apply::{Applied, Work};
use super::gather::Facts;
use crate::desk::event::Event;
use crate::desk::knowledge::article::State;
use crate::desk::knowledge::{self, About};
use crate::desk::policy::Policy;
use crate::desk::review::recur::{self, Recurrence, Symptom};
use crate::desk::ticket::Number;
use crate::store::{StoreError, Tx};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Tickets of one commit: few, for the desk's only writer waits for it.
const AT_ONCE: i64 = 50;
/// Messages that are read of one ticket; what was done stands on its timeline.
const MESSAGES: i64 = 50;

impl Flow {
    /// Reads some of the tickets that have changed; gives how many. Zero: all is up to date.
    ///
    /// # Errors
    /// The store's; they are still marked.
    pub async fn index(&self, now: Timestamp) -> Result<usize, StoreError> {
        let rules = self.rules();
        let mut tx = self.store.begin().await?;
        let (stale, faults) = index_some(&mut tx, &rules.policy, now).await?;
        let (mut facts, mut applied) = (Facts::new(&self.beside, now), Applied::default());
        let mut work = Work { tx: &mut tx, rules: &rules, facts: &mut facts, applied: &mut applied, now };
        look_back(&mut work, &faults).await?;
        facts.letters.write(&mut tx).await?;
        tx.commit().await?;
        self.ring(&applied, facts.letters.queued);
        Ok(stale)
    }
}

/// Whether these faults have come before, often enough; what comes of that is done.
async fn look_back(work: &mut Work<'_>, faults: &[Symptom]) -> Result<(), StoreError> {
    let policy = &work.rules.policy;
    let mut new = Vec::new();
    for fault in faults {
        if work.tx.keep_symptom(fault).await?.is_none() {
            new.push(fault);
        }
    }
    // Those of a module or category are looked up once, and again when some of them became a problem.
    let mut of_about: HashMap<&str, Vec<Symptom>> = HashMap::new();
    for fault in new {
        let others = match of_about.entry(&fault.about) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let since = work.now - policy.reviews.within;
                unknown.insert(work.tx.symptoms(&fault.about, since, recur::LIKENED).await?)
            }
        };
        let joined = others.iter().any(|other| other.ticket == fault.ticket && other.problem.is_some());
        let seen = if joined { None } else { Recurrence::of(policy, fault, others) };
        if let Some(seen) = seen {
            of_about.remove(fault.about.as_str());
            work.carry_out(&Event::Recurred(seen), None).await?;
        }
    }
    Ok(())
}

/// Gives how many were read, and the faults among them.
async fn index_some(tx: &mut Tx, policy: &Policy, now: Timestamp) -> Result<(usize, Vec<Symptom>), StoreError> {
    let stale = tx.take_stale(AT_ONCE).await?;
    let mut documents = Vec::with_capacity(stale.len());
    let mut tickets: Vec<Number> = Vec::new();
    for about in &stale {
        match *about {
            About::Ticket(number) => tickets.push(number),
            About::Article(number) => {
                let article = tx.article(number).await?.filter(|article| article.state == State::Published);
                match article {
                    Some(article) => documents.push(knowledge::of_article(&article)),
                    None => tx.drop_document(*about).await?,
                }
            }
        }
    }
    let (mut faults, mut gone) = (Vec::new(), Vec::new());
    for ticket in tx.tickets(&tickets).await? {
        let (timeline, told) = (tx.timeline(ticket.number).await?, tx.told_on(ticket.number, MESSAGES).await?);
        documents.push(knowledge::of_ticket(&ticket, &timeline, &told));
        match recur::symptom(policy, &ticket, told.first().map_or("", String::as_str), now) {
            Some(fault) => faults.push(fault),
            None => gone.push(ticket.number),
        }
    }
    tx.put_documents(&documents).await?;
    if !tickets.is_empty() {
        tx.forget_symptoms(&gone, now - policy.reviews.within).await?;
    }
    Ok((stale.len(), faults))
}
