//! Bounces written for people: what their subjects and texts say.

use super::reason;
use crate::desk::inbound::Kind;
use crate::mail::charset::Charset;
use crate::mail::header::{self, Header};
use crate::mail::part::Part;
use crate::mail::words;
use aho_corasick::AhoCorasick;
use regex::Regex;
use std::sync::LazyLock;

/// How much of a text is read; the report stands at its top.
const MAX_READ: usize = 64 * 1024;

/// What the text gives away.
#[derive(Debug, Default)]
pub struct Said {
    pub recipient: String,
    pub status: String,
    pub reason: String,
}

/// How subjects of bounces begin, lower case.
const SUBJECTS: &str = "\
    undeliver | undelivered mail | returned mail | returned e-mail | mail delivery fail | mail delivery error | \
    mail delivery system | mail delivery problem | mail system error | delivery status notification | \
    delivery status | delivery failure | delivery notification | delivery report | delivery has failed | \
    message delivery has failed | message delivery failure | failed delivery | failed mail | failure notice | \
    failure delivery | non delivery | non-delivery | nondeliverable | message undeliverable | \
    message could not be delivered | message not delivered | message status - undeliverable | \
    could not send message | there was an error sending your mail | warning: could not send | \
    warning: message | email delivery failure | [postmaster] email delivery failure | unable to deliver | \
    cannot deliver | mail could not be delivered | mail undeliverable | auto notify:  | \
    disposition-notification failed | nachricht nicht zustellbar | unzustellbar | rückmeldung: unzustellbar | \
    non remis | échec de remise | no se puede entregar | 系统退信 | 退信 | 邮件退回 | 邮件被退回 | 无法投递 | \
    未送达 | 无法送达 | 投递失败 | 无法传递 | 无法传送 | 傳遞狀態通知 | 传递状态通知 | 邮件投递失败 | \
    来自postmaster | недоставленное | ваше сообщение не доставлено";

/// What bounces say, lower case.
const TEXTS: &str = "\
    could not be delivered | couldn't be delivered | cannot be delivered | can't be delivered | \
    was not delivered | wasn't delivered | were not delivered | has not been delivered | not be delivered to | \
    was undeliverable | is undeliverable | undeliverable | delivery failed | delivery has failed | \
    delivery to the following | failed to deliver | failed permanently | unable to deliver | unable to send | \
    permanent error | permanent fatal | permanently failed | following address failed | \
    following addresses had | following address(es) failed | following recipient | returned to sender | \
    returning message | your message was rejected | message rejected | message was not accepted | \
    did not reach the following | user unknown | unknown user | no such user | mailbox full | \
    transcript of session | is being returned | action: failed | final-recipient: | diagnostic-code: | \
    delivery attempts | could not send message | bounced | ihre nachricht konnte nicht | nicht zugestellt | \
    n'a pas pu être | no se pudo entregar | 被退回 | 退信 | 无法送达 | 无法投递 | 投递失败 | 未能送达 | \
    无法发送到 | 发送失败 | 地址不存在 | 收件人不存在 | 送信できませんでした | 配信できません | 届けることが | \
    宛先不明 | не доставлено | не может быть доставлено";

/// What says that the letter is only late.
const DELAYS: &str = "\
    delivery status notification (delay) | delayed: | delayed mail | delivery delayed | delivery delay | \
    warning: could not send message for past | warning: message | still being retried | 投递延迟 | 延迟";

static TEXT_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| words::finder(TEXTS));
static DELAY_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| words::finder(DELAYS));
static COPY_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| words::finder(COPY_MARKS));

pub fn is_bounce_subject(subject: &str) -> bool {
    let subject = subject.to_lowercase();
    let subject = subject.trim_start_matches(['*', '[', ' ']);
    words::split(SUBJECTS).any(|s| subject.starts_with(s)) || subject.contains("的退信") || subject.ends_with("退信")
}

pub fn is_bounce_text(text: &str) -> bool {
    TEXT_WORDS.is_match(&top(text).to_lowercase())
}

/// The fields of a report stand in the text (RFC 3464 section 2.3).
pub fn has_report_fields(text: &str) -> bool {
    let text = top(text).to_lowercase();
    ["final-recipient:", "status:"].iter().all(|field| text.contains(field))
}

/// The letter is late, not lost: the subject says so and the text does not give up.
pub fn is_delay(subject: &str, text: &str) -> bool {
    let subject = subject.to_lowercase();
    let text = top(text).to_lowercase();
    let given_up = ["giving up", "failed permanently", "permanent fail", "permanent error", "has been returned"];
    DELAY_WORDS.is_match(&subject) && !given_up.iter().any(|g| text.contains(g))
}

/// Notices of sending services as JSON (Amazon SES by way of SNS).
pub fn web_service_notice(header: &Header, text: &str) -> Option<Kind> {
    let from = header.text("From")?.to_lowercase();
    if !from.contains("amazonaws.com") && !from.contains("amazonses.com") {
        return None;
    }
    let text: String = top(text).chars().filter(|c| !c.is_whitespace() && *c != '\\').collect();
    let says = |what: &str| {
        text.contains(&format!("\"notificationType\":\"{what}\""))
            || text.contains(&format!("\"eventType\":\"{what}\""))
    };
    match () {
        () if says("Bounce") => Some(Kind::Bounce),
        () if says("Complaint") => Some(Kind::FeedbackReport),
        () if says("Delivery") || says("DeliveryDelay") => Some(Kind::DeliveryReport),
        () => None,
    }
}

/// The top of a text, cut at a character.
fn top(text: &str) -> &str {
    let mut end = text.len().min(MAX_READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
        .expect("a constant pattern")
});

/// A server's answer: its code at the start of a line or behind a colon.
static ANSWER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s:>(#'])(?:[45][0-9]{2}[ -]|#?[45]\.[0-9]{1,3}\.[0-9]{1,3}\b)").expect("a constant pattern")
});

/// Where the copy of the letter begins: what stands below says nothing about the failure.
const COPY_MARKS: &str = "\
    below this line is a copy | this is a copy of the message | this is a copy of your message | \
    original message follows | original message | unsent message follows | message header follows | \
    headers of the original | message headers: | returned message | the body of the message is | \
    the original message was | received message follows | 原始邮件 | 原邮件 | message text follows | \
    included is a copy of the message";

/// Finds recipient, status and reason in a bounce's text.
pub fn read(root: &Part, text: &str, hint: Option<Charset>) -> Said {
    let text = above_copy(top(text));
    let recipient =
        root.header.text("X-Failed-Recipients").map(|v| v.split(',').next().unwrap_or("").trim().to_owned());
    let senders = ["To", "From"]
        .map(|n| root.header.first(n).map(|v| header::decode(v, hint).to_lowercase()).unwrap_or_default());
    let foreign = |a: &str| {
        let a = a.to_lowercase();
        let local = a.split('@').next().unwrap_or("");
        !senders.iter().any(|s| s.contains(&a)) && !words::listed(super::DAEMON_LOCALS, local)
    };
    let found = ADDRESS.find_iter(text).map(|m| m.as_str().trim_matches(['.', '\''])).find(|a| foreign(a));
    let recipient = recipient.filter(|r| r.contains('@')).or_else(|| found.map(str::to_owned)).unwrap_or_default();
    let reason = reason_lines(text, &recipient);
    let status = Some(reason::enhanced_status(&reason)).filter(|s| !s.is_empty());
    Said { recipient, status: status.unwrap_or_else(|| reason::enhanced_status(text)), reason }
}

fn above_copy(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        let dashed = lower.trim_start().starts_with(['-', '=', '_', '*']);
        if at > 0 && COPY_WORDS.is_match(&lower) && (dashed || line.trim_end().ends_with([':', '.'])) {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

/// The server's answer with the lines it runs over; without one, what follows the address that failed; at last the
/// line that names the failure.
fn reason_lines(text: &str, recipient: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let says = |line: &str| TEXT_WORDS.is_match(&line.to_lowercase());
    if let Some(start) = lines.iter().position(|l| ANSWER.is_match(l)) {
        // The next recipient's answer is another story.
        let goes_on = |l: &&&str| !l.is_empty() && (!ANSWER.is_match(l) || l.starts_with(['4', '5']));
        let rest = lines[start + 1..].iter().take(3).take_while(goes_on);
        return std::iter::once(&lines[start]).chain(rest).copied().collect::<Vec<_>>().join(" ");
    }
    let failed = recipient_line(&lines, recipient).map(|at| {
        let rest = lines[at + 1..].iter().skip_while(|l| l.is_empty()).take(3).take_while(|l| !l.is_empty());
        std::iter::once(&lines[at]).chain(rest).copied().collect::<Vec<_>>().join(" ")
    });
    failed.or_else(|| lines.iter().rfind(|l| says(l)).map(|l| (*l).to_owned())).unwrap_or_default()
}

/// The last line that begins with the address that failed: summaries above name it among others.
fn recipient_line(lines: &[&str], recipient: &str) -> Option<usize> {
    let begins = |l: &&str| {
        let line = l.trim_start_matches(['<', '"', '\'', '*', '-', ' ']);
        !recipient.is_empty() && line.get(..recipient.len()).is_some_and(|start| start.eq_ignore_ascii_case(recipient))
    };
    lines.iter().rposition(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        for subject in [
            "Undelivered Mail Returned to Sender",
            "failure notice",
            "系统退信",
            "来自qq.com的退信",
            "Undeliverable: printer",
            "*** Mail delivery failed",
            "Returned mail: see transcript for details",
        ] {
            assert!(is_bounce_subject(subject), "{subject}");
        }
        for subject in ["Printer", "About a mail delivery failed message", "Re: Undeliverable: x", "请问系统退信怎么办"]
        {
            assert!(!is_bounce_subject(subject), "{subject}");
        }
    }

    #[test]
    fn delays() {
        assert!(is_delay("Delivery Status Notification (Delay)", "still trying"));
        assert!(!is_delay("Delivery Status Notification (Failure)", "x"));
        assert!(!is_delay("Delayed: x", "We are giving up."));
    }

    #[test]
    fn reasons() {
        let check = |text: &str, want: &str| assert_eq!(reason_lines(text, "li@b.example"), want, "{text}");
        check(
            "Sorry.

<a@b>: host x said:
550 5.1.1 no such
user here

bye",
            "550 5.1.1 no such user here",
        );
        check(
            "x@b: 550 5.1.1 none
y@b: 552 5.2.2 full",
            "x@b: 550 5.1.1 none",
        );
        check(
            "These failed:

  li@b.example
    unknown host

bye",
            "li@b.example unknown host",
        );
        check(
            "Hello
mailbox full
",
            "mailbox full",
        );
        check("nothing to say", "");
    }
}
