//! The real clock and the real dice: the only place that asks the machine what time it is or for chance.

use crate::ports::Clock;
use crate::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[allow(clippy::disallowed_methods)]
        let now = SystemTime::now();
        // Before 1970 only on a machine whose clock was never set: the epoch then.
        let millis = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// Thirty-two unguessable bytes: the desk's signing key, made once.
///
/// # Panics
/// When the operating system has no randomness to give; nothing could be signed safely then.
pub fn new_secret() -> [u8; 32] {
    let mut secret = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut secret).expect("the operating system gives randomness");
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_when_this_was_written() {
        assert!(SystemClock.now() > Timestamp::parse("2026-11-23T00:00:00Z").unwrap());
    }
}
