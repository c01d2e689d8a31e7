//! What was learnt, and what is searched.
//!
//! Both databases only find documents by their terms, the newest ones first; what is alike, and what comes first, is
//! counted in `desk::knowledge::rank`. So both give the same answers in the same order.

use super::{Connection, Db, FIND, Row, Store, Tx, condition, push_list};
use crate::desk::knowledge::terms::Wanted;
use crate::desk::knowledge::{About, Document};
use crate::desk::ticket::Number;
use crate::desk::words::Category;
use crate::store::text::{NOTE, clean, line};
use crate::store::{Result, StoreError};
use sqlx::{QueryBuilder, Row as _};
use std::collections::HashMap;

/// Where the articles begin among the documents.
const ARTICLES: i64 = 1 << 40;
const END: i64 = i64::MAX;
/// Rows of one statement.
const ROWS: usize = 64;
/// Bytes of a document's terms, far more than so many terms have.
const TERMS: usize = 128 << 10;
/// Every solved document holds it, see the migration.
const SOLVED: &str = "_solved";

fn id(about: About) -> i64 {
    match about {
        About::Article(number) => ARTICLES + number.0,
        About::Ticket(number) => number.0,
    }
}

fn about(id: i64) -> About {
    if id >= ARTICLES { About::Article(Number(id - ARTICLES)) } else { About::Ticket(Number(id)) }
}

fn document(row: &Row) -> Result<Document> {
    let (category, terms): (&str, &str) = (row.try_get("category")?, row.try_get("terms")?);
    Ok(Document {
        about: about(row.try_get("id")?),
        title: row.try_get("title")?,
        summary: row.try_get("summary")?,
        category: Category::parse(category).ok_or_else(|| StoreError::damaged_row("document", category))?,
        solved: row.try_get("solved")?,
        terms: terms.split(' ').filter(|term| !term.is_empty()).map(str::to_owned).collect(),
    })
}

/// Ids between `from` and `to` (exclusive), the newest first. Planned each time: how often a term occurs decides how it
/// is best looked for.
async fn find(db: &mut Connection, condition: &str, (from, to): (i64, i64), limit: i64) -> Result<Vec<i64>> {
    let query = sqlx::query_scalar(FIND).persistent(false);
    Ok(query.bind(condition.to_owned()).bind(from).bind(to).bind(limit).fetch_all(db).await?)
}

/// The documents of these ids, the newest first; their terms only where they are needed.
async fn documents(db: &mut Connection, ids: &[i64], with_terms: bool) -> Result<Vec<Document>> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(256) {
        let mut query = QueryBuilder::<Db>::new("select id, title, summary, category, solved, ");
        query.push(if with_terms { "terms" } else { "'' as terms" }).push(" from document where id in ");
        push_list(&mut query, some.iter().copied());
        let rows = query.build().fetch_all(&mut *db).await?;
        found.extend(rows.iter().map(document).collect::<Result<Vec<_>>>()?);
    }
    found.sort_by_key(|document: &Document| std::cmp::Reverse(id(document.about)));
    Ok(found)
}

impl Store {
    pub async fn find_documents(&self, wanted: &[Wanted], limit: i64) -> Result<Vec<Document>> {
        let Some(condition) = condition(wanted, &[]) else { return Ok(Vec::new()) };
        let mut db = self.read.acquire().await?;
        let mut ids = find(&mut db, &condition, (ARTICLES, END), limit).await?;
        ids.extend(find(&mut db, &condition, (0, ARTICLES), limit).await?);
        documents(&mut db, &ids, false).await
    }
}

impl Tx {
    pub async fn frequencies(&mut self, terms: &[String]) -> Result<HashMap<String, i64>> {
        let mut with = HashMap::new();
        for some in terms.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("select term, documents from term where term in ");
            push_list(&mut query, some.iter().map(String::as_str));
            let rows: Vec<(String, i64)> = query.build_query_as().fetch_all(&mut *self.inner).await?;
            with.extend(rows);
        }
        Ok(with)
    }

    pub async fn solved_documents(&mut self, any: &[&str], limit: i64) -> Result<Vec<Document>> {
        let any: Vec<Wanted> = any.iter().map(|term| Wanted::Term((*term).to_owned())).collect();
        let Some(condition) = condition(&[Wanted::Term(SOLVED.to_owned())], &any).filter(|_| !any.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut ids = find(&mut self.inner, &condition, (ARTICLES, END), limit).await?;
        ids.extend(find(&mut self.inner, &condition, (0, ARTICLES), limit).await?);
        documents(&mut self.inner, &ids, true).await
    }

    /// Whoever indexes holds the number of documents, one daemon after the other.
    pub async fn take_stale(&mut self, limit: i64) -> Result<Vec<Number>> {
        let query = concat!("select documents from term where term = ''", for_update!());
        let _: i64 = sqlx::query_scalar(query).fetch_one(&mut *self.inner).await?;
        let query = "select distinct ticket from stale order by ticket limit $1";
        let tickets: Vec<i64> = sqlx::query_scalar(query).bind(limit).fetch_all(&mut *self.inner).await?;
        // What is marked after this statement is committed by somebody else later, and stays marked.
        for some in tickets.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("delete from stale where ticket in ");
            push_list(&mut query, some.iter().copied());
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(tickets.into_iter().map(Number).collect())
    }

    pub async fn told_on(&mut self, number: Number, limit: i64) -> Result<Vec<String>> {
        self.write_messages().await?;
        let query = "select body from message where ticket = $1 order by id limit $2";
        Ok(sqlx::query_scalar(query).bind(number.0).bind(limit).fetch_all(&mut *self.inner).await?)
    }

    pub async fn put_documents(&mut self, new: &[Document]) -> Result<()> {
        let abouts: Vec<About> = new.iter().map(|document| document.about).collect();
        self.replace_documents(&abouts, new).await
    }

    pub async fn drop_document(&mut self, about: About) -> Result<()> {
        self.replace_documents(&[about], &[]).await
    }

    async fn replace_documents(&mut self, gone: &[About], new: &[Document]) -> Result<()> {
        let ids: Vec<i64> = gone.iter().map(|about| id(*about)).collect();
        let old = documents(&mut self.inner, &ids, true).await?;
        for some in ids.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("delete from document where id in ");
            push_list(&mut query, some.iter().copied());
            query.build().execute(&mut *self.inner).await?;
        }
        for some in new.chunks(ROWS) {
            let mut query =
                QueryBuilder::<Db>::new("insert into document (id, title, summary, category, solved, terms) ");
            query.push_values(some, |mut row, document| {
                row.push_bind(id(document.about)).push_bind(line(&document.title));
                row.push_bind(clean(&document.summary, NOTE)).push_bind(document.category.as_str());
                row.push_bind(document.solved).push_bind(clean(&document.terms.join(" "), TERMS).into_owned());
            });
            query.build().execute(&mut *self.inner).await?;
        }
        self.count_terms(&old, new).await
    }

    async fn count_terms(&mut self, old: &[Document], new: &[Document]) -> Result<()> {
        let mut change: HashMap<&str, i64> = HashMap::new();
        for (documents, by) in [(old, -1), (new, 1)] {
            for document in documents.iter().filter(|document| document.solved) {
                *change.entry("").or_default() += by;
                document.terms.iter().for_each(|term| *change.entry(term).or_default() += by);
            }
        }
        // In one order for everybody.
        let mut change: Vec<(&str, i64)> = change.into_iter().filter(|(_, by)| *by != 0).collect();
        change.sort_unstable();
        for some in change.chunks(ROWS) {
            let mut query = QueryBuilder::<Db>::new("insert into term (term, documents) ");
            query.push_values(some, |mut row, (term, by)| {
                row.push_bind(*term).push_bind(*by);
            });
            query.push(" on conflict (term) do update set documents = term.documents + excluded.documents");
            query.build().execute(&mut *self.inner).await?;
        }
        let fewer: Vec<&str> =
            change.iter().filter(|(term, by)| *by < 0 && !term.is_empty()).map(|(t, _)| *t).collect();
        for some in fewer.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("delete from term where documents <= 0 and term in ");
            push_list(&mut query, some.iter().copied());
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}
