//! The numbers of a period, by the formulas of `domain.md` 6.2. Rounds are added one after the other, in the order of
//! their tickets; a million of them need some numbers each, and no text.
//!
//! A figure states what it counts:
//!
//! - **when**: everything is as of the end of the period, so that a report that is written late says the same. What a
//!   ticket is (category, priority, department) is as it was last known.
//! - **what**: a ticket that was cancelled, merged or taken for spam counts in the balance only. A report that hangs on
//!   the leading ticket of the same fault is a duplicate of it: it counts as a ticket and in the satisfaction, but not in
//!   times and rates.
//! - **once**: a target counts in the period in which it was decided - when it was met, or else when it ran out - so that
//!   none is counted twice and none that is late is hidden.

use super::plan::{Period, Scope};
use super::round::{Ending, Origin, Reason, Round};
use super::stock::Stock;
use crate::desk::policy::Targets;
use crate::desk::ticket::Number;
use crate::desk::words::{Priority, Rating};
use crate::time::{Calendar, Timestamp};
use chrono::{Datelike as _, Timelike as _};
use std::collections::HashMap;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    pub met: u64,
    pub of: u64,
}

impl Ratio {
    fn add(&mut self, met: bool) {
        self.met += u64::from(met);
        self.of += 1;
    }

    /// In tenths of a percent, rounded half up; `None` for nothing of nothing.
    pub fn permille(self) -> Option<u64> {
        percent(self.met, self.of)
    }
}

/// `part` of `whole` in tenths of a percent, rounded half up; `None` when there is no whole.
pub fn percent(part: u64, whole: u64) -> Option<u64> {
    (whole > 0).then(|| (part * 2000 + whole) / (2 * whole))
}

/// Durations in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread(Vec<u32>);

/// What is told of durations, in seconds. The median and the 90th percentile are durations that occurred: the smallest
/// that at least half, or nine tenths, of all do not exceed (nearest rank).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    pub n: u64,
    pub mean: u64,
    pub median: u64,
    pub p90: u64,
}

impl Spread {
    pub fn add(&mut self, seconds: u32) {
        self.0.push(seconds);
    }

    /// `None` when there are none.
    pub fn took(&self) -> Option<Took> {
        let mut values = self.0.clone();
        let n = values.len();
        let sum: u64 = values.iter().map(|value| u64::from(*value)).sum();
        let mean = sum.checked_div(n as u64)?;
        let mut rank = |tenths: usize| {
            let at = (n * tenths).div_ceil(10).max(1) - 1;
            u64::from(*values.select_nth_unstable(at).1)
        };
        Some(Took { n: n as u64, mean, median: rank(5), p90: rank(9) })
    }
}

/// What is told of one priority.
#[derive(Clone, Debug, Default)]
pub struct OfPriority {
    pub new: u64,
    pub closed: u64,
    pub response: Ratio,
    pub resolution: Ratio,
    pub responses: Spread,
    pub resolutions: Spread,
}

/// What articles were good for in the period (`domain.md` 6.2, KB reuse); counted by the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reuse {
    /// Articles published.
    pub published: u64,
    /// Times an article was shown to a requester, and how many of them said that it helped.
    pub shown: u64,
    pub helped: u64,
    /// Tickets closed whose requester was shown an article and did not say that it was no help.
    pub closed_with: u64,
}

/// Mail of the period; counted by the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mails {
    pub received: u64,
    /// On no ticket, and why; the most frequent reason first.
    pub aside: Vec<(String, u64)>,
    /// Answers that named no ticket of ours and opened one.
    pub unmatched: u64,
    pub sent: u64,
    pub failed: u64,
}

/// Why a mail is on no ticket, as a report tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Automatic answers and read receipts.
    Automatic,
    /// Bounces, delays and other reports of mail servers.
    Delivery,
    /// Nobody could make anything of it: it wants a look.
    Unreadable,
    Other,
}

impl Mails {
    pub fn aside(&self, wanted: Aside) -> u64 {
        let class = |reason: &str| match reason {
            "auto_reply" | "receipt" => Aside::Automatic,
            "bounce" | "delivery_report" | "feedback_report" => Aside::Delivery,
            "could not be handled" | "no single sender address" | "no rule placed it" => Aside::Unreadable,
            _ => Aside::Other,
        };
        self.aside.iter().filter(|(reason, _)| class(reason) == wanted).map(|(_, count)| count).sum()
    }
}

/// One day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub new: u64,
    pub closed: u64,
    /// Open at its end.
    pub backlog: i64,
}

/// A ticket that missed a target in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub number: Number,
    pub priority: Priority,
    pub reason: Reason,
    /// How long after the target it was resolved, or is open; round the clock.
    pub late: u32,
    pub resolved: bool,
}

/// A major incident of the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Major {
    pub number: Number,
    pub began: Timestamp,
    pub resolved: Option<Timestamp>,
    /// Who reported it, the leading ticket included.
    pub people: u32,
}

/// A ticket that was rated 不满意 in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub number: Number,
    pub rated: Timestamp,
    pub followed: Option<Timestamp>,
    pub in_time: bool,
}

/// Entries of a list in a letter.
const LISTED: usize = 20;
const DAY: u32 = 86_400;

/// See the module.
#[derive(Clone, Debug)]
pub struct Figures {
    pub period: Period,
    /// Created, without what was cancelled by the end of the period.
    pub new: u64,
    pub closed: u64,
    /// The balance: `at_start + created + reopened - ended - cancelled = at_end`.
    pub at_start: u64,
    pub created: u64,
    /// After they were closed or cancelled.
    pub reopened: u64,
    pub cancelled: u64,
    pub at_end: u64,
    pub response: Ratio,
    pub resolution: Ratio,
    pub priorities: [OfPriority; 4],
    /// Until the first human answer: round the clock, and in the clock of the target.
    pub responses_wall: Spread,
    pub responses: Spread,
    /// From arrival or reopening to the resolution, without the time on hold: the same.
    pub resolutions_wall: Spread,
    pub resolutions: Spread,
    pub first_contact: Ratio,
    pub reopens: Ratio,
    pub dispatch: Ratio,
    pub functional: Ratio,
    pub hierarchic: Ratio,
    pub repeats: Ratio,
    pub category_kept: Ratio,
    pub priority_kept: Ratio,
    /// Satisfied, mostly, dissatisfied: judgements given in the period.
    pub ratings: [u64; 3],
    /// Judgements, and resolutions that ended without one.
    pub asked: u64,
    /// 不满意 that an engineer took up within a working day, of those whose day is over or which were taken up.
    pub followed: Ratio,
    pub majors: u64,
    /// Minutes of the period in which one lasted, and the same times those who reported it.
    pub major_seconds: u64,
    pub major_people_seconds: u64,
    /// From the asking to the decision, of approvals that were decided.
    pub approvals: Spread,
    pub categories: [u64; 6],
    pub departments: HashMap<String, u64>,
    pub topics: HashMap<String, u64>,
    /// The same of the 30 days before the end: three of a kind are a problem (`domain.md` 7.1, A8).
    pub kinds: HashMap<String, u64>,
    pub flow: Vec<Flow>,
    /// New tickets by weekday, Monday first, and hour.
    pub heat: [[u64; 24]; 7],
    /// Closed by, and open with, each engineer; never shown with names.
    pub closed_by: HashMap<String, u64>,
    pub open_with: HashMap<String, u64>,
    /// From the desk's category to that of a person, of closed tickets.
    pub confusion: [[u64; 6]; 6],
    /// Of missed resolution targets.
    pub reasons: HashMap<&'static str, u64>,
    pub stock: Stock,
    pub missed: Vec<Missed>,
    pub major_list: Vec<Major>,
    pub complaints: Vec<Complaint>,
    days: Vec<Timestamp>,
    /// The ticket whose resolution and reopening were counted last.
    counted: (Option<Number>, Option<Number>),
    /// When a requester last had the same trouble.
    seen: HashMap<u64, Timestamp>,
}

impl Figures {
    pub fn new(period: Period) -> Figures {
        let days: Vec<Timestamp> = period.days().into_iter().map(|(_, begins)| begins).collect();
        Figures {
            period,
            new: 0,
            closed: 0,
            at_start: 0,
            created: 0,
            reopened: 0,
            cancelled: 0,
            at_end: 0,
            response: Ratio::default(),
            resolution: Ratio::default(),
            priorities: Default::default(),
            responses_wall: Spread::default(),
            responses: Spread::default(),
            resolutions_wall: Spread::default(),
            resolutions: Spread::default(),
            first_contact: Ratio::default(),
            reopens: Ratio::default(),
            dispatch: Ratio::default(),
            functional: Ratio::default(),
            hierarchic: Ratio::default(),
            repeats: Ratio::default(),
            category_kept: Ratio::default(),
            priority_kept: Ratio::default(),
            ratings: [0; 3],
            asked: 0,
            followed: Ratio::default(),
            majors: 0,
            major_seconds: 0,
            major_people_seconds: 0,
            approvals: Spread::default(),
            categories: [0; 6],
            departments: HashMap::new(),
            topics: HashMap::new(),
            kinds: HashMap::new(),
            flow: vec![Flow::default(); days.len()],
            heat: [[0; 24]; 7],
            closed_by: HashMap::new(),
            open_with: HashMap::new(),
            confusion: [[0; 6]; 6],
            reasons: HashMap::new(),
            stock: Stock::default(),
            missed: Vec::new(),
            major_list: Vec::new(),
            complaints: Vec::new(),
            days,
            counted: (None, None),
            seen: HashMap::new(),
        }
    }

    /// Adds a round. They come in the order of their tickets, a ticket's own in their order; those that ended more than
    /// 30 days before the period may be left out.
    pub fn add(&mut self, round: &Round, scope: &Scope, targets: &Targets, calendar: &Calendar) {
        if round.began >= self.period.to || !scope.holds(round) {
            return;
        }
        self.add_to_balance(round);
        if round.is_cancelled_at(self.period.to) {
            return;
        }
        self.add_counts(round);
        self.add_satisfaction(round);
        if round.is_report {
            return;
        }
        self.add_response(round);
        self.add_resolution(round, targets, calendar);
        self.add_rates(round);
        self.add_major(round);
        if let (Some(asked), Some(decided)) = (round.approval_asked, round.approval_decided)
            && self.period.contains(decided)
        {
            self.approvals.add(seconds(asked, decided));
        }
    }

    fn add_to_balance(&mut self, round: &Round) {
        self.at_start += u64::from(round.is_open_at(self.period.from));
        self.at_end += u64::from(round.is_open_at(self.period.to));
        let came = round.origin != Origin::Unconfirmed;
        if came && let Some(day) = self.day_of(round.began) {
            let count = if round.origin == Origin::Opened { &mut self.created } else { &mut self.reopened };
            *count += 1;
            self.flow[day].backlog += 1;
        }
        let Some(day) = round.ended.filter(|_| round.ending != Ending::Reopened).and_then(|at| self.day_of(at)) else {
            return;
        };
        self.flow[day].backlog -= 1;
        if round.ending == Ending::Cancelled {
            self.cancelled += 1;
        } else {
            self.closed += 1;
            self.flow[day].closed += 1;
        }
    }

    fn day_of(&self, at: Timestamp) -> Option<usize> {
        let inside = self.period.contains(at);
        inside.then(|| self.days.partition_point(|begins| *begins <= at).saturating_sub(1))
    }

    fn add_counts(&mut self, round: &Round) {
        let lately = round.origin == Origin::Opened && seconds(round.began, self.period.to) <= 30 * DAY;
        if lately && !round.topic.is_empty() {
            count(&mut self.kinds, &round.topic);
        }
        if round.origin == Origin::Opened
            && let Some(day) = self.day_of(round.began)
        {
            self.new += 1;
            self.flow[day].new += 1;
            self.priorities[round.priority as usize].new += 1;
            self.categories[round.category as usize] += 1;
            count(&mut self.departments, &round.department);
            if !round.topic.is_empty() {
                count(&mut self.topics, &round.topic);
            }
            let local = round.began.at_zone(self.period.zone);
            self.heat[local.weekday().num_days_from_monday() as usize][local.hour() as usize] += 1;
        }
        if round.ending == Ending::Closed && round.ended.is_some_and(|at| self.period.contains(at)) {
            self.priorities[round.priority as usize].closed += 1;
            self.category_kept.add(round.category == round.first_category);
            self.priority_kept.add(round.priority == round.first_priority);
            self.confusion[round.first_category as usize][round.category as usize] += 1;
            if !round.assignee.is_empty() {
                count(&mut self.closed_by, &round.assignee);
            }
        }
        if round.is_open_at(self.period.to) {
            self.stock.add(round, self.period.to);
            if !round.assignee.is_empty() && !round.is_awaiting_at(self.period.to) {
                count(&mut self.open_with, &round.assignee);
            }
        }
    }

    fn add_satisfaction(&mut self, round: &Round) {
        if let Some(due) = round.follow_due {
            let met = round.followed.is_some_and(|at| at <= due);
            if self.period.contains(round.followed.unwrap_or(due).min(due)) {
                self.followed.add(met);
            }
        }
        let rated = round.rated.filter(|at| *at < self.period.to);
        match (rated, round.rating) {
            (Some(at), Some(rating)) if self.period.contains(at) => {
                self.asked += 1;
                self.ratings[rating as usize] += 1;
                if rating == Rating::Dissatisfied {
                    let followed = round.followed.filter(|at| *at < self.period.to);
                    let in_time = followed.is_some_and(|at| round.follow_due.is_none_or(|due| at <= due));
                    self.complaints.push(Complaint { number: round.number, rated: at, followed, in_time });
                    keep(&mut self.complaints, |one| std::cmp::Reverse(one.rated));
                }
            }
            (None, _) if round.resolved.is_some() => {
                let over = matches!(round.ending, Ending::Closed | Ending::Reopened);
                self.asked += u64::from(over && round.ended.is_some_and(|at| self.period.contains(at)));
            }
            _ => {}
        }
    }

    fn add_response(&mut self, round: &Round) {
        if round.origin != Origin::Opened {
            return;
        }
        let met = round.responded.is_some_and(|at| at <= round.response_due);
        let decided = round.responded.unwrap_or(round.response_due).min(round.response_due);
        let of_priority = &mut self.priorities[round.priority as usize];
        if self.period.contains(decided) {
            self.response.add(met);
            of_priority.response.add(met);
        }
        if let (Some(at), Some(took)) = (round.responded, round.response_took)
            && self.period.contains(at)
        {
            self.responses.add(took);
            of_priority.responses.add(took);
            self.responses_wall.add(seconds(round.began, at));
        }
    }

    fn add_resolution(&mut self, round: &Round, targets: &Targets, calendar: &Calendar) {
        let due = round.due_at(targets, calendar, self.period.to);
        let met = round.resolved.is_some_and(|at| at <= due);
        let decided = round.resolved.unwrap_or(due).min(due);
        // Whoever ended it before without a resolution ended the target, too.
        let off = round.resolved.is_none() && round.ended.is_some_and(|at| at <= due);
        let of_priority = &mut self.priorities[round.priority as usize];
        if self.period.contains(decided) && !off {
            self.resolution.add(met);
            of_priority.resolution.add(met);
            if !met {
                *self.reasons.entry(round.reason.as_str()).or_default() += 1;
                let resolved = round.resolved.filter(|at| *at < self.period.to);
                let late = seconds(due, resolved.or(round.ended).unwrap_or(self.period.to));
                let (number, priority, reason) = (round.number, round.priority, round.reason);
                self.missed.push(Missed { number, priority, reason, late, resolved: resolved.is_some() });
                keep(&mut self.missed, |one| (one.priority, std::cmp::Reverse(one.late)));
            }
        }
        if let (Some(at), Some(took)) = (round.resolved, round.took)
            && self.period.contains(at)
        {
            self.resolutions.add(took);
            of_priority.resolutions.add(took);
            self.resolutions_wall.add(seconds(round.began, at).saturating_sub(round.paused));
        }
    }

    fn add_rates(&mut self, round: &Round) {
        let resolved = round.resolved.filter(|at| self.period.contains(*at));
        if resolved.is_some() && self.counted.0.replace(round.number) != Some(round.number) {
            self.reopens.of += 1;
        }
        let relapsed = round.relapse.is_some_and(|after| after <= 30 * DAY) && self.period.contains(round.began);
        if relapsed && self.counted.1.replace(round.number) != Some(round.number) {
            self.reopens.met += 1;
        }
        if round.origin != Origin::Opened {
            return;
        }
        if let Some(at) = resolved {
            if !round.assignee.is_empty() {
                self.dispatch.add(round.by_first);
            }
            if round.priority >= Priority::P3 {
                let back = round.reopened.is_some_and(|again| seconds(at, again) <= 7 * DAY);
                self.first_contact.add(round.answers <= 1 && round.handovers == 0 && !back);
            }
        }
        // The same trouble of the same person: the ticket before this one, by number.
        let trouble = round.requester ^ (round.category as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let before = self.seen.insert(trouble, round.began);
        if self.period.contains(round.began) {
            self.functional.add(round.functional);
            self.hierarchic.add(round.hierarchic);
            self.repeats.add(before.is_some_and(|before| seconds(before, round.began) <= 30 * DAY));
        }
    }

    fn add_major(&mut self, round: &Round) {
        if round.priority != Priority::P1 {
            return;
        }
        let end = round.resolved.or(round.ended).unwrap_or(self.period.to).min(self.period.to);
        let lasted = u64::from(seconds(round.began.max(self.period.from), end));
        let people = round.reports + 1;
        self.major_seconds += lasted;
        self.major_people_seconds += lasted * u64::from(people);
        let is_new = round.origin == Origin::Opened && self.period.contains(round.began);
        self.majors += u64::from(is_new);
        if is_new || lasted > 0 {
            let resolved = round.resolved.filter(|at| *at < self.period.to);
            self.major_list.push(Major { number: round.number, began: round.began, resolved, people });
            keep(&mut self.major_list, |one| std::cmp::Reverse(one.began));
        }
    }

    /// All rounds were added: lists are cut and sorted, and the backlog of each day follows from that of the day before.
    pub fn finish(&mut self) {
        let mut open = i64::try_from(self.at_start).unwrap_or(i64::MAX);
        for day in &mut self.flow {
            open += day.backlog;
            day.backlog = open;
        }
        cut(&mut self.missed, |one| (one.priority, std::cmp::Reverse(one.late), one.number));
        cut(&mut self.major_list, |one| (std::cmp::Reverse(one.began), one.number));
        cut(&mut self.complaints, |one| (std::cmp::Reverse(one.rated), one.number));
        self.stock.finish();
        self.seen = HashMap::new();
    }

    /// 满意 and 基本满意, of all judgements.
    pub fn satisfaction(&self) -> Ratio {
        Ratio { met: self.ratings[0] + self.ratings[1], of: self.ratings.iter().sum() }
    }

    /// 满意 alone.
    pub fn full_satisfaction(&self) -> Ratio {
        Ratio { met: self.ratings[0], ..self.satisfaction() }
    }

    /// How many of those who were asked answered.
    pub fn answered(&self) -> Ratio {
        Ratio { met: self.ratings.iter().sum(), of: self.asked }
    }
}

/// Seconds from one moment to a later one.
fn seconds(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from(to.since(from).as_secs()).unwrap_or(u32::MAX)
}

/// Names that strangers write are counted up to this many; the rest is one.
const NAMES: usize = 20_000;

fn count(names: &mut HashMap<String, u64>, name: &str) {
    if let Some(count) = names.get_mut(name) {
        *count += 1;
    } else if names.len() < NAMES {
        names.insert(name.to_owned(), 1);
    } else {
        *names.entry("…".to_owned()).or_default() += 1;
    }
}

/// Keeps a list short while it grows.
fn keep<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    if list.len() > 16 * LISTED {
        list.sort_by_key(key);
        list.truncate(LISTED);
    }
}

fn cut<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    list.sort_by_key(key);
    list.truncate(LISTED);
}
