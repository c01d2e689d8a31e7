//! SMTP replies and what each of them means for the letter.

use crate::ports::SendOutcome;
use crate::wire::readable;

/// A whole reply (RFC 5321 section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// Text of each line without the code.
    pub lines: Vec<String>,
}

impl Reply {
    /// Reads one line of a reply: code, whether more lines follow, text. GBK text is read as such: lettre took a
    /// Chinese 550 for a broken connection.
    pub fn parse_line(line: &[u8]) -> Option<(u16, bool, String)> {
        let code: u16 = std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()?;
        let more = match line.get(3) {
            None | Some(b' ') => false,
            Some(b'-') => true,
            Some(_) => return None,
        };
        let text = readable(line.get(4..).unwrap_or_default(), 1000);
        (200..600).contains(&code).then_some((code, more, text))
    }

    /// Code and words, at most 300 bytes.
    pub fn text(&self) -> String {
        readable(format!("{} {}", self.code, self.lines.join(" ")).as_bytes(), 300)
    }

    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.code)
    }

    fn is_permanent(&self) -> bool {
        self.code >= 500
    }
}

/// Where in the dialogue a reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS and AUTH: nothing was said about the letter yet.
    Session,
    /// MAIL; whether the sender was the null sender.
    Mail {
        null_sender: bool,
    },
    Recipient,
    /// DATA and the final dot.
    Letter,
}

/// Turns a refusal into what happens next. Never called for a good reply.
pub fn judge(stage: Stage, reply: &Reply) -> SendOutcome {
    let text = reply.text();
    if !reply.is_permanent() || is_throttled(reply) {
        return SendOutcome::Retry(text);
    }
    // 530, 534, 535, 538: authentication required or insufficient (RFC 4954 section 6). 550 5.7.30: switched off.
    let login = matches!(reply.code, 530 | 534 | 535 | 538) || text.contains("5.7.30");
    match stage {
        Stage::Session => SendOutcome::Misconfigured(text),
        _ if login => SendOutcome::Misconfigured(text),
        // Too large (RFC 1870 section 6.1) is about this letter; any other refusal of our own address is about us.
        Stage::Mail { null_sender: false } if reply.code != 552 && !text.contains("5.3.4") => {
            SendOutcome::Misconfigured(text)
        }
        _ => SendOutcome::Refused(text),
    }
}

/// Chinese and other large providers say "too fast" with a permanent code (`domain.md` 2.3).
fn is_throttled(reply: &Reply) -> bool {
    const WORDS: &[&str] = &[
        "frequency limited",
        "too frequent",
        "mailbox unavailable or access denied",
        "behaviour spam",
        "behavior spam",
        "sending limit exceeded",
        "sending quota exceeded",
        "5.4.5 ",
        "5.1.90",
        "发送频率",
        "过于频繁",
    ];
    let text = reply.lines.join(" ").to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(stage: Stage, line: &str) -> &'static str {
        let (code, _, text) = Reply::parse_line(line.as_bytes()).unwrap();
        match judge(stage, &Reply { code, lines: vec![text] }) {
            SendOutcome::Accepted(_) => "accepted",
            SendOutcome::Retry(_) => "retry",
            SendOutcome::Unreachable(_) => "unreachable",
            SendOutcome::Refused(_) => "refused",
            SendOutcome::Unknown(_) => "unknown",
            SendOutcome::Misconfigured(_) => "misconfigured",
        }
    }

    #[test]
    fn r14_r15_what_each_refusal_means() {
        let ours = Stage::Mail { null_sender: false };
        let null = Stage::Mail { null_sender: true };
        for (stage, line, expected) in [
            (Stage::Session, "421 HL:ICC", "retry"),
            (Stage::Session, "554 no service here", "misconfigured"),
            (Stage::Session, "535 Error: authentication failed", "misconfigured"),
            (Stage::Session, "535 Login Fail. Please enter your authorization code to login", "misconfigured"),
            (Stage::Session, "550 User has no permission", "misconfigured"),
            (Stage::Session, "454 4.7.0 try later", "retry"),
            (ours, "451 MI:SFQ", "retry"),
            (ours, "553 Mail from must equal authorized user", "misconfigured"),
            (ours, "530 5.7.0 Authentication required", "misconfigured"),
            (ours, "550 5.7.30 Basic authentication is not supported for Client Submission", "misconfigured"),
            (ours, "552 5.3.4 message too big", "refused"),
            (ours, "550 Sender frequency limited", "retry"),
            (null, "501 null sender not allowed", "refused"),
            (Stage::Recipient, "550 5.1.1 user unknown", "refused"),
            (Stage::Recipient, "450 4.2.0 greylisted", "retry"),
            (Stage::Recipient, "530 log in first", "misconfigured"),
            (Stage::Recipient, "550 Mailbox unavailable or access denied", "retry"),
            (Stage::Recipient, "550 Ip frequency limited", "retry"),
            (Stage::Recipient, "550 5.4.5 Daily user sending limit exceeded", "retry"),
            (Stage::Letter, "554 DT:SPM", "refused"),
            (Stage::Letter, "554 Reject by behaviour spam", "retry"),
            (Stage::Letter, "432 4.3.2 sender thread limit exceeded", "retry"),
            (Stage::Letter, "552 too large", "refused"),
        ] {
            assert_eq!(outcome(stage, line), expected, "{stage:?} {line}");
        }
    }

    #[test]
    fn lines() {
        let parse = |line: &[u8]| Reply::parse_line(line);
        assert_eq!(parse(b"250-SIZE 100"), Some((250, true, "SIZE 100".into())));
        assert_eq!(parse(b"250"), Some((250, false, String::new())));
        assert_eq!(parse(b"550 \xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda"), Some((550, false, "用户不存在".into())));
        for bad in [&b""[..], b"25", b"2x0 ok", b"250ok", b"999 ok", b"\xff\xff\xff"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
