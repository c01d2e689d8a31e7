//! The sections about where things are: database, mailboxes, sending, web pages, log.

use super::document::Section;
use super::values::{self, Place};
use crate::address::Address;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// Plain at first, then TLS or nothing.
    StartTls,
    /// No protection.
    Plain,
}

const SECURITY: &[(&str, Security)] =
    &[("tls", Security::Tls), ("starttls", Security::StartTls), ("plain", Security::Plain)];

/// A server to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
}

impl Server {
    /// `ports` are the usual ones for TLS, STARTTLS and plain.
    pub fn read(section: &Section, place: &Place, ports: [u16; 3]) -> Option<Server> {
        let host = section.required("host", "the name of the server", values::host);
        let security = section.parse("security", |t| values::word(SECURITY, t)).unwrap_or(Security::Tls);
        let usual = ports[security as usize];
        let port = section.integer("port", 1..65_536).and_then(|p| u16::try_from(p).ok()).unwrap_or(usual);
        let ca_file = place.file(section, "ca_file").map(|(path, text)| {
            if !text.contains("-----BEGIN CERTIFICATE-----") {
                section.fault("ca_file", format!("no certificate in PEM form in {}", path.display()));
            }
            path
        });
        let host = host?;
        let is_local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if security == Security::Plain && !is_local {
            section.warn("security", format!("mail and passwords travel to {host} unprotected"));
        }
        Some(Server { host, port, security, ca_file })
    }
}

/// A mailbox that is watched.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// What the place read so far is remembered under; unique.
    pub name: String,
    pub source: Source,
    /// How often to look even when nothing was announced.
    pub poll: Duration,
}

#[derive(Clone, Debug)]
pub enum Source {
    Imap {
        server: Server,
        user: String,
        password: SecretString,
        /// The folder that is watched, readable name with `/` between levels.
        folder: String,
        /// Where handled messages go, readable name with `/` between levels.
        processed: String,
        /// IDLE is begun anew after this long.
        idle_renew: Duration,
    },
    /// A local folder with `new`, `cur` and `tmp`.
    Maildir(PathBuf),
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

impl Mailbox {
    pub fn read(section: &Section, place: &Place, desk: Option<&Address>) -> Option<Mailbox> {
        let kind = section.parse("kind", |t| values::word(&[("imap", true), ("maildir", false)], t));
        let name = section.text("name");
        let poll = section.parse("poll", |t| values::duration(t, SECOND..=15 * MINUTE)).unwrap_or(MINUTE);
        let (usual_name, source) = match kind {
            Some(false) => maildir(section, place)?,
            _ => imap(section, place, desk)?,
        };
        Some(Mailbox { name: name.unwrap_or(usual_name), source, poll })
    }
}

fn maildir(section: &Section, place: &Place) -> Option<(String, Source)> {
    let path = section.required("path", "the folder with new, cur and tmp", |text| place.new_folder(text))?;
    Some((path.display().to_string(), Source::Maildir(path)))
}

fn imap(section: &Section, place: &Place, desk: Option<&Address>) -> Option<(String, Source)> {
    let server = Server::read(section, place, [993, 143, 143]);
    let user = section.text("user").or_else(|| desk.map(Address::to_string));
    let password = place.secret(section, "password");
    if !place.has_secret(section, "password") {
        section
            .missing("password_file", "the mailbox password or authorisation code, in password_file or password_env");
    }
    let folder = section.text("folder").unwrap_or_else(|| "INBOX".into());
    let processed = section.text("processed").unwrap_or_else(|| "Processed".into());
    if folder == processed {
        section.fault("processed", "is the folder that is watched");
    }
    let renew = section.parse("idle_renew", |t| values::duration(t, MINUTE..=29 * MINUTE)).unwrap_or(7 * MINUTE);
    let (server, user, password) = (server?, user?, password?);
    let name = format!("{user}/{folder}");
    Some((name, Source::Imap { server, user, password, folder, processed, idle_renew: renew }))
}

/// How letters leave.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub route: Route,
    /// Envelope sender, when it is not the desk's address.
    pub from: Option<Address>,
    /// Most letters in a minute, an hour, a day; 0: no limit.
    pub per_minute: u32,
    pub per_hour: u32,
    pub per_day: u32,
}

#[derive(Clone, Debug)]
pub enum Route {
    Smtp {
        server: Server,
        /// User and password; `None`: the server takes mail from here without a login.
        login: Option<(String, SecretString)>,
        /// Connections used at the same time.
        connections: usize,
    },
    /// A program that takes a letter like `sendmail -i`.
    Sendmail(PathBuf),
    /// Letters are put into a local folder instead of being sent.
    Maildir(PathBuf),
}

impl Smtp {
    pub fn read(section: &Section, place: &Place, desk: Option<&Address>) -> Option<Smtp> {
        if !section.is_present() {
            section.missing("", "how letters leave");
            return None;
        }
        let kind = section.parse("kind", |t| values::word(&[("smtp", 0), ("sendmail", 1), ("maildir", 2)], t));
        let from = section.parse("from", values::address);
        let limit =
            |key, usual| section.integer(key, 0..1_000_001).and_then(|n| u32::try_from(n).ok()).unwrap_or(usual);
        let (per_minute, per_hour, per_day) = (limit("per_minute", 20), limit("per_hour", 200), limit("per_day", 1000));
        let route = match kind {
            Some(1) => Route::Sendmail(sendmail(section, place)?),
            Some(2) => {
                Route::Maildir(section.required("path", "the folder letters are put into", |t| place.new_folder(t))?)
            }
            _ => smtp(section, place, desk)?,
        };
        Some(Smtp { route, from, per_minute, per_hour, per_day })
    }
}

fn sendmail(section: &Section, place: &Place) -> Option<PathBuf> {
    let path = section.parse("path", |text| Ok(place.path(text)));
    let path = path.unwrap_or_else(|| "/usr/sbin/sendmail".into());
    if !path.is_file() {
        section.fault("path", format!("there is no program {}", path.display()));
    }
    Some(path)
}

fn smtp(section: &Section, place: &Place, desk: Option<&Address>) -> Option<Route> {
    let server = Server::read(section, place, [465, 587, 25]);
    let user = section.text("user");
    let password = place.secret(section, "password");
    let has_password = place.has_secret(section, "password");
    if user.is_some() && !has_password {
        section.missing("password_file", "the password of this user, in password_file or password_env");
    }
    let connections = section.integer("connections", 1..11).and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let user = user.or_else(|| desk.map(Address::to_string));
    let login = if has_password { Some((user?, password?)) } else { None };
    Some(Route::Smtp { server: server?, login, connections })
}

/// The database's address: `sqlite:///path` or `postgres://…`; secret because it may hold a password.
pub fn database(section: &Section, place: &Place) -> Option<SecretString> {
    let url = section.text("url");
    let secret = place.secret(section, "url");
    if url.is_some() && place.has_secret(section, "url") {
        section.fault("url", "give either url, url_file or url_env");
    }
    if url.as_deref().is_some_and(has_password) {
        section.fault("url", "the password does not stand in this file: put the whole url into url_file or url_env");
    }
    let url = match secret {
        Some(secret) => secret.expose_secret().trim().to_owned(),
        None => url.unwrap_or_else(|| "sqlite:maildesk.db".into()),
    };
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = place.path(path.strip_prefix("//").unwrap_or(path));
        if !path.parent().is_some_and(|p| p.is_dir()) {
            section.fault("url", format!("the folder of {} does not exist", path.display()));
        }
        return Some(format!("sqlite://{}", path.display()).into());
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        section.fault("url", "expected \"sqlite:path/to/file.db\" or \"postgres://user@host/database\"");
    }
    Some(url.into())
}

/// `scheme://user:password@…`
fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) || url.contains("password=")
}

/// The few web pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Web {
    pub listen: SocketAddr,
}

impl Web {
    /// `None`: no web pages.
    pub fn read(section: &Section) -> Option<Web> {
        if !section.is_present() {
            return None;
        }
        let listen = section.parse("listen", |text| {
            text.parse().map_err(|_| format!("expected an address and port such as \"127.0.0.1:8080\", found {text:?}"))
        });
        Some(Web { listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))) })
    }
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    pub level: tracing::Level,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: tracing::Level::INFO, format: LogFormat::Auto }
    }
}

impl Log {
    pub fn read(section: &Section) -> Log {
        use tracing::Level;
        let levels = [("error", Level::ERROR), ("warn", Level::WARN), ("info", Level::INFO), ("debug", Level::DEBUG)];
        let formats = [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
        Log {
            level: section.parse("level", |t| values::word(&levels, t)).unwrap_or(Level::INFO),
            format: section.parse("format", |t| values::word(&formats, t)).unwrap_or_default(),
        }
    }
}
