//! The block of header lines above a quoted message, found by counting labels (`domain.md` 1.3).

use super::lines::{Line, is_space, plain_words, visible};
use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    From,
    Sent,
    To,
    Cc,
    Bcc,
    Subject,
    /// Seen among the others, counts for nothing: reply-to, importance, attachments.
    Other,
}

const LABELS: &[(Label, &str)] = &[
    (
        Label::From,
        "发件人 发信人 寄件者 寄件人 发送人 從 原邮件发件人名字 原邮件发件人地址 from de von van fra från da od от откого отправитель \
         差出人 送信者 보낸사람 보낸이 gönderen kimden lähettäjä feladó expéditeur remitente mittente odesílatel expeditor từ",
    ),
    (
        Label::Sent,
        "发送时间 发送日期 发件时间 发件日期 时间 日期 寄件日期 傳送時間 傳送日期 寄件時間 時間 sent date messagedu senttime sendtime senton envoyé \
         envoyéle gesendet datum verzonden fecha enviado enviadoel enviada enviadaem enviadoem data inviato inviata skickat sendt dato lähetetty \
         wysłano дата отправлено 送信日時 日時 送信日 보낸날짜 보낸시간 날짜 tarih gönderildi gönderilmetarihi dátum küldve päivämäärä odesláno \
         expédié ngày",
    ),
    (
        Label::To,
        "收件人 收件者 接收人 至 to à a an aan para til till do komu кому 宛先 받는사람 kime alıcı vastaanottaja per címzett către đến",
    ),
    (Label::Cc, "抄送 抄送人 抄送者 副本 cc copie copieà cópia copia kopia kopie kopi копия 참조 bilgi másolat"),
    (Label::Bcc, "密送 暗送 密件副本 bcc cci cco"),
    (
        Label::Subject,
        "主题 主題 標題 标题 主旨 subject objet sujet betreff onderwerp asunto assunto oggetto ämne emne aihe temat тема 件名 제목 konu tárgy předmět \
         subiect chủđề",
    ),
    (
        Label::Other,
        "reply-to replyto answer importance priority attachments 重要性 优先级 附件 答复 回复地址 organization bijlagen wichtigkeit",
    ),
];

static KNOWN: LazyLock<HashMap<&str, Label>> = LazyLock::new(|| {
    LABELS.iter().flat_map(|(label, words)| words.split_ascii_whitespace().map(|w| (w, *label))).collect()
});

/// Reads a line as `label: value`. Without a colon only Chinese, Japanese and Korean labels count (`发件人 张三<a@b>`),
/// or a Latin one that stands alone or before a table bar.
pub fn label(text: &str) -> Option<(Label, &str)> {
    let text = text.trim_start_matches(|c: char| is_space(c) || matches!(c, '*' | '|' | '>' | '_'));
    let (head, value) = split_label(text)?;
    let key: String = plain_words(head).chars().filter(|c| !matches!(c, ' ' | '_')).collect();
    let found = *KNOWN.get(&*key)?;
    Some((found, value.trim_matches(|c: char| is_space(c) || matches!(c, '*' | '|' | ':' | '：'))))
}

/// The longest label has some 16 characters, spread or not.
const LONGEST_LABEL: usize = 24;

fn split_label(text: &str) -> Option<(&str, &str)> {
    let first = text.chars().next()?;
    if !first.is_alphabetic() {
        return None;
    }
    for (at, c) in text.char_indices().take(LONGEST_LABEL) {
        if matches!(c, ':' | '：' | '|' | '\t') {
            return Some((&text[..at], &text[at + c.len_utf8()..]));
        }
    }
    let trimmed = text.trim_end_matches(|c: char| is_space(c) || c == '*');
    if (first as u32) < 0x2e80 {
        return (trimmed.chars().count() <= LONGEST_LABEL && !trimmed.contains(' ')).then_some((trimmed, ""));
    }
    match trimmed.find(is_space) {
        Some(at) => Some((&trimmed[..at], &trimmed[at..])),
        None => (trimmed.chars().count() <= LONGEST_LABEL).then_some((trimmed, "")),
    }
}

/// Most lines one block may span, blank ones not counted: long recipient lists are folded.
const LONGEST_BLOCK: usize = 24;

/// The last label's line of the header block that begins at line `at`. `announced`: something above already says so
/// (a rule, a marker).
pub fn header_block(lines: &[Line], at: usize, announced: bool) -> Option<usize> {
    let (first, _) = label(&lines[at].text)?;
    if first == Label::Other {
        return None;
    }
    let mut end = at;
    let mut seen = Seen::default();
    let mut last: Option<(Label, bool)> = None;
    let mut strays = 0;
    let mut gap = false;
    for (i, line) in lines.iter().enumerate().skip(at).take(2 * LONGEST_BLOCK) {
        if line.is_blank() {
            gap = true;
            continue;
        }
        let found = label(&line.text).filter(|_| line.depth == lines[at].depth);
        if let Some((found, value)) = found {
            if seen.has(found) {
                break;
            }
            seen.add(found, value);
            end = i;
            last = Some((found, value.is_empty()));
            strays = 0;
        } else {
            strays += 1;
            if strays > strays_after(last, &line.text, gap) {
                break;
            }
            seen.evidence |= is_evidence(&line.text);
        }
        gap = false;
    }
    seen.is_enough(first, announced).then_some(end)
}

/// How many lines without a known label may follow: folded values, a value in the row below its label, other labels.
fn strays_after(last: Option<(Label, bool)>, text: &str, gap: bool) -> usize {
    match last {
        Some((_, true)) => 1,
        _ if gap => 0,
        Some((Label::To | Label::Cc | Label::Bcc, _)) if text.contains(['@', ';', '；', ',']) => 12,
        Some((Label::To | Label::Cc | Label::Subject, _)) => 2,
        Some(_) if text.contains('@') || is_unknown_label(text) => 1,
        _ => 0,
    }
}

/// `Risposta: …`, `Organisation: …`
fn is_unknown_label(text: &str) -> bool {
    text.split_once(':').is_some_and(|(head, value)| {
        value.starts_with(' ')
            && head.chars().count() <= 20
            && head.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '*'))
    })
}

#[derive(Default)]
struct Seen {
    labels: [bool; 6],
    order: usize,
    from_at: Option<usize>,
    sent_at: Option<usize>,
    evidence: bool,
    /// Some value is an address.
    address: bool,
    /// Values that prove mail: an address, a time of day.
    proofs: usize,
}

impl Seen {
    fn has(&self, label: Label) -> bool {
        self.labels.get(label as usize).is_some_and(|seen| *seen)
    }

    fn add(&mut self, label: Label, value: &str) {
        if label == Label::From && self.from_at.is_none() {
            self.from_at = Some(self.order);
        }
        if label == Label::Sent && self.sent_at.is_none() {
            self.sent_at = Some(self.order);
        }
        self.order += 1;
        if let Some(slot) = self.labels.get_mut(label as usize) {
            *slot = true;
        }
        self.address |= value.contains('@');
        self.proofs += usize::from(is_evidence(value));
        self.evidence |= label == Label::Subject || is_evidence(value);
    }

    /// Three labels and proof that this is mail: `From: Beijing, To: Shanghai, Date: 3 May 10:30` is a travel request.
    /// Blocks without a subject and an address name the date before the receiver (Windows Mail).
    fn is_enough(&self, first: Label, announced: bool) -> bool {
        let distinct = self.labels.iter().filter(|s| **s).count();
        // A trimmed Outlook block keeps the sender's address and the full date.
        let pair = first == Label::From && self.has(Label::Sent) && self.proofs >= 2;
        let needed = if announced || pair { 2 } else { 3 };
        let from_early = self.from_at.is_some_and(|at| at <= 3);
        let starts_well = first == Label::From || self.order >= 3;
        let like_mail = announced || self.address || self.has(Label::Subject) || self.sent_at == Some(1);
        from_early && starts_well && like_mail && distinct >= needed && (self.evidence || announced)
    }
}

/// An address, or a time of day.
fn is_evidence(value: &str) -> bool {
    let is_time = |v: &str| {
        v.as_bytes()
            .windows(4)
            .any(|w| w[0].is_ascii_digit() && w[1] == b':' && w[2].is_ascii_digit() && w[3].is_ascii_digit())
    };
    value.contains('@') || is_time(value) || !value.is_ascii() && is_time(&visible(value))
}

#[cfg(test)]
mod tests {
    use super::super::lines::from_text;
    use super::*;

    #[test]
    fn labels_in_all_their_spellings() {
        let check = |line: &str, expect: Option<(Label, &str)>| assert_eq!(label(line), expect, "{line:?}");
        check("发件人: \"李雷\"<ll@x.com>;", Some((Label::From, "\"李雷\"<ll@x.com>;")));
        check("发件人：\u{a0}李雷", Some((Label::From, "李雷")));
        check("*发件人:* 李雷", Some((Label::From, "李雷")));
        check("*发 件 人:* 李雷", Some((Label::From, "李雷")));
        check("抄\u{3000}送：韩梅梅", Some((Label::Cc, "韩梅梅")));
        check("主　题：Re: x", Some((Label::Subject, "Re: x")));
        check("| 发件人 | 李雷 |", Some((Label::From, "李雷")));
        check("发件人 李雷<ll@x.com>", Some((Label::From, "李雷<ll@x.com>")));
        check("| Date | 10/03/2026 15:42 |", Some((Label::Sent, "10/03/2026 15:42")));
        check("Sent Time:Oct 9, 2026 10:01", Some((Label::Sent, "Oct 9, 2026 10:01")));
        check("De : Anne", Some((Label::From, "Anne")));
        check("À : Paul", Some((Label::To, "Paul")));
        check("從: A [a@b]", Some((Label::From, "A [a@b]")));
        check("From", Some((Label::From, "")));
        check("From the beginning it was slow", None);
        check("打印机坏了", None);
        check("http://x", None);
        check("", None);
    }

    #[test]
    fn blocks_need_three_labels_and_proof() {
        let check = |text: &str, expect: bool| {
            assert_eq!(header_block(&from_text(text), 0, false).is_some(), expect, "{text:?}");
        };
        check("From: A\nSent: Monday, January 5, 2026 10:00 AM\nTo: B\nSubject: x", true);
        check("发件人: A\n时间: 今天\n主题: x\n收件人: B", true);
        check("From: Beijing\nTo: Shanghai\nDate: 3 May", false);
        check("From: A\nplease look", false);
        check("发件人 一栏填了什么？\n收件人 又是谁？", false);
        check("Date: Fri, 28 Sep 2012 10:55:48 +0000\nFrom: t@x.com\nTo: b@x.com\nSubject: x", true);
        check("From: A\nDate: x\nTo: a@x.com,\n  b@x.com,\n  c@x.com,\n d@x.com\nCc: e@x.com\nSubject: s", true);
        check("From\nA <a@x>\nDate\n10:30\nTo\nB", true);
        check("From: 10.0.0.1\nTo: 10.0.0.2\nDate: 2026-11-23 10:00", false);
        check("From: Beijing\nTo: Shanghai\nDate: 3 May 10:30", false);
        check("发件人: 张三\n发送时间: 2026-11-23 10:05\n收件人: 李四", true);
        check("От: A\nОтправлено: \u{200e}23\u{200e} ноября 10\u{200e}:\u{200e}05\nКому: B", true);
    }

    #[test]
    fn a_rule_above_lowers_the_bar() {
        let lines = from_text("发件人: A\n主题: x");
        assert_eq!((header_block(&lines, 0, false), header_block(&lines, 0, true)), (None, Some(1)));
    }
}
