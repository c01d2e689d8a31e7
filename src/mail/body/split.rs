//! Tells new text, history and signature apart. In doubt a line is text: the whole body is stored anyway, but what is
//! cut here is not read by the rules and not relayed.

use super::attribution::{Attribution, attribution};
use super::command::{self, command};
use super::labels::{header_block, label};
use super::lines::{Line, Mark, next_filled, plain_words};
use super::repeated;
use super::separator::{Separator, is_bare_original, separator};
use super::signature;
use super::{Purpose, pattern};
use crate::desk::command::CommandLine;
use regex::Regex;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Text,
    History,
    Signature,
}

/// What was found in a body.
#[derive(Debug, Default)]
pub struct Split {
    /// Numbers of the lines that are new text.
    pub kept: Vec<usize>,
    pub commands: Vec<CommandLine>,
    /// How many of `kept` the commands take.
    pub command_lines: usize,
    /// The reply shares a line with the attribution: only so many bytes of that line are text.
    pub shared: Option<(usize, usize)>,
    pub has_quote: bool,
    pub has_forward: bool,
    /// Cutting would have left nothing, so all was kept.
    pub whole: bool,
}

/// Judges all lines.
pub fn split(lines: &[Line], purpose: Purpose) -> Split {
    let mut reader = Reader {
        lines,
        roles: vec![Role::Text; lines.len()],
        out: Split::default(),
        top: None,
        purpose,
        text_seen: false,
    };
    reader.walk();
    reader.cut_banner();
    reader.cut_signatures();
    reader.cut_repeated();
    reader.finish()
}

/// Text shorter than this, in characters, may be only a covering note (`domain.md` trap 9).
const COVERING_NOTE: usize = 20;
/// Text longer than this, in characters, says its answer itself.
const LONGEST_POINTER: usize = 200;

struct Reader<'l, 'a> {
    lines: &'l [Line<'a>],
    roles: Vec<Role>,
    out: Split,
    /// Where the newest text stops being at the top: first quote, history or forward.
    top: Option<usize>,
    purpose: Purpose,
    /// A line of new text was met.
    text_seen: bool,
}

enum Border {
    Cut,
    Forward,
    Attribution(Attribution),
}

impl Reader<'_, '_> {
    fn walk(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let line = &self.lines[at];
            if self.roles[at] == Role::History || (line.is_blank() && !line.is_quoted()) {
                at += 1;
                continue;
            }
            if line.is_quoted() && !self.starts_forward_in_quote(at) {
                at = self.quoted(at);
                continue;
            }
            at = match self.border(at) {
                None => {
                    self.text_seen = self.text_seen || separator(&self.lines[at].text).is_none();
                    at + 1
                }
                Some(Border::Attribution(found)) => self.attributed(at, found),
                Some(Border::Forward) => self.forward(at),
                Some(Border::Cut) => self.cut(at),
            };
        }
    }

    /// Apple Mail puts even the announcement of a forward behind `>`.
    fn starts_forward_in_quote(&self, at: usize) -> bool {
        self.top.is_none() && separator(&self.lines[at].text) == Some(Separator::Forwarded)
    }

    fn border(&self, at: usize) -> Option<Border> {
        let line = &self.lines[at];
        let below = separator(&line.text);
        if line.mark == Mark::Forward || below == Some(Separator::Forwarded) {
            return Some(Border::Forward);
        }
        if line.mark == Mark::Cut || below == Some(Separator::Original) {
            let next = if line.mark == Mark::Cut { Some(at) } else { next_filled(self.lines, at + 1) };
            let forwarded = next.is_some_and(|i| separator(&self.lines[i].text) == Some(Separator::Forwarded));
            return Some(if forwarded { Border::Forward } else { Border::Cut });
        }
        // Only a line with a label begins a header block: no need to look above all the others.
        let labelled = label(&line.text).is_some();
        let announced = labelled && self.filled_above(at).is_some_and(|i| self.announces(i));
        if labelled && header_block(self.lines, at, announced).is_some() {
            let pasted = self.purpose == Purpose::New && !announced && ABOUT_A_MAIL.is_match(&self.text_above(at));
            return Some(if pasted { Border::Forward } else { Border::Cut });
        }
        attribution(self.lines, at).map(Border::Attribution)
    }

    fn filled_above(&self, at: usize) -> Option<usize> {
        (at.saturating_sub(6)..at).rev().find(|&i| !self.lines[i].is_blank())
    }

    /// A rule of some length, or `原始邮件` alone on its line.
    fn announces(&self, at: usize) -> bool {
        let text = self.lines[at].text.trim();
        (separator(text) == Some(Separator::Rule) && text.len() >= 10) || is_bare_original(text)
    }

    fn history(&mut self, from: usize, to: usize) {
        self.roles[from..to].fill(Role::History);
        self.out.has_quote = true;
        self.top = Some(self.top.unwrap_or(from).min(from));
    }

    /// A marked line goes, unless it is the first and the text above says that what counts stands in the quote.
    fn quoted(&mut self, at: usize) -> usize {
        if self.top.is_none() && self.lies_below(at) && self.no_text_beside_quotes(at) {
            return self.keep_rest(at);
        }
        self.history(at, at + 1);
        at + 1
    }

    /// An attribution: only the quote below it goes, or everything when the quote is not marked.
    fn attributed(&mut self, at: usize, found: Attribution) -> usize {
        let below = next_filled(self.lines, found.end + 1);
        let marked = below.is_none_or(|i| self.lines[i].is_quoted() || self.lines[i].place.indented);
        if marked && self.top.is_none() && self.lies_below(at) && self.no_text_beside_quotes(found.end + 1) {
            return self.keep_rest(at);
        }
        let mut from = at;
        if found.from > 0 {
            self.out.shared = Some((at, found.from));
            from += 1;
        }
        if !marked && (found.from > 0 || self.text_seen) {
            return self.cut(from.min(self.lines.len()));
        }
        self.history(from, found.end + 1);
        self.top = Some(self.top.unwrap_or(at));
        let quote = below.filter(|&i| marked && self.lines[i].place.indented);
        for i in quote
            .into_iter()
            .flat_map(|i| i..self.lines.len())
            .take_while(|&i| self.lines[i].place.indented || self.lines[i].is_blank())
        {
            self.roles[i] = Role::History;
        }
        found.end + 1
    }

    /// History to the end, unless nothing stands above it or the text above says that the answers stand below.
    fn cut(&mut self, at: usize) -> usize {
        let from = self.announcement(at);
        let above = self.text_above(from);
        if self.purpose == Purpose::PassOn || is_covering_note(&above) {
            return self.forward(at);
        }
        if let Some(block_end) = self.block_above_marks(at) {
            self.history(from, block_end + 1);
            return block_end + 1;
        }
        if (self.text_seen || self.out.shared.is_some()) && !answers_below(&above) {
            self.history(from, self.lines.len());
            return self.lines.len();
        }
        self.keep_rest(at)
    }

    /// The last line of the header block at `at` when `>` marks follow without a blank line: the client marks its quotes
    /// then (NetEase and Foxmail in text mode), and what stands between them is new. Behind a blank line the marks may
    /// as well be those of the message answered.
    fn block_above_marks(&self, at: usize) -> Option<usize> {
        let from = if separator(&self.lines[at].text).is_some() { next_filled(self.lines, at + 1)? } else { at };
        let end = header_block(self.lines, from, from > at)?;
        self.lines.get(end + 1).filter(|l| l.depth > self.lines[from].depth)?;
        Some(end)
    }

    /// What follows is history, but holds something new.
    fn keep_rest(&mut self, at: usize) -> usize {
        self.out.has_quote = true;
        self.top = Some(self.top.unwrap_or(at));
        self.lines.len()
    }

    /// A message that was passed on is content: the desk has not seen it before.
    fn forward(&mut self, at: usize) -> usize {
        self.out.has_forward = true;
        self.top = Some(self.top.unwrap_or(at));
        self.lines.len()
    }

    /// Rules and bare titles right above a header block belong to it, and so does Foxmail's line with the own address.
    fn announcement(&self, at: usize) -> usize {
        let mut from = at;
        while let Some(above) = self.filled_above(from) {
            let text = self.lines[above].text.trim();
            let own_address =
                !text.contains(char::is_whitespace) && text.contains('@') && !text.contains(['/', '#', '：', ',']);
            if !(self.announces(above) || separator(text) == Some(Separator::Rule) || own_address && from == at) {
                break;
            }
            from = above;
        }
        from
    }

    /// The new text above `at`, without commands and signature, as words.
    fn text_above(&self, at: usize) -> String {
        let above: Vec<&Line> = (0..at).filter(|&i| self.roles[i] == Role::Text).map(|i| &self.lines[i]).collect();
        let end = signature::text_end(&above, true);
        let text = above[..end].iter().filter(|l| command(&l.text).is_none() && separator(&l.text).is_none()).take(200);
        plain_words(&text.map(|l| &*l.text).collect::<Vec<_>>().join(" "))
    }

    /// The text above `at` only points at what stands below.
    fn lies_below(&self, at: usize) -> bool {
        let above = if self.text_seen { self.text_above(at) } else { return false };
        is_covering_note(&above) || answers_below(&above)
    }

    /// From `at` on nothing but quotes and signatures.
    fn no_text_beside_quotes(&self, at: usize) -> bool {
        let beside = |l: &&Line| !l.is_quoted() && !l.place.indented;
        let beside: Vec<&Line> = self.lines[at..].iter().filter(beside).collect();
        signature::text_end(&beside, false) == 0
    }

    fn cut_signatures(&mut self) {
        let forward_from = if self.out.has_forward { self.top } else { None };
        let mut at = 0;
        while at < self.lines.len() {
            if self.roles[at] != Role::Text {
                at += 1;
                continue;
            }
            let end = (at..self.lines.len())
                .find(|&i| self.roles[i] != Role::Text || Some(i) == forward_from && i > at)
                .unwrap_or(self.lines.len());
            if forward_from.is_none_or(|f| at < f) {
                let part: Vec<&Line> = self.lines[at..end].iter().collect();
                let kept = signature::text_end(&part, end < self.lines.len());
                for i in (at + kept..end).filter(|&i| !self.lines[i].is_blank()) {
                    self.roles[i] = Role::Signature;
                }
            }
            at = end;
        }
    }

    /// The lines of the newest text that are not yet anything else, and their numbers.
    fn newest(&self) -> (Vec<usize>, Vec<&Line<'_>>) {
        let end = self.top.unwrap_or(self.lines.len());
        let at: Vec<usize> = (0..end).filter(|&i| self.roles[i] == Role::Text).collect();
        let lines = at.iter().map(|&i| &self.lines[i]).collect();
        (at, lines)
    }

    fn cut_banner(&mut self) {
        let (at, lines) = self.newest();
        let end = repeated::banner(&lines);
        at[..end].iter().for_each(|&i| self.roles[i] = Role::Signature);
    }

    fn cut_repeated(&mut self) {
        if !self.out.has_quote {
            return;
        }
        let (at, lines) = self.newest();
        let history = (0..self.lines.len()).filter(|&i| self.roles[i] == Role::History);
        let history: Vec<&Line> = history.map(|i| &self.lines[i]).collect();
        if let Some(from) = repeated::sign_off(&lines, &history) {
            at[from..].iter().for_each(|&i| self.roles[i] = Role::Signature);
        }
    }

    fn finish(mut self) -> Split {
        let filled = |i: &usize| !self.lines[*i].is_blank();
        let mut kept: Vec<usize> = (0..self.lines.len()).filter(|&i| self.roles[i] == Role::Text).collect();
        if !kept.iter().any(filled) {
            self.out.whole = true;
            kept = (0..self.lines.len()).collect();
        }
        let top = self.top.unwrap_or(self.lines.len());
        let shared_top = self.out.shared.is_some_and(|(line, _)| line == top);
        let newest: Vec<&Line> =
            kept.iter().filter(|&&i| i < top || shared_top && i == top).map(|&i| &self.lines[i]).collect();
        if !self.out.whole {
            (self.out.commands, self.out.command_lines) = command::leading(&newest);
        }
        self.out.kept = kept;
        self.out
    }
}

/// `FYI`, `请处理`: what follows is the message.
fn is_covering_note(above: &str) -> bool {
    above.chars().count() < COVERING_NOTE && COVERING.is_match(above)
}

/// "See my answers in red below" above an unmarked quote.
fn answers_below(above: &str) -> bool {
    above.chars().count() < LONGEST_POINTER && ANSWERS_BELOW.is_match(above)
}

/// What people write above a message that they only hand on.
static COVERING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) \bf\.?y\.?i\b | for\ your\ information | see\ below | (?:please|pls)\ (?:handle|see)
        | 请处理 | 見下 | 见下 | 转发 | 轉發 | 转给你 | 请跟进 | 请协助处理 | 烦请处理 | 麻烦处理 | 请看下 | 帮忙处理 | 請處理
        | 如下\W*$",
    )
});

/// What people write above a mail that they pasted into a new one.
static ABOUT_A_MAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)
          \b(?:below|following|as\ follows|phishing)\b | \b(?:this|strange|suspicious|weird|odd|spam)\b.{0,20}\b(?:e-?mail|mail|message)\b
        | 如下 | 以下 | 下面 | 下方 | [这這该該此]\p{Han}{0,4}[邮郵]件 | (?:可疑|垃圾|奇怪)的?[邮郵]件 | 钓鱼 | 釣魚",
    )
});

/// What people write above a quote into which they wrote their answers.
static ANSWERS_BELOW: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)
          \b(?:answer|repl|respon|comment|remark|feedback|note|see|below)[a-z]*\b.{0,30}\bin[-\ ]?line\b
        | \bin[-\ ]?line\b.{0,20}\b(?:answer|repl|respon|comment|below)
        | ^\W*in[-\ ]?line\W*$
        | \b(?:my|see|find)\b.{0,30}\b(?:answers?|repl(?:y|ies)|responses?|comments?|remarks?)\b.{0,30}
          \b(?:below|beneath|underneath|embedded|in\ (?:the\ )?(?:red|blue|green|bold|capitals|caps|colou?r))\b
        | \b(?:answers|replies|responses|comments)\ (?:are\ )?(?:below|beneath|underneath)\W*$
        | \b(?:see|below|answered|replied|commented)\b.{0,20}\bin\ (?:red|blue|green|bold|capitals|caps)\b
        | [红紅蓝藍绿綠]\p{Han}{0,2}(?:字|部分)|[标標](?:红|紅|蓝|藍|黄|绿)
        | (?:回复|回覆|答复|答覆|回答|解答|答案|批注|批註|意见)\p{Han}{0,2}[见見在][\p{Han}]{0,4}(?:下|正文|原文|邮件|郵件)
        | [见見](?:下|正文|原文)\p{Han}{0,4}(?:回复|回覆|答复|答覆|回答|批注|批註)
        | (?:在|于)\p{Han}{0,4}(?:下面|下方|原文|正文|邮件|郵件)\p{Han}{0,8}(?:回复|回覆|答复|答覆|回答|批注|批註)
        | 逐[条條一](?:回复|回覆|答复|答覆|回答)",
    )
});

#[cfg(test)]
mod tests {
    use super::super::lines::{from_text, to_text};
    use super::*;

    fn kept(text: &str) -> String {
        let lines = from_text(text);
        let found = split(&lines, Purpose::Answer);
        to_text(found.kept.iter().map(|&i| &lines[i]))
    }

    fn check(text: &str, expect: &str) {
        assert_eq!(kept(text), expect, "{text:?}");
    }

    #[test]
    fn marked_quotes() {
        check("ok\n\nOn Tue, Jan 6, 2026 at 10:00 AM A <a@b.com> wrote:\n> q\n> q2", "ok");
        check("On Tue, Jan 6, 2026 at 10:00 AM A <a@b.com> wrote:\n> q\n\nbelow", "below");
        check("> q1\na1\n> q2\na2", "a1\na2");
        check("ok\n> q", "ok");
        check("> only\n> quoted", "> only\n> quoted");
        check(
            "reply On Wed, Apr 4, 2026 at 3:59 PM, bob@x.com wrote:\n> Hi",
            "reply On Wed, Apr 4, 2026 at 3:59 PM, bob@x.com wrote:",
        );
    }

    #[test]
    fn unmarked_quotes() {
        check("ok\n\n-----Original Message-----\nFrom: A\nhello", "ok");
        check("ok\n________________________________\nFrom: A <a@b>\nSent: x\nTo: B\nSubject: s\n\nhello", "ok");
        check("好的\n发件人： 张三\n发送时间： 2026-07-30 17:14\n收件人： 李四\n主题： 打印机\n你好", "好的");
        let foxmail = "请处理\nli.lei@example.com\n\n发件人： 张三\n发送时间： 2026-07-30 17:14\n收件人： 李四\n主题： 打印机\n你好";
        check(foxmail, foxmail);
        check("我\nme@x.com\n\n发件人： 张三\n发送时间： 2026-07-30 17:14\n收件人： 李四\n主题： 打印机\n你好", "我");
        check("ok\n\nOn Tue, Jan 6, 2026 at 10:00 AM A <a@b.com> wrote:\nhello\nagain", "ok");
        check("-----Original Message-----\nFrom: A\nhello", "-----Original Message-----\nFrom: A\nhello");
        check(
            "See my answers inline\n\nFrom: A <a@b>\nSent: x\nTo: B\nSubject: s\n\nq\nANSWER",
            "See my answers inline\n\nFrom: A <a@b>\nSent: x\nTo: B\nSubject: s\n\nq\nANSWER",
        );
    }

    #[test]
    fn forwards_are_content() {
        let forwarded =
            "---------- Forwarded message ---------\nFrom: A <a@b>\nDate: x\nSubject: s\nTo: B\n\nprinter\n> old";
        check(forwarded, forwarded);
        check(&format!("请处理\n\n{forwarded}"), &format!("请处理\n\n{forwarded}"));
        let told = format!("This is what the branch office told me about it yesterday.\n\n{forwarded}");
        check(&told, &told);
        let outlook = "发件人: 张三 <z@x>\n发送时间: 2026年8月6日 15:49\n收件人: 李四\n主题: 打印机\n\n坏了";
        check(&format!("FYI\n\n{outlook}"), &format!("FYI\n\n{outlook}"));
        check(&format!("好的\n\n{outlook}"), "好的");
    }

    #[test]
    fn s13_commands_only_from_the_newest_text() {
        let commands = |text: &str| {
            let lines = from_text(text);
            split(&lines, Purpose::Answer).commands.iter().map(|c| c.word.clone()).collect::<Vec<_>>()
        };
        assert_eq!(commands("#take\ntext\n> #close"), ["take"]);
        assert!(commands("> #close").is_empty());
        assert!(commands("On Tue, Jan 6, 2026 at 10:00 AM A <a@b.com> wrote:\n> q\n\n#close").is_empty());
        assert!(commands("-----Original Message-----\n#close").is_empty());
        assert!(commands("---------- Forwarded message ---------\nFrom: A\n\n#close").is_empty());
        assert!(commands("On Tue, Jan 6, 2026 at 10:00 AM A <a@b.com> wrote:\n#close").is_empty());
        assert!(commands("hello\n-- \n#close").is_empty());
        assert_eq!(commands("#for a@b.com\n---------- Forwarded message ---------\nFrom: A\n\n#close"), ["for"]);
    }
}
