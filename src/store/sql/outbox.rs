//! Letters on their way out.
//!
//! | State | row | `due` | `attempts` | After a crash here |
//! |---|---|---|---|---|
//! | S0 none | no | - | - | the message is still in the mailbox and will be read again |
//! | S1 due | pending | past | n | the next claim takes it |
//! | S2 claimed | pending | future: the lease | n + 1 | the lease ends, it is tried again. **If the server had said yes, this is the one duplicate window**; both copies have the same Message-ID |
//! | S3 sent, S4 failed | sent, failed | - | n | final |
//!
//! A committed letter is tried until S3 or S4. The key is unique: one cause queues one letter. The attempt is counted
//! and committed before the network is opened, by [`claim`](Store::claim). A settlement names the attempt it is
//! about, so that a sender that slept past its lease cannot undo what its successor did - only an acceptance always
//! counts, for the server has the letter. `uncounted` tries are kept apart from `attempts`, which must never go back.
//!
//! A claim costs what is due, not what exists: the index `outbox_due` holds pending letters only.

use super::blobs;
use super::{Connection, Db, Row, Store, Tx, push_list};
use crate::address::{Address, MessageId};
use crate::desk::inbound::Digest;
use crate::desk::ticket::Number;
use crate::store::text::{NOTE, clean, line};
use crate::store::{Claimed, OutboxCounts, OutboxRow, OutboxState, Outgoing, Result, Settled, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};
use std::time::Duration;

/// A larger letter lies among the blobs, in chunks.
const INLINE: usize = 1 << 20;
/// Bytes that one claim brings into memory; a single larger letter still comes.
const CLAIM_BYTES: i64 = 8 << 20;

/// Letters written by one statement at most.
const LETTERS: usize = 16;

/// The blob that holds the letter, when it is too large for its row.
fn large(letter: &Outgoing) -> Option<Digest> {
    (letter.bytes.len() > INLINE).then(|| Digest::of(&letter.bytes))
}

fn address(row: &Row, column: &str) -> Result<Address> {
    let text: &str = row.try_get(column)?;
    Address::parse(text).ok_or_else(|| StoreError::damaged_row("letter", text))
}

fn message_id(row: &Row) -> Result<MessageId> {
    let text: &str = row.try_get("message_id")?;
    MessageId::parse(text).ok_or_else(|| StoreError::damaged_row("letter", text))
}

fn number(row: &Row) -> Result<Option<Number>> {
    let number: Option<i64> = row.try_get("ticket")?;
    Ok(number.map(Number))
}

fn outbox_row(row: &Row) -> Result<OutboxRow> {
    let state: &str = row.try_get("state")?;
    let settled: Option<i64> = row.try_get("settled")?;
    Ok(OutboxRow {
        id: row.try_get("id")?,
        key: row.try_get("key")?,
        number: number(row)?,
        to: address(row, "to_address")?,
        message_id: message_id(row)?,
        subject: row.try_get("subject")?,
        template: row.try_get("template")?,
        urgency: row.try_get("urgency")?,
        size: row.try_get("size")?,
        queued: Timestamp::from_millis(row.try_get("queued")?),
        state: OutboxState::parse(state).ok_or_else(|| StoreError::damaged_row("letter", state))?,
        due: Timestamp::from_millis(row.try_get("due")?),
        attempts: row.try_get("attempts")?,
        answer: row.try_get("answer")?,
        settled: settled.map(Timestamp::from_millis),
    })
}

/// The letter itself, from its row or from the blobs.
async fn bytes(db: &mut Connection, row: &Row) -> Result<Vec<u8>> {
    if let Some(bytes) = row.try_get::<Option<Vec<u8>>, _>("bytes")? {
        return Ok(bytes);
    }
    let name: [u8; 32] = row.try_get::<Vec<u8>, _>("blob")?.try_into().unwrap_or_default();
    let id: i64 = row.try_get("id")?;
    blobs::read(db, &Digest(name)).await?.ok_or_else(|| StoreError::Fault(format!("letter {id} has lost its bytes")))
}

async fn claimed(db: &mut Connection, row: &Row) -> Result<Claimed> {
    let attempt: i64 = row.try_get("attempts")?;
    let uncounted: i64 = row.try_get("uncounted")?;
    let envelope_from: Option<&str> = row.try_get("envelope_from")?;
    Ok(Claimed {
        id: row.try_get("id")?,
        attempt,
        counted: attempt - uncounted,
        key: row.try_get("key")?,
        number: number(row)?,
        to: address(row, "to_address")?,
        envelope_from: envelope_from.and_then(Address::parse),
        message_id: message_id(row)?,
        subject: row.try_get("subject")?,
        template: row.try_get("template")?,
        urgency: row.try_get("urgency")?,
        bytes: bytes(db, row).await?,
        queued: Timestamp::from_millis(row.try_get("queued")?),
    })
}

/// As many of these letters, in their order, as fit into [`CLAIM_BYTES`].
fn that_fit(candidates: Vec<(i64, i64)>) -> Vec<i64> {
    let mut room = CLAIM_BYTES;
    let mut fits = |size: i64| {
        let first = room == CLAIM_BYTES;
        room -= size.max(1);
        first || room >= 0
    };
    candidates.into_iter().take_while(|(_, size)| fits(*size)).map(|(id, _)| id).collect()
}

async fn settle(db: &mut Connection, id: i64, attempt: i64, settled: &Settled) -> Result<bool> {
    let query = match settled {
        Settled::Sent { at, answer } => sqlx::query(
            "update outbox set state = 'sent', settled = $3, answer = $4
             where id = $1 and attempts >= $2 and state <> 'sent'",
        )
        .bind(id)
        .bind(attempt)
        .bind(at.millis())
        .bind(clean(answer, NOTE)),
        Settled::Again { due, error, uncounted } => sqlx::query(
            "update outbox set due = $3, answer = $4, uncounted = uncounted + $5
             where id = $1 and attempts = $2 and state = 'pending'",
        )
        .bind(id)
        .bind(attempt)
        .bind(due.millis())
        .bind(clean(error, NOTE))
        .bind(i64::from(*uncounted)),
        Settled::Failed { at, error } => sqlx::query(
            "update outbox set state = 'failed', settled = $3, answer = $4
             where id = $1 and attempts = $2 and state = 'pending'",
        )
        .bind(id)
        .bind(attempt)
        .bind(at.millis())
        .bind(clean(error, NOTE)),
    };
    Ok(query.execute(db).await?.rows_affected() == 1)
}

impl Store {
    pub async fn claim(&self, now: Timestamp, lease: Duration, limit: i64) -> Result<Vec<Claimed>> {
        // A look beforehand leaves the writer alone while nothing is due.
        if self.next_due(now).await? != Some(now) {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let candidates: Vec<(i64, i64)> = sqlx::query_as(concat!(
            "select id, size from outbox where state = 'pending' and due <= $1 order by urgency, due, id limit $2",
            skip_locked!()
        ))
        .bind(now.millis())
        .bind(limit)
        .fetch_all(&mut *tx.inner)
        .await?;
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("update outbox set attempts = attempts + 1, due = ");
        query.push_bind((now + lease).millis()).push(" where state = 'pending' and id in ");
        push_list(&mut query, that_fit(candidates));
        let rows = query.push(" returning *").build().fetch_all(&mut *tx.inner).await?;
        let mut letters = Vec::with_capacity(rows.len());
        for row in rows {
            letters.push(claimed(&mut tx.inner, &row).await?);
        }
        tx.commit().await?;
        letters.sort_by_key(|letter| (letter.urgency, letter.queued, letter.id));
        Ok(letters)
    }

    pub async fn end_leases(&self, now: Timestamp, lease: Duration) -> Result<()> {
        let mut tx = self.begin().await?;
        let query = sqlx::query(
            "update outbox set due = $1 where state = 'pending' and attempts > 0 and due > $1 and due <= $2",
        );
        query.bind(now.millis()).bind((now + lease).millis()).execute(&mut *tx.inner).await?;
        tx.commit().await
    }

    pub async fn settle_all(&self, all: &[(i64, i64, Settled)]) -> Result<Vec<bool>> {
        let mut tx = self.begin().await?;
        let mut done = Vec::with_capacity(all.len());
        for (id, attempt, settled) in all {
            done.push(settle(&mut tx.inner, *id, *attempt, settled).await?);
        }
        tx.commit().await?;
        Ok(done)
    }

    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let due: Option<i64> =
            sqlx::query_scalar("select min(due) from outbox where state = 'pending'").fetch_one(&self.read).await?;
        Ok(due.map(|due| Timestamp::from_millis(due).max(now)))
    }

    pub async fn sent_since(&self, since: Timestamp) -> Result<i64> {
        let sent = sqlx::query_scalar("select count(*) from outbox where state = 'sent' and settled >= $1");
        Ok(sent.bind(since.millis()).fetch_one(&self.read).await?)
    }

    pub async fn outbox_counts(&self) -> Result<OutboxCounts> {
        let row = sqlx::query(
            "select (select count(*) from outbox where state = 'pending') as pending,
                    (select count(*) from outbox where state = 'sent') as sent,
                    (select count(*) from outbox where state = 'failed') as failed,
                    (select min(queued) from outbox where state = 'pending') as oldest",
        )
        .fetch_one(&self.read)
        .await?;
        let oldest: Option<i64> = row.try_get("oldest")?;
        Ok(OutboxCounts {
            pending: row.try_get("pending")?,
            sent: row.try_get("sent")?,
            failed: row.try_get("failed")?,
            oldest_pending: oldest.map(Timestamp::from_millis),
        })
    }

    pub async fn outbox_of(&self, number: Number) -> Result<Vec<OutboxRow>> {
        let rows = sqlx::query(
            "select id, key, ticket, to_address, message_id, subject, template, urgency, size, queued, state, due,
                 attempts, answer, settled
             from outbox where ticket = $1 order by id",
        )
        .bind(number.0)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(outbox_row).collect()
    }

    pub async fn all_outgoing(&self) -> Result<Vec<(OutboxRow, Vec<u8>)>> {
        let mut db = self.read.acquire().await?;
        let mut letters = Vec::new();
        for row in sqlx::query("select * from outbox order by id").fetch_all(&mut *db).await? {
            letters.push((outbox_row(&row)?, bytes(&mut db, &row).await?));
        }
        Ok(letters)
    }
}

impl Tx {
    pub async fn enqueue(&mut self, letter: &Outgoing) -> Result<bool> {
        let added = self.insert_letters(std::slice::from_ref(letter)).await? == 1;
        if let (true, Some(digest)) = (added, large(letter)) {
            blobs::write(&mut self.inner, &digest, &letter.bytes).await?;
        }
        Ok(added)
    }

    pub async fn enqueue_all(&mut self, letters: &[Outgoing]) -> Result<usize> {
        let mut added = 0;
        for some in letters.chunks(LETTERS) {
            if some.iter().all(|letter| letter.bytes.len() <= INLINE) {
                added += self.insert_letters(some).await?;
                continue;
            }
            for letter in some {
                added += usize::from(self.enqueue(letter).await?);
            }
        }
        Ok(added)
    }

    async fn insert_letters(&mut self, letters: &[Outgoing]) -> Result<usize> {
        let mut query = QueryBuilder::<Db>::new(
            "insert into outbox (key, ticket, to_address, to_key, envelope_from, message_id, subject, template, urgency,
                 size, bytes, blob, queued, state, due, attempts, uncounted, answer) ",
        );
        query.push_values(letters, |mut row, letter| {
            let blob = large(letter);
            row.push_bind(letter.key.as_str()).push_bind(letter.number.map(|number| number.0));
            row.push_bind(letter.to.as_str()).push_bind(letter.to.key());
            row.push_bind(letter.envelope_from.as_ref().map(Address::as_str));
            row.push_bind(letter.message_id.as_str()).push_bind(line(&letter.subject).into_owned());
            row.push_bind(letter.template.as_str()).push_bind(letter.urgency);
            row.push_bind(i64::try_from(letter.bytes.len()).unwrap_or(i64::MAX));
            row.push_bind(blob.is_none().then_some(letter.bytes.as_slice()));
            row.push_bind(blob.map(|digest| digest.0.to_vec())).push_bind(letter.queued.millis());
            row.push("'pending'").push_bind(letter.queued.millis()).push("0, 0, ''");
        });
        query.push(" on conflict (key) do nothing");
        let added = query.build().execute(&mut *self.inner).await?.rows_affected();
        Ok(usize::try_from(added).unwrap_or(usize::MAX))
    }

    pub async fn letter_of(&mut self, id: &MessageId) -> Result<Option<String>> {
        let key = sqlx::query_scalar("select key from outbox where message_id = $1 order by id limit 1");
        Ok(key.bind(id.as_str()).fetch_optional(&mut *self.inner).await?)
    }
}
