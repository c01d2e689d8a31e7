//! The line above a quote that says who wrote it and when (`domain.md` 1.1 and 1.3), in any of the languages in use.

use super::lines::{Line, is_space, next_filled, plain_words, visible};
use super::pattern;
use regex::Regex;
use std::sync::LazyLock;

/// Words that end an attribution, before the colon.
const VERBS: &[&str] = &[
    "写道",
    "写到",
    "寫道",
    "寫到",
    "wrote",
    "writes",
    "sent",
    "said",
    "schrieb",
    "schreibt",
    "a écrit",
    "escribió",
    "escribio",
    "escreveu",
    "ha scritto",
    "scrisse",
    "skrev",
    "kirjoitti",
    "napisał(a)",
    "napisał",
    "napisała",
    "napisal(a)",
    "napsal(a)",
    "napsal",
    "написал",
    "написала",
    "написал(а)",
    "пишет",
    "написав",
    "yazdı",
    "şunu yazdı",
    "írta",
    "a scris",
    "đã viết",
    "schreef",
    "geschreven",
    "님이 작성",
    "작성",
    "の書き込み",
    "書きました",
    "wrote the following",
    "je napisao/la",
    "je napisao",
    "napísal(a)",
    "έγραψε",
    "menulis",
    "viết",
    "كتب",
    "كتب/كتبت",
    "كتبت",
];

/// Words an attribution begins with.
static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:在|于|於|(?:On|At|Am|Le|El|Op|Em|Il|Den|På|Dne|Dňa|Dana|Den|Vào|Pada|W dniu|In data|Il giorno|Quoting|في) |\d{1,4}[年./\- ]|(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,. ]|\p{Cyrillic}{2,12}, \d)",
    )
});

/// A date or a time of day.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\d{4}\s*年|\b(?:19|20)\d\d\b|\d{1,2}[:：]\d{2}|\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b|\b\d{1,2}[-/.]\d{1,2}\b",
    )
});

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\w.+=-]@[\w-]|<\s*\S+@"));

/// A reply that shares its line with the attribution.
static SHARED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(.*?\S)\s*(?:-{2,}\s*|\s)(On (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,|\d{1,4}[-/. ]|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d).{6,300}\b(?:wrote|sent):)$",
    )
});

/// An attribution with the quote behind it on the same line; only with a date and a time of day.
static RUN_IN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:On|At) .{0,120}\d{1,2}:\d{2}.{0,120}?\b(?:wrote|sent):\s*\S"));

fn clip(line: &str) -> &str {
    let end = (0..=line.len().min(LONGEST)).rev().find(|&i| line.is_char_boundary(i)).unwrap_or(0);
    &line[..end]
}

/// An attribution found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Its last line.
    pub end: usize,
    /// Where it begins in its first line, 0 unless the reply shares that line.
    pub from: usize,
}

/// Most lines one attribution is folded over, and its greatest length in bytes.
const MOST_LINES: usize = 5;
const LONGEST: usize = 600;

/// Does an attribution begin at line `at`?
pub fn attribution(lines: &[Line], at: usize) -> Option<Attribution> {
    let first = lines[at].text.trim_matches(is_space);
    if first.is_empty() {
        return None;
    }
    if first.starts_with(['O', 'A']) && RUN_IN.is_match(clip(first)) {
        return Some(Attribution { end: at, from: 0 });
    }
    if first.len() > LONGEST {
        return None;
    }
    if let Some(end) = shared(first) {
        let from = lines[at].text.find(first).unwrap_or(0) + end;
        return Some(Attribution { end: at, from });
    }
    let end = joined(lines, at)?;
    // The last possible start wins: prose above an attribution is not part of it, but a name and address that Gmail
    // puts first are.
    let is_start = |text: &str| LEAD.is_match(text) && !(is_mailbox(first) && text.starts_with(['于', '於']));
    let inner =
        (at + 1..=end).any(|i| is_start(lines[i].text.trim_start_matches(is_space)) && joined(lines, i) == Some(end));
    (!inner).then_some(Attribution { end, from: 0 })
}

/// `张三 <zs@example.com>` and nothing else.
fn is_mailbox(line: &str) -> bool {
    line.ends_with('>')
        && line.split_once('<').is_some_and(|(_, address)| address.contains('@') && !address.contains('<'))
}

fn shared(line: &str) -> Option<usize> {
    if !line.ends_with(':') || LEAD.is_match(line) {
        return None;
    }
    SHARED.captures(line).and_then(|c| c.get(1)).map(|m| m.end())
}

/// The last line of an attribution that begins at `at` and may be folded.
fn joined(lines: &[Line], at: usize) -> Option<usize> {
    let mut words = String::new();
    let mut used = 0;
    for (i, line) in lines.iter().enumerate().skip(at).take(MOST_LINES * 2) {
        let text = line.text.trim_matches(is_space);
        // `<a@b.com` and `> wrote:` on the next line is no quote mark.
        let closes = used > 0 && line.depth == lines[at].depth + 1 && is_closing_bracket(&words, text);
        if line.depth != lines[at].depth && !line.is_blank() && !closes {
            return None;
        }
        if text.is_empty() {
            // Some converters put the address into a paragraph of its own.
            if used > 0 && words.contains('@') | LEAD.is_match(&words) && DATE.is_match(&words) {
                continue;
            } else {
                return None;
            }
        }
        used += 1;
        if used > MOST_LINES || words.len() + text.len() > LONGEST {
            return None;
        }
        if used > 1 {
            if used == 2 && !may_start(&words) {
                return None;
            }
            words.push_str(if closes { "> " } else { " " });
        }
        words.push_str(text);
        if is_attribution(&words, || is_quote_below(lines, i), used > 1) {
            return Some(i);
        }
        if text.ends_with(['.', '。', '!', '！', '?', '？', ':', '：']) && !is_abbreviation(text) {
            return None;
        }
    }
    None
}

fn is_closing_bracket(words: &str, text: &str) -> bool {
    text.len() <= 40 && text.ends_with([':', '：']) && words.rfind('<').is_some_and(|open| !words[open..].contains('>'))
}

/// `28.` and `г.` end no sentence.
fn is_abbreviation(text: &str) -> bool {
    text.ends_with("г.") || text.strip_suffix('.').is_some_and(|t| t.ends_with(|c: char| c.is_ascii_digit()))
}

/// Could this be the first of several lines?
fn may_start(line: &str) -> bool {
    LEAD.is_match(line) || line.contains('<') || line.contains('@') || line.starts_with('"')
}

fn is_quote_below(lines: &[Line], end: usize) -> bool {
    next_filled(lines, end + 1).is_some_and(|i| lines[i].is_quoted() || lines[i].place.indented)
}

/// Judges the joined words. In doubt it is prose.
fn is_attribution(words: &str, quote_below: impl Fn() -> bool, folded: bool) -> bool {
    let trimmed = words.trim_end_matches(|c: char| is_space(c) || matches!(c, '*' | '_'));
    let body = match trimmed.strip_suffix([':', '：']) {
        Some(body) => body,
        // Zoho: `---- On Mon, 23 Nov 2026 10:00:00 +0800 A B <a@b.com> wrote ----`
        None if trimmed.ends_with("--") || trimmed.ends_with("==") => trimmed.trim_end_matches(['-', '=']),
        None => return false,
    };
    let body = &visible(body.trim_matches(|c: char| is_space(c) || matches!(c, '-' | '*' | '=' | ':' | '：')));
    let lower = plain_words(&body.replace("道 ", "道"));
    let squeezed_zh = lower.replace("寫 道", "寫道").replace("写 道", "写道");
    let verb = VERBS.iter().any(|v| squeezed_zh.ends_with(v) && is_word_end(&squeezed_zh, v));
    let lead = LEAD.is_match(body);
    let date = DATE.is_match(body);
    let address = ADDRESS.is_match(body);
    if verb && date && (address || lead || has_cjk_date(body)) {
        return true;
    }
    let inner_verb = || VERBS.iter().any(|v| lower.contains(&format!(" {v} ")));
    if date && (lead || address) && inner_verb() && (address || body.len() < 120) {
        return true;
    }
    // `пн, 11 мая 2020 г. в 17:58, Name <a@b>:` and other verbless ones
    if date && address && lead && body.ends_with(['>', ')']) {
        return true;
    }
    if verb && address && !folded && lower.len() < 160 {
        return true;
    }
    (verb && lower.len() < 200 || (address && body.ends_with('>')) || (lead && date)) && quote_below()
}

/// `张三 于2021年…`, `张三 在 2021/3/1…`; a mere 在 is in every other sentence.
fn has_cjk_date(body: &str) -> bool {
    ['在', '于', '於'].iter().any(|word| {
        body.split(*word)
            .skip(1)
            .any(|after| after.trim_start_matches(is_space).starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn is_word_end(text: &str, verb: &str) -> bool {
    let before = text[..text.len() - verb.len()].chars().next_back();
    !verb.is_ascii() || before.is_none_or(|c| !c.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::super::lines::from_text;
    use super::*;

    fn check(text: &str, expect: Option<usize>) {
        let lines = from_text(text);
        assert_eq!(attribution(&lines, 0).map(|a| a.end), expect, "{text:?}");
    }

    #[test]
    fn chinese_clients() {
        check("在 2026-10-03 18:28:31，\"Support\" <s@x.com> 写道：", Some(0));
        check("Li Si <l@x.com> 于2021年3月22日周一 上午10:00写道：", Some(0));
        check("Li Si <l@x.com> 于2021年3月22日周一\n上午10:00写道：", Some(1));
        check("Li Si <l@x.com>\n于2021年3月22日周一 上午10:00写道：", Some(1));
        check("我发给了\n于2021年3月22日周一 上午10:00，Li Si <l@x.com> 写道：", None);
        check("在 2026年1月5日周一 10:00，张三 <z@x.com> 写道：", Some(0));
        check("A <a@b.tw> 於 2020年10月5日 週一 下午11:30 寫道：", Some(0));
        check("A <a@b.tw> 於 2020年10月5日 週一 下午11:30 寫\n道：", Some(1));
        check("在2025年12月26日星期五 UTC+8 13:31:25<name> 写道：", Some(0));
        check("2022年8月25日 上午12:24，A B <a@b.cn> 写道：", Some(0));
        check("在 2021年9月24日，09:09，A <a@b.cn> 写道：", Some(0));
        check("在 2016年10月13日，20:41，雪里 n@x.cn 写道：", Some(0));
        check("在 2023/5/16 9:57, wangwudi 写道:", Some(0));
        check("于 2020年4月6日 GMT+08:00 下午6:57:18, A <a@b.cn> 写到:", Some(0));
        check("在2025年5月19日周一 上午3:56，Bibo Mao写道：", Some(0));
        check("======= 2005-01-01 10:10:10 您在来信中写道：=======", Some(0));
    }

    #[test]
    fn english_lines() {
        check("On Tue, Jan 6, 2026 at 10:00 AM A B <a@b.com> wrote:", Some(0));
        check("On Tue, Jan 6, 2026 at 10:00 AM A B via Users <\nusers@lists.b.com> wrote:", Some(1));
        check("On Tue, Jan 6, 2026 at 10:00 AM A B <a@b.com>\nwrote:", Some(1));
        check("At 2022-08-31 22:33:45, \"A S\" <s@x.com> wrote:", Some(0));
        check("On Wed,Jun 22,2022 2:07 AM Name <n@x.com> wrote:", Some(0));
        check("On Thu, Jul 8, 2021, 13:12 <a@b.com> wrote:", Some(0));
        check("On 2022/12/24 上午12:06, David H wrote:", Some(0));
        check("On 11-Apr-2026, at 6:54 PM, R T <r@x.com> sent:", Some(0));
        check("---- On Mon, 23 Nov 2026 10:00:00 +0800 A B <a@b.com> wrote ----", Some(0));
        check("John wrote:\n> hi", Some(0));
    }

    #[test]
    fn other_languages() {
        check("Am 09.07.2026 um 14:03 schrieb A B <a@b.de>:", Some(0));
        check("Am 12.06.2026 um 10:00 schrieb Wilhelm G. N:", Some(0));
        check("Le mar. 6 janv. 2026 à 10:00, A <a@b.fr> a écrit :", Some(0));
        check("El jueves, 21 de noviembre de 2026, alguien escribió:", Some(0));
        check("Em 2 de fevereiro de 2026 10:58, d <\ni@d.org> escreveu:", Some(1));
        check("Op 17-feb.-2026, om 13:18 heeft J C <p@r.com> het volgende geschreven:", Some(0));
        check("Den 14 september, 2026 02:23:18, V R (v@r.be) skrev:", Some(0));
        check("23 mar 2026 21:25 \"N L\" <m@d.com> napisał(a):", Some(0));
        check("пн, 11 мая 2026 г. в 17:58, M D <m@d.com>:", Some(0));
        check("2026年10月17日(月) 23:19 M L <p@g.com>:", Some(0));
        check("2026-10-17 11:28 GMT+03:00 Post <\np@s.org>:", Some(1));
        check("Vào Th 3, 16 thg 2, 2026 vào lúc 18:20 C via U <\nu@l.com> đã viết:", Some(1));
        check("someone via Forum <i@d.org> schrieb:\n>x", Some(0));
    }

    #[test]
    fn prose_is_not_an_attribution() {
        check("在他的书中，作者写道：", None);
        check("今天上午10:30李四在群里写道：", None);
        check("李四 在 2026/1/5 10:30 写道：", Some(0));
        check("On Monday I wrote:", None);
        check("On 2026-01-05 at 10:30 we saw the following error:", None);
        check("I asked bob@x.com on 2026-01-05 about this:", None);
        check("步骤如下：", None);
        check("报错如下：\n> error", None);
        check("On this day\n\nI wrote something:", None);
        check("", None);
    }

    #[test]
    fn prose_above_stays() {
        check("I sent it on 2026-03-01 to you\nOn Tue, Jan 6, 2026 at 10:00 AM A <a@b.com> wrote:", None);
        let lines = from_text("reply On Wed, Apr 4, 2026 at 3:59 PM, bob@x.com wrote:");
        assert_eq!(attribution(&lines, 0), Some(Attribution { end: 0, from: 5 }));
    }
}
