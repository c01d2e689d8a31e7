//! Things to look at again at a given time.

use super::held::some;
use super::{Db, Row, Store, Tx};
use crate::desk::event::{Timer, TimerKind};
use crate::desk::ticket::Number;
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};

/// Those that are due, the oldest first.
macro_rules! due {
    () => {
        "select ticket, kind, due, cycle from timer where due <= $1 order by due, ticket, kind limit $2"
    };
}

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

    pub async fn due_timers(&self, now: Timestamp, limit: i64) -> Result<Vec<Timer>> {
        let rows = sqlx::query(due!()).bind(now.millis()).bind(limit).fetch_all(&self.read).await?;
        rows.iter().map(timer).collect()
    }
}

impl Tx {
    pub async fn schedule(&mut self, timer: &Timer) -> Result<()> {
        self.forget_timer(timer.number, timer.kind);
        self.held.timers.push(*timer);
        Ok(())
    }

    pub(super) async fn write_timers(&mut self) -> Result<()> {
        self.write_tickets().await?;
        while let Some(timers) = some(&mut self.held.unscheduled) {
            let mut query = QueryBuilder::<Db>::new("delete from timer where (ticket, kind) in ( ");
            query.push_values(timers, |mut row, (number, kind)| {
                row.push_bind(number.0).push_bind(kind.as_str());
            });
            query.push(")").build().execute(&mut *self.inner).await?;
        }
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

    pub async fn unschedule(&mut self, number: Number, kind: TimerKind) -> Result<()> {
        self.forget_timer(number, kind);
        self.held.unscheduled.push((number, kind));
        Ok(())
    }

    /// What was to become of a timer before something else was said.
    fn forget_timer(&mut self, number: Number, kind: TimerKind) {
        self.held.timers.retain(|held| (held.number, held.kind) != (number, kind));
        self.held.unscheduled.retain(|held| *held != (number, kind));
    }

    pub async fn due_timers(&mut self, now: Timestamp, limit: i64) -> Result<Vec<Timer>> {
        self.write_timers().await?;
        let rows = sqlx::query(concat!(due!(), for_update!())).bind(now.millis()).bind(limit);
        rows.fetch_all(&mut *self.inner).await?.iter().map(timer).collect()
    }

    pub async fn still_set(&mut self, wanted: &Timer) -> Result<bool> {
        self.write_timers().await?;
        let query =
            concat!("select ticket, kind, due, cycle from timer where ticket = $1 and kind = $2", for_update!());
        let found = sqlx::query(query).bind(wanted.number.0).bind(wanted.kind.as_str());
        let found = found.fetch_optional(&mut *self.inner).await?;
        Ok(found.as_ref().map(timer).transpose()?.as_ref() == Some(wanted))
    }

    pub async fn take_timers(&mut self, timers: &[Timer]) -> Result<()> {
        self.held.unscheduled.extend(timers.iter().map(|timer| (timer.number, timer.kind)));
        Ok(())
    }
}
