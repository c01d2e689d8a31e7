//! What was learnt, and what is searched.
//!
//! Both databases only find documents by their terms, the newest ones first; what is alike, and what comes first, is
//! counted in `desk::knowledge::rank`. So both give the same answers in the same order.

use super::{BLOCKS, Connection, Db, FIND, Row, Store, Tx, among_newest, condition, push_list};
use crate::address::Address;
use crate::desk::knowledge::article::{Article, Parts, State};
use crate::desk::knowledge::terms::Wanted;
use crate::desk::knowledge::{About, Document, Suggestion};
use crate::desk::ticket::Number;
use crate::desk::words::{Category, Language};
use crate::store::text::{NOTE, clean, line};
use crate::store::{Result, StoreError};
use crate::time::Timestamp;
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
    let category: &str = row.try_get("category")?;
    Ok(Document {
        about: about(row.try_get("id")?),
        title: row.try_get("title")?,
        summary: row.try_get("summary")?,
        category: Category::parse(category).ok_or_else(|| StoreError::damaged_row("document", category))?,
        solved: row.try_get("solved")?,
        terms: row.try_get("terms")?,
    })
}

const ARTICLE: &str = "select article.*,
    (select count(*) from suggestion where article = article.ticket) as shown,
    (select count(*) from suggestion where article = article.ticket and helped) as helped,
    (select count(*) from suggestion where article = article.ticket and not helped) as not_helped
    from article where ticket = $1";

fn article(row: &Row) -> Result<Article> {
    let word = |column: &str| -> Result<&str> { Ok(row.try_get(column)?) };
    let text = |column: &str| -> Result<String> { Ok(row.try_get(column)?) };
    let time = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
    };
    let (state, language, category) = (word("state")?, word("language")?, word("category")?);
    let owner: Option<&str> = row.try_get("owner")?;
    Ok(Article {
        ticket: Number(row.try_get("ticket")?),
        state: State::parse(state).ok_or_else(|| StoreError::damaged_row("article", state))?,
        language: Language::parse(language).ok_or_else(|| StoreError::damaged_row("article", language))?,
        category: Category::parse(category).ok_or_else(|| StoreError::damaged_row("article", category))?,
        parts: Parts {
            title: text("title")?,
            symptom: text("symptom")?,
            diagnosis: text("diagnosis")?,
            solution: text("solution")?,
            scope: text("scope")?,
            prevention: text("prevention")?,
            keywords: text("keywords")?,
        },
        owner: owner.and_then(Address::parse),
        drafted: Timestamp::from_millis(row.try_get("drafted")?),
        published: time("published")?,
        review: time("review")?,
        version: row.try_get("version")?,
        shown: row.try_get("shown")?,
        helped: row.try_get("helped")?,
        not_helped: row.try_get("not_helped")?,
    })
}

async fn load(db: &mut Connection, number: Number) -> Result<Option<Article>> {
    let row = sqlx::query(ARTICLE).bind(number.0).fetch_optional(db).await?;
    row.as_ref().map(article).transpose()
}

/// What is looked for: all of these, and of `any` at least one.
struct Sought<'a> {
    all: &'a [Wanted],
    any: &'a [Wanted],
    /// How often it may be met, from 0 to 1.
    density: f64,
}

impl<'a> Sought<'a> {
    async fn new(db: &mut Connection, all: &'a [Wanted], any: &'a [Wanted]) -> Result<Sought<'a>> {
        let mut sought = Sought { all, any, density: 1.0 };
        if !BLOCKS.is_empty() {
            sought.density = sought.estimate(db).await?;
        }
        Ok(sought)
    }

    /// As far as solved documents tell.
    async fn estimate(&self, db: &mut Connection) -> Result<f64> {
        let terms = self.all.iter().chain(self.any).filter_map(|wanted| match wanted {
            Wanted::Term(term) if term != SOLVED => Some(term.clone()),
            _ => None,
        });
        let terms: Vec<String> = terms.chain([String::new()]).collect();
        let with = frequencies(db, &terms).await?;
        let documents = with.get("").copied().unwrap_or(0).max(1) as f64;
        let density = |wanted: &Wanted| match wanted {
            Wanted::Term(term) if term != SOLVED => with.get(term).copied().unwrap_or(0) as f64 / documents,
            _ => 1.0,
        };
        let all = self.all.iter().map(density).fold(1.0, f64::min);
        let any: f64 = self.any.iter().map(density).sum();
        Ok(if self.any.is_empty() { all } else { all.min(any) })
    }

    /// Ids between `from` and `to` (exclusive), the newest first.
    async fn find(&self, db: &mut Connection, (from, to): (i64, i64), limit: i64) -> Result<Vec<i64>> {
        let Some(condition) = condition(self.all, self.any) else { return Ok(Vec::new()) };
        let last = sqlx::query_scalar("select max(id) from document where id >= $1 and id < $2").bind(from).bind(to);
        let last: Option<i64> = last.fetch_one(&mut *db).await?;
        let Some(last) = last else { return Ok(Vec::new()) };
        let enough = |(_, size): &&(&str, i64)| self.density * *size as f64 >= 1.5 * limit as f64;
        for block in BLOCKS.iter().filter(enough) {
            let ids = ask(db, among_newest(&condition, *block, last), (from, to), limit).await?;
            if i64::try_from(ids.len()).unwrap_or(i64::MAX) >= limit {
                return Ok(ids);
            }
        }
        ask(db, condition, (from, to), limit).await
    }
}

async fn ask(db: &mut Connection, condition: String, (from, to): (i64, i64), limit: i64) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(FIND).bind(condition).bind(from).bind(to).bind(limit).fetch_all(db).await?)
}

/// How many solved documents hold each of these terms.
async fn frequencies(db: &mut Connection, terms: &[String]) -> Result<HashMap<String, i64>> {
    let mut with = HashMap::new();
    for some in terms.chunks(256) {
        let mut query = QueryBuilder::<Db>::new("select term, documents from term where term in ");
        push_list(&mut query, some.iter().map(String::as_str));
        let rows: Vec<(String, i64)> = query.build_query_as().fetch_all(&mut *db).await?;
        with.extend(rows);
    }
    Ok(with)
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
    pub async fn article(&self, number: Number) -> Result<Option<Article>> {
        load(&mut *self.read.acquire().await?, number).await
    }

    pub async fn find_documents(&self, wanted: &[Wanted], limit: i64) -> Result<Vec<Document>> {
        let mut db = self.read.acquire().await?;
        let sought = Sought::new(&mut db, wanted, &[]).await?;
        let mut ids = sought.find(&mut db, (ARTICLES, END), limit).await?;
        ids.extend(sought.find(&mut db, (0, ARTICLES), limit).await?);
        documents(&mut db, &ids, false).await
    }
}

impl Tx {
    pub async fn article(&mut self, number: Number) -> Result<Option<Article>> {
        load(&mut self.inner, number).await
    }

    pub async fn keep_article(&mut self, article: &Article) -> Result<()> {
        self.write_tickets().await?;
        let parts = &article.parts;
        sqlx::query(
            "insert into article (ticket, state, language, category, title, symptom, diagnosis, solution, scope,
                 prevention, keywords, owner, drafted, published, review, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             on conflict (ticket) do update set state = excluded.state, language = excluded.language,
                 category = excluded.category, title = excluded.title, symptom = excluded.symptom,
                 diagnosis = excluded.diagnosis, solution = excluded.solution, scope = excluded.scope,
                 prevention = excluded.prevention, keywords = excluded.keywords, owner = excluded.owner,
                 drafted = excluded.drafted, published = excluded.published, review = excluded.review,
                 version = excluded.version",
        )
        .bind(article.ticket.0)
        .bind(article.state.as_str())
        .bind(article.language.as_str())
        .bind(article.category.as_str())
        .bind(line(&parts.title))
        .bind(clean(&parts.symptom, NOTE))
        .bind(clean(&parts.diagnosis, NOTE))
        .bind(clean(&parts.solution, NOTE))
        .bind(clean(&parts.scope, NOTE))
        .bind(clean(&parts.prevention, NOTE))
        .bind(line(&parts.keywords))
        .bind(article.owner.as_ref().map(Address::as_str))
        .bind(article.drafted.millis())
        .bind(article.published.map(Timestamp::millis))
        .bind(article.review.map(Timestamp::millis))
        .bind(article.version)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub async fn drop_article(&mut self, number: Number) -> Result<()> {
        sqlx::query("delete from article where ticket = $1").bind(number.0).execute(&mut *self.inner).await?;
        Ok(())
    }

    pub async fn suggestions(&mut self, number: Number) -> Result<Vec<Suggestion>> {
        let query = "select article, helped from suggestion where ticket = $1 order by article";
        let rows: Vec<(i64, Option<bool>)> = sqlx::query_as(query).bind(number.0).fetch_all(&mut *self.inner).await?;
        Ok(rows.into_iter().map(|(article, helped)| Suggestion { article: Number(article), helped }).collect())
    }

    pub async fn suggest(&mut self, number: Number, article: Number, at: Timestamp) -> Result<()> {
        self.write_tickets().await?;
        sqlx::query(
            "insert into suggestion (ticket, article, at) values ($1, $2, $3) on conflict (ticket, article) do nothing",
        )
        .bind(number.0)
        .bind(article.0)
        .bind(at.millis())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub async fn note_helped(&mut self, number: Number, article: Number, helped: bool, at: Timestamp) -> Result<()> {
        sqlx::query("update suggestion set helped = $3, answered = $4 where ticket = $1 and article = $2")
            .bind(number.0)
            .bind(article.0)
            .bind(helped)
            .bind(at.millis())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn frequencies(&mut self, terms: &[String]) -> Result<HashMap<String, i64>> {
        frequencies(&mut self.inner, terms).await
    }

    pub async fn solved_documents(&mut self, any: &[&str], limit: i64) -> Result<Vec<Document>> {
        let any: Vec<Wanted> = any.iter().map(|term| Wanted::Term((*term).to_owned())).collect();
        if any.is_empty() {
            return Ok(Vec::new());
        }
        let all = [Wanted::Term(SOLVED.to_owned())];
        let sought = Sought::new(&mut self.inner, &all, &any).await?;
        let mut ids = sought.find(&mut self.inner, (ARTICLES, END), limit).await?;
        ids.extend(sought.find(&mut self.inner, (0, ARTICLES), limit).await?);
        documents(&mut self.inner, &ids, true).await
    }

    /// Whoever indexes holds the number of documents, one daemon after the other.
    pub async fn take_stale(&mut self, limit: i64) -> Result<Vec<About>> {
        let query = concat!("select documents from term where term = ''", for_update!());
        let _: i64 = sqlx::query_scalar(query).fetch_one(&mut *self.inner).await?;
        let query = "select distinct document from stale order by document limit $1";
        let stale: Vec<i64> = sqlx::query_scalar(query).bind(limit).fetch_all(&mut *self.inner).await?;
        // What is marked after this statement is committed by somebody else later, and stays marked.
        for some in stale.chunks(256) {
            let mut query = QueryBuilder::<Db>::new("delete from stale where document in ");
            push_list(&mut query, some.iter().copied());
            query.build().execute(&mut *self.inner).await?;
        }
        Ok(stale.into_iter().map(about).collect())
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
                row.push_bind(document.solved).push_bind(clean(&document.terms, TERMS));
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
                let terms = document.terms.split(' ').filter(|term| !term.is_empty());
                terms.for_each(|term| *change.entry(term).or_default() += by);
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
