//! Reviews: what is learnt from what went wrong, and whether it was done (`domain.md` 7.1, A5 to A8).
//!
//! A P1, and a P2 that missed a target, gets a post-incident review when it has closed: `PIR012` is that of `IT012`. A fault
//! that comes back gets a problem record, named after the oldest of its tickets: `PRB012`. Both are the same form, sent by
//! mail, filled in by reply and followed up until what was planned is done.
//!
//! | State | What ends it |
//! |---|---|
//! | asked | the last part of the form; until then whoever owes it is reminded |
//! | planned | one word, `done`; from the due date on its owner is reminded |
//! | done | nothing, but that its ticket is reopened and closed again, or another date is told |
//! | withdrawn | its ticket was withdrawn or merged after all |
//!
//! | Moves | |
//! |---|---|
//! | [`follow_up`] | opening at the end of a ticket, reminding, asking again |
//! | [`answer`] | what is replied |
//! | [`recur`] | telling that a fault has come back |

pub mod answer;
pub mod follow_up;
pub mod form;
pub mod recur;

use crate::address::{Address, Mailbox};
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, TimerKind};
use crate::desk::letter::{Content, PlanPurpose, ReviewPurpose};
use crate::desk::policy::{Policy, Reader};
use crate::desk::ticket::{Number, Ticket, What};
use crate::desk::words::{Clock, Language};
use crate::time::Timestamp;
use crate::time::calendar::start_of_day;
use form::{Form, Part};
use serde::{Deserialize, Serialize};

/// Tickets of a problem that are kept, and that are shown in a letter.
pub const MOST_TICKETS: usize = 500;
const SHOWN: usize = 12;
/// People who may be asked about one review.
const MOST_PEOPLE: usize = 12;

/// What is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One ticket.
    Incident,
    /// A fault that comes back.
    Problem,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Incident, Kind::Problem];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Incident => "incident",
            Kind::Problem => "problem",
        }
    }

    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub fn timer(self) -> TimerKind {
        match self {
            Kind::Incident => TimerKind::Review,
            Kind::Problem => TimerKind::Problem,
        }
    }

    /// What it is called, after its ticket.
    pub fn name(self, ticket: Number) -> String {
        let prefix = if self == Kind::Incident { "PIR" } else { "PRB" };
        format!("{prefix}{:03}", ticket.0)
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The form has gaps.
    Asked,
    /// The form is complete; the action is to be done.
    Planned,
    Done,
    Withdrawn,
}

impl State {
    pub const ALL: [State; 4] = [State::Asked, State::Planned, State::Done, State::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Asked => "asked",
            State::Planned => "planned",
            State::Done => "done",
            State::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A review or a problem record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// The ticket it is about; of a problem the oldest one.
    pub ticket: Number,
    pub kind: Kind,
    pub state: State,
    /// What recurs; empty for an incident.
    pub title: String,
    /// Of the fault that recurs; empty when none was named.
    pub module: String,
    pub form: Form,
    /// Who was asked.
    pub people: Vec<Address>,
    /// Those of a problem, oldest first; the newest [`MOST_TICKETS`].
    pub tickets: Vec<Number>,
    /// The round of the ticket that was looked at last.
    pub cycle: i64,
    pub opened: Timestamp,
    /// When the form was complete.
    pub planned: Option<Timestamp>,
    /// When it was done or withdrawn.
    pub ended: Option<Timestamp>,
    /// What was missing of a reply was asked once.
    pub asked_again: bool,
    /// Grows by one with every change.
    pub version: i64,
}

impl Review {
    pub fn name(&self) -> String {
        self.kind.name(self.ticket)
    }

    /// Somebody still has something to do.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Asked | State::Planned)
    }
}

impl Candidate {
    pub fn review(&self, kind: Kind) -> Option<&Review> {
        self.reviews.iter().find(|review| review.kind == kind)
    }
}

/// A part and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    pub label: &'static str,
    pub text: String,
}

/// A target that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Late {
    pub clock: Clock,
    pub due: Timestamp,
    /// When it was done after all.
    pub met: Option<Timestamp>,
}

/// One of the tickets of a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recurred {
    pub number: Number,
    pub subject: String,
    pub created: Timestamp,
}

/// What a letter tells of a review, in its reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    pub kind: Kind,
    /// `PIR012`.
    pub name: String,
    pub title: String,
    pub module: String,
    pub known: Vec<Known>,
    /// Labels of the parts that are owed.
    pub missing: Vec<&'static str>,
    /// When it was asked for the first time.
    pub opened: Timestamp,
    /// Who is to do what was planned, and by which day.
    pub owner: String,
    pub due: String,
    /// The newest of the tickets of a problem, and how many there are in all.
    pub tickets: Vec<Recurred>,
    pub count: usize,
}

impl View {
    pub fn new(review: &Review, recurred: &[Ticket], language: Language) -> View {
        let known = |part: &Part| {
            let text = review.form.get(*part);
            (!text.is_empty()).then(|| Known { label: part.name(language), text })
        };
        let newest = recurred.iter().rev().take(SHOWN).rev();
        let ticket = |ticket: &Ticket| Recurred {
            number: ticket.number,
            subject: ticket.subject.clone(),
            created: ticket.created,
        };
        View {
            kind: review.kind,
            name: review.name(),
            title: review.title.clone(),
            module: review.module.clone(),
            known: Part::ALL.iter().filter_map(known).collect(),
            missing: review.form.missing().into_iter().map(|part| part.name(language)).collect(),
            opened: review.opened,
            owner: review.form.owner.clone(),
            due: review.form.due.map_or(String::new(), |due| due.to_string()),
            tickets: newest.map(ticket).collect(),
            count: review.tickets.len(),
        }
    }
}

/// A person of the desk, or a colleague, as a reader; `None` for strangers: what went wrong here is not for them.
pub fn reader(policy: &Policy, address: &Address) -> Option<Reader> {
    let staff = policy.engineer(address).map(|engineer| &engineer.reader);
    let staff = staff.or_else(|| policy.duty.supervisor(address).map(|staff| &staff.reader));
    let owners = policy.modules.iter().flat_map(|module| module.owners.iter().chain(&module.substitutes));
    let managers = policy.escalation.managers.iter().map(|manager| &manager.reader);
    let known = staff.or_else(|| owners.chain(managers).find(|reader| reader.mailbox.address == *address));
    let colleague = || {
        let name = policy.directory.find(address).map(|entry| entry.name.clone()).unwrap_or_default();
        let (language, zone) = (policy.desk.language, policy.desk.zone);
        Reader { mailbox: Mailbox::new(address.clone(), name), language, zone }
    };
    known.cloned().or_else(|| policy.desk.is_colleague(address).then(colleague))
}

/// Those who were asked and still work here; nobody of them does: the supervisor.
pub fn people(policy: &Policy, review: &Review, now: Timestamp) -> Vec<Reader> {
    let mut readers: Vec<Reader> = review.people.iter().filter_map(|address| reader(policy, address)).collect();
    if readers.is_empty() {
        readers.extend(policy.supervisor(now));
    }
    readers
}

/// Whoever is to do what was planned; when nobody goes by that name, whoever was asked.
pub fn owners(policy: &Policy, review: &Review, now: Timestamp) -> Vec<Reader> {
    let owner = review.form.owner_address.as_ref().and_then(|address| reader(policy, address));
    owner.map_or_else(|| people(policy, review, now), |owner| vec![owner])
}

/// Everybody who has to do with it, each once.
fn everybody(policy: &Policy, review: &Review, now: Timestamp) -> Vec<Reader> {
    let mut all = people(policy, review, now);
    for owner in owners(policy, review, now) {
        if all.iter().all(|known| known.mailbox.address != owner.mailbox.address) {
            all.push(owner);
        }
    }
    all
}

/// When somebody is to be reminded: of the form after a while; of what was planned on its day, and from then on after a
/// while again.
fn next_look(policy: &Policy, review: &Review, now: Timestamp) -> Timestamp {
    let later = policy.calendar.add_working(now, policy.reviews.remind_after);
    match review.form.due.filter(|_| review.state == State::Planned) {
        Some(due) => {
            let day = policy.calendar.next_working(start_of_day(policy.desk.zone, due));
            if day > now { day } else { later }
        }
        None => later,
    }
}

/// Keeps the review as it is now, with the moment at which somebody looks after it.
fn keep(draft: &mut Draft, review: &Review) {
    let (number, kind) = (review.ticket, review.kind.timer());
    if review.is_open() {
        let next = next_look(draft.policy, review, draft.now);
        draft.schedule(kind, next);
    } else {
        draft.effect(Effect::Unschedule(number, kind));
    }
    draft.effect(Effect::KeepReview(Box::new(Review { version: review.version + 1, ..review.clone() })));
}

fn note(draft: &mut Draft, review: &Review, stage: Stage, why: impl Into<String>) {
    draft.record(What::Reviewed { kind: review.kind, stage }, why);
}

/// What became of a review, for the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Asked,
    /// Parts of the form were told; they stand beside it, with what they replace.
    Told,
    Planned,
    Done,
    Withdrawn,
    /// This ticket is one more of a problem.
    Recurred,
}

/// Queues the letter that asks for the form.
fn ask(
    draft: &mut Draft,
    on: &Candidate,
    review: &Review,
    to: &[Reader],
    purpose: ReviewPurpose,
    cause: &str,
    unread: &str,
) {
    for reader in to {
        let mut view = View::new(review, &on.recurred, reader.language);
        let due = Part::Due.name(reader.language);
        if !unread.is_empty() && !view.missing.contains(&due) {
            view.missing.push(due);
        }
        let (history, late) = match review.kind {
            Kind::Incident => (follow_up::history(draft.policy, on), follow_up::late(on)),
            Kind::Problem => (Vec::new(), Vec::new()),
        };
        let content = Content::Review { purpose, view, history, late, unread: unread.to_owned() };
        draft.letter(reader.clone(), &format!("{}-{cause}", review.kind.as_str()), content);
    }
}

/// Queues the short letter about what was planned.
fn tell(
    draft: &mut Draft,
    on: &Candidate,
    review: &Review,
    to: &[Reader],
    purpose: PlanPurpose,
    cause: &str,
    by: &str,
) {
    for reader in to {
        let view = View::new(review, &on.recurred, reader.language);
        let mine = review.form.owner_address.as_ref() == Some(&reader.mailbox.address);
        let content = Content::ReviewPlan { purpose, view, by: by.to_owned(), mine };
        draft.letter(reader.clone(), &format!("{}-{cause}", review.kind.as_str()), content);
    }
}
