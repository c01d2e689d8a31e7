//! Vendors (`design.md` section 1, stage 3): asked by letter for spare parts and support, at once for urgent hardware or by an
//! engineer's `#vendor`. A vendor sees their own conversation only; their answers are for the engineers.

use crate::address::{Address, Mailbox};
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Mail, Situation, Visibility};
use crate::desk::inbound::Body;
use crate::desk::letter::{Content, Letter, Writer};
use crate::desk::policy::{Policy, Reader};
use crate::desk::requester::{cause, first_line};
use crate::desk::team;
use crate::desk::ticket::{Ticket, What, Who};
use crate::desk::triage::fold;
use crate::desk::words::{Category, Status, Wait};
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    pub reader: Reader,
    /// What they are asked about.
    pub categories: Vec<Category>,
    /// Asked as soon as an urgent ticket of theirs is opened, without waiting for an engineer.
    pub at_once: bool,
}

impl Policy {
    pub fn vendor(&self, address: &Address) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.reader.mailbox.address == *address)
    }
}

/// By address or name, or by a part of the name that only one has; without a name the only one for this category.
pub fn find<'p>(policy: &'p Policy, name: &str, category: Category) -> Option<&'p Vendor> {
    let wanted = fold(name);
    let only = |test: &dyn Fn(&Vendor) -> bool| {
        let mut found = policy.vendors.iter().filter(|vendor| test(vendor));
        found.next().filter(|_| found.next().is_none())
    };
    if wanted.is_empty() {
        return only(&|vendor| vendor.categories.contains(&category));
    }
    let named = |vendor: &Vendor| fold(vendor.reader.mailbox.called());
    let address = |vendor: &Vendor| vendor.reader.mailbox.address.key() == wanted;
    only(&|vendor| address(vendor) || named(vendor) == wanted)
        .or_else(|| only(&|vendor| named(vendor).contains(&wanted)))
}

/// The one to be asked about a new ticket before anybody has looked at it.
pub fn at_once<'p>(policy: &'p Policy, ticket: &Ticket) -> Option<&'p Vendor> {
    let theirs = |vendor: &&Vendor| vendor.at_once && vendor.categories.contains(&ticket.category);
    policy.vendors.iter().find(theirs).filter(|_| team::is_urgent(ticket.priority) && ticket.parent.is_none())
}

/// Asks a vendor; `author` is the engineer who does, none when the desk does.
pub fn ask<'d>(
    draft: &'d mut Draft,
    vendor: &Vendor,
    author: Option<String>,
    body: Body,
    cause: &str,
) -> &'d mut Letter {
    let mailbox = &vendor.reader.mailbox;
    draft.record(What::VendorAsked { vendor: mailbox.called().to_owned() }, first_line(&body.text));
    draft.effect(Effect::Participants(draft.ticket.number, vec![mailbox.address.clone()]));
    draft.letter(vendor.reader.clone(), cause, Content::Vendor { author, body })
}

/// A vendor's answer: for whoever works on the ticket, never for the requester. What was waited for has come.
pub fn mail(s: &Situation, on: &Candidate, mail: &Mail, from: &Mailbox, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(from.address.clone()), now);
    draft.effect(Effect::Join { number: on.ticket.number, visibility: Visibility::Internal });
    draft.record(What::Message, first_line(&mail.inbound.body.text));
    if draft.ticket.status == Status::Pending && draft.ticket.wait == Some(Wait::Vendor) {
        draft.become_status(Status::InProgress, "");
    }
    let (attachments, kept) = draft.fitting(&mail.inbound.attachments);
    for reader in draft.circle() {
        let to_supervisor = s.policy.engineer(&reader.mailbox.address).is_none();
        let (author, address) = (from.called().to_owned(), from.address.clone());
        let (body, kept, writer) = (mail.inbound.body.clone(), kept.clone(), Writer::Vendor);
        let (outside, expiring) = (Vec::new(), mail.inbound.links_expire());
        let content = Content::Message { author, address, body, kept, writer, to_supervisor, outside, expiring };
        draft.letter(reader, &cause(mail), content).attachments = attachments.clone();
    }
    draft.finish()
}
