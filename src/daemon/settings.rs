//! From the configuration to the edges: which inbox, which mailer.

use crate::address::Address;
use crate::config::{Config, Ldap, Mailbox, Route, Security, Server, Smtp, Source};
use crate::directory::ldap;
use crate::flow::deliver::Rates;
use crate::inbox::{AnyInbox, ImapInbox, ImapSettings, MaildirInbox, MaildirSettings};
use crate::mailer::{
    AnyMailer, Credentials, MaildirMailer, SendmailMailer, SendmailSettings, SmtpMailer, SmtpSettings,
};
use crate::ports::{Envelope, Mailer, SendOutcome};
use crate::wire::{self, Endpoint};

fn endpoint(server: &Server) -> Endpoint {
    let security = match server.security {
        Security::Tls => wire::Security::Tls,
        Security::StartTls => wire::Security::StartTls,
        Security::Plain => wire::Security::Plain,
    };
    Endpoint { host: server.host.clone(), port: server.port, security, ca_file: server.ca_file.clone() }
}

/// The mailbox's inbox; nothing is connected yet.
pub fn inbox(mailbox: &Mailbox) -> AnyInbox {
    match &mailbox.source {
        Source::Imap { server, user, password, folder, processed, idle_renew } => {
            let settings = ImapSettings {
                folder: folder.clone(),
                processed: processed.clone(),
                idle_renewal: *idle_renew,
                poll: mailbox.poll,
                ..ImapSettings::new(endpoint(server), user, password.clone())
            };
            AnyInbox::Imap(Box::new(ImapInbox::new(settings)))
        }
        Source::Maildir(path) => {
            let settings = MaildirSettings { poll: mailbox.poll, ..MaildirSettings::new(path) };
            AnyInbox::Maildir(MaildirInbox::new(settings))
        }
    }
}

/// One mailer for each connection that may be open at the same time.
pub fn mailers(config: &Config) -> Vec<Sender> {
    let from = config.smtp.from.clone();
    routes(config).into_iter().map(|mailer| Sender { from: from.clone(), mailer }).collect()
}

/// A mailer whose server may insist on another envelope sender than the desk's address.
pub struct Sender {
    from: Option<Address>,
    mailer: AnyMailer,
}

impl Sender {
    /// Tries the way out without sending anything; says what it found.
    ///
    /// # Errors
    /// As [`Mailer::send`] would say.
    pub async fn probe(&mut self) -> Result<String, SendOutcome> {
        self.mailer.probe().await
    }
}

impl Mailer for Sender {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> SendOutcome {
        let mut envelope = envelope.clone();
        // The null sender stays what it is.
        if let (Some(shown), Some(from)) = (&mut envelope.from, &self.from) {
            shown.clone_from(from);
        }
        self.mailer.send(&envelope, message).await
    }
}

fn routes(config: &Config) -> Vec<AnyMailer> {
    match &config.smtp.route {
        Route::Smtp { server, login, connections } => {
            let mut settings = SmtpSettings::new(endpoint(server), config.desk.address.domain());
            settings.credentials = login.clone().map(|(user, password)| Credentials { user, password });
            let mailer = || AnyMailer::Smtp(Box::new(SmtpMailer::new(settings.clone())));
            (0..*connections).map(|_| mailer()).collect()
        }
        Route::Sendmail(program) => {
            let settings = SendmailSettings { program: program.clone(), ..SendmailSettings::default() };
            vec![AnyMailer::Sendmail(SendmailMailer::new(settings))]
        }
        Route::Maildir(path) => vec![AnyMailer::Maildir(MaildirMailer::new(path))],
    }
}

/// How the LDAP server of the directory is asked.
pub fn ldap(config: &Ldap) -> ldap::Settings {
    let mut attributes = ldap::Attributes::default();
    for (held, names) in &config.attributes {
        let list = match *held {
            "address" => &mut attributes.address,
            "name" => &mut attributes.name,
            "department" => &mut attributes.department,
            "employee_id" => &mut attributes.employee_id,
            "contact" => &mut attributes.contact,
            "site" => &mut attributes.site,
            "manager" => &mut attributes.manager,
            _ => &mut attributes.language,
        };
        list.clone_from(names);
    }
    ldap::Settings {
        endpoint: endpoint(&config.server),
        login: config.login.clone(),
        base: config.base.clone(),
        filter: config.filter.clone(),
        vip_filter: config.vip_filter.clone(),
        attributes,
    }
}

pub fn rates(smtp: &Smtp) -> Rates {
    let bound = |limit: u32| (limit > 0).then_some(i64::from(limit));
    Rates { minute: bound(smtp.per_minute), hour: bound(smtp.per_hour), day: bound(smtp.per_day) }
}
