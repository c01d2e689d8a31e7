//! Which ticket a message belongs to (`design.md` 5.4), in this order: a reference that only its sender was given,
//! a Message-ID the store knows, the subject tag from a participant, and for a reply that says nothing of what it answers the
//! only open ticket of its sender with this very subject (`domain.md` section 0). Anything else is a new ticket.

use crate::address::MessageId;
use crate::desk::event::{Candidate, KnownId, Situation};
use crate::desk::inbound::Inbound;
use crate::desk::link::own_message_id;
use crate::desk::ticket::Number;
use regex::Regex;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization as _;

/// Where a message belongs.
#[derive(Debug)]
pub enum Thread<'a> {
    On(&'a Candidate, By),
    /// A new ticket; `related` is the ticket its subject named without proof.
    New {
        related: Option<Number>,
    },
}

/// What tied the message to the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The reference or Message-ID that only this sender was sent: also proves who writes.
    Reference,
    /// In-Reply-To or References name a message of the ticket.
    KnownId,
    /// The ticket's number in the subject, from somebody who takes part or an engineer with orders; or its very subject, from
    /// its requester.
    Tag,
}

/// Finds the ticket among the situation's candidates.
pub fn find<'a>(inbound: &Inbound, situation: &'a Situation) -> Thread<'a> {
    let candidate = |number: Number| situation.candidates.iter().find(|c| c.named == number);
    if let Some(found) = by_reference(inbound, situation).and_then(candidate) {
        return Thread::On(found, By::Reference);
    }
    if let Some(found) = by_known_id(inbound, situation).and_then(candidate) {
        return Thread::On(found, By::KnownId);
    }
    if let Some(found) = by_invitation(inbound, situation) {
        return Thread::On(found, By::KnownId);
    }
    let tag = subject_tag(&inbound.subject);
    let sender = inbound.from.as_ref().map(|m| &m.address);
    if let (Some(found), Some(sender)) = (tag.and_then(candidate), sender)
        && (found.is_participant(sender) || gives_orders(inbound, situation))
    {
        return Thread::On(found, By::Tag);
    }
    if let Some(found) = situation.same_subject.filter(|_| tag.is_none()).and_then(candidate) {
        return Thread::On(found, By::Tag);
    }
    // A number that names no ticket at all is a slip or a forgery; it is not worth a note.
    Thread::New { related: tag.and_then(candidate).map(|c| c.ticket.number) }
}

/// An engineer's commands are about the ticket they name, and not a report of a new fault. Whether they are carried
/// out is a question of proof.
fn gives_orders(inbound: &Inbound, situation: &Situation) -> bool {
    let sender = inbound.from.as_ref().map(|m| &m.address);
    !inbound.commands.is_empty() && sender.is_some_and(|sender| situation.policy.engineer(sender).is_some())
}

fn by_reference(inbound: &Inbound, situation: &Situation) -> Option<Number> {
    let sender = &inbound.from.as_ref()?.address;
    let key = &situation.policy.key;
    let in_headers = replied_to(inbound).find_map(|id| key.check_message_id(id.as_str(), sender));
    in_headers.or_else(|| inbound.references_in_text.iter().find_map(|r| key.check_reference(r, sender)))
}

fn by_known_id(inbound: &Inbound, situation: &Situation) -> Option<Number> {
    let known = |id: &MessageId, cited_counts: &dyn Fn(Number) -> bool| {
        let mut rows = situation.known_ids.iter().filter(|k| k.id == *id);
        rows.find(|k| !k.only_cited || cited_counts(k.number)).map(|k| k.number)
    };
    // Replies that came before their original: the original's own id was cited (R26).
    if let Some(number) = inbound.message_id.as_ref().and_then(|id| known(id, &|_| true)) {
        return Some(number);
    }
    // An id that was only cited joins the same sender's mails, not everybody who answers one announcement.
    let sender = inbound.from.as_ref().map(|m| &m.address);
    let takes_part = |number: Number| {
        let candidate = situation.candidates.iter().find(|c| c.named == number);
        candidate.zip(sender).is_some_and(|(c, s)| c.is_participant(s))
    };
    replied_to(inbound).find_map(|id| known(id, &takes_part))
}

/// Calendar programs answer without In-Reply-To and under subjects of their own; they name the invitation, whose id
/// nobody can guess. Whose answer counts is another question, see [`crate::desk::visit::answered`].
fn by_invitation<'a>(inbound: &Inbound, situation: &'a Situation) -> Option<&'a Candidate> {
    let uid = &inbound.calendar_reply.as_ref()?.uid;
    let number = situation.policy.key.check_message_id(uid, &situation.policy.desk.address)?;
    situation.candidates.iter().find(|c| c.named == number)
}

/// The ids a message answers, the nearest first.
pub fn replied_to(inbound: &Inbound) -> impl Iterator<Item = &MessageId> {
    inbound.in_reply_to.iter().chain(inbound.references.iter().rev())
}

/// Every ticket number the message names, believed or not: what `flow` has to load. At most eight.
pub fn named(inbound: &Inbound) -> Vec<Number> {
    let mut numbers: Vec<Number> = Vec::new();
    let ids = replied_to(inbound).filter_map(|id| own_message_id(id.as_str()).map(|(number, _)| number));
    let invitation = inbound.calendar_reply.as_ref().and_then(|reply| own_message_id(&reply.uid));
    let invitation = invitation.map(|(number, _)| number);
    let references = inbound.references_in_text.iter().filter_map(|r| Number::parse(r.split_once('-')?.0));
    for number in ids.chain(references).chain(invitation).chain(subject_tag(&inbound.subject)) {
        if !numbers.contains(&number) && numbers.len() < 8 {
            numbers.push(number);
        }
    }
    numbers
}

/// The number in the subject's tag: `[IT001]`, also full-width or with blanks put in by a mail client.
pub fn subject_tag(subject: &str) -> Option<Number> {
    static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)[\[【]\s*(IT\s?\d{3,12})\s*[\]】]").expect("a valid pattern"));
    let folded: String = subject.nfkc().take(2000).collect();
    let tag = TAG.captures(&folded)?.get(1)?.as_str().replace(char::is_whitespace, "");
    Number::parse(&tag)
}

/// A reply whose program left out what it answers, or a provider changed it: only its subject can tell.
pub fn answers_by_subject(inbound: &Inbound, known_ids: &[KnownId]) -> Option<String> {
    static REPLY: LazyLock<Regex> = LazyLock::new(|| {
        let words = "re|回复|答复|回覆|回應|aw|sv|antw";
        Regex::new(&format!(r"(?i)^\s*(?:[\[【][^\]】]{{1,40}}[\]】]\s*)*(?:{words})\s*(?:[\[(]\d+[\])])?\s*[:：]"))
            .expect("a valid pattern")
    });
    let names_one =
        |id: &MessageId| known_ids.iter().any(|known| known.id == *id) || own_message_id(id.as_str()).is_some();
    let silent = inbound.references_in_text.is_empty() && !replied_to(inbound).any(names_one);
    let subject = plain_subject(&inbound.subject);
    let says_so = silent && subject_tag(&inbound.subject).is_none() && REPLY.is_match(&inbound.subject);
    (says_so && !subject.is_empty()).then_some(subject)
}

/// The subject without reply and forward prefixes and without tags: what a ticket is called.
pub fn plain_subject(subject: &str) -> String {
    static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
        let words = "re|回复|答复|回覆|回應|aw|sv|antw|fwd?|转发|轉寄|转寄|tr|wg|自动回复|自動回覆";
        let tags = r"\[\s*IT\s?\d{3,12}\s*\]|【\s*IT\s?\d{3,12}\s*】|[\[【](?:external|ext|外部|外部邮件)[\]】]";
        Regex::new(&format!(r"(?i)^\s*(?:(?:{words})\s*(?:[\[(]\d+[\])])?\s*[:：]|{tags})\s*"))
            .expect("a valid pattern")
    });
    let mut rest = subject.trim();
    for _ in 0..20 {
        match PREFIX.find(rest) {
            Some(found) if found.end() > 0 => rest = &rest[found.end()..],
            _ => break,
        }
    }
    rest.trim().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_as_mail_clients_leave_them() {
        for (subject, number) in [
            ("[IT001] 打印机", Some(1)),
            ("Re: [it012] VPN", Some(12)),
            ("回复：【IT003】打印机", Some(3)),
            ("答复: [ IT 004 ] x", Some(4)),
            ("［ＩＴ００５］ full-width", Some(5)),
            ("[P1] broken", None),
            ("IT001 without brackets", None),
            ("[IT1]", None),
        ] {
            assert_eq!(subject_tag(subject), number.map(Number), "{subject}");
        }
    }

    #[test]
    fn a_reply_may_say_only_by_its_subject_what_it_answers() {
        let found = |subject: &str, answers: &str| {
            let in_reply_to = MessageId::parse(answers).into_iter().collect();
            let inbound = Inbound { subject: subject.into(), in_reply_to, ..Inbound::unreadable(b"") };
            let id = MessageId::parse("known@corp.example").unwrap();
            answers_by_subject(&inbound, &[KnownId { id, number: Number(1), only_cited: false }])
        };
        for subject in ["Re: printer", "[External] RE: printer", "回复：printer", "答复: Re[2]: printer"] {
            assert_eq!(found(subject, "").as_deref(), Some("printer"), "{subject}");
        }
        // Rewritten by a provider: the id is nobody's.
        assert_eq!(found("Re: printer", "tencent_0A@qq.com").as_deref(), Some("printer"));
        for subject in ["printer", "Re: ", "Re: [IT001] printer", "Fwd: printer", "Reply: printer"] {
            assert_eq!(found(subject, ""), None, "{subject}");
        }
        let own = "it001.abcdefghijklmnop.0123456789abcdef@corp.example";
        assert_eq!((found("Re: printer", "known@corp.example"), found("Re: printer", own)), (None, None));
    }

    #[test]
    fn prefixes_fall_away() {
        for (subject, plain) in [
            ("RE: 答复: [IT001] 打印机坏了", "打印机坏了"),
            ("回复：Re：Fwd: Report", "Report"),
            ("Re[2]: Re(3): x", "x"),
            ("[External] RE: VPN", "VPN"),
            ("Reply: how", "Reply: how"),
            ("Re:", ""),
        ] {
            assert_eq!(plain_subject(subject), plain, "{subject}");
        }
    }
}
