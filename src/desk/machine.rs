//! Mail no person wrote, letters that could not be delivered, and timers.

use crate::address::Address;
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Mail, Situation, Timer, TimerKind, Visibility};
use crate::desk::inbound::{Bounce, Kind};
use crate::desk::letter::{Closing, Content, Letter};
use crate::desk::policy::Reader;
use crate::desk::requester::links;
use crate::desk::thread::{self, Thread};
use crate::desk::ticket::{Entry, What, Who};
use crate::desk::words::Status;
use crate::desk::{approval, escalation, held, hush, intake};
use crate::time::Timestamp;

/// A machine's mail that is not worth a ticket: joins the one it names, else is kept aside (L1-L3).
/// It never answers, never reopens, never stops a clock.
pub fn mail(s: &Situation, mail: &Mail, now: Timestamp) -> Vec<Effect> {
    let inbound = &mail.inbound;
    if inbound.kind == Kind::Own {
        return set_aside("own letter came back");
    }
    let on = on_ticket(s, mail).filter(|on| on.archived.is_none());
    let Some(on) = on else { return set_aside(inbound.kind.as_str()) };
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
    match &inbound.bounce {
        // Lost is lost, also when the next letter may fare better.
        Some(bounce) if inbound.kind == Kind::Bounce => {
            bounced(s, on, &mut draft, bounce, &mail.inbound.identity.hex()[..16])
        }
        _ => draft.record(What::Message, inbound.kind.as_str()),
    }
    draft.finish()
}

/// A program of an engineer's wrote on a ticket: kept where only engineers look.
pub fn overheard(s: &Situation, on: &Candidate, mail: &Mail, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
    draft.record(What::Message, mail.inbound.kind.as_str());
    draft.finish()
}

/// A bounce names the letter it is about inside the report, not in its own headers.
fn on_ticket<'a>(s: &'a Situation, mail: &Mail) -> Option<&'a Candidate> {
    let original = mail.inbound.bounce.as_ref().and_then(|b| b.original_message_id.as_ref());
    let known = original.and_then(|id| s.known_ids.iter().find(|k| k.id == *id && !k.only_cited));
    if let Some(known) = known {
        return s.candidates.iter().find(|c| c.named == known.number);
    }
    // A report may carry our whole letter, and with it anybody's reference: only proof of receipt counts here.
    match thread::find(&mail.inbound, s) {
        Thread::On(on, _) if mail.inbound.kind != Kind::Bounce => Some(on),
        _ => None,
    }
}

fn bounced(s: &Situation, on: &Candidate, draft: &mut Draft, bounce: &Bounce, cause: &str) {
    let reason = format!("{} {}", bounce.status, bounce.reason).trim().to_owned();
    draft.record(What::Undelivered, format!("{}: {reason}", bounce.recipient));
    let recipient = Address::parse(&bounce.recipient);
    // Whoever else a mailbox passes its mail on to: nothing goes to whom we wrote. What was never written there says
    // nothing, or anybody could silence anybody.
    let until = s.bounced.as_ref().filter(|_| bounce.permanent).and_then(|to| held::hold(draft, to, &reason));
    tell_undelivered(s, on, draft, s.bounced.as_ref().or(recipient.as_ref()), &bounce.recipient, &reason, until, cause);
}

/// A letter failed for good in the desk's own queue.
pub fn undelivered(
    s: &Situation,
    on: &Candidate,
    to: &Address,
    letter: &str,
    reason: &str,
    now: Timestamp,
) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    draft.record(What::Undelivered, format!("{to}: {reason}"));
    let until = if held::is_about_address(reason) { held::hold(&mut draft, to, reason) } else { None };
    // News about lost news would go in circles.
    if !letter.contains("/undelivered/") {
        tell_undelivered(s, on, &mut draft, Some(to), to.as_str(), reason, until, letter);
    }
    draft.finish()
}

/// To the assignee; when it is the assignee's mailbox that fails, to the supervisor (L22).
#[expect(clippy::too_many_arguments, reason = "two call sites; a struct would only rename them")]
fn tell_undelivered(
    s: &Situation,
    on: &Candidate,
    draft: &mut Draft,
    to: Option<&Address>,
    shown: &str,
    reason: &str,
    until: Option<Timestamp>,
    cause: &str,
) {
    if let Some(to) = to {
        escalation::pass_on(draft, to);
        approval::ask::unreached(draft, on, to);
    }
    let owner = draft.owner().filter(|o| Some(&o.mailbox.address) != to);
    let other = s.policy.supervisor(draft.now).filter(|o| Some(&o.mailbox.address) != to);
    let Some(reader) = owner.or(other) else { return };
    let (recipient, reason) = (shown.to_owned(), reason.chars().take(500).collect());
    let key = format!("{}-{cause}", on.ticket.cycle);
    draft.letter(reader, &key, Content::Undelivered { recipient, reason, until, waiting: false });
}

pub fn set_aside(reason: &str) -> Vec<Effect> {
    vec![Effect::SetAside { reason: reason.to_owned() }]
}

/// Larger than the desk takes: the bytes stay on the mail server, the sender is told once a day (S55, L12).
pub fn too_large(s: &Situation, mail: &Mail, limit: usize, now: Timestamp) -> Vec<Effect> {
    let mut effects = set_aside("over the size limit");
    let Some(from) = mail.inbound.from.clone() else { return effects };
    if hush::may_answer(&mail.inbound).is_err() || !intake::may_acknowledge(s, &mail.inbound) {
        return effects;
    }
    let day = now.at_zone(s.policy.desk.zone).format("%Y-%m-%d");
    let (language, zone) =
        (s.sender.as_ref().and_then(|p| p.language).unwrap_or(mail.inbound.language), s.policy.desk.zone);
    let letter = Letter {
        key: format!("too_large/{day}/{}", from.address.key()),
        to: Reader { mailbox: from, language, zone },
        ticket: None,
        content: Content::TooLarge { bytes: mail.inbound.size, limit },
        answers: mail.inbound.message_id.clone(),
        attachments: Vec::new(),
        with_first_files: false,
    };
    effects.push(Effect::Send(Box::new(letter)));
    effects
}

/// A timer fell due. One that no longer fits the ticket does nothing.
pub fn timer(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let ticket = &on.ticket;
    if ticket.cycle != timer.cycle || ticket.status != Status::Resolved {
        return Vec::new();
    }
    let mut draft = Draft::of(s.policy, ticket, Who::Desk, now);
    let (reader, cycle) = (draft.requester(), ticket.cycle.to_string());
    match timer.kind {
        TimerKind::ConfirmReminder => {
            let rest = s.policy.satisfaction.close_after.saturating_sub(s.policy.satisfaction.remind_after);
            let closes = draft.calendar().add_working(now, rest);
            let rating = links(s.policy, ticket, now);
            draft.record(What::Reminded, "");
            draft.letter(reader, &cycle, Content::ConfirmReminder { rating, closes });
        }
        TimerKind::AutoClose => {
            draft.become_status(Status::Closed, s.policy.desk.language.pick("没有答复", "no answer"));
            draft.letter(reader, &cycle, Content::Closed { closing: Closing::Silence });
        }
        // These have rules of their own.
        TimerKind::Targets
        | TimerKind::Progress
        | TimerKind::FollowUp
        | TimerKind::Hold
        | TimerKind::VisitReminder
        | TimerKind::VisitOver
        | TimerKind::ApprovalReminder
        | TimerKind::ApprovalSubstitute
        | TimerKind::ApprovalLimit
        | TimerKind::Knowledge
        | TimerKind::Archive
        | TimerKind::Review
        | TimerKind::Problem => {}
    }
    draft.finish()
}

/// The requester of an urgent ticket has heard nothing for a while: whoever has it is asked for a word, as often as it
/// takes. Before anybody answered at all the ladder speaks.
pub fn progress(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let ticket = &on.ticket;
    let every = s.policy.escalation.progress[ticket.priority as usize];
    let Some(every) = every.filter(|_| ticket.status.is_open() && ticket.cycle == timer.cycle) else {
        return Vec::new();
    };
    let mut draft = Draft::of(s.policy, ticket, Who::Desk, now);
    draft.schedule(TimerKind::Progress, now + every);
    if ticket.answered.is_some()
        && let Some(owner) = draft.owner()
    {
        let silent_since = last_word(s, on);
        draft.record(What::Reminded, "");
        let cause = format!("{}-{}", ticket.cycle, timer.due.millis());
        draft.letter(owner, &cause, Content::Progress { silent_since });
    }
    draft.finish()
}

/// When an engineer last told the requester something.
fn last_word(s: &Situation, on: &Candidate) -> Timestamp {
    let said = |entry: &&Entry| match &entry.who {
        Who::Person(who) => {
            s.policy.engineer(who).is_some() && matches!(entry.what, What::Message | What::Workaround | What::Solution)
        }
        Who::Desk => false,
    };
    let last = on.timeline.iter().rev().find(said).map(|entry| entry.at);
    last.or(on.ticket.answered).unwrap_or(on.ticket.created)
}
