//! Tickets on hold (`domain.md` 4.4): a requester who does not answer is reminded in growing steps, then the ticket is
//! closed; whoever else is waited for may keep a ticket only so long before the engineer and the supervisor hear of it.

use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation, Timer, TimerKind};
use crate::desk::incident;
use crate::desk::letter::{Closing, Content};
use crate::desk::policy::Policy;
use crate::desk::ticket::{Entry, Ticket, What, Who};
use crate::desk::visit;
use crate::desk::words::{Status, Wait};
use crate::time::Timestamp;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// When a ticket that waits for this since `now` is looked at.
pub fn first_look(policy: &Policy, ticket: &Ticket, wait: Wait, now: Timestamp) -> Timestamp {
    let hold = &policy.hold;
    let first = hold.remind.first().copied().unwrap_or(hold.close_after);
    policy.calendar_of(ticket).add_working(now, if wait == Wait::Requester { first } else { hold.limit })
}

/// The timer of a ticket on hold fell due.
pub fn timer(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let ticket = &on.ticket;
    match ticket.wait.filter(|_| ticket.status == Status::Pending && ticket.cycle == timer.cycle) {
        None => Vec::new(),
        Some(Wait::Requester) => remind(s, on, now),
        Some(Wait::Visit) if visit::stands(on, now) => look_after_visit(s, on, now),
        // Its owners have a clock of their own, see [`crate::desk::approval::ask`].
        Some(wait) if on.approval.as_ref().is_some_and(|asked| asked.has_time(s.policy, ticket, now)) => {
            look_again(Draft::of(s.policy, ticket, Who::Desk, now), first_look(s.policy, ticket, wait, now))
        }
        Some(wait) => too_long(s, on, wait, now),
    }
}

/// Since when nothing has happened: the hold began, or an engineer's latest words to the requester; and how often somebody
/// was reminded since.
fn since(on: &Candidate) -> (Timestamp, usize) {
    let requester = Who::Person(on.ticket.requester.address.clone());
    let news = |entry: &Entry| match entry.what {
        What::Status { to: Status::Pending, .. } => true,
        What::Message | What::Workaround | What::Solution => entry.who != requester && entry.who != Who::Desk,
        _ => false,
    };
    let began = on.timeline.iter().rposition(news);
    let reminded = on.timeline.iter().skip(began.unwrap_or(0)).filter(|e| e.what == What::Reminded).count();
    (began.map_or(on.ticket.updated, |at| on.timeline[at].at), reminded)
}

fn remind(s: &Situation, on: &Candidate, now: Timestamp) -> Vec<Effect> {
    let (hold, (since, reminded)) = (&s.policy.hold, since(on));
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    draft.remember(&on.timeline);
    let (reader, cycle) = (draft.requester(), on.ticket.cycle);
    let calendar = draft.calendar();
    let working = |after| calendar.add_working(since, after);
    let step = working(hold.remind.get(reminded).copied().unwrap_or(hold.close_after));
    if now < step {
        return look_again(draft, step);
    }
    if reminded >= hold.remind.len() {
        draft.become_status(Status::Closed, draft.policy.desk.language.pick("没有答复", "no answer"));
        draft.letter(reader, &format!("{cycle}-hold"), Content::Closed { closing: Closing::Silence });
        visit::end(&mut draft, on.visit.as_ref());
        let mut effects = draft.finish();
        // Those who reported the same fault said nothing of the kind.
        let open = on.reports.iter().filter(|report| report.status.is_open());
        effects.extend(open.flat_map(|report| incident::split(s, report, &on.description, Who::Desk, now)));
        return effects;
    }
    draft.record(What::Reminded, "");
    let cause = format!("{cycle}-{}-{}", since.millis(), reminded + 1);
    let closes = working(hold.close_after);
    let content = Content::Waiting { since, closes, last: reminded + 1 == hold.remind.len() };
    draft.letter(reader, &cause, content);
    let next = hold.remind.get(reminded + 1).copied().unwrap_or(hold.close_after);
    // After an outage the steps still keep a distance.
    draft.schedule(TimerKind::Hold, working(next).max(calendar.add_working(now, hold.remind[0] / 2)));
    draft.finish()
}

/// It has an appointment: until that is over, and the clock runs again, it is not forgotten.
fn look_after_visit(s: &Situation, on: &Candidate, now: Timestamp) -> Vec<Effect> {
    let draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    look_again(draft, on.visit.as_ref().map_or(now, |visit| visit.end + MINUTE))
}

/// Nothing is to be said yet.
fn look_again(mut draft: Draft, at: Timestamp) -> Vec<Effect> {
    draft.schedule(TimerKind::Hold, at);
    draft.finish()
}

fn too_long(s: &Situation, on: &Candidate, wait: Wait, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let (since, _) = since(on);
    draft.record(What::Reminded, "");
    let mut readers: Vec<_> = draft.owner().into_iter().chain(s.policy.supervisor(now)).collect();
    readers.dedup();
    for reader in readers {
        let cause = format!("{}-{}", on.ticket.cycle, now.millis());
        draft.letter(reader, &cause, Content::OnHold { wait, since });
    }
    draft.schedule(TimerKind::Hold, first_look(s.policy, &on.ticket, wait, now));
    draft.finish()
}
