//! `/livez`: the process answers. `/readyz`: it can do its work; if not, it says what fails.

use super::Pages;
use axum::extract::State;
use axum::http::StatusCode;

pub async fn live() -> &'static str {
    "ok\n"
}

pub async fn ready(State(pages): State<Pages>) -> (StatusCode, String) {
    let mut faults = (pages.faults)();
    // Spawned: a dropped request must never cancel a store call half-way.
    let store = pages.flow.store.clone();
    match tokio::spawn(async move { store.secret().await }).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => faults.push(format!("database: {error}")),
        Err(_) => faults.push("database: the question ended without an answer".into()),
    }
    if faults.is_empty() {
        (StatusCode::OK, "ok\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, faults.join("\n") + "\n")
    }
}
