//! The command language engineers write at the top of a reply (`design.md` 5.3).
//!
//! A word is either one of the names below or nothing: there is no guessing, only a hint at the nearest name.

use crate::desk::copies;
use crate::desk::ticket::Number;
use crate::desk::words::{Category, Priority, Wait, Way};
use crate::time::Timestamp;
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
    /// A text or another command behind a command that takes none: it would be lost.
    OneALine,
    /// Text and HTML of the mail disagree about its commands.
    Doubtful,
    /// What would go out holds a letter of the desk to this engineer.
    Quoted,
    /// Another line was refused, so this one was not carried out.
    HeldBack,
    /// The letter that was answered is of a ticket merged since: the text would go to the other requester.
    MergedAway { number: Number, into: Number, requester: String },
    /// Carried out, but the requester stands in the mail's own To or Cc and has read it.
    Copied,
    /// There is no ticket of this number.
    NoSuchTicket { number: Number },
    /// Merging a ticket into itself, or into one that was merged into it.
    Itself { number: Number },
    /// The other ticket is closed or cancelled: whoever is merged into it would hear nothing more.
    Over { number: Number, status: String },
    /// The text would be for a vendor and for the requester at once.
    TwoReaders,
    /// No vendor of this name, or several; those there are.
    NoVendor { known: String },
    /// No report of another ticket's fault.
    NoReport { number: Number },
    /// The writer said no when asked whether to carry it out.
    Withdrawn,
    /// It was carried out when they said yes; the later no comes too late.
    CarriedOut,
    /// A yes or no, but the mail does not say to which question.
    WhichMail,
    /// A text is needed below the commands.
    TextNeeded,
    /// Carried out, but the appointment is later than the target of the requester's site allows.
    VisitLate { hours: String, other_site: bool, due: Timestamp },
    /// The appointment would be over already.
    VisitPast,
    /// There is no appointment to be called off.
    NoVisit,
    /// The message names no ticket.
    NoTicket,
    /// P1 never pauses (`domain.md` 4.4).
    NeverOnHold,
    /// The supervisor, who is no engineer, may only hand the ticket on.
    OnlyAssign,
    /// The owners of the module were asked and have not approved yet: nothing is executed before.
    ApprovalAsked { module: String, owners: String },
    /// An owner has rejected it: it is closed or cancelled, not resolved.
    ApprovalRejected { module: String },
    /// No module by this name; the known ones.
    NoModule { known: String },
    /// The writer is not the one who was asked to approve, or is the requester.
    NotAsked,
    /// Nobody by this name in the directory, or several; an address always does.
    NoPerson { name: String },
    /// The ticket has a requester, who is not the writer.
    HasRequester { requester: String },
    /// Who wrote the forwarded mail cannot be told.
    NoSender,
    /// Nobody of this level or with this skill is there.
    NobodyThere { name: String },
    /// With an article's text no other order may come that sends a text out.
    ArticleAlone,
    /// There is no article of this ticket to be taken away.
    NoArticle,
    /// The ticket is archived: nothing of it changes any more.
    Archived,
    /// A reply to a review that others were asked about; their names.
    NotReviewer { name: String, people: String },
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
    /// For whom or what, and the reason.
    Wait(Wait, String),
    Resume,
    Resolve(String),
    Close(String),
    Cancel(String),
    Reopen(String),
    Merge(Number),
    /// Asks a vendor with the text; their name, or nothing where one alone is right.
    Vendor(String),
    /// Who is in copy from now on, and who no longer.
    Copy(copies::Change),
    /// No request at all: dropped without a letter.
    Spam,
    /// Makes this ticket a report of that one's fault.
    Parent(Number),
    /// This report, or that one, is about something else.
    Split(Option<Number>),
    /// Date, time and place, or that it is called off; read where the writer's zone is known.
    Visit(String),
    Status,
    List,
    Help,
    /// Ask the owners of a module; its name and a note for them.
    Approval(String),
    /// An owner's answer, with what they add.
    Approve(String),
    /// An owner's answer, with the reason.
    Reject(String),
    /// Whose report it is, and how it came.
    For(String, Option<Way>),
    /// Publishes what this ticket teaches, or takes it away; what stood on the line.
    Article(String),
}

impl Command {
    /// Only asks; changes nothing.
    pub fn is_question(&self) -> bool {
        matches!(self, Command::Status | Command::List | Command::Help)
    }
}

/// Every name: the English one of the card first, the Chinese one second, then what people also write.
pub const NAMES: &[(&str, &[&str])] = &[
    ("take", &["take", "认领", "認領", "mine", "claim", "accept", "接单", "领取", "受理"]),
    ("assign", &["assign", "转派", "轉派", "reassign", "owner", "transfer", "派单", "转给", "指派", "分配"]),
    ("priority", &["priority", "优先级", "優先級", "prio", "级别"]),
    ("category", &["category", "分类", "分類", "cat", "类别"]),
    ("note", &["note", "备注", "備註", "备註", "internal", "private", "内部", "内部备注"]),
    ("step", &["step", "步骤", "步驟", "steps", "处理步骤"]),
    ("workaround", &["workaround", "临时措施", "臨時措施", "临时方案", "绕过方案"]),
    ("wait", &["wait", "挂起", "掛起", "pending", "hold", "waiting", "等待"]),
    ("resume", &["resume", "继续", "繼續", "continue", "恢复"]),
    ("resolve", &["resolve", "解决", "解決", "resolved", "solved", "done", "fixed", "已解决", "完成"]),
    ("close", &["close", "关闭", "關閉", "closed"]),
    ("cancel", &["cancel", "取消", "cancelled", "canceled", "撤销"]),
    ("reopen", &["reopen", "重开", "重開", "reopened", "重新打开"]),
    ("merge", &["merge", "合并", "合併"]),
    ("parent", &["parent", "归入", "歸入", "同一故障"]),
    ("split", &["split", "拆分", "拆開", "分开"]),
    ("visit", &["visit", "上门", "上门服务", "预约上门", "appointment", "onsite", "on-site"]),
    ("vendor", &["vendor", "厂商", "廠商", "供应商", "联系厂商"]),
    ("cc", &["cc", "抄送", "抄送给", "copy"]),
    ("spam", &["spam", "垃圾", "垃圾邮件", "junk"]),
    ("for", &["for", "代报", "代報", "代登记", "代登記", "代为登记", "behalf"]),
    ("status", &["status", "状态", "狀態", "show", "查看"]),
    ("list", &["list", "列表", "我的工单"]),
    ("help", &["help", "帮助", "幫助", "?"]),
    ("kb", &["kb", "知识", "知識", "知识库", "article"]),
    ("approval", &["approval", "审批", "審批", "申请审批"]),
    ("approve", &["approve", "批准", "同意", "approved", "审批通过"]),
    ("reject", &["reject", "驳回", "駁回", "rejected", "拒绝", "拒絕", "不同意"]),
];

/// What `#visit` takes.
pub const VISIT_EXPECTED: &str = "#visit 2026-11-24 14:00 …, #visit cancel";

/// Compatibility-folded lower case: `＃Ｔａｋｅ` reads like `#take`.
pub fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_lowercase()
}

/// The command's own name for anything people write for it.
pub fn canonical(word: &str) -> Option<&'static str> {
    let word = fold(word);
    NAMES.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(name, _)| *name)
}

/// The line as it is shown to its writer.
pub fn written(line: &CommandLine) -> String {
    format!("#{} {}", line.word, line.value).trim().to_owned()
}

/// Reads one line.
///
/// # Errors
/// The hint for the writer: not a command (and the nearest one), or a value that does not fit.
pub fn read(line: &CommandLine) -> Result<Command, Hint> {
    let value = line.value.trim();
    let Some(name) = canonical(&line.word) else {
        return read_glued(line).ok_or_else(|| Hint::Unknown { nearest: nearest(&line.word) });
    };
    // `#resolve new drum #note he broke it himself`: the second command would go out as text.
    if misplaced_in(value, |_| true).is_some() {
        return Err(Hint::OneALine);
    }
    read_as(name, value)
}

fn read_as(name: &str, value: &str) -> Result<Command, Hint> {
    let text = || value.to_owned();
    let expected = |what: &str| Hint::Value { expected: what.into() };
    let needed = |what: &str| if value.is_empty() { Err(expected(what)) } else { Ok(value.to_owned()) };
    let alone = |command| if value.is_empty() { Ok(command) } else { Err(Hint::OneALine) };
    let (first, rest) = first_word(value);
    Ok(match name {
        "take" => alone(Command::Take)?,
        "assign" => Command::Assign(needed("#assign li.si@example.com, #assign level 3, #assign network")?),
        "priority" => {
            let priority =
                Priority::parse(&fold(first).to_uppercase()).ok_or_else(|| expected("#priority P1, P2, P3, P4"))?;
            Command::Priority(priority, rest.to_owned())
        }
        "category" => Command::Category(
            read_category(value)
                .ok_or_else(|| expected("#category hardware, software, network, account, data-security, other"))?,
        ),
        "note" => Command::Note(text()),
        "step" => Command::Step(needed("#step …")?),
        "workaround" => Command::Workaround(text()),
        "wait" => Command::Wait(
            read_wait(first).ok_or_else(|| expected("#wait requester, vendor, approval, visit"))?,
            rest.to_owned(),
        ),
        "resume" => alone(Command::Resume)?,
        "resolve" => Command::Resolve(text()),
        "close" => Command::Close(text()),
        "cancel" => Command::Cancel(text()),
        "reopen" => Command::Reopen(text()),
        "merge" => Command::Merge(read_number(first).ok_or_else(|| expected("#merge IT007"))?),
        "parent" => Command::Parent(read_number(first).ok_or_else(|| expected("#parent IT007"))?),
        "split" if value.is_empty() => Command::Split(None),
        "split" => Command::Split(Some(read_number(first).ok_or_else(|| expected("#split IT007"))?)),
        "visit" => Command::Visit(needed(VISIT_EXPECTED)?),
        "vendor" => Command::Vendor(text()),
        "cc" => {
            Command::Copy(copies::read(value).ok_or_else(|| expected("#cc li.si@example.com, #cc -li.si@example.com"))?)
        }
        "spam" => alone(Command::Spam)?,
        "status" => Command::Status,
        "list" => Command::List,
        "approval" => Command::Approval(text()),
        "approve" => Command::Approve(text()),
        "reject" => Command::Reject(text()),
        "for" => {
            let (who, way) = read_way(&needed("#for zhang@example.com")?);
            Command::For(who, way)
        }
        "kb" => Command::Article(text()),
        _ => Command::Help,
    })
}

/// `IT007`, `【IT007】`.
fn read_number(text: &str) -> Option<Number> {
    Number::parse(fold(text).trim_matches(['[', ']', '【', '】']))
}

/// `zhang@example.com 电话`, `电话 张伟`: who, and how they reported it when a word says so.
fn read_way(value: &str) -> (String, Option<Way>) {
    let way = |word: &str| {
        Some(match word {
            "phone" | "call" | "called" | "telephone" | "tel" | "电话" | "来电" | "電話" | "致电" => Way::Phone,
            "walk-up" | "walkup" | "counter" | "person" | "当面" | "現場" | "现场" | "前台" | "上门" | "到访" => {
                Way::InPerson
            }
            "chat" | "im" | "wechat" | "wecom" | "teams" | "lark" | "feishu" | "dingtalk" | "微信" | "企业微信"
            | "企微" | "钉钉" | "飞书" | "聊天" | "即时消息" => Way::Chat,
            "mail" | "email" | "邮件" => Way::Mail,
            _ => return None,
        })
    };
    let apart = |c: char| c.is_whitespace() || "，,、;；()（）".contains(c);
    let words: Vec<&str> = value.split(apart).filter(|word| !word.is_empty()).collect();
    let found = words.iter().find_map(|word| way(&fold(word)));
    let filler = |word: &str| matches!(fold(word).as_str(), "by" | "via" | "in" | "on");
    let rest = words.iter().filter(|word| found.is_none() || (way(&fold(word)).is_none() && !filler(word)));
    (rest.copied().collect::<Vec<_>>().join(" "), found)
}

/// `P2，月结`: the word and what follows.
fn first_word(value: &str) -> (&str, &str) {
    let (first, rest) =
        value.split_once(|c: char| c.is_whitespace() || "，,：:。；;".contains(c)).unwrap_or((value, ""));
    (first, rest.trim())
}

/// `#优先级P1`, `#转派李娜`: Chinese puts no blank between words. Read so only where the value is one of a few, so that
/// `#解决方案如下` resolves nothing; and for a rejection, which any text may follow and which executes nothing.
fn read_glued(line: &CommandLine) -> Option<Command> {
    let word = fold(&line.word);
    let closed =
        ["assign", "priority", "category", "wait", "merge", "parent", "split", "visit", "approval", "reject", "for"];
    let names = NAMES.iter().filter(|(name, _)| closed.contains(name));
    let each = names.flat_map(|(name, names)| names.iter().map(move |n| (*name, *n))).filter(|(_, n)| !n.is_ascii());
    let (name, rest) = each.filter_map(|(name, n)| Some((name, word.strip_prefix(n)?))).min_by_key(|(_, r)| r.len())?;
    // `#上门明天14:00`: the colon was taken for the end of the word.
    let digit = |c: char| c.is_ascii_digit();
    let cut = name == "visit" && rest.ends_with(digit) && line.value.starts_with(digit);
    let between = if cut { ":" } else { " " };
    read_as(name, format!("{rest}{between}{}", line.value).trim()).ok()
}

pub fn read_category(value: &str) -> Option<Category> {
    let value = fold(value);
    let word = value.split_whitespace().next()?;
    Category::ALL.iter().copied().find(|c| {
        let (zh, en) = (c.name(crate::desk::words::Language::Chinese), c.as_str());
        word == zh
            || word == en
            || (word.len() >= 3 && en.starts_with(word))
            || (word.chars().count() >= 2 && (zh.contains(word) || word.starts_with(zh)))
    })
}

fn read_wait(value: &str) -> Option<Wait> {
    Some(match fold(value).as_str() {
        "" | "requester" | "user" | "customer" | "报障人" | "用户" | "等待报障人" | "等用户" => {
            Wait::Requester
        }
        "vendor" | "supplier" | "厂商" | "供应商" | "等厂商" => Wait::Vendor,
        "approval" | "审批" => Wait::Approval,
        "visit" | "上门" => Wait::Visit,
        _ => return None,
    })
}

/// The nearest command name, if one is near enough to be a slip of the hand, or if the text is glued to it.
pub fn nearest(word: &str) -> Option<String> {
    let word = fold(word);
    let allowed = if word.chars().count() <= 5 { 1 } else { 2 };
    near(&word, allowed).or_else(|| names().find(|name| begins_with(&word, name)).map(str::to_owned))
}

fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().flat_map(|(_, names)| names.iter().copied())
}

/// The nearest name at most so many slips away.
fn near(word: &str, allowed: usize) -> Option<String> {
    let word: Vec<char> = word.chars().take(40).collect();
    let scored = names().map(|name| (distance(&word, &name.chars().collect::<Vec<_>>()), name));
    scored
        // Everything is near to `kb`.
        .filter(|(d, name)| *d <= allowed && *d < name.chars().count() && (name.len() > 2 || *d == 0))
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name.to_owned())
}

/// A Chinese name with its text glued to it, `备注别告诉用户`, or a Latin one followed by Chinese, `note别告诉用户`.
fn begins_with(word: &str, name: &str) -> bool {
    let rest = word.strip_prefix(name).filter(|rest| !rest.is_empty());
    rest.is_some_and(|rest| !name.is_ascii() || (name.len() > 1 && rest.starts_with(|c: char| !c.is_ascii())))
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

/// A line below the top that was probably meant as a command: known, or a slip away from one. Sending the text would be
/// a mistake, the worst kind where the word was to keep it internal.
///
/// | Written | Taken for a command |
/// |---|---|
/// | `#word` | a known name, one slip away from it, or a text glued to a name of `#note` |
/// | `# word`, `##word` | a known name, or a slip of `#note`; anything else is a heading or a comment |
/// | `… #word` inside a line | a name of `#note` |
///
/// Bullets, quote marks and stars before `#` do not count. `#12`, `#include`, `#hashtag` are text.
pub fn misplaced(text: &str) -> Option<CommandLine> {
    misplaced_in(text, hides)
}

fn misplaced_in(text: &str, inside: fn(&str) -> bool) -> Option<CommandLine> {
    let lines = text.lines().take(2000);
    lines.flat_map(|line| at_start(line).into_iter().chain(within(line, inside))).next()
}

fn is_hash(c: char) -> bool {
    matches!(c, '#' | '＃')
}

/// A word of letters (and what follows) behind `#`.
fn word_of(rest: &str) -> Option<CommandLine> {
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
    let value = rest[word.len()..].trim().chars().take(200).collect();
    word.starts_with(char::is_alphabetic).then_some(CommandLine { word, value })
}

fn at_start(line: &str) -> Option<CommandLine> {
    // Bullets, stars, quote marks, `1.` and blanks, also those nobody sees.
    let line = line.trim_start_matches(|c: char| !c.is_alphabetic() && !is_hash(c));
    let behind = line.trim_start_matches(is_hash);
    let rest = behind.trim_start_matches(|c: char| !c.is_alphanumeric());
    let found = word_of(rest).filter(|_| line.starts_with(is_hash))?;
    let glued = rest.len() == behind.len() && line.chars().take_while(|c| is_hash(*c)).count() == 1;
    let word = fold(&found.word);
    let meant = canonical(&word).is_some() || slip_of_note(&word) || (glued && slip(&word));
    meant.then_some(found)
}

fn within(line: &str, which: fn(&str) -> bool) -> Option<CommandLine> {
    // `C#`, `page#note` and the fragments of links are no commands.
    let parted = |c: char| !c.is_ascii_alphanumeric() && !"/=&?%_-+.".contains(c);
    line.match_indices(is_hash).find_map(|(at, hash)| {
        line[..at].chars().next_back().filter(|c| parted(*c))?;
        let found = word_of(&line[at + hash.len()..])?;
        let word = fold(&found.word);
        let known = canonical(&word).is_some() || hides(&word);
        (known && which(&word)).then_some(found)
    })
}

/// A name of `#note`, alone or with its text glued to it: what it hides must never go out.
fn hides(word: &str) -> bool {
    canonical(word) == Some("note") || note_names().any(|name| begins_with(word, name) && name != "内部")
}

fn note_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().filter(|(name, _)| *name == "note").flat_map(|(_, names)| names.iter().copied())
}

/// `备住`, `notes`, `ntoe`: whatever stands around it, this was to stay internal.
fn slip_of_note(word: &str) -> bool {
    const BEI: &str = "备被背倍贝备備";
    const ZHU: &str = "注住主助驻柱著筑祝朱註";
    let sounds_alike = matches!(word.chars().collect::<Vec<_>>()[..], [a, b, ..] if BEI.contains(a) && ZHU.contains(b));
    sounds_alike || hides(word) || ["notes", "noted", "ntoe", "noet", "onte", "notee", "nnote", "注备"].contains(&word)
}

/// Words of their own that happen to be one stroke away from a command.
const ORDINARY: &[&str] = &[
    "stop",
    "line",
    "last",
    "lost",
    "fine",
    "nine",
    "gone",
    "slow",
    "shop",
    "snow",
    "vote",
    "node",
    "none",
    "want",
    "make",
    "lake",
    "cake",
    "tape",
    "wake",
    "sending",
    "internet",
    "external",
    "interval",
    "备份",
    "备用",
    "备件",
    "备案",
    "内存",
    "内网",
    "内容",
    "重要",
    "重点",
    "重启",
    "重装",
    "重置",
    "处理",
    "关于",
    "关机",
    "状况",
    "查询",
    "查找",
    "分析",
    "分享",
    "转发",
    "转换",
    "完毕",
    "合同",
    "合计",
    "解释",
    "解锁",
    "认证",
    "认真",
    "接口",
    "接收",
    "取件",
    "挂载",
    "帮忙",
    "批次",
    "批量",
    "批号",
    "批注",
    "标准",
    "校准",
    "审核",
    "审计",
    "审查",
    "审阅",
    "同步",
    "同事",
    "同时",
    "同样",
    "注意",
    "满意",
    "不满意",
    "愿意",
    "拒收",
    "form",
    "fork",
    "ford",
    "fort",
    "four",
    "fore",
    "代理",
    "代码",
    "代价",
    "代办",
    "improve",
    "project",
    "approvals",
    "articles",
    "常识",
    "认识",
    "意识",
    "识别",
    "知道",
    "通知",
    "已知",
    "告知",
];

/// One slip away from a command: two where the word is long, none where it is too short to tell.
fn slip(word: &str) -> bool {
    let length = word.chars().count();
    let long_enough = !word.is_ascii() || (length >= 4 && !word.bytes().any(|b| b.is_ascii_digit()));
    let is_slip = long_enough && near(word, if length < 8 { 1 } else { 2 }).is_some();
    let glued_note = note_names().any(|name| begins_with(word, name));
    (is_slip || glued_note) && !ORDINARY.contains(&word)
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
            ("分类 硬件故障", Command::Category(Category::Hardware)),
            ("wait", Command::Wait(Wait::Requester, String::new())),
            ("挂起 厂商，等备件", Command::Wait(Wait::Vendor, "等备件".into())),
            ("solved it was the cable", Command::Resolve("it was the cable".into())),
            ("merge it007", Command::Merge(Number(7))),
            ("合并 【IT007】，同一件事", Command::Merge(Number(7))),
            ("列表", Command::List),
        ] {
            assert_eq!(read(&line(text)), Ok(command), "{text}");
        }
    }

    #[test]
    fn a_value_may_be_glued_to_a_chinese_name_where_it_is_one_of_a_few() {
        for (word, command) in [
            ("优先级P1", Command::Priority(Priority::P1, String::new())),
            ("合并IT007", Command::Merge(Number(7))),
            ("拆分", Command::Split(None)),
            ("split IT009", Command::Split(Some(Number(9)))),
            ("归入IT007", Command::Parent(Number(7))),
            ("分类网络", Command::Category(Category::Network)),
            ("挂起厂商", Command::Wait(Wait::Vendor, String::new())),
            ("转派李娜", Command::Assign("李娜".into())),
        ] {
            assert_eq!(read(&line(word)), Ok(command), "{word}");
        }
        for (word, near) in [
            ("解决方案如下", "解决"),
            ("备注别告诉用户", "备注"),
            ("取消1", "取消"),
            ("优先级很高", "优先级"),
            ("note别说", "note"),
        ] {
            assert_eq!(read(&line(word)), Err(Hint::Unknown { nearest: Some(near.into()) }), "{word}");
        }
    }

    #[test]
    fn two_commands_on_a_line_or_a_text_that_would_be_lost() {
        for text in [
            "take #note he broke it himself",
            "认领 马上过来",
            "resume it is back",
            "resolve new drum #note he broke it himself",
            "解决 换了硒鼓，#备注 是他自己弄坏的",
            "step swapped it #resolve",
            "priority P1 #close",
        ] {
            assert_eq!(read(&line(text)), Err(Hint::OneALine), "{text}");
        }
        for text in ["resolve see #12", "status please", "note C# and #include", "step 1#楼"] {
            assert!(read(&line(text)).is_ok(), "{text}");
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

    fn misplaced_word(text: &str) -> Option<String> {
        misplaced(&format!("您好，已处理\n{text}\n谢谢")).map(|found| found.word)
    }

    #[test]
    fn s13_a_command_below_the_text_is_noticed() {
        for (text, word) in [
            (" #备注 别告诉用户", "备注"),
            ("#resolve", "resolve"),
            ("#Resolve.", "Resolve"),
            ("＃ＮＯＴＥ x", "ＮＯＴＥ"),
            ("# 备注 别告诉用户", "备注"),
            ("\u{200b}#note x", "note"),
            ("##note x", "note"),
            ("**#note** x", "note"),
            ("- #note x", "note"),
            ("• #备注 x", "备注"),
            ("1. #note x", "note"),
            ("（1）#备注 x", "备注"),
            ("> #note x", "note"),
            ("“#备注” x", "备注"),
            ("#備註 x", "備註"),
            // one slip away
            ("#reslove", "reslove"),
            ("#resovle 换了硒鼓", "resovle"),
            ("#noet x", "noet"),
            ("#priorty P1", "priorty"),
            ("#wrokaround", "wrokaround"),
            ("#解快", "解快"),
            ("#解决了", "解决了"),
            ("#认令", "认令"),
            // what was to stay internal, however it is written
            ("#备住 别告诉用户", "备住"),
            ("# 备住 别告诉用户", "备住"),
            ("**#备柱** 别告诉用户", "备柱"),
            ("#备注别告诉用户", "备注别告诉用户"),
            ("# 备注别告诉用户", "备注别告诉用户"),
            ("#note别告诉用户", "note别告诉用户"),
            ("#内部他自己摔的", "内部他自己摔的"),
            ("# Notes", "Notes"),
            ("已换好。#备注 其实是他自己弄坏的", "备注"),
            ("done #note he broke it", "note"),
        ] {
            assert_eq!(misplaced_word(text).as_deref(), Some(word), "{text}");
        }
    }

    #[test]
    fn ordinary_text_goes_out() {
        for text in [
            "#1 restart it",
            "#12",
            "see #12 and C# notes",
            "1#楼打印机",
            "工单 #1234 已合并",
            "#hashtag",
            "#printer #toner",
            "#合同# #付款#",
            "# heading",
            "# 标题",
            "# 解决方案",
            "# 步骤1：打开设置",
            "## 处理过程",
            "#include <stdio.h>",
            "#define NOTE 1",
            "#!/bin/bash",
            "# stop the spooler",
            "# restart it",
            "# not needed",
            "// comment",
            "/* note */",
            "# 备份步骤",
            "#备份 已完成",
            "#重启 电脑",
            "#node 3",
            "#stop",
            "#internet",
            "#cat6 cable",
            "https://wiki.example/page#note",
            "https://wiki.example/#note",
            "color: #cafe00",
            "the note #",
            "#",
            "#IT007",
            "#P1",
            "点击“备注”按钮",
            "press # to continue",
        ] {
            assert_eq!(misplaced_word(text), None, "{text}");
        }
    }
}
