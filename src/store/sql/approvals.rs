//! Who has to approve a ticket, and what they said.

use super::held::some;
use super::{Connection, Db, Row, Store, Tx, push_list};
use crate::desk::approval::{Approval, State};
use crate::desk::ticket::Number;
use crate::store::text::{NOTE, clean, from_json, json, line};
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};

fn approval(row: &Row) -> Result<(Number, Approval)> {
    let (state, decided): (&str, Option<i64>) = (row.try_get("state")?, row.try_get("decided")?);
    let approval = Approval {
        version: row.try_get("version")?,
        module: row.try_get("module")?,
        request: row.try_get("request")?,
        note: row.try_get("note")?,
        state: State::parse(state).ok_or_else(|| StoreError::damaged_row("state", state))?,
        since: Timestamp::from_millis(row.try_get("since")?),
        asked: Timestamp::from_millis(row.try_get("asked")?),
        decided: decided.map(Timestamp::from_millis),
        substituted: row.try_get("substituted")?,
        people: from_json("people", row.try_get("people")?)?,
    };
    Ok((Number(row.try_get("ticket")?), approval))
}

async fn approvals(db: &mut Connection, numbers: &[Number]) -> Result<Vec<(Number, Approval)>> {
    let mut found = Vec::new();
    for some in numbers.chunks(256) {
        let mut query = QueryBuilder::<Db>::new("select * from approval where ticket in ");
        push_list(&mut query, some.iter().map(|number| number.0));
        let rows = query.build().fetch_all(&mut *db).await?;
        found.extend(rows.iter().map(approval).collect::<Result<Vec<_>>>()?);
    }
    Ok(found)
}

impl Store {
    pub async fn approval(&self, number: Number) -> Result<Option<Approval>> {
        let mut db = self.read.acquire().await?;
        Ok(approvals(&mut db, &[number]).await?.pop().map(|(_, approval)| approval))
    }
}

impl Tx {
    pub async fn keep_approval(&mut self, number: Number, approval: &Approval) -> Result<()> {
        self.held.approvals.insert(number.0, approval.clone());
        Ok(())
    }

    pub(super) async fn write_approvals(&mut self) -> Result<()> {
        if self.held.approvals.is_empty() {
            return Ok(());
        }
        self.write_tickets().await?;
        let mut approvals: Vec<_> = std::mem::take(&mut self.held.approvals).into_iter().collect();
        while let Some(approvals) = some(&mut approvals) {
            let mut query = QueryBuilder::<Db>::new(
                "insert into approval
                 (ticket, version, module, request, note, state, since, asked, decided, substituted, people) ",
            );
            query.push_values(&approvals, |mut row, (number, approval)| {
                row.push_bind(*number).push_bind(approval.version).push_bind(line(&approval.module));
                row.push_bind(clean(&approval.request, NOTE)).push_bind(clean(&approval.note, NOTE));
                row.push_bind(approval.state.as_str()).push_bind(approval.since.millis());
                row.push_bind(approval.asked.millis()).push_bind(approval.decided.map(Timestamp::millis));
                row.push_bind(approval.substituted).push_bind(json(&approval.people));
            });
            query.push(
                " on conflict (ticket) do update set version = excluded.version, module = excluded.module,
                     request = excluded.request, note = excluded.note, state = excluded.state,
                     since = excluded.since, asked = excluded.asked, decided = excluded.decided,
                     substituted = excluded.substituted, people = excluded.people",
            );
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn approvals(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Approval)>> {
        self.write_approvals().await?;
        approvals(&mut self.inner, numbers).await
    }
}
