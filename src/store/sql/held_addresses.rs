//! Addresses a letter came back from.

use super::Tx;
use crate::address::{Address, MessageId};
use crate::desk::held::Held;
use crate::store::Result;
use crate::store::text::{NOTE, clean};
use crate::time::Timestamp;

/// Held addresses that are known at once; a domain that is gone must not fill the memory.
const MOST: i64 = 10_000;

impl Tx {
    pub async fn held_addresses(&mut self, now: Timestamp) -> Result<Vec<Held>> {
        let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(
            "select address, since, until, reason from held_address where until > $1 order by until desc limit $2",
        )
        .bind(now.millis())
        .bind(MOST)
        .fetch_all(&mut *self.inner)
        .await?;
        let held = |(address, since, until, reason): (String, i64, i64, String)| {
            let (since, until) = (Timestamp::from_millis(since), Timestamp::from_millis(until));
            Some(Held { address: Address::parse(&address)?, since, until, reason })
        };
        Ok(rows.into_iter().filter_map(held).collect())
    }

    pub async fn hold_address(&mut self, held: &Held) -> Result<()> {
        sqlx::query(
            "insert into held_address (address_key, address, since, until, reason) values ($1, $2, $3, $4, $5)
             on conflict (address_key) do update set address = excluded.address, since = excluded.since,
                 until = excluded.until, reason = excluded.reason",
        )
        .bind(held.address.key())
        .bind(held.address.as_str())
        .bind(held.since.millis())
        .bind(held.until.millis())
        .bind(clean(&held.reason, NOTE))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub async fn release_address(&mut self, address: &Address, now: Timestamp) -> Result<()> {
        let key = address.key();
        sqlx::query("delete from held_address where address_key = $1").bind(key).execute(&mut *self.inner).await?;
        sqlx::query("update outbox set due = $2 where to_key = $1 and state = 'pending' and attempts = 0 and due > $2")
            .bind(key)
            .bind(now.millis())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn recipient_of(&mut self, letter: &MessageId) -> Result<Option<Address>> {
        let query = sqlx::query_scalar("select to_address from outbox where message_id = $1 order by id limit 1");
        let to: Option<String> = query.bind(letter.as_str()).fetch_optional(&mut *self.inner).await?;
        Ok(to.and_then(|to| Address::parse(&to)))
    }
}
