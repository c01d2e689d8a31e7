//! Taking a person's data away: names, addresses, words and files go; what happened, when and how it was judged stays,
//! under a name that leads to nobody (`hardening.md` S65, S66).
//!
//! Messages keep their row, emptied: their identity stops the same mail from being taken in once more. Letters go with
//! their row, whose key names the reader.

use super::{Db, Store, Tx, blobs, pieces, push_list};
use crate::address::{Address, Mailbox};
use crate::desk::inbound::Digest;
use crate::desk::ticket::{Entry, Number, What, Who};
use crate::desk::words::Status;
use crate::store::text::{from_json, json};
use crate::store::{Deletion, Kept, Result, StoreError, Traces};
use crate::time::Timestamp;
use sqlx::QueryBuilder;

/// Values of one statement.
const SOME: usize = 256;

fn like(needle: &str) -> String {
    let escaped = needle.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

impl Tx {
    pub async fn traces(&mut self, who: &Address) -> Result<Traces> {
        self.write_held().await?;
        let (key, db) = (who.key(), &mut *self.inner);
        let own: Vec<(i64, String, String)> = sqlx::query_as(
            "select number, status, requester_name from ticket where requester_key = $1 order by number",
        )
        .bind(key)
        .fetch_all(&mut *db)
        .await?;
        let mut traces = Traces::default();
        for (number, status, name) in own {
            let status = Status::parse(&status).ok_or_else(|| StoreError::damaged_row("status", &status))?;
            traces.own.push((Number(number), status));
            traces.names.push(name);
        }
        let person: Option<(String, String, String)> =
            sqlx::query_as("select name, employee_id, contact from person where address_key = $1")
                .bind(key)
                .fetch_optional(&mut *db)
                .await?;
        if let Some((name, employee_id, contact)) = person {
            traces.names.push(name);
            traces.numbers.extend([employee_id, contact]);
        }
        let names: Vec<String> = sqlx::query_scalar("select distinct from_name from message where from_key = $1")
            .bind(key)
            .fetch_all(&mut *db)
            .await?;
        traces.names.extend(names);
        // Where they took part, are named by their address, or had the ticket.
        let others: Vec<i64> = sqlx::query_scalar(
            "select ticket from participant where address_key = $1
             union select ticket from message where from_key = $1 and ticket is not null
             union select number from ticket where assignee_key = $1
             union select number from ticket where lower(copied) like $2 escape '\\'
             union select ticket from approval where lower(people) like $2 escape '\\'
             union select ticket from review where lower(people) like $2 escape '\\' or lower(owner_address) = $1
                 or lower(cause || corrective || preventive || owner) like $2 escape '\\'
             union select ticket from timeline
                 where lower(who) = $1 or lower(what) like $2 escape '\\' or lower(why) like $2 escape '\\'
             union select ticket from message
                 where ticket is not null and (lower(full_text) like $2 escape '\\' or lower(body) like $2 escape '\\')",
        )
        .bind(key)
        .bind(like(key))
        .fetch_all(&mut *db)
        .await?;
        let own = |number: &i64| traces.own.iter().any(|(own, _)| own.0 == *number);
        let mut others: Vec<i64> = others.into_iter().filter(|number| !own(number)).collect();
        others.sort_unstable();
        traces.others = others.into_iter().map(Number).collect();
        Ok(traces)
    }

    /// What was written on these tickets, on none of them, and by or to this person: to be read for names.
    pub async fn holdings(&mut self, numbers: &[Number], who: &Address) -> Result<Vec<Kept>> {
        self.write_held().await?;
        let mut found = Vec::new();
        let mut lists: Vec<Vec<i64>> = numbers.chunks(SOME).map(|some| some.iter().map(|n| n.0).collect()).collect();
        // Of no ticket: digests and overviews, and what was set aside.
        lists.push(Vec::new());
        for some in lists {
            for (message, table) in [(true, "message"), (false, "outbox")] {
                let address = if message { "from_key" } else { "to_key" };
                let mut query = QueryBuilder::<Db>::new("select id, coalesce(");
                query.push(address).push(", '') from ").push(table).push(" where ");
                if some.is_empty() {
                    query.push("ticket is null or ").push(address).push(" = ").push_bind(who.key());
                } else {
                    query.push("ticket in ");
                    push_list(&mut query, some.iter().copied());
                }
                let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
                found.extend(rows.into_iter().map(|(id, address)| Kept { id, message, own: address == who.key() }));
            }
        }
        found.sort_by_key(|held| held.id);
        found.dedup_by_key(|held| held.id);
        Ok(found)
    }

    /// The exact bytes of one of them.
    pub async fn held_bytes(&mut self, id: i64) -> Result<Vec<u8>> {
        Ok(pieces::read(&mut self.inner, id).await?.unwrap_or_default())
    }

    /// Empties messages and takes letters away, with their bytes and files.
    pub async fn erase_held(&mut self, held: &[Kept]) -> Result<Deletion> {
        let mut gone = Deletion::default();
        for some in held.chunks(SOME) {
            let ids = |message: bool| some.iter().filter(move |held| held.message == message).map(|held| held.id);
            let (messages, letters): (Vec<i64>, Vec<i64>) = (ids(true).collect(), ids(false).collect());
            let mut files = QueryBuilder::<Db>::new("select digest from attachment where message in ");
            push_list(&mut files, some.iter().map(|held| held.id));
            files.push(" union select file from piece where file is not null and whole in ");
            push_list(&mut files, some.iter().map(|held| held.id));
            let files: Vec<Vec<u8>> = files.build_query_scalar().fetch_all(&mut *self.inner).await?;
            self.each("delete from attachment where message in ", &messages).await?;
            self.each("delete from piece where whole in ", &messages).await?;
            self.each("delete from piece where whole in ", &letters).await?;
            self.each("delete from message_ref where id in (select message_id from message where id in ", &messages)
                .await?;
            gone.messages += self
                .each(
                    "update message set from_address = null, from_key = null, from_name = '', subject = '', message_id = null,
                         size = 0, anomalies = '[]', body = '', full_text = '', html = null where id in ",
                    &messages,
                )
                .await?;
            gone.letters += self.each("delete from outbox where id in ", &letters).await?;
            for digest in files {
                gone.files += self.drop_unused_file(&blobs::digest(&digest)?).await?;
            }
        }
        Ok(gone)
    }

    /// Runs a statement that ends before a list of ids; gives how many rows it changed.
    async fn each(&mut self, statement: &'static str, ids: &[i64]) -> Result<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let mut query = QueryBuilder::<Db>::new(statement);
        push_list(&mut query, ids.iter().copied());
        if statement.contains("in (select") {
            query.push(")");
        }
        Ok(query.build().execute(&mut *self.inner).await?.rows_affected())
    }

    async fn drop_unused_file(&mut self, digest: &Digest) -> Result<u64> {
        let gone = sqlx::query(
            "delete from blob where digest = $1 and not exists (select 1 from attachment where digest = $1)
             and not exists (select 1 from piece where file = $1)",
        )
        .bind(digest.0.as_slice())
        .execute(&mut *self.inner)
        .await?;
        Ok(u64::from(gone.rows_affected() > 0))
    }

    /// Opens archived tickets for what follows; gives since when they were archived.
    pub async fn unarchive(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Timestamp)>> {
        let archived = self.archived(numbers).await?;
        let ids: Vec<i64> = archived.iter().map(|(number, _)| number.0).collect();
        for some in ids.chunks(SOME) {
            self.each("delete from archive where ticket in ", some).await?;
        }
        Ok(archived)
    }

    /// What a person told on their own tickets: words and names go, `as_whom` takes their place.
    pub async fn erase_tickets(&mut self, numbers: &[Number], as_whom: &Address) -> Result<()> {
        for some in numbers.chunks(SOME) {
            let ids: Vec<i64> = some.iter().map(|number| number.0).collect();
            let mut query = QueryBuilder::<Db>::new("update ticket set copied = '[]', subject = '', requester = ");
            query.push_bind(as_whom.as_str()).push(", requester_key = ").push_bind(as_whom.key());
            query.push(", requester_name = '', version = version + 1 where number in ");
            push_list(&mut query, ids.iter().copied());
            query.build().execute(&mut *self.inner).await?;
            for statement in [
                "update rating set comment = '' where ticket in ",
                "update visit set place = '' where ticket in ",
                "update approval set request = '', note = '' where ticket in ",
                "update timeline set why = '' where ticket in ",
                "delete from message_ref where ticket in ",
                "delete from participant where ticket in ",
                "delete from conversation where ticket in ",
                // Reports recount them from what is left.
                "delete from round where ticket in ",
                "insert into changed (ticket) select number from ticket
                     where not exists (select 1 from changed where changed.ticket = ticket.number) and number in ",
            ] {
                self.each(statement, &ids).await?;
            }
            for number in some {
                self.keep_department(*number).await?;
            }
        }
        Ok(())
    }

    /// Figures by department stay.
    async fn keep_department(&mut self, number: Number) -> Result<()> {
        let fields: Option<String> = sqlx::query_scalar("select fields from ticket where number = $1")
            .bind(number.0)
            .fetch_optional(&mut *self.inner)
            .await?;
        let fields: serde_json::Value = fields.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let kept = match fields.get("department") {
            Some(department) => serde_json::json!({"department": department}),
            None => serde_json::json!({}),
        };
        let query = sqlx::query("update ticket set fields = $2 where number = $1").bind(number.0).bind(json(&kept));
        query.execute(&mut *self.inner).await?;
        Ok(())
    }

    /// Everything else that is kept about a person; wherever they did something, `as_whom` did it.
    pub async fn erase_person(&mut self, who: &Address, as_whom: &Address) -> Result<()> {
        let (key, db) = (who.key(), &mut *self.inner);
        for statement in [
            "delete from person where address_key = $1",
            "delete from participant where address_key = $1",
            "delete from conversation where address_key = $1",
            "update article set owner = null where lower(owner) = $1",
            "delete from load where assignee_key = $1",
            "delete from held_address where address_key = $1",
            "delete from digest_sent where reader_key = $1",
        ] {
            sqlx::query(statement).bind(key).execute(&mut *db).await?;
        }
        for statement in [
            "update timeline set who = $2 where lower(who) = $1",
            "update ticket set assignee = $2, assignee_key = $2 where assignee_key = $1",
            "update visit set engineer = $2 where lower(engineer) = $1",
        ] {
            sqlx::query(statement).bind(key).bind(as_whom.key()).execute(&mut *db).await?;
        }
        Ok(())
    }

    /// What is remembered of people none of whose tickets is left.
    pub async fn forget_strangers(&mut self) -> Result<()> {
        sqlx::query(
            "delete from person where not exists (select 1 from ticket where ticket.requester_key = person.address_key)",
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Writes the timeline of a ticket anew, entry by entry.
    pub async fn rewrite_timeline(&mut self, number: Number, change: impl Fn(Entry) -> Entry) -> Result<()> {
        let rows: Vec<i64> = sqlx::query_scalar("select seq from timeline where ticket = $1 order by seq")
            .bind(number.0)
            .fetch_all(&mut *self.inner)
            .await?;
        let timeline = self.timeline(number).await?;
        for (seq, entry) in rows.into_iter().zip(timeline) {
            let changed = change(entry.clone());
            if changed == entry {
                continue;
            }
            let who = match &changed.who {
                Who::Desk => "desk",
                Who::Person(address) => address.as_str(),
            };
            let what: &What = &changed.what;
            sqlx::query("update timeline set who = $3, what = $4, why = $5 where ticket = $1 and seq = $2")
                .bind(number.0)
                .bind(seq)
                .bind(who)
                .bind(json(what))
                .bind(&changed.why)
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }

    /// Nobody of this address is in copy any more.
    pub async fn drop_from_copies(&mut self, numbers: &[Number], who: &Address) -> Result<()> {
        for number in numbers {
            let copied: Option<String> = sqlx::query_scalar("select copied from ticket where number = $1")
                .bind(number.0)
                .fetch_optional(&mut *self.inner)
                .await?;
            let Some(copied) = copied.filter(|copied| copied.to_lowercase().contains(who.key())) else { continue };
            let mut people: Vec<Mailbox> = from_json("copied", &copied)?;
            people.retain(|person| person.address != *who);
            let query = sqlx::query("update ticket set copied = $2, version = version + 1 where number = $1");
            query.bind(number.0).bind(json(&people)).execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    /// Replaces an address in what is known of approvals, where addresses stand within a text.
    pub async fn rename_in_approvals(&mut self, numbers: &[Number], who: &Address, as_whom: &Address) -> Result<()> {
        for number in numbers {
            let people: Option<String> = sqlx::query_scalar("select people from approval where ticket = $1")
                .bind(number.0)
                .fetch_optional(&mut *self.inner)
                .await?;
            let Some(people) = people else { continue };
            let renamed = crate::store::text::replaced(&people, who.key(), as_whom.as_str());
            if renamed != people {
                let query = sqlx::query("update approval set people = $2 where ticket = $1");
                query.bind(number.0).bind(renamed).execute(&mut *self.inner).await?;
            }
        }
        Ok(())
    }

    /// Evidence of a deletion, without whom it was about.
    pub async fn note_deletion(&mut self, why: &str, gone: &Deletion, at: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into deletion (at, why, tickets, messages, letters, files) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(at.millis())
        .bind(why.to_owned())
        .bind(i64::try_from(gone.tickets).unwrap_or(i64::MAX))
        .bind(i64::try_from(gone.messages).unwrap_or(i64::MAX))
        .bind(i64::try_from(gone.letters).unwrap_or(i64::MAX))
        .bind(i64::try_from(gone.files).unwrap_or(i64::MAX))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Tickets whose data have been kept long enough, oldest first: the urgent ones (P1 and data security), or all others.
    pub async fn kept_long_enough(&mut self, urgent: bool, before: Timestamp, limit: i64) -> Result<Vec<Number>> {
        let urgency = if urgent { "" } else { "not " };
        let mut query =
            QueryBuilder::<Db>::new("select number from ticket where status in ('closed', 'cancelled') and ");
        query.push(urgency).push("(priority = 'P1' or category = 'data-security') and coalesce(closed, updated) < ");
        query.push_bind(before.millis()).push(" and requester_key not like '%@erased.invalid' order by number limit ");
        query.push_bind(limit);
        let numbers: Vec<i64> = query.build_query_scalar().fetch_all(&mut *self.inner).await?;
        Ok(numbers.into_iter().map(Number).collect())
    }

    /// Messages of no ticket that have been kept long enough.
    pub async fn aside_long_enough(&mut self, before: Timestamp, limit: i64) -> Result<Vec<Kept>> {
        let query =
            "select id from message where ticket is null and handled < $1 and full_text || subject || body <> ''
                     order by id limit $2";
        let ids: Vec<i64> =
            sqlx::query_scalar(query).bind(before.millis()).bind(limit).fetch_all(&mut *self.inner).await?;
        Ok(ids.into_iter().map(|id| Kept { id, message: true, own: false }).collect())
    }
}

impl Store {
    pub async fn deletions(&self) -> Result<Vec<(Timestamp, String, Deletion)>> {
        let query = "select at, why, tickets, messages, letters, files from deletion order by at, why";
        let rows: Vec<(i64, String, i64, i64, i64, i64)> = sqlx::query_as(query).fetch_all(&self.read).await?;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        let row = |(at, why, tickets, messages, letters, files)| {
            let gone = Deletion {
                tickets: count(tickets),
                messages: count(messages),
                letters: count(letters),
                files: count(files),
            };
            (Timestamp::from_millis(at), why, gone)
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
