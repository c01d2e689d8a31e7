//! A ticket being worked on: changes and letters are collected and become effects all at once, or not at all.

use crate::address::{Address, Mailbox};
use crate::desk::approval::Approval;
use crate::desk::event::{Effect, Timer, TimerKind};
use crate::desk::inbound::{Attachment, Body, Inbound};
use crate::desk::letter::{Content, Letter, NoticeReason};
use crate::desk::outage::Affected;
use crate::desk::policy::{Policy, Reader};
use crate::desk::sla::{self, Pause};
use crate::desk::ticket::{Entry, Number, Report, Ticket, What, Who};
use crate::desk::words::{Category, Clock, Priority, Status, Wait};
use crate::desk::{copies, escalation, hush, incident, outage, pending, team};
use crate::time::{Calendar, Timestamp};
use std::sync::Arc;

/// A ticket and what is to happen to it.
pub struct Draft<'a> {
    pub policy: &'a Policy,
    pub ticket: Ticket,
    pub now: Timestamp,
    who: Who,
    /// Where the targets of the present round count from, and when it was on hold.
    start: Timestamp,
    pauses: Vec<Pause>,
    before: Option<Ticket>,
    entries: Vec<Entry>,
    letters: Vec<Letter>,
    others: Vec<Effect>,
    /// The confirmation is off: its timers are dropped.
    unschedule: bool,
    timers: Vec<Timer>,
    /// The timer of the targets is set anew whatever else changed: it is the one that fell due.
    reschedule: bool,
    progressed: bool,
    unwatched: bool,
    /// The approval as it is to be stored.
    approval: Option<Approval>,
    /// Departments of those who reported the same fault: as they were, and with the report that joins.
    affected: [Vec<String>; 2],
    /// Whom the mail that is dealt with went to directly.
    read: Vec<Address>,
}

impl<'a> Draft<'a> {
    /// Continues a stored ticket.
    pub fn of(policy: &'a Policy, ticket: &Ticket, who: Who, now: Timestamp) -> Draft<'a> {
        let resolution_due = sla::resolution_due(policy, ticket, now);
        let ticket = Ticket { resolution_due, ..ticket.clone() };
        Draft { before: Some(ticket.clone()), ..Draft::new(policy, ticket, who, now) }
    }

    /// Begins a new ticket.
    pub fn new(policy: &'a Policy, ticket: Ticket, who: Who, now: Timestamp) -> Draft<'a> {
        let (entries, letters, others, timers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (start, pauses, before) = (ticket.created, Vec::new(), None);
        let (unschedule, reschedule, progressed, unwatched) = (false, false, false, false);
        Draft {
            policy,
            ticket,
            now,
            who,
            start,
            pauses,
            before,
            entries,
            letters,
            others,
            unschedule,
            timers,
            reschedule,
            progressed,
            unwatched,
            approval: None,
            affected: Default::default(),
            read: Vec::new(),
        }
    }

    /// The approval changes with the ticket: its version guards both, see [`Ticket::version`].
    pub fn keep_approval(&mut self, approval: Approval) {
        self.approval = Some(approval);
    }

    /// What [`Draft::keep_approval`] was given.
    pub fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// Sets a timer of the present cycle.
    pub fn schedule(&mut self, kind: TimerKind, due: Timestamp) {
        self.timers.push(Timer { number: self.ticket.number, kind, due, cycle: self.ticket.cycle });
    }

    /// Whoever this mail went to directly hears nothing of it a second time.
    pub fn read_by(&mut self, inbound: &Inbound) {
        self.read = inbound.to.iter().chain(&inbound.cc).map(|person| person.address.clone()).collect();
    }

    /// These people are in copy from now on, as far as there is room, and those no longer.
    pub fn copy(&mut self, add: &[Mailbox], remove: &[Address]) {
        let before = self.ticket.copied.clone();
        self.ticket.copied.retain(|person| !remove.contains(&person.address));
        for person in add {
            let known = self.ticket.copied.iter().any(|known| known.address == person.address);
            if !known && self.ticket.copied.len() < copies::MOST {
                self.ticket.copied.push(person.clone());
            }
        }
        let beyond = |of: &[Mailbox], others: &[Mailbox]| {
            let new = of.iter().filter(|person| others.iter().all(|other| other.address != person.address));
            new.map(|person| person.address.clone()).collect::<Vec<_>>()
        };
        let (added, removed) = (beyond(&self.ticket.copied, &before), beyond(&before, &self.ticket.copied));
        if added.is_empty() && removed.is_empty() {
            return;
        }
        self.effect(Effect::Participants(self.ticket.number, added.clone()));
        self.record(What::Copied { added, removed }, "");
    }

    /// Gives these files to every letter of a template that is queued so far.
    pub fn attach_to(&mut self, template: &str, files: &[Arc<Attachment>]) {
        for letter in self.letters.iter_mut().filter(|letter| letter.content.template() == template) {
            letter.attachments = files.to_vec();
        }
    }

    /// Learns from the timeline what targets have to count from: needed before the priority may change.
    pub fn remember(&mut self, timeline: &[Entry]) {
        self.start = sla::round_start(&self.ticket, timeline);
        self.pauses = sla::pauses(timeline, self.start, self.now);
        self.affects(&incident::reports(timeline));
        self.affected[0] = self.affected[1].clone();
    }

    /// The reports that hang on it now.
    pub fn affects(&mut self, reports: &[&Report]) {
        self.affected[1] = reports.iter().map(|report| report.department.clone()).collect();
    }

    pub fn record(&mut self, what: What, why: impl Into<String>) {
        let why = why.into().chars().take(4000).collect();
        self.entries.push(Entry { at: self.now, who: self.who.clone(), what, why });
    }

    pub fn effect(&mut self, effect: Effect) {
        self.others.push(effect);
    }

    /// Whether the ticket may go to `to`; staying is allowed.
    pub fn may_become(&self, to: Status) -> bool {
        self.ticket.status == to || self.ticket.status.may_become(to)
    }

    /// Moves the ticket. The caller asked [`Draft::may_become`] where the move can be refused.
    pub fn become_status(&mut self, to: Status, why: impl Into<String>) {
        let from = self.ticket.status;
        if from == to {
            return;
        }
        debug_assert!(from.may_become(to), "{from} -> {to}");
        self.ticket.status = to;
        self.ticket.wait = None;
        self.ticket.resolved = if to == Status::Resolved { Some(self.now) } else { self.ticket.resolved };
        self.ticket.closed = matches!(to, Status::Closed | Status::Cancelled).then_some(self.now);
        self.unschedule |= from == Status::Resolved || self.ticket.closed.is_some();
        self.record(What::Status { from, to }, why);
        if to == Status::Resolved {
            self.await_confirmation();
        }
        if let Some(after) = self.policy.archive_after.filter(|_| self.ticket.closed.is_some()) {
            self.schedule(TimerKind::Archive, self.now + after);
        }
        // Whether it missed a target is seen when the timer falls due.
        if to == Status::Closed && self.policy.reviews.incidents && team::is_urgent(self.ticket.priority) {
            self.schedule(TimerKind::Review, self.now);
        }
        if to == Status::Closed && self.policy.knowledge.drafts && self.ticket.resolved.is_some() {
            self.schedule(TimerKind::Knowledge, self.now);
        }
    }

    pub fn wait_for(&mut self, wait: Wait, why: impl Into<String>) {
        if self.ticket.status == Status::Pending {
            self.ticket.wait = Some(wait);
            self.record(What::Status { from: Status::Pending, to: Status::Pending }, why);
            return;
        }
        self.become_status(Status::Pending, why);
        self.ticket.wait = Some(wait);
    }

    fn await_confirmation(&mut self) {
        self.ticket.asked = false;
        self.ticket.rating = None;
        let rules = &self.policy.satisfaction;
        let due = |after| self.calendar().add_working(self.now, after);
        let timer = |kind, due| Timer { number: self.ticket.number, kind, due, cycle: self.ticket.cycle };
        let timers = [
            timer(TimerKind::ConfirmReminder, due(rules.remind_after)),
            timer(TimerKind::AutoClose, due(rules.close_after)),
        ];
        self.unschedule = false;
        self.timers.extend(timers);
    }

    /// The working time of the requester's site.
    pub fn calendar(&self) -> &'a Calendar {
        self.policy.calendar_of(&self.ticket)
    }

    /// When a resolved ticket closes by itself.
    pub fn closes_at(&self) -> Timestamp {
        self.calendar().add_working(self.now, self.policy.satisfaction.close_after)
    }

    /// Back into work: a new cycle with fresh targets; the old one's links and timers are dead.
    pub fn reopen(&mut self, why: impl Into<String>) {
        self.keep_targets();
        self.ticket.cycle += 1;
        (self.ticket.asked, self.ticket.answered) = (false, None);
        // Whatever it hung on is over for it.
        incident::stand_alone(self);
        (self.ticket.response_warned, self.ticket.resolution_warned) = (0, 0);
        self.become_status(Status::InProgress, why);
        self.ticket.resolved = None;
        (self.start, self.pauses) = (self.now, Vec::new());
        self.set_targets();
    }

    /// A person gives the ticket to somebody.
    pub fn assign(&mut self, to: &Address) {
        self.give(Some(to), self.who.clone());
    }

    /// The desk itself chose whose it is.
    pub fn allot(&mut self, to: Option<&Address>) {
        self.give(to, Who::Desk);
    }

    fn give(&mut self, to: Option<&Address>, who: Who) {
        if self.ticket.assignee.as_ref() == to {
            return;
        }
        let from = std::mem::replace(&mut self.ticket.assignee, to.cloned());
        let what = What::Assigned { from, to: to.cloned() };
        self.entries.push(Entry { at: self.now, who, what, why: String::new() });
    }

    /// Changes the priority; targets count from where the round began (`domain.md` 4.4).
    pub fn prioritise(&mut self, to: Priority, why: impl Into<String>) {
        let from = std::mem::replace(&mut self.ticket.priority, to);
        if from == to {
            return;
        }
        self.keep_targets();
        self.set_targets();
        if to < from {
            // The ladder of the higher priority is another one.
            (self.ticket.response_warned, self.ticket.resolution_warned) = (0, 0);
        }
        self.record(What::Priority { from, to }, why);
    }

    /// Other targets take their place: the timeline keeps these (`domain.md` 4.4). A new ticket has kept none yet.
    fn keep_targets(&mut self) {
        if self.before.is_none() {
            return;
        }
        let Ticket { response_due, resolution_due, answered, resolved, .. } = self.ticket;
        let zone = self.policy.desk.zone;
        let time = |at: Timestamp| at.at_zone(zone).format("%Y-%m-%d %H:%M").to_string();
        let clock = |due, met: Option<Timestamp>| match met {
            Some(met) => format!("{} ✓ {}", time(due), time(met)),
            None => time(due),
        };
        let shown = format!("{}, {}", clock(response_due, answered), clock(resolution_due, resolved));
        self.record(What::Targets { response_due, resolution_due, answered, resolved }, shown);
    }

    fn set_targets(&mut self) {
        let (targets, calendar, priority) = (&self.policy.targets, self.calendar(), self.ticket.priority);
        let (response, resolution) = sla::due(targets, calendar, priority, self.start);
        let extend = |due, pause: &Pause| sla::extended(targets, calendar, priority, due, *pause);
        self.ticket.response_due = response;
        self.ticket.resolution_due = self.pauses.iter().fold(resolution, extend);
    }

    pub fn categorise(&mut self, to: Category) {
        let from = std::mem::replace(&mut self.ticket.category, to);
        if from != to {
            self.record(What::Category { from, to }, "");
        }
    }

    /// A person answered or accepted: the response clock stops, once in a round.
    pub fn respond(&mut self) {
        self.ticket.first_response.get_or_insert(self.now);
        self.ticket.answered.get_or_insert(self.now);
    }

    /// So much of a target is used up, and these people are told: a rung is climbed once in a cycle.
    pub fn climbed(&mut self, clock: Clock, percent: u32, to: Vec<Address>) {
        match clock {
            Clock::Response => self.ticket.response_warned = percent,
            Clock::Resolution => self.ticket.resolution_warned = percent,
        }
        self.record(What::Escalated { clock, percent, to }, "");
    }

    /// Nobody is rung for this ticket until somebody works on it.
    pub fn unwatched(&mut self) {
        self.unwatched = true;
    }

    /// The timer of the targets fell due and is used up.
    pub fn reschedule(&mut self) {
        self.reschedule = true;
    }

    /// The timer of the targets as the ticket now needs it; nothing when it stays as it is.
    fn targets_timer(&self) -> Option<Effect> {
        let unchanged = self.before.as_ref().is_some_and(|ticket| clocks(ticket) == clocks(&self.ticket));
        if self.unwatched || (unchanged && !self.reschedule) {
            return None;
        }
        let (number, kind, cycle) = (self.ticket.number, TimerKind::Targets, self.ticket.cycle);
        match escalation::next(self.policy, &self.ticket) {
            Some(due) => Some(Effect::Schedule(Timer { number, kind, due, cycle })),
            // The one that fell due is gone already, and a new ticket never had one.
            None => (self.before.is_some() && !self.reschedule).then_some(Effect::Unschedule(number, kind)),
        }
    }

    /// Queues a letter. `cause` makes its key: the same cause never sends twice to the same reader.
    pub fn letter(&mut self, to: Reader, cause: &str, content: Content) -> &mut Letter {
        self.push_letter(self.ticket.number, None, to, cause, content)
    }

    /// A letter about another ticket: its number, subject and reference stand in it.
    pub fn letter_about(&mut self, ticket: Ticket, to: Reader, cause: &str, content: Content) -> &mut Letter {
        self.push_letter(ticket.number, Some(Box::new(ticket)), to, cause, content)
    }

    fn push_letter(
        &mut self,
        number: Number,
        ticket: Option<Box<Ticket>>,
        to: Reader,
        cause: &str,
        content: Content,
    ) -> &mut Letter {
        let key = format!("{number}/{}/{cause}/{}", content.template(), to.mailbox.address.key());
        let (answers, attachments) = (None, Vec::new());
        self.letters.push(Letter { key, to, ticket, content, answers, attachments, with_first_files: false });
        self.letters.last_mut().expect("just pushed")
    }

    /// Drops what the policy would not send along; gives the names of what was kept back.
    pub fn fitting(&self, files: &[Arc<Attachment>]) -> (Vec<Arc<Attachment>>, Vec<String>) {
        let total: usize = files.iter().map(|f| f.bytes.len()).sum();
        if total <= self.policy.limits.relay_bytes {
            return (files.to_vec(), Vec::new());
        }
        let mut room = self.policy.limits.relay_bytes;
        let (mut sent, mut kept) = (Vec::new(), Vec::new());
        for file in files {
            if file.bytes.len() <= room {
                room -= file.bytes.len();
                sent.push(file.clone());
            } else {
                kept.push(file.name.clone());
            }
        }
        (sent, kept)
    }

    /// The letter of this mail to the engineer who has the ticket.
    pub fn letter_to_assignee(&mut self) -> Option<&mut Letter> {
        let assignee = self.ticket.assignee.clone()?;
        self.letters.iter_mut().find(|letter| letter.to.mailbox.address == assignee)
    }

    /// The author of a mail learns, once on a ticket, that these files were too large to go along.
    pub fn tell_kept(&mut self, author: Reader, names: Vec<String>) {
        if !names.is_empty() && !hush::nobody_reads(author.mailbox.address.local()) {
            let limit = self.policy.limits.relay_bytes;
            self.letter(author, "once", Content::FilesKept { names, limit });
        }
    }

    /// The requester as a reader of letters.
    pub fn requester(&self) -> Reader {
        let zone = self.policy.desk.zone;
        Reader { mailbox: self.ticket.requester.clone(), language: self.ticket.language, zone }
    }

    /// Whoever works on the ticket; nobody assigned: the supervisor.
    pub fn owner(&self) -> Option<Reader> {
        let assignee = self.ticket.assignee.as_ref().and_then(|a| self.policy.engineer(a));
        assignee.map(|e| e.reader.clone()).or_else(|| self.policy.supervisor(self.now))
    }

    /// Why its owner gets a ticket that needs somebody: it is theirs now, or nobody can be found.
    pub fn new_for_owner(&self) -> NoticeReason {
        match self.ticket.assignee {
            Some(_) => NoticeReason::New,
            None => {
                let stand_in = self.policy.on_duty(self.now).is_some_and(|on_duty| on_duty.stand_in);
                NoticeReason::Unassigned { stand_in }
            }
        }
    }

    /// Everybody who hears what is said on the ticket, see [`team::circle`].
    pub fn circle(&self) -> Vec<Reader> {
        team::circle(self.policy, &self.ticket, self.now)
    }

    /// Calls the team of an urgent ticket together: those whom `knows` does not name, with the requester's words.
    pub fn call_team(&mut self, cause: &str, body: &Body, knows: impl Fn(&Reader) -> bool) {
        let called = self.circle();
        for reader in called.into_iter().filter(|reader| !knows(reader)) {
            if self.has_notice(&reader) {
                continue;
            }
            let reason = team::call(self.policy, &self.ticket, &reader, self.now);
            let (missing, kept, warnings) = (Vec::new(), Vec::new(), Vec::new());
            let content = Content::Notice {
                reason,
                body: body.clone(),
                missing,
                may_belong_to: None,
                kept,
                warnings,
                similar: Vec::new(),
            };
            self.letter(reader, cause, content).with_first_files = true;
        }
    }

    /// This reader gets the ticket by a letter that is queued already.
    pub fn has_notice(&self, reader: &Reader) -> bool {
        let noticed = |letter: &Letter| matches!(letter.content, Content::Notice { .. });
        self.letters.iter().any(|l| l.to.mailbox.address == reader.mailbox.address && noticed(l))
    }

    /// The requester was told something by a person: the next progress is due later.
    pub fn told_requester(&mut self) {
        self.progressed = true;
    }

    /// The reminder of the next word to the requester, which urgent tickets have while they are worked on.
    fn progress_timer(&self) -> Option<Effect> {
        let every = |ticket: &Ticket| {
            let worked_on = ticket.status.is_open()
                && ticket.parent.is_none()
                && (ticket.status != Status::Pending || ticket.priority == Priority::P1);
            self.policy.escalation.progress[ticket.priority as usize].filter(|_| worked_on)
        };
        let (before, after) = (self.before.as_ref().and_then(every), every(&self.ticket));
        let (number, kind, cycle) = (self.ticket.number, TimerKind::Progress, self.ticket.cycle);
        match after {
            Some(every) if before != after || self.progressed => {
                Some(Effect::Schedule(Timer { number, kind, due: self.now + every, cycle }))
            }
            None if before.is_some() => Some(Effect::Unschedule(number, kind)),
            _ => None,
        }
    }

    /// The look at a ticket on hold: set when the hold begins, when it is for another reason, and when the requester was
    /// told something meanwhile.
    fn hold_timer(&self) -> Option<Effect> {
        let waits = |ticket: &Ticket| ticket.wait.filter(|_| ticket.status == Status::Pending);
        let (before, after) = (self.before.as_ref().and_then(waits), waits(&self.ticket));
        let (number, kind, cycle) = (self.ticket.number, TimerKind::Hold, self.ticket.cycle);
        match after {
            Some(wait) if before != after || self.progressed => Some(Effect::Schedule(Timer {
                number,
                kind,
                due: pending::first_look(self.policy, &self.ticket, wait, self.now),
                cycle,
            })),
            None if before.is_some() => Some(Effect::Unschedule(number, kind)),
            _ => None,
        }
    }

    /// Everything as effects: the ticket, its timeline, its letters.
    pub fn finish(mut self) -> Vec<Effect> {
        let number = self.ticket.number;
        let timers =
            self.targets_timer().into_iter().chain(self.progress_timer()).chain(self.hold_timer()).collect::<Vec<_>>();
        let [known, affected] = &self.affected;
        let before = self.before.as_ref().map(|ticket| Affected { ticket, departments: known });
        let after = Affected { ticket: &self.ticket, departments: affected };
        for (head, stage, content) in outage::news(self.policy, before, after, self.now) {
            let cause = format!("{}-{}-{}", self.ticket.cycle, self.ticket.version, stage.as_str());
            self.letter(head, &cause, content);
        }
        let copy = |letter: &Letter| copies::of_letter(self.policy, &self.ticket, &self.read, letter);
        let copies: Vec<Letter> = self.letters.iter().flat_map(copy).collect();
        self.letters.extend(copies);
        let mut effects = Vec::new();
        match &self.before {
            None => effects.push(Effect::Open(Box::new(self.ticket.clone()))),
            Some(before) if *before != self.ticket || self.approval.is_some() => {
                self.ticket.version += 1;
                self.ticket.updated = self.now;
                effects.push(Effect::Save(Box::new(self.ticket.clone())));
            }
            Some(_) => {}
        }
        effects.extend(self.entries.into_iter().map(|entry| Effect::Record(number, entry)));
        effects.extend(timers);
        effects.extend(self.approval.map(|approval| Effect::Approval(number, Box::new(approval))));
        effects.extend(self.others);
        if self.unschedule {
            effects.extend(TimerKind::CONFIRMATION.map(|kind| Effect::Unschedule(number, kind)));
        }
        effects.extend(self.timers.into_iter().map(Effect::Schedule));
        for mut letter in self.letters {
            letter.ticket.get_or_insert_with(|| Box::new(self.ticket.clone()));
            effects.push(Effect::Send(Box::new(letter)));
        }
        effects
    }
}

/// All that moves the timer of the targets.
fn clocks(ticket: &Ticket) -> impl PartialEq {
    let Ticket { priority, status, response_due, resolution_due, response_warned, resolution_warned, cycle, .. } =
        *ticket;
    let (responded, alone) = (ticket.answered.is_some(), ticket.parent.is_none());
    (priority, status, (responded, alone), response_due, resolution_due, response_warned, resolution_warned, cycle)
}
