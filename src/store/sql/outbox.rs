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
//! and committed before the network is opened, by [`settle_and_claim`](Store::settle_and_claim). A settlement names the attempt it is
//! about, so that a sender that slept past its lease cannot undo what its successor did - only an acceptance always
//! counts, for the server has the letter. `uncounted` tries are kept apart from `attempts`, which must never go back.
//!
//! A claim costs what it takes, not what waits: the index `outbox_turn` holds pending letters only, in their turn. Each
//! urgency is named, so that the index is entered at what is due of each.

use super::held::at_once;
use super::{Connection, Db, Row, Store, Tx, pieces, push_list};
use crate::address::{Address, MessageId};
use crate::desk::ticket::Number;
use crate::store::text::{NOTE, clean, line};
use crate::store::{Claimed, OutboxCounts, OutboxRow, OutboxState, Outgoing, Result, Settled, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};
use std::time::Duration;

/// Bytes that one claim brings into memory; a single larger letter still comes.
const CLAIM_BYTES: i64 = 8 << 20;

/// Letters settled by one statement at most.
const SETTLED: usize = 32;

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

fn claimed(row: &Row, bytes: Vec<u8>) -> Result<Claimed> {
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
        bytes,
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

/// What the servers took, in one statement: most of what is ever settled.
async fn settle_sent(db: &mut Connection, all: &[(i64, i64, Settled)]) -> Result<Vec<i64>> {
    let sent: Vec<_> = all
        .iter()
        .filter_map(|(id, attempt, settled)| match settled {
            Settled::Sent { at, answer } => Some((*id, *attempt, *at, answer)),
            Settled::Again { .. } | Settled::Failed { .. } => None,
        })
        .collect();
    let mut settled = Vec::with_capacity(sent.len());
    for some in sent.chunks(SETTLED) {
        let mut query =
            QueryBuilder::<Db>::new("update outbox set state = 'sent', settled = column3, answer = column4 from (");
        query.push_values(some, |mut row, (id, attempt, at, answer)| {
            row.push_bind(*id).push_bind(*attempt).push_bind(at.millis()).push_bind(clean(answer, NOTE));
        });
        query.push(") as held where id = column1 and attempts >= column2 and state <> 'sent' returning id");
        settled.extend(query.build_query_scalar::<i64>().fetch_all(&mut *db).await?);
    }
    Ok(settled)
}

/// What was not sent; `false` when the claim is another's by now.
async fn settle_unsent(db: &mut Connection, id: i64, attempt: i64, settled: &Settled) -> Result<bool> {
    let query = match settled {
        Settled::Sent { .. } => return Ok(false),
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

async fn settle_all(db: &mut Connection, all: &[(i64, i64, Settled)]) -> Result<Vec<bool>> {
    let sent = settle_sent(db, all).await?;
    let mut done = Vec::with_capacity(all.len());
    for (id, attempt, settled) in all {
        done.push(sent.contains(id) || settle_unsent(db, *id, *attempt, settled).await?);
    }
    Ok(done)
}

/// Rows of up to `limit` due letters, leased and with their attempt counted.
async fn claim(db: &mut Connection, now: Timestamp, lease: Duration, limit: i64) -> Result<Vec<Row>> {
    let candidates: Vec<(i64, i64)> = sqlx::query_as(concat!(
        "select id, size from outbox where state = 'pending' and urgency in (0, 1, 2, 3, 4) and due <= $1
         order by urgency, due, id limit $2",
        skip_locked!()
    ))
    .bind(now.millis())
    .bind(limit)
    .fetch_all(&mut *db)
    .await?;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Db>::new("update outbox set attempts = attempts + 1, due = ");
    query.push_bind((now + lease).millis()).push(" where state = 'pending' and id in ");
    push_list(&mut query, that_fit(candidates));
    Ok(query.push(" returning *").build().fetch_all(&mut *db).await?)
}

impl Store {
    pub async fn settle_and_claim(
        &self,
        settled: &[(i64, i64, Settled)],
        now: Timestamp,
        lease: Duration,
        limit: i64,
    ) -> Result<Vec<Claimed>> {
        // A look beforehand leaves the writer alone while nothing is due.
        if settled.is_empty() && self.next_due(now).await? != Some(now) {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        settle_all(&mut tx.inner, settled).await?;
        let rows = claim(&mut tx.inner, now, lease, limit).await?;
        tx.commit().await?;
        let ids = rows.iter().map(|row| Ok(row.try_get("id")?)).collect::<Result<Vec<i64>>>()?;
        let mut bytes = pieces::read_all(&mut *self.read.acquire().await?, &ids).await?;
        let letters = rows.iter().zip(&ids).map(|(row, id)| claimed(row, bytes.remove(id).unwrap_or_default()));
        let mut letters = letters.collect::<Result<Vec<_>>>()?;
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
        let done = settle_all(&mut tx.inner, all).await?;
        tx.commit().await?;
        Ok(done)
    }

    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let due: Option<i64> = sqlx::query_scalar(
            "select min(due) from (
                 select min(due) as due from outbox where state = 'pending' and urgency = 0 union all
                 select min(due) from outbox where state = 'pending' and urgency = 1 union all
                 select min(due) from outbox where state = 'pending' and urgency = 2 union all
                 select min(due) from outbox where state = 'pending' and urgency = 3 union all
                 select min(due) from outbox where state = 'pending' and urgency = 4) each_urgency",
        )
        .fetch_one(&self.read)
        .await?;
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
            let row = outbox_row(&row)?;
            let bytes = pieces::read(&mut db, row.id).await?;
            letters.push((row, bytes.unwrap_or_default()));
        }
        Ok(letters)
    }
}

impl Tx {
    pub async fn enqueue_all(&mut self, letters: &[Outgoing]) -> Result<usize> {
        self.write_tickets().await?;
        let (mut added, mut rest) = (0, letters);
        while let Some(count) = at_once(rest.len()) {
            let (some, others) = rest.split_at(count);
            added += self.insert_letters(some).await?;
            rest = others;
        }
        Ok(added)
    }

    async fn insert_letters(&mut self, letters: &[Outgoing]) -> Result<usize> {
        let mut numbered = Vec::with_capacity(letters.len());
        for letter in letters {
            numbered.push((self.new_whole().await?, letter));
        }
        let mut query = QueryBuilder::<Db>::new(
            "insert into outbox (id, key, ticket, to_address, to_key, envelope_from, message_id, subject, template,
                 urgency, size, queued, state, due, attempts, uncounted, answer) ",
        );
        query.push_values(&numbered, |mut row, (id, letter)| {
            row.push_bind(*id).push_bind(letter.key.as_str()).push_bind(letter.number.map(|number| number.0));
            row.push_bind(letter.to.as_str()).push_bind(letter.to.key());
            row.push_bind(letter.envelope_from.as_ref().map(Address::as_str));
            row.push_bind(letter.message_id.as_str()).push_bind(line(&letter.subject));
            row.push_bind(letter.template.as_str()).push_bind(letter.urgency);
            row.push_bind(i64::try_from(letter.bytes.len()).unwrap_or(i64::MAX)).push_bind(letter.queued.millis());
            row.push("'pending'").push_bind(letter.queued.millis()).push("0, 0, ''");
        });
        query.push(" on conflict (key) do nothing returning id");
        let added: Vec<i64> = query.build_query_scalar().fetch_all(&mut *self.inner).await?;
        for (id, letter) in numbered.iter().filter(|(id, _)| added.contains(id)) {
            self.hold_pieces(*id, &letter.bytes).await?;
        }
        Ok(added.len())
    }

    pub async fn letters_told(
        &mut self,
        numbers: &[Number],
        since: Timestamp,
    ) -> Result<Vec<(Number, Address, Timestamp)>> {
        let mut told = Vec::new();
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select ticket, to_address, queued from outbox where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.push(" and queued > ").push_bind(since.millis()).push(" order by queued");
            let rows: Vec<(i64, String, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            let read = |(number, to, queued): (i64, String, i64)| {
                Some((Number(number), Address::parse(&to)?, Timestamp::from_millis(queued)))
            };
            told.extend(rows.into_iter().filter_map(read));
        }
        Ok(told)
    }

    pub async fn letter_of(&mut self, id: &MessageId) -> Result<Option<String>> {
        let key = sqlx::query_scalar("select key from outbox where message_id = $1 order by id limit 1");
        Ok(key.bind(id.as_str()).fetch_optional(&mut *self.inner).await?)
    }
}
