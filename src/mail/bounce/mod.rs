//! Delivery failures: recognising them, and what they say about the letter that failed.
//!
//! RFC 3464 reports are read by their grammar. Many servers write prose instead; that is recognised by who sends it
//! (`MAILER-DAEMON`, an empty return path) together with what it says.

mod prose;
mod reason;
mod status;

use crate::address::MessageId;
use crate::desk::inbound::{Bounce, Kind};
use crate::mail::charset::Charset;
use crate::mail::header::{self, Header};
use crate::mail::kind::Evidence;
use crate::mail::mailbox;
use crate::mail::part::Part;
use crate::mail::words;

/// Characters of the reason that are kept.
const MAX_REASON: usize = 500;

/// What kind of delivery status report this is: a failure only when an action says so, or none says anything.
pub fn report_kind(root: &Part) -> Kind {
    let recipients = status::recipients(root);
    let failed = recipients.is_empty() || recipients.iter().any(|r| r.action == "failed" || r.action.is_empty());
    if failed { Kind::Bounce } else { Kind::DeliveryReport }
}

/// Recognises bounces that are no RFC 3464 report.
pub fn recognize(evidence: &Evidence) -> Option<Kind> {
    let Evidence { root, subject, text, daemon, .. } = *evidence;
    let header = &root.header;
    if header.has("X-Failed-Recipients") {
        return Some(failure_or_delay(subject, text));
    }
    if let Some(kind) = prose::web_service_notice(header, text) {
        return Some(kind);
    }
    let subject_says = || prose::is_bounce_subject(subject);
    let text_says = || prose::is_bounce_text(text);
    let returns_mail = || root.children.iter().any(|p| p.is("text/rfc822-headers") || p.is_message());
    let bounced = if is_mailer_daemon(header) {
        true
    } else if daemon || is_null_sender(header) {
        subject_says() || text_says() || (daemon && returns_mail())
    } else {
        false
    };
    bounced.then(|| failure_or_delay(subject, text))
}

fn failure_or_delay(subject: &str, text: &str) -> Kind {
    if prose::is_delay(subject, text) { Kind::DeliveryReport } else { Kind::Bounce }
}

/// The empty return path of mail that must not be answered (RFC 5321 section 4.5.5).
pub fn is_null_sender(header: &Header) -> bool {
    header.text("Return-Path").is_some_and(|path| {
        let path: String = path.to_lowercase().split_whitespace().collect();
        matches!(path.as_str(), "<>" | "<mailer-daemon>" | "mailer-daemon") || path.starts_with("<mailer-daemon@")
    })
}

/// The sender is a mail system by its address or its shown name.
pub fn is_daemon(root: &Part) -> bool {
    let Some(from) = root.header.first("From") else { return false };
    let from = header::decode(from, None).to_lowercase();
    let address = from.rsplit_once('<').map_or(from.as_str(), |(_, a)| a).trim_end_matches('>').trim();
    let local = address.split('@').next().and_then(|l| l.split_whitespace().last()).unwrap_or("");
    let named = || words::split(DAEMON_NAMES).any(|name| from.contains(name));
    address.is_empty() || words::listed(DAEMON_LOCALS, local) || named()
}

/// Where a passed-on message begins, lower case.
const PASSED_ON_MARKS: &str = "\
    begin forwarded message | forwarded message | original message | 转发的邮件 | 转发邮件 | 转发邮件信息 | 原始邮件 | from: | 发件人";

/// A bounce passed on without a word of the sender's own: rules of mailboxes do that, and an answer to it would come
/// back the same way. A person who writes a line above it is answered.
pub fn is_passed_on(text: &str) -> bool {
    let lines =
        text.lines().take(80).map(|line| line.trim_matches(['>', '|', '-', '=', '*', ' ', '\t']).to_lowercase());
    let mut lines = lines.filter(|line| !line.is_empty()).peekable();
    let begins = lines.peek().is_some_and(|first| words::split(PASSED_ON_MARKS).any(|mark| first.starts_with(mark)));
    let from_daemon = |line: String| {
        (line.starts_with("from:") || line.starts_with("发件人"))
            && words::split(DAEMON_NAMES).any(|name| line.contains(name))
    };
    begins && lines.take(15).any(from_daemon) && prose::has_report_fields(text)
}

fn is_mailer_daemon(header: &Header) -> bool {
    header.text("From").is_some_and(|from| {
        let from = from.to_lowercase();
        ["mailer-daemon@", "mailer-daemon>", "mailer_daemon@"].iter().any(|m| from.contains(m))
            || from == "mailer-daemon"
    })
}

const DAEMON_LOCALS: &str = "\
    mailer-daemon | mailer_daemon | mailerdaemon | mail-daemon | postmaster | mail.delivery.system | mdaemon";
const DAEMON_NAMES: &str = "\
    mailer-daemon | mail delivery sub | mail delivery system | mail deliver system | mail delivery service | \
    delivery subsystem | mailer daemon | ndr administrator | 系统退信 | 邮件系统管理员";

/// What a bounce says. `hint` is the charset of its text, `to` the address that sent the letter.
pub fn details(root: &Part, text: &str, hint: Option<Charset>) -> Bounce {
    let recipients = status::recipients(root);
    let told = recipients.iter().find(|r| r.action == "failed").or(recipients.first()).cloned().unwrap_or_default();
    let said = prose::read(root, text, hint);
    let recipient = Some(told.recipient).filter(|r| !r.is_empty()).unwrap_or(said.recipient);
    let words = if told.diagnostic.is_empty() { said.reason.clone() } else { told.diagnostic.clone() };
    let status = better_status(&told.status, &reason::enhanced_status(&words), &said.status);
    Bounce {
        recipient,
        permanent: reason::is_permanent(&status, &words, text),
        status,
        reason: header::one_line(&words).chars().take(MAX_REASON).collect(),
        original_message_id: original_message_id(root, text),
    }
}

/// The status with most to say: `5.0.0` only means that it failed.
fn better_status(reported: &str, in_reason: &str, in_text: &str) -> String {
    let says_something = |s: &&str| !s.is_empty() && !s.ends_with(".0.0");
    let choices = [reported, in_reason, in_text];
    choices.iter().find(|s| says_something(s)).or(choices.iter().find(|s| !s.is_empty())).unwrap_or(&"").to_string()
}

/// The id of the letter that came back: from the returned message or its header, else quoted in the text.
fn original_message_id(root: &Part, text: &str) -> Option<MessageId> {
    for part in root.walk().into_iter().skip(1) {
        let id = if part.is_message() || part.is("text/rfc822-headers") || part.is("message/rfc822-headers") {
            let bytes = part.bytes();
            mailbox::message_id(&header::split(&bytes).0)
        } else {
            None
        };
        if id.is_some() {
            return id;
        }
    }
    id_in_text(text).or_else(|| mailbox::ids(&root.header, "In-Reply-To").pop())
}

/// A `Message-ID:` line of a header quoted in prose.
fn id_in_text(text: &str) -> Option<MessageId> {
    let name = "message-id:";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start_matches(['>', ' ', '\t', '|']);
        if line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            let rest = line[name.len()..].trim();
            // A long id may stand on the next line.
            let value = if rest.is_empty() { lines.next().unwrap_or("").trim() } else { rest };
            if let Some(id) = mailbox::ids_in(value).into_iter().next() {
                return Some(id);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::part::Notes;

    fn check(raw: &str, recipient: &str, status: &str, permanent: bool, reason: &str, id: Option<&str>) {
        let root = Part::parse(raw.as_bytes(), &mut Notes::default());
        let text = root.walk().iter().find(|p| p.is("text/plain")).map(|p| p.text(None)).unwrap_or_default();
        let got = details(&root, &text, None);
        assert_eq!(
            (got.recipient.as_str(), got.status.as_str(), got.permanent),
            (recipient, status, permanent),
            "{raw}"
        );
        assert!(got.reason.contains(reason), "{:?} lacks {reason:?}", got.reason);
        assert_eq!(got.original_message_id.as_ref().map(MessageId::as_str), id, "{raw}");
    }

    const REPORT: &str = "From: MAILER-DAEMON@mx.example\nTo: desk@corp.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n";

    #[test]
    fn standard_reports() {
        check(
            &format!(
                "{REPORT}Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; Li@corp.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <li@corp.example>:\n User unknown\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <x.1@desk.example>\nSubject: a\n\nb\n--b--"
            ),
            "Li@corp.example",
            "5.1.1",
            true,
            "550 5.1.1 <li@corp.example>: User unknown",
            Some("x.1@desk.example"),
        );
        check(
            &format!(
                "{REPORT}Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; li@corp.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 mailbox full\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <x.2@desk.example>\n--b--"
            ),
            "li@corp.example",
            "5.2.2",
            false,
            "mailbox full",
            Some("x.2@desk.example"),
        );
        check(
            &format!(
                "{REPORT}Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; ok@corp.example\nAction: delivered\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; li@corp.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.7.1 policy\n--b--"
            ),
            "li@corp.example",
            "5.7.1",
            false,
            "policy",
            None,
        );
    }

    #[test]
    fn bounces_in_prose() {
        check(
            "From: MAILER-DAEMON@mx.example\nTo: desk@corp.example\n\nHi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<li@corp.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 user unknown\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <x.3@desk.example>\nTo: other@corp.example\n",
            "li@corp.example",
            "5.1.1",
            true,
            "user unknown",
            Some("x.3@desk.example"),
        );
        check(
            "From: PostMaster@mail.example\nTo: desk@corp.example\n\n抱歉，您的邮件被退回来了。\n收件人邮件地址（li@corp.example）不存在，邮件无法送达。\nhost mx[192.0.2.4] said: 550 Mailbox not found\n",
            "li@corp.example",
            "",
            true,
            "550 Mailbox not found",
            None,
        );
        check(
            "From: MAILER-DAEMON@mx.example\nTo: desk@corp.example\nX-Failed-Recipients: li@corp.example\n\nMail delivery failed.\n  li@corp.example\n    mailbox is full: retry timeout exceeded\n",
            "li@corp.example",
            "",
            false,
            "mailbox is full",
            None,
        );
    }

    #[test]
    fn senders() {
        let root = |raw: &str| {
            Part::parse(raw.as_bytes(), &mut Notes::default()).header.text("From").is_some()
                && is_daemon(&Part::parse(raw.as_bytes(), &mut Notes::default()))
        };
        for from in [
            "MAILER-DAEMON@x.example",
            "\"Mail Delivery Subsystem\" <x@y.example>",
            "<>",
            "Postmaster@x.example",
            "mailer-daemon",
        ] {
            assert!(root(&format!("From: {from}\n\nx")), "{from}");
        }
        for from in ["li@corp.example", "Post Master <li@corp.example>"] {
            assert!(!root(&format!("From: {from}\n\nx")), "{from}");
        }
        for (path, null) in [("<>", true), ("< >", true), ("<MAILER-DAEMON>", true), ("<li@corp.example>", false)] {
            let raw = format!("Return-Path: {path}\n\nx");
            assert_eq!(is_null_sender(&header::split(raw.as_bytes()).0), null, "{path}");
        }
    }
}
