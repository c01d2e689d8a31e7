//! The command language engineers write at the top of a reply (`design.md` 5.3).
//!
//! A word is either one of the names below or nothing: there is no guessing, only a hint at the nearest name.

use crate::desk::ticket::Number;
use crate::desk::words::{Category, Priority, Wait};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

/// A line of the message's top that looks like a command: `#word value`, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandLine {
    /// The word as written, without `#`.
    pub word: String,
    /// The rest of the line, trimmed.
    pub value: String,
}

/// What a refused line's hint says, so that it can be said in the reader's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "hint")]
pub enum Hint {
    #[default]
    None,
    /// Not a command; the nearest one, if any is near.
    Unknown { nearest: Option<String> },
    /// The value is missing or not understood; what is expected.
    Value { expected: String },
    /// Not possible while the ticket has this status.
    Status { status: String },
    /// Nobody by this name or address, or several.
    Nobody { name: String },
    /// A command below the text: commands count only at the top.
    NotAtTop,
    /// Text and HTML of the mail disagree about its commands.
    Doubtful,
    /// What would go out holds a letter of the desk to this engineer.
    Quoted,
    /// Another line was refused, so this one was not carried out.
    HeldBack,
    /// A text is needed below the commands.
    TextNeeded,
    /// The message names no ticket.
    NoTicket,
    /// The ticket was changed at the same moment, or the command may not be used by this person.
    NotAllowed,
}

/// What an engineer can order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Take,
    /// A name or an address.
    Assign(String),
    /// The new priority and the reason.
    Priority(Priority, String),
    Category(Category),
    /// The text is internal; what stood on the line itself.
    Note(String),
    Step(String),
    Workaround(String),
    Wait(Wait),
    Resume,
    Resolve(String),
    Close(String),
    Cancel(String),
    Reopen(String),
    Merge(Number),
    Status,
    List,
    Help,
}

impl Command {
    /// Only asks; changes nothing.
    pub fn is_question(&self) -> bool {
        matches!(self, Command::Status | Command::List | Command::Help)
    }
}

/// Every name: the English one of the card first, the Chinese one second, then what people also write.
pub const NAMES: &[(&str, &[&str])] = &[
    ("take", &["take", "认领", "mine", "claim", "accept", "接单", "领取", "受理"]),
    ("assign", &["assign", "转派", "reassign", "owner", "transfer", "派单", "转给", "指派", "分配"]),
    ("priority", &["priority", "优先级", "prio", "级别"]),
    ("category", &["category", "分类", "cat", "类别"]),
    ("note", &["note", "备注", "internal", "private", "内部", "内部备注"]),
    ("step", &["step", "步骤", "steps", "处理步骤"]),
    ("workaround", &["workaround", "临时措施", "临时方案", "绕过方案"]),
    ("wait", &["wait", "挂起", "pending", "hold", "waiting", "等待"]),
    ("resume", &["resume", "继续", "continue", "恢复"]),
    ("resolve", &["resolve", "解决", "resolved", "solved", "done", "fixed", "已解决", "完成"]),
    ("close", &["close", "关闭", "closed"]),
    ("cancel", &["cancel", "取消", "cancelled", "canceled", "撤销"]),
    ("reopen", &["reopen", "重开", "reopened", "重新打开"]),
    ("merge", &["merge", "合并"]),
    ("status", &["status", "状态", "show", "查看"]),
    ("list", &["list", "列表", "我的工单"]),
    ("help", &["help", "帮助", "?"]),
];

/// Compatibility-folded lower case: `＃Ｔａｋｅ` reads like `#take`.
pub fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_lowercase()
}

/// The command's own name for anything people write for it.
pub fn canonical(word: &str) -> Option<&'static str> {
    let word = fold(word);
    NAMES.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(name, _)| *name)
}

/// Reads one line.
///
/// # Errors
/// The hint for the writer: not a command (and the nearest one), or a value that does not fit.
pub fn read(line: &CommandLine) -> Result<Command, Hint> {
    let value = line.value.trim();
    let text = || value.to_owned();
    let expected = |what: &str| Hint::Value { expected: what.into() };
    let needed = |what: &str| if value.is_empty() { Err(expected(what)) } else { Ok(value.to_owned()) };
    Ok(match canonical(&line.word).ok_or_else(|| Hint::Unknown { nearest: nearest(&line.word) })? {
        "take" => Command::Take,
        "assign" => Command::Assign(needed("#assign li.si@example.com")?),
        "priority" => {
            let (level, why) =
                value.split_once(|c: char| c.is_whitespace() || "，,：:".contains(c)).unwrap_or((value, ""));
            let priority =
                Priority::parse(&fold(level).to_uppercase()).ok_or_else(|| expected("#priority P1, P2, P3, P4"))?;
            Command::Priority(priority, why.trim().to_owned())
        }
        "category" => Command::Category(
            read_category(value)
                .ok_or_else(|| expected("#category hardware, software, network, account, data-security, other"))?,
        ),
        "note" => Command::Note(text()),
        "step" => Command::Step(needed("#step …")?),
        "workaround" => Command::Workaround(text()),
        "wait" => Command::Wait(read_wait(value).ok_or_else(|| expected("#wait requester, vendor"))?),
        "resume" => Command::Resume,
        "resolve" => Command::Resolve(text()),
        "close" => Command::Close(text()),
        "cancel" => Command::Cancel(text()),
        "reopen" => Command::Reopen(text()),
        "merge" => Command::Merge(Number::parse(&fold(value)).ok_or_else(|| expected("#merge IT007"))?),
        "status" => Command::Status,
        "list" => Command::List,
        _ => Command::Help,
    })
}

fn read_category(value: &str) -> Option<Category> {
    let value = fold(value);
    let word = value.split_whitespace().next()?;
    Category::ALL.iter().copied().find(|c| {
        let (zh, en) = (c.name(crate::desk::words::Language::Chinese), c.as_str());
        word == zh
            || word == en
            || (word.len() >= 3 && en.starts_with(word))
            || (word.chars().count() >= 2 && zh.contains(word))
    })
}

fn read_wait(value: &str) -> Option<Wait> {
    let value = fold(value);
    Some(match value.split_whitespace().next().unwrap_or("requester") {
        "requester" | "user" | "customer" | "报障人" | "用户" | "等待报障人" | "等用户" => Wait::Requester,
        "vendor" | "supplier" | "厂商" | "供应商" | "等厂商" => Wait::Vendor,
        "approval" | "审批" => Wait::Approval,
        "visit" | "上门" => Wait::Visit,
        _ => return None,
    })
}

/// The nearest command name, if one is near enough to be a slip of the hand.
pub fn nearest(word: &str) -> Option<String> {
    let word: Vec<char> = fold(word).chars().take(40).collect();
    let allowed = if word.len() <= 3 { 1 } else { 2 };
    let names = NAMES.iter().flat_map(|(_, names)| names.iter());
    let scored = names.map(|name| (distance(&word, &name.chars().collect::<Vec<_>>()), name));
    scored
        .filter(|(d, name)| *d <= allowed && *d < name.chars().count())
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| (*name).to_owned())
}

/// Edit distance with neighbour swaps counted once (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// A known command further down in the text, where it does not count: sending that text would be a mistake.
pub fn misplaced(text: &str) -> Option<CommandLine> {
    text.lines().take(2000).find_map(|line| {
        // As at the top (`mail::body`): blanks, also those nobody sees, do not make a command prose.
        let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
        let rest = line.trim_start_matches(blank).strip_prefix(['#', '＃'])?.trim_start_matches(blank);
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).take(20).collect();
        canonical(&word).map(|_| CommandLine { value: rest[word.len()..].trim().to_owned(), word })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        let (word, value) = text.split_once(' ').unwrap_or((text, ""));
        CommandLine { word: word.into(), value: value.into() }
    }

    #[test]
    fn names_synonyms_and_values() {
        for (text, command) in [
            ("take", Command::Take),
            ("认领", Command::Take),
            ("ＭＩＮＥ", Command::Take),
            ("assign Li Si", Command::Assign("Li Si".into())),
            ("priority p1 整个车间停了", Command::Priority(Priority::P1, "整个车间停了".into())),
            ("优先级 Ｐ2，月结", Command::Priority(Priority::P2, "月结".into())),
            ("category net", Command::Category(Category::Network)),
            ("分类 账号", Command::Category(Category::Account)),
            ("wait", Command::Wait(Wait::Requester)),
            ("挂起 厂商", Command::Wait(Wait::Vendor)),
            ("solved it was the cable", Command::Resolve("it was the cable".into())),
            ("merge it007", Command::Merge(Number(7))),
            ("列表", Command::List),
        ] {
            assert_eq!(read(&line(text)), Ok(command), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_command_gets_a_hint() {
        for (text, near) in [
            ("resovle", Some("resolve")),
            ("tkae", Some("take")),
            ("解快", Some("解决")),
            ("printer", None),
            ("xyz", None),
        ] {
            assert_eq!(read(&line(text)), Err(Hint::Unknown { nearest: near.map(Into::into) }), "{text}");
        }
        for text in ["priority", "priority high", "category food", "wait tomorrow", "assign", "step", "merge seven"] {
            assert!(matches!(read(&line(text)), Err(Hint::Value { .. })), "{text}");
        }
    }

    #[test]
    fn s13_a_command_below_the_text_is_noticed() {
        assert_eq!(misplaced("你好\n #备注 别告诉用户").unwrap().word, "备注");
        assert_eq!(misplaced("first line\n#resolve").unwrap().word, "resolve");
        assert_eq!(misplaced("好的\n# 备注 别告诉用户").unwrap().word, "备注");
        assert_eq!(misplaced("好的\n\u{200b}#note x").unwrap().word, "note");
        for text in ["see #12 and C# notes", "#hashtag", "# heading", "the note #"] {
            assert_eq!(misplaced(text), None, "{text}");
        }
    }
}
