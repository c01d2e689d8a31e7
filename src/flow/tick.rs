//! Timers: what fell due is handled together; the cost follows what is due, not what is open.

use super::Flow;
use super::apply::{Applied, Work};
use super::gather::Facts;
use crate::desk::event::{Event, Timer};
use crate::store::StoreError;
use crate::time::Timestamp;
use futures_util::FutureExt as _;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// Timers taken per look. What was missed during an outage is one letter for so many tickets.
const AT_ONCE: usize = 1000;

/// So often a timer is tried again when another daemon changed the same ticket at the same moment.
const TRIES: usize = 10;

/// A timer that cannot be handled is tried again after this long, so that it holds up no other (promise G4).
const PUT_OFF: Duration = Duration::from_secs(3600);

/// What one look at the timers did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    pub handled: usize,
    /// Timers that could not be handled, and why.
    pub put_off: Vec<String>,
}

/// Which timers are handled together.
#[derive(Clone, Copy)]
enum Which<'a> {
    Due,
    This(&'a Timer),
}

/// What came of some timers.
struct Done {
    handled: usize,
    /// No other is due, unless it was set by these.
    all: bool,
    /// The first of those that were set instead.
    next: Option<Timestamp>,
}

impl Flow {
    /// Handles every timer due at `now`.
    ///
    /// # Errors
    /// The store's, when it can take nothing at all; the timers that were not handled are still due.
    pub async fn tick(&self, now: Timestamp) -> Result<Ticked, StoreError> {
        let mut ticked = Ticked::default();
        loop {
            match self.attempt(Which::Due, now).await? {
                Ok(done) => {
                    ticked.handled += done.handled;
                    if done.all && done.next.is_none_or(|next| next > now) {
                        return Ok(ticked);
                    }
                }
                Err(_) => self.timer_by_timer(&mut ticked, now).await?,
            }
        }
    }

    /// One of those that are due cannot be handled: each alone, and that one later.
    async fn timer_by_timer(&self, ticked: &mut Ticked, now: Timestamp) -> Result<(), StoreError> {
        for timer in self.store.due_timers(now, AT_ONCE as i64).await? {
            let mut done = self.attempt(Which::This(&timer), now).await?;
            // Somebody else changed the ticket at the same moment.
            for _ in 0..TRIES {
                if !matches!(&done, Err(error) if error.is_conflict()) {
                    break;
                }
                done = self.attempt(Which::This(&timer), now).await?;
            }
            match done {
                Ok(done) => ticked.handled += done.handled,
                Err(why) => {
                    ticked.put_off.push(format!("{} {}: {why}", timer.number, timer.kind.as_str()));
                    let mut tx = self.store.begin().await?;
                    tx.schedule(&Timer { due: now + PUT_OFF, ..timer }).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(())
    }

    /// Gives what came of them, or why nothing could.
    ///
    /// # Errors
    /// The store's, when it can take nothing at all.
    async fn attempt(&self, which: Which<'_>, now: Timestamp) -> Result<Result<Done, StoreError>, StoreError> {
        match AssertUnwindSafe(self.timers_together(which, now)).catch_unwind().await {
            Ok(Ok(done)) => Ok(Ok(done)),
            Ok(Err(error)) if error.is_systemic() => Err(error),
            Ok(Err(error)) => Ok(Err(error)),
            Err(_) => Ok(Err(StoreError::Refused("the program stumbled over it".to_owned()))),
        }
    }

    /// Does what these timers are there for, in one transaction; those another daemon took meanwhile are left to it.
    async fn timers_together(&self, which: Which<'_>, now: Timestamp) -> Result<Done, StoreError> {
        let rules = self.rules();
        let mut tx = self.store.begin().await?;
        let (timers, all) = match which {
            Which::Due => {
                let due = tx.due_timers(now, AT_ONCE as i64).await?;
                let first = first_of_each_ticket(&due);
                let all = first.len() == due.len() && due.len() < AT_ONCE;
                (first, all)
            }
            Which::This(timer) => (tx.still_set(timer).await?.then_some(*timer).into_iter().collect(), true),
        };
        let handled = timers.len();
        if handled == 0 {
            return Ok(Done { handled, all, next: None });
        }
        tx.take_timers(&timers).await?;
        let (mut facts, mut applied) = (Facts::new(&self.beside, now), Applied::default());
        let mut work = Work { tx: &mut tx, rules: &rules, facts: &mut facts, applied: &mut applied, now };
        work.carry_out(&Event::Due(timers), None).await?;
        facts.letters.write(&mut tx).await?;
        tx.commit().await?;
        self.ring(&applied, facts.letters.queued);
        Ok(Done { handled, all, next: applied.next_timer })
    }
}

/// A second timer of the same ticket waits for what the first one makes of it.
fn first_of_each_ticket(timers: &[Timer]) -> Vec<Timer> {
    let mut tickets = HashSet::new();
    timers.iter().filter(|timer| tickets.insert(timer.number)).copied().collect()
}
