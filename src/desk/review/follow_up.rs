//! What the desk does about a review by itself: it opens one when a ticket has closed, and reminds until all is done.

use super::{Kind, Late, Review, Stage, State, ask, keep, note, owners, people, tell};
use crate::address::Address;
use crate::desk::draft::Draft;
use crate::desk::engineer::status_lines;
use crate::desk::event::{Candidate, Effect, Situation};
use crate::desk::letter::{PlanPurpose, ReviewPurpose, StatusLine};
use crate::desk::policy::Policy;
use crate::desk::review::form::Form;
use crate::desk::ticket::{Entry, Number, What, Who};
use crate::desk::words::{Clock, Priority, Status};
use crate::time::Timestamp;

/// Lines of the timeline in a letter, and characters of what stands beside one.
const LINES: usize = 24;
const WORDS: usize = 120;

/// A ticket has closed, or a review has to be looked after.
pub fn timer(s: &Situation, on: &Candidate, number: Number, kind: Kind, now: Timestamp) -> Vec<Effect> {
    // One that was merged into another follows it.
    if on.ticket.number != number {
        return Vec::new();
    }
    match on.review(kind) {
        None if kind == Kind::Incident => open(s, on, now),
        None => Vec::new(),
        Some(review) => look_after(s, on, review, now),
    }
}

/// Whether this ticket gets a review, and the targets it missed.
fn deserves(s: &Situation, on: &Candidate) -> bool {
    let ticket = &on.ticket;
    let stands_alone = ticket.merged_into.is_none() && ticket.parent.is_none();
    let grave = match ticket.priority {
        Priority::P1 => true,
        Priority::P2 => !late(on).is_empty(),
        Priority::P3 | Priority::P4 => false,
    };
    s.policy.reviews.incidents && ticket.status == Status::Closed && stands_alone && grave
}

fn open(s: &Situation, on: &Candidate, now: Timestamp) -> Vec<Effect> {
    let people = asked(s.policy, on, now);
    if !deserves(s, on) || people.is_empty() {
        return Vec::new();
    }
    let review = Review {
        ticket: on.ticket.number,
        kind: Kind::Incident,
        state: State::Asked,
        title: String::new(),
        module: String::new(),
        form: Form::default(),
        people,
        tickets: Vec::new(),
        cycle: on.ticket.cycle,
        opened: now,
        planned: None,
        ended: None,
        asked_again: false,
        version: 0,
    };
    begin(s, on, &review, now)
}

/// Asks for the form for the first time.
pub fn begin(s: &Situation, on: &Candidate, review: &Review, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    note(&mut draft, review, Stage::Asked, review.name());
    let readers = people(s.policy, review, now);
    ask(&mut draft, on, review, &readers, ReviewPurpose::Ask, "ask", "");
    take_part(&mut draft, review);
    keep(&mut draft, review);
    draft.finish()
}

/// Whoever is asked is somebody on the ticket: a reply that only its subject ties to it finds it.
fn take_part(draft: &mut Draft, review: &Review) {
    draft.effect(Effect::Participants(review.ticket, review.people.clone()));
}

/// Its engineers - whoever has it and whoever resolved it - and the supervisor on duty.
fn asked(policy: &Policy, on: &Candidate, now: Timestamp) -> Vec<Address> {
    let resolved = on.timeline.iter().rev().find_map(|entry| match (&entry.what, &entry.who) {
        (What::Status { to: Status::Resolved, .. }, Who::Person(who)) => Some(who.clone()),
        _ => None,
    });
    let engineers = on.ticket.assignee.clone().into_iter().chain(resolved);
    let engineers = engineers.filter(|address| policy.engineer(address).is_some());
    let supervisor = policy.supervisor(now).map(|reader| reader.mailbox.address);
    let mut people: Vec<Address> = Vec::new();
    for address in engineers.chain(supervisor) {
        if !people.contains(&address) {
            people.push(address);
        }
    }
    people
}

fn look_after(s: &Situation, on: &Candidate, review: &Review, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let mut review = review.clone();
    if review.kind == Kind::Incident {
        let ticket = &on.ticket;
        match ticket.status {
            // A false alarm after all.
            Status::Cancelled if review.is_open() => {
                (review.state, review.ended) = (State::Withdrawn, Some(now));
                note(&mut draft, &review, Stage::Withdrawn, review.name());
                keep(&mut draft, &review);
                return draft.finish();
            }
            Status::Closed if review.cycle != ticket.cycle => return again(s, on, review, draft),
            Status::Closed => {}
            // Reopened: it is asked about when it has closed again.
            _ if review.is_open() => {
                draft.schedule(review.kind.timer(), s.policy.calendar.add_working(now, s.policy.reviews.remind_after));
                return draft.finish();
            }
            _ => return Vec::new(),
        }
    }
    let cause = format!("remind-{}", now.millis());
    match review.state {
        State::Done | State::Withdrawn => return Vec::new(),
        State::Asked => {
            let readers = people(s.policy, &review, now);
            ask(&mut draft, on, &review, &readers, ReviewPurpose::Remind, &cause, "");
        }
        State::Planned => {
            let today = now.at_zone(s.policy.desk.zone).date_naive();
            let late = review.form.due.is_some_and(|due| due < today);
            let purpose = if late { PlanPurpose::Overdue } else { PlanPurpose::Due };
            let readers = owners(s.policy, &review, now);
            tell(&mut draft, on, &review, &readers, purpose, &cause, "");
        }
    }
    draft.record(What::Reminded, review.name());
    draft.schedule(review.kind.timer(), super::next_look(s.policy, &review, now));
    draft.finish()
}

/// Reopened and closed again: the same review, with what has happened since.
fn again(s: &Situation, on: &Candidate, mut review: Review, mut draft: Draft) -> Vec<Effect> {
    let now = draft.now;
    review.cycle = on.ticket.cycle;
    review.asked_again = false;
    if review.state == State::Withdrawn {
        if !deserves(s, on) {
            return Vec::new();
        }
        (review.state, review.ended) = (State::Asked, None);
    }
    for address in asked(s.policy, on, now) {
        if !review.people.contains(&address) && review.people.len() < super::MOST_PEOPLE {
            review.people.push(address);
        }
    }
    note(&mut draft, &review, Stage::Asked, review.name());
    let readers = people(s.policy, &review, now);
    ask(&mut draft, on, &review, &readers, ReviewPurpose::Again, &format!("again-{}", review.cycle), "");
    take_part(&mut draft, &review);
    keep(&mut draft, &review);
    draft.finish()
}

/// The targets it missed, in any of its rounds: the first one of each clock.
pub fn late(on: &Candidate) -> Vec<Late> {
    let ticket = &on.ticket;
    let ended = ticket.resolved.or(ticket.closed);
    let mut missed: Vec<Late> = Vec::new();
    // `by`: until when the target held.
    let mut check = |clock, due: Timestamp, met: Option<Timestamp>, by: Timestamp| {
        if met.unwrap_or(by) > due && missed.iter().all(|known| known.clock != clock) {
            missed.push(Late { clock, due, met });
        }
    };
    for entry in on.timeline.iter() {
        if let What::Targets { response_due, resolution_due, answered, resolved } = entry.what {
            check(Clock::Response, response_due, answered, entry.at);
            check(Clock::Resolution, resolution_due, resolved, entry.at);
        }
    }
    let by = ticket.closed.unwrap_or(ticket.updated);
    check(Clock::Response, ticket.response_due, ticket.answered.or(ended), by);
    check(Clock::Resolution, ticket.resolution_due, ended, by);
    missed.sort_by_key(|late| late.clock);
    missed
}

/// What happened, as far as a review needs it; the first and the latest lines of a long one.
pub fn history(policy: &Policy, on: &Candidate) -> Vec<StatusLine> {
    let telling = |entry: &&Entry| match &entry.what {
        What::Message => entry.who != Who::Desk,
        What::Escalated { percent, .. } => *percent >= 100,
        What::Opened
        | What::Step
        | What::Workaround
        | What::Solution
        | What::Status { .. }
        | What::Assigned { .. }
        | What::Priority { .. }
        | What::Joined { .. }
        | What::VendorAsked { .. }
        | What::Rated { .. }
        | What::Visit { .. } => true,
        _ => false,
    };
    let mut entries: Vec<Entry> = on.timeline.iter().filter(telling).cloned().collect();
    if entries.len() > LINES {
        entries.drain(LINES / 2..entries.len() - LINES / 2);
    }
    let mut lines = status_lines(policy, &entries);
    for line in &mut lines {
        let short = line.why.split_whitespace().collect::<Vec<_>>().join(" ");
        line.why = short.chars().take(WORDS).collect();
        if short.chars().nth(WORDS).is_some() {
            line.why.push('…');
        }
    }
    lines
}
