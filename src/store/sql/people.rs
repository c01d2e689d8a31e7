//! Who wrote to the desk: what is known of them, and how much they caused lately.

use super::{Row, Tx};
use crate::address::{Address, Mailbox};
use crate::desk::event::{Person, SenderCounts};
use crate::desk::ticket::Number;
use crate::desk::words::Language;
use crate::store::Result;
use crate::store::text::line;
use crate::time::Timestamp;
use sqlx::Row as _;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn person(row: &Row) -> Result<Person> {
    let language: Option<&str> = row.try_get("language")?;
    Ok(Person {
        name: row.try_get("name")?,
        department: row.try_get("department")?,
        employee_id: row.try_get("employee_id")?,
        contact: row.try_get("contact")?,
        language: language.and_then(Language::parse),
    })
}

impl Tx {
    pub async fn person(&mut self, address: &Address) -> Result<Option<Person>> {
        let row =
            sqlx::query("select name, department, employee_id, contact, language from person where address_key = $1")
                .bind(address.key())
                .fetch_optional(&mut *self.inner)
                .await?;
        row.as_ref().map(person).transpose()
    }

    pub async fn remember(&mut self, who: &Mailbox, person: &Person) -> Result<()> {
        sqlx::query(
            "insert into person (address_key, name, department, employee_id, contact, language)
             values ($1, coalesce(nullif($2, ''), $3), $4, $5, $6, $7)
             on conflict (address_key) do update set
                 name = coalesce(nullif($2, ''), nullif(person.name, ''), $3),
                 department = coalesce(nullif(excluded.department, ''), person.department),
                 employee_id = coalesce(nullif(excluded.employee_id, ''), person.employee_id),
                 contact = coalesce(nullif(excluded.contact, ''), person.contact),
                 language = coalesce(excluded.language, person.language)",
        )
        .bind(who.address.key())
        .bind(line(person.name.trim()))
        .bind(line(who.name.trim()))
        .bind(line(person.department.trim()))
        .bind(line(person.employee_id.trim()))
        .bind(line(person.contact.trim()))
        .bind(person.language.map(Language::as_str))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub async fn sender_counts(&mut self, sender: &Address, now: Timestamp) -> Result<SenderCounts> {
        // The list of templates is the one of the index outbox_automatic.
        let row = sqlx::query(
            "select ten_minutes, three_hours, day, tickets, newest
             from (select coalesce(sum(case when queued > $2 then 1 else 0 end), 0) as ten_minutes,
                          coalesce(sum(case when queued > $3 then 1 else 0 end), 0) as three_hours,
                          count(*) as day
                   from outbox
                   where to_key = $1 and queued > $4
                       and template in ('acknowledgement', 'clarify', 'too_large')) letters,
                  (select count(*) as tickets, max(number) as newest
                   from ticket where requester_key = $1 and created > $5) tickets",
        )
        .bind(sender.key())
        .bind((now - HOUR / 6).millis())
        .bind((now - HOUR * 3).millis())
        .bind((now - HOUR * 24).millis())
        .bind((now - HOUR).millis())
        .fetch_one(&mut *self.inner)
        .await?;
        let newest: Option<i64> = row.try_get("newest")?;
        Ok(SenderCounts {
            acknowledgements: [row.try_get("ten_minutes")?, row.try_get("three_hours")?, row.try_get("day")?],
            tickets: row.try_get("tickets")?,
            newest: newest.map(Number),
        })
    }
}
