//! Times the work of a test by the processor time of its thread: whatever else the machine does, does not count.

use std::time::Duration;

/// Running since it was made.
pub struct Stopwatch(Duration);

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch(processor_time())
    }

    pub fn elapsed(&self) -> Duration {
        processor_time().saturating_sub(self.0)
    }
}

/// The first figure of `schedstat` is nanoseconds spent on a processor (proc(5)).
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the tests run on Linux");
    let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number of nanoseconds");
    Duration::from_nanos(nanos)
}
