//! One stream type for IMAP and SMTP: TCP without Nagle's delay, TLS by rustls, and a deadline on every read and write.
//!
//! Implicit TLS is the default (RFC 8314 section 3). STARTTLS is never optional: where it is chosen and cannot be had,
//! the connection ends before anything secret was said (`hardening.md` S58). There is no way to accept a bad certificate.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (ports 993 and 465).
    #[default]
    Tls,
    /// Plain at first, then mandatory TLS (ports 143 and 587).
    StartTls,
    /// No protection: only for a server on the same machine or a trusted cable.
    Plain,
}

/// A server to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or IP address; the certificate must be for exactly this name.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// PEM file with further certificate authorities (an on-premises server signed by the company's own).
    pub ca_file: Option<PathBuf>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Name lookup, network or time-out: heals by itself, try again later.
    #[error("{0}")]
    Network(String),
    /// Certificate, TLS, or a server that will not protect the connection: someone has to look at it.
    #[error("{0}")]
    Insecure(String),
}

/// Opens connections to one endpoint; the trusted certificates are read once, at the first TLS connection.
#[derive(Debug)]
pub struct Dialer {
    endpoint: Endpoint,
    tls: Option<Arc<ClientConfig>>,
}

impl Dialer {
    pub fn new(endpoint: Endpoint) -> Dialer {
        Dialer { endpoint, tls: None }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Connects, with TLS already on when the endpoint has implicit TLS.
    /// Every step, and later every single read and write, may take at most `limit`.
    ///
    /// # Errors
    /// [`WireError`] says whether waiting helps.
    pub async fn dial(&mut self, limit: Duration) -> Result<Wire, WireError> {
        let tcp = connect(&self.endpoint, limit).await?;
        let wire = Wire::new(Io::Plain(tcp), limit);
        if self.endpoint.security == Security::Tls { self.secure(wire).await } else { Ok(wire) }
    }

    /// Turns TLS on over a plain connection, after the server agreed to STARTTLS.
    ///
    /// # Errors
    /// [`WireError::Insecure`] when the server sent anything beyond its agreement: bytes that came in clear
    /// must not be taken for protected ones (S58).
    pub async fn secure(&mut self, wire: Wire) -> Result<Wire, WireError> {
        let limit = wire.limit;
        let Io::Plain(tcp) = wire.io else { return Err(WireError::Insecure("TLS is already on".into())) };
        if !matches!(tcp.try_read(&mut [0; 1]), Err(e) if e.kind() == io::ErrorKind::WouldBlock) {
            return Err(WireError::Insecure("the server sent bytes in clear after agreeing to STARTTLS".into()));
        }
        let host = &self.endpoint.host;
        let name = ServerName::try_from(host.clone())
            .map_err(|_| WireError::Insecure(format!("{host:?} is not a name a certificate could have")))?;
        let config = match &self.tls {
            Some(config) => config.clone(),
            None => self.tls.insert(client_config(self.endpoint.ca_file.as_deref())?).clone(),
        };
        match timeout(limit, TlsConnector::from(config).connect(name, tcp)).await {
            Err(_) => Err(WireError::Network(format!("{host}: no TLS within {} s", limit.as_secs()))),
            Ok(Ok(tls)) => Ok(Wire::new(Io::Tls(Box::new(tls)), limit)),
            Ok(Err(e)) if e.get_ref().is_some_and(|e| e.is::<rustls::Error>()) => {
                Err(WireError::Insecure(format!("{host}: TLS refused: {e}")))
            }
            Ok(Err(e)) => Err(WireError::Network(format!("{host}: during TLS: {e}"))),
        }
    }
}

/// Tries every address of the host in turn (at most eight).
async fn connect(endpoint: &Endpoint, limit: Duration) -> Result<TcpStream, WireError> {
    let place = format!("{}:{}", endpoint.host, endpoint.port);
    let network = |what: String| WireError::Network(format!("{place}: {what}"));
    let addresses = timeout(limit, lookup_host((endpoint.host.as_str(), endpoint.port)))
        .await
        .map_err(|_| network("the name lookup did not answer".into()))?
        .map_err(|e| network(format!("cannot look up the name: {e}")))?;
    let mut last = network("the name has no address".into());
    for address in addresses.take(8) {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                tcp.set_nodelay(true).map_err(|e| network(e.to_string()))?;
                return Ok(tcp);
            }
            Ok(Err(e)) => last = network(format!("cannot connect: {e}")),
            Err(_) => last = network(format!("no connection within {} s", limit.as_secs())),
        }
    }
    Err(last)
}

/// The system's authorities, Mozilla's where the system has none (a bare container), and the extra file.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, WireError> {
    let insecure = |e: &dyn std::fmt::Display| WireError::Insecure(format!("TLS set-up: {e}"));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = ca_file {
        let unreadable = |e: &dyn std::fmt::Display| WireError::Insecure(format!("{}: {e}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unreadable(&e))? {
            roots.add(certificate.map_err(|e| unreadable(&e))?).map_err(|e| unreadable(&e))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| insecure(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// An open connection. A read or write without any progress for the limit fails with `TimedOut`;
/// the connection must then be dropped.
#[derive(Debug)]
pub struct Wire {
    io: Io,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    armed: bool,
}

impl Wire {
    fn new(io: Io, limit: Duration) -> Wire {
        Wire { io, limit, timer: Box::pin(sleep(limit)), armed: false }
    }

    /// Sets how long one read or write may stand still, from now on.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
        self.armed = false;
    }

    /// Reads one line byte by byte, so that nothing beyond it is taken from the socket: only for the few lines
    /// before STARTTLS. The line comes without its end.
    ///
    /// # Errors
    /// When the connection ends, stands still, or the line is over 4 KB.
    pub async fn read_bare_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            match self.read_u8().await? {
                b'\n' => break,
                byte => line.push(byte),
            }
            if line.len() > 4096 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the server sent an endless line"));
            }
        }
        Ok(readable(&line, 4096).trim_end().to_owned())
    }

    /// Writes everything and flushes.
    ///
    /// # Errors
    /// When the connection ends or stands still.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes).await?;
        self.flush().await
    }

    fn guard<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.armed = false;
            return poll;
        }
        if !self.armed {
            self.timer.as_mut().reset(Instant::now() + self.limit);
            self.armed = true;
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.armed = false;
        let text = format!("the server was silent for {} s", self.limit.as_secs_f32());
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }
}

/// Polls whichever stream there is.
macro_rules! poll_io {
    ($wire:ident, $cx:ident, $method:ident $(, $argument:expr)*) => {{
        let poll = match &mut $wire.io {
            Io::Plain(tcp) => Pin::new(tcp).$method($cx $(, $argument)*),
            Io::Tls(tls) => Pin::new(tls).$method($cx $(, $argument)*),
        };
        $wire.guard($cx, poll)
    }};
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_io!(self, cx, poll_read, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        poll_io!(self, cx, poll_write, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_io!(self, cx, poll_flush)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_io!(self, cx, poll_shutdown)
    }
}

/// What a server said, fit for a log line: UTF-8 or GB18030 (Chinese servers answer in GBK), no control characters,
/// at most `most` bytes.
pub fn readable(bytes: &[u8], most: usize) -> String {
    let bytes = &bytes[..bytes.len().min(most.saturating_mul(2))];
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(e) if e.error_len().is_none() => String::from_utf8_lossy(&bytes[..e.valid_up_to()]),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    };
    let mut out = String::with_capacity(text.len().min(most));
    for character in text.chars() {
        let character = if character.is_control() { ' ' } else { character };
        if out.len() + character.len_utf8() > most {
            break;
        }
        out.push(character);
    }
    out
}

/// Takes every form of a secret out of a text: a server may repeat what it was sent (S60).
pub fn without_secret(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|s| s.len() >= 4) {
        text = text.replace(secret, "***");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_is_readable_and_short() {
        for (bytes, expected) in [
            (&b"550 no such user"[..], "550 no such user"),
            ("失败".as_bytes(), "失败"),
            (&b"\xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda"[..], "用户不存在"),
            (&b"a\x1b[2J\nb"[..], "a [2J b"),
            (&b""[..], ""),
        ] {
            assert_eq!(readable(bytes, 300), expected);
        }
        assert_eq!(readable("失败失败".as_bytes(), 7), "失败");
        assert!(readable(&[0xff; 10_000], 300).len() <= 300);
    }

    #[test]
    fn s60_a_repeated_secret_is_taken_out() {
        assert_eq!(without_secret("bad password hunter2!", &["hunter2", "x"]), "bad password ***!");
    }
}
