//! How to reach and treat an SMTP server.

use crate::wire::Endpoint;
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
