//! What was archived, and everything of a ticket that its dossier needs.

use super::{Db, Store, Tx, push_list};
use crate::address::Address;
use crate::desk::ticket::Number;
use crate::desk::words::Rating;
use crate::store::{Rated, Result, StoreError};
use crate::time::Timestamp;
use sqlx::QueryBuilder;

impl Tx {
    pub async fn archive(&mut self, number: Number, at: Timestamp) -> Result<()> {
        // Whatever this transaction still says of the ticket comes before.
        self.write_held().await?;
        let query = sqlx::query("insert into archive (ticket, at) values ($1, $2) on conflict (ticket) do nothing");
        query.bind(number.0).bind(at.millis()).execute(&mut *self.inner).await?;
        Ok(())
    }

    pub async fn archived(&mut self, numbers: &[Number]) -> Result<Vec<(Number, Timestamp)>> {
        let mut found = Vec::new();
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select ticket, at from archive where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            found.extend(rows.into_iter().map(|(number, at)| (Number(number), Timestamp::from_millis(at))));
        }
        Ok(found)
    }
}

impl Store {
    pub async fn archived_at(&self, number: Number) -> Result<Option<Timestamp>> {
        let query = sqlx::query_scalar("select at from archive where ticket = $1").bind(number.0);
        let at: Option<i64> = query.fetch_optional(&self.read).await?;
        Ok(at.map(Timestamp::from_millis))
    }

    pub async fn ratings(&self, number: Number) -> Result<Vec<Rated>> {
        let query = "select cycle, rating, comment, at from rating where ticket = $1 order by cycle";
        let rows: Vec<(i64, String, String, i64)> = sqlx::query_as(query).bind(number.0).fetch_all(&self.read).await?;
        let rated = |(cycle, rating, comment, at): (i64, String, String, i64)| {
            let word = Rating::parse(&rating).ok_or_else(|| StoreError::damaged_row("rating", &rating))?;
            Ok(Rated { cycle, rating: word, comment, at: Timestamp::from_millis(at) })
        };
        rows.into_iter().map(rated).collect()
    }

    pub async fn participants(&self, number: Number) -> Result<Vec<Address>> {
        let query = "select address from participant where ticket = $1 order by address_key";
        let rows: Vec<String> = sqlx::query_scalar(query).bind(number.0).fetch_all(&self.read).await?;
        Ok(rows.iter().filter_map(|text| Address::parse(text)).collect())
    }
}
