//! The outbox being emptied, and timers being kept, for as long as the desk runs.

use super::trouble::Trouble;
use super::{REFUSED_PAUSE, SWEEP, Shared};
use crate::flow::deliver::Rates;
use crate::ports::Mailer;
use std::time::Duration;

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
                }
                None
            }
            Ok(done) if done.held_back.is_some() => done.held_back,
            Ok(_) => {
                until_due(&shared).await;
                None
            }
            Err(error) => {
                shared.report(&error);
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
                shared.report(&error);
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
