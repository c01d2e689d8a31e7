//! The few pages that a signed link in a mail opens, and the health checks. The only place that knows axum.
//!
//! `GET` and `HEAD` change nothing, so mail scanners may follow links (`hardening.md` S24); only a `POST` acts. No page
//! needs script, loads anything from elsewhere, or tells more than its link's owner already knows.

mod approve;
mod health;
mod help;
mod rate;

use crate::flow::Flow;
use crate::ports::Clock;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// A form's bytes at most: one comment.
const MAX_BODY: usize = 16 * 1024;
const TIMEOUT: Duration = Duration::from_secs(15);
/// Wrong tokens a minute, from everybody together, before the pages answer 429 (S22).
const WRONG_TOKENS_A_MINUTE: i64 = 120;

/// What keeps the desk from working right now, in words; empty when nothing does.
pub type Faults = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What the pages need.
#[derive(Clone)]
pub struct Pages {
    pub flow: Flow,
    pub clock: Arc<dyn Clock>,
    pub faults: Faults,
    wrong: Arc<Wrong>,
}

#[derive(Default)]
struct Wrong {
    minute: Mutex<i64>,
    count: AtomicI64,
}

impl Pages {
    pub fn new(flow: Flow, clock: Arc<dyn Clock>, faults: Faults) -> Pages {
        Pages { flow, clock, faults, wrong: Arc::default() }
    }

    /// Counts a wrong token; the answer is the same page for every kind of wrong.
    fn wrong_token(&self) -> Response {
        let minute = self.clock.now().millis() / 60_000;
        let mut current = self.wrong.minute.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *current != minute {
            *current = minute;
            self.wrong.count.store(0, Ordering::Relaxed);
        }
        if self.wrong.count.fetch_add(1, Ordering::Relaxed) >= WRONG_TOKENS_A_MINUTE {
            return (StatusCode::TOO_MANY_REQUESTS, "").into_response();
        }
        self.page(StatusCode::GONE, "page/gone.html", &tera::Context::new())
    }

    /// The database does not answer: that says nothing about the link.
    fn trouble(&self) -> Response {
        self.page(StatusCode::SERVICE_UNAVAILABLE, "page/trouble.html", &tera::Context::new())
    }

    fn page(&self, status: StatusCode, name: &str, context: &tera::Context) -> Response {
        let mut context = context.clone();
        if !context.contains_key("language") {
            context.insert("language", "zh-CN");
        }
        match self.flow.page(name, &context) {
            Some(html) => (status, Html(html)).into_response(),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// Every route with its guards.
pub fn router(pages: Pages) -> Router {
    let links = Router::new()
        .route("/s/{token}", get(rate::show).post(rate::submit))
        .route("/s/", get(rate::cut_off).post(rate::cut_off))
        .route("/a/{token}", get(approve::show).post(approve::submit))
        .route("/k/{token}", get(help::show).post(help::submit))
        .route("/k/", get(rate::cut_off).post(rate::cut_off))
        .route("/a/", get(rate::cut_off).post(rate::cut_off))
        .layer(middleware::from_fn_with_state(pages.clone(), only_our_forms))
        .layer(middleware::from_fn_with_state(pages.clone(), only_our_host));
    Router::new()
        .merge(links)
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(middleware::from_fn(guard_headers))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::new())
        .with_state(pages)
}

/// The host that links name, with its port where it is not the usual one.
fn our_host(pages: &Pages) -> Option<String> {
    let policy = pages.flow.policy();
    let (_, rest) = policy.desk.public_url.as_deref()?.split_once("://")?;
    Some(rest.split('/').next().unwrap_or(rest).to_owned())
}

/// A form that another site sent is not looked at (S31).
async fn only_our_forms(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST && is_from_elsewhere(&pages, request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// What the browser says of the page that the form stood on. One that hides it says `null`; then, and where it says
/// nothing at all, the form's seal decides alone.
fn is_from_elsewhere(pages: &Pages, headers: &HeaderMap) -> bool {
    let said = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = said(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    let foreign = |host: &str| our_host(pages).is_none_or(|ours| !ours.eq_ignore_ascii_case(host));
    said(HeaderName::from_static("sec-fetch-site")) == Some("cross-site")
        || origin.is_some_and(|(_, host)| foreign(host))
}

/// Links are built from the configured address only, and pages answer only to it (S29).
async fn only_our_host(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let ours = our_host(&pages);
    let asked = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    match (ours, asked) {
        (Some(ours), Some(asked)) if ours.eq_ignore_ascii_case(asked) => next.run(request).await,
        _ => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

/// S30, S31: nothing is cached, framed, indexed, or leaks its address.
async fn guard_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Serves the pages on `listener` until `stop` becomes true.
///
/// # Errors
/// The listener's, when it cannot accept any more.
pub async fn serve(
    listener: tokio::net::TcpListener,
    pages: Pages,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> std::io::Result<()> {
    let stopped = async move { drop(stop.wait_for(|stopped| *stopped).await) };
    axum::serve(listener, router(pages)).with_graceful_shutdown(stopped).await
}
