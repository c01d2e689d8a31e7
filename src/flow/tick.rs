//! Timers: what fell due is handled one by one; the cost follows what is due, not what is open.

use super::Flow;
use crate::desk::event::{Event, Timer};
use crate::store::StoreError;
use crate::time::Timestamp;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// Timers taken per look.
const AT_ONCE: i64 = 100;

/// A timer that cannot be handled is tried again after this long, so that it holds up no other (promise G4).
const PUT_OFF: Duration = Duration::from_secs(3600);

/// What one look at the timers did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    pub handled: usize,
    /// Timers that could not be handled, and why.
    pub put_off: Vec<String>,
}

impl Flow {
    /// Handles every timer due at `now`.
    ///
    /// # Errors
    /// The store's, when it can take nothing at all; the timers that were not handled are still due.
    pub async fn tick(&self, now: Timestamp) -> Result<Ticked, StoreError> {
        let mut ticked = Ticked::default();
        loop {
            let due = self.due_timers(now).await?;
            if due.is_empty() {
                return Ok(ticked);
            }
            for timer in due {
                let event = Event::Timer(timer);
                let why = match AssertUnwindSafe(self.handle(&event, now)).catch_unwind().await {
                    Ok(Ok(())) => {
                        ticked.handled += 1;
                        continue;
                    }
                    Ok(Err(error)) if error.is_systemic() => return Err(error),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "the program stumbled over it".to_owned(),
                };
                ticked.put_off.push(format!("{} {}: {why}", timer.number, timer.kind.as_str()));
                self.put_off(timer, now).await?;
            }
        }
    }

    async fn put_off(&self, timer: Timer, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        tx.schedule(&Timer { due: now + PUT_OFF, ..timer }).await?;
        tx.commit().await
    }

    async fn due_timers(&self, now: Timestamp) -> Result<Vec<Timer>, StoreError> {
        let mut tx = self.store.begin().await?;
        tx.due_timers(now, AT_ONCE).await
    }
}
