//! Separator lines: "original message", "forwarded message", "reply above this line", rules (`domain.md` 1.1).

use super::lines::{is_space, plain_words};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// What follows is the message answered.
    Original,
    /// What follows was passed on.
    Forwarded,
    /// Dashes, underscores and the like: says something only with what stands around it.
    Rule,
}

const ORIGINAL: &[&str] = &[
    "original message",
    "original messages",
    "original",
    "original appointment",
    "original email",
    "original e-mail",
    "original mail",
    "reply to message",
    "replied message",
    "reply message",
    "quoted message",
    "previous message",
    "原始邮件",
    "原始郵件",
    "原始信息",
    "原始訊息",
    "原邮件",
    "原郵件",
    "邮件原件",
    "回复的原邮件",
    "回复的邮件信息",
    "原始消息",
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "message d'origine",
    "message d’origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "originalmeddelande",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "original meddelelse",
    "opprinnelig melding",
    "oprinnelig melding",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "исходное сообщение",
    "оригинальное сообщение",
    "alkuperäinen viesti",
    "元のメッセージ",
    "원본 메시지",
    "orijinal mesaj",
    "eredeti üzenet",
    "původní zpráva",
    "originalna poruka",
    "bericht van",
    "urspr. nachricht",
];

const FORWARDED: &[&str] = &[
    "forwarded message",
    "forwarded messages",
    "forwarded by",
    "begin forwarded message",
    "forwarding messages",
    "forwarded email",
    "forwarded",
    "start of forwarded message",
    "fwd",
    "转发邮件信息",
    "转发消息",
    "转发的消息",
    "转发的邮件",
    "转发邮件",
    "转发",
    "下面是被转发的邮件",
    "下面是转发邮件",
    "开始转发的邮件",
    "以下是轉寄的郵件",
    "開始轉寄郵件",
    "轉寄郵件",
    "轉寄的郵件",
    "轉寄的訊息",
    "被转发邮件信息",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré",
    "début du message transféré",
    "message réexpédié",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "doorgestuurd bericht",
    "vidarebefordrat meddelande",
    "videresendt meddelelse",
    "videresendt melding",
    "wiadomość przekazana",
    "пересылаемое сообщение",
    "перенаправленное сообщение",
    "転送メッセージ",
    "전달된 메시지",
    "välitetty viesti",
    "iletilen mesaj",
];

/// Announcements that hold without dashes.
const BARE_FORWARDED: &[&str] = &[
    "begin forwarded message",
    "下面是被转发的邮件",
    "开始转发的邮件",
    "以下是轉寄的郵件",
    "開始轉寄郵件",
    "anfang der weitergeleiteten nachricht",
    "début du message réexpédié",
    "début du message transféré",
    "inicio del mensaje reenviado",
    "inizio messaggio inoltrato",
];

const ABOVE_THIS_LINE: &[&str] = &[
    "reply above this line",
    "reply above the line",
    "type your reply above",
    "write your reply above",
    "respond above this line",
    "请在此线以上回复",
    "请在此线上方回复",
    "请在这条线以上回复",
    "请在本行上方回复",
    "请在此行以上回复",
    "请在此行上方回复",
];

/// What a line separates, if it is a separator.
pub fn separator(line: &str) -> Option<Separator> {
    let line = line.trim_matches(is_space);
    if line.len() < 3 || line.len() > 300 {
        return None;
    }
    if !may_separate(line) {
        return None;
    }
    let words = if line.contains('&') { plain_words(&line.replace("&nbsp;", " ")) } else { plain_words(line) };
    let core = words.trim_matches(|c: char| is_rule(c) || matches!(c, ' ' | ':' | '[' | ']'));
    if core.is_empty() {
        return (words.chars().filter(|c| is_rule(*c)).count() >= 3).then_some(Separator::Rule);
    }
    let speaks_of_above = core.contains("above") || core.contains('上');
    if speaks_of_above && ABOVE_THIS_LINE.iter().any(|p| is_instruction(core, p)) {
        return Some(Separator::Original);
    }
    let bare = words.trim_end_matches(':').trim();
    if BARE_FORWARDED.contains(&bare) {
        return Some(Separator::Forwarded);
    }
    let dashed = words.starts_with(is_rule) && words.chars().filter(|c| is_rule(*c)).count() >= 3;
    if !dashed || core.chars().count() > 80 {
        return None;
    }
    if is_phrase(core, FORWARDED) {
        return Some(Separator::Forwarded);
    }
    is_phrase(core, ORIGINAL).then_some(Separator::Original)
}

/// A cheap look before the words are compared: nearly all lines end here.
fn may_separate(line: &str) -> bool {
    line.starts_with(|c: char| is_rule(c) || matches!(c, '*' | '[' | '&'))
        || (line.len() < 120 && line.contains([':', '：', '上']) && may_announce(line))
        // Few lines hold a `v`.
        || (memchr::memchr2(b'v', b'V', line.as_bytes()).is_some()
            && ["above", "Above", "ABOVE"].iter().any(|w| line.contains(w)))
}

/// Not `label: value`: it begins with a sign, ends with its colon (or an entity behind that), or asks for a reply (回复).
fn may_announce(line: &str) -> bool {
    let end = line.trim_end_matches(|c: char| is_space(c) || matches!(c, '*' | '|'));
    !line.starts_with(char::is_alphanumeric) || end.ends_with([':', '：', ';']) || line.contains('回')
}

/// `原始邮件` or `Original` alone on its line: true only above a header block.
pub fn is_bare_original(line: &str) -> bool {
    ORIGINAL.contains(&&*plain_words(line))
}

/// A helpdesk's line says little more than the phrase; a sentence about such a line is a person's.
fn is_instruction(core: &str, phrase: &str) -> bool {
    let around = core.chars().count().saturating_sub(phrase.chars().count());
    core.contains(phrase) && around <= 20 && !core.ends_with('?')
}

fn is_phrase(core: &str, phrases: &[&str]) -> bool {
    // "Forwarded by Anna on 3 May", "Original Message from Bob"
    phrases
        .iter()
        .any(|p| core == *p || (core.strip_prefix(p).is_some_and(|r| r.starts_with([' ', ':', '-'])) && p.len() > 8))
}

/// Characters that rules are drawn with.
pub fn is_rule(c: char) -> bool {
    matches!(c, '-' | '_' | '=' | '~' | '#' | '–' | '—' | '─' | '━' | '═' | '＝' | '－' | '+' | '.' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_the_clients() {
        use Separator::*;
        let check = |line: &str, expect: Option<Separator>| assert_eq!(separator(line), expect, "{line:?}");
        check("------------------\u{a0}原始邮件\u{a0}------------------", Some(Original));
        check("------------------&nbsp;原始邮件&nbsp;------------------", Some(Original));
        check("------------------ Original ------------------", Some(Original));
        check("---原始邮件---", Some(Original));
        check("----------Reply to Message----------", Some(Original));
        check("----------回复的邮件信息----------", Some(Original));
        check("---- 回复的原邮件 ----", Some(Original));
        check("---- Replied Message ----", Some(Original));
        check("-----原始邮件-----", Some(Original));
        check("-----Original Messages-----", Some(Original));
        check("-----邮件原件-----", Some(Original));
        check("-----原始郵件-----", Some(Original));
        check("-------- 原始信息 --------", Some(Original));
        check("-----Ursprüngliche Nachricht-----", Some(Original));
        check("##- Please type your reply above this line -##", Some(Original));
        check("--- Reply above this line to add a comment ---", Some(Original));
        check("What does \"reply above this line\" mean?", None);
        check("Please remove the words reply above this line from your mails", None);
        check("-------- 转发邮件信息 --------", Some(Forwarded));
        check("--------- 转发消息 ---------", Some(Forwarded));
        check("---------- Forwarded message ---------", Some(Forwarded));
        check("----------\u{a0}Forwarded message\u{a0}---------", Some(Forwarded));
        check("-------- 转发的消息 --------", Some(Forwarded));
        check("-------- 轉寄郵件 --------", Some(Forwarded));
        check("下面是被转发的邮件：", Some(Forwarded));
        check("Begin forwarded message:", Some(Forwarded));
        check("= = = = = = 下面是转发邮件 = = = = = = =", Some(Forwarded));
        check("________________________________", Some(Rule));
        check("------------------------------------------------------------------", Some(Rule));
        check("--", None);
        check("原始邮件丢失了", None);
        check("- forwarded", None);
        check("--- a/src/main.rs", None);
        check("请转发邮件", None);
        assert!(is_bare_original("原始邮件") && is_bare_original("   Original") && !is_bare_original("原始邮件丢了"));
    }
}
