//! PostgreSQL: what differs from SQLite. The statements are in `sql/`.
//!
//! Several daemons may share one database: the ticket counter is a locked row, letters and timers are taken with
//! `skip locked`, and unique keys stop two of them from taking the same message in.

use crate::desk::knowledge::terms::Wanted;
use crate::store::Result;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, Pool, Transaction};
use std::time::Duration;

type Db = sqlx::Postgres;
type Row = sqlx::postgres::PgRow;
type Connection = sqlx::PgConnection;

/// Holding a row for this transaction.
macro_rules! for_update {
    () => {
        " for update"
    };
}
/// Taking rows that nobody else holds.
macro_rules! skip_locked {
    () => {
        " for update skip locked"
    };
}

/// The documents whose terms meet a condition, among these ids, the newest first.
const FIND: &str = "select find_documents($1::tsquery, $2, $3, $4)";

/// Blocks of documents by their sizes, see the migration. The index gives everything that meets a condition, in no order:
/// where that is much, only the newest blocks are asked, of a size that will do.
const BLOCKS: &[(&str, i64)] = &[("_a", 1024), ("_b", 4096), ("_c", 16_384), ("_d", 65_536)];

/// The same among the newest documents, of which the last one has this id: one whole block, and the one under way.
fn among_newest(condition: &str, (block, size): (&str, i64), last: i64) -> String {
    let at = last / size;
    format!("({condition}) & ('{block}{at}' | '{block}{}')", at - 1)
}

/// All of these terms, and of `any` at least one; `None` when nothing is asked for. Terms hold no quotes
/// (`desk::knowledge::terms`).
fn condition(all: &[Wanted], any: &[Wanted]) -> Option<String> {
    let shown = |wanted: &Wanted| match wanted {
        Wanted::Term(term) => format!("'{term}'"),
        Wanted::Prefix(start) => format!("'{start}':*"),
    };
    let any = any.iter().map(shown).collect::<Vec<_>>().join(" | ");
    let any = (!any.is_empty()).then(|| format!("({any})"));
    let parts: Vec<String> = any.into_iter().chain(all.iter().map(shown)).collect();
    (!parts.is_empty()).then(|| parts.join(" & "))
}

#[allow(clippy::duplicate_mod, reason = "compiled once per database, see the module above")]
#[path = "sql/mod.rs"]
mod sql;

/// The schema, one step per version.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001_desk.sql"),
    include_str!("../../migrations/postgres/0002_clock.sql"),
    include_str!("../../migrations/postgres/0003_incident.sql"),
    include_str!("../../migrations/postgres/0004_visit.sql"),
    include_str!("../../migrations/postgres/0005_approval.sql"),
    include_str!("../../migrations/postgres/0006_round.sql"),
    include_str!("../../migrations/postgres/0007_copies.sql"),
    include_str!("../../migrations/postgres/0008_people.sql"),
    include_str!("../../migrations/postgres/0009_knowledge.sql"),
    include_str!("../../migrations/postgres/0010_archive.sql"),
    include_str!("../../migrations/postgres/0011_digest.sql"),
    include_str!("../../migrations/postgres/0012_review.sql"),
    include_str!("../../migrations/postgres/0013_mail_health.sql"),
    include_str!("../../migrations/postgres/0014_speed.sql"),
];

/// Any number, the same in every daemon: who migrates holds it.
const MIGRATION_LOCK: i64 = 0x6d61_696c_6465_736b;

#[derive(Clone)]
pub struct Store {
    read: Pool<Db>,
    write: Pool<Db>,
}

pub struct Tx {
    inner: Transaction<'static, Db>,
    held: sql::Held,
}

impl Store {
    pub async fn open(url: &str) -> Result<Store> {
        let options: PgConnectOptions = url.parse()?;
        let options = options
            .application_name("maildesk")
            .statement_cache_capacity(256)
            .options([
                // Whatever the role's defaults are: a commit is on the disk when it returns (promise G3).
                ("synchronous_commit", "on"),
                ("default_transaction_isolation", "read committed"),
                // A dead client must not hold its locks (`hardening.md` R18, R22).
                ("idle_in_transaction_session_timeout", "60s"),
                ("lock_timeout", "30s"),
                ("tcp_keepalives_idle", "60"),
                ("tcp_keepalives_interval", "15"),
                ("tcp_keepalives_count", "4"),
                // The rollback below would warn each time that there is nothing to roll back.
                ("client_min_messages", "error"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .before_acquire(|connection, _| {
                // A cancelled `begin` leaves its connection in a transaction that nobody commits: statements of the
                // next user would be lost without a word (sqlx issue 4385). It also finds dead connections.
                Box::pin(async move { Ok(connection.execute("rollback").await.is_ok()) })
            })
            .connect_with(options)
            .await?;
        migrate(&pool).await?;
        Ok(Store { read: pool.clone(), write: pool })
    }

    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx { inner: self.write.begin().await?, held: sql::Held::default() })
    }

    /// Every table of the desk is written anew.
    pub async fn scrub(&self) -> Result<()> {
        let tables: Vec<String> =
            sqlx::query_scalar("select tablename::text from pg_tables where schemaname = current_schema() order by 1")
                .fetch_all(&self.read)
                .await?;
        for table in tables {
            let statement =
                format!("vacuum full {}", table.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', ""));
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&self.write).await?;
        }
        Ok(())
    }

    pub async fn close(&self) {
        self.write.close().await;
    }
}

async fn migrate(pool: &PgPool) -> Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *tx).await?;
    if sql::bring_up_to_date(&mut tx).await? {
        tx.commit().await?;
    }
    Ok(())
}
