//! What people made of the desk's sorting (see [`crate::desk::triage::Case`]).

use super::{Row, Store};
use crate::desk::inbound::Kind;
use crate::desk::ticket::{Entry, Number};
use crate::desk::triage::Past;
use crate::desk::words::{Category, Language, Priority, Status};
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::Row as _;
use std::collections::HashMap;

/// Characters of a text that are read: sorting looks at no more bytes than that.
const EXAMINED: i32 = 64 << 10;
/// What an empty text may consist of.
const BLANKS: &str = " \n\r\t\u{a0}\u{3000}";

fn word<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<T> {
    let text: &str = row.try_get(column)?;
    parse(text).ok_or_else(|| StoreError::damaged_row(column, text))
}

fn past(row: &Row, changes: Vec<Entry>) -> Result<Past> {
    let requester: String = row.try_get("requester_key")?;
    let name: String = row.try_get("requester_name")?;
    let (merged, parent): (Option<i64>, Option<i64>) = (row.try_get("merged_into")?, row.try_get("parent")?);
    let kind: &str = row.try_get("kind")?;
    // Only what somebody writes themselves is looked at as a whole when nothing of it is new.
    let own: bool = row.try_get::<Option<&str>, _>("from_key")? == Some(&requester);
    let text: String = row.try_get("body")?;
    let text = if own && text.trim().is_empty() { row.try_get("full_text")? } else { text };
    Ok(Past {
        number: Number(row.try_get("number")?),
        created: Timestamp::from_millis(row.try_get("created")?),
        language: word(row, "language", Language::parse)?,
        status: word(row, "status", Status::parse)?,
        category: word(row, "category", Category::parse)?,
        priority: word(row, "priority", Priority::parse)?,
        double: merged.is_some() || parent.is_some(),
        bulk: kind == Kind::Bulk.as_str(),
        subject: row.try_get("subject")?,
        requester,
        name,
        text,
        changes,
    })
}

impl Store {
    pub async fn tickets_since(&self, since: Option<Timestamp>) -> Result<Option<(Number, Number)>> {
        let some = "select min(number), max(number) from ticket where created >= $1";
        // Each from the end of the index.
        let all = "select (select min(number) from ticket where number > $1), (select max(number) from ticket)";
        let query = sqlx::query_as(if since.is_some() { some } else { all });
        let (first, last): (Option<i64>, Option<i64>) =
            query.bind(since.map_or(0, Timestamp::millis)).fetch_one(&self.read).await?;
        Ok(first.zip(last).map(|(first, last)| (Number(first), Number(last))))
    }

    pub async fn sorted_tickets(&self, from: Number, to: Number) -> Result<Vec<Past>> {
        let mut db = self.read.acquire().await?;
        let rows = sqlx::query(
            "select ticket, at, who, what, why from timeline where ticket >= $1 and ticket < $2
                 and (what like '{\"category\"%' or what like '{\"priority\"%' or what like '{\"status\"%')
             order by ticket, seq",
        );
        let mut changes: HashMap<i64, Vec<Entry>> = HashMap::new();
        for row in rows.bind(from.0).bind(to.0).fetch_all(&mut *db).await? {
            changes.entry(row.try_get("ticket")?).or_default().push(super::tickets::entry(&row)?);
        }
        let rows = sqlx::query(
            "select number, created, requester_key, requester_name, language, status, category, priority, merged_into,
                 parent, kind, from_key, message.subject as subject, substr(body, 1, $3) as body,
                 case when trim(body, $4) = '' then substr(full_text, 1, $3) else '' end as full_text
             from ticket join message on message.id = (select min(id) from message where ticket = number)
             where number >= $1 and number < $2 order by number",
        );
        let rows = rows.bind(from.0).bind(to.0).bind(EXAMINED).bind(BLANKS).fetch_all(&mut *db).await?;
        let of = |row: &Row| past(row, changes.remove(&row.try_get("number")?).unwrap_or_default());
        rows.iter().map(of).collect()
    }
}
