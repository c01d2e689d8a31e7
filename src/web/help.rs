//! `/k/<token>`: an article that a requester was shown with the acknowledgement. Showing it changes nothing; a button
//! press says whether it helped.

use super::Pages;
use super::rate::{TOO_QUICK_MILLIS, seal};
use crate::desk::event::Event;
use crate::desk::knowledge::article::{Article, State as ArticleState};
use crate::desk::link::{HelpLink, RatingLink};
use crate::desk::ticket::Ticket;
use crate::desk::words::{Rating, Status};
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub struct Answer {
    helped: String,
    shown: i64,
    seal: String,
}

/// Shows the article and the two buttons.
pub async fn show(State(pages): State<Pages>, token: Result<Path<String>, PathRejection>) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    match open(&pages, &token).await {
        Opened::Yes(opened) => form(&pages, &token, &opened, "", false),
        Opened::No => pages.wrong_token(),
        Opened::Trouble => pages.trouble(),
    }
}

/// Counts the pressed button.
pub async fn submit(
    State(pages): State<Pages>,
    token: Result<Path<String>, PathRejection>,
    answer: Result<Form<Answer>, FormRejection>,
) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    let opened = match open(&pages, &token).await {
        Opened::Yes(opened) => opened,
        Opened::No => return pages.wrong_token(),
        Opened::Trouble => return pages.trouble(),
    };
    let answer = match answer {
        Ok(Form(answer)) => answer,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        Err(_) => return form(&pages, &token, &opened, "", true),
    };
    let helped = match answer.helped.as_str() {
        "yes" => true,
        "no" => false,
        _ => return form(&pages, &token, &opened, "", true),
    };
    let now = pages.clock.now();
    let sealed = answer.seal == seal(&pages.flow.policy(), &token, answer.shown);
    if !sealed || now.millis() - answer.shown < TOO_QUICK_MILLIS {
        return form(&pages, &token, &opened, &answer.helped, true);
    }
    let event = Event::Helped { number: opened.link.number, article: opened.link.article, helped };
    // Spawned: a request that times out or is dropped must never cancel a store call half-way.
    let flow = pages.flow.clone();
    match tokio::spawn(async move { flow.handle(&event, now).await }).await {
        Ok(Ok(())) => thanks(&pages, &token, &opened, &answer.helped).await,
        Ok(Err(error)) => {
            tracing::error!(ticket = %opened.link.number, "an answer about an article could not be stored: {error}");
            pages.trouble()
        }
        Err(_) => pages.trouble(),
    }
}

struct Found {
    link: HelpLink,
    ticket: Ticket,
    article: Article,
}

enum Opened {
    Yes(Box<Found>),
    /// Whatever is wrong with it (S22).
    No,
    /// The database does not answer.
    Trouble,
}

/// The link's ticket and article, while the article is published.
async fn open(pages: &Pages, token: &str) -> Opened {
    let Some(link) = pages.flow.policy().key.read_help(token, pages.clock.now()) else { return Opened::No };
    let (store, number, about) = (pages.flow.store.clone(), link.number, link.article);
    let both = tokio::spawn(async move { Ok((store.ticket(number).await?, store.article(about).await?)) });
    match both.await {
        Ok(Ok((Some(ticket), Some(article)))) if article.state == ArticleState::Published => {
            Opened::Yes(Box::new(Found { link, ticket, article }))
        }
        Ok(Ok(_)) => Opened::No,
        Ok(Err(error)) => {
            let error: crate::store::StoreError = error;
            tracing::error!(ticket = %number, "an article's page could not be shown: {error}");
            Opened::Trouble
        }
        Err(_) => Opened::Trouble,
    }
}

fn context(pages: &Pages, token: &str, opened: &Found) -> tera::Context {
    let (policy, ticket) = (pages.flow.policy(), &opened.ticket);
    let mut context = tera::Context::new();
    context.insert("language", ticket.language.as_str());
    context.insert("desk", policy.desk.name(ticket.language));
    context.insert("number", &ticket.number.to_string());
    context.insert("subject", &ticket.subject);
    context.insert("action", &format!("/k/{token}"));
    context
}

fn form(pages: &Pages, token: &str, opened: &Found, said: &str, again: bool) -> Response {
    let shown = pages.clock.now().millis();
    let language = opened.ticket.language;
    let mut context = context(pages, token, opened);
    let parts = opened.article.parts.for_requesters();
    let part =
        |(name, text): &(&str, &str)| BTreeMap::from([("name", (*name).to_owned()), ("text", (*text).to_owned())]);
    context.insert("title", &opened.article.parts.title);
    context.insert("parts", &parts.named(language).iter().map(part).collect::<Vec<_>>());
    context.insert("said", said);
    context.insert("again", &again);
    context.insert("shown", &shown);
    context.insert("seal", &seal(&pages.flow.policy(), token, shown));
    pages.page(StatusCode::OK, &format!("page/{}/article.html", language.as_str()), &context)
}

/// What was said, and where the ticket can be rated when that resolved it.
async fn thanks(pages: &Pages, token: &str, opened: &Found, said: &str) -> Response {
    let (store, number) = (pages.flow.store.clone(), opened.link.number);
    let ticket = tokio::spawn(async move { store.ticket(number).await }).await;
    let Ok(Ok(Some(ticket))) = ticket else { return pages.trouble() };
    let (policy, language) = (pages.flow.policy(), ticket.language);
    let expires = pages.clock.now() + policy.satisfaction.link_valid;
    let resolved = said == "yes" && ticket.status == Status::Resolved;
    let link = |rating: &Rating| {
        let link = RatingLink { number, cycle: ticket.cycle, rating: *rating, expires };
        BTreeMap::from([
            ("name", rating.name(language).to_owned()),
            ("link", format!("/s/{}", policy.key.sign_rating(&link))),
        ])
    };
    let ratings: Vec<_> = Rating::ALL.iter().filter(|_| resolved).map(link).collect();
    let mut context = context(pages, token, opened);
    context.insert("said", said);
    context.insert("ratings", &ratings);
    pages.page(StatusCode::OK, &format!("page/{}/article_thanks.html", language.as_str()), &context)
}
