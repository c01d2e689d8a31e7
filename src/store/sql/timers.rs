//! Things to look at again at a given time.

use super::held::some;
use super::{Db, Row, Store, Tx};
use crate::desk::event::{Timer, TimerKind};
use crate::desk::ticket::Number;
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};

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
        self.held.timers.retain(|held| (held.number, held.kind) != (timer.number, timer.kind));
        self.held.timers.push(*timer);
        Ok(())
    }

    pub(super) async fn write_timers(&mut self) -> Result<()> {
        self.write_tickets().await?;
        while let Some(timers) = some(&mut self.held.timers) {
            let mut query = QueryBuilder::<Db>::new("insert into timer (ticket, kind, due, cycle) ");
            query.push_values(timers, |mut row, timer| {
                row.push_bind(timer.number.0).push_bind(timer.kind.as_str());
                row.push_bind(timer.due.millis()).push_bind(timer.cycle);
            });
            query.push(" on conflict (ticket, kind) do update set due = excluded.due, cycle = excluded.cycle");
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn unschedule(&mut self, number: Number) -> Result<()> {
        self.held.timers.retain(|held| held.number != number);
        sqlx::query("delete from timer where ticket = $1").bind(number.0).execute(&mut *self.inner).await?;
        Ok(())
    }

    pub async fn due_timers(&mut self, now: Timestamp, limit: i64) -> Result<Vec<Timer>> {
        self.write_timers().await?;
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
        self.held.timers.retain(|held| held != timer);
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
