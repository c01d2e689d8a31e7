//! The schema's version, the signing key, and the end of a transaction.

use super::{Connection, MIGRATIONS, Store, Tx};
use crate::store::{Result, StoreError};
use crate::time::Timestamp;

/// Brings the schema up to date, forward only; `false` when it was. The caller holds a lock and commits, so the
/// database is at the old version or the new one, never between (`hardening.md` R25).
pub async fn bring_up_to_date(db: &mut Connection) -> Result<bool> {
    sqlx::query("create table if not exists schema_version (version bigint not null)").execute(&mut *db).await?;
    let found: i64 =
        sqlx::query_scalar("select coalesce(max(version), 0) from schema_version").fetch_one(&mut *db).await?;
    let found = usize::try_from(found).unwrap_or(0);
    if found > MIGRATIONS.len() {
        return Err(StoreError::Refused(format!(
            "the database has schema version {found}, this maildesk knows {}: use the newer maildesk",
            MIGRATIONS.len()
        )));
    }
    for (version, step) in MIGRATIONS.iter().enumerate().skip(found) {
        sqlx::raw_sql(*step).execute(&mut *db).await?;
        let version = i64::try_from(version + 1).unwrap_or(i64::MAX);
        sqlx::query("insert into schema_version (version) values ($1)").bind(version).execute(&mut *db).await?;
    }
    Ok(found < MIGRATIONS.len())
}

const SECRET: &str = "select value from meta where key = 'secret'";

fn read_secret(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::Fault("the signing key in table meta is not 32 bytes".to_owned()))
}

impl Store {
    pub async fn secret(&self) -> Result<Option<[u8; 32]>> {
        let found: Option<Vec<u8>> = sqlx::query_scalar(SECRET).fetch_optional(&self.read).await?;
        found.map(read_secret).transpose()
    }
}

const FIRST_START: &str = "select value from meta where key = 'first_start'";

fn read_moment(bytes: &[u8]) -> Result<Timestamp> {
    let millis = bytes.try_into().map(i64::from_be_bytes);
    millis
        .map(Timestamp::from_millis)
        .map_err(|_| StoreError::Fault("first_start in table meta is not 8 bytes".to_owned()))
}

impl Store {
    pub async fn first_start(&self) -> Result<Option<Timestamp>> {
        let found: Option<Vec<u8>> = sqlx::query_scalar(FIRST_START).fetch_optional(&self.read).await?;
        found.as_deref().map(read_moment).transpose()
    }
}

impl Tx {
    pub async fn make_first_start(&mut self, at: Timestamp) -> Result<Timestamp> {
        sqlx::query("insert into meta (key, value) values ('first_start', $1) on conflict (key) do nothing")
            .bind(at.millis().to_be_bytes().as_slice())
            .execute(&mut *self.inner)
            .await?;
        let bytes: Vec<u8> = sqlx::query_scalar(FIRST_START).fetch_one(&mut *self.inner).await?;
        read_moment(&bytes)
    }

    pub async fn commit(mut self) -> Result<()> {
        self.write_held().await?;
        Ok(self.inner.commit().await?)
    }

    pub async fn make_secret(&mut self, secret: [u8; 32]) -> Result<[u8; 32]> {
        sqlx::query("insert into meta (key, value) values ('secret', $1) on conflict (key) do nothing")
            .bind(secret.as_slice())
            .execute(&mut *self.inner)
            .await?;
        read_secret(sqlx::query_scalar(SECRET).fetch_one(&mut *self.inner).await?)
    }
}
