//! `/a/<token>`: an owner's approval page. Showing it changes nothing.
//!
//! A link proves nothing about who holds it: mails are forwarded (`hardening.md` S15). So the button only makes the desk
//! mail a code to the owner, and the answer counts when that code is entered.

use super::Pages;
use super::rate::{TOO_QUICK_MILLIS, seal};
use crate::desk::approval::{self, Approval, Code, State as Stand, Voice};
use crate::desk::event::Event;
use crate::desk::policy::Reader;
use crate::desk::ticket::Ticket;
use crate::store::StoreError;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Answer {
    /// `approve` or `reject`.
    answer: String,
    #[serde(default)]
    why: String,
    /// Absent on the first page, where the button asks for it.
    code: Option<String>,
    shown: i64,
    seal: String,
}

/// Shows the request and the two buttons.
pub async fn show(State(pages): State<Pages>, token: Result<Path<String>, PathRejection>) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    match open(&pages, &token).await {
        Ok(Some(page)) => page.shown(&pages, "", ""),
        Ok(None) => pages.wrong_token(),
        Err(_) => pages.trouble(),
    }
}

/// Mails the code, or counts the answer that carries it.
pub async fn submit(
    State(pages): State<Pages>,
    token: Result<Path<String>, PathRejection>,
    answer: Result<Form<Answer>, FormRejection>,
) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    let page = match open(&pages, &token).await {
        Ok(Some(page)) => page,
        Ok(None) => return pages.wrong_token(),
        Err(_) => return pages.trouble(),
    };
    let answer = match answer {
        Ok(Form(answer)) => answer,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        Err(_) => return page.shown(&pages, "press", ""),
    };
    let why: String = answer.why.trim().chars().take(2000).collect();
    let approved = match answer.answer.as_str() {
        "approve" => true,
        "reject" => false,
        _ => return page.shown(&pages, "press", &why),
    };
    let now = pages.clock.now();
    let sealed = answer.seal == seal(&pages.flow.policy(), &token, answer.shown);
    // A code takes longer to fetch than any scanner waits (S25).
    let too_quick = answer.code.is_none() && now.millis() - answer.shown < TOO_QUICK_MILLIS;
    if !sealed || too_quick {
        return page.shown(&pages, "press", &why);
    }
    if !approved && why.is_empty() {
        return page.shown(&pages, "reason", "");
    }
    page.answered(&pages, approved, why, answer.code).await
}

/// A link that means something, and what it is about.
struct Page {
    token: String,
    ticket: Ticket,
    approval: Approval,
    owner: Reader,
}

/// `None`: whatever is wrong with it (S22).
async fn open(pages: &Pages, token: &str) -> Result<Option<Page>, StoreError> {
    let policy = pages.flow.policy();
    let Some(link) = policy.key.read_approval(token, pages.clock.now()) else { return Ok(None) };
    let (store, number) = (pages.flow.store.clone(), link.number);
    // Spawned: a request that is dropped must never cancel a store call half-way.
    let read = tokio::spawn(async move { Ok((store.ticket(number).await?, store.approval(number).await?)) });
    let found = read.await.unwrap_or_else(|_| Err(StoreError::Fault("the page stumbled".to_owned())));
    let (ticket, approval) = found.inspect_err(|error: &StoreError| {
        tracing::error!(ticket = %number, "an approval page could not be shown: {error}");
    })?;
    let Some((ticket, approval)) = ticket.zip(approval) else { return Ok(None) };
    let Some(owner) = approval::reader_of(&policy, &ticket, &approval, &link).cloned() else { return Ok(None) };
    let over = approval.state == Stand::Asked && !approval.is_open(&ticket);
    Ok((!over).then(|| Page { token: token.to_owned(), ticket, approval, owner }))
}

impl Page {
    fn voice(&self) -> Option<&Voice> {
        self.approval.voice(&self.owner.mailbox.address)
    }

    /// The owner has answered already, or there is nothing left to answer.
    fn is_done(&self) -> bool {
        self.approval.state != Stand::Asked || self.voice().is_some_and(|voice| voice.said.is_some())
    }

    async fn answered(self, pages: &Pages, approved: bool, why: String, code: Option<String>) -> Response {
        if self.is_done() {
            return self.shown(pages, "", "");
        }
        let (number, version, owner) = (self.ticket.number, self.approval.version, self.owner.mailbox.address.clone());
        let entered = code.is_some();
        let event = match code {
            None => Event::CodeWanted { number, version, owner },
            Some(code) => Event::CodeEntered { number, version, owner, approved, why: why.clone(), code },
        };
        let (flow, now) = (pages.flow.clone(), pages.clock.now());
        match tokio::spawn(async move { flow.handle(&event, now).await }).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(ticket = %number, "an approval could not be stored: {error}");
                return pages.trouble();
            }
            Err(_) => return pages.trouble(),
        }
        match open(pages, &self.token).await {
            Ok(Some(page)) if page.is_done() => page.shown(pages, "", ""),
            Ok(Some(page)) => page.asks_code(pages, approved, &why, entered),
            Ok(None) => pages.wrong_token(),
            Err(_) => pages.trouble(),
        }
    }

    /// The request with its buttons, or what became of it. `again`: why the button has to be pressed once more.
    fn shown(&self, pages: &Pages, again: &str, why: &str) -> Response {
        let mut context = self.context(pages);
        if self.is_done() {
            context.insert("state", self.approval.state.as_str());
            return self.page(pages, "approval_done", &context);
        }
        context.insert("requester", self.ticket.requester.called());
        context.insert("request", &self.approval.request);
        context.insert("note", &self.approval.note);
        context.insert("again", again);
        context.insert("why", why);
        self.page(pages, "approval", &context)
    }

    fn asks_code(&self, pages: &Pages, approved: bool, why: &str, wrong: bool) -> Response {
        let code = self.voice().and_then(|voice| voice.code).filter(|code| code.is_alive(pages.clock.now()));
        let mut context = self.context(pages);
        context.insert("answer", if approved { "approve" } else { "reject" });
        context.insert("why", why);
        context.insert("wrong", &wrong);
        context.insert("tries", &code.map_or(0, |code| Code::TRIES - code.wrong));
        self.page(pages, "approval_code", &context)
    }

    fn context(&self, pages: &Pages) -> tera::Context {
        let (policy, shown) = (pages.flow.policy(), pages.clock.now().millis());
        let mut context = tera::Context::new();
        context.insert("language", self.owner.language.as_str());
        context.insert("desk", policy.desk.name(self.owner.language));
        context.insert("number", &self.ticket.number.to_string());
        context.insert("subject", &self.ticket.subject);
        context.insert("module", &self.approval.module);
        context.insert("mailbox", &masked(&self.owner));
        context.insert("action", &format!("/a/{}", self.token));
        context.insert("shown", &shown);
        context.insert("seal", &seal(&policy, &self.token, shown));
        context
    }

    fn page(&self, pages: &Pages, name: &str, context: &tera::Context) -> Response {
        pages.page(StatusCode::OK, &format!("page/{}/{name}.html", self.owner.language.as_str()), context)
    }
}

/// Enough for the owner to know which mailbox is meant.
fn masked(owner: &Reader) -> String {
    let address = &owner.mailbox.address;
    let first: String = address.local().chars().take(1).collect();
    format!("{first}***@{}", address.domain())
}
