//! Finds where a stretch of new text ends and the signature, "sent from" lines, mailing-list footers and disclaimers
//! begin (`domain.md` 1.5). Works on the tail only; in doubt the text stays.

use super::lines::{Line, is_space, plain_words};
use super::pattern;
use super::separator::{Separator, separator};
use regex::Regex;
use std::sync::LazyLock;

/// Signature, device line, footer, disclaimer, and each once more: deeper is not mail.
const MOST_LAYERS: usize = 12;

/// How many of `lines` are text; the rest is signature. `before_quote`: a quote follows.
pub fn text_end(lines: &[&Line], before_quote: bool) -> usize {
    let mut end = trim(lines, lines.len());
    for _ in 0..MOST_LAYERS {
        let shorter = [list_footer, disclaimer, delimiter, sent_from, table_card]
            .iter()
            .find_map(|find| find(&lines[..end]))
            .or_else(|| ruled_card(&lines[..end], before_quote));

        match shorter.map(|s| trim(lines, s)) {
            Some(s) if s < end => end = s,
            _ => return end,
        }
    }
    end
}

/// Drops blank lines and rules at the end.
fn trim(lines: &[&Line], end: usize) -> usize {
    let is_rule = |l: &Line| separator(&l.text) == Some(Separator::Rule) || matches!(l.text.trim(), "--" | "—");
    lines[..end].iter().rposition(|l| !l.is_blank() && !is_rule(l)).map_or(0, |i| i + 1)
}

/// Lines of the tail, last first, blank ones skipped.
fn tail<'l>(lines: &'l [&Line<'l>], most: usize) -> impl Iterator<Item = (usize, &'l str)> {
    lines
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, l)| !l.is_blank())
        .take(most)
        .map(|(i, l)| (i, l.text.trim_matches(is_space)))
}

/// `-- ` (RFC 3676 section 4.3), also with other dashes and without the blank, or what a client marked as signature.
fn delimiter(lines: &[&Line]) -> Option<usize> {
    let marked = tail(lines, 30).map(|(i, _)| i).take_while(|&i| lines[i].place.signature).last();
    marked.or_else(|| {
        tail(lines, 40).find(|(_, t)| matches!(*t, "--" | "—" | "– –" | "- -" | "——" | "-- " | "―")).map(|(i, _)| i)
    })
}

static SENT_FROM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^[<\[(（—–-]*\s*(?:
          (?:发自|發自)\s*(?:我的?.{1,30}
            | .{0,20}(?:[a-z]|邮|郵|手机|手機|客户端|企业微信|钉钉|飞书|平板).{0,20})
        | 来自(?:我的)?\s*.{0,12}(?:iphone|ipad|邮箱|郵箱|手机端?|客户端|outlook|foxmail|android|华为|小米)
        | (?:从|從|由)\s*(?:我的?\s*.{0,20})?(?:iphone|ipad|windows|android|安卓|手机|手機|outlook|foxmail|thunderbird|mac)
          [\sa-z0-9.]{0,16}(?:版|客户端|邮件|郵件|应用|应用程序|设备){0,3}\s*(?:发送|發送|傳送|寄出)
        | (?:通过|通過|使用)\s*(?:我的)?[\sa-z0-9.-]{0,20}(?:安卓|手机|手機|设备|客户端|邮箱大师|outlook|foxmail|mail){1,2}\s*
          (?:发送|發送)(?:自我的.{1,20})?
        | (?:发送自|傳送自|寄自)\s*.{0,20}(?:windows|邮件|郵件|outlook|iphone|ipad|mac|手机|android|客户端).{0,10}
        | (?:获取|取得|下载|下載)\s*(?:适用于\s*)?
          (?:(?:ios|android|mac)\s*(?:的|版)*\s*outlook | outlook\s*(?:for|版)\s*\w+)
        | sent\ (?:wirelessly\ |securely\ )?(?:from|via|using|with)\ (?:my|mail|yahoo|outlook|proton|samsung|the\ all
          |a\ mobile|mobile|spark|blackberry|iphone|ipad|android|windows|sparrow|airmail|acompli|gmail|wecom|foxmail
          |bluemail|thunderbird|k-9|[a-z]+\ for\ )\b.{0,60}
        | (?:get|obtenez|obtenir|télécharger|obtén|holen\ sie\ sich|scarica|obter|ottieni|download)\ (?:outlook|bluemail)\ .{2,30}
        | outlook\ für\ .{2,30}
        | (?:iphone|ipad)から送信 | 나의\ iphone에서\ 보냄
        | von\ meinem\ .{1,40}\ gesendet
        | diese\ nachricht\ wurde\ von\ mein.{1,60}gesendet
        | typed\ (?:on|with)\ my\ .{2,40}
        )[\])）>.。]*$",
    )
});

/// What stands behind a device line: "please excuse my brevity".
static APOLOGY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)[,.;]\s*(?:please\s+)?(?:excuse|pardon|forgive|sorry for)\s.{1,60}$"));

/// "Sent from my iPhone" and its relatives, among the last lines.
fn sent_from(lines: &[&Line]) -> Option<usize> {
    tail(lines, 2).find(|(_, t)| is_sent_from(t)).map(|(i, _)| i)
}

/// "Sent from my desk, is much easier than …" is prose: a device line has no clause.
fn is_sent_from(text: &str) -> bool {
    if text.len() > 400 {
        return false;
    }
    let text = APOLOGY.find(text).map_or(text, |apology| &text[..apology.start()]);
    let short = text.len() <= 120 && !text.trim_end_matches(['.', '。']).contains([',', '，', '。', '?', '？', '!']);
    // A link behind the words: `Get Outlook for iOS<https://aka.ms/o0ukef>`
    let words = text.split(" <http").next().unwrap_or(text);
    let words = words.split("<http").next().unwrap_or(words);
    (short || words.len() < text.len()) && (SENT_FROM.is_match(words.trim()) || names_device(words.trim()))
}

/// Other languages: few words, the first or last one says "sent", another names a device or client.
fn names_device(words: &str) -> bool {
    let lower = plain_words(words);
    let sent = SENT.iter().any(|w| lower.starts_with(w) || lower.ends_with(w));
    lower.split_whitespace().count() <= 8 && sent && DEVICES.iter().any(|w| lower.contains(w))
}

const SENT: &[&str] = &[
    "küldve",
    "trimis",
    "verzonden",
    "verstuurd",
    "gesendet",
    "envoyé",
    "enviado",
    "enviada",
    "inviato",
    "skickat",
    "sendt",
    "wysłan",
    "odesláno",
    "poslan",
    "odoslan",
    "отправлено",
    "надіслано",
    "gönder",
    "lähetetty",
    "στάλθηκε",
    "أرسلت",
    "أُرسلت",
    "送信",
    "보냄",
    "dikirim",
    "saadetud",
    "изпратено",
    "gửi từ",
];

const DEVICES: &[&str] = &[
    "iphone",
    "ipad",
    "android",
    "outlook",
    "samsung",
    "galaxy",
    "huawei",
    "xiaomi",
    "mobile device",
    "mail app",
    "smartphone",
    "yahoo mail",
    "blackberry",
    "nokia",
    "pixel",
    "windows phone",
];

/// Words of list managers that count below a rule.
static LIST_FOOTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)mailing list|^to unsubscribe|^unsubscribe\b|/listinfo/|^you (?:received this message|are receiving this (?:e-?mail|message)) because|退订|取消订阅|^list (?:archive|info)",
    )
});

/// The same where no rule stands above.
static BARE_FOOTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?:[\w.-]+ mailing list(?: -- \S+@\S+)?|to unsubscribe(?:,| from this (?:list|group)| send an? e-?mail).*|you received this message because you are subscribed.*)$",
    )
});

/// A rule, then words of a list manager; the last lines only.
fn list_footer(lines: &[&Line]) -> Option<usize> {
    let words: Vec<_> = tail(lines, 12).filter(|(_, t)| t.len() < 300).collect();
    let top = |pattern: &Regex| words.iter().rfind(|(_, t)| pattern.is_match(t)).map(|(i, _)| *i);
    let rule_above = |hit: usize| tail(&lines[..hit], 3).find(|(_, t)| is_footer_rule(t)).map(|(i, _)| i);
    let ruled = top(&LIST_FOOTER).and_then(rule_above);
    let bare = || top(&BARE_FOOTER);
    let proven = |i: &usize| lines[*i..].iter().any(|l| l.text.contains('@') || l.text.contains("://"));
    ruled.or_else(bare).filter(proven)
}

fn is_footer_rule(text: &str) -> bool {
    separator(text) == Some(Separator::Rule) || matches!(text, "--" | "—" | "__")
}

static DISCLAIMER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^[*:_\s-]*(?:
          (?:本|此|该)(?:电子)?(?:邮件|郵件|信息)(?:传输|传递)?(?:及|和|与|或|中|所|的|内容|附件|可能|包含|含|為|为|是|系|仅|任何|只|[,，(（])
          .*(?:保密|机密|機密|专有|特权|误收|错误收到|未经授权|仅供.{0,12}(?:收件人|使用))
        | (?:本|此|该)(?:电子)?(?:邮件|郵件|信息)仅供.{0,12}(?:收件人|使用)
        | (?:保密|免责|機密)(?:声明|聲明|提示|通知)\s*[:：]
        | (?:this|the\ information\ in\ this|the\ contents?\ of\ this)\ (?:e-?mail|message|communication|electronic\ \w+)
          (?:\ (?:message|transmission|communication))?
          (?:[\s,(\[/]*(?:and|or|its?|any|may|might|contains?|including|together|with|transmitted|from)\b
            |.{0,40}\ is\ (?:intended|confidential|only|solely|strictly|private|privileged|proprietary))
          .*(?:confidential|privileged|proprietary|intended\ (?:only|solely|for\ the|recipient))
        | (?:this|the\ information\ in\ this)\ (?:e-?mail|message|communication)\ is
          \ (?:confidential|privileged|proprietary|intended\ (?:only|solely|for\ the|recipient))
        | (?:e-?mail\ )?(?:confidentiality|disclaimer|privacy)(?:\ (?:notice|note|disclaimer))?\s*[:：*]
        | (?:e-?mail\ )?confidentiality\ (?:notice|note)\b
        | (?:disclaimer|免责声明)[:：\s*]*$
        | (?:diese\ e-?mail|der\ inhalt\ dieser).*vertraulich
        | ce\ (?:message|courriel).*confidentiel
        | please\ consider\ the\ environment\b | 请考虑环境
        )",
    )
});

/// Legal text in the tail.
fn disclaimer(lines: &[&Line]) -> Option<usize> {
    let hit = tail(lines, 25).filter(|(_, t)| !t.ends_with(['?', '？']) && DISCLAIMER.is_match(clip(t))).last()?.0;
    lines[..hit].iter().any(|l| !l.is_blank()).then_some(hit)
}

fn clip(text: &str) -> &str {
    let end = (0..=text.len().min(600)).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    &text[..end]
}

/// Mail Master's signature: a table of bars.
fn table_card(lines: &[&Line]) -> Option<usize> {
    let bar = |t: &str| t.starts_with('|') && t.chars().all(|c| matches!(c, '|' | ' ' | '-' | '\u{a0}'));
    let first = tail(lines, 12).filter(|(_, t)| bar(t)).last()?.0;
    let bars = lines[first..].iter().filter(|l| bar(l.text.trim())).count();
    (bars >= 2).then_some(first)
}

/// A rule, then the own name or address, right above the quote (Foxmail's plain text mode), or a few short lines when
/// the rule is an underscore.
fn ruled_card(lines: &[&Line], before_quote: bool) -> Option<usize> {
    for (lines_below, (at, text)) in tail(lines, 6).enumerate().take_while(|_| before_quote) {
        if separator(text) == Some(Separator::Rule) && text.len() >= 5 {
            let most = if text.starts_with('_') { 5 } else { 1 };
            return (lines_below <= most && text.starts_with(['_', '-'])).then_some(at);
        }
        if text.chars().count() > 40 || text.contains(['，', '。', '？', '?', '！', '!', '；', '：']) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::lines::{from_text, to_text};
    use super::*;

    fn check(text: &str, expect: &str) {
        let lines = from_text(text);
        let all: Vec<_> = lines.iter().collect();
        assert_eq!(to_text(all[..text_end(&all, false)].iter().copied()), expect, "{text:?}");
    }

    #[test]
    fn delimiters_and_device_lines() {
        check("好的\n-- \n张三\n电话 8012", "好的");
        check("ok\n--\nBob", "ok");
        for line in [
            "发自我的iPhone",
            "发自我的 iPad",
            "从我的 iPhone 发送",
            "發自我的iPhone",
            "從我的iPhone傳送",
            "Sent from my iPhone",
            "发自我的小米手机",
            "发自我的华为手机",
            "Sent from my HUAWEI P40",
            "获取 Outlook for iOS",
            "取得 iOS 版 Outlook",
            "Get Outlook for Android",
            "Get Outlook for iOS<https://aka.ms/o0ukef>",
            "发送自 Windows 10 版邮件应用",
            "从 Windows 版邮件发送",
            "发自我的网易邮箱手机智能版",
            "发自网易邮箱大师",
            "来自QQ邮箱",
            "发自新浪邮箱客户端",
            "发自飞书邮箱",
            "发自钉钉",
            "Von meinem iPhone gesendet",
            "Envoyé de mon iPhone",
            "Enviado desde mi iPhone",
            "Gesendet mit der mobilen Mail App",
            "Télécharger Outlook pour iOS",
            "从 Outlook for Android 发送",
            "由我的 iPhone 傳送",
            "傳送自 iPhone",
            "下載 iOS 版 Outlook",
            "来自手机端",
            "——发自我的iPhone",
            "通过我的安卓设备发送",
            "使用 K-9 Mail 发送自我的Android设备。",
            "Sent from Gmail Mobile",
            "Get BlueMail for Android",
            "Sent from a mobile device, please excuse typos",
        ] {
            check(&format!("打印机坏了\n\n{line}"), "打印机坏了");
        }
        check("好的\n________________________________\n发自我的企业微信", "好的");
        for line in [
            "发自内心地感谢",
            "下载 Outlook",
            "使用 Outlook 发送邮件失败",
            "从 Outlook 里无法发送",
            "由张三发送",
            "通过手机也收不到邮件",
            "来自我的同事张三",
            "Sent from our ERP system",
        ] {
            check(&format!("打印机坏了\n\n{line}"), &format!("打印机坏了\n\n{line}"));
        }
        check(
            "ok\n\nSent from my desk, is much easier than my phone.",
            "ok\n\nSent from my desk, is much easier than my phone.",
        );
    }

    #[test]
    fn footers_and_disclaimers() {
        check(
            "hi\n_______________________________________________\nusers mailing list -- users@l.com\nTo unsubscribe send an email to u@l.com",
            "hi",
        );
        check("hi\n\nThis email and any attachments are confidential and intended for the addressee.", "hi");
        check("好的\n\n本邮件（含附件）可能包含保密信息，如误收请删除。", "好的");
        for notice in [
            "This message is intended only for the named recipient.",
            "This e-mail (and its attachments) may contain privileged information.",
            "This email is confidential.",
            "本电子邮件及附件仅供指定收件人使用",
        ] {
            check(&format!("hi\n\n{notice}\nMore of it."), "hi");
        }
        for prose in [
            "打不开系统\n该信息提示：未经授权的访问\n请处理",
            "I cannot open the file server.\nThis message pops up when I open the confidential folder.\nPlease help.",
            "This email is confidential and intended",
        ] {
            check(prose, prose);
        }
        check(
            "How do I unsubscribe from the mailing list of sales?",
            "How do I unsubscribe from the mailing list of sales?",
        );
    }

    /// Names, departments and telephone numbers are facts for the ticket; closings are courtesy for the reader.
    #[test]
    fn cards_and_courtesy_stay() {
        check("好的\n谢谢\n张三\n财务部\n电话：010-12345678", "好的\n谢谢\n张三\n财务部\n电话：010-12345678");
        check("谢谢，另外打印机也坏了", "谢谢，另外打印机也坏了");
        check("打印机坏了\n-----\n另外网络也断了", "打印机坏了\n-----\n另外网络也断了");
        check("见附件\n| |\n张三\n|\n|\n邮箱：a@b.com\n|", "见附件");
    }

    #[test]
    fn foxmail_signs_above_the_quote() {
        let lines = from_text("收到\n--------------\nzs@x.com");
        let all: Vec<_> = lines.iter().collect();
        assert_eq!((text_end(&all, true), text_end(&all, false)), (1, 3));
    }
}
