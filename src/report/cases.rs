//! Past tickets as cases to judge the keyword rules by, the newest first.

use crate::desk::ticket::Number;
use crate::desk::triage::{Case, Seen};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Tickets read in one go.
const AT_ONCE: i64 = 512;

/// Readings under way at the same time: the database works while this program judges.
const UNDER_WAY: usize = 2;

/// Gives the cases that arrived from one moment on (`None`: from the first one) and before another portion by portion, the newest first,
/// until `take` says that it has enough. No more than some hundred of them are held at a time.
///
/// # Errors
/// The store's.
pub async fn each_portion(
    store: &Store,
    since: Option<Timestamp>,
    before: Timestamp,
    mut take: impl FnMut(Vec<Case>) -> bool,
) -> Result<(), StoreError> {
    // Mail that is imported has old moments under new numbers.
    let Some((first, last)) = store.tickets_since(since).await? else { return Ok(()) };
    let parts = (first.0 / AT_ONCE..=last.0 / AT_ONCE).rev().map(|part| Number(part * AT_ONCE));
    let read = |from: Number| store.sorted_tickets(from, Number(from.0 + AT_ONCE));
    let mut parts = stream::iter(parts.map(read)).buffered(UNDER_WAY);
    let mut seen = Seen::default();
    while let Some(tickets) = parts.try_next().await? {
        let inside = tickets
            .into_iter()
            .rev()
            .filter(|ticket| since.is_none_or(|since| ticket.created >= since) && ticket.created < before);
        let cases = inside.filter_map(Case::of).filter(|case| seen.is_new(case)).collect();
        if !take(cases) {
            return Ok(());
        }
    }
    Ok(())
}
