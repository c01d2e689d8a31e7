//! The one decision: an event meets a situation, effects come out.

use crate::address::Mailbox;
use crate::desk::event::{Candidate, Effect, Event, Mail, SenderCounts, Situation, Timer, TimerKind, Visibility};
use crate::desk::inbound::{Inbound, Kind};
use crate::desk::knowledge::learn;
use crate::desk::thread::{self, Thread};
use crate::desk::ticket::{Number, What, Who};
use crate::desk::{
    approval, archive, behalf, draft::Draft, engineer, escalation, follow_up, handover, held, hush, intake, logo,
    machine, pending, requester, review, supervisor, vendor, visit,
};
use crate::time::Timestamp;

/// What is to be done about `event`. Pure: the same arguments always give the same effects.
pub fn decide(s: &Situation, event: &Event, now: Timestamp) -> Vec<Effect> {
    held::look_over(s, event, decide_event(s, event, now), now)
}

fn decide_event(s: &Situation, event: &Event, now: Timestamp) -> Vec<Effect> {
    // Of an archived ticket nothing changes.
    let candidate = |number: &Number| s.candidates.iter().find(|c| c.named == *number && c.archived.is_none());
    match event {
        Event::Mail(mail) => decide_mail(s, &logo::without(s, mail), now),
        Event::Rated { number, cycle, rating, comment } => {
            candidate(number).map_or_else(Vec::new, |on| requester::rated(s, on, *cycle, *rating, comment, now))
        }
        Event::Helped { number, article, helped } => {
            candidate(number).map_or_else(Vec::new, |on| learn::helped(s, on, *article, *helped, now))
        }
        Event::Due(timers) => due(s, timers, now),
        Event::Undelivered { number, to, letter, reason } => {
            candidate(number).map_or_else(Vec::new, |on| machine::undelivered(s, on, to, letter, reason, now))
        }
        Event::Absent { number, .. } => candidate(number).map_or_else(Vec::new, |on| handover::hand_over(s, on, now)),
        Event::Recurred(seen) => review::recur::look(s, seen, now),
        Event::CodeWanted { number, version, owner } => {
            let wanted = |on| approval::answer::code_wanted(s, on, *version, owner, now);
            candidate(number).map_or_else(Vec::new, wanted)
        }
        Event::CodeEntered { number, version, owner, approved, why, code } => {
            let entered = approval::answer::Entered { version: *version, owner, approved: *approved, why, code };
            candidate(number).map_or_else(Vec::new, |on| approval::answer::entered(s, on, &entered, now))
        }
    }
}

/// Timers in their order, then what the ladders have to tell.
fn due(s: &Situation, timers: &[Timer], now: Timestamp) -> Vec<Effect> {
    let (mut effects, mut told) = (Vec::new(), escalation::Told::default());
    for timer in timers {
        let Some(on) = s.candidates.iter().find(|c| c.named == timer.number) else { continue };
        // Its article may live on.
        if on.archived.is_some() && timer.kind != TimerKind::Knowledge {
            continue;
        }
        effects.extend(match timer.kind {
            TimerKind::Targets => escalation::climb(s, on, timer, now, &mut told),
            TimerKind::Hold => pending::timer(s, on, timer, now),
            TimerKind::Progress => machine::progress(s, on, timer, now),
            TimerKind::FollowUp => follow_up::timer(s, on, timer, now),
            TimerKind::VisitReminder | TimerKind::VisitOver => visit::timer(s, on, timer, now),
            TimerKind::ConfirmReminder | TimerKind::AutoClose => machine::timer(s, on, timer, now),
            TimerKind::Knowledge => learn::timer(s, on, now),
            TimerKind::Archive => archive::timer(s, on, timer, now),
            TimerKind::Review => review::follow_up::timer(s, on, timer.number, review::Kind::Incident, now),
            TimerKind::Problem => review::follow_up::timer(s, on, timer.number, review::Kind::Problem, now),
            TimerKind::ApprovalReminder | TimerKind::ApprovalSubstitute | TimerKind::ApprovalLimit => {
                approval::ask::timer(s, on, timer, now)
            }
        });
    }
    effects.extend(told.letters());
    effects
}

fn decide_mail(s: &Situation, mail: &Mail, now: Timestamp) -> Vec<Effect> {
    if let Some(kind) = hush::through_own_list(&s.policy.desk, &mail.inbound) {
        let mut direct = mail.clone();
        direct.inbound.kind = kind;
        return decide_mail(s, &direct, now);
    }
    let inbound = &mail.inbound;
    if matches!(
        inbound.kind,
        Kind::Own | Kind::Bounce | Kind::DeliveryReport | Kind::FeedbackReport | Kind::AutoReply | Kind::Receipt
    ) {
        return machine::mail(s, mail, now);
    }
    let Some(from) = &inbound.from else { return machine::set_aside("no single sender address") };
    if s.policy.desk.is_own(&from.address) {
        return machine::set_aside("sent from the desk's own address");
    }
    if inbound.hops > hush::MAX_HOPS {
        return machine::set_aside("mail loop: too many hops");
    }
    if let Some(limit) = mail.over_limit {
        return machine::too_large(s, mail, limit, now);
    }
    match thread::find(inbound, s) {
        Thread::On(on, by) if on.archived.is_some() => archive::mail(s, on, by, mail, from, now),
        Thread::On(on, by) => {
            visit::answered(s, on, mail, from, now).unwrap_or_else(|| on_ticket(s, on, by, mail, from, now))
        }
        // The answer to somebody else's invitation: no request, and nobody waits for an answer to it.
        Thread::New { .. } if inbound.calendar_reply.is_some() => machine::set_aside("answer to an unknown invitation"),
        Thread::New { related } => new_ticket(s, mail, from, related, now),
    }
}

fn on_ticket(
    s: &Situation,
    on: &Candidate,
    by: thread::By,
    mail: &Mail,
    from: &Mailbox,
    now: Timestamp,
) -> Vec<Effect> {
    if let Some(effects) = approval::answer::mail(s, on, by, mail, from, now) {
        return effects;
    }
    if let Some(effects) = review::answer::mail(s, on, by, mail, from, now) {
        return effects;
    }
    // Somebody who reported it from another of their addresses.
    let from = &own_other_address(s, on, from);
    let is_requester = on.ticket.requester.address == from.address;
    match s.policy.engineer(&from.address) {
        // An engineer with a broken printer is a requester like any other, unless they give orders or confirm them.
        Some(_) if is_requester && asks_nothing(s) && mail.inbound.commands.is_empty() => {
            requester::mail(s, on, by, mail, from, now)
        }
        // Their programs write too: what no person wrote is kept, and neither passed on nor obeyed.
        Some(_) if mail.inbound.kind == Kind::AutoGenerated => machine::overheard(s, on, mail, now),
        Some(engineer) => engineer::mail(s, on, by, mail, engineer, now),
        None if !is_requester && s.policy.vendor(&from.address).is_some() && on.is_participant(&from.address) => {
            vendor::mail(s, on, mail, from, now)
        }
        None => {
            let supervisor = s.policy.duty.supervisor(&from.address).filter(|_| !is_requester);
            let heard = supervisor.and_then(|who| supervisor::mail(s, on, by, mail, &who.reader, now));
            heard.unwrap_or_else(|| requester::mail(s, on, by, mail, from, now))
        }
    }
}

/// The mail answers no question that the desk asked its sender as an engineer.
fn asks_nothing(s: &Situation) -> bool {
    s.unconfirmed.is_none() && s.proposed.is_none()
}

/// The requester, when the directory says that this is another address of theirs.
fn own_other_address(s: &Situation, on: &Candidate, from: &Mailbox) -> Mailbox {
    let requester = &on.ticket.requester;
    let theirs =
        s.policy.directory.find(&from.address).is_some_and(|entry| entry.addresses.contains(&requester.address));
    let other = theirs && requester.address != from.address && s.policy.engineer(&from.address).is_none();
    if other { requester.clone() } else { from.clone() }
}

fn new_ticket(s: &Situation, mail: &Mail, from: &Mailbox, related: Option<Number>, now: Timestamp) -> Vec<Effect> {
    let most = s.policy.limits.tickets_per_hour;
    let flooded = |counts: &SenderCounts| {
        let newest = counts.newest.filter(|_| counts.tickets >= most);
        newest.and_then(|number| s.candidates.iter().find(|c| c.named == number))
    };
    if let Some(channel) = s.policy.channel(&from.address) {
        return match s.behalf.as_ref().and_then(|(_, counts)| flooded(counts)) {
            Some(on) => fold(s, on, mail, from, now),
            None => behalf::from_machine(s, mail, channel, related, now),
        };
    }
    let orders = |inbound: &Inbound| !inbound.commands.is_empty() || inbound.kind == Kind::Forward;
    if let Some(engineer) = s.policy.engineer(&from.address).filter(|_| orders(&mail.inbound)) {
        return engineer::new_mail(s, mail, engineer, related, now);
    }
    // One sender's flood is folded into the newest of their tickets (S50).
    match flooded(&s.counts) {
        Some(on) => fold(s, on, mail, from, now),
        None => intake::open(s, mail, from, related, now),
    }
}

fn fold(s: &Situation, on: &Candidate, mail: &Mail, from: &Mailbox, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(from.address.clone()), now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Public });
    draft.record(What::Message, format!("flood: {}", mail.inbound.subject));
    draft.finish()
}
