//! SQLite: what differs from PostgreSQL. The statements are in `sql/`.
//!
//! One connection writes (`begin immediate`, so that a transaction never finds out late that another was faster), a
//! few others read. WAL with `synchronous=FULL`: a commit is on the disk when it returns (promise G3). Other processes
//! (`maildesk ingest`, `ticket list`) may open the file too; they wait up to ten seconds for the writer.

use crate::store::{Result, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Pool, Transaction};
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

#[path = "sql/blobs.rs"]
mod blobs;
#[path = "sql/mailboxes.rs"]
mod mailboxes;
#[path = "sql/messages.rs"]
mod messages;
#[path = "sql/meta.rs"]
mod meta;
#[path = "sql/outbox.rs"]
mod outbox;
#[path = "sql/people.rs"]
mod people;
#[path = "sql/query.rs"]
mod query;
#[path = "sql/tickets.rs"]
mod tickets;
#[path = "sql/timers.rs"]
mod timers;

use query::push_list;

/// The schema, one step per version.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_desk.sql")];

#[derive(Clone)]
pub struct Store {
    read: Pool<Db>,
    write: Pool<Db>,
    /// Locked while this store lives; `None` unless opened exclusively.
    _lock: Option<Arc<File>>,
}

pub struct Tx(Transaction<'static, Db>);

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
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-16384")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        // Neither pool gives a connection up: the first keeps a database in memory alive, the others save the
        // reopening. A connection to a local file needs no test before use.
        let pool = |most: u32| {
            SqlitePoolOptions::new()
                .max_connections(most)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .acquire_timeout(Duration::from_secs(60))
        };
        let write = pool(1).connect_with(options.clone()).await?;
        migrate(&write).await?;
        // The second pragma matters only in memory, where readers would wait for the writer's locks.
        let options = options.pragma("query_only", "on").pragma("read_uncommitted", "on");
        let read = pool(4).connect_with(options).await?;
        Ok(Store { read, write, _lock: lock })
    }

    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx(self.write.begin_with("begin immediate").await?))
    }

    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

async fn migrate(pool: &SqlitePool) -> Result<()> {
    let mut tx = pool.begin_with("begin immediate").await?;
    if meta::bring_up_to_date(&mut tx).await? {
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
