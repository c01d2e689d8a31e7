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

/// A ticket and the departments that have reported its fault besides its own.
#[derive(Clone, Copy)]
pub struct Affected<'a> {
    pub ticket: &'a Ticket,
    pub departments: &'a [String],
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Began => "began",
            Stage::Eased => "eased",
            Stage::Over => "over",
        }
    }
}

/// The module that is down: what an urgent ticket is about that leads.
fn module_down(ticket: &Ticket) -> Option<&str> {
    let down = team::is_urgent(ticket.priority) && ticket.status.is_open() && ticket.parent.is_none();
    ticket.fault.as_deref().filter(|_| down)
}

/// What the heads are to hear after this change; nobody is told what they know.
pub fn news(
    policy: &Policy,
    before: Option<Affected>,
    after: Affected,
    now: Timestamp,
) -> Vec<(Reader, Stage, Content)> {
    let was_down = before.and_then(|before| Some((before, module_down(before.ticket)?)));
    let ticket = after.ticket;
    let (stage, module, knew) = match (was_down, module_down(ticket)) {
        (None, Some(module)) => (Stage::Began, module, Vec::new()),
        (Some((before, known)), Some(module)) => (Stage::Began, module, heads(policy, before, known)),
        (Some((_, module)), None) if ticket.status.is_open() => (Stage::Eased, module, Vec::new()),
        (Some((_, module)), None) => (Stage::Over, module, Vec::new()),
        (None, None) => return Vec::new(),
    };
    let restored = (ticket.resolution_due > now).then_some(ticket.resolution_due);
    let news = |head: &Reader| (head.clone(), stage, Content::Outage { module: module.to_owned(), stage, restored });
    heads(policy, after, module).into_iter().filter(|head| !knew.contains(head)).map(news).collect()
}

/// The heads of the departments that cannot do without the module or have reported it, each once.
fn heads<'p>(policy: &'p Policy, affected: Affected, module: &str) -> Vec<&'p Reader> {
    let ticket = affected.ticket;
    let own = ticket.fields.get(&Field::Department);
    let reported: Vec<String> = affected.departments.iter().chain(own).map(|name| name.trim().to_lowercase()).collect();
    let lists = |department: &Department| department.modules.iter().any(|name| name == module);
    let known = policy.module(module).is_some() || policy.departments.iter().any(lists);
    let hit = |d: &&Department| reported.contains(&d.name.to_lowercase()) || lists(d);
    let mut heads: Vec<&Reader> = Vec::new();
    for department in policy.departments.iter().filter(hit).filter(|_| known && ticket.merged_into.is_none()) {
        if heads.iter().all(|head| head.mailbox.address != department.head.mailbox.address) {
            heads.push(&department.head);
        }
    }
    heads
}

/// The contingency plan of the module that is down; empty when there is none.
pub fn plan(policy: &Policy, ticket: &Ticket) -> String {
    let module = module_down(ticket).and_then(|name| policy.module(name));
    module.map(|module| module.plan.clone()).unwrap_or_default()
}
