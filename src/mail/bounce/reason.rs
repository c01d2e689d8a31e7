//! Why a letter failed, and whether writing to that address again can ever succeed.

use crate::mail::words::finder;
use aho_corasick::AhoCorasick;
use regex::Regex;
use std::sync::LazyLock;

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9.\[])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:$|[^0-9.\]])").expect("a constant pattern")
});

/// The first enhanced status code (RFC 3463) in a text; addresses of machines do not count.
pub fn enhanced_status(text: &str) -> String {
    STATUS.captures(text).and_then(|c| c.get(1)).map(|m| m.as_str().to_owned()).unwrap_or_default()
}

/// Whether the address itself is wrong: no such user, no such host, moved away, takes no mail at all. A full mailbox,
/// a policy or a filter may judge the next letter otherwise.
pub fn is_permanent(status: &str, reason: &str, text: &str) -> bool {
    if status.starts_with('4') || status.starts_with('2') {
        return false;
    }
    let reason = reason.to_lowercase();
    by_status(status, &reason)
        .map(|permanent| permanent && !opens_with_full_mailbox(text))
        .or_else(|| by_words(status, &reason, text))
        .or_else(|| (status == "5.1.0").then_some(true))
        .or_else(|| by_words(status, &text.to_lowercase(), text))
        .unwrap_or(false)
}

/// Characters at the top of a report in which its own words stand.
const REPORTS_OWN_WORDS: usize = 300;

/// A report that contradicts itself: the code says that the address is wrong, the words above that its disk is full.
fn opens_with_full_mailbox(text: &str) -> bool {
    let opening: String = text.chars().take(REPORTS_OWN_WORDS).collect();
    FINDERS[0].is_match(&opening.to_lowercase())
}

/// RFC 3463 and the IANA registry of enhanced status codes; `None` when the code says next to nothing.
fn by_status(status: &str, reason: &str) -> Option<bool> {
    // Exchange Online says this of users it does not know.
    if matches!(status, "5.4.1" | "5.7.1") && reason.contains("recipient address rejected: access denied") {
        return Some(true);
    }
    match status {
        "5.1.1" | "5.1.2" | "5.1.3" | "5.1.4" | "5.1.6" | "5.1.10" | "5.4.4" | "5.2.4" => {
            // Some servers judge the sender and still use these codes.
            let judged = ["quota", "full", "preference", "blacklist", "spam", "too many", "blocked"];
            // Others mean that their own disk or name server failed.
            let ill = ["couldn't create", "could not create", "malformed or unexpected"];
            Some(!judged.iter().chain(&ill).any(|w| reason.contains(w)))
        }
        "5.1.7" | "5.1.8" | "5.1.9" => Some(false),
        "" | "5.0.0" | "5.3.0" | "5.5.0" | "5.2.0" | "5.2.1" | "5.4.0" | "5.4.1" | "5.7.1" => None,
        _ if status.starts_with("5.1.") => None,
        _ => Some(false),
    }
}

static FINDERS: LazyLock<[AhoCorasick; 5]> =
    LazyLock::new(|| [MAILBOX, POLICY, NO_SUCH_HOST, NO_SUCH_USER, PASSING].map(finder));

/// The first list with a word in the text decides; the order settles texts that hold several.
fn by_words(status: &str, words: &str, text: &str) -> Option<bool> {
    let [mailbox, policy, no_host, no_user, passing] = &*FINDERS;
    let holds = |finder: &AhoCorasick| finder.is_match(words);
    if holds(mailbox) || holds(policy) {
        Some(false)
    } else if holds(no_user) {
        Some(is_about_address(status, words, text))
    } else if holds(passing) {
        Some(false)
    } else {
        holds(no_host).then_some(true)
    }
}

/// "User unknown" as the answer to an address, or of a system that looked the account up. The bare answer of a server,
/// where nobody tells what it answered, proves nothing: filters refuse the letter itself in the same words.
fn is_about_address(status: &str, words: &str, text: &str) -> bool {
    static ANSWER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:^|[^0-9.])55[0-4](?:[^0-9.]|$)").expect("a constant pattern"));
    let looked_up = ["user doesn't have a", "不存在", "没有这个用户", "无此用户", "查无此人"];
    let bare =
        matches!(status, "" | "5.0.0" | "5.2.1" | "5.3.0") && (ANSWER.is_match(words) || text.contains("said: 55"));
    let answers_address = || ["RCPT", "rcpt", "does not like recipient"].iter().any(|w| text.contains(w));
    looked_up.iter().any(|w| words.contains(w) || text.contains(w))
        || !is_after_data(text) && (!bare || answers_address())
}

/// The server took the address and refused the letter: whatever it says, a filter judged the contents.
fn is_after_data(text: &str) -> bool {
    static DATA: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)>>>[ \t]*DATA\s+<<< 5[0-9][0-9][ -]|end of DATA\b|SMTP command\s+DATA\b")
            .expect("a constant pattern")
    });
    // A pipelining server answers the addresses behind `DATA`; its relay then names them one by one.
    DATA.is_match(text) && !text.contains("550 5.1.1 ")
}

/// The mailbox exists.
const MAILBOX: &str = "\
    mailbox full | mailbox is full | mailbox exceed | over quota | overquota | quota exceeded | \
    exceeded quota | exceeded storage | insufficient storage | not enough storage | out of storage | \
    insufficient system storage | disk space | account disabled | account is disabled | has been disabled | is disabled | \
    mailbox disabled | suspended | inactive | is locked | temporarily unavailable | 邮箱已满 | 空间不足 | \
    容量已满 | 超出容量 | 已停用 | 被禁用";

/// Somebody judged the letter or its sender.
const POLICY: &str = "\
    spam | blocked | permission | 权限 | 權限 | block list | blacklist | blocklist | reputation | policy | not authorized | \
    not permitted | access denied | dmarc | dkim | virus | too large | too big | size limit | \
    exceeds the maximum | message size | not allowed | prohibited | 垃圾邮件 | 拦截 | 过大 | relay denied | \
    relaying denied | relay access denied | relay not permitted | unable to relay | to relay | mail relay";

/// The network, the clock.
const PASSING: &str = "\
    timed out | timeout | connection refused | try again | temporar | too many | could not connect | \
    unable to connect | retry time | for too long | expired | loop | hops | greylist | 超时 | 稍后再试";

const NO_SUCH_USER: &str = "\
    user unknown | unknown user | no such user | no such recipient | unknown recipient | recipient unknown | \
    user not found | recipient not found | address not found | mailbox not found | mailbox unavailable | \
    no mailbox | no such mailbox | unknown mailbox | invalid recipient | invalid mailbox | invalid address | \
    does not exist | doesn't exist | not exist | no longer | has moved | unknown address | address unknown | \
    unrouteable address | unroutable address | not listed in | couldn't be found | could not be found | \
    wasn't found | undeliverable address | no account | unknown local | bad address | not a valid | no user | \
    user doesn't | account not found | is not known | no such address | resolver.adr | 不存在 | 无此用户 | \
    用户不存在 | 没有这个用户 | 收件人地址错误 | 查无此人 | no valid recipient | domain is not reachable | address rejected. | \
    recipient name is not recognized";

const NO_SUCH_HOST: &str = "\
    host unknown | unknown host | host not found | domain not found | name or service not known | \
    no such domain | domain name not found | does not resolve | unknown domain | name service error | no mx | \
    null mx | nullmx | no route to host found for domain | does not accept mail | couldn't find any host | \
    unrouteable mail domain | 域名不存在 | 找不到域名 | 域名错误 | no smtp service | \
    domain does not exist | non-existent domain | nonexistent domain";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        for (text, want) in [
            ("550 5.1.1 x", "5.1.1"),
            ("#5.2.2#", "5.2.2"),
            ("(5.7.1)", "5.7.1"),
            ("from 192.5.1.1 and [5.1.1.9]", ""),
            ("version 5.1", ""),
        ] {
            assert_eq!(enhanced_status(text), want, "{text}");
        }
    }

    #[test]
    fn whether_writing_again_can_succeed() {
        for (status, reason, want) in [
            ("5.1.1", "550 5.1.1 User unknown", true),
            ("", "no such user here", true),
            ("", "550 no such user here", false),
            ("5.1.0", "550 no such user here", true),
            ("", "收件人不存在", true),
            ("", "550 收件人不存在", true),
            ("5.1.1", "procmail: Couldn't create \"/var/spool/mail/li\": No such user", false),
            ("", "554 This user doesn't have a corp.example account", true),
            ("5.4.4", "Host or domain name not found", true),
            ("5.2.2", "mailbox full", false),
            ("4.1.1", "user unknown for now", false),
            ("5.7.1", "rejected by policy", false),
            ("5.4.7", "delivery time expired", false),
            ("5.0.0", "", false),
        ] {
            assert_eq!(is_permanent(status, reason, ""), want, "{status} {reason}");
        }
        for (reason, text, want) in [
            ("550 User unknown", "550 User unknown (in reply to RCPT TO command)", true),
            ("550 User unknown", "550 User unknown (in reply to end of DATA command)", false),
            ("550 User unknown", "192.0.2.1 does not like recipient.\nRemote host said: 550 User unknown", true),
            ("User unknown", "host mx.example said: 550 li@corp.example: User unknown", false),
        ] {
            assert_eq!(is_permanent("", reason, text), want, "{text}");
        }
        assert!(!is_permanent("5.1.1", "550 5.1.1 User unknown", "Your message was rejected: not enough disk space"));
    }
}
