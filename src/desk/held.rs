//! Addresses a letter came back from. For some time nothing is sent there: the letters wait, whoever works on the ticket is
//! told so, and a sign of life from there sets them free (`hardening.md` L22, L23).

use crate::address::Address;
use crate::desk::draft::Draft;
use crate::desk::event::{Effect, Event, Situation};
use crate::desk::letter::{Content, Letter};
use crate::desk::policy::Reader;
use crate::desk::team;
use crate::desk::ticket::{Number, What, Who};
use crate::time::Timestamp;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// An address nothing is sent to for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub address: Address,
    /// When the latest letter came back.
    pub since: Timestamp,
    pub until: Timestamp,
    /// The words of the server.
    pub reason: String,
}

/// Those that are held now, by address.
pub type AllHeld = BTreeMap<Address, Held>;

/// What a server said to one of our letters: whether it is the address that cannot be reached, rather than this one letter that was not liked (RFC 3463: 5.3 system
/// and size, 5.6 content, 5.7 policy).
pub fn is_about_address(reason: &str) -> bool {
    static ENHANCED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?-u:\b)5\.([0-9]{1,3})\.[0-9]{1,3}(?-u:\b)").expect("a constant pattern"));
    static BASIC: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?-u:\b)5[0-9]{2}(?-u:\b)").expect("a constant pattern"));
    match ENHANCED.captures(reason).map(|found| found[1].to_owned()) {
        Some(subject) => !["3", "6", "7"].contains(&subject.as_str()),
        // 552 and 554 say too many things (RFC 5321 section 4.2.3).
        None => BASIC.find(reason).is_none_or(|code| !["552", "554"].contains(&code.as_str())),
    }
}

/// From now on nothing is sent there; gives until when.
pub fn hold(draft: &mut Draft, address: &Address, reason: &str) -> Option<Timestamp> {
    let pause = draft.policy.limits.bounce_pause;
    if pause.is_zero() {
        return None;
    }
    let (since, until) = (draft.now, draft.now + pause);
    let reason = reason.chars().take(500).collect();
    draft.effect(Effect::Hold(Held { address: address.clone(), since, until, reason }));
    Some(until)
}

/// Looks over what is about to be done: letters to held addresses wait.
pub fn look_over(s: &Situation, event: &Event, effects: Vec<Effect>, now: Timestamp) -> Vec<Effect> {
    let alive = sign_of_life(s, event);
    let mut out: Vec<Effect> = alive.iter().map(|address| Effect::Release((*address).clone())).collect();
    let held = |letter: &Letter| {
        let held = s.held.get(&letter.to.mailbox.address).filter(|held| held.until > now);
        held.filter(|held| alive != Some(&held.address) && !is_urgent_to_staff(s, letter))
    };
    let mut waiting: Vec<(Box<Letter>, &Held)> = Vec::new();
    for effect in effects {
        match effect {
            Effect::Send(letter) => match held(&letter) {
                Some(held) => {
                    out.push(Effect::SendLater(letter.clone(), held.until));
                    waiting.push((letter, held));
                }
                None => out.push(Effect::Send(letter)),
            },
            other => out.push(other),
        }
    }
    let mut told: Vec<(Number, &Address)> = Vec::new();
    for (letter, held) in waiting {
        let Some(ticket) = &letter.ticket else { continue };
        if !told.contains(&(ticket.number, &held.address)) {
            told.push((ticket.number, &held.address));
            out.extend(tell(s, &letter, held, now));
        }
    }
    out
}

/// Whoever writes can be written to.
fn sign_of_life<'a>(s: &Situation, event: &'a Event) -> Option<&'a Address> {
    let Event::Mail(mail) = event else { return None };
    let from = &mail.inbound.from.as_ref().filter(|_| mail.inbound.kind.is_human())?.address;
    s.held.contains_key(from).then_some(from)
}

/// One letter more that comes back is nothing against an emergency that nobody hears of.
fn is_urgent_to_staff(s: &Situation, letter: &Letter) -> bool {
    let urgent = letter.ticket.as_ref().is_some_and(|ticket| team::is_urgent(ticket.priority));
    let address = &letter.to.mailbox.address;
    let manager = || s.policy.escalation.managers.iter().any(|manager| manager.reader.mailbox.address == *address);
    urgent && (s.policy.engineer(address).is_some() || s.policy.duty.supervisor(address).is_some() || manager())
}

/// To whoever works on the ticket, or the supervisor; once for each time that the address is held.
fn tell(s: &Situation, letter: &Letter, held: &Held, now: Timestamp) -> Vec<Effect> {
    let Some(ticket) = &letter.ticket else { return Vec::new() };
    let mut draft = Draft::of(s.policy, ticket, Who::Desk, now);
    draft.record(What::Undelivered, format!("{}: held until {}", held.address, held.until.rfc3339()));
    let reachable = |reader: &Reader| s.held.get(&reader.mailbox.address).is_none_or(|held| held.until <= now);
    let reader = draft.owner().filter(&reachable).or_else(|| s.policy.supervisor(now).filter(&reachable));
    if let Some(reader) = reader {
        let content = Content::Undelivered {
            recipient: held.address.to_string(),
            reason: held.reason.clone(),
            until: Some(held.until),
            waiting: true,
        };
        draft.letter(reader, &format!("held-{}-{}", held.since.millis(), held.address.key()), content);
    }
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_the_address() {
        for reason in [
            "5.1.1 user unknown",
            "550 5.1.1 <zhang@corp.example>: Recipient address rejected",
            "5.2.1 mailbox disabled",
            "5.2.2 mailbox full",
            "550 no such user",
            "given up after five days: 451 try again",
            "",
            "5.4.4 unable to route",
        ] {
            assert!(is_about_address(reason), "{reason}");
        }
        for reason in ["5.7.1 spam", "552 5.3.4 message too big", "554 transaction failed", "552 size", "5.6.1 content"]
        {
            assert!(!is_about_address(reason), "{reason}");
        }
    }
}
