//! `/s/<token>`: the satisfaction page. Showing it changes nothing; a button press counts.

use super::Pages;
use crate::desk::event::Event;
use crate::desk::link::{RatingLink, Standing};
use crate::desk::policy::Policy;
use crate::desk::ticket::Ticket;
use crate::desk::words::Rating;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// Quicker than a person: a scanner that presses buttons (`hardening.md` S25). Asked to press once more.
pub(super) const TOO_QUICK_MILLIS: i64 = 2_000;

#[derive(Deserialize)]
pub struct Answer {
    rating: String,
    #[serde(default)]
    comment: String,
    shown: i64,
    seal: String,
}

/// Shows the three buttons.
pub async fn show(State(pages): State<Pages>, token: Result<Path<String>, PathRejection>) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    match open(&pages, &token).await {
        Opened::Yes(link, ticket) => form(&pages, &token, &ticket, link.rating, "", false),
        Opened::No => pages.wrong_token(),
        Opened::Trouble => pages.trouble(),
    }
}

/// A link without its token: a mail program broke it.
pub async fn cut_off(State(pages): State<Pages>) -> Response {
    pages.wrong_token()
}

/// Counts the pressed button.
pub async fn submit(
    State(pages): State<Pages>,
    token: Result<Path<String>, PathRejection>,
    answer: Result<Form<Answer>, FormRejection>,
) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    let (link, ticket) = match open(&pages, &token).await {
        Opened::Yes(link, ticket) => (link, ticket),
        Opened::No => return pages.wrong_token(),
        Opened::Trouble => return pages.trouble(),
    };
    let answer = match answer {
        Ok(Form(answer)) => answer,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        Err(_) => return form(&pages, &token, &ticket, link.rating, "", true),
    };
    let policy = pages.flow.policy();
    let Some(rating) = Rating::parse(&answer.rating) else {
        return form(&pages, &token, &ticket, link.rating, "", true);
    };
    let now = pages.clock.now();
    let sealed = answer.seal == seal(&policy, &token, answer.shown);
    let comment: String = answer.comment.trim().chars().take(2000).collect();
    if !sealed || now.millis() - answer.shown < TOO_QUICK_MILLIS {
        return form(&pages, &token, &ticket, rating, &comment, true);
    }
    let event = Event::Rated { number: link.number, cycle: link.cycle, rating, comment };
    // Spawned: a request that times out or is dropped must never cancel a store call half-way.
    let flow = pages.flow.clone();
    match tokio::spawn(async move { flow.handle(&event, now).await }).await {
        Ok(Ok(())) => thanks(&pages, &token, &ticket, rating),
        Ok(Err(error)) => {
            tracing::error!(ticket = %link.number, "a rating could not be stored: {error}");
            pages.trouble()
        }
        Err(_) => pages.trouble(),
    }
}

enum Opened {
    Yes(RatingLink, Box<Ticket>),
    /// Whatever is wrong with it (S22).
    No,
    /// The database does not answer.
    Trouble,
}

/// The link and its ticket, when the link still means something.
async fn open(pages: &Pages, token: &str) -> Opened {
    let policy = pages.flow.policy();
    let Some(link) = policy.key.read_rating(token, pages.clock.now()) else { return Opened::No };
    let (store, number) = (pages.flow.store.clone(), link.number);
    match tokio::spawn(async move { store.ticket(number).await }).await {
        Ok(Ok(Some(ticket))) if Standing::of(&ticket, link.cycle) != Standing::Over => {
            Opened::Yes(link, Box::new(ticket))
        }
        Ok(Ok(_)) => Opened::No,
        Ok(Err(error)) => {
            tracing::error!(ticket = %number, "a rating page could not be shown: {error}");
            Opened::Trouble
        }
        Err(_) => Opened::Trouble,
    }
}

/// Ties a form to the moment it was shown and to its link, so that other sites cannot post it (S31).
pub(super) fn seal(policy: &Policy, token: &str, shown: i64) -> String {
    policy.key.sign_text("form", &format!("{token}/{shown}"))
}

fn context(pages: &Pages, token: &str, ticket: &Ticket) -> tera::Context {
    let policy = pages.flow.policy();
    let mut context = tera::Context::new();
    context.insert("language", ticket.language.as_str());
    context.insert("desk", policy.desk.name(ticket.language));
    context.insert("number", &ticket.number.to_string());
    context.insert("subject", &ticket.subject);
    context.insert("action", &format!("/s/{token}"));
    context
}

fn form(pages: &Pages, token: &str, ticket: &Ticket, clicked: Rating, comment: &str, again: bool) -> Response {
    let shown = pages.clock.now().millis();
    let mut context = context(pages, token, ticket);
    context.insert("clicked", clicked.as_str());
    context.insert("comment", comment);
    context.insert("again", &again);
    context.insert("shown", &shown);
    context.insert("seal", &seal(&pages.flow.policy(), token, shown));
    pages.page(StatusCode::OK, &format!("page/{}/rate.html", ticket.language.as_str()), &context)
}

fn thanks(pages: &Pages, token: &str, ticket: &Ticket, rating: Rating) -> Response {
    let mut context = context(pages, token, ticket);
    context.insert("rating", rating.name(ticket.language));
    context.insert("reopened", &(rating == Rating::Dissatisfied));
    pages.page(StatusCode::OK, &format!("page/{}/thanks.html", ticket.language.as_str()), &context)
}
