//! One SMTP connection: greeting, protection, login, and letters, each reply read and each phase timed.

use super::body::BodyWriter;
use super::reply::{Reply, Stage, judge};
use super::settings::{Credentials, SmtpSettings, SmtpTimeouts};
use crate::ports::{Envelope, SendOutcome};
use crate::wire::{Dialer, Security, Wire, WireError, without_secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use std::io;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

/// Longest line and most lines of one reply that are read (`hardening.md` S62).
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 100;
/// The body is encoded and written in pieces of this size.
const PIECE: usize = 32 * 1024;

/// What the server offers (RFC 5321 section 4.1.1.1).
#[derive(Debug, Default)]
struct Extensions {
    pipelining: bool,
    eight_bit: bool,
    /// Largest message in bytes; 0: it does not say.
    size: Option<usize>,
    auth_plain: bool,
    auth_login: bool,
}

impl Extensions {
    fn of(reply: &Reply) -> Extensions {
        let mut found = Extensions::default();
        for line in &reply.lines {
            let line = line.to_ascii_uppercase();
            // Old servers write `AUTH=LOGIN`.
            let mut words = line.split([' ', '=']);
            match words.next() {
                Some("PIPELINING") => found.pipelining = true,
                Some("8BITMIME") => found.eight_bit = true,
                Some("SIZE") => found.size = Some(words.next().and_then(|w| w.parse().ok()).unwrap_or(0)),
                Some("AUTH") => {
                    for word in words {
                        found.auth_plain |= word == "PLAIN";
                        found.auth_login |= word == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        found
    }
}

/// A greeted, protected and logged-in connection.
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    /// Bytes that came behind the last reply.
    buffer: Vec<u8>,
    extensions: Extensions,
    /// Letters sent over it.
    pub sent: u32,
    pub used: Instant,
    /// May carry another letter.
    pub usable: bool,
    /// The server has not answered anything good about the current letter yet.
    pub untouched: bool,
    /// An earlier letter was refused half-way.
    needs_reset: bool,
}

impl Connection {
    /// # Errors
    /// `Unreachable` or `Misconfigured`: nothing was said about a letter.
    pub async fn open(dialer: &mut Dialer, settings: &SmtpSettings) -> Result<Connection, SendOutcome> {
        let host = &settings.server.host;
        let named = |text: String| format!("SMTP {host}: {text}");
        match Connection::greet(dialer, settings).await {
            Ok(connection) => Ok(connection),
            Err(Fault::Network(text)) => Err(SendOutcome::Unreachable(named(text))),
            Err(Fault::Set(text)) => Err(SendOutcome::Misconfigured(named(text))),
            Err(Fault::Reply(reply)) => Err(match judge(Stage::Session, &reply) {
                SendOutcome::Retry(text) => SendOutcome::Unreachable(named(text)),
                other => other,
            }),
        }
    }

    async fn greet(dialer: &mut Dialer, settings: &SmtpSettings) -> Result<Connection, Fault> {
        let limit = settings.timeouts.greeting;
        let mut connection = Connection {
            wire: dialer.dial(settings.timeouts.connect).await?,
            buffer: Vec::new(),
            extensions: Extensions::default(),
            sent: 0,
            used: Instant::now(),
            usable: true,
            untouched: true,
            needs_reset: false,
        };
        connection.wire.set_limit(limit);
        connection.reply(limit).await?.good()?;
        connection.hello(&settings.hello, limit).await?;
        if settings.server.security == Security::StartTls {
            connection = connection.protect(dialer, settings).await?;
        }
        if let Some(credentials) = &settings.credentials {
            connection.log_in(credentials, limit).await?;
        }
        Ok(connection)
    }

    async fn hello(&mut self, name: &str, limit: Duration) -> Result<(), Fault> {
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        let name = if plain { name } else { "localhost" };
        let reply = self.ask(&format!("EHLO {name}\r\n"), limit).await?;
        if reply.code >= 500 && reply.code != 521 {
            // RFC 5321 section 3.2: a server from before 1995.
            self.ask(&format!("HELO {name}\r\n"), limit).await?.good()?;
            return Ok(());
        }
        self.extensions = Extensions::of(&reply.good()?);
        Ok(())
    }

    /// STARTTLS (RFC 3207). Everything learned in clear is forgotten; bytes that came early end it (S58).
    async fn protect(mut self, dialer: &mut Dialer, settings: &SmtpSettings) -> Result<Connection, Fault> {
        let limit = settings.timeouts.greeting;
        let reply = self.ask("STARTTLS\r\n", limit).await?;
        if reply.code >= 500 {
            return Err(Fault::Set(format!("the server refuses STARTTLS: {}", reply.text())));
        }
        reply.good()?;
        if !self.buffer.is_empty() {
            return Err(Fault::Set("the server sent bytes in clear after agreeing to STARTTLS".into()));
        }
        self.wire.set_limit(settings.timeouts.connect);
        self.wire = dialer.secure(self.wire).await?;
        self.wire.set_limit(limit);
        self.extensions = Extensions::default();
        self.hello(&settings.hello, limit).await?;
        Ok(self)
    }

    /// AUTH PLAIN (RFC 4616), else LOGIN.
    async fn log_in(&mut self, credentials: &Credentials, limit: Duration) -> Result<(), Fault> {
        let (user, password) = (&credentials.user, credentials.password.expose_secret());
        let plain = BASE64.encode(format!("\0{user}\0{password}"));
        let coded = BASE64.encode(password);
        let reply = if self.extensions.auth_plain {
            self.ask(&format!("AUTH PLAIN {plain}\r\n"), limit).await?
        } else if self.extensions.auth_login {
            let mut reply = self.ask("AUTH LOGIN\r\n", limit).await?;
            for answer in [BASE64.encode(user), coded.clone()] {
                if reply.code == 334 {
                    reply = self.ask(&format!("{answer}\r\n"), limit).await?;
                }
            }
            reply
        } else {
            return Err(Fault::Set("the server offers no password login (AUTH PLAIN or LOGIN)".into()));
        };
        let clean = |line: &String| without_secret(line, &[&plain, &coded, password]);
        let lines = reply.lines.iter().map(clean).collect();
        // Anything but success, a challenge too, is a refusal.
        let code = if reply.code == 334 { 535 } else { reply.code };
        Reply { code, lines }.good().map(|_| ())
    }

    /// One letter. Whatever happens, `usable` says afterwards whether the connection may carry another.
    pub async fn deliver(&mut self, envelope: &Envelope, message: &[u8], timeouts: &SmtpTimeouts) -> SendOutcome {
        self.usable = false;
        self.untouched = true;
        self.sent += 1;
        if let Some(most) = self.extensions.size.filter(|most| *most > 0 && message.len() > *most) {
            self.usable = true;
            return SendOutcome::Refused(format!("the letter has {} bytes, the server takes {most}", message.len()));
        }
        let outcome = match self.envelope(envelope, message, timeouts).await {
            Ok(None) => self.body(message, timeouts).await,
            Ok(Some(refusal)) => refusal,
            // Nothing was handed over yet.
            Err(e) => SendOutcome::Retry(format!("SMTP: {e}")),
        };
        self.used = Instant::now();
        outcome
    }

    /// MAIL, RCPT and DATA, in one go where the server allows (RFC 2920). `None`: the server waits for the body.
    async fn envelope(
        &mut self,
        envelope: &Envelope,
        message: &[u8],
        timeouts: &SmtpTimeouts,
    ) -> io::Result<Option<SendOutcome>> {
        self.wire.set_limit(timeouts.envelope);
        if std::mem::take(&mut self.needs_reset) {
            let reply = self.ask("RSET\r\n", timeouts.envelope).await?;
            if !reply.is_good() {
                return Ok(Some(SendOutcome::Retry(reply.text())));
            }
        }
        let from = envelope.from.as_ref().map_or("", |a| a.as_str());
        let mut mail = format!("MAIL FROM:<{from}>");
        if self.extensions.size.is_some() {
            mail.push_str(&format!(" SIZE={}", message.len()));
        }
        if self.extensions.eight_bit && !message.is_ascii() {
            mail.push_str(" BODY=8BITMIME");
        }
        let steps = [
            (format!("{mail}\r\n"), Stage::Mail { null_sender: envelope.from.is_none() }, timeouts.envelope),
            (format!("RCPT TO:<{}>\r\n", envelope.to), Stage::Recipient, timeouts.envelope),
            ("DATA\r\n".to_owned(), Stage::Letter, timeouts.data),
        ];
        let pipelining = self.extensions.pipelining;
        if pipelining {
            let all: String = steps.iter().map(|(command, ..)| command.as_str()).collect();
            self.wire.send(all.as_bytes()).await?;
        }
        let (mut refusal, mut waiting) = (None, false);
        for (command, stage, limit) in &steps {
            if !pipelining {
                self.wire.send(command.as_bytes()).await?;
            }
            let reply = self.reply(*limit).await?;
            waiting = *stage == Stage::Letter && reply.code == 354;
            if waiting || (*stage != Stage::Letter && reply.is_good()) {
                self.untouched &= refusal.is_some();
                continue;
            }
            let verdict = judge(*stage, &reply);
            let verdict = refusal.get_or_insert(verdict).clone();
            if !pipelining || reply.code == 421 {
                self.keep(reply.code != 421);
                return Ok(Some(verdict));
            }
        }
        if refusal.is_some() {
            // Refused, and yet it waits for a body: only hanging up makes sure that nothing is delivered.
            self.keep(!waiting);
        }
        Ok(refusal)
    }

    fn keep(&mut self, usable: bool) {
        self.usable = usable;
        self.needs_reset = true;
    }

    /// The letter itself and the final dot.
    async fn body(&mut self, message: &[u8], timeouts: &SmtpTimeouts) -> SendOutcome {
        self.wire.set_limit(timeouts.piece);
        let mut writer = BodyWriter::default();
        let mut out = Vec::with_capacity(PIECE * 2);
        let pieces = message.len().div_ceil(PIECE).max(1);
        for number in 1..=pieces {
            out.clear();
            writer.write(&message[(number - 1) * PIECE..message.len().min(number * PIECE)], &mut out);
            let last = number == pieces;
            if last {
                writer.finish(&mut out);
            }
            let written = timeout(timeouts.piece, self.wire.send(&out)).await;
            let fault = match written {
                Ok(Ok(())) => continue,
                Ok(Err(e)) => e.to_string(),
                Err(_) => "the server stopped taking the letter".to_owned(),
            };
            // Perhaps it said why before it hung up.
            let reply = self.reply(Duration::from_secs(1)).await.ok().filter(|r| r.code >= 400);
            return match reply {
                Some(reply) => judge(Stage::Letter, &reply),
                None if last => SendOutcome::Unknown(format!("SMTP: while sending the end of the letter: {fault}")),
                None => SendOutcome::Retry(format!("SMTP: while sending the letter: {fault}")),
            };
        }
        self.wire.set_limit(timeouts.dot);
        match self.reply(timeouts.dot).await {
            Ok(reply) if reply.is_good() => {
                self.usable = true;
                SendOutcome::Accepted(reply.text())
            }
            Ok(reply) if reply.code >= 400 => {
                self.keep(reply.code != 421);
                judge(Stage::Letter, &reply)
            }
            Ok(reply) => SendOutcome::Unknown(format!("SMTP: odd answer to the letter: {}", reply.text())),
            Err(e) => SendOutcome::Unknown(format!("SMTP: no answer to the letter: {e}")),
        }
    }

    /// Says goodbye without waiting for it.
    pub async fn quit(mut self) {
        let _ = self.wire.send(b"QUIT\r\n").await;
    }

    async fn ask(&mut self, command: &str, limit: Duration) -> io::Result<Reply> {
        self.wire.send(command.as_bytes()).await?;
        self.reply(limit).await
    }

    /// Reads one whole reply; all of it must come within `limit`.
    async fn reply(&mut self, limit: Duration) -> io::Result<Reply> {
        let silent = || io::Error::new(io::ErrorKind::TimedOut, format!("no reply within {} s", limit.as_secs_f32()));
        timeout(limit, self.read_reply()).await.map_err(|_| silent())?
    }

    async fn read_reply(&mut self) -> io::Result<Reply> {
        let odd = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut lines = Vec::new();
        loop {
            let line = self.read_line().await?;
            let (code, more, text) = Reply::parse_line(&line).ok_or_else(|| odd("this is not an SMTP reply"))?;
            lines.push(text);
            if !more {
                return Ok(Reply { code, lines });
            }
            if lines.len() >= MOST_LINES {
                return Err(odd("the reply has too many lines"));
            }
        }
    }

    async fn read_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the reply has an endless line"));
            }
            let mut piece = [0; 4096];
            let bytes = self.wire.read(&mut piece).await?;
            if bytes == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            self.buffer.extend_from_slice(&piece[..bytes]);
        }
    }
}

/// Why there is no session.
#[derive(Debug)]
enum Fault {
    Network(String),
    /// Needs a person.
    Set(String),
    Reply(Reply),
}

impl From<io::Error> for Fault {
    fn from(e: io::Error) -> Fault {
        Fault::Network(e.to_string())
    }
}

impl From<WireError> for Fault {
    fn from(e: WireError) -> Fault {
        match e {
            WireError::Network(text) => Fault::Network(text),
            WireError::Insecure(text) => Fault::Set(text),
        }
    }
}

impl Reply {
    fn good(self) -> Result<Reply, Fault> {
        if self.is_good() { Ok(self) } else { Err(Fault::Reply(self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_offer() {
        let line = |text: &str| Reply { code: 250, lines: vec!["mx".into(), text.into()] };
        for (text, expected) in [
            ("AUTH LOGIN PLAIN", (true, true, None, false)),
            ("AUTH=LOGIN", (false, true, None, false)),
            ("SIZE 1000", (false, false, Some(1000), false)),
            ("size", (false, false, Some(0), false)),
            ("Pipelining", (false, false, None, true)),
        ] {
            let e = Extensions::of(&line(text));
            assert_eq!((e.auth_plain, e.auth_login, e.size, e.pipelining), expected, "{text}");
        }
    }
}
