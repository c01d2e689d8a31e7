//! Major incidents: several reports of one fault (`design.md` section 1). The first report leads; each later one is a ticket
//! of its own that hangs on it: acknowledged, but nobody is called again. What is said on the leading ticket, and how it
//! ends, goes to all who reported it.

use crate::address::MessageId;
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation};
use crate::desk::inbound::{Attachment, Body};
use crate::desk::letter::{Closing, Content};
use crate::desk::policy::Engineer;
use crate::desk::requester::links;
use crate::desk::ticket::{Report, Ticket, What, Who};
use crate::desk::words::{Field, Priority, Status};
use crate::time::Timestamp;
use std::sync::Arc;

/// Reports after which whoever leads is told again; the supervisor hears of the second of these only.
const TOLD_AT: [usize; 5] = [2, 3, 10, 30, 100];

/// Reports named in a letter at most.
const NAMED: usize = 20;

/// The leading ticket of the same fault, when there is one to hang on.
pub fn leading<'a>(s: &'a Situation) -> Option<&'a Candidate> {
    let number = s.incident?;
    let leads = |c: &&Candidate| c.ticket.number == number && c.ticket.parent.is_none() && c.ticket.status.is_open();
    s.candidates.iter().find(leads)
}

/// A new report hangs on `on`: it is counted there, and who must know is told.
pub fn join(s: &Situation, on: &Candidate, report: &Ticket, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    draft.remember(&on.timeline);
    let mut reports = reports(on);
    reports.push(Report::of(report));
    draft.record(What::Joined { report: Report::of(report) }, "");
    let departments = departments(&on.ticket, &reports);
    if departments >= s.policy.incident.departments && draft.ticket.priority > Priority::P1 {
        let before = draft.circle();
        draft.prioritise(Priority::P1, format!("{departments} departments"));
        draft.call_team(&format!("{}-p1", on.ticket.cycle), &on.description, |reader| before.contains(reader));
    }
    tell(s, &mut draft, &reports, departments);
    draft.finish()
}

fn tell(s: &Situation, draft: &mut Draft, reports: &[Report], departments: usize) {
    // The leading ticket is a report, too.
    let count = reports.len() + 1;
    let Some(step) = TOLD_AT.iter().position(|at| *at == count) else { return };
    let supervisor = if step == 1 { s.policy.supervisor(draft.now) } else { None };
    let mut readers: Vec<_> = draft.owner().into_iter().chain(supervisor).collect();
    readers.dedup();
    for reader in readers {
        let named = reports.iter().rev().take(NAMED).cloned().collect();
        let cause = format!("{}-{count}", draft.ticket.cycle);
        draft.letter(reader, &cause, Content::Incident { count, departments, reports: named });
    }
}

/// The reports that hang on this ticket, oldest first.
fn reports(on: &Candidate) -> Vec<Report> {
    let joined = on.timeline.iter().filter_map(|entry| match &entry.what {
        What::Joined { report } => Some(report.clone()),
        _ => None,
    });
    joined.collect()
}

/// How many departments are known to be hit.
fn departments(leading: &Ticket, reports: &[Report]) -> usize {
    let own = leading.fields.get(&Field::Department).cloned().unwrap_or_default();
    let all = reports.iter().map(|report| report.department.clone()).chain([own]);
    let mut all: Vec<String> =
        all.map(|department| department.trim().to_lowercase()).filter(|d| !d.is_empty()).collect();
    all.sort();
    all.dedup();
    all.len()
}

impl Report {
    pub fn of(ticket: &Ticket) -> Report {
        Report {
            number: ticket.number,
            requester: ticket.requester.called().to_owned(),
            department: ticket.fields.get(&Field::Department).cloned().unwrap_or_default(),
            subject: ticket.subject.clone(),
        }
    }
}

/// What an engineer told the requester of the leading ticket.
pub struct Said {
    pub content: Content,
    pub attachments: Vec<Arc<Attachment>>,
    /// Tells this mail from others.
    pub cause: String,
}

/// The same to everybody whose report hangs on it, each on their own ticket; and their tickets end with it.
pub fn pass_on(s: &Situation, on: &Candidate, said: &Said, engineer: &Engineer, now: Timestamp) -> Vec<Effect> {
    let open = on.reports.iter().filter(|report| report.status.is_open());
    open.flat_map(|report| pass_on_to(s, report, said, engineer, now)).collect()
}

fn pass_on_to(s: &Situation, report: &Ticket, said: &Said, engineer: &Engineer, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, report, Who::Person(engineer.address().clone()), now);
    let first_line = |body: &Body| body.text.lines().next().unwrap_or("").to_owned();
    let content = match &said.content {
        Content::Answer { body, .. } => {
            draft.record(What::Message, first_line(body));
            said.content.clone()
        }
        Content::Workaround { body, .. } => {
            draft.record(What::Workaround, body.text.clone());
            said.content.clone()
        }
        Content::Resolution { author, body, .. } => {
            draft.become_status(Status::Resolved, "");
            let (rating, closes) = (links(s.policy, &draft.ticket, now), draft.closes_at());
            Content::Resolution { author: author.clone(), body: body.clone(), rating, closes }
        }
        Content::Closed { closing: Closing::ByEngineer { .. } } => {
            draft.become_status(Status::Closed, "");
            said.content.clone()
        }
        Content::Cancelled { .. } => {
            draft.become_status(Status::Cancelled, "");
            said.content.clone()
        }
        _ => return Vec::new(),
    };
    draft.respond();
    let reader = draft.requester();
    let letter = draft.letter(reader, &said.cause, content);
    letter.attachments = said.attachments.clone();
    letter.answers = None::<MessageId>;
    draft.finish()
}

/// A report turns out to be about something else: it stands on its own, with a clock that runs from its arrival.
pub fn split(s: &Situation, report: &Ticket, who: &Engineer, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, report, Who::Person(who.address().clone()), now);
    stand_alone(&mut draft);
    draft.finish()
}

pub fn stand_alone(draft: &mut Draft) {
    let from = draft.ticket.parent.take();
    draft.ticket.fault = None;
    if let Some(from) = from {
        draft.record(What::Split { from }, "");
    }
}
