//! What a mail only repeats: the sign-off that stands under an earlier mail of the history word for word, and the label
//! that a gateway or an office program puts above every mail. Neither is news; both stay in the full text.

use super::lines::{Line, is_space, plain_words};
use super::pattern;
use super::separator::{Separator, separator};
use regex::Regex;
use std::sync::LazyLock;

/// Lines of a sign-off; a longer one is cut only in part.
const MOST_LINES: usize = 8;
/// Characters of one of its lines.
const LONGEST_LINE: usize = 60;

/// Where the sign-off of `newest` begins when a mail in `history` closes with the same lines.
pub fn sign_off(newest: &[&Line], history: &[&Line]) -> Option<usize> {
    let filled: Vec<usize> = (0..newest.len()).filter(|&i| !newest[i].is_blank()).collect();
    let tail: Vec<&str> = filled.iter().rev().take(MOST_LINES).map(|&i| trimmed(newest[i])).collect();
    let most = closings(history, tail.first()?).map(|at| in_common(&tail, &history[..=at])).max()?;
    let begins = |&lines: &usize| {
        let first = filled[filled.len() - lines];
        let paragraph = newest[first - 1].is_blank() || CLOSING.is_match(trimmed(newest[first]));
        paragraph && is_sign_off(&tail[..lines])
    };
    (2..=most.min(filled.len() - 1)).rev().find(begins).map(|lines| filled[filled.len() - lines])
}

fn trimmed<'l>(line: &'l Line) -> &'l str {
    line.text.trim_matches(is_space)
}

/// A comma behind the name comes and goes.
fn same(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches([',', '.', '，', '。']).len();
    a[..bare(a)] == b[..bare(b)]
}

/// The lines of the history that read `last` and close a mail or a paragraph.
fn closings<'l>(history: &'l [&Line<'l>], last: &'l str) -> impl Iterator<Item = usize> + 'l {
    let ends = |next: &&Line| next.is_blank() || separator(&next.text) == Some(Separator::Rule);
    let closes = move |at: usize| history.get(at + 1).is_none_or(|next| ends(next) || next.depth != history[at].depth);
    (0..history.len()).filter(move |&at| same(trimmed(history[at]), last) && closes(at))
}

/// How many lines of `tail`, last first, also end `history`.
fn in_common(tail: &[&str], history: &[&Line]) -> usize {
    let filled = history.iter().rev().filter(|l| !l.is_blank()).map(|l| trimmed(l));
    tail.iter().zip(filled).take_while(|(a, b)| same(a, b)).count()
}

/// `lines`, last first, hold a greeting or three lines of a card, and no sentence.
fn is_sign_off(lines: &[&str]) -> bool {
    let short = |l: &&str| CLOSING.is_match(l) || l.chars().count() <= LONGEST_LINE && !l.ends_with(SENTENCE_ENDS);
    let greets = lines.last().is_some_and(|l| CLOSING.is_match(l));
    lines.iter().all(short) && (greets || lines.len() >= 3)
}

const SENTENCE_ENDS: [char; 7] = ['。', '？', '！', '?', '!', ';', '；'];

static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^(?:
          (?:(?:with|best|kind|kindest|warm|warmest|many|all|thanks|thank\ you)\b[\s,&+and]*){0,3}
          (?:regards|wishes|thanks|thank\ you|cheers|sincerely|yours|best)\b[\sa-z]{0,20}
        | 谢谢[您你]?|多谢|感谢|祝好|此致|敬礼|顺祝商祺|顺颂商祺|致敬|謝謝|順頌商祺
        )[\s,.!，。！~～:：-]*$",
    )
});

/// Lines at the top in which labels are looked for.
const BANNER_LINES: usize = 3;

/// How many of the first lines are labels: `Classification: Internal`, `【外部邮件】`, `[CAUTION: External email …]`.
pub fn banner(newest: &[&Line]) -> usize {
    let filled = newest.iter().enumerate().filter(|(_, l)| !l.is_blank()).take(BANNER_LINES);
    filled
        .take_while(|(_, l)| l.text.len() < 600 && BANNER.is_match(&plain_words(&l.text)))
        .last()
        .map_or(0, |(i, _)| i + 1)
}

static BANNER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^[\[【(<（\s]*(?:
          (?:(?:data\ |e-?mail\ |security\ )?classification|sensitivity|密级|密級|保密级别|信息分类|机密等级)\s*:\s*[\p{L}\ /_-]{2,40}
        | external(?:\ e-?mail|\ message|\ sender)?(?:\ (?:alert|warning))?
        | (?:caution|warning)?[\s:!-]*(?:external\ (?:e-?mail|message|sender)
          | this\ (?:e-?mail|message)\ (?:is|was|has\ been|came|originated|comes)\b[a-z\ ]{0,20}\bfrom\b.{0,20}\boutside\b).*
        | 外部邮件|外来邮件|外部郵件
        | (?:注意|警告|提醒|外部邮件)[\s:!,】\]]*(?:此|本|该|這|这)(?:封|是)?(?:外部)?(?:邮件|郵件)(?:来自|來自|发自)(?:公司|组织|企业)?(?:外部|以外).*
        | [a-z\ -]{0,30}(?:official|internal|company)\ use\ only[a-z\ -]{0,30}
        )[\]】)>）\s.。]*$",
    )
});

#[cfg(test)]
mod tests {
    use super::super::lines::from_text;
    use super::*;

    fn check_sign_off(newest: &str, history: &str, text_lines: Option<usize>) {
        let (newest, history) = (from_text(newest), from_text(history));
        let (newest, history): (Vec<_>, Vec<_>) = (newest.iter().collect(), history.iter().collect());
        assert_eq!(sign_off(&newest, &history), text_lines, "{newest:?}");
    }

    #[test]
    fn a_sign_off_that_was_there_before() {
        check_sign_off("可以了\n\n谢谢\n张三", "打印机坏了\n\n谢谢\n张三", Some(2));
        check_sign_off(
            "Fixed.\nThanks & regards,\nSunitha",
            "> Reminder\n> \n> Thanks & regards,\n> Sunitha\n> \n> older",
            Some(1),
        );
        check_sign_off("ok\n\nSam\nEngineer\nResearch", "> so\n>\n> Sam\n> Engineer\n> Research\n\nmine", Some(2));
        check_sign_off("With best regards,\nAlexander", "> a\n> With best regards,\n> Alexander", None);
        check_sign_off("ok\n\nRegards,\nLi", "> a\n>> Regards,\n>> Li\n> b", Some(2));
    }

    /// In doubt the text stays.
    #[test]
    fn what_merely_resembles_one() {
        for (newest, history) in [
            ("可以了\n\n谢谢\n张三", "打印机坏了\n\n谢谢\n李四"),
            ("可以了\n谢谢", "打印机坏了\n谢谢"),
            ("还是不行\n\n301 房间\n五号楼", "打印机坏了\n\n301 房间\n五号楼"),
            ("再说一次：\n\n打印机坏了。\n网络断了。\n电话不通。", "您好\n\n打印机坏了。\n网络断了。\n电话不通。"),
            ("ok\n\nA\nB\nC", "> A\n> B\n> C\n> and more"),
            ("谢谢\n张三", "谢谢\n张三"),
            ("", "谢谢\n张三"),
        ] {
            check_sign_off(newest, history, None);
        }
    }

    fn check_banner(line: &str, is_one: bool) {
        let text = format!("{line}\n\n打印机坏了");
        let lines = from_text(&text);
        assert_eq!(banner(&lines.iter().collect::<Vec<_>>()), usize::from(is_one), "{line}");
    }

    #[test]
    fn labels_above_a_mail() {
        for line in [
            "Classification: Internal",
            "Sensitivity: General",
            "密级：内部公开",
            "【外部邮件】",
            "[EXTERNAL]",
            "External Email Alert",
            "[AMD Official Use Only - General]",
            "[CAUTION: This Email is from outside the Organization. Unless you trust the sender, don’t click links.]",
            "CAUTION: This email originated from outside of the organization. Do not click links.",
            "【注意】此邮件来自外部，请谨慎点击链接",
        ] {
            check_banner(line, true);
        }
        for line in [
            "External monitor is black",
            "Warning: disk full",
            "注意：此邮件无法打开",
            "外部邮件收不到",
            "Caution",
            "Classification: the report says my mail was put into the wrong class, please help",
            "This email is from a colleague",
        ] {
            check_banner(line, false);
        }
    }
}
