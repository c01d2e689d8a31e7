//! The road into state: gather the facts, ask the rules, compose the letters, write it all down at once.
//!
//! [`Flow::ingest`] takes mail, [`Flow::handle`] everything else. Both do the same in one transaction: situation,
//! `desk::decide`, exact bytes of every letter, apply, durable commit. Nothing leaves before the commit (promise G3).

mod apply;
mod beside;
pub mod deliver;
mod digest;
pub mod erase;
mod gather;
mod handover;
mod index;
mod ingest;
mod letters;
mod tick;

pub use ingest::{Arrival, Outcome, Progress, Reading};

use beside::Beside;

use crate::desk::directory::Directory;
use crate::desk::event::Event;
use crate::desk::policy::Policy;
use crate::mail::templates::Templates;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use tokio::sync::Notify;

/// What every road into state needs. Cheap to clone.
#[derive(Clone)]
pub struct Flow {
    pub store: Store,
    beside: Beside,
    rules: Arc<RwLock<Rules>>,
    /// Rung after every commit that queued a letter.
    pub letters_queued: Arc<Notify>,
    /// Rung after every commit that set a timer.
    pub timers_changed: Arc<Notify>,
    taken_in: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Rules {
    policy: Arc<Policy>,
    templates: Arc<Templates>,
}

impl Flow {
    pub fn new(store: Store, policy: Policy, templates: Templates) -> Flow {
        let rules = Rules { policy: Arc::new(policy), templates: Arc::new(templates) };
        Flow {
            store,
            beside: Beside::new(),
            rules: Arc::new(RwLock::new(rules)),
            letters_queued: Arc::new(Notify::new()),
            timers_changed: Arc::new(Notify::new()),
            taken_in: Arc::default(),
        }
    }

    /// Replaces policy and templates; what is being handled finishes under the old ones.
    pub fn reload(&self, policy: Policy, templates: Templates) {
        let rules = Rules { policy: Arc::new(policy), templates: Arc::new(templates) };
        *self.rules.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = rules;
    }

    /// From now on the rules know these people; what is being handled finishes with those before.
    pub fn use_directory(&self, directory: Arc<Directory>) {
        let mut rules = self.rules.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        rules.policy = Arc::new(Policy { directory, ..rules.policy.as_ref().clone() });
    }

    /// Batches of mail taken in so far: what can wait, waits while this grows.
    pub fn taken_in(&self) -> u64 {
        self.taken_in.load(Ordering::Relaxed)
    }

    pub fn policy(&self) -> Arc<Policy> {
        self.rules().policy
    }

    /// A page of the site, filled in; `None` when its template fails.
    pub fn page(&self, name: &str, context: &tera::Context) -> Option<String> {
        self.rules().templates.page(name, context)
    }

    fn rules(&self) -> Rules {
        self.rules.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Carries out an event that is not a mail. When somebody else changed the ticket at the same moment, once more.
    ///
    /// # Errors
    /// The store's; nothing has happened then.
    pub async fn handle(&self, event: &Event, now: Timestamp) -> Result<(), StoreError> {
        let mut conflict = String::new();
        for _ in 0..5 {
            match self.try_handle(event, now).await {
                Err(StoreError::Conflict(what)) => conflict = what,
                other => return other,
            }
        }
        Err(StoreError::Conflict(conflict))
    }

    async fn try_handle(&self, event: &Event, now: Timestamp) -> Result<(), StoreError> {
        let rules = self.rules();
        let mut tx = self.store.begin().await?;
        let mut facts = gather::Facts::new(&self.beside, now);
        let mut applied = apply::Applied::default();
        let mut work = apply::Work { tx: &mut tx, rules: &rules, facts: &mut facts, applied: &mut applied, now };
        work.carry_out(event, None).await?;
        facts.letters.write(&mut tx).await?;
        tx.commit().await?;
        self.ring(&applied, facts.letters.queued);
        Ok(())
    }

    fn ring(&self, applied: &apply::Applied, letters: usize) {
        if letters > 0 {
            self.letters_queued.notify_one();
        }
        if applied.next_timer.is_some() {
            self.timers_changed.notify_one();
        }
    }
}
