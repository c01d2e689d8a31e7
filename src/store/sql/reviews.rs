//! Reviews, and what faults look like.

use super::{Connection, Db, Row, Store, Tx, push_list};
use crate::address::Address;
use crate::desk::review::form::Form;
use crate::desk::review::recur::Symptom;
use crate::desk::review::{Kind, Review, State};
use crate::desk::ticket::Number;
use crate::store::text::{NOTE, clean, from_json, json, line};
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};

/// Reviews of one report at most.
const REPORTED: i64 = 500;

fn review(row: &Row) -> Result<Review> {
    let text = |column: &str| -> Result<String> { Ok(row.try_get(column)?) };
    let time = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
    };
    let (kind, state) = (text("kind")?, text("state")?);
    let owner: Option<String> = row.try_get("owner_address")?;
    let due: Option<String> = row.try_get("due")?;
    Ok(Review {
        ticket: Number(row.try_get("ticket")?),
        kind: Kind::parse(&kind).ok_or_else(|| StoreError::damaged_row("review", &kind))?,
        state: State::parse(&state).ok_or_else(|| StoreError::damaged_row("review", &state))?,
        title: text("title")?,
        module: text("module")?,
        form: Form {
            cause: text("cause")?,
            corrective: text("corrective")?,
            preventive: text("preventive")?,
            owner: text("owner")?,
            owner_address: owner.as_deref().and_then(Address::parse),
            due: due.and_then(|day| day.parse().ok()),
        },
        people: from_json("people", &text("people")?)?,
        tickets: text("tickets")?.split_whitespace().filter_map(|number| number.parse().ok()).map(Number).collect(),
        cycle: row.try_get("cycle")?,
        opened: Timestamp::from_millis(row.try_get("opened")?),
        planned: time("planned")?,
        ended: time("ended")?,
        asked_again: row.try_get("asked_again")?,
        version: row.try_get("version")?,
    })
}

fn symptom(row: &Row) -> Result<Symptom> {
    let terms: String = row.try_get("terms")?;
    let problem: Option<i64> = row.try_get("problem")?;
    Ok(Symptom {
        ticket: Number(row.try_get("ticket")?),
        about: row.try_get("about")?,
        created: Timestamp::from_millis(row.try_get("created")?),
        terms: terms.split(' ').map(str::to_owned).collect(),
        problem: problem.map(Number),
    })
}

async fn reviews_of(db: &mut Connection, numbers: &[Number]) -> Result<Vec<Review>> {
    let mut found = Vec::new();
    for some in numbers.chunks(256) {
        let mut query = QueryBuilder::<Db>::new("select * from review where ticket in ");
        push_list(&mut query, some.iter().map(|number| number.0));
        query.push(" order by ticket, kind");
        for row in query.build().fetch_all(&mut *db).await? {
            found.push(review(&row)?);
        }
    }
    Ok(found)
}

impl Store {
    pub async fn reviews_of(&self, numbers: &[Number]) -> Result<Vec<Review>> {
        reviews_of(&mut *self.read.acquire().await?, numbers).await
    }

    pub async fn reviews(&self, opened_before: Timestamp, since: Timestamp) -> Result<Vec<Review>> {
        // Two indexes, one for each half; the newest of very many.
        let rows = sqlx::query(
            "select * from review where ended is null and opened < $1
             union all select * from review where ended is not null and ended >= $2 and opened < $1
             order by opened desc, ticket desc, kind limit $3",
        )
        .bind(opened_before.millis())
        .bind(since.millis())
        .bind(REPORTED)
        .fetch_all(&self.read)
        .await?;
        let mut found = rows.iter().map(review).collect::<Result<Vec<Review>>>()?;
        found.retain(|review| review.state != State::Withdrawn);
        found.reverse();
        Ok(found)
    }
}

impl Tx {
    pub async fn reviews_of(&mut self, numbers: &[Number]) -> Result<Vec<Review>> {
        reviews_of(&mut self.inner, numbers).await
    }

    pub async fn keep_review(&mut self, review: &Review) -> Result<()> {
        self.write_tickets().await?;
        let tickets: Vec<String> = review.tickets.iter().map(|number| number.0.to_string()).collect();
        let form = &review.form;
        let kept = sqlx::query(
            "insert into review (ticket, kind, state, title, module, cause, corrective, preventive, owner, owner_address,
                 due, people, tickets, cycle, opened, planned, ended, asked_again, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
             on conflict (ticket, kind) do update set state = excluded.state, title = excluded.title,
                 module = excluded.module, cause = excluded.cause, corrective = excluded.corrective,
                 preventive = excluded.preventive, owner = excluded.owner, owner_address = excluded.owner_address,
                 due = excluded.due, people = excluded.people, tickets = excluded.tickets, cycle = excluded.cycle,
                 opened = excluded.opened, planned = excluded.planned, ended = excluded.ended,
                 asked_again = excluded.asked_again, version = excluded.version
             where review.version = excluded.version - 1",
        )
        .bind(review.ticket.0)
        .bind(review.kind.as_str())
        .bind(review.state.as_str())
        .bind(line(&review.title))
        .bind(line(&review.module))
        .bind(clean(&form.cause, NOTE))
        .bind(clean(&form.corrective, NOTE))
        .bind(clean(&form.preventive, NOTE))
        .bind(line(&form.owner))
        .bind(form.owner_address.as_ref().map(Address::as_str))
        .bind(form.due.map(|day| day.to_string()))
        .bind(json(&review.people))
        .bind(tickets.join(" "))
        .bind(review.cycle)
        .bind(review.opened.millis())
        .bind(review.planned.map(Timestamp::millis))
        .bind(review.ended.map(Timestamp::millis))
        .bind(review.asked_again)
        .bind(review.version)
        .execute(&mut *self.inner)
        .await?;
        match kept.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreError::Conflict(review.name())),
        }
    }

    /// What is known of faults goes when they count no longer.
    pub async fn forget_symptoms(&mut self, gone: &[Number], before: Timestamp) -> Result<()> {
        for some in gone.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("delete from symptom where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.build().execute(&mut *self.inner).await?;
        }
        sqlx::query("delete from symptom where created < $1").bind(before.millis()).execute(&mut *self.inner).await?;
        Ok(())
    }

    pub async fn keep_symptom(&mut self, symptom: &Symptom) -> Result<Option<Number>> {
        let problem: Option<i64> = sqlx::query_scalar(
            "insert into symptom (ticket, about, created, terms, problem) values ($1, $2, $3, $4, null)
             on conflict (ticket) do update set about = excluded.about, terms = excluded.terms returning problem",
        )
        .bind(symptom.ticket.0)
        .bind(line(&symptom.about))
        .bind(symptom.created.millis())
        .bind(clean(&symptom.terms.join(" "), NOTE))
        .fetch_one(&mut *self.inner)
        .await?;
        Ok(problem.map(Number))
    }

    pub async fn symptoms(&mut self, about: &str, since: Timestamp, limit: i64) -> Result<Vec<Symptom>> {
        let rows = sqlx::query(
            "select ticket, about, created, terms, problem from symptom where about = $1 and created >= $2
             order by created desc, ticket desc limit $3",
        )
        .bind(about)
        .bind(since.millis())
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(symptom).collect()
    }

    pub async fn mark_symptoms(&mut self, problem: Number, tickets: &[Number]) -> Result<()> {
        for some in tickets.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("update symptom set problem = ");
            query.push_bind(problem.0).push(" where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}
