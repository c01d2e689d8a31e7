//! The log: on standard error, one line an event, as text or JSON.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Crates that show what goes over the wire when asked for details, logins and letters included
/// (`hardening.md` S60): only their warnings are ever logged.
const TALKATIVE: [&str; 7] = ["async_imap", "imap_proto", "lettre", "rustls", "sqlx", "hyper", "tokio_rustls"];

/// Starts the log; does nothing when it was started before.
pub fn start(log: Log) {
    let terminal = std::io::stderr().is_terminal();
    let text = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter(log.level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match text {
        true => registry.with(lines.with_target(false).with_ansi(terminal)).try_init(),
        false => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    // Already started, by a test or an embedding program: that one stays.
    drop(started);
}

fn filter(level: Level) -> Targets {
    let warnings = LevelFilter::WARN.min(LevelFilter::from_level(level));
    let targets = Targets::new().with_default(level);
    TALKATIVE.iter().fold(targets, |targets, crate_name| targets.with_target(*crate_name, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s60_no_level_lets_a_login_line_into_the_log() {
        for level in [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR] {
            let filter = filter(level);
            for target in ["async_imap", "async_imap::imap_stream", "lettre::transport", "sqlx::query", "rustls::conn"]
            {
                for detail in [Level::TRACE, Level::DEBUG, Level::INFO] {
                    assert!(!filter.would_enable(target, &detail), "{target} {detail} at {level}");
                }
            }
            assert!(filter.would_enable("maildesk::flow", &level) && filter.would_enable("lettre", &Level::ERROR));
            assert_eq!(filter.would_enable("lettre", &Level::WARN), level >= Level::WARN);
        }
    }
}
