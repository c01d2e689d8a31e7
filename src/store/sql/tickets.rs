//! Tickets, their timeline, their people, their ratings.

use super::{Connection, Db, Row, Store, Tx, push_list};
use crate::address::{Address, Mailbox};
use crate::desk::ticket::{Entry, Number, Ticket, Who};
use crate::desk::words::{Category, Impact, Language, Priority, Rating, Status, Wait};
use crate::store::text::{NOTE, clean, from_json, json, line};
use crate::store::{Result, StoreError, TicketFilter};
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};
use std::collections::HashMap;

/// Terms kept of a ticket's explanation.
const TERMS: usize = 64;

fn word<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<T> {
    let text: &str = row.try_get(column)?;
    parse(text).ok_or_else(|| StoreError::damaged_row(column, text))
}

fn maybe_word<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| parse(text).ok_or_else(|| StoreError::damaged_row(column, text))).transpose()
}

fn time(row: &Row, column: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

fn maybe_time(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(Timestamp::from_millis))
}

fn maybe_number(row: &Row, column: &str) -> Result<Option<Number>> {
    let number: Option<i64> = row.try_get(column)?;
    Ok(number.map(Number))
}

fn ticket(row: &Row) -> Result<Ticket> {
    Ok(Ticket {
        number: Number(row.try_get("number")?),
        subject: row.try_get("subject")?,
        requester: Mailbox::new(word(row, "requester", Address::parse)?, row.try_get::<String, _>("requester_name")?),
        language: word(row, "language", Language::parse)?,
        category: word(row, "category", Category::parse)?,
        priority: word(row, "priority", Priority::parse)?,
        impact: word(row, "impact", Impact::parse)?,
        matched: from_json("matched", row.try_get("matched")?)?,
        fields: from_json("fields", row.try_get("fields")?)?,
        status: word(row, "status", Status::parse)?,
        wait: maybe_word(row, "wait", Wait::parse)?,
        assignee: maybe_word(row, "assignee", Address::parse)?,
        created: time(row, "created")?,
        updated: time(row, "updated")?,
        first_response: maybe_time(row, "first_response")?,
        response_due: time(row, "response_due")?,
        resolution_due: time(row, "resolution_due")?,
        resolved: maybe_time(row, "resolved")?,
        closed: maybe_time(row, "closed")?,
        rating: maybe_word(row, "rating", Rating::parse)?,
        cycle: row.try_get("cycle")?,
        asked: row.try_get("asked")?,
        merged_into: maybe_number(row, "merged_into")?,
        related: maybe_number(row, "related")?,
        version: row.try_get("version")?,
    })
}

fn entry(row: &Row) -> Result<Entry> {
    let who = match row.try_get("who")? {
        "desk" => Who::Desk,
        text => Who::Person(Address::parse(text).ok_or_else(|| StoreError::damaged_row("who", text))?),
    };
    Ok(Entry { at: time(row, "at")?, who, what: from_json("what", row.try_get("what")?)?, why: row.try_get("why")? })
}

async fn timeline(db: &mut Connection, number: Number) -> Result<Vec<Entry>> {
    let rows = sqlx::query("select at, who, what, why from timeline where ticket = $1 order by seq")
        .bind(number.0)
        .fetch_all(db)
        .await?;
    rows.iter().map(entry).collect()
}

impl Store {
    pub async fn ticket(&self, number: Number) -> Result<Option<Ticket>> {
        let row =
            sqlx::query("select * from ticket where number = $1").bind(number.0).fetch_optional(&self.read).await?;
        row.as_ref().map(ticket).transpose()
    }

    pub async fn tickets(&self, filter: &TicketFilter) -> Result<Vec<Ticket>> {
        let mut query = QueryBuilder::<Db>::new("select * from ticket where number > 0");
        if let Some(status) = filter.status {
            query.push(" and status = ").push_bind(status.as_str());
        }
        if let Some(open) = filter.open {
            let not = if open { "" } else { " not" };
            query.push(format_args!(" and status{not} in ('new', 'assigned', 'in_progress', 'pending')"));
        }
        if let Some(assignee) = &filter.assignee {
            query.push(" and assignee_key = ").push_bind(assignee.key());
        }
        if let Some(requester) = &filter.requester {
            query.push(" and requester_key = ").push_bind(requester.key());
        }
        let limit = if filter.limit > 0 { filter.limit } else { 100 };
        query.push(" order by number desc limit ").push_bind(limit);
        query.push(" offset ").push_bind(filter.offset.max(0));
        let rows = query.build().fetch_all(&self.read).await?;
        rows.iter().map(ticket).collect()
    }

    pub async fn timeline(&self, number: Number) -> Result<Vec<Entry>> {
        timeline(&mut *self.read.acquire().await?, number).await
    }
}

impl Tx {
    pub async fn next_number(&mut self) -> Result<Number> {
        let used = match self.held.counter {
            Some(used) => used,
            None => {
                sqlx::query_scalar(concat!("select value from counter where name = 'ticket'", for_update!()))
                    .fetch_one(&mut *self.inner)
                    .await?
            }
        };
        self.held.counter = Some(used);
        Ok(Number(used + 1))
    }

    pub async fn open_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        if self.next_number().await? != ticket.number {
            return Err(StoreError::Conflict(ticket.number.to_string()));
        }
        self.held.counter = Some(ticket.number.0);
        self.write_ticket(
            ticket,
            "insert into ticket (number, subject, requester, requester_key, requester_name, language, category,
                 priority, impact, matched, fields, status, wait, assignee, assignee_key, created, updated,
                 first_response, response_due, resolution_due, resolved, closed, rating, cycle, asked, merged_into,
                 related, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23, $24, $25, $26, $27, $28)",
        )
        .await
    }

    pub async fn save_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        self.write_ticket(
            ticket,
            "update ticket set subject = $2, requester = $3, requester_key = $4, requester_name = $5, language = $6,
                 category = $7, priority = $8, impact = $9, matched = $10, fields = $11, status = $12, wait = $13,
                 assignee = $14, assignee_key = $15, created = $16, updated = $17, first_response = $18,
                 response_due = $19, resolution_due = $20, resolved = $21, closed = $22, rating = $23, cycle = $24,
                 asked = $25, merged_into = $26, related = $27, version = $28
             where number = $1 and version = $28 - 1",
        )
        .await
    }

    async fn write_ticket(&mut self, ticket: &Ticket, statement: &'static str) -> Result<()> {
        let terms = &ticket.matched[..ticket.matched.len().min(TERMS)];
        let written = sqlx::query(statement)
            .bind(ticket.number.0)
            .bind(line(&ticket.subject))
            .bind(ticket.requester.address.as_str())
            .bind(ticket.requester.address.key())
            .bind(line(&ticket.requester.name))
            .bind(ticket.language.as_str())
            .bind(ticket.category.as_str())
            .bind(ticket.priority.as_str())
            .bind(ticket.impact.as_str())
            .bind(json(&terms))
            .bind(json(&ticket.fields))
            .bind(ticket.status.as_str())
            .bind(ticket.wait.map(Wait::as_str))
            .bind(ticket.assignee.as_ref().map(Address::as_str))
            .bind(ticket.assignee.as_ref().map(Address::key))
            .bind(ticket.created.millis())
            .bind(ticket.updated.millis())
            .bind(ticket.first_response.map(Timestamp::millis))
            .bind(ticket.response_due.millis())
            .bind(ticket.resolution_due.millis())
            .bind(ticket.resolved.map(Timestamp::millis))
            .bind(ticket.closed.map(Timestamp::millis))
            .bind(ticket.rating.map(Rating::as_str))
            .bind(ticket.cycle)
            .bind(ticket.asked)
            .bind(ticket.merged_into.map(|number| number.0))
            .bind(ticket.related.map(|number| number.0))
            .bind(ticket.version)
            .execute(&mut *self.inner)
            .await?;
        match written.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreError::Conflict(ticket.number.to_string())),
        }
    }

    pub async fn tickets(&mut self, numbers: &[Number]) -> Result<Vec<Ticket>> {
        let mut found = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select * from ticket where number in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            for row in query.build().fetch_all(&mut *self.inner).await? {
                found.push(ticket(&row)?);
            }
        }
        found.sort_by_key(|ticket: &Ticket| ticket.number);
        found.dedup_by_key(|ticket| ticket.number);
        Ok(found)
    }

    pub async fn record(&mut self, number: Number, entry: &Entry) -> Result<()> {
        self.hold_entry(number, entry);
        Ok(())
    }

    pub async fn timeline(&mut self, number: Number) -> Result<Vec<Entry>> {
        self.write_timeline().await?;
        timeline(&mut self.inner, number).await
    }

    pub async fn add_participants(&mut self, number: Number, people: &[Address]) -> Result<()> {
        self.held.participants.extend(people.iter().map(|address| (number.0, address.clone())));
        Ok(())
    }

    pub async fn participants(&mut self, number: Number) -> Result<Vec<Address>> {
        self.write_participants().await?;
        let found: Vec<String> =
            sqlx::query_scalar("select address from participant where ticket = $1 order by address_key")
                .bind(number.0)
                .fetch_all(&mut *self.inner)
                .await?;
        Ok(found.iter().filter_map(|text| Address::parse(text)).collect())
    }

    pub async fn loads(&mut self, assignees: &[Address]) -> Result<Vec<(Address, i64)>> {
        let mut open: HashMap<String, i64> = HashMap::new();
        for some in assignees.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select assignee_key, open from load where assignee_key in ");
            push_list(&mut query, some.iter().map(Address::key));
            let rows: Vec<(String, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            open.extend(rows);
        }
        let load = |address: &Address| (address.clone(), open.get(address.key()).copied().unwrap_or(0));
        Ok(assignees.iter().map(load).collect())
    }

    pub async fn open_of(&mut self, assignee: &Address) -> Result<Vec<Ticket>> {
        let rows = sqlx::query(
            "select * from ticket
             where assignee_key = $1 and status in ('new', 'assigned', 'in_progress', 'pending')
             order by priority, resolution_due, number limit 50",
        )
        .bind(assignee.key())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(ticket).collect()
    }

    pub async fn rate(
        &mut self,
        number: Number,
        cycle: i64,
        rating: Rating,
        comment: &str,
        at: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "insert into rating (ticket, cycle, rating, comment, at) values ($1, $2, $3, $4, $5)
             on conflict (ticket, cycle)
             do update set rating = excluded.rating, comment = excluded.comment, at = excluded.at",
        )
        .bind(number.0)
        .bind(cycle)
        .bind(rating.as_str())
        .bind(clean(comment, NOTE))
        .bind(at.millis())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
