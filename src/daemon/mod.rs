//! The running desk: the only place that spawns tasks and sleeps.
//!
//! One task reads each mailbox, one or more send, one keeps the timers, one serves the pages. They share nothing but the
//! [`Flow`] and a stop signal; every one of them survives its own errors.

mod directory;
mod indexing;
mod intake;
mod outgoing;
mod run;
pub mod settings;
mod trouble;

pub use intake::{Intake, IntakeError};
pub use run::{open, run};

use crate::flow::Flow;
use crate::ports::Clock;
use crate::store::StoreError;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The longest a lost wake-up can cost, and how soon letters queued by another process are noticed.
const SWEEP: Duration = Duration::from_secs(5);

/// A refused login may lock the account: two tries, then so long a pause that there are at most six in an hour
/// (`hardening.md` R29).
const REFUSED_PAUSE: Duration = Duration::from_secs(12 * 60);

/// When things last went well, for `/readyz`.
#[derive(Debug, Default)]
pub struct Health {
    pub last_poll: AtomicI64,
}

/// What the tasks share.
#[derive(Clone)]
pub struct Shared {
    pub flow: Flow,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    /// Becomes true once: finish what is in hand and return.
    pub stop: watch::Receiver<bool>,
    /// The database's disk fails: the process must end (`hardening.md` R5).
    pub fatal: mpsc::UnboundedSender<String>,
}

impl Shared {
    /// Sleeps, or returns true at once when the desk stops.
    async fn pause(&self, duration: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => true,
            () = tokio::time::sleep(duration) => false,
        }
    }

    /// Hands a fault that nothing here can mend to whoever runs the process.
    fn report(&self, error: &StoreError) {
        if error.is_fatal() {
            let _ = self.fatal.send(error.to_string());
        }
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }
}
