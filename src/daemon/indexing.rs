//! The search being kept up to date for as long as the desk runs, when mail leaves time for it.

use super::Shared;
use super::trouble::Trouble;
use std::time::Duration;

/// How soon a change is found when nothing else is to be done.
const PAUSE: Duration = Duration::from_secs(2);
/// Between two rounds: somebody else may want the database.
const BREATH: Duration = Duration::from_millis(100);
/// While mail comes in the search waits, but no longer than so many pauses.
const PATIENCE: u32 = 15;
/// Rounds after which it looks again whether mail comes in.
const ROUNDS: usize = 20;

/// Indexes for as long as the desk runs.
pub async fn keep_found(shared: Shared) {
    let (mut trouble, mut waited) = (Trouble::default(), 0);
    let mut taken_in = shared.flow.taken_in();
    while !shared.pause(PAUSE).await {
        let now = shared.flow.taken_in();
        let busy = std::mem::replace(&mut taken_in, now) != now;
        if busy && waited < PATIENCE {
            waited += 1;
            continue;
        }
        waited = 0;
        for _ in 0..ROUNDS {
            match shared.flow.index(shared.clock.now()).await {
                Ok(0) => break,
                Ok(_) => trouble.over("search"),
                Err(error) => {
                    shared.report(&error);
                    trouble.say("search", &error.to_string());
                    let spread = shared.clock.now().millis().unsigned_abs();
                    shared.pause(trouble.backoff(spread)).await;
                    break;
                }
            }
            if shared.pause(BREATH).await {
                return;
            }
        }
    }
}
