//! Appointments on site, one for each ticket that ever had one.

use super::held::some;
use super::{Db, Row, Tx, push_list};
use crate::address::Address;
use crate::desk::ticket::Number;
use crate::desk::visit::{State, Visit};
use crate::store::text::line;
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};

fn visit(row: &Row) -> Result<(Number, Visit)> {
    let time = |column| row.try_get(column).map(Timestamp::from_millis);
    let (state, engineer): (&str, &str) = (row.try_get("state")?, row.try_get("engineer")?);
    let visit = Visit {
        round: row.try_get("round")?,
        sequence: row.try_get("sequence")?,
        state: State::parse(state).ok_or_else(|| StoreError::damaged_row("visit", state))?,
        since: time("since")?,
        start: time("begins")?,
        end: time("ends")?,
        place: row.try_get("place")?,
        engineer: Address::parse(engineer).ok_or_else(|| StoreError::damaged_row("visit", engineer))?,
    };
    Ok((Number(row.try_get("ticket")?), visit))
}

impl Tx {
    pub async fn keep_visit(&mut self, number: Number, visit: &Visit) -> Result<()> {
        self.held.visits.insert(number.0, visit.clone());
        Ok(())
    }

    pub(super) async fn write_visits(&mut self) -> Result<()> {
        self.write_tickets().await?;
        let mut visits: Vec<(i64, Visit)> = std::mem::take(&mut self.held.visits).into_iter().collect();
        while let Some(visits) = some(&mut visits) {
            let mut query = QueryBuilder::<Db>::new(
                "insert into visit (ticket, round, sequence, state, since, begins, ends, place, engineer) ",
            );
            query.push_values(&visits, |mut row, (number, visit)| {
                row.push_bind(*number).push_bind(visit.round).push_bind(visit.sequence);
                row.push_bind(visit.state.as_str()).push_bind(visit.since.millis());
                row.push_bind(visit.start.millis()).push_bind(visit.end.millis());
                row.push_bind(line(&visit.place)).push_bind(visit.engineer.as_str());
            });
            query.push(
                " on conflict (ticket) do update set round = excluded.round, sequence = excluded.sequence,
                     state = excluded.state, since = excluded.since, begins = excluded.begins, ends = excluded.ends,
                     place = excluded.place, engineer = excluded.engineer",
            );
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn visits(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Visit)>> {
        self.write_visits().await?;
        let mut found = Vec::new();
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select * from visit where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.push(" order by ticket");
            for row in query.build().fetch_all(&mut *self.inner).await? {
                found.push(visit(&row)?);
            }
        }
        Ok(found)
    }
}
