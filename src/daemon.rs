//! The running desk: the only place that spawns tasks and sleeps.
//!
//! One task reads each mailbox, one or more send, one keeps the timers, one serves the pages. They share nothing but the
//! [`Flow`] and a stop signal; every one of them survives its own errors.

use crate::flow::deliver::Rates;
use crate::flow::{Arrival, Flow};
use crate::ports::{Batch, BatchLimit, Clock, Cursor, Inbox, InboxError, Mailer};
use crate::store::{Source, StoreError};
use crate::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Messages and bytes of one round trip.
const BATCH_MESSAGES: usize = 100;
const BATCH_BYTES: usize = 4 << 20;

/// The longest a lost wake-up can cost.
const SWEEP: Duration = Duration::from_secs(30);

/// A refused login may lock the account: at most six tries an hour (`hardening.md` R29).
const REFUSED_PAUSE: Duration = Duration::from_secs(600);

/// When things last went well, for `/readyz`.
#[derive(Debug, Default)]
pub struct Health {
    pub last_poll: AtomicI64,
    pub last_send: AtomicI64,
    pub store_failing: AtomicI64,
}

/// What the tasks share.
#[derive(Clone)]
pub struct Shared {
    pub flow: Flow,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    /// Becomes true once: finish what is in hand and return.
    pub stop: watch::Receiver<bool>,
}

impl Shared {
    /// Sleeps, or returns true at once when the desk stops.
    async fn pause(&self, duration: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => true,
            () = tokio::time::sleep(duration) => false,
        }
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }
}

/// Says a fault once, and that it is over once.
#[derive(Default)]
struct Trouble {
    current: Option<String>,
    times: u32,
}

impl Trouble {
    fn say(&mut self, what: &str, error: &str) {
        if self.current.as_deref() != Some(error) {
            tracing::error!("{what}: {error}");
            self.current = Some(error.to_owned());
        }
        self.times = self.times.saturating_add(1);
    }

    fn over(&mut self, what: &str) {
        if self.current.take().is_some() {
            tracing::info!("{what}: works again");
        }
        self.times = 0;
    }

    /// 1 s doubling to a minute, spread by a fifth so that many daemons do not come back together.
    fn backoff(&self, spread: u64) -> Duration {
        let millis = 1000u64 << self.times.saturating_sub(1).min(6);
        Duration::from_millis(millis.min(60_000) * (90 + spread % 21) / 100)
    }
}

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
                trouble.say(&what, &error.to_string());
                let spread = shared.clock.now().millis().unsigned_abs();
                let refused = matches!(error, IntakeError::Inbox(InboxError::Refused(_))) && trouble.times >= 3;
                shared.pause(if refused { REFUSED_PAUSE } else { trouble.backoff(spread) }).await;
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
        self.put_away_left_over(shared, cursor).await?;
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
            self.put_away(shared, cursor.uid_validity, &uids).await?;
            match next {
                Some(next) => batch = next?,
                None => return Ok(()),
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
        let arrival = |m: crate::ports::Fetched| Arrival {
            source: Some(source(m.uid)),
            arrived: m.arrived,
            size: m.size,
            content: m.content,
        };
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

/// Sends for as long as the desk runs.
pub async fn send(mut mailer: impl Mailer, rates: Rates, shared: Shared) {
    let mut trouble = Trouble::default();
    while !shared.stopping() {
        let round = shared.flow.deliver(&mut mailer, shared.clock.as_ref(), rates).await;
        let spread = shared.clock.now().millis().unsigned_abs();
        let pause = match round {
            Ok(done) if done.misconfigured.is_some() => {
                let error = done.misconfigured.unwrap_or_default();
                trouble.say("sending is paused until the configuration is mended", &error);
                Some(REFUSED_PAUSE.min(trouble.backoff(spread) * 10))
            }
            Ok(done) if done.sent + done.postponed + done.failed > 0 => {
                if done.sent > 0 {
                    trouble.over("sending");
                    shared.health.last_send.store(shared.clock.now().millis(), Ordering::Relaxed);
                }
                None
            }
            Ok(done) if done.held_back.is_some() => done.held_back,
            Ok(_) => {
                until_due(&shared).await;
                None
            }
            Err(error) => {
                trouble.say("outbox", &error.to_string());
                Some(trouble.backoff(spread))
            }
        };
        if let Some(pause) = pause {
            shared.pause(pause).await;
        }
    }
}

/// Until a letter is queued or one that waits falls due.
async fn until_due(shared: &Shared) {
    let now = shared.clock.now();
    let due = shared.flow.store.next_due(now).await.ok().flatten();
    let wait = due.map_or(SWEEP, |due| due.since(now)).min(SWEEP);
    let mut stop = shared.stop.clone();
    tokio::select! {
        _ = stop.wait_for(|stopped| *stopped) => {}
        () = shared.flow.letters_queued.notified() => {}
        () = tokio::time::sleep(wait) => {}
    }
}

/// Handles timers for as long as the desk runs.
pub async fn keep_time(shared: Shared) {
    let mut trouble = Trouble::default();
    while !shared.stopping() {
        let now = shared.clock.now();
        let wait = match shared.flow.tick(now).await {
            Ok(_) => {
                trouble.over("timers");
                let next = shared.flow.store.next_timer().await.ok().flatten();
                next.map_or(SWEEP, |due| due.since(now)).clamp(Duration::from_millis(100), SWEEP)
            }
            Err(error) => {
                trouble.say("timers", &error.to_string());
                trouble.backoff(now.millis().unsigned_abs())
            }
        };
        let mut stop = shared.stop.clone();
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => {}
            () = shared.flow.timers_changed.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
