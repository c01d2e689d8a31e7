//! Commands whose work is not merged yet.

use super::Failure;
use crate::config::Config;
use crate::desk::ticket::Number;

fn not_yet(what: &str) -> Result<(), Failure> {
    Err(Failure::Failed(anyhow::anyhow!("{what}: not yet")))
}

pub async fn run(_: Config) -> Result<(), Failure> {
    not_yet("run")
}

pub async fn ingest(_: Config, _mbox: bool, _paths: Vec<String>) -> Result<(), Failure> {
    not_yet("ingest")
}

pub async fn list(_: Config, _json: bool) -> Result<(), Failure> {
    not_yet("ticket list")
}

pub async fn show(_: Config, _number: Number, _json: bool) -> Result<(), Failure> {
    not_yet("ticket show")
}

pub async fn demo(_play: bool, _no_browser: bool) -> Result<(), Failure> {
    not_yet("demo")
}
