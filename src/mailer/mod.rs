//! How letters leave: SMTP, a sendmail program, or a local Maildir.

mod body;
mod dialogue;
pub mod maildir;
mod reply;
pub mod sendmail;
mod settings;
pub mod smtp;

pub use maildir::MaildirMailer;
pub use sendmail::{SendmailMailer, SendmailSettings};
pub use settings::{Credentials, SmtpSettings, SmtpTimeouts};
pub use smtp::SmtpMailer;

use crate::ports::{Envelope, Mailer, SendOutcome};

/// The mailer that the configuration chose.
#[derive(Debug)]
pub enum AnyMailer {
    Smtp(Box<SmtpMailer>),
    Sendmail(SendmailMailer),
    Maildir(MaildirMailer),
}

impl AnyMailer {
    /// Tries whether letters could leave, without sending any; says what was found.
    ///
    /// # Errors
    /// What [`Mailer::send`] would say.
    pub async fn probe(&mut self) -> Result<String, SendOutcome> {
        match self {
            AnyMailer::Smtp(mailer) => {
                mailer.connect().await?;
                mailer.close().await;
                Ok("connected, everything accepted; no mail was sent".into())
            }
            AnyMailer::Sendmail(mailer) => mailer.probe(),
            AnyMailer::Maildir(mailer) => mailer.probe(),
        }
    }
}

impl Mailer for AnyMailer {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        match self {
            AnyMailer::Smtp(mailer) => mailer.send(envelope, message).await,
            AnyMailer::Sendmail(mailer) => mailer.send(envelope, message).await,
            AnyMailer::Maildir(mailer) => mailer.send(envelope, message).await,
        }
    }
}
