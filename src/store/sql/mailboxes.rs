//! How far mailboxes were read, and which handled messages still lie in them.

use super::held::some;
use super::{Db, Row, Store, Tx};
use crate::ports::Cursor;
use crate::store::{Result, Source};
use sqlx::{QueryBuilder, Row as _};
use std::collections::HashSet;

fn uid(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn cursor(row: &Row) -> Result<Cursor> {
    Ok(Cursor { uid_validity: uid(row.try_get("uid_validity")?), uid: uid(row.try_get("uid")?) })
}

impl Store {
    pub async fn cursor(&self, mailbox: &str) -> Result<Option<Cursor>> {
        let row = sqlx::query("select uid_validity, uid from mailbox where name = $1")
            .bind(mailbox)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(cursor).transpose()
    }

    pub async fn to_put_away(&self, mailbox: &str, uid_validity: u32) -> Result<Vec<u32>> {
        let uids: Vec<i64> = sqlx::query_scalar(
            "select uid from source where mailbox = $1 and uid_validity = $2 and put_away = $3 order by uid limit 10000",
        )
        .bind(mailbox)
        .bind(i64::from(uid_validity))
        .bind(false)
        .fetch_all(&self.read)
        .await?;
        Ok(uids.into_iter().map(uid).collect())
    }
}

impl Tx {
    pub async fn set_cursor(&mut self, mailbox: &str, cursor: Cursor) -> Result<()> {
        sqlx::query(
            "insert into mailbox (name, uid_validity, uid) values ($1, $2, $3)
             on conflict (name) do update set uid_validity = excluded.uid_validity, uid = excluded.uid",
        )
        .bind(mailbox)
        .bind(i64::from(cursor.uid_validity))
        .bind(i64::from(cursor.uid))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub async fn note_source(&mut self, source: &Source) -> Result<()> {
        self.held.sources.push((source.clone(), None));
        Ok(())
    }

    pub(super) async fn write_sources(&mut self) -> Result<()> {
        self.write_messages().await?;
        // PostgreSQL does not update a row twice in one statement: of one place the last word counts.
        let mut seen = HashSet::new();
        self.held.sources.reverse();
        self.held.sources.retain(|(source, _)| seen.insert(source.clone()));
        while let Some(sources) = some(&mut self.held.sources) {
            let mut query =
                QueryBuilder::<Db>::new("insert into source (mailbox, uid_validity, uid, message, put_away) ");
            query.push_values(sources, |mut row, (source, message)| {
                row.push_bind(source.mailbox).push_bind(i64::from(source.uid_validity));
                row.push_bind(i64::from(source.uid)).push_bind(message).push_bind(false);
            });
            // A place seen again is to be put away again: the first time may have failed (`hardening.md` R11).
            query.push(
                " on conflict (mailbox, uid_validity, uid)
                 do update set message = coalesce(excluded.message, source.message), put_away = excluded.put_away",
            );
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    pub async fn mark_put_away(&mut self, mailbox: &str, uid_validity: u32, uids: &[u32]) -> Result<()> {
        for some in uids.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("update source set put_away = ");
            query.push_bind(true).push(" where mailbox = ").push_bind(mailbox);
            query.push(" and uid_validity = ").push_bind(i64::from(uid_validity)).push(" and uid in ");
            super::push_list(&mut query, some.iter().map(|uid| i64::from(*uid)));
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}
