//! Faults that come back: several tickets of a kind within a month become a problem record (`domain.md` 7.1, A8).
//!
//! A fault is remembered by what it looks like - the module it is about, or else its category, and its terms - for as long as it
//! counts; one that is read is likened to those of the same module or category. Questions and requests (P4), reports that hang
//! on another one, and what was cancelled or merged do not count.

use super::form::Form;
use super::{Kind, MOST_PEOPLE, MOST_TICKETS, Review, Stage, State, follow_up, note};
use crate::address::Address;
use crate::desk::approval;
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation};
use crate::desk::knowledge::terms;
use crate::desk::policy::{Policy, Reader};
use crate::desk::ticket::{Number, Ticket, Who};
use crate::desk::words::{Priority, Status};
use crate::time::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// Terms of a fault that are kept: its beginning says what it is.
const TERMS: usize = 48;
/// Characters of the report that are looked at.
const TOLD: usize = 600;
/// Faults of the same module or category that one is likened to: the newest.
pub const LIKENED: i64 = 200;
/// So alike two faults are of a kind, from 0 to 1: of the same module, of the same category.
const SAME_MODULE: f64 = 0.2;
const SAME_CATEGORY: f64 = 0.3;
/// And so many terms they share at least.
const SHARED: usize = 2;
/// Words of a problem's title.
const TITLE: usize = 3;

/// What a fault looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    pub ticket: Number,
    /// `module/ERP` or `category/hardware`: only these are likened to each other.
    pub about: String,
    pub created: Timestamp,
    /// Each once.
    pub terms: Vec<String>,
    /// The problem it belongs to already.
    pub problem: Option<Number>,
}

/// What this ticket looks like as a fault; `None`: it is none, or counts no longer. `told`: what its requester wrote first.
pub fn symptom(policy: &Policy, ticket: &Ticket, told: &str, now: Timestamp) -> Option<Symptom> {
    let lately = ticket.created + policy.reviews.within > now;
    if !policy.reviews.problems || !lately || !counts(ticket) {
        return None;
    }
    let told: String = told.chars().take(TOLD).collect();
    let text = format!("{}\n{told}", ticket.subject);
    let mut terms = terms::telling(&text);
    terms.truncate(TERMS);
    let about = match module(policy, ticket, &text) {
        Some(module) => format!("module/{module}"),
        None => format!("category/{}", ticket.category),
    };
    (!terms.is_empty()).then_some(Symptom {
        ticket: ticket.number,
        about,
        created: ticket.created,
        terms,
        problem: None,
    })
}

fn counts(ticket: &Ticket) -> bool {
    let stands = ticket.merged_into.is_none() && ticket.parent.is_none() && ticket.status != Status::Cancelled;
    stands && ticket.priority != Priority::P4
}

/// A `[[module]]` that its words name, or the core module that it found broken.
fn module(policy: &Policy, ticket: &Ticket, text: &str) -> Option<String> {
    let named = approval::recognised(policy, text).map(|module| module.name.clone());
    // `network/wifi` is a category and a term.
    named.or_else(|| ticket.fault.clone().filter(|fault| !fault.contains('/')))
}

/// Those of `others` that are of a kind with `one`, oldest first. The rarer a term among all of them, the more it counts.
pub fn alike<'a>(one: &Symptom, others: &'a [Symptom]) -> Vec<&'a Symptom> {
    let mut with: HashMap<&str, u32> = HashMap::new();
    for term in others.iter().chain([one]).flat_map(|symptom| &symptom.terms) {
        *with.entry(term).or_default() += 1;
    }
    // As if there were some more without it: among few faults every term is rare.
    let all = others.len() as f64 + 20.0;
    let weight = |term: &str| (all / (1.0 + f64::from(with.get(term).copied().unwrap_or(0)))).ln().max(0.1);
    let total = |symptom: &Symptom| symptom.terms.iter().map(|term| weight(term)).sum::<f64>();
    let own: BTreeSet<&str> = one.terms.iter().map(String::as_str).collect();
    let enough = if one.about.starts_with("module/") { SAME_MODULE } else { SAME_CATEGORY };
    let of_a_kind = |other: &&Symptom| {
        let shared: Vec<&str> = other.terms.iter().map(String::as_str).filter(|term| own.contains(term)).collect();
        let likeness = 2.0 * shared.iter().map(|term| weight(term)).sum::<f64>() / (total(one) + total(other));
        other.about == one.about && other.ticket != one.ticket && shared.len() >= SHARED && likeness >= enough
    };
    let mut found: Vec<&Symptom> = others.iter().filter(of_a_kind).collect();
    found.sort_by_key(|symptom| symptom.ticket);
    found
}

/// A fault that was just read, those of a kind with it, and the problem that any of them belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    pub number: Number,
    /// Of no problem yet.
    pub alike: Vec<Number>,
    pub problem: Option<Number>,
    /// See [`Symptom::about`].
    pub about: String,
}

impl Recurrence {
    /// `None`: nothing to do about it.
    pub fn of(policy: &Policy, one: &Symptom, others: &[Symptom]) -> Option<Recurrence> {
        let found = alike(one, others);
        let problem = found.iter().rev().find_map(|symptom| symptom.problem);
        let free: Vec<Number> = found.iter().filter(|s| s.problem.is_none()).map(|s| s.ticket).collect();
        let enough = free.len() + 1 >= policy.reviews.recurrences;
        (problem.is_some() || enough).then(|| Recurrence {
            number: one.ticket,
            alike: free,
            problem,
            about: one.about.clone(),
        })
    }

    /// The tickets that have to be known.
    pub fn tickets(&self) -> Vec<Number> {
        let mut numbers: Vec<Number> = self.alike.clone();
        numbers.extend([self.number].into_iter().chain(self.problem));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// One more of an open problem joins it, and nobody is mailed for it; enough of a kind make a new one.
pub fn look(s: &Situation, seen: &Recurrence, now: Timestamp) -> Vec<Effect> {
    let find = |number: &Number| s.candidates.iter().find(|c| c.named == *number);
    let open = seen.problem.as_ref().and_then(find).and_then(|on| Some((on, on.review(Kind::Problem)?)));
    if let Some((on, problem)) = open.filter(|(_, problem)| problem.is_open()) {
        return join(s, on, problem, seen, now);
    }
    let numbers = seen.alike.iter().chain([&seen.number]);
    let mut tickets: Vec<&Candidate> =
        numbers.filter_map(find).filter(|c| c.named == c.ticket.number && counts(&c.ticket)).collect();
    tickets.sort_by_key(|on| on.ticket.number);
    if tickets.len() < s.policy.reviews.recurrences {
        return Vec::new();
    }
    // It carries the conversation, so it must still be able to.
    let free = |on: &&&Candidate| on.archived.is_none() && on.review(Kind::Problem).is_none();
    let Some(first) = tickets.iter().find(free).copied() else { return Vec::new() };
    open_problem(s, first, &tickets, seen, now)
}

fn join(s: &Situation, on: &Candidate, problem: &Review, seen: &Recurrence, now: Timestamp) -> Vec<Effect> {
    let mut problem = problem.clone();
    let new: Vec<Number> = seen.alike.iter().chain([&seen.number]).copied().collect();
    let mut effects = Vec::new();
    for number in &new {
        if problem.tickets.contains(number) {
            continue;
        }
        problem.tickets.push(*number);
        effects.extend(recorded(s, *number, &problem, now));
    }
    problem.tickets.sort_unstable();
    let more = problem.tickets.len().saturating_sub(MOST_TICKETS);
    problem.tickets.drain(..more);
    // Its timer stays as it is.
    let kept = Review { version: problem.version + 1, ..problem };
    effects.push(Effect::KeepReview(Box::new(kept)));
    effects.push(Effect::Recur { problem: on.ticket.number, tickets: new });
    effects
}

/// The ticket's own timeline says whose problem it is.
fn recorded(s: &Situation, number: Number, problem: &Review, now: Timestamp) -> Vec<Effect> {
    let on = s.candidates.iter().find(|c| c.named == number && c.ticket.number == number);
    let Some(on) = on.filter(|on| on.archived.is_none()) else { return Vec::new() };
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    note(&mut draft, problem, Stage::Recurred, problem.name());
    draft.finish()
}

fn open_problem(
    s: &Situation,
    first: &Candidate,
    tickets: &[&Candidate],
    seen: &Recurrence,
    now: Timestamp,
) -> Vec<Effect> {
    let (kind, name) = seen.about.split_once('/').unwrap_or(("", &seen.about));
    let module = if kind == "module" { name.to_owned() } else { String::new() };
    let numbers: Vec<Number> = tickets.iter().map(|on| on.ticket.number).collect();
    let problem = Review {
        ticket: first.ticket.number,
        kind: Kind::Problem,
        state: State::Asked,
        title: title(s.policy, &module, tickets),
        people: owners(s.policy, &module, now),
        module,
        form: Form::default(),
        tickets: numbers.clone(),
        cycle: first.ticket.cycle,
        opened: now,
        planned: None,
        ended: None,
        asked_again: false,
        version: 0,
    };
    if problem.people.is_empty() {
        return Vec::new();
    }
    let others = tickets.iter().map(|on| on.ticket.clone()).collect();
    let with_tickets = Candidate { recurred: others, ..first.clone() };
    let mut effects = follow_up::begin(s, &with_tickets, &problem, now);
    for number in numbers.iter().filter(|number| **number != problem.ticket) {
        effects.extend(recorded(s, *number, &problem, now));
    }
    effects.push(Effect::Recur { problem: problem.ticket, tickets: numbers });
    effects
}

/// The owners of the module, or else the supervisor on duty.
fn owners(policy: &Policy, module: &str, now: Timestamp) -> Vec<Address> {
    let address = |reader: &Reader| reader.mailbox.address.clone();
    let owners = policy.module(module).map(|module| module.owners.iter().map(address).collect::<Vec<_>>());
    let mut owners = owners.filter(|owners| !owners.is_empty());
    let owners = owners.take().unwrap_or_else(|| policy.supervisor(now).iter().map(address).collect());
    owners.into_iter().take(MOST_PEOPLE).collect()
}

/// The words of the fault that most of the tickets share, as triage found them; else the newest subject.
fn title(policy: &Policy, module: &str, tickets: &[&Candidate]) -> String {
    let mut with: Vec<(String, usize)> = Vec::new();
    for on in tickets {
        let words: BTreeSet<&str> =
            on.ticket.matched.iter().filter(|term| term.weight > 0.0).map(|term| term.term.as_str()).collect();
        for word in words {
            match with.iter_mut().find(|(known, _)| known == word) {
                Some((_, count)) => *count += 1,
                None => with.push((word.to_owned(), 1)),
            }
        }
    }
    with.retain(|(word, count)| *count * 2 > tickets.len() && !word.eq_ignore_ascii_case(module));
    with.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let apart = policy.desk.language.pick("、", ", ");
    let words: Vec<String> = with.into_iter().take(TITLE).map(|(word, _)| word).collect();
    if words.is_empty() {
        return tickets.last().map_or(String::new(), |on| on.ticket.subject.clone());
    }
    words.join(apart)
}
