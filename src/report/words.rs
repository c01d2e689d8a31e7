//! Numbers, durations and periods as a reader expects them.

use crate::desk::digest::page::State;
use crate::desk::digest::{Kind, Period, Ratio, Reason, Slot};
use crate::desk::words::Language;
use chrono::Datelike as _;

/// What stands where there is nothing to tell: never 0 %, never 100 %.
pub const NOTHING: &str = "—";

/// `12,345`.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `95.2%`, from tenths of a percent.
pub fn permille(value: Option<u64>) -> String {
    value.map_or(NOTHING.to_owned(), |value| format!("{}.{}%", value / 10, value % 10))
}

pub fn ratio(ratio: Ratio) -> String {
    permille(ratio.permille())
}

/// `57/60`.
pub fn counts(ratio: Ratio) -> String {
    format!("{}/{}", number(ratio.met), number(ratio.of))
}

/// `95.2% (57/60)`, or a dash.
pub fn ratio_of(value: Ratio) -> String {
    if value.of == 0 { NOTHING.to_owned() } else { format!("{} ({})", ratio(value), counts(value)) }
}

/// `+3`, `-2`, `±0`.
pub fn difference(now: u64, before: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("+{}", number(now - before)),
        std::cmp::Ordering::Less => format!("-{}", number(before - now)),
        std::cmp::Ordering::Equal => "±0".to_owned(),
    }
}

/// The change of a percentage in points.
pub fn points(now: Option<u64>, before: Option<u64>, language: Language) -> String {
    let (Some(now), Some(before)) = (now, before) else { return String::new() };
    let sign = match now.cmp(&before) {
        std::cmp::Ordering::Greater => "+",
        std::cmp::Ordering::Less => "-",
        std::cmp::Ordering::Equal => "±",
    };
    let apart = now.abs_diff(before);
    format!("{sign}{}.{}{}", apart / 10, apart % 10, language.pick(" 个百分点", " points"))
}

/// A duration in the unit that suits it, never broken over two lines; days only where a day has 24 hours.
pub fn duration(seconds: u64, with_days: bool, language: Language) -> String {
    const HOUR: u64 = 3600;
    let tenths = |unit: u64, chinese: &'static str, english: &'static str| {
        let tenths = (seconds * 20 + unit) / (2 * unit);
        format!("{}.{}\u{a0}{}", number(tenths / 10), tenths % 10, language.pick(chinese, english))
    };
    match seconds {
        0..60 => format!("<\u{a0}1\u{a0}{}", language.pick("分", "min")),
        60..HOUR => format!("{}\u{a0}{}", seconds / 60, language.pick("分", "min")),
        _ if with_days && seconds >= 48 * HOUR => tenths(24 * HOUR, "天", "days"),
        _ => tenths(HOUR, "小时", "h"),
    }
}

pub fn good(is_good: bool, language: Language) -> (State, String) {
    match is_good {
        true => (State::Good, language.pick("正常", "on target").to_owned()),
        false => (State::Bad, language.pick("非正常", "off target").to_owned()),
    }
}

pub fn title(kind: Kind, desk: &str, language: Language) -> String {
    let (chinese, english) = match kind {
        Kind::Daily => ("看板", "Today's board"),
        Kind::Weekly => ("周报", "Weekly report"),
        Kind::Monthly => ("月报", "Monthly report"),
    };
    let blank = if desk.ends_with(|c: char| c.is_ascii()) { " " } else { "" };
    match language {
        Language::Chinese => format!("{desk}{blank}{chinese}"),
        Language::English => format!("{english} · {desk}"),
    }
}

/// The period of a report in the words of its zone.
pub fn period(slot: &Slot, language: Language) -> String {
    let Period { kind, zone, .. } = slot.period;
    let (first, last) = (slot.period.first_day(), slot.period.last_day());
    match (kind, language) {
        (Kind::Daily, Language::Chinese) => {
            let at = slot.at.at_zone(zone);
            let day = super::picture::weekday(at.weekday().num_days_from_monday() as usize, language);
            format!("{}月{}日（{day}）{}", at.month(), at.day(), at.format("%H:%M"))
        }
        (Kind::Daily, Language::English) => slot.at.at_zone(zone).format("%a %-d %b, %H:%M").to_string(),
        (Kind::Weekly, Language::Chinese) => {
            let (year, week) = (first.year(), first.iso_week().week());
            let end = match first.month() == last.month() {
                true => format!("{}日", last.day()),
                false => format!("{}月{}日", last.month(), last.day()),
            };
            format!("{year}年{}月{}日–{end}（第{week}周）", first.month(), first.day())
        }
        (Kind::Weekly, Language::English) => {
            let begin = if first.month() == last.month() { "%-d" } else { "%-d %b" };
            format!("{}–{} (week {})", first.format(begin), last.format("%-d %b %Y"), first.iso_week().week())
        }
        (Kind::Monthly, Language::Chinese) => format!("{}年{}月", first.year(), first.month()),
        (Kind::Monthly, Language::English) => first.format("%B %Y").to_string(),
    }
}

/// The period in a file's name: `2026-10`, `2026-11-16`.
pub fn file_name(slot: &Slot) -> String {
    let first = slot.period.first_day();
    match slot.period.kind {
        Kind::Monthly => first.format("%Y-%m").to_string(),
        Kind::Weekly | Kind::Daily => first.format("%Y-%m-%d").to_string(),
    }
}

pub fn reason(reason: Reason, language: Language) -> &'static str {
    match reason {
        Reason::None => "",
        Reason::Vendor => language.pick("等厂商", "vendor"),
        Reason::Approval => language.pick("等审批", "approval"),
        Reason::Sorting => language.pick("分派不准", "mis-sorted"),
        Reason::Requester => language.pick("等报障人", "requester"),
        Reason::Staffing => language.pick("人手不足", "staffing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn numbers_and_percentages() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(count), text);
        }
        assert_eq!(ratio(Ratio { met: 0, of: 0 }), "—");
        assert_eq!(ratio(Ratio { met: 2, of: 3 }), "66.7%");
        assert_eq!(ratio_of(Ratio { met: 1000, of: 1000 }), "100.0% (1,000/1,000)");
        assert_eq!(
            (difference(5, 3).as_str(), difference(3, 5).as_str(), difference(3, 3).as_str()),
            ("+2", "-2", "±0")
        );
        assert_eq!(points(Some(955), Some(962), Language::English), "-0.7 points");
    }

    #[test]
    fn durations() {
        for (seconds, days, chinese, english) in [
            (59, true, "< 1 分", "< 1 min"),
            (119, true, "1 分", "1 min"),
            (3599, true, "59 分", "59 min"),
            (3600, true, "1.0 小时", "1.0 h"),
            (7500, true, "2.1 小时", "2.1 h"),
            (180_000, true, "2.1 天", "2.1 days"),
            (180_000, false, "50.0 小时", "50.0 h"),
        ] {
            let say = |language| duration(seconds, days, language).replace('\u{a0}', " ");
            assert_eq!((say(Language::Chinese).as_str(), say(Language::English).as_str()), (chinese, english));
        }
    }

    #[test]
    fn periods() {
        let at = Timestamp::parse("2026-11-02T08:30:00+08:00").unwrap();
        for (kind, chinese, english, file) in [
            (Kind::Daily, "11月2日（周一）08:30", "Mon 2 Nov, 08:30", "2026-11-02"),
            (Kind::Weekly, "2026年10月26日–11月1日（第44周）", "26 Oct–1 Nov 2026 (week 44)", "2026-10-26"),
            (Kind::Monthly, "2026年10月", "October 2026", "2026-10"),
        ] {
            let slot = Slot { at, period: Period::before_date(kind, at, chrono_tz::Asia::Shanghai) };
            assert_eq!(period(&slot, Language::Chinese), chinese);
            assert_eq!(period(&slot, Language::English), english);
            assert_eq!(file_name(&slot), file);
        }
    }
}
