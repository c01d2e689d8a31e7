//! What is open right now, for whoever hands out the work today (`domain.md` 6.3).

use super::plan::Scope;
use super::round::{Ending, Origin, Round};
use super::stock::{Due, Stock};
use crate::desk::policy::Targets;
use crate::desk::words::{Status, Wait};
use crate::time::{Calendar, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// Entries of each list.
const LISTED: usize = 12;
const DAY: Duration = Duration::from_secs(86_400);

/// The daily board.
#[derive(Clone, Debug)]
pub struct Board {
    pub at: Timestamp,
    pub stock: Stock,
    /// In the 24 hours before.
    pub new: u64,
    pub closed: u64,
    /// Work is owed, and the target is past.
    pub overdue: u64,
    /// Work is owed, and the target ends within 24 hours.
    pub soon: u64,
    /// The longest past first.
    pub overdue_list: Vec<Due>,
    /// Whose target ends next first, on hold or not.
    pub next_list: Vec<Due>,
    /// On hold, by what is waited for.
    pub waits: BTreeMap<&'static str, u64>,
    /// Nobody has it.
    pub nobody: u64,
    /// Work is owed by whom, those on hold included.
    pub with: BTreeMap<String, u64>,
}

impl Board {
    pub fn new(at: Timestamp) -> Board {
        Board {
            at,
            stock: Stock::default(),
            new: 0,
            closed: 0,
            overdue: 0,
            soon: 0,
            overdue_list: Vec::new(),
            next_list: Vec::new(),
            waits: BTreeMap::new(),
            nobody: 0,
            with: BTreeMap::new(),
        }
    }

    /// Adds a round; those that ended more than a day before may be left out.
    pub fn add(&mut self, round: &Round, scope: &Scope, targets: &Targets, calendar: &Calendar) {
        if round.began >= self.at || !scope.holds(round) || round.is_cancelled_at(self.at) {
            return;
        }
        let lately = |at: Timestamp| at < self.at && self.at.since(at) <= DAY;
        self.new += u64::from(round.origin == Origin::Opened && lately(round.began));
        self.closed += u64::from(round.ending == Ending::Closed && round.ended.is_some_and(lately));
        if !round.is_open_at(self.at) {
            return;
        }
        self.stock.add(round, self.at);
        if round.is_awaiting_at(self.at) {
            return;
        }
        if round.status == Status::Pending {
            *self.waits.entry(round.wait.map_or("", Wait::as_str)).or_default() += 1;
        }
        if round.assignee.is_empty() {
            self.nobody += 1;
        } else {
            *self.with.entry(round.assignee.clone()).or_default() += 1;
        }
        let due = round.due_at(targets, calendar, self.at);
        let (number, priority, created) = (round.number, round.priority, round.created);
        let one = Due { number, priority, created, due, awaiting: false };
        let is_late = due < self.at;
        if is_late {
            self.overdue += 1;
            self.overdue_list.push(one);
        } else {
            self.soon += u64::from(due.since(self.at) <= DAY);
            self.next_list.push(one);
        }
        if self.overdue_list.len().max(self.next_list.len()) > 16 * LISTED {
            self.cut();
        }
    }

    fn cut(&mut self) {
        for list in [&mut self.overdue_list, &mut self.next_list] {
            list.sort_by_key(|one| (one.due, one.number));
            list.truncate(LISTED);
        }
    }

    pub fn finish(&mut self) {
        self.cut();
        self.stock.finish();
    }
}
