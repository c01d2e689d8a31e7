//! One mailbox being read for as long as the desk runs.

use super::Shared;
use super::trouble::Trouble;
use crate::flow::{Arrival, Progress, Reading};
use crate::ports::{Batch, BatchLimit, Cursor, Fetched, Inbox, InboxError};
use crate::store::{Source, StoreError};
use crate::time::Timestamp;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Messages and bytes of one round trip.
const BATCH_MESSAGES: usize = 100;
const BATCH_BYTES: usize = 4 << 20;
/// Messages are moved away so many at a time while more is waiting: a server may read the whole folder for each move.
const MOVED_AT_ONCE: usize = 400;

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

/// A batch brought from the mailbox, that is being read.
struct Next {
    reading: Reading,
    cursor: Cursor,
    uids: Vec<u32>,
    more: bool,
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

    /// Takes in everything that is there now.
    ///
    /// While one batch is written, the next one is fetched and read, and what was written before is moved away on the
    /// server. That it was moved is noted in the next commit: a crash before only means that it is moved once more (R11).
    pub async fn round(&mut self, shared: &Shared) -> Result<(), IntakeError> {
        let store = &shared.flow.store;
        let mut cursor = store.cursor(&self.name).await?.unwrap_or(Cursor { uid_validity: 0, uid: 0 });
        // A folder that takes nothing must not keep new mail out (`hardening.md` R11): it is tried once a round, because
        // each refusal costs a connection and servers count logins, and it is said when the rest is done.
        let mut stuck = self.put_away_left_over(shared, cursor).await.err();
        let name = self.name.clone();
        let mut batch = self.next(shared, cursor).await?;
        // In tickets and still in the mailbox; moved away, and not noted yet.
        let (mut lying, mut moved) = (Vec::new(), Vec::new());
        loop {
            if batch.cursor.uid_validity != cursor.uid_validity {
                // The mailbox was rebuilt: the old numbers name other messages now.
                (lying, moved) = (Vec::new(), Vec::new());
            }
            cursor = batch.cursor;
            let progress = Progress { mailbox: &name, cursor, put_away: &moved };
            let taking = async {
                let read = batch.reading.done().await;
                shared.flow.ingest_read(&read, Some(progress), shared.clock.now()).await
            };
            let more = batch.more && !shared.stopping();
            let enough = stuck.is_none() && lying.len() >= MOVED_AT_ONCE;
            let moving = if enough { std::mem::take(&mut lying) } else { Vec::new() };
            let going_on = async {
                let put_away = match moving.is_empty() {
                    true => Ok(()),
                    false => self.inbox.put_away(cursor.uid_validity, &moving).await,
                };
                let next = if more { self.next(shared, cursor).await.map(Some) } else { Ok(None) };
                (put_away, next)
            };
            let ((put_away, next), taken) = tokio::join!(going_on, taking);
            taken?;
            lying.extend(batch.uids);
            moved = if put_away.is_ok() { moving } else { Vec::new() };
            stuck = stuck.or(put_away.err().map(IntakeError::from));
            match next? {
                Some(next) => batch = next,
                None => break,
            }
        }
        if let Some(error) = stuck {
            return Err(error);
        }
        moved.extend(&lying);
        self.put_away(shared, cursor.uid_validity, &lying, &moved).await
    }

    /// The batch after `cursor`.
    async fn next(&mut self, shared: &Shared, cursor: Cursor) -> Result<Next, InboxError> {
        let batch = self.fetch(cursor).await?;
        let cursor = Cursor { uid_validity: batch.uid_validity, uid: batch.seen_up_to };
        let uids = batch.messages.iter().map(|m| m.uid).collect();
        let more = batch.more;
        let reading = shared.flow.read(self.arrivals(batch));
        Ok(Next { reading, cursor, uids, more })
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

    /// After the commit (promise G3): moves `lying` and notes that `moved`, which holds them, are away.
    async fn put_away(
        &mut self,
        shared: &Shared,
        uid_validity: u32,
        lying: &[u32],
        moved: &[u32],
    ) -> Result<(), IntakeError> {
        if moved.is_empty() {
            return Ok(());
        }
        self.inbox.put_away(uid_validity, lying).await?;
        let mut tx = shared.flow.store.begin().await?;
        tx.mark_put_away(&self.name, uid_validity, moved).await?;
        Ok(tx.commit().await?)
    }

    /// Messages that were taken in but still lie in the mailbox: the desk stopped between commit and move (R11).
    async fn put_away_left_over(&mut self, shared: &Shared, cursor: Cursor) -> Result<(), IntakeError> {
        if cursor.uid_validity == 0 {
            return Ok(());
        }
        let left = shared.flow.store.to_put_away(&self.name, cursor.uid_validity).await?;
        self.put_away(shared, cursor.uid_validity, &left, &left).await
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("{0}")]
    Inbox(#[from] InboxError),
    #[error("the database cannot take messages: {0}")]
    Store(#[from] StoreError),
}
