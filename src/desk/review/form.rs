//! The form of a review, and how it is read back from a reply: filled in above the quote, behind the labels inside of it, or
//! below them.

use crate::address::Address;
use crate::desk::command::fold;
use crate::desk::words::Language;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Characters of one part.
const PART: usize = 4_000;
/// Lines of a reply that are looked at, and characters of one that can hold a label.
const MOST_LINES: usize = 2_000;
const LABEL: usize = 30;
/// Between the sentence that names the review and the first label of its form: the rest of a sentence that a mail program
/// has broken, and blank lines.
const APART: usize = 3;

/// What is asked for (`domain.md` 7.1, A5 and 6.3, part 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Cause,
    Corrective,
    Preventive,
    Owner,
    Due,
}

impl Part {
    pub const ALL: [Part; 5] = [Part::Cause, Part::Corrective, Part::Preventive, Part::Owner, Part::Due];

    pub fn name(self, language: Language) -> &'static str {
        match self {
            Part::Cause => language.pick("根本原因", "Root cause"),
            Part::Corrective => language.pick("纠正措施", "Corrective action"),
            Part::Preventive => language.pick("预防措施", "Preventive action"),
            Part::Owner => language.pick("负责人", "Owner"),
            Part::Due => language.pick("完成日期", "Due date"),
        }
    }

    /// What people also write, folded.
    fn names(self) -> &'static [&'static str] {
        match self {
            Part::Cause => {
                &["根本原因", "root cause", "根因", "原因", "cause", "rca", "故障原因", "问题原因", "root causes"]
            }
            Part::Corrective => &[
                "纠正措施",
                "corrective action",
                "corrective actions",
                "corrective",
                "correction",
                "纠正",
                "整改措施",
                "整改",
                "解决措施",
                "处理措施",
                "短期措施",
            ],
            Part::Preventive => &[
                "预防措施",
                "preventive action",
                "preventive actions",
                "preventative action",
                "preventive",
                "prevention",
                "预防",
                "改进措施",
                "长期措施",
            ],
            Part::Owner => &["负责人", "owner", "责任人", "落实人", "action owner", "responsible"],
            Part::Due => &[
                "完成日期",
                "due date",
                "due",
                "完成时间",
                "计划完成日期",
                "计划完成时间",
                "截止日期",
                "截止时间",
                "期限",
                "日期",
                "deadline",
                "target date",
            ],
        }
    }
}

/// What is known so far; an empty part is still owed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub cause: String,
    pub corrective: String,
    pub preventive: String,
    /// As they wrote it.
    pub owner: String,
    /// Whom that is, when somebody here goes by that name.
    pub owner_address: Option<Address>,
    /// A day of the desk's zone.
    pub due: Option<NaiveDate>,
}

impl Form {
    pub fn get(&self, part: Part) -> String {
        match part {
            Part::Cause => self.cause.clone(),
            Part::Corrective => self.corrective.clone(),
            Part::Preventive => self.preventive.clone(),
            Part::Owner => self.owner.clone(),
            Part::Due => self.due.map_or(String::new(), |due| due.to_string()),
        }
    }

    pub fn missing(&self) -> Vec<Part> {
        Part::ALL.into_iter().filter(|part| self.get(*part).is_empty()).collect()
    }
}

/// What a reply tells, as it was written.
pub type Told = Vec<(Part, String)>;

/// Reads a reply. `own`: what its writer added on top; `whole`: everything, in which the form of our letter stands below
/// `mark`, the name of the review. What stands on top counts before what stands in the form.
pub fn read(own: &str, whole: &str, mark: &str) -> Told {
    let mut told = on_top(own);
    for (part, value) in in_form(whole, mark) {
        if told.iter().all(|(known, _)| *known != part) {
            told.push((part, value));
        }
    }
    told.sort_by_key(|(part, _)| *part);
    told
}

/// Parts under their names; whatever follows belongs to the part before it.
fn on_top(own: &str) -> Told {
    let mut told = Parts::default();
    let mut at = None;
    for line in own.lines().take(MOST_LINES).flat_map(apart) {
        match label(line) {
            Some((part, value)) => {
                at = Some(part);
                told.add(part, value);
            }
            None => at.into_iter().for_each(|part| told.add(part, line)),
        }
    }
    told.finish()
}

/// The form of our own letter: a value stands behind its label, right below it, or outside of the quote that the label
/// stands in. Nothing else of a quote is looked at.
fn in_form(whole: &str, mark: &str) -> Told {
    let lines: Vec<&str> = whole.lines().take(MOST_LINES).collect();
    let begins = |at: &usize| {
        let rest = lines[at + 1..].iter().map(|line| bare(line)).filter(|line| !line.is_empty());
        names(lines[*at], mark) && rest.take(APART).any(|line| label(line).is_some())
    };
    let Some(start) = (0..lines.len()).rev().find(begins) else { return Told::new() };
    let mut told = Parts::default();
    let (mut at, mut depth, mut parted, mut answered): (Option<Part>, _, _, _) = (None, 0, false, false);
    for line in &lines[start + 1..] {
        let (own, text) = (quote_depth(line), bare(line));
        if text.is_empty() {
            parted = true;
            continue;
        }
        if let Some((part, value)) = label(text) {
            (at, depth, parted, answered) = (Some(part), own, false, !value.is_empty());
            told.add(part, value);
            continue;
        }
        let Some(part) = at else { continue };
        // The footer of our letter ends its form.
        if text.contains(" · ") || is_reference(text) {
            break;
        }
        let below = own < depth || (!parted && (own == depth || !answered));
        if !below {
            break;
        }
        told.add(part, text);
        answered = true;
    }
    told.finish()
}

/// Whether a line names this review and no longer number.
pub fn names(line: &str, mark: &str) -> bool {
    let line = line.to_ascii_uppercase();
    let whole = |(at, found): (usize, &str)| !line[at + found.len()..].starts_with(|c: char| c.is_ascii_digit());
    line.match_indices(mark).any(whole)
}

fn is_reference(text: &str) -> bool {
    let (number, mac) = text.split_once('-').unwrap_or(("", ""));
    crate::desk::ticket::Number::parse(number).is_some() && mac.len() >= 8
}

#[derive(Default)]
struct Parts(Vec<(Part, String)>);

impl Parts {
    fn add(&mut self, part: Part, text: &str) {
        match self.0.iter_mut().find(|(known, _)| *known == part) {
            // A name or a day is one line; what follows is thanks.
            Some((Part::Owner | Part::Due, value)) if !value.is_empty() => {}
            Some((_, value)) => {
                value.push('\n');
                value.push_str(text.trim_end());
            }
            None => self.0.push((part, text.trim_end().to_owned())),
        }
    }

    /// The parts with something in them, each bounded.
    fn finish(self) -> Told {
        let cut = |(part, value): (Part, String)| (part, value.trim().chars().take(PART).collect::<String>());
        self.0.into_iter().map(cut).filter(|(_, value)| value.chars().any(char::is_alphanumeric)).collect()
    }
}

fn quote_depth(line: &str) -> usize {
    line.trim_start().chars().take_while(|c| matches!(c, '>' | ' ')).filter(|c| *c == '>').count()
}

/// Without quote marks.
fn bare(line: &str) -> &str {
    line.trim().trim_start_matches(['>', ' ', '\u{3000}', '\u{a0}']).trim_end()
}

/// `根因：…；责任人：…`: several on one line.
fn apart(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begun, mut rest) = (0, 0);
    while let Some(at) = line[rest..].find(['；', ';']).map(|at| rest + at) {
        let after = at + line[at..].chars().next().map_or(1, char::len_utf8);
        if label(&line[after..]).is_some() {
            parts.push(&line[begun..at]);
            begun = after;
        }
        rest = after;
    }
    parts.push(&line[begun..]);
    parts
}

/// The part that a line begins, and what stands behind its name: `根因：…`, `【负责人】…`, `3. Owner: …`.
fn label(line: &str) -> Option<(Part, &str)> {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "-*•·>【[(（".contains(c));
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let line = match digits.strip_prefix(['.', '、', ')', '）', '．']) {
        Some(rest) if digits.len() < line.len() && line.len() - digits.len() <= 2 => rest.trim_start(),
        _ => line,
    };
    let end = line.char_indices().take(LABEL).find(|(_, c)| "：:】]".contains(*c)).map(|(at, _)| at)?;
    let word = fold(&line[..end]);
    let word = word.trim_matches(|c: char| c.is_whitespace() || "*_".contains(c));
    // A remark may stand behind it: `完成日期（年-月-日）：`.
    let word = word.split(['(', '（']).next().unwrap_or(word).trim_end();
    let part = Part::ALL.into_iter().find(|part| part.names().contains(&word))?;
    Some((part, line[end..].trim_start_matches(|c: char| "：:】]*".contains(c)).trim()))
}

/// Words that say that an action is done; nothing else may stand in the reply.
pub fn says_done(words: &str) -> bool {
    const DONE: &[&str] = &[
        "已完成",
        "完成",
        "完成了",
        "已经完成",
        "都完成了",
        "已办",
        "已办结",
        "已落实",
        "落实了",
        "已整改",
        "做完了",
        "做好了",
        "已做完",
        "搞定",
        "搞定了",
        "done",
        "all done",
        "it is done",
        "it's done",
        "completed",
        "complete",
        "finished",
        "implemented",
        "closed",
    ];
    const POLITE: &[&str] = &["谢谢", "多谢", "您好", "你好", "thanks", "thank you", "thx", "hi", "hello", "regards"];
    if words.chars().count() > 60 {
        return false;
    }
    let folded = fold(words);
    let mut clauses = folded.split([',', '.', '。', '!', ';', ':', '、', '\n', '~']).map(str::trim);
    let mut done = false;
    let fits = clauses.all(|clause| {
        let clause = clause.trim_start_matches('#').trim();
        done |= DONE.contains(&clause);
        clause.is_empty() || DONE.contains(&clause) || POLITE.contains(&clause)
    });
    fits && done
}

#[cfg(test)]
mod tests {
    use super::*;
    use Part::{Cause, Corrective, Due, Owner, Preventive};

    fn check(own: &str, whole: &str, told: &[(Part, &str)]) {
        let expect: Told = told.iter().map(|(part, value)| (*part, (*value).to_owned())).collect();
        assert_eq!(read(own, whole, "PIR012"), expect, "{own}\n---\n{whole}");
    }

    const FORM: &str = "王磊，您好：\n\nIT012 已经关闭，请做复盘 PIR012。\n\n直接回复本邮件，写在冒号后面（PIR012）：\n\n根本原因：\n纠正措施：\n预防措施：\n负责人：\n完成日期：\n\nIT 服务台 · 工单 IT012\n直接回复本邮件即可，请保留编号 IT012-ABCDEFGH。";

    fn quoted(text: &str) -> String {
        text.lines().map(|line| format!("> {line}\n")).collect()
    }

    #[test]
    fn above_the_quote_in_whatever_shape() {
        let all = [
            (Cause, "交换机电源老化"),
            (Corrective, "换了电源"),
            (Preventive, "每季度巡检"),
            (Owner, "李娜"),
            (Due, "12月11日"),
        ];
        let lines =
            "根本原因：交换机电源老化\n纠正措施：换了电源\n预防措施：每季度巡检\n负责人：李娜\n完成日期：12月11日";
        for own in [
            lines.to_owned(),
            lines.replace('：', ":"),
            lines.replace('：', "： "),
            lines.replace('\n', "\n\n"),
            lines.replace('\n', "；"),
            lines.lines().enumerate().map(|(n, line)| format!("{}、{line}\n", n + 1)).collect(),
            lines
                .lines()
                .map(|line| {
                    format!("【{}】{}\n", &line[..line.find('：').unwrap()], &line[line.find('：').unwrap() + 3..])
                })
                .collect(),
            lines
                .replace("根本原因", "根因")
                .replace("纠正措施", "整改措施")
                .replace("负责人", "责任人")
                .replace("完成日期", "期限"),
        ] {
            check(&own, &format!("{own}\n{}", quoted(FORM)), &all);
        }
        check(
            "Hi,\nRoot cause: power supply aged\nCorrective action: replaced\nPreventive: check each quarter\nOwner: Tom\nDue: 2026-12-11\nThanks",
            "",
            &[
                (Cause, "power supply aged"),
                (Corrective, "replaced"),
                (Preventive, "check each quarter"),
                (Owner, "Tom"),
                (Due, "2026-12-11"),
            ],
        );
    }

    #[test]
    fn inside_the_form_behind_and_below_the_labels() {
        let filled = FORM.replace("根本原因：", "根本原因：电源老化").replace("负责人：", "负责人：李娜");
        for whole in [filled.clone(), quoted(&filled), quoted(&quoted(&filled))] {
            check("", &whole, &[(Cause, "电源老化"), (Owner, "李娜")]);
        }
        // Below, outside of the quote; a value of two lines.
        let below = quoted(FORM)
            .replace("> 根本原因：\n", "> 根本原因：\n电源老化，\n无备件\n")
            .replace("> 完成日期：\n", "> 完成日期：\n\n12月11日\n");
        check("", &below, &[(Cause, "电源老化，\n无备件"), (Due, "12月11日")]);
        let right_below = FORM.replace("纠正措施：\n", "纠正措施：\n换了电源\n");
        check("", &right_below, &[(Corrective, "换了电源")]);
        // The sentence was broken in two.
        let broken = quoted(&filled).replace("写在冒号后面（", "写在冒号\n> 后面（");
        check("", &broken, &[(Cause, "电源老化"), (Owner, "李娜")]);
    }

    #[test]
    fn the_top_counts_before_the_form_and_other_quotes_not_at_all() {
        let filled = quoted(&FORM.replace("根本原因：", "根本原因：电源老化"));
        check("根本原因：风扇坏了", &filled, &[(Cause, "风扇坏了")]);
        check("", &filled.replace("PIR012", "PIR0123"), &[]);
        check("", &filled.replace("PIR012", "PRB012"), &[]);
        check("", &quoted(FORM), &[]);
        check("收到，明天填", &quoted(FORM), &[]);
        check("时间：14:00 开会", "", &[]);
        check("负责人：-", "", &[]);
    }

    #[test]
    fn done_in_a_word() {
        for words in
            ["已完成", "完成。", "#已完成", "＃done", "Done!", "done, thanks", "All done.", "谢谢，已落实", "搞定"]
        {
            assert!(says_done(words), "{words}");
        }
        for words in
            ["", "谢谢", "还没完成", "not done", "快完成了", "done?", "完成日期：12月1日", "when will it be done"]
        {
            assert!(!says_done(words), "{words}");
        }
    }

    #[test]
    fn odd_and_endless_replies_are_bounded() {
        let endless = format!("根因：{}\nPIR012\n{}", "长".repeat(90_000), "根因：x；\n".repeat(9_000));
        let told = read(&endless, &endless, "PIR012");
        assert!(told.len() == 1 && told[0].1.chars().count() == PART);
        for text in ["：", "；：；", "【】", "1.", "PIR012", "PIR012\n根因", "\u{0}根因：\u{0}"] {
            read(text, text, "PIR012");
        }
    }
}
