//! The outbox being emptied, and timers being kept, for as long as the desk runs.

use super::trouble::Trouble;
use super::{SWEEP, Shared};
use crate::flow::deliver::{Rates, Unsettled};
use crate::ports::Mailer;
use crate::store::StoreError;
use crate::time::Timestamp;
use std::time::Duration;

/// Sends for as long as the desk runs.
pub async fn send(mut mailer: impl Mailer, rates: Rates, shared: Shared) {
    let (mut trouble, mut storing) = (Trouble::default(), Trouble::default());
    let mut unsettled = Unsettled::default();
    let mut held_back = false;
    while !shared.stopping() {
        let round = shared.flow.deliver_on(&mut unsettled, &mut mailer, shared.clock.as_ref(), rates).await;
        let spread = shared.clock.now().millis().unsigned_abs();
        let done = match round {
            Ok(done) => done,
            Err(error) => {
                shared.report(&error);
                storing.say("outbox", &error.to_string());
                shared.pause(storing.backoff(spread)).await;
                continue;
            }
        };
        storing.over("outbox");
        if done.sent > 0 {
            trouble.over("sending");
        }
        if let Some(error) = &done.misconfigured {
            trouble.say("sending is paused until the configuration is mended", error);
            shared.pause(trouble.refused_pause(spread)).await;
        } else if let Some(error) = &done.unreachable {
            trouble.say("letters wait, nothing is lost", error);
            shared.pause(trouble.backoff(spread)).await;
        } else if let Some(pause) = done.held_back {
            // Said once until the outbox is empty again: a burst is held back many times.
            if !std::mem::replace(&mut held_back, true) {
                let seconds = pause.as_secs().max(1);
                tracing::info!("letters wait {seconds} s: per_minute, per_hour or per_day in [smtp] is reached");
            }
            shared.pause(pause).await;
        } else if done.sent + done.postponed + done.failed == 0 {
            held_back = false;
            until_due(&shared).await;
        }
    }
    if let Err(error) = shared.flow.settle(&mut unsettled).await {
        storing.say("outbox", &error.to_string());
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
        let wait = match tick(&shared, now).await {
            Ok(next) => {
                trouble.over("timers");
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

/// Handles what is due; gives when the next one is.
async fn tick(shared: &Shared, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let next = shared.flow.store.next_timer().await?;
    if next.is_none_or(|due| due > now) {
        return Ok(next);
    }
    for error in shared.flow.tick(now).await?.put_off {
        tracing::error!("a timer is tried again in an hour: {error}");
    }
    shared.flow.store.next_timer().await
}

/// How often somebody's absence is looked for: leave begins at a date, and a reload may take somebody out.
const ABSENCES: Duration = Duration::from_secs(60);

/// Hands over the tickets of engineers who are not there, for as long as the desk runs.
pub async fn hand_over(shared: Shared) {
    let mut trouble = Trouble::default();
    loop {
        match shared.flow.hand_over(shared.clock.now()).await {
            Ok(0) => trouble.over("handing over"),
            Ok(moved) => tracing::info!(tickets = moved, "handed over: their engineers are away or gone"),
            Err(error) => {
                shared.report(&error);
                trouble.say("handing over", &error.to_string());
            }
        }
        if shared.pause(ABSENCES).await {
            return;
        }
    }
}
