//! Who wrote to the desk: what is known of them, and how much they caused lately.

use super::held::some;
use super::{Db, Row, Tx, push_list};
use crate::address::Address;
use crate::desk::event::{Person, SenderCounts};
use crate::desk::ticket::Number;
use crate::desk::words::Language;
use crate::store::Result;
use crate::store::text::line;
use crate::time::Timestamp;
use sqlx::{QueryBuilder, Row as _};
use std::collections::HashMap;
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
    pub async fn people(&mut self, addresses: &[Address]) -> Result<Vec<(Address, Person)>> {
        self.write_people().await?;
        let mut found: HashMap<String, Person> = HashMap::new();
        for some in addresses.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select * from person where address_key in ");
            push_list(&mut query, some.iter().map(Address::key));
            for row in query.build().fetch_all(&mut *self.inner).await? {
                found.insert(row.try_get("address_key")?, person(&row)?);
            }
        }
        Ok(addresses.iter().filter_map(|address| Some((address.clone(), found.remove(address.key())?))).collect())
    }

    pub async fn remember(&mut self, address: &Address, person: &Person) -> Result<()> {
        self.held.people.insert(address.clone(), person.clone());
        Ok(())
    }

    pub(super) async fn write_people(&mut self) -> Result<()> {
        let mut people: Vec<(Address, Person)> = std::mem::take(&mut self.held.people).into_iter().collect();
        while let Some(people) = some(&mut people) {
            let mut query = QueryBuilder::<Db>::new(
                "insert into person (address_key, name, department, employee_id, contact, language) ",
            );
            query.push_values(&people, |mut row, (address, person)| {
                row.push_bind(address.key()).push_bind(line(&person.name)).push_bind(line(&person.department));
                row.push_bind(line(&person.employee_id)).push_bind(line(&person.contact));
                row.push_bind(person.language.map(Language::as_str));
            });
            query.push(
                " on conflict (address_key) do update set name = excluded.name, department = excluded.department,
                     employee_id = excluded.employee_id, contact = excluded.contact, language = excluded.language",
            );
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn sender_counts(&mut self, senders: &[Address], now: Timestamp) -> Result<Vec<SenderCounts>> {
        self.write_tickets().await?;
        let mut found: HashMap<String, SenderCounts> = HashMap::new();
        for some in senders.chunks(256) {
            self.count_letters(some, now, &mut found).await?;
            self.count_tickets(some, now, &mut found).await?;
        }
        Ok(senders.iter().map(|sender| found.get(sender.key()).copied().unwrap_or_default()).collect())
    }

    async fn count_letters(
        &mut self,
        senders: &[Address],
        now: Timestamp,
        found: &mut HashMap<String, SenderCounts>,
    ) -> Result<()> {
        let mut query = QueryBuilder::<Db>::new("select to_key, cast(sum(case when queued > ");
        query.push_bind((now - HOUR / 6).millis()).push(" then 1 else 0 end) as bigint), ");
        query.push("cast(sum(case when queued > ").push_bind((now - HOUR * 3).millis());
        query.push(" then 1 else 0 end) as bigint), count(*) from outbox where to_key in ");
        push_list(&mut query, senders.iter().map(Address::key));
        // The list of templates is the one of the index outbox_automatic.
        query.push(" and template in ('acknowledgement', 'clarify', 'too_large') and queued > ");
        query.push_bind((now - HOUR * 24).millis()).push(" group by to_key");
        let rows: Vec<(String, i64, i64, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
        for (sender, ten_minutes, three_hours, day) in rows {
            found.entry(sender).or_default().acknowledgements = [ten_minutes, three_hours, day];
        }
        Ok(())
    }

    async fn count_tickets(
        &mut self,
        senders: &[Address],
        now: Timestamp,
        found: &mut HashMap<String, SenderCounts>,
    ) -> Result<()> {
        let mut query =
            QueryBuilder::<Db>::new("select requester_key, count(*), max(number) from ticket where requester_key in ");
        push_list(&mut query, senders.iter().map(Address::key));
        query.push(" and created > ").push_bind((now - SenderCounts::FLOOD).millis()).push(" group by requester_key");
        let rows: Vec<(String, i64, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
        for (sender, tickets, newest) in rows {
            let counts = found.entry(sender).or_default();
            (counts.tickets, counts.newest) = (tickets, Some(Number(newest)));
        }
        Ok(())
    }
}
