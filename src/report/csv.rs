//! The rounds of a period as CSV, for whoever wants to count again. Excel needs a BOM to read it as UTF-8; a value that
//! it would take for a formula is text (`domain.md` 6.3).

use super::Context;
use super::words::reason;
use crate::desk::digest::{Ending, Origin, Round};
use crate::desk::words::{Language, Rating, Wait};
use crate::time::Timestamp;
use chrono_tz::Tz;

const BOM: &str = "\u{feff}";

/// A value of a row.
pub enum Value {
    Text(String),
    Number(u64),
    Time(Timestamp),
    Nothing,
}

/// Chinese name, English name, value.
type Column = (&'static str, &'static str, fn(&Round, Language) -> Value);

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Nothing, Value::Time)
}

fn count(value: Option<u32>) -> Value {
    value.map_or(Value::Nothing, |value| Value::Number(u64::from(value)))
}

fn yes(value: bool) -> Value {
    Value::Number(u64::from(value))
}

fn origin(origin: Origin, language: Language) -> &'static str {
    match origin {
        Origin::Opened => language.pick("新登记", "new"),
        Origin::Unconfirmed => language.pick("确认前重开", "reopened before it was closed"),
        Origin::Closed => language.pick("关闭后重开", "reopened after it was closed"),
    }
}

fn ending(ending: Ending, language: Language) -> &'static str {
    match ending {
        Ending::Open => language.pick("未关闭", "open"),
        Ending::Closed => language.pick("已关闭", "closed"),
        Ending::Cancelled => language.pick("取消或合并", "cancelled or merged"),
        Ending::Reopened => language.pick("重开", "reopened"),
    }
}

/// No names: requester and engineer are recognised by a number that stands for them.
pub const COLUMNS: &[Column] = &[
    ("工单", "ticket", |r, _| text(r.number.to_string())),
    ("轮次", "round", |r, _| Value::Number(u64::from(r.cycle))),
    ("登记时间", "created", |r, _| Value::Time(r.created)),
    ("本轮开始", "began", |r, _| Value::Time(r.began)),
    ("来由", "origin", |r, l| text(origin(r.origin, l))),
    ("优先级", "priority", |r, _| text(r.priority.as_str())),
    ("自动定级", "first priority", |r, _| text(r.first_priority.as_str())),
    ("类别", "category", |r, l| text(r.category.name(l))),
    ("自动分类", "first category", |r, l| text(r.first_category.name(l))),
    ("部门", "department", |r, _| text(r.department.as_str())),
    ("报障人代号", "requester", |r, _| text(format!("R{:08X}", r.requester as u32))),
    ("主题词", "topic", |r, _| text(r.topic.as_str())),
    ("属于同一故障", "report of a fault", |r, _| yes(r.is_report)),
    ("状态", "status", |r, l| text(r.status.name(l))),
    ("等待", "waiting for", |r, l| r.wait.map_or(Value::Nothing, |wait: Wait| text(wait.name(l)))),
    ("工程师代号", "engineer", |r, _| engineer(&r.assignee)),
    ("转派次数", "handovers", |r, _| Value::Number(u64::from(r.handovers))),
    ("首派者解决", "resolved by the first", |r, _| yes(r.by_first && r.resolved.is_some())),
    ("答复次数", "answers", |r, _| Value::Number(u64::from(r.answers))),
    ("职能升级", "handed up", |r, _| yes(r.functional)),
    ("管理升级", "escalated", |r, _| yes(r.hierarchic)),
    ("响应时限", "response due", |r, _| Value::Time(r.response_due)),
    ("首次响应", "first response", |r, _| time(r.responded)),
    ("响应用时（秒）", "response, seconds", |r, _| count(r.response_took)),
    ("解决时限", "resolution due", |r, _| Value::Time(r.resolution_due)),
    ("解决时间", "resolved", |r, _| time(r.resolved)),
    ("挂起（秒）", "on hold, seconds", |r, _| Value::Number(u64::from(r.paused))),
    ("解决用时（秒）", "resolution, seconds", |r, _| count(r.took)),
    ("结束", "ended", |r, _| time(r.ended)),
    ("结束方式", "ending", |r, l| text(ending(r.ending, l))),
    ("再次打开", "reopened", |r, _| time(r.reopened)),
    ("评价", "judgement", |r, l| r.rating.map_or(Value::Nothing, |rating: Rating| text(rating.name(l)))),
    ("评价时间", "judged", |r, _| time(r.rated)),
    ("不满意跟进", "taken up", |r, _| time(r.followed)),
    ("跟进期限", "to be taken up by", |r, _| time(r.follow_due)),
    ("超时原因", "likely reason", |r, l| text(reason(r.reason, l))),
    ("审批发起", "approval asked", |r, _| time(r.approval_asked)),
    ("审批决定", "approval decided", |r, _| time(r.approval_decided)),
];

fn engineer(key: &str) -> Value {
    if key.is_empty() {
        return Value::Nothing;
    }
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    text(format!("E{hash:08X}"))
}

/// The whole file.
pub fn write(rows: &[Round], context: &Context, language: Language) -> Vec<u8> {
    let mut file = String::from(BOM);
    let zone = context.slot.period.zone;
    line(&mut file, COLUMNS.iter().map(|(chinese, english, _)| language.pick(chinese, english).to_owned()));
    for row in rows {
        line(&mut file, COLUMNS.iter().map(|(.., value)| shown(value(row, language), zone)));
    }
    file.into_bytes()
}

fn shown(value: Value, zone: Tz) -> String {
    match value {
        Value::Text(text) => harmless(text),
        Value::Number(number) => number.to_string(),
        Value::Time(at) => at.at_zone(zone).format("%Y-%m-%d %H:%M:%S").to_string(),
        Value::Nothing => String::new(),
    }
}

/// Text that a spreadsheet program would calculate gets a sign before it that makes it text.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

/// RFC 4180 section 2.
fn line(file: &mut String, values: impl Iterator<Item = String>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            file.push(',');
        }
        if value.contains(['"', ',', '\n', '\r']) {
            file.push('"');
            file.push_str(&value.replace('"', "\"\""));
            file.push('"');
        } else {
            file.push_str(&value);
        }
    }
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_quotes_are_doubled() {
        let check = |value: &str, expect: &str| {
            let mut file = String::new();
            line(&mut file, std::iter::once(harmless(value.to_owned())));
            assert_eq!(file, format!("{expect}\r\n"));
        };
        check("=1+1", "'=1+1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("-1", "'-1");
        check("财务部", "财务部");
        check("a,\"b\"", "\"a,\"\"b\"\"\"");
        check("=cmd|'/c calc'!A1,x", "\"'=cmd|'/c calc'!A1,x\"");
    }
}
