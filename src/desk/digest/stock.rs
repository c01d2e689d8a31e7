//! What is open at a moment: how old, how urgent, whose turn it is.

use super::round::Round;
use crate::desk::ticket::Number;
use crate::desk::words::Priority;
use crate::time::Timestamp;

/// Age bands in whole days, both ends included (`domain.md` 6.2); the last one has no end.
pub const AGES: [(u64, u64); 5] = [(0, 1), (2, 3), (4, 7), (8, 30), (31, u64::MAX)];

/// An open ticket in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub number: Number,
    pub priority: Priority,
    pub created: Timestamp,
    pub due: Timestamp,
    /// Resolved, and not confirmed yet.
    pub awaiting: bool,
}

/// Open tickets, those that wait for their confirmation included.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// By age band and priority.
    pub ages: [[u64; 4]; 5],
    /// Of them, those that are resolved and wait for their confirmation.
    pub awaiting: u64,
    /// The oldest ones on which work is owed.
    pub oldest: Vec<Due>,
}

/// Entries of the list.
const OLDEST: usize = 10;

impl Stock {
    pub fn add(&mut self, round: &Round, at: Timestamp) {
        let days = at.since(round.created).as_secs() / 86_400;
        let band = AGES.iter().position(|(_, last)| days <= *last).unwrap_or(AGES.len() - 1);
        self.ages[band][round.priority as usize] += 1;
        let awaiting = round.is_awaiting_at(at);
        self.awaiting += u64::from(awaiting);
        if awaiting || self.oldest.len() >= OLDEST && self.is_younger(round.created) {
            return;
        }
        let (number, priority, created) = (round.number, round.priority, round.created);
        self.oldest.push(Due { number, priority, created, due: round.resolution_due, awaiting });
        if self.oldest.len() > 4 * OLDEST {
            self.finish();
        }
    }

    /// Than all of a full list: most tickets are, and cost nothing.
    fn is_younger(&self, created: Timestamp) -> bool {
        self.oldest.iter().take(OLDEST).all(|one| one.created <= created)
    }

    pub fn finish(&mut self) {
        self.oldest.sort_by_key(|one| (one.created, one.number));
        self.oldest.truncate(OLDEST);
    }

    pub fn total(&self) -> u64 {
        self.ages.iter().flatten().sum()
    }
}
