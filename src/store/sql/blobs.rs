//! Bytes named by their SHA-256: raw messages, attachments, large letters.
//!
//! They lie in the database, so that a message, its ticket and its bytes are committed together (promises G1, G3) and
//! every daemon sees them; in chunks of 1 MiB, so that a large one costs little memory.

use super::{Connection, Store, Tx};
use crate::desk::inbound::Digest;
use crate::store::Result;
use futures_util::TryStreamExt;

const CHUNK: usize = 1 << 20;
/// Up to this size a blob is held back and written with others.
const SMALL: usize = 128 << 10;

pub async fn read(db: &mut Connection, digest: &Digest) -> Result<Option<Vec<u8>>> {
    let mut chunks = sqlx::query_scalar::<_, Vec<u8>>("select bytes from blob where digest = $1 order by chunk")
        .bind(digest.0.as_slice())
        .fetch(db);
    let Some(mut whole) = chunks.try_next().await? else { return Ok(None) };
    while let Some(chunk) = chunks.try_next().await? {
        // Exactly: doubling would take twice the memory of a large message.
        whole.reserve_exact(chunk.len());
        whole.extend_from_slice(&chunk);
    }
    Ok(Some(whole))
}

/// Writes the bytes unless they are there already.
pub async fn write(db: &mut Connection, digest: &Digest, bytes: &[u8]) -> Result<()> {
    for (position, chunk) in (0_i64..).zip(bytes.chunks(CHUNK)) {
        let added = sqlx::query(
            "insert into blob (digest, chunk, bytes) values ($1, $2, $3) on conflict (digest, chunk) do nothing",
        )
        .bind(digest.0.as_slice())
        .bind(position)
        .bind(chunk)
        .execute(&mut *db)
        .await?;
        // All chunks are written in one transaction: where the first one is, all are.
        if added.rows_affected() == 0 {
            return Ok(());
        }
    }
    Ok(())
}

impl Store {
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        read(&mut *self.read.acquire().await?, digest).await
    }
}

impl Tx {
    pub async fn put_blob(&mut self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        if bytes.len() <= SMALL {
            return self.hold_blob(digest, bytes).await;
        }
        write(&mut self.inner, digest, bytes).await
    }

    pub async fn raw_of(&mut self, raw: &Digest) -> Result<Option<Vec<u8>>> {
        self.write_blobs().await?;
        read(&mut self.inner, raw).await
    }
}
