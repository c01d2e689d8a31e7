//! Keeps the documents of the search up to date, behind the work: what changed is marked by the database as it changes,
//! and read here when there is time.

use super::Flow;
use crate::desk::knowledge::article::State;
use crate::desk::knowledge::{self, About};
use crate::desk::ticket::Number;
use crate::store::{StoreError, Tx};

/// Tickets of one commit: few, for the desk's only writer waits for it.
const AT_ONCE: i64 = 50;
/// Messages that are read of one ticket; what was done stands on its timeline.
const MESSAGES: i64 = 50;

impl Flow {
    /// Reads some of the tickets that have changed; gives how many. Zero: all is up to date.
    ///
    /// # Errors
    /// The store's; they are still marked.
    pub async fn index(&self) -> Result<usize, StoreError> {
        let mut tx = self.store.begin().await?;
        let tickets = index_some(&mut tx).await?;
        tx.commit().await?;
        Ok(tickets)
    }
}

async fn index_some(tx: &mut Tx) -> Result<usize, StoreError> {
    let stale = tx.take_stale(AT_ONCE).await?;
    let mut documents = Vec::with_capacity(stale.len());
    let mut tickets: Vec<Number> = Vec::new();
    for about in &stale {
        match *about {
            About::Ticket(number) => tickets.push(number),
            About::Article(number) => {
                let article = tx.article(number).await?.filter(|article| article.state == State::Published);
                match article {
                    Some(article) => documents.push(knowledge::of_article(&article)),
                    None => tx.drop_document(*about).await?,
                }
            }
        }
    }
    for ticket in tx.tickets(&tickets).await? {
        let (timeline, told) = (tx.timeline(ticket.number).await?, tx.told_on(ticket.number, MESSAGES).await?);
        documents.push(knowledge::of_ticket(&ticket, &timeline, &told));
    }
    tx.put_documents(&documents).await?;
    Ok(stale.len())
}
