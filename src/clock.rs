//! The real clock: the only place that asks the machine what time it is.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_when_this_was_written() {
        assert!(SystemClock.now() > Timestamp::parse("2026-11-23T00:00:00Z").unwrap());
    }
}
