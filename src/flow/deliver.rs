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

/// A letter that failed for good while nobody could be told of it is tried again after this long.
const UNTOLD_PAUSE: Duration = Duration::from_secs(60);

/// What one round of sending did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: usize,
    /// To be tried again later.
    pub postponed: usize,
    pub failed: usize,
    /// The queue cannot work until somebody mends the configuration; the server's words.
    pub misconfigured: Option<String>,
    /// A rate limit was reached: nothing more before this long.
    pub held_back: Option<Duration>,
}

impl Flow {
    /// Sends what is due, at most [`AT_ONCE`] letters.
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
        let mut delivered = Delivered::default();
        let allowed = self.allowance(rates, clock.now()).await?;
        if allowed.0 <= 0 {
            delivered.held_back = Some(allowed.1);
            return Ok(delivered);
        }
        let claimed_at = clock.now();
        let claimed = self.store.claim(claimed_at, LEASE, AT_ONCE.min(allowed.0)).await?;
        let mut settled = Vec::with_capacity(claimed.len());
        let mut untold = None;
        for letter in &claimed {
            let late = clock.now().since(claimed_at) > LAST_START;
            let outcome = if late || delivered.misconfigured.is_some() {
                None
            } else {
                let envelope = Envelope { from: letter.envelope_from.clone(), to: letter.to.clone() };
                Some(mailer.send(&envelope, &letter.bytes).await)
            };
            let now = clock.now();
            // That nobody could be told of one failure must not lose what the server answered to the others (G2).
            let verdict = self.judge(letter, outcome, now, &mut delivered).await.unwrap_or_else(|fault| {
                let error = format!("it failed, and nobody could be told: {fault}");
                untold = Some(fault);
                Settled::Again { due: now + UNTOLD_PAUSE, error, uncounted: true }
            });
            settled.push((letter.id, letter.attempt, verdict));
        }
        if !settled.is_empty() {
            self.store.settle_all(&settled).await?;
        }
        untold.map_or(Ok(delivered), Err)
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

    /// What an outcome means for the row; `None`: the letter was not begun and goes back as it was.
    async fn judge(
        &self,
        letter: &Claimed,
        outcome: Option<SendOutcome>,
        now: Timestamp,
        delivered: &mut Delivered,
    ) -> Result<Settled, StoreError> {
        let again = |error: String| match retry::next(letter.counted, letter.queued, now, letter.id) {
            Some(due) => Settled::Again { due, error, uncounted: false },
            None => Settled::Failed { at: now, error: format!("given up after five days: {error}") },
        };
        let settled = match outcome {
            None => Settled::Again { due: now, error: String::new(), uncounted: true },
            Some(SendOutcome::Accepted(answer)) => Settled::Sent { at: now, answer },
            Some(SendOutcome::Retry(error) | SendOutcome::Unknown(error)) => again(error),
            Some(SendOutcome::Refused(error)) => Settled::Failed { at: now, error },
            Some(SendOutcome::Misconfigured(error)) => {
                delivered.misconfigured = Some(error.clone());
                Settled::Again { due: now, error, uncounted: true }
            }
        };
        match &settled {
            Settled::Sent { .. } => delivered.sent += 1,
            Settled::Again { .. } => delivered.postponed += 1,
            Settled::Failed { error, .. } => {
                delivered.failed += 1;
                // First the news, then the mark: a crash in between tells twice into the same letter, never not at all.
                self.tell_undelivered(letter, error, now).await?;
            }
        }
        Ok(settled)
    }

    async fn tell_undelivered(&self, letter: &Claimed, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let Some(number) = letter.number else { return Ok(()) };
        let (to, reason) = (letter.to.clone(), reason.to_owned());
        let event = Event::Undelivered { number, to, letter: letter.key.clone(), reason };
        self.handle(&event, now).await
    }
}
