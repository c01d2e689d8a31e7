//! The escalation ladder: who is told while a target runs out (`design.md` section 1, `domain.md` 4.4).
//!
//! A ticket has one timer for both clocks, at the next rung that was not climbed yet. The ticket itself remembers how high
//! it climbed in this cycle, so that no rung is taken twice, whatever the clock of the machine does; rungs that were missed
//! while the desk was down are climbed at once, and a reader of several such tickets gets one letter for all
//! (`hardening.md` R19).

use crate::address::Address;
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation, Timer};
use crate::desk::letter::{ClockStep, Content, Letter, Step};
use crate::desk::policy::{Policy, Reader, Role, Rung};
use crate::desk::sla;
use crate::desk::team;
use crate::desk::ticket::{Ticket, Who};
use crate::desk::words::{Clock, Priority, Status};
use crate::time::{Calendar, Timestamp};
use std::time::Duration;

/// A rung climbed so much after its time is one that was missed: the desk was not running, or the clock jumped.
const LATE: Duration = Duration::from_secs(10 * 60);

/// When this ticket is to be looked at again for its targets; `None`: there is nothing left to tell.
pub fn next(policy: &Policy, ticket: &Ticket) -> Option<Timestamp> {
    let first = |clock| rungs_left(policy, ticket, clock).map(|(at, _)| at).next();
    Clock::ALL.iter().filter_map(|clock| first(*clock)).min()
}

/// The rungs that were not climbed in this cycle, with their times; none while the clock stands.
fn rungs_left<'p>(policy: &'p Policy, ticket: &Ticket, clock: Clock) -> impl Iterator<Item = (Timestamp, &'p Rung)> {
    let (priority, running) = (ticket.priority, is_running(ticket, clock));
    let (due, climbed) = standing(ticket, clock);
    let left = policy.escalation.ladder(priority, clock).iter().filter(move |rung| running && rung.percent > climbed);
    let calendar = policy.calendar_of(ticket);
    left.map(move |rung| (time_of(policy, calendar, priority, clock, due, rung.percent), rung))
}

/// A rung as it stands for a ticket, to be shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Planned {
    pub clock: Clock,
    pub percent: u32,
    pub at: Timestamp,
    pub to: Vec<Role>,
    pub climbed: bool,
    /// Its clock does not run: answered, solved or on hold.
    pub stands: bool,
}

/// The whole ladder of a ticket's present round, in the order of time.
pub fn plan(policy: &Policy, ticket: &Ticket) -> Vec<Planned> {
    let rungs = |clock: Clock| {
        let (due, climbed) = standing(ticket, clock);
        let stands = !is_running(ticket, clock);
        policy.escalation.ladder(ticket.priority, clock).iter().map(move |rung| {
            let at = time_of(policy, policy.calendar_of(ticket), ticket.priority, clock, due, rung.percent);
            Planned { clock, percent: rung.percent, at, to: rung.to.clone(), climbed: rung.percent <= climbed, stands }
        })
    };
    let mut plan: Vec<Planned> = Clock::ALL.iter().flat_map(|clock| rungs(*clock)).collect();
    plan.sort_by_key(|rung| rung.at);
    plan
}

/// When the clock's target ends, and how high its ladder was climbed.
fn standing(ticket: &Ticket, clock: Clock) -> (Timestamp, u32) {
    match clock {
        Clock::Response => (ticket.response_due, ticket.response_warned),
        Clock::Resolution => (ticket.resolution_due, ticket.resolution_warned),
    }
}

fn is_running(ticket: &Ticket, clock: Clock) -> bool {
    // The clocks of the leading ticket run for all reports of a fault.
    if ticket.parent.is_some() {
        return false;
    }
    match clock {
        Clock::Response => ticket.status.is_open() && ticket.answered.is_none(),
        Clock::Resolution => {
            ticket.status.is_open() && (ticket.status != Status::Pending || ticket.priority == Priority::P1)
        }
    }
}

/// Letters about targets in working time are for people at work.
fn time_of(
    policy: &Policy,
    calendar: &Calendar,
    priority: Priority,
    clock: Clock,
    due: Timestamp,
    percent: u32,
) -> Timestamp {
    let at = sla::used_up(&policy.targets, calendar, priority, clock, due, percent);
    if policy.targets.of(priority).working_time { calendar.next_working(at) } else { at }
}

/// Letters of one look at the timers.
#[derive(Default)]
pub struct Told(Vec<Telling>);

struct Telling {
    reader: Reader,
    role: Role,
    step: Step,
    ticket: Ticket,
    late: bool,
    stand_in: bool,
}

/// The timer of a ticket's targets fell due: every rung that is due is climbed; what is to be said goes to `told`.
pub fn climb(s: &Situation, on: &Candidate, timer: &Timer, now: Timestamp, told: &mut Told) -> Vec<Effect> {
    if (on.ticket.number, on.ticket.cycle) != (timer.number, timer.cycle) {
        return Vec::new();
    }
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let (mut clocks, mut roles, mut late) = (Vec::new(), Vec::new(), false);
    for clock in Clock::ALL.iter().copied() {
        let due: Vec<(Timestamp, &Rung)> =
            rungs_left(s.policy, &on.ticket, clock).take_while(|(at, _)| *at <= now).collect();
        let Some((at, highest)) = due.last() else { continue };
        late |= now.since(*at) > LATE;
        roles.extend(due.iter().flat_map(|(_, rung)| rung.to.iter().copied()));
        clocks.push((clock, highest.percent));
    }
    roles.sort_unstable();
    let readers = readers(&draft, &roles);
    for (clock, percent) in &clocks {
        let to = readers.iter().map(|(reader, _)| reader.mailbox.address.clone()).collect();
        draft.climbed(*clock, *percent, to);
    }
    let step = Step::new(&draft.ticket, s.policy, clocks);
    let nobody = s.policy.on_duty(now).filter(|on_duty| on_duty.stand_in).map(|on_duty| on_duty.reader);
    let telling = |(reader, role)| {
        let stand_in = nobody.as_ref() == Some(&reader);
        Telling { reader, role, step: step.clone(), ticket: draft.ticket.clone(), late, stand_in }
    };
    if !step.clocks.is_empty() {
        told.0.extend(readers.into_iter().map(telling));
    }
    draft.reschedule();
    draft.finish()
}

/// Everybody once, in the first of their roles.
fn readers(draft: &Draft, roles: &[Role]) -> Vec<(Reader, Role)> {
    let mut readers: Vec<(Reader, Role)> = Vec::new();
    for role in roles {
        let people: Vec<Reader> = match role {
            Role::Assignee => draft.owner().into_iter().collect(),
            Role::Supervisor => draft.policy.supervisor(draft.now).into_iter().collect(),
            Role::Managers => draft.policy.escalation.managers(draft.now).cloned().collect(),
        };
        for reader in people {
            if !readers.iter().any(|(known, _)| known.mailbox.address == reader.mailbox.address) {
                readers.push((reader, *role));
            }
        }
    }
    readers
}

/// A letter to this supervisor came back: the next in line hears how the ticket stands, once for each rung. Nothing when
/// nobody needed to hear of it.
pub fn pass_on(draft: &mut Draft, to: &Address) {
    let (policy, ticket) = (draft.policy, &draft.ticket);
    let Some(unreached) = policy.duty.supervisor(to) else { return };
    let climbed = |clock| (clock, standing(ticket, clock).1);
    let clocks: Vec<(Clock, u32)> = Clock::ALL.iter().map(|clock| climbed(*clock)).filter(|(_, p)| *p > 0).collect();
    let matters = !clocks.is_empty() || team::is_urgent(ticket.priority) || ticket.assignee.is_none();
    let mut managers = policy.escalation.managers(draft.now);
    let next = policy.duty.other_than(to, draft.now);
    let next = next.or_else(|| managers.find(|reader| reader.mailbox.address != *to).cloned());
    let Some(next) = next.filter(|_| matters && ticket.status.is_open()) else { return };
    let step = Step::new(ticket, policy, clocks);
    let cause = format!("{}-instead", step.mark(ticket.cycle));
    let instead_of = Some(unreached.reader.mailbox.called().to_owned());
    draft.letter(next, &cause, Content::Escalation { step, role: Role::Supervisor, stand_in: false, instead_of });
}

impl Told {
    /// A letter for each ticket; what comes late for several tickets of one reader is one letter.
    pub fn letters(self) -> Vec<Effect> {
        let mut letters = Vec::new();
        let (late, on_time): (Vec<Telling>, Vec<Telling>) = self.0.into_iter().partition(|telling| telling.late);
        let mut by_reader: Vec<Vec<Telling>> = Vec::new();
        for telling in late {
            let address = &telling.reader.mailbox.address;
            match by_reader.iter_mut().find(|group| group[0].reader.mailbox.address == *address) {
                Some(group) => group.push(telling),
                None => by_reader.push(vec![telling]),
            }
        }
        letters.extend(on_time.into_iter().map(about_one));
        for mut group in by_reader {
            letters.push(if group.len() > 1 { about_several(group) } else { about_one(group.remove(0)) });
        }
        letters.into_iter().map(|letter| Effect::Send(Box::new(letter))).collect()
    }
}

fn about_one(telling: Telling) -> Letter {
    let Telling { reader, role, step, ticket, stand_in, .. } = telling;
    let key = format!("{}/escalation/{}/{}", ticket.number, step.mark(ticket.cycle), reader.mailbox.address.key());
    letter(key, reader, Some(Box::new(ticket)), Content::Escalation { step, role, stand_in, instead_of: None })
}

/// The key names the first ticket's rung, which is climbed once only.
fn about_several(group: Vec<Telling>) -> Letter {
    let (reader, first) = (group[0].reader.clone(), &group[0]);
    let mark = first.step.mark(first.ticket.cycle);
    let key = format!("overdue/{}/{mark}/{}", first.ticket.number, reader.mailbox.address.key());
    let stand_in = group.iter().any(|telling| telling.stand_in);
    let steps = group.into_iter().map(|telling| telling.step).collect();
    letter(key, reader, None, Content::Overdue { steps, stand_in })
}

fn letter(key: String, to: Reader, ticket: Option<Box<Ticket>>, content: Content) -> Letter {
    Letter { key, to, ticket, content, answers: None, attachments: Vec::new(), with_first_files: false }
}

impl Step {
    fn new(ticket: &Ticket, policy: &Policy, clocks: Vec<(Clock, u32)>) -> Step {
        let engineer = ticket.assignee.as_ref().and_then(|address| policy.engineer(address));
        let clocks = clocks.into_iter().map(|(clock, percent)| ClockStep {
            clock,
            percent,
            due: standing(ticket, clock).0,
            breached: percent >= 100,
        });
        Step {
            number: ticket.number,
            subject: ticket.subject.clone(),
            requester: ticket.requester.called().to_owned(),
            priority: ticket.priority,
            engineer: engineer.map(|engineer| engineer.reader.mailbox.called().to_owned()),
            clocks: clocks.collect(),
        }
    }

    /// Names the rungs within the ticket's life.
    fn mark(&self, cycle: i64) -> String {
        let clocks: Vec<String> = self.clocks.iter().map(|step| format!("{}{}", step.clock, step.percent)).collect();
        format!("{cycle}-{}-{}", self.priority, clocks.join("-"))
    }
}
