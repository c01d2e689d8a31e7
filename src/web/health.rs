//! `/livez`: the process answers. `/readyz`: it can do its work; if not, it says what fails.

use super::Pages;
use axum::extract::State;
use axum::http::StatusCode;

pub async fn live() -> &'static str {
    "ok\n"
}

pub async fn ready(State(pages): State<Pages>) -> (StatusCode, String) {
    let mut faults = (pages.faults)();
    if let Err(error) = pages.flow.store.secret().await {
        faults.push(format!("database: {error}"));
    }
    if faults.is_empty() {
        (StatusCode::OK, "ok\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, faults.join("\n") + "\n")
    }
}
