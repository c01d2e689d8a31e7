//! The letters of one transaction: composed beside the database's work, and written together.
//!
//! Composing is as much work as storing, and asks nobody anything: a batch's letters are composed by another thread
//! while the next messages are taken in. What reads the outbox in the same transaction writes them first, see
//! [`Letters::go_to`]. No message can cite a letter of its own transaction: it has not left.

use super::Rules;
use super::beside::{Beside, Work};
use crate::address::{Address, MessageId};
use crate::desk::letter::Letter;
use crate::mail::{compose, render};
use crate::store::{Outgoing, StoreError, Tx};
use crate::time::Timestamp;
use std::collections::HashSet;

/// Letters composed in one go by another thread.
const TOGETHER: usize = 16;

/// Letters written in one go, while the next ones are composed: as many as one statement takes.
const WRITTEN_TOGETHER: usize = 100;

/// A letter and what else its bytes are made of.
pub struct Draft {
    pub rules: Rules,
    pub letter: Letter,
    /// The ids its reader saw on the ticket, oldest first.
    pub conversation: Vec<MessageId>,
    /// When it is written.
    pub now: Timestamp,
    /// It does not leave before.
    pub queued: Timestamp,
}

/// Letters that are not in the outbox yet.
pub struct Letters {
    beside: Beside,
    drafts: Vec<Draft>,
    /// Handed to another thread, in order.
    composing: Vec<Work<Vec<Outgoing>>>,
    /// The readers of all of these.
    waiting: HashSet<Address>,
    /// Written so far, and not queued before.
    pub queued: usize,
}

impl Letters {
    pub fn new(beside: &Beside) -> Letters {
        let (drafts, composing, waiting) = (Vec::new(), Vec::new(), HashSet::new());
        Letters { beside: beside.clone(), drafts, composing, waiting, queued: 0 }
    }

    pub fn add(&mut self, draft: Draft) {
        self.waiting.insert(draft.letter.to.mailbox.address.clone());
        self.drafts.push(draft);
        if self.drafts.len() >= TOGETHER {
            let drafts = std::mem::take(&mut self.drafts);
            self.composing.push(self.beside.run(move || drafts.into_iter().map(outgoing).collect()));
        }
    }

    /// Some of them go to this reader.
    pub fn go_to(&self, reader: &Address) -> bool {
        self.waiting.contains(reader)
    }

    /// Writes them all.
    ///
    /// # Errors
    /// The store's. A letter that cannot be composed panics here as it did there.
    pub async fn write(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.waiting.clear();
        // The database works while the other thread finishes.
        if !self.composing.is_empty() {
            tx.flush().await?;
        }
        // Composed here, the last ones.
        let rest: Vec<Outgoing> = self.drafts.drain(..).map(outgoing).collect();
        let mut letters = Vec::with_capacity(WRITTEN_TOGETHER);
        for composing in self.composing.drain(..) {
            letters.extend(composing.done().await);
            if letters.len() >= WRITTEN_TOGETHER {
                self.queued += tx.enqueue_all(&letters).await?;
                letters.clear();
            }
        }
        letters.extend(rest);
        self.queued += tx.enqueue_all(&letters).await?;
        Ok(())
    }
}

fn outgoing(draft: Draft) -> Outgoing {
    let Draft { rules, letter, conversation, now, queued } = draft;
    let (desk, key) = (&rules.policy.desk, &rules.policy.key);
    let rendered = render::render(&rules.templates, &letter, desk, key, now);
    let composed = compose::compose(&rendered, &letter, desk, key, &conversation, now);
    Outgoing {
        key: letter.key,
        number: letter.ticket.as_ref().map(|ticket| ticket.number),
        to: letter.to.mailbox.address,
        envelope_from: composed.envelope_from,
        message_id: composed.message_id,
        subject: composed.subject,
        template: letter.content.template().to_owned(),
        urgency: composed.urgency,
        bytes: composed.bytes,
        queued,
    }
}
