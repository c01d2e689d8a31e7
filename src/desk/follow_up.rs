//! After "not satisfied" (`design.md` section 1, stage 5): somebody is to get back to the requester within a working day, and the
//! supervisor hears of it until somebody has.

use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation, Timer, TimerKind};
use crate::desk::letter::Content;
use crate::desk::ticket::{Entry, What, Who};
use crate::desk::words::Rating;
use crate::time::Timestamp;

/// When somebody is to have got back to them: a working day from now.
pub fn due(draft: &Draft) -> Timestamp {
    draft.calendar().add_working(draft.now, draft.calendar().day_length())
}

/// Time is up: done, or the supervisor is reminded, and again a working day later.
pub fn timer(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let given_up = on.timeline.iter().rposition(|entry| entry.what == What::Rated { rating: Rating::Dissatisfied });
    let Some(at) = given_up.filter(|_| on.ticket.status.is_open() && on.ticket.cycle == timer.cycle) else {
        return Vec::new();
    };
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let supervisor = s.policy.supervisor(now).filter(|_| !is_done(on, &on.timeline[at..]));
    if let Some(supervisor) = supervisor {
        let engineer = on.ticket.assignee.as_ref().and_then(|address| s.policy.engineer(address));
        let engineer = engineer.map(|engineer| engineer.reader.mailbox.called().to_owned());
        let content = Content::FollowUp { due: timer.due, engineer, comment: on.timeline[at].why.clone() };
        draft.record(What::Reminded, "");
        draft.letter(supervisor, &format!("{}-{}", on.ticket.cycle, timer.due.millis()), content);
        let next = due(&draft);
        draft.schedule(TimerKind::FollowUp, next);
    }
    draft.finish()
}

/// Somebody of the desk has said something since.
fn is_done(on: &Candidate, since: &[Entry]) -> bool {
    let requester = Who::Person(on.ticket.requester.address.clone());
    let by_desk = |entry: &Entry| entry.who != Who::Desk && entry.who != requester;
    let said = |entry: &Entry| matches!(entry.what, What::Message | What::Note | What::Workaround | What::Visit { .. });
    since.iter().any(|entry| by_desk(entry) && said(entry))
}
