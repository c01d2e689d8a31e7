//! People in copy. Colleagues whom a mail names beside the desk take part from then on; anybody else only when an engineer
//! says so with `#cc` (`hardening.md` S18, S19). They hear what the requester hears, in letters of their own: nothing of
//! what was said before, and no links to rate (S33). Whoever stood in a mail's own To or Cc has read it already.

use crate::address::{Address, Mailbox};
use crate::desk::command::fold;
use crate::desk::draft::Draft;
use crate::desk::event::Mail;
use crate::desk::hush::nobody_reads;
use crate::desk::inbound::{Body, Inbound};
use crate::desk::letter::{Closing, Content, CopyStage, Letter};
use crate::desk::policy::{Policy, Reader};
use crate::desk::requester::cause;
use crate::desk::ticket::Ticket;

/// People in copy of one ticket at most.
pub const MOST: usize = 20;

/// Whom a mail names beside the desk and everybody who is on the ticket anyway.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Colleagues: they join.
    pub inside: Vec<Mailbox>,
    /// Everybody else: an engineer has to say so.
    pub outside: Vec<Mailbox>,
}

/// Reads To and Cc. What is not written by a person, or comes through a list, names nobody.
pub fn named(policy: &Policy, inbound: &Inbound, ticket: &Ticket) -> Named {
    let mut named = Named::default();
    if !inbound.kind.is_human() || !inbound.lists.is_empty() {
        return named;
    }
    for person in inbound.to.iter().chain(&inbound.cc) {
        let address = &person.address;
        let author = inbound.from.as_ref().is_some_and(|from| from.address == *address);
        let listed = |people: &[Mailbox]| people.iter().any(|known| known.address == *address);
        if author || may_not_join(policy, ticket, address) || listed(&named.inside) || listed(&named.outside) {
            continue;
        }
        let side = if policy.desk.is_inside(address) { &mut named.inside } else { &mut named.outside };
        if side.len() < MOST {
            side.push(person.clone());
        }
    }
    named.inside.truncate(MOST.saturating_sub(ticket.copied.len()));
    named
}

/// The desk itself, whoever is on the ticket already, and mailboxes that nobody reads.
fn may_not_join(policy: &Policy, ticket: &Ticket, address: &Address) -> bool {
    let desk = &policy.desk;
    let staff = policy.engineer(address).is_some() || policy.duty.supervisor(address).is_some();
    desk.is_own(address)
        || desk.is_own_list(address.key())
        || staff
        || policy.vendor(address).is_some()
        || ticket.requester.address == *address
        || ticket.copied.iter().any(|known| known.address == *address)
        || nobody_reads(address.local())
}

/// What `#cc` orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub add: Vec<Address>,
    pub remove: Vec<Address>,
}

/// `a@corp.example b@corp.example -c@corp.example`; `None` when that is not what it is.
pub fn read(text: &str) -> Option<Change> {
    let text = fold(text);
    let words = text.split(|c: char| c.is_whitespace() || ",;、<>\"".contains(c)).filter(|word| !word.is_empty());
    let mut change = Change::default();
    for word in words {
        let (side, address) = match word.strip_prefix(['-', '−', '–']) {
            Some(address) => (&mut change.remove, address),
            None => (&mut change.add, word),
        };
        // A name beside its address.
        match Address::parse(address) {
            Some(address) if !side.contains(&address) => side.push(address),
            Some(_) => {}
            None if word.contains('@') => return None,
            None => {}
        }
    }
    let count = change.add.len() + change.remove.len();
    (1..=MOST).contains(&count).then_some(change)
}

/// What somebody in copy is told when the requester is told this; `None`: it is the requester's alone.
fn of(content: &Content) -> Option<Content> {
    let copied = |stage, author: &str, body: &Body, kept: &[String]| {
        Some(Content::Copied { stage, author: author.to_owned(), body: body.clone(), kept: kept.to_vec() })
    };
    match content {
        Content::Answer { author, body, kept } => copied(CopyStage::Answer, author, body, kept),
        Content::Workaround { author, body } => copied(CopyStage::Answer, author, body, &[]),
        Content::Visit { said: Some(said), .. } => copied(CopyStage::Answer, &said.author, &said.body, &[]),
        Content::Resolution { author, body, .. } => copied(CopyStage::Resolved, author, body, &[]),
        Content::Cancelled { author, body } => copied(CopyStage::Cancelled, author, body, &[]),
        Content::Closed { closing: Closing::ByEngineer { author, body } } => {
            copied(CopyStage::Closed, author, body, &[])
        }
        Content::Reopened { .. } => copied(CopyStage::Reopened, "", &Body::default(), &[]),
        _ => None,
    }
}

/// Copies of a letter to the requester, one for each person who has not `read` it otherwise.
pub fn of_letter(policy: &Policy, ticket: &Ticket, read: &[Address], letter: &Letter) -> Vec<Letter> {
    let about_it = letter.ticket.is_none() && letter.to.mailbox.address == ticket.requester.address;
    let Some(content) = of(&letter.content).filter(|_| about_it) else { return Vec::new() };
    let (number, own) = (format!("{}/", ticket.number), format!("/{}", ticket.requester.address.key()));
    let cause = letter.key.trim_start_matches(&number).trim_end_matches(&own);
    let copy = |person: &Mailbox| Letter {
        key: format!("{number}copied/{cause}/{}", person.address.key()),
        to: reader(policy, ticket, person),
        content: content.clone(),
        answers: None,
        ..letter.clone()
    };
    ticket.copied.iter().filter(|person| !read.contains(&person.address)).map(copy).collect()
}

/// What the requester, or somebody in copy, wrote to the desk: to all the others who have not read it.
pub fn pass_on(draft: &mut Draft, mail: &Mail, from: &Mailbox) {
    let (ticket, body) = (&draft.ticket, &mail.inbound.body);
    let others = ticket.copied.iter().chain([&ticket.requester]);
    let unread = |person: &&Mailbox| person.address != from.address && !has_read(&mail.inbound, &person.address);
    let heard = |person: &&Mailbox| !nobody_reads(person.address.local());
    let others: Vec<Reader> =
        others.filter(unread).filter(heard).map(|person| reader(draft.policy, ticket, person)).collect();
    let (attachments, kept) = draft.fitting(&mail.inbound.attachments);
    for other in others {
        let (author, body, kept) = (from.called().to_owned(), body.clone(), kept.clone());
        let content = Content::Copied { stage: CopyStage::Message, author, body, kept };
        draft.letter(other, &cause(mail), content).attachments = attachments.clone();
    }
}

/// Whether the mail went to them directly.
pub fn has_read(inbound: &Inbound, address: &Address) -> bool {
    inbound.to.iter().chain(&inbound.cc).any(|person| person.address == *address)
}

/// They read as the requester does; nothing else is known of them.
pub fn reader(policy: &Policy, ticket: &Ticket, person: &Mailbox) -> Reader {
    Reader { mailbox: person.clone(), language: ticket.language, zone: policy.desk.zone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_be_in_copy() {
        let check = |text: &str, add: &[&str], remove: &[&str]| {
            let addresses = |list: &[&str]| list.iter().map(|a| Address::parse(a).unwrap()).collect::<Vec<_>>();
            let change = Change { add: addresses(add), remove: addresses(remove) };
            assert_eq!(read(text), Some(change), "{text}");
        };
        check("a@b.example", &["a@b.example"], &[]);
        check("A@B.example，c@d.example", &["a@b.example", "c@d.example"], &[]);
        check(
            "王五 <wang@b.example>; li@b.example -zhao@b.example",
            &["wang@b.example", "li@b.example"],
            &["zhao@b.example"],
        );
        check("a@b.example a@b.example", &["a@b.example"], &[]);
        for bad in ["", "王五", "a@", "a@b.example x@y@z"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let many: String = (0..21).map(|n| format!("p{n}@b.example ")).collect();
        assert_eq!(read(&many), None);
    }
}
