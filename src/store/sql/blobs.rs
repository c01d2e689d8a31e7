//! Files named by their SHA-256, each kept once however often it comes and goes.
//!
//! They lie in the database, so that a message, its ticket and its bytes are committed together (promises G1, G3) and
//! every daemon sees them; in chunks of 128 KiB, so that a large one costs little memory: the driver and SQLite copy
//! what they are given.

use super::held::some;
use super::{Connection, Db, Store, Tx};
use crate::desk::inbound::Digest;
use crate::store::{Result, StoreError};
use futures_util::TryStreamExt;
use sqlx::QueryBuilder;

const CHUNK: usize = 128 << 10;

pub fn digest(bytes: &[u8]) -> Result<Digest> {
    bytes.try_into().map(Digest).map_err(|_| StoreError::Fault("a digest in the database is not 32 bytes".to_owned()))
}

pub async fn read(db: &mut Connection, digest: &Digest) -> Result<Option<Vec<u8>>> {
    let mut chunks = sqlx::query_scalar::<_, Vec<u8>>("select bytes from blob where digest = $1 order by chunk")
        .bind(digest.0.as_slice())
        .fetch(db);
    let Some(mut whole) = chunks.try_next().await? else { return Ok(None) };
    while let Some(chunk) = chunks.try_next().await? {
        // Exactly: doubling would take twice the memory of a large file.
        whole.reserve_exact(chunk.len());
        whole.extend_from_slice(&chunk);
    }
    Ok(Some(whole))
}

impl Store {
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        read(&mut *self.read.acquire().await?, digest).await
    }
}

impl Tx {
    pub async fn put_blob(&mut self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        if !self.held.known_blobs.insert(*digest) {
            return Ok(());
        }
        if bytes.len() <= CHUNK {
            self.held.blobs.push((*digest, bytes.to_owned()));
            return self.hold_bytes(bytes.len()).await;
        }
        for (position, chunk) in (0_i64..).zip(bytes.chunks(CHUNK)) {
            let added = sqlx::query(
                "insert into blob (digest, chunk, bytes) values ($1, $2, $3) on conflict (digest, chunk) do nothing",
            )
            .bind(digest.0.as_slice())
            .bind(position)
            .bind(chunk)
            .execute(&mut *self.inner)
            .await?;
            // All chunks are written in one transaction: where the first one is, all are.
            if added.rows_affected() == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) async fn write_blobs(&mut self) -> Result<()> {
        while let Some(blobs) = some(&mut self.held.blobs) {
            let mut query = QueryBuilder::<Db>::new("insert into blob (digest, chunk, bytes) ");
            query.push_values(blobs, |mut row, (digest, bytes)| {
                row.push_bind(digest.0.to_vec()).push_bind(0_i64).push_bind(bytes);
            });
            query.push(" on conflict (digest, chunk) do nothing").build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    /// Of a file that this transaction may have put.
    pub(super) async fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        self.write_blobs().await?;
        read(&mut self.inner, digest).await
    }
}
