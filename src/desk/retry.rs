//! When a letter that could not be handed over is tried again, and when the desk gives up.

use crate::time::Timestamp;
use std::time::Duration;

/// RFC 5321 section 4.5.4.1: give up after four to five days.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(5 * 86_400);

/// Minutes until the next attempt after the first, second, ... one: two more tries within the first hour
/// (RFC 5321 section 4.5.4.1), then wider. The last one repeats.
const STEPS: &[u64] = &[5, 20, 60, 120, 240, 480];

/// When to try again after `attempt` attempts (from 1); `None`: five days are over, the letter has failed.
///
/// `spread` (any number, such as the row's id) moves the moment by up to a tenth so that a thousand letters that
/// failed together do not come back together.
pub fn next(attempt: i64, queued: Timestamp, now: Timestamp, spread: i64) -> Option<Timestamp> {
    let step = usize::try_from(attempt.max(1) - 1).unwrap_or(usize::MAX).min(STEPS.len() - 1);
    let wait = STEPS[step] * 60;
    let jitter = wait / 10 * u64::try_from(spread.rem_euclid(11)).unwrap_or(0) / 10;
    let due = now + Duration::from_secs(wait + jitter);
    (due <= queued + GIVE_UP_AFTER).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_two_tries_in_the_first_hour_then_wider_and_five_days_in_all() {
        let queued = Timestamp::from_seconds(0);
        let (mut now, mut attempts) = (queued, vec![]);
        let mut attempt = 1;
        while let Some(due) = next(attempt, queued, now, 0) {
            attempts.push(due.millis() / 60_000);
            (now, attempt) = (due, attempt + 1);
        }
        assert!(attempts.iter().filter(|m| **m <= 60).count() >= 2, "{attempts:?}");
        assert!(attempts.windows(3).all(|w| w[2] - w[1] >= w[1] - w[0]), "{attempts:?}");
        let last = *attempts.last().unwrap();
        assert!((4 * 1440..=5 * 1440).contains(&last), "{last}");
    }

    #[test]
    fn failures_spread_out() {
        let at = |spread| next(1, Timestamp::default(), Timestamp::default(), spread).unwrap();
        assert!(at(10) > at(0) && at(10).since(at(0)) <= Duration::from_secs(30));
    }
}
