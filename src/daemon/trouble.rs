//! A fault that lasts: said once, then waited out.

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
}
