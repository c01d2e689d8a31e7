//! An engineer goes on leave or is no longer in the configuration: their open tickets go to others, with a letter that
//! carries the history (`design.md` section 1, stage 3).

use crate::address::Address;
use crate::desk::draft::Draft;
use crate::desk::engineer::status_lines;
use crate::desk::event::{Candidate, Effect, Situation};
use crate::desk::letter::Content;
use crate::desk::policy::Policy;
use crate::desk::ticket::Who;
use crate::desk::{assign, team, visit};
use crate::time::Timestamp;

/// Why somebody's tickets cannot stay with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// No engineer of the desk any more.
    Gone,
    /// On leave, for a working day or longer.
    Until(Timestamp),
}

/// Whether the tickets of this person go to others now. Who is away for some hours keeps theirs.
pub fn absence(policy: &Policy, who: &Address, now: Timestamp) -> Option<Absence> {
    let Some(engineer) = policy.engineer(who) else { return Some(Absence::Gone) };
    let (from, to) = engineer.away.iter().find(|(from, to)| *from <= now && now < *to)?;
    let calendar = engineer.hours.as_ref().unwrap_or(&policy.calendar);
    (calendar.working_between(*from, *to) >= calendar.day_length()).then_some(Absence::Until(*to))
}

/// One ticket whose engineer is not there.
pub fn hand_over(s: &Situation, on: &Candidate, now: Timestamp) -> Vec<Effect> {
    let Some(before) = on.ticket.assignee.as_ref().filter(|_| on.ticket.status.is_open()) else { return Vec::new() };
    let Some(absence) = absence(s.policy, before, now) else { return Vec::new() };
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    if let Some(lead) = leads(s, on, now) {
        // A report of somebody else's fault: whoever leads has it, and knows.
        draft.allot(Some(&lead));
        draft.effect(Effect::Participants(on.ticket.number, vec![lead]));
        return draft.finish();
    }
    let next = next(s, on, before, now);
    draft.allot(next.as_ref());
    let knew = team::circle(s.policy, &on.ticket, now);
    if let Some(reader) = draft.owner() {
        let engineer = s.policy.engineer(before);
        let content = Content::Handover {
            before: engineer.map_or_else(|| before.to_string(), |e| e.reader.mailbox.called().to_owned()),
            until: if let Absence::Until(until) = absence { Some(until) } else { None },
            found: next.is_some(),
            body: on.description.clone(),
            history: status_lines(s.policy, &on.timeline),
        };
        draft.letter(reader, &cause(on), content).with_first_files = true;
    }
    if let Some(lead) =
        next.as_ref().and_then(|next| s.policy.engineer(next)).filter(|_| team::is_urgent(on.ticket.priority))
    {
        let by = lead.reader.mailbox.called().to_owned();
        for reader in knew.into_iter().filter(|reader| ![lead.address(), before].contains(&&reader.mailbox.address)) {
            draft.letter(reader, &cause(on), Content::Taken { by: by.clone() });
        }
    }
    if let Some(invitation) = visit::settle(&mut draft, on.visit.as_ref(), None) {
        let requester = draft.requester();
        draft.letter(requester, &cause(on), invitation);
    }
    draft.effect(Effect::Participants(on.ticket.number, next.into_iter().collect()));
    draft.finish()
}

/// Each time a ticket changes hands is another one.
fn cause(on: &Candidate) -> String {
    format!("handover-{}-{}", on.ticket.cycle, on.ticket.version)
}

/// Who has the ticket that this one is a report of, if they are there.
fn leads(s: &Situation, on: &Candidate, now: Timestamp) -> Option<Address> {
    let parent = on.ticket.parent?;
    let leading = s.candidates.iter().find(|candidate| candidate.ticket.number == parent)?;
    leading.ticket.assignee.clone().filter(|lead| absence(s.policy, lead, now).is_none())
}

fn next(s: &Situation, on: &Candidate, before: &Address, now: Timestamp) -> Option<Address> {
    let held = s.held.values().filter(|held| held.until > now).map(|held| held.address.clone());
    let not: Vec<Address> = held.chain([before.clone(), on.ticket.requester.address.clone()]).collect();
    let chosen = assign::choose(s.policy, on.ticket.category, on.ticket.priority, &s.loads, &not, now);
    chosen.map(|engineer| engineer.address().clone())
}
