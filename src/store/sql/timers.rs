//! Things to look at again at a given time.

use super::{Row, Store, Tx};
use crate::desk::event::{Timer, TimerKind};
use crate::desk::ticket::Number;
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::Row as _;

fn timer(row: &Row) -> Result<Timer> {
    let kind: &str = row.try_get("kind")?;
    Ok(Timer {
        number: Number(row.try_get("ticket")?),
        kind: TimerKind::parse(kind).ok_or_else(|| StoreError::damaged_row("timer", kind))?,
        due: Timestamp::from_millis(row.try_get("due")?),
        cycle: row.try_get("cycle")?,
    })
}

impl Store {
    pub async fn next_timer(&self) -> Result<Option<Timestamp>> {
        let due: Option<i64> = sqlx::query_scalar("select min(due) from timer").fetch_one(&self.read).await?;
        Ok(due.map(Timestamp::from_millis))
    }
}

impl Tx {
    pub async fn schedule(&mut self, timer: &Timer) -> Result<()> {
        sqlx::query(
            "insert into timer (ticket, kind, due, cycle) values ($1, $2, $3, $4)
             on conflict (ticket, kind) do update set due = excluded.due, cycle = excluded.cycle",
        )
        .bind(timer.number.0)
        .bind(timer.kind.as_str())
        .bind(timer.due.millis())
        .bind(timer.cycle)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub async fn unschedule(&mut self, number: Number) -> Result<()> {
        sqlx::query("delete from timer where ticket = $1").bind(number.0).execute(&mut *self.inner).await?;
        Ok(())
    }

    pub async fn due_timers(&mut self, now: Timestamp, limit: i64) -> Result<Vec<Timer>> {
        let rows = sqlx::query(concat!(
            "select ticket, kind, due, cycle from timer where due <= $1 order by due, ticket, kind limit $2",
            skip_locked!()
        ))
        .bind(now.millis())
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(timer).collect()
    }

    pub async fn drop_timer(&mut self, timer: &Timer) -> Result<()> {
        sqlx::query("delete from timer where ticket = $1 and kind = $2 and due = $3 and cycle = $4")
            .bind(timer.number.0)
            .bind(timer.kind.as_str())
            .bind(timer.due.millis())
            .bind(timer.cycle)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}
