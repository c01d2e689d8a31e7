//! Major incidents: several reports of one fault (`design.md` section 1). The first report leads; each later one is a ticket
//! of its own that hangs on it: acknowledged, but nobody is called again. What is said on the leading ticket, and how it
//! ends, goes to all who reported it.

use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation};
use crate::desk::inbound::{Attachment, Body};
use crate::desk::letter::{Closing, Content};
use crate::desk::policy::Engineer;
use crate::desk::requester::links;
use crate::desk::team;
use crate::desk::ticket::{Entry, Number, Report, Ticket, What, Who};
use crate::desk::words::{Field, Priority, Status};
use crate::time::Timestamp;
use std::collections::HashSet;
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

/// A new report hangs on `on`: it is counted there, and who must know is told. A worse report makes the fault worse.
pub fn join(s: &Situation, on: &Candidate, report: &Ticket, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    draft.remember(&on.timeline);
    let (before, new) = (reports(&on.timeline), Report::of(report));
    let after = [before.as_slice(), &[&new]].concat();
    draft.record(What::Joined { report: new.clone() }, "");
    draft.affects(&after);
    let count = |reports: &[&Report]| departments(&on.ticket, reports);
    let enough = s.policy.incident.departments;
    if report.priority < draft.ticket.priority {
        raise(&mut draft, on, report.priority, report.number.to_string());
    }
    // Only the report that makes it enough: what an engineer decides afterwards stands.
    if count(&before) < enough && count(&after) >= enough && draft.ticket.priority > Priority::P1 {
        raise(&mut draft, on, Priority::P1, format!("{} departments", count(&after)));
    }
    tell(s, &mut draft, people(&on.ticket, &before), people(&on.ticket, &after), &after);
    draft.finish()
}

fn raise(draft: &mut Draft, on: &Candidate, to: Priority, why: String) {
    let known = draft.circle();
    draft.prioritise(to, why);
    if to == Priority::P1 && draft.ticket.status == Status::Pending {
        draft.become_status(Status::InProgress, "");
    }
    draft.call_team(&format!("{}-{}-{to}", on.ticket.cycle, on.ticket.version), &on.description, |reader| {
        known.contains(reader)
    });
    let called = draft.circle().into_iter().map(|reader| reader.mailbox.address).collect();
    draft.effect(Effect::Participants(on.ticket.number, called));
}

/// Whoever leads hears when so many people have reported it, the supervisor once.
fn tell(s: &Situation, draft: &mut Draft, before: usize, count: usize, reports: &[&Report]) {
    let Some(step) = TOLD_AT.iter().position(|at| before < *at && *at <= count) else { return };
    let supervisor = if step == 1 { s.policy.supervisor(draft.now) } else { None };
    let mut readers: Vec<_> = draft.owner().into_iter().chain(supervisor).collect();
    readers.dedup();
    let departments = departments(&draft.ticket, reports);
    for reader in readers {
        let named = reports.iter().rev().take(NAMED).map(|report| (*report).clone()).collect();
        let cause = format!("{}-{count}", draft.ticket.cycle);
        draft.letter(reader, &cause, Content::Incident { count, departments, reports: named });
    }
}

/// The reports that hang on this ticket, oldest first; those that were split off do not count.
pub fn reports(timeline: &[Entry]) -> Vec<&Report> {
    let (mut reports, mut decided) = (Vec::new(), HashSet::new());
    // From the newest back: what was last said of a report counts.
    for entry in timeline.iter().rev() {
        match &entry.what {
            What::Joined { report } if decided.insert(report.number) => reports.push(report),
            What::Left { number } => _ = decided.insert(*number),
            _ => {}
        }
    }
    reports.reverse();
    reports
}

/// How many people have reported it, whoever leads among them.
fn people(leading: &Ticket, reports: &[&Report]) -> usize {
    let mut people: Vec<&str> = reports.iter().map(|report| report.address.key()).collect();
    people.push(leading.requester.address.key());
    people.sort_unstable();
    people.dedup();
    people.len()
}

/// How many departments are known to be hit.
fn departments(leading: &Ticket, reports: &[&Report]) -> usize {
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
            address: ticket.requester.address.clone(),
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

/// What became of the leading ticket in one mail of an engineer's.
pub struct News<'a> {
    pub said: Option<&'a Said>,
    /// The leading ticket as it is now.
    pub leading: &'a Ticket,
    /// Reports that were split off by the same mail.
    pub gone: &'a [Number],
    pub engineer: &'a Engineer,
}

/// The same to everybody whose report hangs on it, each on their own ticket; and their tickets go the way of this one.
pub fn pass_on(s: &Situation, on: &Candidate, news: &News, now: Timestamp) -> Vec<Effect> {
    let reopened = !on.ticket.status.is_open() && news.leading.status.is_open();
    let concerned = |report: &&Ticket| {
        let follows = report.status.is_open() || (reopened && report.status == Status::Resolved);
        follows && !news.gone.contains(&report.number) && report.number != on.ticket.number
    };
    on.reports.iter().filter(concerned).flat_map(|report| pass_on_to(s, report, news, now)).collect()
}

fn pass_on_to(s: &Situation, report: &Ticket, news: &News, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, report, Who::Person(news.engineer.address().clone()), now);
    if !draft.ticket.status.is_open() {
        // It stays a report of the same fault.
        let parent = draft.ticket.parent.take();
        draft.reopen("");
        draft.ticket.parent = parent;
    }
    if let Some(target) = news.leading.merged_into {
        draft.ticket.parent = Some(target).filter(|target| *target != report.number);
    } else if let Some(lead) = &news.leading.assignee {
        draft.allot(Some(lead));
    }
    if let Some(said) = news.said {
        tell_reporter(s, &mut draft, said, news.leading);
    }
    draft.finish()
}

fn tell_reporter(s: &Situation, draft: &mut Draft, said: &Said, leading: &Ticket) {
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
            let (rating, closes) = (links(s.policy, &draft.ticket, draft.now), draft.closes_at());
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
        Content::Reopened { .. } => said.content.clone(),
        _ => return,
    };
    draft.respond();
    // Who reported it twice is told on the leading ticket.
    if draft.ticket.requester.address != leading.requester.address {
        let reader = draft.requester();
        draft.letter(reader, &said.cause, content).attachments = said.attachments.clone();
    }
}

/// A report turns out to be about something else: it stands on its own, with a clock that runs from its arrival, and whoever
/// has it gets the words it came with.
pub fn split(s: &Situation, report: &Ticket, words: &Body, who: Who, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, report, who, now);
    stand_alone(&mut draft);
    notify(&mut draft, words);
    draft.finish()
}

/// Whoever has the report now gets it as if it were new.
pub fn notify(draft: &mut Draft, words: &Body) {
    let cause = format!("{}-alone-{}", draft.ticket.cycle, draft.ticket.version);
    if team::is_urgent(draft.ticket.priority) && draft.ticket.assignee.is_some() {
        draft.call_team(&cause, words, |_| false);
        return;
    }
    let Some(owner) = draft.owner() else { return };
    let reason = draft.new_for_owner();
    let (missing, kept, warnings) = (Vec::new(), Vec::new(), Vec::new());
    let content = Content::Notice {
        reason,
        body: words.clone(),
        missing,
        may_belong_to: None,
        kept,
        warnings,
        similar: Vec::new(),
    };
    draft.letter(owner, &cause, content).with_first_files = true;
}

pub fn stand_alone(draft: &mut Draft) {
    let Some(from) = draft.ticket.parent.take() else { return };
    draft.ticket.fault = None;
    let number = draft.ticket.number;
    draft.record(What::Split { from }, "");
    let entry = Entry { at: draft.now, who: Who::Desk, what: What::Left { number }, why: String::new() };
    draft.effect(Effect::Record(from, entry));
}
