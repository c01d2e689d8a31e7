//! Timers: what fell due is handled one by one; the cost follows what is due, not what is open.

use super::Flow;
use crate::desk::event::{Event, Timer};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Timers taken per look.
const AT_ONCE: i64 = 100;

impl Flow {
    /// Handles every timer due at `now`; gives how many there were.
    ///
    /// # Errors
    /// The store's; the timers that were not handled are still due.
    pub async fn tick(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut handled = 0;
        loop {
            let due = self.due_timers(now).await?;
            if due.is_empty() {
                return Ok(handled);
            }
            for timer in due {
                self.handle(&Event::Timer(timer), now).await?;
                handled += 1;
            }
        }
    }

    async fn due_timers(&self, now: Timestamp) -> Result<Vec<Timer>, StoreError> {
        let mut tx = self.store.begin().await?;
        tx.due_timers(now, AT_ONCE).await
    }
}
