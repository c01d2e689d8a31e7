//! SMTP submission: our own dialogue over our own stream.
//!
//! lettre builds letters well, but its transport hides which recipient was refused, takes a time-out for a success when
//! pooled, and knows no PIPELINING. The dialogue is short, so it is written out here: every reply is read, every phase
//! has its time-out, and each ending says what happens to the letter.

use super::dialogue::Connection;
use super::settings::SmtpSettings;
use crate::ports::{Envelope, Mailer, SendOutcome};
use crate::wire::Dialer;
use std::time::Duration;
use tokio::time::timeout;

/// The longest one letter may take, whatever the server does: shorter than the outbox's lease, so that no second
/// sender begins while this one is still at it (`hardening.md` R27).
const WHOLE_LETTER: Duration = Duration::from_secs(25 * 60);

/// Sends over one connection that is kept for the next letter.
#[derive(Debug)]
pub struct SmtpMailer {
    settings: SmtpSettings,
    dialer: Dialer,
    open: Option<Connection>,
}

impl SmtpMailer {
    /// Connects only when the first letter comes.
    pub fn new(settings: SmtpSettings) -> SmtpMailer {
        SmtpMailer { dialer: Dialer::new(settings.server.clone()), settings, open: None }
    }

    /// Connects and logs in without sending anything, and says what is wrong.
    ///
    /// # Errors
    /// `Unreachable` or `Misconfigured`, as [`Mailer::send`] would say.
    pub async fn connect(&mut self) -> Result<(), SendOutcome> {
        self.open = Some(Connection::open(&mut self.dialer, &self.settings).await?);
        Ok(())
    }

    /// Ends the connection politely.
    pub async fn close(&mut self) {
        if let Some(connection) = self.open.take() {
            connection.quit().await;
        }
    }

    async fn take_reusable(&mut self) -> Option<Connection> {
        let connection = self.open.take()?;
        if connection.sent < self.settings.messages_per_connection && connection.used.elapsed() < self.settings.idle {
            return Some(connection);
        }
        connection.quit().await;
        None
    }
}

impl Mailer for SmtpMailer {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        // Dropping the dialogue drops its connection with it: nothing half-done is used again.
        let whole = timeout(WHOLE_LETTER, self.send_letter(envelope, message)).await;
        whole.unwrap_or_else(|_| SendOutcome::Unknown("the server took longer than any letter may take".into()))
    }
}

impl SmtpMailer {
    async fn send_letter(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        if let Some(mut connection) = self.take_reusable().await {
            let outcome = connection.deliver(envelope, message, &self.settings.timeouts).await;
            // The server grew tired of this connection before it took anything: that says nothing about the letter.
            if !(connection.untouched && matches!(outcome, SendOutcome::Retry(_))) {
                self.open = connection.usable.then_some(connection);
                return outcome;
            }
        }
        let mut connection = match Connection::open(&mut self.dialer, &self.settings).await {
            Ok(connection) => connection,
            Err(outcome) => return outcome,
        };
        let outcome = connection.deliver(envelope, message, &self.settings.timeouts).await;
        self.open = connection.usable.then_some(connection);
        outcome
    }
}
