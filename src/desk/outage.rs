//! A module is down (`design.md` section 1, stage 3): the team gets its contingency plan, and the heads of the departments
//! that need it are told, and told again when it is over.

use crate::desk::letter::Content;
use crate::desk::policy::{Policy, Reader};
use crate::desk::team;
use crate::desk::ticket::Ticket;
use crate::desk::words::Field;
use crate::time::Timestamp;
use serde::Serialize;

/// A department and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    pub name: String,
    pub head: Reader,
    /// The modules it cannot do without, by name.
    pub modules: Vec<String>,
}

/// How far the outage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Began,
    /// No longer urgent, but not over for everybody.
    Eased,
    Over,
}

/// The module that is down: what an urgent ticket is about that leads.
fn module_down(ticket: &Ticket) -> Option<&str> {
    let down = team::is_urgent(ticket.priority) && ticket.status.is_open() && ticket.parent.is_none();
    ticket.fault.as_deref().filter(|_| down)
}

/// What the heads are to hear after this change; nobody is told what they know.
pub fn news(policy: &Policy, before: Option<&Ticket>, after: &Ticket, now: Timestamp) -> Vec<(Reader, Content)> {
    let stage = match (before.and_then(module_down), module_down(after)) {
        (None, Some(_)) => Stage::Began,
        (Some(_), None) if after.status.is_open() => Stage::Eased,
        (Some(_), None) => Stage::Over,
        _ => return Vec::new(),
    };
    let Some(module) = before.and_then(module_down).or(module_down(after)) else { return Vec::new() };
    let own = after.fields.get(&Field::Department).map(|name| name.trim().to_lowercase());
    let needs = |department: &&Department| {
        let named = own.as_ref().is_some_and(|own| *own == department.name.to_lowercase());
        named || department.modules.iter().any(|name| name == module)
    };
    let known =
        policy.module(module).is_some() || policy.departments.iter().any(|d| d.modules.iter().any(|m| m == module));
    let heads = policy.departments.iter().filter(needs).filter(|_| known && after.merged_into.is_none());
    let mut told: Vec<(Reader, Content)> = Vec::new();
    for Department { head, .. } in heads {
        if told.iter().all(|(reader, _)| reader.mailbox.address != head.mailbox.address) {
            let restored = (after.resolution_due > now).then_some(after.resolution_due);
            told.push((head.clone(), Content::Outage { module: module.to_owned(), stage, restored }));
        }
    }
    told
}

/// The contingency plan of the module that is down; empty when there is none.
pub fn plan(policy: &Policy, ticket: &Ticket) -> String {
    let module = module_down(ticket).and_then(|name| policy.module(name));
    module.map(|module| module.plan.clone()).unwrap_or_default()
}
