//! Which report was sent to whom.

use super::{Store, Tx};
use crate::address::Address;
use crate::store::Result;
use crate::time::Timestamp;

impl Store {
    pub async fn digest_readers(&self, name: &str, slot: Timestamp) -> Result<Vec<String>> {
        let readers = sqlx::query_scalar("select reader_key from digest_sent where name = $1 and slot = $2");
        Ok(readers.bind(name).bind(slot.millis()).fetch_all(&self.read).await?)
    }
}

impl Tx {
    pub async fn know_digest(&mut self, name: &str, now: Timestamp) -> Result<Timestamp> {
        sqlx::query("insert into digest (name, since) values ($1, $2) on conflict (name) do nothing")
            .bind(name)
            .bind(now.millis())
            .execute(&mut *self.inner)
            .await?;
        let since = sqlx::query_scalar("select since from digest where name = $1").bind(name);
        Ok(Timestamp::from_millis(since.fetch_one(&mut *self.inner).await?))
    }

    pub async fn claim_digest(&mut self, name: &str, slot: Timestamp, reader: &Address, at: Timestamp) -> Result<bool> {
        let claim = sqlx::query(
            "insert into digest_sent (name, slot, reader_key, at) values ($1, $2, $3, $4)
             on conflict (name, slot, reader_key) do nothing",
        );
        let claim = claim.bind(name).bind(slot.millis()).bind(reader.key()).bind(at.millis());
        Ok(claim.execute(&mut *self.inner).await?.rows_affected() == 1)
    }
}
