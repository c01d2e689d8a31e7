//! One mailbox being read for as long as the desk runs.

use super::Shared;
use super::trouble::Trouble;
use crate::flow::Arrival;
use crate::ports::{Batch, BatchLimit, Cursor, Fetched, Inbox, InboxError};
use crate::store::{Source, StoreError};
use crate::time::Timestamp;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Messages and bytes of one round trip.
const BATCH_MESSAGES: usize = 100;
const BATCH_BYTES: usize = 4 << 20;

/// One mailbox being read for as long as the desk runs.
pub struct Intake<I> {
    pub name: String,
    pub inbox: I,
    /// Nothing that arrived before this is answered.
    pub since: Timestamp,
    pub message_bytes: usize,
    /// The longest wait between two looks.
    pub poll: Duration,
}

impl<I: Inbox> Intake<I> {
    pub async fn run(mut self, shared: Shared) {
        let mut trouble = Trouble::default();
        let what = format!("mailbox {:?}", self.name);
        while !shared.stopping() {
            let pause = match self.round(&shared).await {
                Ok(()) => {
                    trouble.over(&what);
                    shared.health.last_poll.store(shared.clock.now().millis(), Ordering::Relaxed);
                    self.wait(&shared).await.err()
                }
                Err(error) => Some(error),
            };
            if let Some(error) = pause {
                if let IntakeError::Store(error) = &error {
                    shared.report(error);
                }
                trouble.say(&what, &error.to_string());
                let spread = shared.clock.now().millis().unsigned_abs();
                let refused = matches!(error, IntakeError::Inbox(InboxError::Refused(_)));
                shared.pause(if refused { trouble.refused_pause(spread) } else { trouble.backoff(spread) }).await;
            }
        }
    }

    async fn wait(&mut self, shared: &Shared) -> Result<(), IntakeError> {
        let mut stop = shared.stop.clone();
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => Ok(()),
            result = self.inbox.wait(self.poll) => Ok(result?),
        }
    }

    /// Takes in everything that is there now. The next batch is fetched while this one is being written.
    pub async fn round(&mut self, shared: &Shared) -> Result<(), IntakeError> {
        let store = &shared.flow.store;
        let mut cursor = store.cursor(&self.name).await?.unwrap_or(Cursor { uid_validity: 0, uid: 0 });
        // A folder that takes nothing must not keep new mail out (`hardening.md` R11): it is said when the rest is done.
        let mut moved = self.put_away_left_over(shared, cursor).await;
        let mut batch = self.fetch(cursor).await?;
        loop {
            cursor = Cursor { uid_validity: batch.uid_validity, uid: batch.seen_up_to };
            let more = batch.more && !shared.stopping();
            let uids: Vec<u32> = batch.messages.iter().map(|m| m.uid).collect();
            let arrivals = self.arrivals(batch);
            let name = self.name.clone();
            let taking = shared.flow.ingest(arrivals, Some((&name, cursor)), shared.clock.now());
            let next = if more {
                let (next, taken) = tokio::join!(self.fetch(cursor), taking);
                taken?;
                Some(next)
            } else {
                taking.await?;
                None
            };
            // One refusal a round: each costs a connection, and servers count logins.
            if moved.is_ok() {
                moved = self.put_away(shared, cursor.uid_validity, &uids).await;
            }
            match next {
                Some(next) => batch = next?,
                None => return moved,
            }
        }
    }

    async fn fetch(&mut self, after: Cursor) -> Result<Batch, InboxError> {
        let limit = BatchLimit { messages: BATCH_MESSAGES, bytes: BATCH_BYTES, message_bytes: self.message_bytes };
        self.inbox.fetch_after(after, self.since, limit).await
    }

    fn arrivals(&self, batch: Batch) -> Vec<Arrival> {
        let uid_validity = batch.uid_validity;
        let source = |uid| Source { mailbox: self.name.clone(), uid_validity, uid };
        let arrival =
            |m: Fetched| Arrival { source: Some(source(m.uid)), arrived: m.arrived, size: m.size, content: m.content };
        batch.messages.into_iter().map(arrival).collect()
    }

    /// After the commit (promise G3). A crash before this is made good by [`Intake::put_away_left_over`].
    async fn put_away(&mut self, shared: &Shared, uid_validity: u32, uids: &[u32]) -> Result<(), IntakeError> {
        if uids.is_empty() {
            return Ok(());
        }
        self.inbox.put_away(uid_validity, uids).await?;
        let mut tx = shared.flow.store.begin().await?;
        tx.mark_put_away(&self.name, uid_validity, uids).await?;
        Ok(tx.commit().await?)
    }

    /// Messages that were taken in but still lie in the mailbox: the desk stopped between commit and move (R11).
    async fn put_away_left_over(&mut self, shared: &Shared, cursor: Cursor) -> Result<(), IntakeError> {
        if cursor.uid_validity == 0 {
            return Ok(());
        }
        let left = shared.flow.store.to_put_away(&self.name, cursor.uid_validity).await?;
        self.put_away(shared, cursor.uid_validity, &left).await
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("{0}")]
    Inbox(#[from] InboxError),
    #[error("the database cannot take messages: {0}")]
    Store(#[from] StoreError),
}
