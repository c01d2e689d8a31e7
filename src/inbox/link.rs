//! One IMAP connection: greeting, STARTTLS, login, and commands whose tagged answer is really looked at.
//!
//! async-imap only frames and parses here: its own commands take a refusal or an end of the stream for an empty
//! success, and would log the password. Commands are written by us and their status is checked.

use super::sieve::Sieve;
use crate::ports::InboxError;
use crate::wire::{Dialer, Security, Wire, WireError, readable, without_secret};
use async_imap::Client;
use async_imap::imap_proto::{Capability, MailboxDatum, Outcome, Response, ResponseCode, Status};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout, timeout_at};

/// What a command without bodies may be answered: a search answer and a burst of changes fit.
pub const SMALL: usize = 1024 * 1024;
/// How long the server may take to leave IDLE and the like: it has nothing to do then.
const QUICK: Duration = Duration::from_secs(10);

/// A logged-in connection with a selected folder.
#[derive(Debug)]
pub struct Link {
    client: Client<Sieve>,
    tag: u32,
    limit: Duration,
    capabilities: BTreeSet<String>,
    /// Messages in the selected folder as the server last said.
    pub exists: u32,
    /// The server told of a new message since this was last set to false.
    pub news: bool,
    goodbye: Option<String>,
    /// A command was begun and has not ended.
    busy: bool,
}

/// A command's tagged answer.
#[derive(Debug)]
pub struct Answer {
    pub ok: bool,
    /// `NO`: the server understood and will not; false with `ok` false means `BAD`.
    pub no: bool,
    /// The server's words with the response code, cut to 300 bytes.
    pub text: String,
    /// The server says the folder is missing (RFC 3501 section 7.1, TRYCREATE).
    pub try_create: bool,
}

impl Answer {
    fn of(status: &Status, outcome: &Outcome<'_>) -> Answer {
        let code = outcome.code.as_ref().map(|c| format!("{c:?} ")).unwrap_or_default();
        let text = format!("{code}{}", outcome.information.as_deref().unwrap_or(""));
        let text = readable(text.trim().as_bytes(), 300);
        let try_create = matches!(outcome.code, Some(ResponseCode::TryCreate)) || text.contains("TRYCREATE");
        Answer { ok: *status == Status::Ok, no: *status == Status::No, text, try_create }
    }

    /// # Errors
    /// [`InboxError::Lost`] when the command was refused.
    pub fn or_lost(self, doing: &str) -> Result<Answer, InboxError> {
        if self.ok { Ok(self) } else { Err(InboxError::Lost(format!("IMAP: {doing} refused: {}", self.text))) }
    }
}

/// The numbers a SELECT brings (RFC 3501 section 6.3.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Selected {
    pub uid_validity: u32,
    /// The next UID the server will give; `None` where it does not say.
    pub uid_next: Option<u32>,
}

impl From<WireError> for InboxError {
    fn from(e: WireError) -> Self {
        InboxError::Lost(e.to_string())
    }
}

fn lost(doing: &str, e: &io::Error) -> InboxError {
    // A parse error repeats the whole buffer: a mail must not fill the log.
    InboxError::Lost(format!("IMAP: {doing}: {}", readable(e.to_string().as_bytes(), 300)))
}

impl Link {
    /// Connects and logs in. `ID` is sent right after the login wherever the server lists it: 163.com refuses SELECT
    /// from a client that did not say who it is (`domain.md` 2.2).
    ///
    /// # Errors
    /// `Refused` when the server does not take the login, `Lost` for everything that may pass.
    pub async fn open(
        dialer: &mut Dialer,
        user: &str,
        password: &SecretString,
        limit: Duration,
    ) -> Result<Link, InboxError> {
        // Each step has its time-out; all together must end too, however slowly the bytes drip.
        let total = limit.saturating_mul(6);
        timeout(total, Link::step_by_step(dialer, user, password, limit))
            .await
            .map_err(|_| InboxError::Lost(format!("IMAP: no login within {} s", total.as_secs())))?
    }

    async fn step_by_step(
        dialer: &mut Dialer,
        user: &str,
        password: &SecretString,
        limit: Duration,
    ) -> Result<Link, InboxError> {
        let mut wire = dialer.dial(limit).await?;
        let start_tls = dialer.endpoint().security == Security::StartTls;
        if start_tls {
            agree_on_tls(&mut wire).await?;
            wire = dialer.secure(wire).await?;
        }
        let mut link = Link {
            client: Client::new(Sieve::new(wire)),
            tag: 0,
            limit,
            capabilities: BTreeSet::new(),
            exists: 0,
            news: false,
            goodbye: None,
            busy: false,
        };
        if !start_tls {
            link.greeting().await?;
        }
        link.read_capabilities().await?;
        link.login(user, password).await?;
        link.read_capabilities().await?;
        link.introduce().await?;
        Ok(link)
    }

    async fn greeting(&mut self) -> Result<(), InboxError> {
        self.begin(SMALL);
        let response = timeout(self.limit, self.client.read_response())
            .await
            .map_err(|_| InboxError::Lost("IMAP: the server does not greet".into()))?
            .map_err(|e| lost("greeting", &e))?
            .ok_or_else(|| InboxError::Lost("IMAP: the server closed the connection at once".into()))?;
        match response.parsed() {
            Response::Data { status: Status::Ok, outcome } => {
                self.note_capabilities(outcome);
                Ok(())
            }
            Response::Data { outcome, .. } => {
                let text = outcome.information.as_deref().unwrap_or("");
                Err(InboxError::Lost(format!("IMAP: the server greets with {}", readable(text.as_bytes(), 300))))
            }
            _ => Err(InboxError::Lost("IMAP: this is not an IMAP server".into())),
        }
    }

    fn note_capabilities(&mut self, outcome: &Outcome<'_>) {
        if let Some(ResponseCode::Capabilities(list)) = &outcome.code {
            self.capabilities = list.iter().map(capability_name).collect();
        }
    }

    /// Asks anew: the list before the login is often a short one (`domain.md` 2.1).
    async fn read_capabilities(&mut self) -> Result<(), InboxError> {
        let mut found = BTreeSet::new();
        self.command("CAPABILITY", SMALL, |response| {
            if let Response::Capabilities(list) = response {
                found.extend(list.iter().take(500).map(capability_name));
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    async fn login(&mut self, user: &str, password: &SecretString) -> Result<(), InboxError> {
        // Not listing AUTH=PLAIN means nothing, LOGINDISABLED does (RFC 3501 section 6.2.3).
        if self.can("LOGINDISABLED") {
            let hint = "it wants another way of signing in (OAuth2), or TLS";
            return Err(InboxError::Refused(format!(
                "IMAP: the server forbids password login (LOGINDISABLED): {hint}"
            )));
        }
        let secret = password.expose_secret();
        let answer = if is_quotable(user) && is_quotable(secret) {
            self.command(&format!("LOGIN {} {}", quoted(user), quoted(secret)), SMALL, |_| {}).await?
        } else {
            self.login_with_literals(user, secret).await?
        };
        let text = without_secret(&answer.text, &[secret]);
        match answer.ok {
            true => Ok(()),
            // RFC 5530: the server cannot check passwords at the moment; nothing is wrong with this one.
            false if text.to_ascii_uppercase().contains("UNAVAILABLE") => {
                Err(InboxError::Lost(format!("IMAP: login not possible now: {text}")))
            }
            false => Err(InboxError::Refused(format!("IMAP: login refused: {text}"))),
        }
    }

    /// RFC 3501 section 4.3: letters beyond ASCII may only travel in literals.
    async fn login_with_literals(&mut self, user: &str, secret: &str) -> Result<Answer, InboxError> {
        let tag = self.next_tag();
        self.begin(SMALL);
        let steps = [format!("{tag} LOGIN {{{}}}\r\n", user.len()), format!("{user} {{{}}}\r\n", secret.len())];
        for step in steps {
            self.write(step.as_bytes()).await?;
            if let Some(refused) = self.until_ready(&tag).await? {
                return Ok(refused);
            }
        }
        self.write(format!("{secret}\r\n").as_bytes()).await?;
        self.finish(&tag, &mut |_| {}).await
    }

    /// RFC 2971. The answer does not matter, a refusal neither.
    async fn introduce(&mut self) -> Result<(), InboxError> {
        if self.can("ID") {
            let version = env!("CARGO_PKG_VERSION");
            let command = format!(
                "ID (\"name\" \"maildesk\" \"version\" \"{version}\" \"vendor\" \"maildesk\" \"support-email\" \"postmaster\")"
            );
            self.command(&command, SMALL, |_| {}).await?;
        }
        Ok(())
    }

    /// # Errors
    /// `Lost` when the folder cannot be opened.
    pub async fn select(&mut self, folder: &str) -> Result<Selected, InboxError> {
        let mut selected = Selected::default();
        let command = format!("SELECT {}", quoted(&super::utf7::encode(folder)));
        self.command(&command, SMALL, |response| {
            if let Response::Data { outcome, .. } = response {
                match outcome.code {
                    Some(ResponseCode::UidValidity(number)) => selected.uid_validity = number,
                    Some(ResponseCode::UidNext(number)) => selected.uid_next = Some(number),
                    _ => {}
                }
            }
        })
        .await?
        .or_lost(&format!("opening the folder {folder:?} was"))?;
        if selected.uid_validity == 0 {
            return Err(InboxError::Lost(format!("IMAP: the folder {folder:?} has no UIDVALIDITY: it cannot be used")));
        }
        Ok(selected)
    }

    /// Runs one command. The server may send `budget` bytes, and has the time-out of every step plus one second
    /// per 10 KB of budget. `each` sees every untagged answer.
    ///
    /// # Errors
    /// `Lost` when the connection ends, stands still or makes no sense; this connection is useless then.
    pub async fn command(
        &mut self,
        command: &str,
        budget: usize,
        mut each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Answer, InboxError> {
        let tag = self.next_tag();
        self.begin(budget);
        let total = self.limit + Duration::from_millis((budget / 10) as u64);
        let name = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let name = if name.starts_with("UID") { name } else { name.split(' ').next().unwrap_or("").to_owned() };
        let work = async {
            self.write(format!("{tag} {command}\r\n").as_bytes()).await?;
            self.finish(&tag, &mut each).await
        };
        timeout(total, work)
            .await
            .map_err(|_| InboxError::Lost(format!("IMAP: {name} took longer than {} s", total.as_secs())))?
            .map_err(|e| match e {
                InboxError::Lost(text) => InboxError::Lost(format!("{text} ({name})")),
                other => other,
            })
    }

    fn next_tag(&mut self) -> String {
        self.tag = self.tag.wrapping_add(1);
        format!("m{}", self.tag)
    }

    /// False when a command was given up half-way (its future was dropped): its answer would be taken for the next
    /// command's, so the connection is useless.
    pub fn is_usable(&self) -> bool {
        !self.busy
    }

    fn begin(&mut self, budget: usize) {
        self.busy = true;
        let limit = self.limit;
        let sieve = self.client.get_mut();
        sieve.allow(budget);
        sieve.wire.set_limit(limit);
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), InboxError> {
        let sieve = self.client.get_mut();
        sieve.write_all(bytes).await.map_err(|e| lost("writing", &e))?;
        sieve.flush().await.map_err(|e| lost("writing", &e))
    }

    /// Reads up to the tagged answer.
    async fn finish(&mut self, tag: &str, each: &mut (impl FnMut(&Response<'_>) + Send)) -> Result<Answer, InboxError> {
        loop {
            let response = came(self.client.read_response().await, &mut self.goodbye)?;
            match response.parsed() {
                Response::Done { tag: done, status, outcome } if done.0 == tag => {
                    self.busy = false;
                    return Ok(Answer::of(status, outcome));
                }
                Response::Done { .. } => {
                    return Err(InboxError::Lost("IMAP: an answer to a command that was not given".into()));
                }
                other => {
                    note(other, &mut self.exists, &mut self.news, &mut self.goodbye);
                    each(other);
                }
            }
        }
    }

    /// Reads up to a `+`; a tagged answer instead is the refusal.
    async fn until_ready(&mut self, tag: &str) -> Result<Option<Answer>, InboxError> {
        loop {
            let response = came(self.client.read_response().await, &mut self.goodbye)?;
            match response.parsed() {
                Response::Continue(_) => return Ok(None),
                Response::Done { tag: done, status, outcome } if done.0 == tag => {
                    self.busy = false;
                    return Ok(Some(Answer { ok: false, ..Answer::of(status, outcome) }));
                }
                other => note(other, &mut self.exists, &mut self.news, &mut self.goodbye),
            }
        }
    }

    /// Waits in IDLE (RFC 2177) for `at_most`, or until the server tells of a new message.
    /// `false` when the server refused IDLE after all.
    ///
    /// # Errors
    /// `Lost` as for [`Link::command`].
    pub async fn idle(&mut self, at_most: Duration) -> Result<bool, InboxError> {
        let tag = self.next_tag();
        self.begin(SMALL);
        self.write(format!("{tag} IDLE\r\n").as_bytes()).await?;
        let silent = || InboxError::Lost("IMAP: the server neither begins nor leaves IDLE".into());
        if timeout(self.limit, self.until_ready(&tag)).await.map_err(|_| silent())??.is_some() {
            return Ok(false);
        }
        let end = Instant::now() + at_most;
        self.client.get_mut().wire.set_limit(at_most.saturating_mul(2) + QUICK);
        while !self.news {
            let Ok(response) = timeout_at(end, self.client.read_response()).await else { break };
            let response = came(response, &mut self.goodbye)?;
            note(response.parsed(), &mut self.exists, &mut self.news, &mut self.goodbye);
        }
        self.client.get_mut().wire.set_limit(self.limit.min(QUICK));
        self.write(b"DONE\r\n").await?;
        timeout(self.limit, self.finish(&tag, &mut |_| {})).await.map_err(|_| silent())??;
        Ok(true)
    }

    /// Says goodbye without waiting for it.
    pub async fn close(mut self) {
        let tag = self.next_tag();
        let _ = timeout(QUICK, self.write(format!("{tag} LOGOUT\r\n").as_bytes())).await;
    }
}

/// An end of the stream is never an answer.
fn came<T>(response: io::Result<Option<T>>, goodbye: &mut Option<String>) -> Result<T, InboxError> {
    match response {
        Ok(Some(response)) => Ok(response),
        Err(e) => Err(lost("reading", &e)),
        Ok(None) => {
            let why = goodbye.take().map(|text| format!(": {text}")).unwrap_or_default();
            Err(InboxError::Lost(format!("IMAP: the server closed the connection{why}")))
        }
    }
}

/// Keeps count of the folder: a higher number than expected means new mail (RFC 3501 sections 7.3.1, 7.4.1).
fn note(response: &Response<'_>, exists: &mut u32, news: &mut bool, goodbye: &mut Option<String>) {
    match response {
        Response::MailboxData(MailboxDatum::Exists(count)) => {
            *news |= *count > *exists;
            *exists = *count;
        }
        Response::Expunge(_) => *exists = exists.saturating_sub(1),
        Response::Data { status: Status::Bye, outcome } => {
            *goodbye = outcome.information.as_deref().map(|text| readable(text.as_bytes(), 300));
        }
        _ => {}
    }
}

fn capability_name(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

/// Greeting and STARTTLS on the bare socket. Nothing the server says here is believed afterwards (S58).
async fn agree_on_tls(wire: &mut Wire) -> Result<(), InboxError> {
    let refused =
        |text: &str| InboxError::Lost(format!("IMAP: the server refuses STARTTLS: {}", readable(text.as_bytes(), 300)));
    let greeting = wire.read_bare_line().await.map_err(|e| lost("greeting", &e))?;
    // A server that says it knows us already (PREAUTH) cannot be protected any more.
    if !greeting.to_ascii_uppercase().starts_with("* OK") {
        return Err(refused(&greeting));
    }
    wire.send(b"t STARTTLS\r\n").await.map_err(|e| lost("STARTTLS", &e))?;
    for _ in 0..20 {
        let line = wire.read_bare_line().await.map_err(|e| lost("STARTTLS", &e))?;
        if line.starts_with("* ") {
            continue;
        }
        return if line.to_ascii_uppercase().starts_with("T OK") { Ok(()) } else { Err(refused(&line)) };
    }
    Err(refused("it does not answer"))
}

/// RFC 3501 section 9, `quoted`: no control characters, no 8-bit.
fn is_quotable(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert!(is_quotable("a b~!"));
        assert!(!is_quotable("密码") && !is_quotable("a\r\nb"));
    }

    #[test]
    fn only_growth_is_news() {
        let (mut exists, mut news, mut bye) = (5, false, None);
        let mut see = |response| {
            note(&response, &mut exists, &mut news, &mut bye);
            (exists, std::mem::take(&mut news))
        };
        assert_eq!(see(Response::Expunge(2)), (4, false));
        assert_eq!(see(Response::MailboxData(MailboxDatum::Exists(4))), (4, false));
        assert_eq!(see(Response::MailboxData(MailboxDatum::Exists(5))), (5, true));
    }
}
