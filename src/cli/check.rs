//! `maildesk check`: every fault of the configuration, or what it amounts to; with `--connect` whether the servers it
//! names let us in.

use super::{Failure, load};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon::settings;
use crate::directory::{ldap, read_file};
use crate::ports::{Clock as _, InboxError, SendOutcome};
use crate::store::Store;
use crate::wire::without_secret;
use secrecy::ExposeSecret as _;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How long one server may take in all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the configuration; says on `out` what it amounts to, and on `notes` what is probably not meant.
///
/// # Errors
/// [`Failure::Usage`] with every fault as `file:line: key: message`.
pub fn check(file: &Path, out: &mut impl Write, notes: &mut impl Write) -> Result<Config, Failure> {
    let config = load(file)?;
    for warning in &config.warnings {
        writeln!(notes, "{warning} (warning)")?;
    }
    for coming in config.coming(SystemClock.now()) {
        writeln!(notes, "{}: {coming} (warning)", file.display())?;
    }
    people(file, &config, notes)?;
    writeln!(out, "{}: no faults; {}", file.display(), summary(&config))?;
    Ok(config)
}

/// The file of the directory: what is wrong with it as a whole is a fault here, while a running desk goes on with what it
/// read last; single rows are warnings.
fn people(file: &Path, config: &Config, notes: &mut impl Write) -> Result<(), Failure> {
    let Some((path, line)) = &config.directory.file else { return Ok(()) };
    let table = read_file(path)
        .map_err(|what| Failure::Usage(vec![format!("{}:{line}: directory.file: {what}", file.display())]))?;
    for problem in &table.problems {
        writeln!(notes, "{}:{}: {} (warning)", path.display(), problem.line, problem.what)?;
    }
    Ok(())
}

fn summary(config: &Config) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let holidays = match config.calendar.years_known().last() {
        Some(year) => format!("public holidays known up to {year}"),
        None => "no public holidays".into(),
    };
    let rating = match &config.desk.public_url {
        Some(url) => format!("rating links to {url}"),
        None => "rating by mail".into(),
    };
    let (mailboxes, engineers) = (count(config.mailboxes.len(), "mailbox"), count(config.engineers.len(), "engineer"));
    format!("{}, {engineers}, {rating}, {holidays}", mailboxes.replace("boxs", "boxes"))
}

/// Tries every mailbox, the way letters leave, and the database: one line each. Sends nothing.
///
/// # Errors
/// [`Failure::Failed`] when one of them does not work.
pub async fn connect(config: &Config, out: &mut impl Write) -> Result<(), Failure> {
    let mut failed = 0;
    for mailbox in &config.mailboxes {
        let mut inbox = settings::inbox(mailbox);
        let found = timeout(PATIENCE, inbox.probe()).await;
        let found = found.unwrap_or_else(|_| Err(InboxError::Lost(silent()))).map_err(|error| error.to_string());
        failed += tell(out, &format!("mailbox {:?}", mailbox.name), found)?;
    }
    if let Some(mut mailer) = settings::mailers(config).into_iter().next() {
        let found = timeout(PATIENCE, mailer.probe()).await;
        let found = found.unwrap_or_else(|_| Err(SendOutcome::Retry(silent()))).map_err(|outcome| words(&outcome));
        failed += tell(out, "sending", found)?;
    }
    if let Some(directory) = &config.directory.ldap {
        let found = timeout(PATIENCE, ldap::read(&settings::ldap(directory))).await;
        let found = found.unwrap_or_else(|_| Err(ldap::Fault::Network(silent())));
        let found = found.map(|people| format!("{} people", people.len())).map_err(|fault| fault.to_string());
        failed += tell(out, "directory", found)?;
    }
    failed += tell(out, "database", database(config.database.expose_secret()).await)?;
    if failed > 0 {
        return Err(Failure::Failed(anyhow::anyhow!("{failed} of the connections above failed")));
    }
    Ok(())
}

fn silent() -> String {
    format!("no end within {} s", PATIENCE.as_secs())
}

fn words(outcome: &SendOutcome) -> String {
    match outcome {
        SendOutcome::Accepted(text)
        | SendOutcome::Retry(text)
        | SendOutcome::Unreachable(text)
        | SendOutcome::Refused(text)
        | SendOutcome::Unknown(text)
        | SendOutcome::Misconfigured(text) => text.clone(),
    }
}

/// One line; 1 when it tells of a failure.
fn tell(out: &mut impl Write, what: &str, found: Result<String, String>) -> Result<usize, Failure> {
    match found {
        Ok(facts) => writeln!(out, "{what}: ok: {facts}")?,
        Err(text) => {
            let advice = advice(&text).map(|advice| format!(" -> {advice}")).unwrap_or_default();
            writeln!(out, "{what}: FAILED: {text}{advice}")?;
            return Ok(1);
        }
    }
    Ok(0)
}

/// A SQLite file that is not there yet is left so: whoever runs this may not be the user the desk runs as.
async fn database(url: &str) -> Result<String, String> {
    let file = url.strip_prefix("sqlite:").map(|place| place.strip_prefix("//").unwrap_or(place));
    if file.is_some_and(|file| !file.starts_with(':') && !Path::new(file).exists()) {
        return Ok("the file does not exist yet; the first start creates it".into());
    }
    let password = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')?.0.split_once(':'));
    let password = password.map(|(_, password)| password).unwrap_or("");
    let opening = tokio::spawn(open(url.to_owned()));
    // Only the waiting ends: a store call must never be cancelled.
    let opened = timeout(PATIENCE, opening).await.map_err(|_| silent())?.map_err(|error| error.to_string())?;
    opened.map_err(|text| without_secret(&text, &[url, password]))
}

async fn open(url: String) -> Result<String, String> {
    let store = Store::open(&url).await.map_err(|error| error.to_string())?;
    let known = store.first_start().await.map_err(|error| error.to_string());
    store.close().await;
    let known = known?.map_or("not used by a desk yet".to_owned(), |start| format!("in use since {}", start.rfc3339()));
    Ok(format!("opened, the schema is up to date; {known}"))
}

/// What usually helps against this.
fn advice(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let known: [(&[&str], &str); 10] = [
        // What rustls says when the other side answers in plain text.
        (
            &["corrupt message", "invalidcontenttype"],
            "nothing on this port speaks TLS from the first byte: port 993 (IMAP) or 465 (SMTP), or security = \"starttls\" \
             with 143 or 587",
        ),
        (&["unsafe login"], "163 and 126: switch IMAP on in the web mail and use a fresh authorisation code (授权码)"),
        (
            &["logindisabled", "no password login"],
            "set security = \"tls\"; where the server wants OAuth2, an application password",
        ),
        (
            &["login refused", "535", "authentication", "authenticationfailed"],
            "check user and password; 163, 126 and QQ want the authorisation code (授权码) of the web mail's settings, \
             Exmail the client password (客户端专用密码)",
        ),
        (
            &["tls refused", "certificate"],
            "use the host name the certificate is for; for an authority of your own set ca_file",
        ),
        (&["refuses starttls"], "the server has no STARTTLS here: set security = \"tls\" and its port"),
        (&["look up"], "check the spelling of host, and this machine's DNS"),
        (&["opening the folder"], "check folder: its name as the web mail shows it, with / between levels"),
        (
            &["cannot connect", "no connection", "no end within", "does not greet", "no tls within"],
            "check host, port and security, and the firewall",
        ),
        (&["database", "permission denied"], "check the database's address, that it runs, and who may use it"),
    ];
    known.into_iter().find(|(words, _)| says(words)).map(|(_, advice)| advice)
}
