//! Tickets, their timeline, their people, their ratings.

use super::held::some;
use super::{Connection, Db, Row, Store, Tx, push_list};
use crate::address::{Address, Mailbox, MessageId};
use crate::desk::ticket::{Entry, Number, Ticket, Who};
use crate::desk::words::{Category, Impact, Language, Priority, Rating, Status, Wait};
use crate::store::text::{NOTE, clean, from_json, json, line};
use crate::store::{Result, StoreError, TicketFilter};
use crate::time::Timestamp;
use sqlx::query_builder::Separated;
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

fn percent(row: &Row, column: &str) -> Result<u32> {
    let percent: i64 = row.try_get(column)?;
    u32::try_from(percent).map_err(|_| StoreError::damaged_row(column, &percent.to_string()))
}

pub(super) fn ticket(row: &Row) -> Result<Ticket> {
    Ok(Ticket {
        number: Number(row.try_get("number")?),
        subject: row.try_get("subject")?,
        requester: Mailbox::new(word(row, "requester", Address::parse)?, row.try_get::<String, _>("requester_name")?),
        copied: from_json("copied", row.try_get("copied")?)?,
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
        answered: maybe_time(row, "answered")?,
        response_due: time(row, "response_due")?,
        resolution_due: time(row, "resolution_due")?,
        response_warned: percent(row, "response_warned")?,
        resolution_warned: percent(row, "resolution_warned")?,
        resolved: maybe_time(row, "resolved")?,
        closed: maybe_time(row, "closed")?,
        rating: maybe_word(row, "rating", Rating::parse)?,
        cycle: row.try_get("cycle")?,
        asked: row.try_get("asked")?,
        merged_into: maybe_number(row, "merged_into")?,
        fault: row.try_get("fault")?,
        parent: maybe_number(row, "parent")?,
        related: maybe_number(row, "related")?,
        version: row.try_get("version")?,
    })
}

pub(super) fn entry(row: &Row) -> Result<Entry> {
    let who = match row.try_get("who")? {
        "desk" => Who::Desk,
        text => Who::Person(Address::parse(text).ok_or_else(|| StoreError::damaged_row("who", text))?),
    };
    Ok(Entry { at: time(row, "at")?, who, what: from_json("what", row.try_get("what")?)?, why: row.try_get("why")? })
}

async fn timeline(db: &mut Connection, number: Number, limit: i64) -> Result<Vec<Entry>> {
    let query = sqlx::query("select at, who, what, why from timeline where ticket = $1 order by seq limit $2");
    query.bind(number.0).bind(limit).fetch_all(db).await?.iter().map(entry).collect()
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
        timeline(&mut *self.read.acquire().await?, number, i64::MAX).await
    }
}

/// A changed ticket that waits to be written.
pub struct Saved {
    pub ticket: Ticket,
    /// The version that the database must still have.
    over: i64,
}

/// A line of a timeline that waits to be written.
pub struct Event {
    ticket: i64,
    at: i64,
    who: String,
    what: String,
    why: String,
}

fn bind_ticket(row: &mut Separated<'_, Db, &'static str>, ticket: &Ticket) {
    let terms = &ticket.matched[..ticket.matched.len().min(TERMS)];
    let (requester, assignee) = (&ticket.requester.address, ticket.assignee.as_ref());
    row.push_bind(ticket.number.0).push_bind(line(&ticket.subject)).push_bind(requester.as_str());
    row.push_bind(requester.key()).push_bind(line(&ticket.requester.name)).push_bind(ticket.language.as_str());
    row.push_bind(ticket.category.as_str()).push_bind(ticket.priority.as_str()).push_bind(ticket.impact.as_str());
    row.push_bind(json(&terms)).push_bind(json(&ticket.fields));
    row.push_bind(ticket.status.as_str()).push_bind(ticket.wait.map(Wait::as_str));
    row.push_bind(assignee.map(Address::as_str)).push_bind(assignee.map(Address::key));
    row.push_bind(ticket.created.millis()).push_bind(ticket.updated.millis());
    row.push_bind(ticket.first_response.map(Timestamp::millis));
    row.push_bind(ticket.response_due.millis()).push_bind(ticket.resolution_due.millis());
    row.push_bind(ticket.resolved.map(Timestamp::millis)).push_bind(ticket.closed.map(Timestamp::millis));
    row.push_bind(ticket.rating.map(Rating::as_str)).push_bind(ticket.cycle).push_bind(ticket.asked);
    row.push_bind(ticket.merged_into.map(|n| n.0)).push_bind(ticket.related.map(|n| n.0)).push_bind(ticket.version);
    row.push_bind(i64::from(ticket.response_warned)).push_bind(i64::from(ticket.resolution_warned));
    row.push_bind(ticket.fault.as_deref().map(line)).push_bind(ticket.parent.map(|n| n.0));
    row.push_bind(ticket.answered.map(Timestamp::millis)).push_bind(json(&ticket.copied));
}

async fn open_of(db: &mut Connection, assignee: &Address) -> Result<Vec<Ticket>> {
    let rows = sqlx::query(
        "select * from ticket
         where assignee_key = $1 and status in ('new', 'assigned', 'in_progress', 'pending')
         order by resolution_due, number limit 50",
    )
    .bind(assignee.key())
    .fetch_all(db)
    .await?;
    rows.iter().map(ticket).collect()
}

impl Store {
    pub async fn open_of(&self, assignee: &Address) -> Result<Vec<Ticket>> {
        open_of(&mut *self.read.acquire().await?, assignee).await
    }

    pub async fn open_assignees(&self) -> Result<Vec<Address>> {
        let query = sqlx::query_scalar("select assignee_key from load where open > 0 order by assignee_key");
        let keys: Vec<String> = query.fetch_all(&self.read).await?;
        Ok(keys.iter().filter_map(|key| Address::parse(key)).collect())
    }
}

impl Tx {
    pub async fn next_number(&mut self) -> Result<Number> {
        Ok(Number(self.counters().await?.ticket + 1))
    }

    pub async fn open_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        if self.next_number().await? != ticket.number {
            return Err(StoreError::Conflict(ticket.number.to_string()));
        }
        self.use_ticket_number(ticket.number.0).await?;
        self.held.opened.push(ticket.clone());
        Ok(())
    }

    pub async fn save_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        let opened = self.held.opened.iter_mut();
        let saved = self.held.saved.iter_mut().map(|saved| &mut saved.ticket);
        match opened.chain(saved).find(|held| held.number == ticket.number) {
            Some(held) if held.version + 1 == ticket.version => *held = ticket.clone(),
            Some(_) => return Err(StoreError::Conflict(ticket.number.to_string())),
            None => self.held.saved.push(Saved { ticket: ticket.clone(), over: ticket.version - 1 }),
        }
        Ok(())
    }

    pub(super) async fn write_tickets(&mut self) -> Result<()> {
        while let Some(tickets) = some(&mut self.held.opened) {
            let mut query = QueryBuilder::<Db>::new(
                "insert into ticket (number, subject, requester, requester_key, requester_name, language, category,
                     priority, impact, matched, fields, status, wait, assignee, assignee_key, created, updated,
                     first_response, response_due, resolution_due, resolved, closed, rating, cycle, asked,
                     merged_into, related, version, response_warned, resolution_warned, fault, parent, answered, copied) ",
            );
            query.push_values(&tickets, |mut row, ticket| bind_ticket(&mut row, ticket));
            query.build().execute(&mut *self.inner).await?;
        }
        while let Some(saved) = some(&mut self.held.saved) {
            self.write_saved(&saved).await?;
        }
        Ok(())
    }

    async fn write_saved(&mut self, saved: &[Saved]) -> Result<()> {
        let mut query = QueryBuilder::<Db>::new(
            "update ticket set subject = column2, requester = column3, requester_key = column4,
                 requester_name = column5, language = column6, category = column7, priority = column8,
                 impact = column9, matched = column10, fields = column11, status = column12, wait = column13,
                 assignee = column14, assignee_key = column15, created = column16, updated = column17,
                 first_response = column18, response_due = column19, resolution_due = column20,
                 resolved = column21, closed = column22, rating = column23, cycle = column24, asked = column25,
                 merged_into = column26, related = column27, version = column28, response_warned = column29,
                 resolution_warned = column30, fault = column31, parent = column32, answered = column33, copied = column34
             from (",
        );
        query.push_values(saved, |mut row, saved| {
            bind_ticket(&mut row, &saved.ticket);
            row.push_bind(saved.over);
        });
        query.push(") as held where number = column1 and version = column35 returning number");
        let written: Vec<i64> = query.build_query_scalar().fetch_all(&mut *self.inner).await?;
        match saved.iter().find(|saved| !written.contains(&saved.ticket.number.0)) {
            Some(stale) => Err(StoreError::Conflict(stale.ticket.number.to_string())),
            None => Ok(()),
        }
    }

    pub async fn tickets(&mut self, numbers: &[Number]) -> Result<Vec<Ticket>> {
        self.write_tickets().await?;
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

    pub async fn with_more(&mut self, numbers: &[Number]) -> Result<Vec<Number>> {
        self.write_approvals().await?;
        self.write_visits().await?;
        let mut found = Vec::new();
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select number from ticket where number in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.push(
                " and (exists (select 1 from approval where ticket = number)
                      or exists (select 1 from visit where ticket = number)
                      or exists (select 1 from review where ticket = number)
                      or exists (select 1 from archive where ticket = number))",
            );
            let rows: Vec<i64> = query.build_query_scalar().fetch_all(&mut *self.inner).await?;
            found.extend(rows.into_iter().map(Number));
        }
        Ok(found)
    }

    pub async fn leading_ticket(&mut self, fault: &str, since: Timestamp) -> Result<Option<Number>> {
        self.write_tickets().await?;
        let query = "select number from ticket where fault = $1 and created > $2 and parent is null
                     and status in ('new', 'assigned', 'in_progress', 'pending') order by number limit 1";
        let query = sqlx::query_scalar(query).bind(line(fault).into_owned()).bind(since.millis());
        let number: Option<i64> = query.fetch_optional(&mut *self.inner).await?;
        Ok(number.map(Number))
    }

    pub async fn open_with_subject(
        &mut self,
        requester: &Address,
        subject: &str,
        since: Timestamp,
    ) -> Result<Option<Number>> {
        self.write_tickets().await?;
        let query = "select number from ticket where requester_key = $1 and created > $2 and subject = $3
                     and status not in ('closed', 'cancelled') and merged_into is null limit 2";
        let query =
            sqlx::query_scalar(query).bind(requester.key()).bind(since.millis()).bind(line(subject).into_owned());
        let found: Vec<i64> = query.fetch_all(&mut *self.inner).await?;
        Ok(found.first().filter(|_| found.len() == 1).map(|number| Number(*number)))
    }

    pub async fn reports_of(&mut self, number: Number) -> Result<Vec<Ticket>> {
        self.write_tickets().await?;
        let query = sqlx::query("select * from ticket where parent = $1 order by number").bind(number.0);
        query.fetch_all(&mut *self.inner).await?.iter().map(ticket).collect()
    }

    pub async fn record(&mut self, number: Number, entry: &Entry) -> Result<()> {
        let who = match &entry.who {
            Who::Desk => "desk",
            Who::Person(address) => address.as_str(),
        };
        self.held.timeline.push(Event {
            ticket: number.0,
            at: entry.at.millis(),
            who: who.to_owned(),
            what: json(&entry.what),
            why: clean(&entry.why, NOTE).into_owned(),
        });
        Ok(())
    }

    pub(super) async fn write_timeline(&mut self) -> Result<()> {
        self.write_tickets().await?;
        while let Some(events) = some(&mut self.held.timeline) {
            // Lines of one ticket follow each other; two daemons that write to one ticket at the same moment meet in
            // the primary key, and the second one tries again.
            let mut query = QueryBuilder::<Db>::new(
                "insert into timeline (ticket, seq, at, who, what, why)
                 select column1, column2 + coalesce((select max(seq) from timeline where ticket = column1), 0),
                     column3, column4, column5, column6 from (",
            );
            let mut position: HashMap<i64, i64> = HashMap::new();
            query.push_values(events, |mut row, event| {
                let position = position.entry(event.ticket).or_default();
                *position += 1;
                row.push_bind(event.ticket).push_bind(*position).push_bind(event.at);
                row.push_bind(event.who).push_bind(event.what).push_bind(event.why);
            });
            query.push(") as held").build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn timeline(&mut self, number: Number) -> Result<Vec<Entry>> {
        self.write_timeline().await?;
        timeline(&mut self.inner, number, i64::MAX).await
    }

    pub async fn first_entries(&mut self, number: Number, limit: i64) -> Result<Vec<Entry>> {
        self.write_timeline().await?;
        timeline(&mut self.inner, number, limit).await
    }

    pub async fn add_participants(&mut self, number: Number, people: &[Address]) -> Result<()> {
        self.held.participants.extend(people.iter().map(|address| (number.0, address.clone())));
        Ok(())
    }

    pub(super) async fn write_participants(&mut self) -> Result<()> {
        self.write_tickets().await?;
        while let Some(people) = some(&mut self.held.participants) {
            let mut query = QueryBuilder::<Db>::new("insert into participant (ticket, address_key, address) ");
            query.push_values(people, |mut row, (number, address)| {
                row.push_bind(number).push_bind(address.key()).push_bind(address.as_str());
            });
            query.push(" on conflict (ticket, address_key) do nothing").build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn participants(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Address)>> {
        self.write_participants().await?;
        let mut found = Vec::new();
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select ticket, address from participant where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.push(" order by ticket, address_key");
            let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            found.extend(rows.iter().filter_map(|(number, text)| Some((Number(*number), Address::parse(text)?))));
        }
        Ok(found)
    }

    pub async fn keep_conversation(&mut self, number: Number, with: &Address, seen: &[MessageId]) -> Result<()> {
        self.held.conversations.insert((number.0, with.clone()), seen.to_vec());
        Ok(())
    }

    pub(super) async fn write_conversations(&mut self) -> Result<()> {
        self.write_tickets().await?;
        let mut conversations: Vec<_> = std::mem::take(&mut self.held.conversations).into_iter().collect();
        while let Some(conversations) = some(&mut conversations) {
            let mut query = QueryBuilder::<Db>::new("insert into conversation (ticket, address_key, seen) ");
            query.push_values(&conversations, |mut row, ((number, with), seen)| {
                let seen: Vec<&str> = seen.iter().map(MessageId::as_str).collect();
                row.push_bind(*number).push_bind(with.key()).push_bind(seen.join(" "));
            });
            query.push(" on conflict (ticket, address_key) do update set seen = excluded.seen");
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn conversations(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Address, Vec<MessageId>)>> {
        self.write_conversations().await?;
        let mut found = Vec::new();
        for some in numbers.chunks(256) {
            let mut query =
                QueryBuilder::<Db>::new("select ticket, address_key, seen from conversation where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            let rows: Vec<(i64, String, String)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            found.extend(rows.iter().filter_map(|(number, with, seen)| {
                let seen = seen.split(' ').filter_map(MessageId::parse).collect();
                Some((Number(*number), Address::parse(with)?, seen))
            }));
        }
        Ok(found)
    }

    pub async fn loads(&mut self, assignees: &[Address]) -> Result<Vec<(Address, i64)>> {
        self.write_tickets().await?;
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
        self.write_tickets().await?;
        open_of(&mut self.inner, assignee).await
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
