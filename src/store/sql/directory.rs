//! The company's directory as it was last read.

use super::{Store, Tx};
use crate::store::Result;
use crate::time::Timestamp;

impl Store {
    pub async fn directory(&self, source: &str) -> Result<Option<(Timestamp, Vec<u8>)>> {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as("select read_at, people from directory where source = $1")
            .bind(source)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.map(|(at, people)| (Timestamp::from_millis(at), people)))
    }
}

impl Tx {
    pub async fn keep_directory(&mut self, source: &str, people: &[u8], at: Timestamp) -> Result<()> {
        sqlx::query(
            "insert into directory (source, read_at, people) values ($1, $2, $3)
             on conflict (source) do update set read_at = excluded.read_at, people = excluded.people",
        )
        .bind(source)
        .bind(at.millis())
        .bind(people)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
