//! A fault that lasts: said once, then waited out.

use super::REFUSED_PAUSE;
use std::time::Duration;

/// Says a fault once, and that it is over once.
#[derive(Default)]
pub struct Trouble {
    current: Option<String>,
    pub times: u32,
}

impl Trouble {
    pub fn say(&mut self, what: &str, error: &str) {
        if self.current.as_deref() != Some(error) {
            tracing::error!("{what}: {error}");
            self.current = Some(error.to_owned());
        }
        self.times = self.times.saturating_add(1);
    }

    pub fn over(&mut self, what: &str) {
        if self.current.take().is_some() {
            tracing::info!("{what}: works again");
        }
        self.times = 0;
    }

    /// 1 s doubling to a minute, spread by a fifth so that many daemons do not come back together.
    pub fn backoff(&self, spread: u64) -> Duration {
        let millis = 1000u64 << self.times.saturating_sub(1).min(6);
        Duration::from_millis(millis.min(60_000) * (90 + spread % 21) / 100)
    }

    /// The pause after a login that was refused, or a fault that only a person can mend.
    pub fn refused_pause(&self, spread: u64) -> Duration {
        if self.times >= 2 { REFUSED_PAUSE } else { self.backoff(spread) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// How many tries there are in the first hour of a fault.
    fn tries(pause: fn(&Trouble, u64) -> Duration) -> usize {
        let (mut trouble, mut at, mut tries) = (Trouble::default(), Duration::ZERO, 0);
        while at < HOUR {
            tries += 1;
            trouble.say("test", "refused");
            at += pause(&trouble, 0);
        }
        tries
    }

    #[test]
    fn r29_at_most_six_refused_logins_an_hour_and_a_lost_network_is_back_within_a_minute() {
        assert!(tries(Trouble::refused_pause) <= 6, "{}", tries(Trouble::refused_pause));
        assert!((60..80).contains(&tries(Trouble::backoff)), "{}", tries(Trouble::backoff));
    }

    #[test]
    fn backoff_doubles_up_to_a_minute_with_a_spread() {
        let after = |times, spread| Trouble { current: None, times }.backoff(spread).as_millis();
        assert_eq!([1, 2, 3, 7, 50].map(|times| after(times, 10)), [1000, 2000, 4000, 60_000, 60_000]);
        assert_eq!((after(1, 0), after(1, 20)), (900, 1100));
    }
}
