//! What the lists of a report tell of single tickets.

use crate::desk::ticket::{Entry, Number, Ticket};
use crate::store::{Store, StoreError};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Details {
    tickets: BTreeMap<Number, Ticket>,
    /// What was added to 不满意.
    comments: BTreeMap<Number, String>,
    timelines: BTreeMap<Number, Vec<Entry>>,
}

impl Details {
    /// # Errors
    /// The store's.
    pub async fn read(
        store: &Store,
        mut numbers: Vec<Number>,
        complaints: &[Number],
        majors: &[Number],
    ) -> Result<Details, StoreError> {
        numbers.extend(complaints.iter().chain(majors));
        numbers.sort_unstable();
        numbers.dedup();
        let tickets = store.tickets_by_number(&numbers).await?;
        let mut details = Details {
            tickets: tickets.into_iter().map(|ticket| (ticket.number, ticket)).collect(),
            comments: store.complaints(complaints).await?.into_iter().collect(),
            timelines: BTreeMap::new(),
        };
        for number in majors {
            details.timelines.insert(*number, store.timeline(*number).await?);
        }
        Ok(details)
    }

    pub fn ticket(&self, number: Number) -> Option<&Ticket> {
        self.tickets.get(&number)
    }

    pub fn comment(&self, number: Number) -> &str {
        self.comments.get(&number).map_or("", String::as_str)
    }

    pub fn timeline(&self, number: Number) -> &[Entry] {
        self.timelines.get(&number).map_or(&[], Vec::as_slice)
    }
}
