//! Facts in words: times, sizes and timeline entries as a reader of mail expects them.

use crate::address::Address;
use crate::desk::knowledge::article::State;
use crate::desk::knowledge::article_name;
use crate::desk::letter::{Action, Change};
use crate::desk::review;
use crate::desk::ticket::What;
use crate::desk::words::Language;
use crate::time::Timestamp;
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

/// A moment seen from `now` in `zone`: `今天 15:30`, `明天（周二）09:30`, `11月26日（周四）10:00`;
/// `15:30 today`, `09:30 tomorrow (Tue)`, `10:00 on Thu 26 Nov`. The year stands only when it is another one.
pub fn moment(at: Timestamp, now: Timestamp, zone: Tz, language: Language) -> String {
    let (at, now) = (at.at_zone(zone), now.at_zone(zone));
    let (day, today) = (at.date_naive(), now.date_naive());
    let clock = at.format("%H:%M");
    let near = match (day - today).num_days() {
        0 => Some(("今天", "today")),
        1 => Some(("明天", "tomorrow")),
        -1 => Some(("昨天", "yesterday")),
        _ => None,
    };
    match (language, near) {
        (Language::Chinese, Some(("今天", _))) => format!("今天 {clock}"),
        (Language::Chinese, Some((word, _))) => format!("{word}（{}）{clock}", chinese_weekday(day)),
        (Language::Chinese, None) => {
            let year = if day.year() == today.year() { String::new() } else { format!("{}年", day.year()) };
            format!("{year}{}月{}日（{}）{clock}", day.month(), day.day(), chinese_weekday(day))
        }
        (Language::English, Some((_, "today"))) => format!("{clock} today"),
        (Language::English, Some((_, word))) => format!("{clock} {word} ({})", day.format("%a")),
        (Language::English, None) => {
            let year = if day.year() == today.year() { String::new() } else { format!(" {}", day.year()) };
            format!("{clock} on {}{year}", day.format("%a %-d %b"))
        }
    }
}

fn chinese_weekday(day: NaiveDate) -> &'static str {
    ["周一", "周二", "周三", "周四", "周五", "周六", "周日"][day.weekday().num_days_from_monday() as usize]
}

/// A stretch of time that is read days later, too: `11月24日（周二）14:00–15:00`, `Tue 24 Nov, 14:00–15:00`. The year
/// stands only when it is another one than `now`.
pub fn span(from: Timestamp, to: Timestamp, now: Timestamp, zone: Tz, language: Language) -> String {
    let (from, to, now) = (from.at_zone(zone), to.at_zone(zone), now.at_zone(zone));
    let same_year = from.year() == now.year();
    let day = match language {
        Language::Chinese => {
            let year = if same_year { String::new() } else { format!("{}年", from.year()) };
            let weekday = chinese_weekday(from.date_naive());
            format!("{year}{}月{}日（{weekday}）", from.month(), from.day())
        }
        Language::English => {
            let year = if same_year { String::new() } else { format!(" {}", from.year()) };
            format!("{}{year}, ", from.format("%a %-d %b"))
        }
    };
    format!("{day}{}–{}", from.format("%H:%M"), to.format("%H:%M"))
}

/// `640 KB`, `12.5 MB`, with 1 KB = 1024 bytes as mail programs count.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => {
            let tenths = (bytes.saturating_mul(10) + 524_288) / 1_048_576;
            if tenths.is_multiple_of(10) {
                format!("{} MB", tenths / 10)
            } else {
                format!("{}.{} MB", tenths / 10, tenths % 10)
            }
        }
    }
}

/// A timeline entry's `what` in words.
pub fn happened(what: &What, language: Language) -> String {
    let say = |chinese: &str, english: &str| language.pick(chinese, english).to_owned();
    let change = |chinese: &str, english: &str, from: &str, to: &str| {
        format!("{}{from} → {to}", language.pick(chinese, english))
    };
    match what {
        What::Opened => say("登记", "registered"),
        What::Message => say("来信", "message"),
        What::Note => say("内部备注", "internal note"),
        What::Step => say("处理步骤", "step"),
        What::Workaround => say("临时措施", "workaround"),
        What::Solution => say("解决办法", "solution"),
        What::Article { state } => match state {
            State::Draft => say("知识条目草稿", "article drafted"),
            State::Published => say("知识条目已发布", "article published"),
            State::Retired => say("知识条目已停用", "article taken away"),
        },
        What::Reviewed { kind, stage } => {
            let what = match kind {
                review::Kind::Incident => language.pick("复盘", "review"),
                review::Kind::Problem => language.pick("问题记录", "problem record"),
            };
            let blank = language.pick("", " ");
            let stage = match stage {
                review::Stage::Asked => language.pick("待填写", "asked for"),
                review::Stage::Told => language.pick("内容", "told"),
                review::Stage::Planned => language.pick("已填写，待落实", "complete, to be done"),
                review::Stage::Done => language.pick("已落实", "done"),
                review::Stage::Withdrawn => language.pick("已撤销", "withdrawn"),
                review::Stage::Recurred => language.pick("再次出现", "came back"),
            };
            format!("{what}{blank}{stage}")
        }
        What::Helped { article, helped } => {
            let (chinese, english) =
                if *helped { ("有帮助：", "helped: ") } else { ("没有帮助：", "did not help: ") };
            format!("{}{}", language.pick(chinese, english), article_name(*article))
        }
        What::Status { from, to } => change("状态：", "status: ", from.name(language), to.name(language)),
        What::Assigned { to: Some(to), .. } => format!("{}{to}", language.pick("处理人：", "assigned to ")),
        What::Assigned { to: None, .. } => say("取消分派", "unassigned"),
        What::Priority { from, to } => change("优先级：", "priority: ", from.as_str(), to.as_str()),
        What::Category { from, to } => change("类别：", "category: ", from.name(language), to.name(language)),
        What::Rated { rating } => format!("{}{}", language.pick("评价：", "rated: "), rating.name(language)),
        What::Refused => say("未执行的操作", "refused"),
        What::Undelivered => say("邮件未送达", "letter not delivered"),
        What::Escalated { clock, percent, .. } => match (language, *percent >= 100) {
            (Language::Chinese, true) => format!("{}超时，已通知", clock.name(language)),
            (Language::Chinese, false) => format!("{}时限已用 {percent}%，已提醒", clock.name(language)),
            (Language::English, true) => format!("{} target missed, told", clock.name(language).to_lowercase()),
            (Language::English, false) => {
                format!("{percent}% of the {} target used up, told", clock.name(language).to_lowercase())
            }
        },
        What::Reminded => say("系统提醒", "reminder sent"),
        What::Absorbed { number, subject, .. } => {
            format!("{}{number} {subject}", language.pick("并入了 ", "merged in: "))
        }
        What::Joined { report } => format!("{}{}", language.pick("同一故障的报告 ", "same fault: "), report.number),
        What::VendorAsked { vendor } => format!("{}{vendor}", language.pick("已联系厂商：", "asked the vendor: ")),
        What::Left { number } => format!("{}{number}", language.pick("不再视为同一故障 ", "not the same fault: ")),
        What::Split { from } => format!("{}{from}", language.pick("从同一故障中拆出 ", "split from ")),
        What::Visit { change, .. } => match change {
            Change::Made => say("预约上门", "visit arranged"),
            Change::Moved => say("上门改时间", "visit moved"),
            Change::HandedOver => say("上门换人", "another engineer visits"),
            Change::Cancelled => say("取消上门", "visit called off"),
        },
        What::VisitAnswered { answer, .. } => {
            format!("{}{}", language.pick("上门邀请：", "visit invitation: "), answer.name(language))
        }
        What::ApprovalAsked { module, of, .. } => {
            let people: Vec<&str> = of.iter().map(|address| address.as_str()).collect();
            let people = people.join(", ");
            match language {
                Language::Chinese => format!("请求审批：{module}，{people}"),
                Language::English => format!("approval asked: {module}, of {people}"),
            }
        }
        What::Approved { module, .. } => format!("{}{module}", language.pick("审批通过：", "approved: ")),
        What::Rejected { module, .. } => format!("{}{module}", language.pick("审批驳回：", "rejected: ")),
        What::ApprovalWithdrawn { module } => format!("{}{module}", language.pick("不再审批：", "approval dropped: ")),
        What::ApprovalOverdue { module, to } => match language {
            Language::Chinese => format!("{module} 的审批超过期限，已通知 {to}"),
            Language::English => format!("the approval of {module} takes too long, told {to}"),
        },
        What::Targets { .. } => say("此前的时限（首次响应，解决）", "targets until then (first response, resolution)"),
        What::Proposed { action: Action::Resolve } => {
            say("报障人说已经好了，请处理人确认", "the requester says it works")
        }
        What::Proposed { action: Action::Cancel } => {
            say("报障人说不用处理了，请处理人确认", "the requester withdraws it")
        }
        What::Copied { added, removed } => {
            let people = |sign: &str, people: &[Address]| {
                people.iter().map(|address| format!(" {sign}{address}")).collect::<String>()
            };
            format!("{}{}{}", language.pick("抄送：", "in copy:"), people("+", added), people("-", removed))
        }
        What::Merged { into } => format!("{}{into}", language.pick("已合并到 ", "merged into ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_the_readers_zone() {
        let now = Timestamp::parse("2026-11-23T14:00:00+08:00").unwrap();
        let check = |at: &str, chinese: &str, english: &str| {
            let at = Timestamp::parse(at).unwrap();
            let zone = chrono_tz::Asia::Shanghai;
            assert_eq!(moment(at, now, zone, Language::Chinese), chinese);
            assert_eq!(moment(at, now, zone, Language::English), english);
        };
        check("2026-11-23T15:30:00+08:00", "今天 15:30", "15:30 today");
        check("2026-11-24T01:30:00Z", "明天（周二）09:30", "09:30 tomorrow (Tue)");
        check("2026-11-22T23:59:00+08:00", "昨天（周日）23:59", "23:59 yesterday (Sun)");
        check("2026-11-25T10:00:00+08:00", "11月25日（周三）10:00", "10:00 on Wed 25 Nov");
        check("2027-01-04T09:00:00+08:00", "2027年1月4日（周一）09:00", "09:00 on Mon 4 Jan 2027");
        let seen_abroad =
            moment(Timestamp::parse("2026-11-23T15:30:00+08:00").unwrap(), now, Tz::UTC, Language::English);
        assert_eq!(seen_abroad, "07:30 today");
    }

    #[test]
    fn sizes() {
        for (bytes, text) in
            [(0, "0 B"), (2048, "2 KB"), (26_214_400, "25 MB"), (41_943_040, "40 MB"), (13_107_200, "12.5 MB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
