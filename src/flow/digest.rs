//! Reports: rounds are kept up to date, and a report goes to each of its readers once.

use super::gather::Facts;
use super::letters::Draft;
use super::{Flow, Rules};
use crate::desk::digest::{Plan, Slot, rounds};
use crate::desk::letter::Letter;
use crate::mail::{Rendered, compose::compose, render::render};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Tickets brought up to date in one transaction: few, so that mail waits for a moment only.
const AT_ONCE: i64 = 200;

impl Flow {
    /// Brings the rounds of some tickets up to date; gives how many there were. Nothing to do is 0.
    ///
    /// # Errors
    /// The store's; nothing has happened then.
    pub async fn reckon(&self) -> Result<usize, StoreError> {
        let policy = self.policy();
        let mut tx = self.store.begin().await?;
        let numbers = tx.take_changed(AT_ONCE).await?;
        if numbers.is_empty() {
            return Ok(0);
        }
        let tickets = tx.tickets(&numbers).await?;
        let mut pasts = tx.pasts(&numbers).await?;
        let all = tickets.iter().flat_map(|ticket| {
            let past = pasts.remove(&ticket.number).unwrap_or_default();
            rounds(&policy, ticket, &past)
        });
        let all: Vec<_> = all.collect();
        tx.keep_rounds(&numbers, &all).await?;
        tx.commit().await?;
        Ok(numbers.len())
    }

    /// Brings all of them up to date.
    ///
    /// # Errors
    /// The store's; what was done before stays.
    pub async fn reckon_all(&self) -> Result<(), StoreError> {
        while self.reckon().await? > 0 {}
        Ok(())
    }

    /// A letter's words, as it would be written now.
    pub fn words(&self, letter: &Letter, now: Timestamp) -> Rendered {
        let Rules { policy, templates } = self.rules();
        render(&templates, letter, &policy.desk, &policy.key, now)
    }

    /// Its bytes, likewise.
    pub fn bytes(&self, letter: &Letter, now: Timestamp) -> Vec<u8> {
        let Rules { policy, .. } = self.rules();
        let composed = compose(&self.words(letter, now), letter, &policy.desk, &policy.key, &[], now);
        let file = |digest| letter.attachments.iter().find(|file| file.digest == digest).map(|file| file.bytes.clone());
        composed.bytes.join(file).unwrap_or_default()
    }

    /// Queues a report, each letter unless its reader was sent this report before: by this daemon, by another one at this
    /// very moment, or before a restart. Gives how many were queued.
    ///
    /// # Errors
    /// The store's; nothing has happened then.
    pub async fn post(
        &self,
        plan: &Plan,
        slot: &Slot,
        letters: Vec<Letter>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let rules = self.rules();
        let mut tx = self.store.begin().await?;
        let mut facts = Facts::new(&self.beside, now);
        for letter in letters {
            if !tx.claim_digest(&plan.name, slot.key(), &letter.to.mailbox.address, now).await? {
                continue;
            }
            for file in &letter.attachments {
                tx.put_blob(file.digest, &file.bytes).await?;
            }
            facts.letters.add(Draft { rules: rules.clone(), letter, conversation: Vec::new(), now, queued: now });
        }
        facts.letters.write(&mut tx).await?;
        tx.commit().await?;
        let queued = facts.letters.queued;
        if queued > 0 {
            self.letters_queued.notify_one();
        }
        Ok(queued)
    }
}
