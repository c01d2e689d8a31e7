//! Tickets of engineers who are not there: found and handed over, one by one.

use super::Flow;
use crate::desk::event::Event;
use crate::desk::handover::absence;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Tickets of one engineer that are looked at in one go; the others next time.
const AT_ONCE: usize = 50;

impl Flow {
    /// Hands over the open tickets of everybody who is on leave or gone; gives how many.
    ///
    /// # Errors
    /// The store's, when it can take nothing at all. A ticket that cannot be handed over holds up no other (promise G4).
    pub async fn hand_over(&self, now: Timestamp) -> Result<usize, StoreError> {
        let policy = self.policy();
        let absent = self.store.open_assignees().await?.into_iter().filter(|who| absence(&policy, who, now).is_some());
        let mut moved = 0;
        for who in absent {
            let mut tickets = self.store.open_of(&who).await?;
            // Whoever leads comes before the reports of the same fault.
            tickets.sort_by_key(|ticket| (ticket.parent.is_some(), ticket.number));
            for ticket in tickets.into_iter().take(AT_ONCE) {
                let event = Event::Absent { number: ticket.number, parent: ticket.parent };
                match self.handle(&event, now).await {
                    Ok(()) => moved += 1,
                    Err(error) if error.is_systemic() => return Err(error),
                    Err(error) => tracing::error!(ticket = %ticket.number, "it was not handed over: {error}"),
                }
            }
        }
        Ok(moved)
    }
}
