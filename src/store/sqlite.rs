//! SQLite: what differs from PostgreSQL. The statements are in `sql/`.
//!
//! One connection writes (`begin immediate`, so that a transaction never finds out late that another was faster), a
//! few others read. WAL with `synchronous=FULL`: a commit is on the disk when it returns (promise G3). Other processes
//! (`maildesk ingest`, `ticket list`) may open the file too; they wait up to ten seconds for the writer.

use crate::desk::knowledge::terms::Wanted;
use crate::store::{Result, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, Pool, Transaction};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Db = sqlx::Sqlite;
type Row = sqlx::sqlite::SqliteRow;
type Connection = sqlx::SqliteConnection;

/// Holding a row for this transaction: the writer is alone anyway.
macro_rules! for_update {
    () => {
        ""
    };
}
/// Taking rows that nobody else holds: the writer is alone anyway.
macro_rules! skip_locked {
    () => {
        ""
    };
}

/// The documents whose terms meet a condition, among these ids, the newest first.
const FIND: &str = "select rowid from document_terms where document_terms match $1 and rowid >= $2 and rowid < $3
                    order by rowid desc limit $4";

/// The index gives the newest first already: nobody has to ask for a part of them.
const BLOCKS: &[(&str, i64)] = &[];

fn among_newest(condition: &str, _: (&str, i64), _: i64) -> String {
    condition.to_owned()
}

/// All of these terms, and of `any` at least one; `None` when nothing is asked for. Terms hold nothing that FTS5 would
/// read as more than a term (`desk::knowledge::terms`).
fn condition(all: &[Wanted], any: &[Wanted]) -> Option<String> {
    let shown = |wanted: &Wanted| match wanted {
        Wanted::Term(term) => format!("\"{term}\""),
        Wanted::Prefix(start) => format!("\"{start}\"*"),
    };
    let any = any.iter().map(shown).collect::<Vec<_>>().join(" OR ");
    let any = (!any.is_empty()).then(|| format!("({any})"));
    let parts: Vec<String> = any.into_iter().chain(all.iter().map(shown)).collect();
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

#[allow(clippy::duplicate_mod, reason = "compiled once per database, see the module above")]
#[path = "sql/mod.rs"]
mod sql;

/// The schema, one step per version.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_desk.sql"),
    include_str!("../../migrations/sqlite/0002_clock.sql"),
    include_str!("../../migrations/sqlite/0003_incident.sql"),
    include_str!("../../migrations/sqlite/0004_visit.sql"),
    include_str!("../../migrations/sqlite/0005_approval.sql"),
    include_str!("../../migrations/sqlite/0006_round.sql"),
    include_str!("../../migrations/sqlite/0007_copies.sql"),
    include_str!("../../migrations/sqlite/0008_people.sql"),
    include_str!("../../migrations/sqlite/0009_knowledge.sql"),
    include_str!("../../migrations/sqlite/0010_archive.sql"),
    include_str!("../../migrations/sqlite/0011_digest.sql"),
    include_str!("../../migrations/sqlite/0012_review.sql"),
    include_str!("../../migrations/sqlite/0013_mail_health.sql"),
    include_str!("../../migrations/sqlite/0014_speed.sql"),
];

#[derive(Clone)]
pub struct Store {
    read: Pool<Db>,
    write: Pool<Db>,
    /// Locked while this store lives; `None` unless opened exclusively.
    _lock: Option<Arc<File>>,
}

pub struct Tx {
    inner: Transaction<'static, Db>,
    held: sql::Held,
}

impl Store {
    /// `place` is what follows `sqlite:` - `//` and a path, or `:memory:`.
    pub async fn open(place: &str, exclusive: bool) -> Result<Store> {
        if place.trim_start_matches("//") == ":memory:" {
            return Store::connect("sqlite::memory:".parse()?, None).await;
        }
        let path = Path::new(place.strip_prefix("//").unwrap_or(place));
        let lock = if exclusive { Some(Arc::new(lock(path)?)) } else { None };
        make_private(path)?;
        let options = SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Wal);
        Store::connect(options, lock).await
    }

    async fn connect(options: SqliteConnectOptions, lock: Option<Arc<File>>) -> Result<Store> {
        let options = options
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            // Most of what is written is text of a few kilobytes: fewer pages than with the usual 4 KiB.
            .page_size(8192)
            .pragma("temp_store", "memory")
            // 32 MiB of log between checkpoints instead of 4: a page that changes often is copied home less often.
            .pragma("wal_autocheckpoint", "4096")
            .pragma("cache_size", "-3072")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        // Neither pool gives a connection up: the first keeps a database in memory alive, the others save the
        // reopening.
        let pool = |most: u32| {
            SqlitePoolOptions::new()
                .max_connections(most)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                // After a full disk SQLite has rolled back by itself, which sqlx does not learn: it would refuse to begin
                // for ever. Such a connection is opened anew. The ping lets a rollback under way finish first.
                .test_before_acquire(true)
                .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
                .acquire_timeout(Duration::from_secs(60))
        };
        let write = pool(1).connect_with(options.clone()).await?;
        migrate(&write).await?;
        // The second pragma matters only in memory, where readers would wait for the writer's locks.
        let options = options.pragma("query_only", "on").pragma("read_uncommitted", "on").pragma("cache_size", "-2048");
        let read = pool(4).connect_with(options).await?;
        Ok(Store { read, write, _lock: lock })
    }

    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx { inner: self.write.begin_with("begin immediate").await?, held: sql::Held::default() })
    }

    /// The search's segments are merged, so that none holds the terms of a deleted document; the file is written anew and
    /// the write-ahead log is emptied.
    pub async fn scrub(&self) -> Result<()> {
        sqlx::query("insert into document_terms (document_terms) values ('optimize')").execute(&self.write).await?;
        sqlx::raw_sql("vacuum").execute(&self.write).await?;
        for _ in 0..50 {
            // Busy, frames in the log, frames copied home: a reader in the way makes it busy.
            let (busy, ..): (i64, i64, i64) =
                sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&self.write).await?;
            if busy == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(StoreError::Busy("somebody reads the database all the time: run the command again".to_owned()))
    }

    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

async fn migrate(pool: &SqlitePool) -> Result<()> {
    let mut tx = pool.begin_with("begin immediate").await?;
    if sql::bring_up_to_date(&mut tx).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// Locks `<database>.lock`, so that two daemons never work on one file. The lock ends with the process, however it
/// ends; the file stays.
fn lock(database: &Path) -> Result<File> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file = private().open(&path).map_err(|error| unusable(Path::new(&path), &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Refused(format!(
            "another maildesk daemon is running on {}: stop it first",
            database.display()
        ))),
        Err(std::fs::TryLockError::Error(error)) => Err(unusable(Path::new(&path), &error)),
    }
}

/// Creates the file readable by its owner only: it holds people's mail and the signing key. SQLite gives the files
/// beside it the same mode.
fn make_private(database: &Path) -> Result<()> {
    private().open(database).map(drop).map_err(|error| unusable(database, &error))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            StoreError::Full(format!("{}: {error}", path.display()))
        }
        _ => StoreError::Refused(format!("cannot use {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::inbound::Digest;

    async fn fill(store: &Store, from: u32) -> Result<()> {
        let mut tx = store.begin().await?;
        for i in from..from + 64 {
            tx.put_blob(&Digest::of(&i.to_be_bytes()), &[7; 16 << 10]).await?;
        }
        tx.commit().await
    }

    #[tokio::test]
    async fn r4_a_full_disk_is_told_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("desk.db").display().to_string(), false).await.unwrap();
        sqlx::raw_sql("pragma max_page_count = 120").execute(&store.write).await.unwrap();
        let error = fill(&store, 0).await.unwrap_err();
        assert!(error.is_full() && error.is_passing() && !error.is_fatal(), "{error:?}");
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(store.blob(&Digest::of(&0_u32.to_be_bytes())).await.unwrap(), None);
        let sound: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&store.read).await.unwrap();
        assert_eq!(sound, "ok");
        sqlx::raw_sql("pragma max_page_count = 100000").execute(&store.write).await.unwrap();
        fill(&store, 0).await.unwrap();
        assert!(store.blob(&Digest::of(&0_u32.to_be_bytes())).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn r41_a_damaged_file_is_fatal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let store = Store::open(&path.display().to_string(), false).await.unwrap();
        store.close().await;
        let length = std::fs::metadata(&path).unwrap().len() as usize;
        for damage in [0, 4096] {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[damage..].fill(0xAA);
            assert_eq!(bytes.len(), length);
            std::fs::write(&path, &bytes).unwrap();
            let Err(error) = Store::open(&path.display().to_string(), false).await else { panic!("it opened") };
            assert!(error.is_fatal(), "{error:?}");
            let fresh = folder.path().join("fresh.db");
            Store::open(&fresh.display().to_string(), false).await.unwrap().close().await;
            std::fs::rename(fresh, &path).unwrap();
        }
    }

    #[tokio::test]
    async fn g3_commits_are_synced_and_readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("desk.db").display().to_string(), false).await.unwrap();
        for (pragma, pool, expect) in [
            ("pragma synchronous", &store.write, 2),
            ("pragma foreign_keys", &store.write, 1),
            ("pragma query_only", &store.read, 1),
        ] {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(pool).await.unwrap();
            assert_eq!(value, expect, "{pragma}");
        }
        let journal: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&store.write).await.unwrap();
        assert_eq!(journal, "wal");
        assert!(sqlx::query("delete from counter").execute(&store.read).await.is_err());
    }
}
