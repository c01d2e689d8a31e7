//! The message that a forward passes on: its author, subject, date and text, as the forwarding program shows them above it
//! (`domain.md` 1.1).

use super::attribution::attribution;
use super::clean;
use super::labels::{Label, header_block, label};
use super::lines::{Line, next_filled, plain_words};
use super::separator::{Separator, is_bare_original, separator};
use crate::address::Address;
use crate::desk::inbound::{Body, Forwarded};

/// Lines of one header block at most, blank ones not counted.
const LONGEST_BLOCK: usize = 30;
/// Characters of the passed-on text that are kept apart.
const LONGEST_TEXT: usize = 32 * 1024;

/// Reads the outermost message passed on in these lines; `None` when nothing says where one begins.
pub fn read(lines: &[Line]) -> Option<Forwarded> {
    let start = (0..lines.len()).find(|at| begins(lines, *at))?;
    let mut found = Forwarded::default();
    let below = if let Some(end) = attribution(lines, start).map(|found| found.end) {
        let words: Vec<&str> = lines[start..=end].iter().map(|line| &*line.text).collect();
        sender(&words.join(" "), &mut found);
        // All that an attribution says besides is when.
        found.name = attributed_name(&found.name);
        end + 1
    } else {
        header(lines, start, &mut found)
    };
    found.body = body(&lines[below.min(lines.len())..]);
    found.above = body(above(lines, start)).text;
    Some(found)
}

fn begins(lines: &[Line], at: usize) -> bool {
    let text = &lines[at].text;
    if separator(text) == Some(Separator::Forwarded) {
        return true;
    }
    if separator(text) == Some(Separator::Original) || is_bare_original(text) {
        return next_filled(lines, at + 1).is_some_and(|next| label(&lines[next].text).is_some());
    }
    (label(text).is_some() && header_block(lines, at, false).is_some()) || attribution(lines, at).is_some()
}

/// Reads the labels below `start`; gives the line behind them.
fn header(lines: &[Line], start: usize, found: &mut Forwarded) -> usize {
    let (mut at, mut labels, mut open) = (start, 0, None);
    let mut end = start + 1;
    let mut filled = 0;
    while at < lines.len() && filled < LONGEST_BLOCK {
        let line = &lines[at];
        at += 1;
        if line.is_blank() {
            // Some programs put a blank line between the announcement and the labels, none between labels.
            if labels >= 2 {
                break;
            }
            continue;
        }
        filled += 1;
        match label(&line.text) {
            Some((name, value)) => {
                labels += 1;
                keep(name, value, found);
                open = Some((name, value.is_empty()));
                end = at;
            }
            // A value below its label, or a list of receivers that goes on.
            None if matches!(open, Some((_, true))) => {
                let (name, _) = open.take().unwrap_or((Label::Other, false));
                keep(name, line.text.trim(), found);
                open = Some((name, false));
                end = at;
            }
            None if matches!(open, Some((Label::To | Label::Cc, _))) && line.text.contains(['@', ';', '；']) => {
                end = at
            }
            None if labels == 0 => end = at,
            None => break,
        }
    }
    end
}

fn keep(name: Label, value: &str, found: &mut Forwarded) {
    match name {
        // 原邮件发件人名字 and 原邮件发件人地址 stand in two lines.
        Label::From => sender(value, found),
        Label::Subject if found.subject.is_empty() => found.subject = value.trim().to_owned(),
        Label::Sent if found.date.is_empty() => found.date = value.trim().to_owned(),
        _ => {}
    }
}

/// `"张三" <zs@x.com>;`, `A [mailto:a@b]`, `张三<a@b>`, `a@b`, or a name alone.
fn sender(value: &str, found: &mut Forwarded) {
    let parts = value.split(|c: char| c.is_whitespace() || "<>[]();；,，\"“”'".contains(c));
    let address = parts.map(|part| part.trim_start_matches("mailto:")).find_map(Address::parse);
    let name = match &address {
        Some(address) => {
            let at = value.find(address.as_str()).unwrap_or(value.len());
            value[..at].trim_end_matches("mailto:")
        }
        None => value,
    };
    let name = name.trim_matches(|c: char| c.is_whitespace() || "<>[]();；,\"“”'\u{a0}".contains(c));
    if found.name.is_empty() && !name.contains('@') {
        found.name = name.chars().take(80).collect();
    }
    found.address = found.address.take().or(address);
}

/// `在 2026-11-23 10:00，"张三" 写道` and `On Mon, Nov 23, 2:07 AM Ann Smith wrote`: what stands between time and verb.
fn attributed_name(text: &str) -> String {
    const VERBS: [&str; 5] = ["写道", "写到", "寫道", "寫到", "wrote"];
    let end = VERBS.iter().filter_map(|verb| text.rfind(verb)).max().unwrap_or(text.len());
    let text = &text[..end];
    let time = |c: char| c.is_ascii_digit() || matches!(c, ',' | '，');
    let from = text.rfind(time).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let name = text[from..].trim_matches(|c: char| c.is_whitespace() || "\"“”于於:：".contains(c));
    let name = ["AM ", "PM ", "am ", "pm "].iter().find_map(|half| name.strip_prefix(half)).unwrap_or(name);
    name.trim().to_owned()
}

/// What stands above, without commands and Foxmail's line with the writer's own address.
fn above<'l, 'a>(lines: &'l [Line<'a>], start: usize) -> &'l [Line<'a>] {
    let begin =
        lines[..start].iter().take_while(|line| line.is_blank() || line.text.trim_start().starts_with(['#', '＃']));
    let begin = begin.count();
    let mut end = start;
    while end > begin {
        let text = plain_words(&lines[end - 1].text);
        let ours = text.is_empty() || Address::parse(text.trim()).is_some() || separator(&text).is_some();
        if !ours {
            break;
        }
        end -= 1;
    }
    &lines[begin..end]
}

/// The formatting goes with the whole text only.
fn body(lines: &[Line]) -> Body {
    let mut text = lines.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n");
    let end = text.char_indices().nth(LONGEST_TEXT).map(|(at, _)| at);
    let formatted = end.is_none() && lines.iter().any(|line| line.rich.is_some());
    text.truncate(end.unwrap_or(text.len()));
    Body { text: text.trim().to_owned(), html: formatted.then(|| clean::to_html(lines.iter())).flatten() }
}

#[cfg(test)]
mod tests {
    use super::super::lines::from_text;
    use super::*;

    fn check(text: &str, want: &str) {
        let shown = |found: Forwarded| {
            let address = found.address.as_ref().map_or("-", Address::as_str).to_owned();
            format!(
                "{} | {address} | {} | {} | {} | {}",
                found.name, found.subject, found.date, found.above, found.body.text
            )
        };
        assert_eq!(read(&from_text(text)).map(shown).unwrap_or_default().replace('\n', "/"), want, "{text}");
    }

    /// The forms of `domain.md` 1.1, with the passed-on text `打印机坏了`.
    #[test]
    fn forwards_of_every_client() {
        let body = "\n\n打印机坏了\n请看看";
        let text = "打印机坏了/请看看";
        for (head, want) in [
            (
                "------------------\u{a0}原始邮件\u{a0}------------------\n发件人:\u{a0}\"张三\"<zs@x.com>;\n发送时间:\u{a0}2025年7月25日(星期五) 凌晨2:45\n收件人:\u{a0}\"it\"<it@x.com>;\n主题:\u{a0}打印",
                "张三 | zs@x.com | 打印 | 2025年7月25日(星期五) 凌晨2:45",
            ),
            (
                "------------------\u{a0}Original\u{a0}------------------\nFrom: \u{a0}\"A B\"<a@b.com>;\nDate: \u{a0}Mon, Jul 8, 2024 04:23 AM\nTo: x\nSubject: s",
                "A B | a@b.com | s | Mon, Jul 8, 2024 04:23 AM",
            ),
            (
                "原始邮件\n\nFrom:Support <s@x.com>\nSent Time:Oct 9, 2026 10:01\nTo:me<m@x.com>\nSubject:s",
                "Support | s@x.com | s | Oct 9, 2026 10:01",
            ),
            (
                "---原始邮件---\n发件人: \"x\"<x@qq.com>\n发送时间: 2024年3月1日(周五) 上午9:05\n收件人: y\n主题: s",
                "x | x@qq.com | s | 2024年3月1日(周五) 上午9:05",
            ),
            (
                "me@x.com\n\n发件人： 张三\n发送时间： 2026-07-30 17:14\n收件人： 李四\n主题： s",
                "张三 | - | s | 2026-07-30 17:14",
            ),
            (
                "= = = = = = 下面是转发邮件 = = = = = = =\n原邮件发件人名字：张三\n原邮件发件人地址：zs@x.com\n主题：s",
                "张三 | zs@x.com | s | ",
            ),
            (
                "-------- 转发邮件信息 --------\n发件人：\"x\" <a@b.com>\n发送日期：2025-12-29 16:13:08\n收件人：y <c@d.com>\n主题：s",
                "x | a@b.com | s | 2025-12-29 16:13:08",
            ),
            (
                "---- 转发的邮件 ----\n| 发件人 | 矢孤<a@b.com> |\n| 发送日期 | 2025年12月26日 13:17 |\n| 收件人 | y |\n| 主题 | s |",
                "矢孤 | a@b.com | s | 2025年12月26日 13:17",
            ),
            (
                "---- Forwarded Message ----\n| From | Support<s@x.com> |\n| Date | 10/03/2026 15:42 |\n| To | me |\n| Subject | s |",
                "Support | s@x.com | s | 10/03/2026 15:42",
            ),
            (
                "-----原始邮件-----\n发件人: \"A\" <a@b.com>\n发送时间: 2021-03-11 19:05:03 (星期四)\n收件人: y\n主题: s",
                "A | a@b.com | s | 2021-03-11 19:05:03 (星期四)",
            ),
            (
                "----- 原始邮件 -----\n发件人：A <a@b.com>\n收件人：y\n主题：s\n日期：2014年03月07日 10点10分",
                "A | a@b.com | s | 2014年03月07日 10点10分",
            ),
            (
                "------------------------------------------------------------------\n发件人：Nick <n@x.com>\n发送时间：2021年6月9日(星期三) 02:44\n收件人：y\n抄　送：z\n主　题：s",
                "Nick | n@x.com | s | 2021年6月9日(星期三) 02:44",
            ),
            (
                "--------- 转发消息 ---------\n发件人: 张三 <zs@x.com>\n时间: 2026年1月5日 10:00\n主题: s\n收件人: y",
                "张三 | zs@x.com | s | 2026年1月5日 10:00",
            ),
            (
                "-----邮件原件-----\n发件人: A [mailto:a@b.com] \n发送时间: 2021年8月6日 15:49\n收件人: x; y\n抄送: z\n主题: s",
                "A | a@b.com | s | 2021年8月6日 15:49",
            ),
            (
                "________________________________\n发件人: A <a@b.com>\n发送时间: 2021年12月14日 12:49\n收件人: y <y@x.com>;\n z <z@x.com>\n主题: s",
                "A | a@b.com | s | 2021年12月14日 12:49",
            ),
            (
                "________________________________________\n從: A [a@b.com]\n寄件日期: 2019年12月25日 上午 11:15\n至: y\n副本: z\n主旨: s",
                "A | a@b.com | s | 2019年12月25日 上午 11:15",
            ),
            (
                "寄件者: A <a@b.com>\n寄件日期: 2024年4月5日 上午 03:55\n收件者: y\n副本: z\n主旨: s",
                "A | a@b.com | s | 2024年4月5日 上午 03:55",
            ),
            (
                "-----Original Message-----\nFrom: A <a@b.com> \nSent: Monday, January 5, 2026 10:00 AM\nTo: y\nSubject: s",
                "A | a@b.com | s | Monday, January 5, 2026 10:00 AM",
            ),
            (
                "---------- Forwarded message ---------\n发件人： A <a@b.com>\nDate: 2024年1月5日周五 10:00\nSubject: s\nTo: <y@x.com>",
                "A | a@b.com | s | 2024年1月5日周五 10:00",
            ),
            (
                "下面是被转发的邮件：\n\n> 发件人: A <a@b.com>\n> 主题: s\n> 日期: 2026年9月29日 GMT+8 14:44:02\n> 收件人: y",
                "A | a@b.com | s | 2026年9月29日 GMT+8 14:44:02",
            ),
            (
                "> Begin forwarded message:\n> \n> From: \"A B\" <a@b.com>\n> Subject: s\n> Date: 5 January 2026 at 10:00:00 CST\n> To: y",
                "A B | a@b.com | s | 5 January 2026 at 10:00:00 CST",
            ),
            (
                "-------- 转发的消息 --------\n主题: \ts\n日期: \tFri, 28 Jun 2024 16:21:34 +0800\nFrom: \tA <a@b.com>\n收件人: \ty",
                "A | a@b.com | s | Fri, 28 Jun 2024 16:21:34 +0800",
            ),
            (
                "-------- 轉寄郵件 --------\n主旨: \ts\n日期: \tFri, 28 Jun 2024 16:21:34 +0800\n寄件者: \tA <a@b.com>\n收件者: \ty",
                "A | a@b.com | s | Fri, 28 Jun 2024 16:21:34 +0800",
            ),
            (
                "-------- 原始邮件 --------\n发件人： A <a@b.com>\n日期： 2024/3/1 09:05 (GMT+08:00)\n收件人： y\n主题： s",
                "A | a@b.com | s | 2024/3/1 09:05 (GMT+08:00)",
            ),
            ("From: A\nDate: 2021-05-10 21:31\nTo: B\nCC: C\nSubject: s", "A | - | s | 2021-05-10 21:31"),
        ] {
            check(&format!("{head}{body}"), &format!("{want} |  | {text}"));
            check(&format!("请处理，谢谢\n小王\n\n{head}{body}"), &format!("{want} | 请处理，谢谢/小王 | {text}"));
            check(&format!("#take\n＃备注 x\n\n{head}{body}"), &format!("{want} |  | {text}"));
        }
    }

    #[test]
    fn attributions_tell_who_wrote_it() {
        check(
            "FYI\n\n在 2026-10-03 18:28:31，\"张三\" <zs@x.com> 写道：\n> 打印机坏了",
            "张三 | zs@x.com |  |  | FYI | 打印机坏了",
        );
        for (line, who) in [
            ("2022年8月25日 上午12:24，A B <a@b.com> 写道：", "A B | a@b.com"),
            ("On Wed,Jun 22,2022 2:07 AM Name <n@x.com> wrote:", "Name | n@x.com"),
            ("At 2022-08-31 22:33:45, \"Alan Stern\" <s@x.com> wrote:", "Alan Stern | s@x.com"),
            ("Li Si <l@x.com> 于2021年3月22日周一 上午10:00写道：", "Li Si | l@x.com"),
            ("在 2026年1月5日周一 10:00，张三 <z@x.com> 写道：", "张三 | z@x.com"),
            ("在 2023/5/16 9:57, wangwudi 写道:", "wangwudi | -"),
            ("在2025年5月19日周一 上午3:56，Bibo Mao写道：", "Bibo Mao | -"),
            ("于 2020年4月6日 GMT+08:00 下午6:57:18, A <a@b.com> 写到:", "A | a@b.com"),
            ("On 2022/12/24 上午12:06, David Hildenbrand wrote:", "David Hildenbrand | -"),
            ("On Thu, Jul 8, 2021, 13:12 <a@b.com> wrote:", " | a@b.com"),
        ] {
            check(&format!("{line}\n\n> x"), &format!("{who} |  |  |  | x"));
        }
    }

    #[test]
    fn the_outermost_of_several_counts_and_nothing_is_nothing() {
        let inner = "---------- Forwarded message ---------\nFrom: B <b@x.com>\nSubject: inner\n\nold";
        check(
            &format!(
                "---------- Forwarded message ---------\nFrom: A <a@x.com>\nDate: d\nSubject: outer\n\nlook\n{inner}"
            ),
            "A | a@x.com | outer | d |  | look/---------- Forwarded message ---------/From: B <b@x.com>/Subject: inner//old",
        );
        for text in ["", "打印机坏了", "From the beginning it was slow"] {
            assert!(read(&from_text(text)).is_none(), "{text}");
        }
        for text in ["发件人：".repeat(20_000), "-".repeat(100_000), "From: a@b.com\n".repeat(5_000)] {
            read(&from_text(&text));
        }
    }
}
