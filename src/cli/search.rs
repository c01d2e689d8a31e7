//! `maildesk search`: articles and tickets that hold all of some words.

use super::Failure;
use crate::config::Config;
use crate::desk::knowledge::{Document, terms};
use crate::store::Store;
use anyhow::{Context as _, anyhow};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::io::Write;

/// Prints the best answers to a query.
///
/// # Errors
/// When there is no word in the query, or the store's.
pub async fn search(
    config: Config,
    query: &str,
    limit: u16,
    as_json: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if terms::wanted(query).is_empty() {
        return Err(Failure::Failed(anyhow!("there is no word to look for in {query:?}")));
    }
    let store = Store::open(config.database.expose_secret()).await.context("cannot open the database")?;
    let found = store.search(query, limit.into()).await.context("cannot search")?;
    for document in &found {
        writeln!(out, "{}", if as_json { as_object(document) } else { line(document) })?;
    }
    if found.is_empty() && !as_json {
        writeln!(out, "nothing found")?;
    }
    Ok(())
}

fn line(document: &Document) -> String {
    let solved = if document.solved { "solved" } else { "" };
    let summary = document.summary.replace('\n', " ");
    let summary: String = summary.chars().take(120).collect();
    let first =
        format!("{:<7} {:<13} {solved:<6} {}", document.about.name(), document.category.as_str(), document.title);
    if summary.is_empty() { first } else { format!("{first}\n{:29}{summary}", "") }
}

fn as_object(document: &Document) -> String {
    json!({
        "name": document.about.name(), "title": document.title, "summary": document.summary,
        "category": document.category, "solved": document.solved,
    })
    .to_string()
}
