//! The team of an urgent ticket (`design.md` section 1, stage 3): the senior engineers with the skill and the supervisor on
//! duty. They are called together and hear everything that is said on the ticket, until it is solved.

use crate::desk::assign;
use crate::desk::letter::NoticeReason;
use crate::desk::outage;
use crate::desk::policy::{Policy, Reader};
use crate::desk::ticket::Ticket;
use crate::desk::words::Priority;
use crate::time::Timestamp;

/// Whether a team is called for tickets of this priority.
pub fn is_urgent(priority: Priority) -> bool {
    matches!(priority, Priority::P1 | Priority::P2)
}

/// Everybody who hears what is said on this ticket, each once: whoever has it, without anybody the supervisor, and on an
/// urgent one the whole team. Never the requester.
pub fn circle(policy: &Policy, ticket: &Ticket, now: Timestamp) -> Vec<Reader> {
    let assignee = ticket.assignee.as_ref().and_then(|address| policy.engineer(address));
    let owner = assignee.map(|engineer| engineer.reader.clone()).or_else(|| policy.supervisor(now));
    let urgent = is_urgent(ticket.priority) && ticket.status.is_open();
    let seniors = assign::seniors(policy, ticket.category, now).filter(|_| urgent);
    let seniors = seniors.map(|engineer| engineer.reader.clone());
    let supervisor = policy.supervisor(now).filter(|_| urgent);
    let mut circle: Vec<Reader> = Vec::new();
    for reader in owner.into_iter().chain(seniors).chain(supervisor) {
        let address = &reader.mailbox.address;
        if *address != ticket.requester.address && !circle.iter().any(|known| known.mailbox.address == *address) {
            circle.push(reader);
        }
    }
    circle
}

/// Why `reader` gets an urgent ticket, with everybody else who is called.
pub fn call(policy: &Policy, ticket: &Ticket, reader: &Reader, now: Timestamp) -> NoticeReason {
    let name = |reader: &Reader| reader.mailbox.called().to_owned();
    let assignee = ticket.assignee.as_ref().and_then(|address| policy.engineer(address));
    let lead = assignee.map(|engineer| name(&engineer.reader));
    let others = circle(policy, ticket, now);
    let team = others.iter().map(name).filter(|name| lead.as_ref() != Some(name)).collect();
    let address = &reader.mailbox.address;
    let on_duty = policy.on_duty(now).filter(|on_duty| on_duty.reader.mailbox.address == *address);
    let supervisor = policy.engineer(address).is_none();
    let (plan, stand_in) = (outage::plan(policy, ticket), on_duty.is_some_and(|on_duty| on_duty.stand_in));
    NoticeReason::Urgent { lead, team, plan, supervisor, stand_in }
}
