//! What reports need of tickets (see [`crate::desk::digest`]).

use super::held::some;
use super::{Db, Store, Tx, push_list};
use crate::desk::digest::{Mails, Past, Reuse, Round};
use crate::desk::ticket::{Number, Ticket};
use crate::desk::words::Rating;
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
use sqlx::QueryBuilder;
use std::collections::BTreeMap;

impl Store {
    pub async fn highest_round(&self) -> Result<Number> {
        let highest: Option<i64> = sqlx::query_scalar("select max(ticket) from round").fetch_one(&self.read).await?;
        Ok(Number(highest.unwrap_or(0)))
    }

    pub async fn rounds(
        &self,
        from: Number,
        to: Number,
        began_before: Timestamp,
        since: Timestamp,
    ) -> Result<Vec<Round>> {
        // The lines of many tickets come as one text: as rows, a million of them would take several times as long.
        let lines: Option<String> = sqlx::query_scalar(
            "select string_agg(facts, $1) from round
             where ticket >= $2 and ticket < $3 and began < $4 and (until is null or until >= $5)",
        )
        .bind("\n")
        .bind(from.0)
        .bind(to.0)
        .bind(began_before.millis())
        .bind(since.millis())
        .fetch_one(&self.read)
        .await?;
        let lines = lines.unwrap_or_default();
        let round = |line: &str| Round::from_line(line).ok_or_else(|| StoreError::damaged_row("round", line));
        let mut rounds = lines.lines().map(round).collect::<Result<Vec<Round>>>()?;
        rounds.sort_unstable_by_key(|round| (round.number, round.cycle));
        Ok(rounds)
    }

    pub async fn tickets_by_number(&self, numbers: &[Number]) -> Result<Vec<Ticket>> {
        let mut found = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select * from ticket where number in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            for row in query.build().fetch_all(&self.read).await? {
                found.push(super::tickets::ticket(&row)?);
            }
        }
        found.sort_by_key(|ticket: &Ticket| ticket.number);
        found.dedup_by_key(|ticket| ticket.number);
        Ok(found)
    }

    pub async fn complaints(&self, numbers: &[Number]) -> Result<Vec<(Number, String)>> {
        let mut found = Vec::new();
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new(
                "select ticket, comment from rating where rating = 'dissatisfied' and ticket in ",
            );
            push_list(&mut query, some.iter().map(|number| number.0));
            query.push(" order by ticket, cycle");
            let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(&self.read).await?;
            found.extend(rows.into_iter().map(|(number, comment)| (Number(number), comment)));
        }
        Ok(found)
    }

    pub async fn reuse(&self, from: Timestamp, to: Timestamp) -> Result<Reuse> {
        // Each reads the suggestions or the articles, which are few beside the tickets.
        let count = async |query: &'static str| -> Result<u64> {
            let query = sqlx::query_scalar(query).bind(from.millis()).bind(to.millis());
            let count: i64 = query.fetch_one(&self.read).await?;
            Ok(count.unsigned_abs())
        };
        Ok(Reuse {
            published: count("select count(*) from article where published >= $1 and published < $2").await?,
            shown: count("select count(*) from suggestion where at >= $1 and at < $2").await?,
            helped: count("select count(*) from suggestion where helped and at >= $1 and at < $2").await?,
            closed_with: count(
                "select count(*) from ticket where closed >= $1 and closed < $2 and number in
                    (select ticket from suggestion where helped is null or helped)",
            )
            .await?,
        })
    }

    pub async fn mails(&self, from: Timestamp, to: Timestamp) -> Result<Mails> {
        let count = async |query: &'static str| -> Result<u64> {
            let query = sqlx::query_scalar(query).bind(from.millis()).bind(to.millis());
            let count: i64 = query.fetch_one(&self.read).await?;
            Ok(count.unsigned_abs())
        };
        let received = count("select count(*) from message where handled >= $1 and handled < $2").await?;
        let sent = "select count(*) from outbox where state = 'sent' and settled >= $1 and settled < $2";
        let failed = "select count(*) from outbox where state = 'failed' and settled >= $1 and settled < $2";
        let (sent, failed) = (count(sent).await?, count(failed).await?);
        let unmatched = "select count(*) from message
             where opens and kind = 'reply' and handled >= $1 and handled < $2";
        let unmatched = count(unmatched).await?;
        // What could not be handled says more of it than is counted.
        let aside: Vec<(String, i64)> = sqlx::query_as(
            "select case when set_aside like 'could not be handled%' then 'could not be handled' else set_aside end
                 as reason, count(*)
             from message where set_aside is not null and handled >= $1 and handled < $2
             group by reason order by count(*) desc, reason",
        )
        .bind(from.millis())
        .bind(to.millis())
        .fetch_all(&self.read)
        .await?;
        let aside = aside.into_iter().map(|(reason, count)| (reason, count.unsigned_abs())).collect();
        Ok(Mails { received, aside, unmatched, sent, failed })
    }
}

impl Tx {
    pub async fn take_changed(&mut self, limit: i64) -> Result<Vec<Number>> {
        self.write_held().await?;
        let query = concat!(
            "delete from changed where ticket in (select ticket from changed order by ticket limit $1",
            skip_locked!(),
            ") returning ticket"
        );
        let mut numbers: Vec<i64> = sqlx::query_scalar(query).bind(limit).fetch_all(&mut *self.inner).await?;
        numbers.sort_unstable();
        Ok(numbers.into_iter().map(Number).collect())
    }

    pub async fn pasts(&mut self, numbers: &[Number]) -> Result<BTreeMap<Number, Past>> {
        self.write_held().await?;
        let mut pasts: BTreeMap<Number, Past> = BTreeMap::new();
        for some in numbers.chunks(256) {
            let ids = || some.iter().map(|number| number.0);
            let mut query = QueryBuilder::<Db>::new("select ticket, at, who, what, why from timeline where ticket in ");
            push_list(&mut query, ids());
            query.push(" order by ticket, seq");
            for row in query.build().fetch_all(&mut *self.inner).await? {
                let number = Number(sqlx::Row::try_get(&row, "ticket")?);
                pasts.entry(number).or_default().timeline.push(super::tickets::entry(&row)?);
            }
            let mut query = QueryBuilder::<Db>::new("select ticket, cycle, rating, at from rating where ticket in ");
            push_list(&mut query, ids());
            let ratings: Vec<(i64, i64, String, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            for (ticket, cycle, rating, at) in ratings {
                let rating = Rating::parse(&rating).ok_or_else(|| StoreError::damaged_row("rating", &rating))?;
                let ratings = &mut pasts.entry(Number(ticket)).or_default().ratings;
                ratings.push((cycle, rating, Timestamp::from_millis(at)));
            }
            for (number, approval) in self.approvals(some).await? {
                pasts.entry(number).or_default().approval = Some(approval);
            }
        }
        Ok(pasts)
    }

    pub async fn keep_rounds(&mut self, numbers: &[Number], rounds: &[Round]) -> Result<()> {
        for some in numbers.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("delete from round where ticket in ");
            push_list(&mut query, some.iter().map(|number| number.0));
            query.build().execute(&mut *self.inner).await?;
        }
        let mut rounds: Vec<&Round> = rounds.iter().collect();
        while let Some(rounds) = some(&mut rounds) {
            let mut query = QueryBuilder::<Db>::new("insert into round (ticket, cycle, began, until, facts) ");
            query.push_values(rounds, |mut row, round| {
                row.push_bind(round.number.0).push_bind(i64::from(round.cycle)).push_bind(round.began.millis());
                row.push_bind(round.until().map(Timestamp::millis)).push_bind(round.to_line());
            });
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}
