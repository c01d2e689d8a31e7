//! The one decision: an event meets a situation, effects come out.

use crate::address::Mailbox;
use crate::desk::event::{Candidate, Effect, Event, Mail, Situation, Visibility};
use crate::desk::inbound::Kind;
use crate::desk::thread::{self, Thread};
use crate::desk::ticket::{Number, What, Who};
use crate::desk::{draft::Draft, engineer, hush, intake, machine, requester};
use crate::time::Timestamp;

/// What is to be done about `event`. Pure: the same arguments always give the same effects.
pub fn decide(s: &Situation, event: &Event, now: Timestamp) -> Vec<Effect> {
    let candidate = |number: &Number| s.candidates.iter().find(|c| c.named == *number);
    match event {
        Event::Mail(mail) => decide_mail(s, mail, now),
        Event::Rated { number, cycle, rating, comment } => {
            candidate(number).map_or_else(Vec::new, |on| requester::rated(s, on, *cycle, *rating, comment, now))
        }
        Event::Timer(timer) => candidate(&timer.number).map_or_else(Vec::new, |on| machine::timer(s, on, timer, now)),
        Event::Undelivered { number, to, letter, reason } => {
            candidate(number).map_or_else(Vec::new, |on| machine::undelivered(s, on, to, letter, reason, now))
        }
    }
}

fn decide_mail(s: &Situation, mail: &Mail, now: Timestamp) -> Vec<Effect> {
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
        Thread::On(on, by) => on_ticket(s, on, by, mail, from, now),
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
    match s.policy.engineer(&from.address) {
        // An engineer with a broken printer is a requester like any other, unless they give orders.
        Some(_) if on.ticket.requester.address == from.address && mail.inbound.commands.is_empty() => {
            requester::mail(s, on, mail, from, now)
        }
        Some(engineer) => engineer::mail(s, on, by, mail, engineer, now),
        None => requester::mail(s, on, mail, from, now),
    }
}

fn new_ticket(s: &Situation, mail: &Mail, from: &Mailbox, related: Option<Number>, now: Timestamp) -> Vec<Effect> {
    if let Some(engineer) = s.policy.engineer(&from.address).filter(|_| !mail.inbound.commands.is_empty()) {
        return engineer::new_mail(s, mail, engineer, related, now);
    }
    // One sender's flood is folded into the newest of their tickets (S50).
    let newest = s.counts.newest.filter(|_| s.counts.tickets >= s.policy.limits.tickets_per_hour);
    match newest.and_then(|number| s.candidates.iter().find(|c| c.named == number)) {
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
