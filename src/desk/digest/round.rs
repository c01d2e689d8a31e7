//! One time a ticket was worked on, from its arrival or its reopening to its resolution and end: all that reports need.
//!
//! Whatever happened is read from the timeline; targets of a round that is over are counted again from today's
//! configuration, those of the last one are the promised ones.

use crate::address::Address;
use crate::desk::approval::{Approval, State};
use crate::desk::policy::{Policy, Targets};
use crate::desk::sla::{self, Pause};
use crate::desk::ticket::{Entry, Number, Ticket, What, Who};
use crate::desk::words::{Category, Field, Priority, Rating, Status, Wait};
use crate::time::{Calendar, Timestamp};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// See the module. All times are instants, all durations whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    pub number: Number,
    /// Counted from 1, in the order of the timeline.
    pub cycle: u32,
    /// Arrival of the ticket.
    pub created: Timestamp,
    /// That, or the reopening.
    pub began: Timestamp,
    pub origin: Origin,
    /// From the resolution before to the reopening; `None` when there was none.
    pub relapse: Option<u32>,
    pub priority: Priority,
    /// What the desk gave it before a person changed it.
    pub first_priority: Priority,
    pub category: Category,
    /// What the desk gave it before a person changed it.
    pub first_category: Category,
    /// As the requester wrote it; empty when unknown.
    pub department: String,
    /// Stands for the requester, whose address reports do not need.
    pub requester: u64,
    /// The strongest word of the fault; empty when none was found.
    pub topic: String,
    /// Hangs on the report of the same fault that leads.
    pub is_report: bool,
    /// How many reports of the same fault hang on it.
    pub reports: u32,
    /// The person who has it, or had it when the round ended; empty: nobody.
    pub assignee: String,
    /// How often it was given from one person to another.
    pub handovers: u32,
    /// Whoever had it first was the one who resolved it.
    pub by_first: bool,
    /// Answers of engineers to the requester until the resolution, which is one of them when it came with words.
    pub answers: u32,
    /// It went to a more senior engineer or to a vendor.
    pub functional: bool,
    /// Somebody besides its engineer was told that a target runs out.
    pub hierarchic: bool,
    pub response_due: Timestamp,
    /// First human answer or accepted assignment; of the first round only.
    pub responded: Option<Timestamp>,
    /// From arrival to response, in the clock of the target.
    pub response_took: Option<u32>,
    /// While it is on hold: where it stood at `updated`.
    pub resolution_due: Timestamp,
    pub resolved: Option<Timestamp>,
    /// On hold until the resolution, round the clock; 0 for P1.
    pub paused: u32,
    /// From the beginning to the resolution without the time on hold, in the clock of the target.
    pub took: Option<u32>,
    pub ended: Option<Timestamp>,
    pub ending: Ending,
    /// When it was reopened after this round.
    pub reopened: Option<Timestamp>,
    pub rating: Option<Rating>,
    pub rated: Option<Timestamp>,
    /// After 不满意: when an engineer first did something, and by when it should have been.
    pub followed: Option<Timestamp>,
    pub follow_due: Option<Timestamp>,
    /// What most probably made it miss its target, if it did.
    pub reason: Reason,
    /// The ticket's approval was asked and decided.
    pub approval_asked: Option<Timestamp>,
    pub approval_decided: Option<Timestamp>,
    pub status: Status,
    pub wait: Option<Wait>,
    /// The last change.
    pub updated: Timestamp,
}

/// Declares a closed list of words with the name it is stored under.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $key:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $key,)* } }
            fn parse(text: &str) -> Option<$name> { match text { $($key => Some($name::$variant),)* _ => None } }
        }
    };
}

words! {
    /// How a round began.
    Origin {
        Opened = "opened";
        /// Reopened while it waited for its confirmation.
        Unconfirmed = "unconfirmed";
        /// Reopened after it was closed or cancelled.
        Closed = "closed";
    }
}

words! {
    /// How a round ended.
    Ending {
        Open = "open";
        Closed = "closed";
        /// Withdrawn, spam, or merged into another ticket.
        Cancelled = "cancelled";
        /// Reopened while it waited for its confirmation.
        Reopened = "reopened";
    }
}

words! {
    /// Why a target was missed, as far as the history tells (`domain.md` 6.3, part 7).
    Reason {
        None = "";
        Vendor = "vendor";
        Approval = "approval";
        /// Category or priority had to be corrected, or it had three owners.
        Sorting = "sorting";
        /// It was on hold, mostly for the requester.
        Requester = "requester";
        /// None of these: nobody had the time.
        Staffing = "staffing";
    }
}

/// What happened to a ticket, besides its row.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub timeline: Vec<Entry>,
    /// Round as the ticket counts them, judgement, when.
    pub ratings: Vec<(i64, Rating, Timestamp)>,
    pub approval: Option<Approval>,
}

/// Boils a ticket down to its rounds, oldest first.
pub fn rounds(policy: &Policy, ticket: &Ticket, past: &Past) -> Vec<Round> {
    let mut reader = Reader::new(policy, ticket, past);
    for entry in &past.timeline {
        reader.read(entry);
    }
    let mut rounds = reader.finish();
    if let Some(asked) = &past.approval {
        // Of the round it was asked in: reopening does not carry it into another month.
        let of = rounds.iter().rposition(|round| round.began <= asked.since).unwrap_or(0);
        if let Some(round) = rounds.get_mut(of) {
            round.approval_asked = Some(asked.since);
            round.approval_decided = asked.decided.filter(|_| matches!(asked.state, State::Approved | State::Rejected));
        }
    }
    rounds
}

/// A round under construction and what is only needed meanwhile.
struct Draft {
    round: Round,
    first: Option<Address>,
    has: Option<Address>,
    pauses: Vec<Pause>,
    on_hold: Option<Timestamp>,
    corrected: bool,
    vendor: bool,
    approval: bool,
}

struct Reader<'a> {
    policy: &'a Policy,
    ticket: &'a Ticket,
    past: &'a Past,
    /// Engineers of today, and whoever had the ticket.
    staff: HashSet<&'a Address>,
    done: Vec<Draft>,
    now: Draft,
}

impl<'a> Reader<'a> {
    fn new(policy: &'a Policy, ticket: &'a Ticket, past: &'a Past) -> Reader<'a> {
        let had = past.timeline.iter().filter_map(|entry| match &entry.what {
            What::Assigned { to, .. } => to.as_ref(),
            _ => None,
        });
        let staff = policy.engineers.iter().map(|engineer| engineer.address()).chain(had).collect();
        let by_person = |entry: &&Entry| entry.who != Who::Desk;
        let first_priority = past.timeline.iter().filter(by_person).find_map(|entry| match entry.what {
            What::Priority { from, .. } => Some(from),
            _ => None,
        });
        let first_category = past.timeline.iter().filter(by_person).find_map(|entry| match entry.what {
            What::Category { from, .. } => Some(from),
            _ => None,
        });
        // What the ticket came with, before anybody at all changed it.
        let came_as = past.timeline.iter().find_map(|entry| match entry.what {
            What::Priority { from, .. } => Some(from),
            _ => None,
        });
        let words = |field| ticket.fields.get(&field).map_or("", |text| text.trim());
        let round = Round {
            number: ticket.number,
            cycle: 1,
            created: ticket.created,
            began: ticket.created,
            origin: Origin::Opened,
            relapse: None,
            priority: came_as.unwrap_or(ticket.priority),
            first_priority: first_priority.unwrap_or(ticket.priority),
            category: ticket.category,
            first_category: first_category.unwrap_or(ticket.category),
            department: short(words(Field::Department)),
            requester: pseudonym(ticket.requester.address.key()),
            topic: topic(ticket),
            is_report: ticket.parent.is_some(),
            reports: 0,
            assignee: String::new(),
            handovers: 0,
            by_first: false,
            answers: 0,
            functional: false,
            hierarchic: false,
            response_due: ticket.response_due,
            responded: ticket.first_response,
            response_took: None,
            resolution_due: ticket.resolution_due,
            resolved: None,
            paused: 0,
            took: None,
            ended: None,
            ending: Ending::Open,
            reopened: None,
            rating: None,
            rated: None,
            followed: None,
            follow_due: None,
            reason: Reason::None,
            approval_asked: None,
            approval_decided: None,
            status: ticket.status,
            wait: ticket.wait,
            updated: ticket.updated,
        };
        Reader { policy, ticket, past, staff, done: Vec::new(), now: Draft::new(round, None) }
    }

    fn is_staff(&self, who: &Who) -> bool {
        match who {
            Who::Person(person) => *person != self.ticket.requester.address && self.staff.contains(person),
            Who::Desk => false,
        }
    }

    fn read(&mut self, entry: &Entry) {
        let by_staff = self.is_staff(&entry.who);
        if by_staff && let Some(before) = self.done.last_mut() {
            before.round.followed.get_or_insert(entry.at);
        }
        let now = &mut self.now;
        match &entry.what {
            What::Status { from, to } => self.moved(*from, *to, entry),
            What::Assigned { to, .. } => self.given(to.as_ref()),
            What::Priority { to, .. } => {
                now.round.priority = *to;
                now.corrected |= entry.who != Who::Desk;
            }
            What::Category { .. } => now.corrected |= entry.who != Who::Desk,
            What::Message | What::Workaround if by_staff && now.round.resolved.is_none() => now.round.answers += 1,
            What::Escalated { to, .. } => {
                now.round.hierarchic |= to.iter().any(|told| Some(told) != now.has.as_ref());
            }
            What::VendorAsked { .. } => (now.vendor, now.round.functional) = (true, true),
            What::ApprovalAsked { .. } => now.approval = true,
            What::Joined { .. } => now.round.reports += 1,
            What::Left { .. } => now.round.reports = now.round.reports.saturating_sub(1),
            What::Rated { rating } if *rating != Rating::Dissatisfied => self.take_back(),
            _ => {}
        }
    }

    /// 不满意 was a slip: what it reopened was never a round.
    fn take_back(&mut self) {
        let is_slip = self.now.round.origin == Origin::Unconfirmed && self.now.round.resolved.is_none();
        if let Some(before) = is_slip.then(|| self.done.pop()).flatten() {
            self.now = before;
            (self.now.round.ended, self.now.round.ending, self.now.round.reopened) = (None, Ending::Open, None);
        }
    }

    fn moved(&mut self, from: Status, to: Status, entry: &Entry) {
        if !from.is_open() && to.is_open() {
            return self.reopen(from, entry.at);
        }
        let by_person = entry.who != Who::Desk;
        let now = &mut self.now;
        if to == Status::Pending {
            now.on_hold.get_or_insert(entry.at);
        } else if let Some(since) = now.on_hold.take() {
            now.pauses.push((since, entry.at));
        }
        match to {
            Status::Resolved => now.round.resolved = Some(entry.at),
            Status::Closed => {
                // An engineer who closes without further ado has resolved it; silence has not.
                if now.round.resolved.is_none() && by_person {
                    now.round.resolved = Some(entry.at);
                }
                (now.round.ended, now.round.ending) = (Some(entry.at), Ending::Closed);
            }
            Status::Cancelled => (now.round.ended, now.round.ending) = (Some(entry.at), Ending::Cancelled),
            _ => {}
        }
    }

    fn reopen(&mut self, from: Status, at: Timestamp) {
        let old = &mut self.now.round;
        old.reopened = Some(at);
        let origin = if from == Status::Resolved { Origin::Unconfirmed } else { Origin::Closed };
        if origin == Origin::Unconfirmed {
            (old.ended, old.ending) = (Some(at), Ending::Reopened);
        }
        let round = Round {
            cycle: old.cycle + 1,
            began: at,
            origin,
            relapse: old.resolved.map(|resolved| seconds(at.since(resolved))),
            reports: 0,
            handovers: 0,
            answers: 0,
            functional: false,
            hierarchic: false,
            responded: None,
            resolved: None,
            ended: None,
            ending: Ending::Open,
            reopened: None,
            followed: None,
            ..old.clone()
        };
        let next = Draft::new(round, self.now.has.clone());
        self.done.push(std::mem::replace(&mut self.now, next));
    }

    fn given(&mut self, to: Option<&Address>) {
        let level = |who: Option<&Address>| who.and_then(|who| self.policy.engineer(who)).map(|e| e.level);
        let now = &mut self.now;
        if now.has.is_some() && to.is_some() {
            now.round.handovers += 1;
            now.round.functional |= level(to) > level(now.has.as_ref());
        }
        if now.first.is_none() {
            now.first = to.cloned();
        }
        now.has = to.cloned();
    }

    fn finish(mut self) -> Vec<Round> {
        let last = self.done.len();
        self.done.push(self.now);
        let (policy, ticket, past) = (self.policy, self.ticket, self.past);
        let close = |(at, draft): (usize, Draft)| draft.finish(policy, ticket, past, at == last);
        self.done.into_iter().enumerate().map(close).collect()
    }
}

impl Draft {
    fn new(round: Round, has: Option<Address>) -> Draft {
        let first = has.clone();
        let (corrected, vendor, approval) = (false, false, false);
        Draft { round, first, has, pauses: Vec::new(), on_hold: None, corrected, vendor, approval }
    }

    fn finish(self, policy: &Policy, ticket: &Ticket, past: &Past, is_last: bool) -> Round {
        let Draft { mut round, first, has, mut pauses, on_hold, corrected, vendor, approval } = self;
        let (targets, calendar) = (&policy.targets, &policy.calendar);
        if !is_last {
            let (response, resolution) = sla::due(targets, calendar, round.priority, round.began);
            let extend = |due, pause: &Pause| sla::extended(targets, calendar, round.priority, due, *pause);
            (round.response_due, round.resolution_due) = (response, pauses.iter().fold(resolution, extend));
            round.status = if round.ending == Ending::Cancelled { Status::Cancelled } else { Status::Closed };
            round.wait = None;
        } else {
            round.category = ticket.category;
            if round.cycle > 1 {
                // The response was to the first round.
                round.response_due = ticket.response_due;
            }
        }
        round.priority = if is_last { ticket.priority } else { round.priority };
        pauses
            .extend(on_hold.map(|since| (since, round.resolved.or(round.ended).unwrap_or(ticket.updated).max(since))));
        let working = targets.of(round.priority).working_time;
        let between = |from: Timestamp, to: Timestamp| match working {
            true => calendar.working_between(from, to),
            false => to.since(from),
        };
        if round.priority == Priority::P1 {
            pauses.clear();
        }
        round.paused = seconds(pauses.iter().map(|(from, to)| to.since(*from)).sum());
        let held: Duration = pauses.iter().map(|(from, to)| between(*from, *to)).sum();
        round.took = round.resolved.map(|at| seconds(between(round.began, at).saturating_sub(held)));
        round.response_took = round.responded.map(|at| seconds(between(round.began, at)));
        round.by_first = has.is_some() && first == has;
        round.assignee = has.as_ref().map_or(String::new(), |has| has.key().to_owned());
        round.reason = reason(&round, corrected, vendor, approval, held);
        judge(&mut round, policy, past);
        round
    }
}

/// What the requester said of it, and whether somebody took care.
fn judge(round: &mut Round, policy: &Policy, past: &Past) {
    let of_round = past.ratings.iter().find(|(cycle, ..)| *cycle == i64::from(round.cycle));
    (round.rating, round.rated) = (of_round.map(|(_, rating, _)| *rating), of_round.map(|(.., at)| *at));
    let Some(rated) = round.rated.filter(|_| round.rating == Some(Rating::Dissatisfied)) else {
        round.followed = None;
        return;
    };
    round.follow_due = Some(policy.calendar.add_working(rated, policy.calendar.day_length()));
}

fn reason(round: &Round, corrected: bool, vendor: bool, approval: bool, held: Duration) -> Reason {
    let missed = round.resolved.or(round.ended).is_none_or(|at| at > round.resolution_due)
        || round.cycle == 1 && round.responded.is_none_or(|at| at > round.response_due);
    if !missed {
        return Reason::None;
    }
    match round {
        _ if vendor => Reason::Vendor,
        _ if approval => Reason::Approval,
        _ if corrected || round.handovers > 1 => Reason::Sorting,
        _ if !held.is_zero() => Reason::Requester,
        _ => Reason::Staffing,
    }
}

/// Whole seconds, 136 years at most.
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Departments and topics are shown in tables: a bound on what strangers can write there.
fn short(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).take(40).collect::<String>().trim().to_owned()
}

/// The fault a ticket shares with others, or the strongest word that spoke for its category.
fn topic(ticket: &Ticket) -> String {
    let speaks = |term: &&crate::desk::ticket::Term| term.points_to == ticket.category.as_str() && term.weight > 0.0;
    let strongest = ticket.matched.iter().filter(speaks).max_by(|a, b| a.weight.total_cmp(&b.weight));
    short(strongest.map_or("", |term| &term.term))
}

/// FNV-1a: the same requester is recognised, and nobody is named.
fn pseudonym(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Between the values of a line. None of them holds it.
const TAB: char = '\t';

impl Round {
    /// Everything in one line of text, as it is stored: a report reads a million of them.
    pub fn to_line(&self) -> String {
        let mut line = String::with_capacity(240);
        let mut add = |value: &dyn std::fmt::Display| {
            let _ = write!(line, "{value}{TAB}");
        };
        let time = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.millis().to_string());
        let count = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
        add(&self.number.0);
        add(&self.cycle);
        add(&self.created.millis());
        add(&self.began.millis());
        add(&self.origin.as_str());
        add(&count(self.relapse));
        add(&self.priority);
        add(&self.first_priority);
        add(&self.category);
        add(&self.first_category);
        add(&self.department);
        add(&self.requester);
        add(&self.topic);
        add(&u8::from(self.is_report));
        add(&self.reports);
        add(&self.assignee);
        add(&self.handovers);
        add(&u8::from(self.by_first));
        add(&self.answers);
        add(&u8::from(self.functional));
        add(&u8::from(self.hierarchic));
        add(&self.response_due.millis());
        add(&time(self.responded));
        add(&count(self.response_took));
        add(&self.resolution_due.millis());
        add(&time(self.resolved));
        add(&self.paused);
        add(&count(self.took));
        add(&time(self.ended));
        add(&self.ending.as_str());
        add(&time(self.reopened));
        add(&self.rating.map_or("", Rating::as_str));
        add(&time(self.rated));
        add(&time(self.followed));
        add(&time(self.follow_due));
        add(&self.reason.as_str());
        add(&time(self.approval_asked));
        add(&time(self.approval_decided));
        add(&self.status);
        add(&self.wait.map_or("", Wait::as_str));
        add(&self.updated.millis());
        line.pop();
        line
    }

    /// Reads a line back; `None` when it was not written by [`Round::to_line`].
    pub fn from_line(line: &str) -> Option<Round> {
        let mut values = Values(line.split(TAB));
        let round = Round {
            number: Number(values.number()?),
            cycle: values.number()?,
            created: values.time()?,
            began: values.time()?,
            origin: Origin::parse(values.text()?)?,
            relapse: values.maybe()?,
            priority: Priority::parse(values.text()?)?,
            first_priority: Priority::parse(values.text()?)?,
            category: Category::parse(values.text()?)?,
            first_category: Category::parse(values.text()?)?,
            department: values.text()?.to_owned(),
            requester: values.number()?,
            topic: values.text()?.to_owned(),
            is_report: values.flag()?,
            reports: values.number()?,
            assignee: values.text()?.to_owned(),
            handovers: values.number()?,
            by_first: values.flag()?,
            answers: values.number()?,
            functional: values.flag()?,
            hierarchic: values.flag()?,
            response_due: values.time()?,
            responded: values.maybe_time()?,
            response_took: values.maybe()?,
            resolution_due: values.time()?,
            resolved: values.maybe_time()?,
            paused: values.number()?,
            took: values.maybe()?,
            ended: values.maybe_time()?,
            ending: Ending::parse(values.text()?)?,
            reopened: values.maybe_time()?,
            rating: values.word(Rating::parse)?,
            rated: values.maybe_time()?,
            followed: values.maybe_time()?,
            follow_due: values.maybe_time()?,
            reason: Reason::parse(values.text()?)?,
            approval_asked: values.maybe_time()?,
            approval_decided: values.maybe_time()?,
            status: Status::parse(values.text()?)?,
            wait: values.word(Wait::parse)?,
            updated: values.time()?,
        };
        values.0.next().is_none().then_some(round)
    }
}

/// The values of a line, one after the other.
struct Values<'a>(std::str::Split<'a, char>);

impl<'a> Values<'a> {
    fn text(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn number<T: FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    /// An empty value is none.
    fn maybe<T: FromStr>(&mut self) -> Option<Option<T>> {
        match self.0.next()? {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        }
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.0.next()? == "1")
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.number().map(Timestamp::from_millis)
    }

    fn maybe_time(&mut self) -> Option<Option<Timestamp>> {
        Some(self.maybe()?.map(Timestamp::from_millis))
    }

    fn word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Option<Option<T>> {
        match self.0.next()? {
            "" => Some(None),
            text => parse(text).map(Some),
        }
    }
}

impl Round {
    /// Begun before this moment, and neither closed nor cancelled by then. A ticket that waits for its confirmation is
    /// open (`domain.md` 6.2, the balance of the backlog).
    pub fn is_open_at(&self, at: Timestamp) -> bool {
        self.began < at && self.ended.is_none_or(|ended| ended >= at)
    }

    /// Withdrawn, spam or merged by then: it counts in no figure but the balance.
    pub fn is_cancelled_at(&self, at: Timestamp) -> bool {
        self.ending == Ending::Cancelled && self.ended.is_some_and(|ended| ended < at)
    }

    /// Resolved by then, and not ended.
    pub fn is_awaiting_at(&self, at: Timestamp) -> bool {
        self.is_open_at(at) && self.resolved.is_some_and(|resolved| resolved < at)
    }

    /// When it must be resolved, as of this moment: on hold that moves on with the time.
    pub fn due_at(&self, targets: &Targets, calendar: &Calendar, at: Timestamp) -> Timestamp {
        match self.status {
            Status::Pending if at > self.updated => {
                sla::extended(targets, calendar, self.priority, self.resolution_due, (self.updated, at))
            }
            _ => self.resolution_due,
        }
    }

    /// The last moment at which something happened that reports count; `None` while it is open.
    pub fn until(&self) -> Option<Timestamp> {
        let last = [self.ended, self.rated, self.approval_decided].into_iter().flatten().max();
        self.ended.and(last)
    }
}
