//! Reports: figures out of the store, and what becomes of them - a letter with tables and pictures, a workbook, CSV.

mod board;
pub mod cases;
mod csv;
mod details;
mod mail;
mod period;
mod picture;
mod reviews;
mod words;
mod workbook;

pub use details::Details;

use crate::desk::digest::page::Page;
use crate::desk::digest::{Board, Figures, Goals, Kind, Mails, Plan, Reuse, Round, Slot};
use crate::desk::inbound::{Attachment, Digest};
use crate::desk::policy::Policy;
use crate::desk::review::Review;
use crate::desk::ticket::Number;
use crate::desk::triage::{Case, Findings, learn};
use crate::desk::words::Language;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;
use futures_util::{StreamExt as _, stream};
use std::time::Duration;

/// Raw rows that go along with a letter, some megabytes; the rest is only told of.
pub const ROWS: usize = 5_000;

/// Tickets whose rounds are read in one go.
const AT_ONCE: i64 = 2048;

/// Readings under way at the same time: the database works while this program counts.
const UNDER_WAY: usize = 2;

/// Cases that a report learns from, the newest.
const LEARNT_FROM: usize = 1_000;
/// Portions of tickets that are looked through for them at most.
const PORTIONS: usize = 16;

/// Before the period: what a ticket's repetition is looked for in.
const LOOK_BACK: Duration = Duration::from_secs(30 * 86_400);

/// Everything a report says, before it is said.
pub enum Report {
    Board(Box<(Board, Details)>),
    Period(Box<OfPeriod>),
}

pub struct OfPeriod {
    pub figures: Figures,
    pub before: Figures,
    pub mails: Mails,
    pub reuse: Reuse,
    /// Open at the end of the period, or done since the one before began.
    pub reviews: Vec<Review>,
    pub details: Details,
    /// What the newest cases before the end of the period teach about the keywords; of a monthly report.
    pub learnt: Option<Findings>,
    /// The rounds of the period, [`Context::rows`] at most, and how many there are more.
    pub rows: Vec<Round>,
    pub left_out: u64,
}

/// What a report is written for.
pub struct Context<'a> {
    pub policy: &'a Policy,
    pub goals: &'a Goals,
    pub plan: &'a Plan,
    pub slot: Slot,
    /// Raw rows at most; [`ROWS`] in a letter.
    pub rows: usize,
}

/// A report in one language.
pub struct Written {
    pub page: Page,
    pub files: Vec<Attachment>,
}

impl Report {
    /// Counts what a report is about. Reads only; the rounds must be up to date
    /// ([`crate::desk::digest`]).
    ///
    /// # Errors
    /// The store's.
    pub async fn count(store: &Store, context: &Context<'_>, now: Timestamp) -> Result<Report, StoreError> {
        match context.plan.kind {
            Kind::Daily => {
                let mut board = Board::new(now);
                let (policy, scope) = (context.policy, &context.plan.scope);
                let since = now - 2 * LOOK_BACK / 30;
                each_round(store, now, since, |round| {
                    board.add(round, scope, &policy.targets, &policy.calendar);
                })
                .await?;
                board.finish();
                let numbers = board.overdue_list.iter().chain(&board.next_list).map(|one| one.number).collect();
                let details = Details::read(store, numbers, &[], &[]).await?;
                Ok(Report::Board(Box::new((board, details))))
            }
            Kind::Weekly | Kind::Monthly => Ok(Report::Period(Box::new(OfPeriod::count(store, context).await?))),
        }
    }

    /// Says it.
    pub fn write(&self, context: &Context, language: Language) -> Written {
        match self {
            Report::Board(of) => board::write(&of.0, &of.1, context, language),
            Report::Period(report) => period::write(report, context, language),
        }
    }
}

impl OfPeriod {
    async fn count(store: &Store, context: &Context<'_>) -> Result<OfPeriod, StoreError> {
        let period = context.slot.period;
        let (policy, scope) = (context.policy, &context.plan.scope);
        // First, so that its memory is free again when rounds are counted.
        let monthly = context.plan.kind == Kind::Monthly;
        let learnt = if monthly { Some(learnt(store, policy, period.to).await?) } else { None };
        let (mut figures, mut before) = (Figures::new(period), Figures::new(period.previous()));
        let (mut rows, mut left_out) = (Vec::new(), 0);
        each_round(store, period.to, before.period.from - LOOK_BACK, |round| {
            before.add(round, scope, &policy.targets, &policy.calendar);
            figures.add(round, scope, &policy.targets, &policy.calendar);
            if round.until().is_none_or(|at| at >= period.from) && scope.holds(round) {
                if rows.len() < context.rows { rows.push(round.clone()) } else { left_out += 1 }
            }
        })
        .await?;
        figures.finish();
        before.finish();
        let numbers = figures.missed.iter().map(|one| one.number);
        let numbers = numbers.chain(figures.stock.oldest.iter().map(|one| one.number));
        let mut reviews = store.reviews(period.to, before.period.from).await?;
        let numbers = numbers.chain(reviews.iter().map(|review| review.ticket));
        let complaints: Vec<Number> = figures.complaints.iter().map(|one| one.number).collect();
        let majors: Vec<Number> = figures.major_list.iter().map(|one| one.number).collect();
        let details = Details::read(store, numbers.collect(), &complaints, &majors).await?;
        reviews.retain(|review| details.ticket(review.ticket).is_none_or(|ticket| scope.holds_ticket(ticket)));
        let mails = store.mails(period.from, period.to).await?;
        let reuse = store.reuse(period.from, period.to).await?;
        Ok(OfPeriod { figures, before, mails, reuse, reviews, details, learnt, rows, left_out })
    }
}

/// What the newest cases teach: so many that a report costs the same however many tickets there are.
async fn learnt(store: &Store, policy: &Policy, before: Timestamp) -> Result<Findings, StoreError> {
    let mut kept: Vec<Case> = Vec::new();
    let mut portions = 0;
    let take = |portion: Vec<Case>| {
        portions += 1;
        kept.extend(portion.into_iter().filter(|case| case.category.is_some() || case.priority.is_some()));
        kept.len() < LEARNT_FROM && portions < PORTIONS
    };
    cases::each_portion(store, None, before, take).await?;
    kept.truncate(LEARNT_FROM);
    // Not on a thread of its own, which would keep the memory: what is counted next uses it again.
    Ok(learn(&policy.rules, &kept))
}

/// Every round that began before a moment and counted for something since another, in order.
async fn each_round(
    store: &Store,
    began_before: Timestamp,
    since: Timestamp,
    mut add: impl FnMut(&Round),
) -> Result<(), StoreError> {
    let highest = store.highest_round().await?.0;
    let parts = (0..=highest / AT_ONCE).map(|part| Number(part * AT_ONCE));
    // Tasks of their own: the next lines are read by one processor while another counts these.
    let read = |from: Number| {
        let store = store.clone();
        tokio::spawn(async move { store.rounds(from, Number(from.0 + AT_ONCE), began_before, since).await })
    };
    let mut parts = stream::iter(parts.map(read)).buffered(UNDER_WAY);
    while let Some(read) = parts.next().await {
        let rounds = read.map_err(|error| StoreError::Fault(format!("rounds cannot be read: {error}")))??;
        rounds.iter().for_each(&mut add);
    }
    Ok(())
}

/// A file that goes along; `id`: it is shown inside the letter.
fn file(name: String, media_type: &str, bytes: Vec<u8>, id: Option<String>) -> Attachment {
    let digest = Digest::of(&bytes);
    let inline = id.is_some();
    Attachment { name, media_type: media_type.to_owned(), bytes, digest, inline, content_id: id }
}
