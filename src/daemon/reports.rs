//! Reports for as long as the desk runs: what they need is kept up to date, and each is written when it is due.

use super::Shared;
use super::trouble::Trouble;
use crate::desk::digest::{Goals, Plan, Slot};
use crate::desk::letter::Letter;
use crate::report::{Context, ROWS, Report, Written};
use crate::store::StoreError;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

/// How often is looked for what is due, and for tickets that changed.
const LOOK: Duration = Duration::from_secs(60);

/// Between two portions of tickets, so that mail never waits for long.
const BREATH: Duration = Duration::from_millis(100);

/// Writes reports for as long as the desk runs.
pub async fn report(plans: Vec<Plan>, goals: Goals, shared: Shared) {
    if plans.is_empty() {
        return;
    }
    let mut reports = Reports::new(plans, goals);
    let mut trouble = Trouble::default();
    while !shared.stopping() {
        let wait = match reports.look(&shared).await {
            Ok(()) => {
                trouble.over("reports");
                LOOK
            }
            Err(error) => {
                shared.report(&error);
                trouble.say("reports", &error.to_string());
                trouble.backoff(shared.clock.now().millis().unsigned_abs())
            }
        };
        if shared.pause(wait).await {
            return;
        }
    }
}

/// The reports of a configuration.
pub struct Reports {
    plans: Vec<Plan>,
    goals: Arc<Goals>,
    /// Since when each is known to this desk.
    known: HashMap<String, Timestamp>,
}

impl Reports {
    pub fn new(plans: Vec<Plan>, goals: Goals) -> Reports {
        Reports { plans, goals: Arc::new(goals), known: HashMap::new() }
    }

    /// Brings up to date what reports are counted from, and sends what is due.
    ///
    /// # Errors
    /// The store's; what was not sent is still due.
    pub async fn look(&mut self, shared: &Shared) -> Result<(), StoreError> {
        for plan in &self.plans {
            if !self.known.contains_key(&plan.name) {
                let mut tx = shared.flow.store.begin().await?;
                let since = tx.know_digest(&plan.name, shared.clock.now()).await?;
                tx.commit().await?;
                self.known.insert(plan.name.clone(), since);
            }
        }
        // Whatever has changed since the last look; a great deal only when many tickets are older than this program.
        while shared.flow.reckon().await? > 0 {
            if shared.pause(BREATH).await {
                return Ok(());
            }
        }
        let now = shared.clock.now();
        let calendar = shared.flow.policy().calendar.clone();
        for plan in &self.plans {
            for slot in plan.due(&calendar, now, self.known[&plan.name]) {
                let sent = send(plan, &slot, &self.goals, shared).await?;
                if sent > 0 {
                    tracing::info!(digest = plan.name, readers = sent, "a report is on its way");
                }
            }
        }
        Ok(())
    }
}

/// Writes a report for those of its readers who do not have it yet; gives how many letters were queued.
async fn send(plan: &Plan, slot: &Slot, goals: &Arc<Goals>, shared: &Shared) -> Result<usize, StoreError> {
    let flow = &shared.flow;
    let told = flow.store.digest_readers(&plan.name, slot.key()).await?;
    let readers: Vec<_> =
        plan.readers.iter().filter(|r| !told.iter().any(|key| key == r.mailbox.address.key())).collect();
    if readers.is_empty() {
        return Ok(0);
    }
    let (policy, now) = (flow.policy(), shared.clock.now());
    let context = Context { policy: &policy, goals, plan, slot: *slot, rows: ROWS };
    let report = Arc::new(Report::count(&flow.store, &context, now).await?);
    let mut letters: Vec<Letter> = Vec::new();
    let mut written = HashMap::new();
    for reader in readers {
        let language = reader.language;
        if let Entry::Vacant(place) = written.entry(language) {
            let (report, policy, goals) = (report.clone(), policy.clone(), goals.clone());
            let (slot_name, plan, slot) = (&plan.name, plan.clone(), *slot);
            // Pictures and workbooks are work for the processor: mail goes on meanwhile.
            let writing = tokio::task::spawn_blocking(move || {
                let Written { page, files } =
                    report.write(&Context { policy: &policy, goals: &goals, plan: &plan, slot, rows: ROWS }, language);
                (page, files.into_iter().map(Arc::new).collect::<Vec<_>>())
            });
            let failed = |error| StoreError::Fault(format!("the report {:?} cannot be written: {error}", slot_name));
            place.insert(writing.await.map_err(failed)?);
        }
        let (page, files) = &written[&language];
        letters.push(plan.letter(slot, reader, page.clone(), files));
    }
    flow.post(plan, slot, letters, now).await
}
