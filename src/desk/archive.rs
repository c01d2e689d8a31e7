//! A ticket that has been closed for long is archived: nothing of it changes any more. Mail that belongs to it opens a
//! new ticket, orders are refused, and what only machines say is put aside. Its article may live on.

use crate::address::Mailbox;
use crate::desk::command::{self, Command, Hint, written};
use crate::desk::draft::Draft;
use crate::desk::engineer::{is_proven, transcript};
use crate::desk::event::{Candidate, Effect, Mail, Situation, Timer, TimerKind};
use crate::desk::intake;
use crate::desk::knowledge::learn;
use crate::desk::letter::TranscriptLine;
use crate::desk::machine::set_aside;
use crate::desk::policy::Engineer;
use crate::desk::requester::{self, first_line};
use crate::desk::review::Review;
use crate::desk::thread::By;
use crate::desk::ticket::{Entry, What, Who};
use crate::desk::words::Status;
use crate::time::Timestamp;
use std::time::Duration;

/// So long the archive waits for a review that is not finished, again and again.
const UNFINISHED: Duration = Duration::from_secs(7 * 86_400);

/// How engineers name the parts they put in, on a line of its own in a step or a solution: `备件：搓纸轮 RM2-5397`.
const PARTS_USED: [&str; 9] =
    ["备件", "更换备件", "使用备件", "配件", "更换配件", "更换部件", "parts", "parts used", "replaced"];
const MOST_PARTS: usize = 50;
const PART: usize = 200;

/// The parts that went into it, in the words of the engineers, each once.
pub fn parts_used(timeline: &[Entry]) -> Vec<String> {
    let told = |entry: &&Entry| matches!(entry.what, What::Step | What::Workaround | What::Solution | What::Note);
    let mut parts: Vec<String> = Vec::new();
    for line in timeline.iter().filter(told).flat_map(|entry| entry.why.lines()) {
        let Some((label, what)) = line.split_once([':', '：']) else { continue };
        let what: String = what.trim().chars().take(PART).collect();
        let named = PARTS_USED.contains(&label.trim().trim_start_matches(['-', '*', '·', ' ']).to_lowercase().as_str());
        if named && !what.is_empty() && !parts.contains(&what) && parts.len() < MOST_PARTS {
            parts.push(what);
        }
    }
    parts
}

/// The ticket has been closed for a while; was it reopened meanwhile, it has another timer.
pub fn timer(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp) -> Vec<Effect> {
    let closed = matches!(on.ticket.status, Status::Closed | Status::Cancelled);
    let (Some(after), true) = (s.policy.archive_after, closed && on.archived.is_none()) else { return Vec::new() };
    let due = on.ticket.closed.unwrap_or(on.ticket.updated) + after;
    // Its review is part of what is kept.
    if due <= now && on.reviews.iter().any(Review::is_open) {
        return vec![Effect::Schedule(Timer { kind: TimerKind::Archive, due: now + UNFINISHED, ..*timer })];
    }
    if due <= now {
        return vec![Effect::Archive(on.ticket.number)];
    }
    vec![Effect::Schedule(Timer { kind: TimerKind::Archive, due, ..*timer })]
}

/// A person's mail on an archived ticket.
pub fn mail(s: &Situation, on: &Candidate, by: By, mail: &Mail, from: &Mailbox, now: Timestamp) -> Vec<Effect> {
    let is_requester = on.ticket.requester.address == from.address;
    if s.policy.engineer(&from.address).is_some() && !mail.inbound.kind.is_human() {
        return set_aside("a program's mail on an archived ticket");
    }
    let engineer = s.policy.engineer(&from.address).filter(|_| !is_requester || !mail.inbound.commands.is_empty());
    match engineer {
        Some(engineer) => orders(s, on, by, mail, engineer, now),
        None if mail.inbound.calendar_reply.is_some() => set_aside("answer to an invitation of an archived ticket"),
        None if requester::wants_nothing(s, mail, from) => set_aside("thanks for an archived ticket"),
        None => intake::open(s, mail, from, Some(on.ticket.number), now),
    }
}

/// Only what is about its article is carried out.
fn orders(s: &Situation, on: &Candidate, by: By, mail: &Mail, engineer: &Engineer, now: Timestamp) -> Vec<Effect> {
    let inbound = &mail.inbound;
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(engineer.address().clone()), now);
    let commands: Vec<_> = inbound.commands.iter().map(command::read).collect();
    let article = match &commands[..] {
        [Ok(Command::Article(value))] if is_proven(s.policy, inbound, engineer, Some(by)) => Some(value),
        _ => None,
    };
    let words = &inbound.after_commands.text;
    let hint = match article {
        Some(value) => learn::order(&mut draft, on, engineer, value, words).err(),
        None => Some(Hint::Archived),
    };
    let mut effects = set_aside("for an archived ticket");
    if let Some(hint) = hint {
        draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
        let orders = inbound.commands.iter().map(written);
        let text = Some(first_line(&inbound.body.text)).filter(|_| inbound.commands.is_empty());
        let line = |line| TranscriptLine { line, done: false, hint: hint.clone() };
        let lines = orders.chain(text).map(line).collect();
        transcript(&mut draft, engineer, mail, lines, Some(inbound.body.clone()));
    }
    // Nothing of the ticket itself, whatever stands in the draft.
    let about_it = |effect: &Effect| !matches!(effect, Effect::Save(_) | Effect::Record(..) | Effect::Join { .. });
    effects.extend(draft.finish().into_iter().filter(about_it));
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_in_a_line_of_their_own() {
        let entry = |what, why: &str| Entry { at: Timestamp::default(), who: Who::Desk, what, why: why.into() };
        let timeline = [
            entry(What::Message, "备件：我猜是硒鼓"),
            entry(What::Step, "拆开看过\n 更换备件: 搓纸轮 RM2-5397 ×1\n换好后测试: 正常"),
            entry(What::Solution, "Works again.\n- Parts used: fuser 220 V\n备件：搓纸轮 RM2-5397 ×1\n备件："),
        ];
        assert_eq!(parts_used(&timeline), ["搓纸轮 RM2-5397 ×1", "fuser 220 V"]);
        assert_eq!(parts_used(&[entry(What::Note, &"parts: x\n".repeat(9))]), ["x"]);
        let many: String = (0..99).map(|n| format!("parts: {n}{}\n", "长".repeat(999))).collect();
        let parts = parts_used(&[entry(What::Note, &many)]);
        assert_eq!((parts.len(), parts[0].chars().count()), (MOST_PARTS, PART));
    }
}
