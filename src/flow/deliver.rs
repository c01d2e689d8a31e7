//! The outbox to the world: claim, send, settle (the states stand in `store::outbox`).

use super::Flow;
use crate::desk::event::Event;
use crate::desk::retry;
use crate::ports::{Clock, Envelope, Mailer, SendOutcome};
use crate::store::{Claimed, Settled, StoreError};
use crate::time::Timestamp;
use std::time::Duration;

/// Letters claimed together. Small: a crash can repeat at most these.
const AT_ONCE: i64 = 20;

/// How long a claim holds. Longer than all SMTP time-outs of one letter together; see [`LAST_START`].
pub const LEASE: Duration = Duration::from_secs(40 * 60);

/// No letter of a claim is begun later than this: what is left is given back.
const LAST_START: Duration = Duration::from_secs(10 * 60);

/// How many letters may leave (`domain.md` 2.3); `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub minute: Option<i64>,
    pub hour: Option<i64>,
    pub day: Option<i64>,
}

/// What one round of sending did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: usize,
    /// To be tried again later.
    pub postponed: usize,
    pub failed: usize,
    /// The queue cannot work until somebody mends the configuration; the server's words.
    pub misconfigured: Option<String>,
    /// The server took no connection: nothing was tried, the queue waits. Why.
    pub unreachable: Option<String>,
    /// A rate limit was reached: nothing more before this long.
    pub held_back: Option<Duration>,
}

impl Delivered {
    /// No use to try another letter now.
    fn has_stopped(&self) -> bool {
        self.misconfigured.is_some() || self.unreachable.is_some()
    }
}

/// Letters that were sent, or not, and whose rows do not say so yet.
#[derive(Debug, Default)]
pub struct Unsettled(Vec<(i64, i64, Settled)>);

impl Flow {
    /// Sends what is due, at most [`AT_ONCE`] letters, and writes down what became of them.
    ///
    /// # Errors
    /// The store's. Letters whose outcome could not be recorded are tried again when their lease is over: the one
    /// window in which a letter can go out twice, both times with the same Message-ID (promise G2).
    pub async fn deliver(
        &self,
        mailer: &mut impl Mailer,
        clock: &dyn Clock,
        rates: Rates,
    ) -> Result<Delivered, StoreError> {
        let mut unsettled = Unsettled::default();
        let delivered = self.deliver_on(&mut unsettled, mailer, clock, rates).await?;
        self.settle(&mut unsettled).await?;
        Ok(delivered)
    }

    /// The same for one round of many: what became of the letters is written down together with the next claim, in one
    /// commit. Who waits or ends calls [`Flow::settle`] first; after a round that sent nothing, all is settled.
    ///
    /// # Errors
    /// As [`Flow::deliver`]; what is unsettled stays so.
    pub async fn deliver_on(
        &self,
        unsettled: &mut Unsettled,
        mailer: &mut impl Mailer,
        clock: &dyn Clock,
        rates: Rates,
    ) -> Result<Delivered, StoreError> {
        let mut delivered = Delivered::default();
        if rates != Rates::default() {
            self.settle(unsettled).await?;
        }
        let allowed = self.allowance(rates, clock.now()).await?;
        if allowed.0 <= 0 {
            delivered.held_back = Some(allowed.1);
            return Ok(delivered);
        }
        let claimed_at = clock.now();
        let claimed = self.store.settle_and_claim(&unsettled.0, claimed_at, LEASE, AT_ONCE.min(allowed.0)).await?;
        unsettled.0.clear();
        let mut refused = Vec::new();
        for letter in &claimed {
            let late = clock.now().since(claimed_at) > LAST_START;
            let outcome = if late || delivered.has_stopped() {
                None
            } else {
                let envelope = Envelope { from: letter.envelope_from.clone(), to: letter.to.clone() };
                Some(mailer.send(&envelope, &letter.bytes).await)
            };
            let verdict = judge(letter, outcome, clock.now(), &mut delivered);
            let row = (letter.id, letter.attempt, verdict);
            if matches!(row.2, Settled::Failed { .. }) { refused.push((letter, row)) } else { unsettled.0.push(row) }
        }
        if delivered.has_stopped() || !refused.is_empty() {
            // What the server took is written down before anything else can go wrong.
            self.settle(unsettled).await?;
        }
        for (letter, row) in refused {
            self.give_up(letter, row, clock.now()).await?;
        }
        Ok(delivered)
    }

    /// Writes down what became of letters.
    ///
    /// # Errors
    /// The store's; they stay unsettled.
    pub async fn settle(&self, unsettled: &mut Unsettled) -> Result<(), StoreError> {
        if !unsettled.0.is_empty() {
            self.store.settle_all(&unsettled.0).await?;
            unsettled.0.clear();
        }
        Ok(())
    }

    /// How many letters may leave now, and how long to wait when none may.
    async fn allowance(&self, rates: Rates, now: Timestamp) -> Result<(i64, Duration), StoreError> {
        let mut allowed = (i64::MAX, Duration::ZERO);
        for (limit, window, pause) in [(rates.minute, 60, 5), (rates.hour, 3600, 60), (rates.day, 86_400, 600)] {
            let Some(limit) = limit else { continue };
            let sent = self.store.sent_since(now - Duration::from_secs(window)).await?;
            if limit - sent < allowed.0 {
                allowed = (limit - sent, Duration::from_secs(pause));
            }
        }
        Ok(allowed)
    }

    /// First the news, then the mark: a crash in between tells twice into the same letter, never not at all.
    async fn give_up(&self, letter: &Claimed, row: (i64, i64, Settled), now: Timestamp) -> Result<(), StoreError> {
        if let Settled::Failed { error, .. } = &row.2 {
            match self.tell_undelivered(letter, error, now).await {
                Err(fault) if fault.is_systemic() => return Err(fault),
                Err(fault) => tracing::error!(letter = letter.key, "nobody was told that it failed: {fault}"),
                Ok(()) => {}
            }
        }
        self.store.settle_all(&[row]).await?;
        Ok(())
    }

    async fn tell_undelivered(&self, letter: &Claimed, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let Some(number) = letter.number else { return Ok(()) };
        let (to, reason) = (letter.to.clone(), reason.to_owned());
        let event = Event::Undelivered { number, to, letter: letter.key.clone(), reason };
        self.handle(&event, now).await
    }
}

/// What an outcome means for the row; `None`: the letter was not begun and goes back as it was.
fn judge(letter: &Claimed, outcome: Option<SendOutcome>, now: Timestamp, delivered: &mut Delivered) -> Settled {
    let untouched = |error: String| Settled::Again { due: now, error, uncounted: true };
    let again = |error: String| match retry::next(letter.counted, letter.queued, now, letter.id) {
        Some(due) => Settled::Again { due, error, uncounted: false },
        None => Settled::Failed { at: now, error: format!("given up after five days: {error}") },
    };
    let settled = match outcome {
        None => return untouched(String::new()),
        Some(SendOutcome::Unreachable(error)) => {
            delivered.unreachable = Some(error.clone());
            return untouched(error);
        }
        Some(SendOutcome::Misconfigured(error)) => {
            delivered.misconfigured = Some(error.clone());
            return untouched(error);
        }
        Some(SendOutcome::Accepted(answer)) => Settled::Sent { at: now, answer },
        Some(SendOutcome::Retry(error) | SendOutcome::Unknown(error)) => again(error),
        Some(SendOutcome::Refused(error)) => Settled::Failed { at: now, error },
    };
    match &settled {
        Settled::Sent { .. } => delivered.sent += 1,
        Settled::Again { .. } => delivered.postponed += 1,
        Settled::Failed { .. } => delivered.failed += 1,
    }
    settled
}
