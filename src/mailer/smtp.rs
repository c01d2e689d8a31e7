//! SMTP submission: our own dialogue over our own stream.
//!
//! lettre builds letters well, but its transport hides which recipient was refused, takes a time-out for a success when
//! pooled, and knows no PIPELINING. The dialogue is short, so it is written out here: every reply is read, every phase
//! has its time-out, and each ending says what happens to the letter.

use super::dialogue::Connection;
use crate::ports::{Envelope, Mailer, SendOutcome};
use crate::wire::{Dialer, Endpoint};
use secrecy::SecretString;
use std::time::Duration;

/// How long each phase may take (RFC 5321 section 4.5.3.2, the minimum it asks for).
#[derive(Clone, Copy, Debug)]
pub struct SmtpTimeouts {
    /// TCP and TLS; not in the RFC.
    pub connect: Duration,
    /// 4.5.3.2.1, the greeting; also EHLO and AUTH.
    pub greeting: Duration,
    /// 4.5.3.2.2 and 4.5.3.2.3: MAIL and RCPT.
    pub envelope: Duration,
    /// 4.5.3.2.4: the answer to DATA.
    pub data: Duration,
    /// 4.5.3.2.5: one piece of the body.
    pub piece: Duration,
    /// 4.5.3.2.6: the answer to the final dot. Giving up earlier makes duplicates (RFC 1047).
    pub dot: Duration,
}

impl Default for SmtpTimeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        SmtpTimeouts {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            envelope: minutes(5),
            data: minutes(2),
            piece: minutes(3),
            dot: minutes(10),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: SecretString,
}

/// How to reach and treat the submission server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    pub server: Endpoint,
    /// What we call ourselves in EHLO: this machine's or the desk's domain.
    pub hello: String,
    pub credentials: Option<Credentials>,
    /// Letters over one connection; NetEase counts them (`domain.md` 2.3).
    pub messages_per_connection: u32,
    /// A connection unused for longer is not used again.
    pub idle: Duration,
    pub timeouts: SmtpTimeouts,
}

impl SmtpSettings {
    pub fn new(server: Endpoint, hello: &str) -> SmtpSettings {
        SmtpSettings {
            server,
            hello: hello.to_owned(),
            credentials: None,
            messages_per_connection: 20,
            idle: Duration::from_secs(30),
            timeouts: SmtpTimeouts::default(),
        }
    }
}

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
    /// `Retry` or `Misconfigured`, as [`Mailer::send`] would say.
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
