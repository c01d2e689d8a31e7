//! Dates and times as engineers write them behind `#visit`: `2026-11-24 14:00 Room 3`, `明天下午2点 三楼`,
//! `周四 14:00-15:30`, `tomorrow 2pm`.

use crate::time::Timestamp;
use crate::time::calendar::local_time;
use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// What somebody wants to have appointed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub start: Timestamp,
    /// `None`: nothing was said about the end.
    pub end: Option<Timestamp>,
    /// What stood behind the time; may be empty.
    pub place: String,
}

/// A date without its year is the nearest one: this far back and this far ahead.
const HALF_A_YEAR: i64 = 183;
const HALF_A_DAY: TimeDelta = TimeDelta::hours(12);

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const DATE: &str = r"(?:
    (?P<year>\d{4}) [-/.年]\s? (?P<month>\d{1,2}) [-/.月]\s? (?P<day>\d{1,2}) [日号]?
  | (?P<month2>\d{1,2}) [-/.月]\s? (?P<day2>\d{1,2}) [日号]?
  | (?P<near>今天|今日|今早|今晚|明天|明日|明早|后天|大后天|today|tomorrow)
  | (?P<which>下个?|next\s|这个?|本|this\s)? (?:
        (?:周|星期|礼拜) (?P<weekday>[一二三四五六日天])
      | (?P<weekday_en>mon|tue|wed|thu|fri|sat|sun)(?:day|s|sday|nesday|r|rs|rsday|urday)?\b )
  | (?P<day3>\d{1,2})(?:st|nd|rd|th)?\s(?P<month3>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:,?\s(?P<year3>\d{4}))?
  | (?P<month4>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\s(?P<day4>\d{1,2})(?:st|nd|rd|th)?(?:,?\s(?P<year4>\d{4}))?
  | (?P<day5>\d{1,2}) [日号]
)";

/// One time of day; `@` keeps the names of beginning and end apart. An hour alone is none.
const TIME: &str = r"(?: (?P<half@>上午|早上|中午|下午|傍晚|晚上)?\s? (?:
    (?P<hour@>\d{1,2}):(?P<minute@>\d{2})(?::\d{2})?(?:\s?(?P<noon@>am|pm)\b)?
  | (?P<hour_zh@>\d{1,2})[点时](?:(?P<half_past@>半)|(?P<minute_zh@>\d{1,2})分?)?
  | (?P<hour_en@>\d{1,2})\s?(?P<noon_en@>am|pm)\b ) )";

/// The three orders: date and time, time and date, time alone.
static ORDERS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    let time = |which: &str| TIME.replace('@', which);
    let times = format!(r"{}(?:\s?(?:-|–|—|~|到|至|\bto\b)\s?{})?", time("1"), time("2"));
    let weekday = r"(?:\s?\([^()]{1,12}\))?";
    let order = |pattern: String| Regex::new(&format!("(?x)^{pattern}")).expect("a valid pattern");
    [
        order(format!(r"{DATE}{weekday}[,\s]*(?:t|at\s)?{times}")),
        order(format!(r"{times}\s(?:on\s)?{DATE}{weekday}")),
        order(times),
    ]
});

/// Reads a date, a time and a place, in `zone`. A word such as "tomorrow" is seen from `written`.
/// `None` when there is no such date or no time.
pub fn read(text: &str, written: Timestamp, zone: Tz) -> Option<Wanted> {
    let text = text.trim();
    let plain: String = text.chars().take(400).map(half_width).collect();
    let found = ORDERS.iter().find_map(|order| order.captures(&plain).filter(|found| is_whole(&plain, found)))?;
    let (from, to) = (time(&found, "1")?, time(&found, "2"));
    let date = date(&found, from, written, zone)?;
    let start = local_time(zone, date, from);
    // `下午3点到4点`: the afternoon is said once.
    let to = to.map(|to| if to <= from && to.hour() < 12 { to.overflowing_add_signed(HALF_A_DAY).0 } else { to });
    let end = to.map(|to| local_time(zone, date, to));
    if end.is_some_and(|end| end <= start) || (to.is_none() && names_end(&found)) {
        return None;
    }
    let read = plain[..found.get(0)?.end()].chars().count();
    let place: String = text.chars().skip(read).collect();
    let place = place.trim_start_matches(|c: char| c.is_whitespace() || "，,。、；;:：@".contains(c)).trim_end();
    Some(Wanted { start, end, place: place.to_owned() })
}

/// A span until the day that is meant.
const SPAN: &str = r"(?:
    (?P<count>\d{1,3}|[一两二三四五六七八九十]|a|an|one|two|three|four|six)\s?
    (?P<unit>个?工作日|天|日内|日后|个?星期|个?礼拜|周|个月|working\sdays?|business\sdays?|days?|weeks?|months?)
  | (?P<end>下个?月底|下个?月末|end\sof\snext\smonth|本?月底|这个?月底|本?月末|end\sof\s(?:the\s|this\s)?month
      |下个?周内?|next\sweek|本周内?|这个?周内?|this\sweek)
)";

static DAYS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let within = |pattern: &str| {
        Regex::new(&format!(r"(?x)(?:^|[^0-9a-z.])(?P<all>{pattern})(?:[^0-9a-z]|$)")).expect("a valid pattern")
    };
    [within(DATE), within(SPAN)]
});

/// The day that a text names, such as `12月11日前`, `next Friday`, `两周内`, `月底`; seen from `written`, in `zone`. `None`
/// when it names none.
pub fn day(text: &str, written: Timestamp, zone: Tz) -> Option<NaiveDate> {
    let plain: String = text.trim().chars().take(200).map(half_width).collect();
    let end_of_day = NaiveTime::from_hms_opt(23, 59, 59)?;
    if let Some(found) = DAYS[0].captures(&plain) {
        return date(&found, end_of_day, written, zone);
    }
    let (found, today) = (DAYS[1].captures(&plain)?, written.at_zone(zone).date_naive());
    match (found.name("count"), found.name("end")) {
        (Some(count), _) => after(today, counted(count.as_str())?, &found["unit"]),
        (_, Some(end)) => end_of(end.as_str(), today),
        _ => None,
    }
}

fn counted(word: &str) -> Option<u32> {
    const CHINESE: &str = "一二三四五六七八九十";
    match word {
        "a" | "an" | "one" => Some(1),
        "两" | "two" => Some(2),
        "three" => Some(3),
        "four" => Some(4),
        "six" => Some(6),
        digits if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok(),
        chinese => CHINESE.find(chinese).and_then(|at| u32::try_from(at / "一".len() + 1).ok()),
    }
}

/// Working days are counted as days of five-day weeks: whoever writes so means about then.
fn after(today: NaiveDate, count: u32, unit: &str) -> Option<NaiveDate> {
    let days = |count: u32| today.checked_add_days(Days::new(u64::from(count)));
    match unit {
        unit if unit.contains("工作日") || unit.starts_with("working") || unit.starts_with("business") => {
            let mut working = today.iter_days().skip(1).filter(|day| day.weekday().num_days_from_monday() < 5);
            working.nth(usize::try_from(count.checked_sub(1)?).ok()?)
        }
        unit if unit.contains('月') || unit.starts_with("month") => {
            today.checked_add_months(chrono::Months::new(count))
        }
        unit if unit.contains(['周', '星', '礼']) || unit.starts_with("week") => days(7 * count),
        _ => days(count),
    }
}

/// The last day of a month, or the Friday of a week.
fn end_of(what: &str, today: NaiveDate) -> Option<NaiveDate> {
    let next = u32::from(what.starts_with('下') || what.contains("next"));
    if what.contains('月') || what.contains("month") {
        let first = today.with_day(1)?.checked_add_months(chrono::Months::new(1 + next))?;
        return first.pred_opt();
    }
    on_weekday(4, if next == 1 { "next" } else { "this" }, today, false)
}

/// ASCII for its full-width form and lower case for upper case, one character for one.
fn half_width(c: char) -> char {
    let ascii = match c {
        '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c,
    };
    ascii.to_ascii_lowercase()
}

/// Not the beginning of a longer number or word.
fn is_whole(plain: &str, found: &Captures) -> bool {
    let end = found.get(0).map_or(0, |all| all.end());
    let next = plain[end..].chars().next();
    !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == ':') && time(found, "1").is_some()
}

fn names_end(found: &Captures) -> bool {
    ["hour2", "hour_zh2", "hour_en2"].iter().any(|name| found.name(name).is_some())
}

fn number<T: std::str::FromStr>(found: &Captures, name: &str) -> Option<T> {
    found.name(name)?.as_str().parse().ok()
}

fn time(found: &Captures, which: &str) -> Option<NaiveTime> {
    let named = |name: &str| format!("{name}{which}");
    let word = |name: &str| found.name(&named(name)).map(|m| m.as_str());
    let (noon, half) = (word("noon").or(word("noon_en")), word("half"));
    let hour: u32 = ["hour", "hour_zh", "hour_en"].iter().find_map(|name| number(found, &named(name)))?;
    let minute = match word("half_past") {
        Some(_) => 30,
        None => number(found, &named("minute")).or_else(|| number(found, &named("minute_zh"))).unwrap_or(0),
    };
    let late = noon == Some("pm") || half.is_some_and(|half| ["下午", "傍晚", "晚上"].contains(&half));
    let midday = half == Some("中午") && hour < 11;
    let hour = match hour {
        12 if noon == Some("am") => 0,
        1..12 if late || midday => hour + 12,
        _ => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, 0)
}

fn date(found: &Captures, time: NaiveTime, written: Timestamp, zone: Tz) -> Option<NaiveDate> {
    let today = written.at_zone(zone).date_naive();
    let month = |name: &str| found.name(name).and_then(|m| MONTHS.iter().position(|month| m.as_str() == *month));
    let month = |name: &str| month(name).and_then(|at| u32::try_from(at + 1).ok());
    if let Some(near) = found.name("near") {
        return today.checked_add_days(Days::new(days_ahead(near.as_str())));
    }
    if let Some(weekday) = weekday(found) {
        let past = local_time(zone, today, time) <= written;
        return on_weekday(weekday, found.name("which").map_or("", |m| m.as_str().trim()), today, past);
    }
    let month = number(found, "month")
        .or_else(|| number(found, "month2"))
        .or_else(|| month("month3"))
        .or_else(|| month("month4"));
    let day = ["day", "day2", "day3", "day4"].iter().find_map(|name| number(found, name));
    let year = ["year", "year3", "year4"].iter().find_map(|name| number(found, name));
    match (year, month, day, number(found, "day5")) {
        (Some(year), Some(month), Some(day), _) => NaiveDate::from_ymd_opt(year, month, day),
        (None, Some(month), Some(day), _) => nearest(month, day, today),
        (.., Some(day)) => next_day(day, today),
        // A time alone is today's.
        _ => Some(today),
    }
}

fn days_ahead(word: &str) -> u64 {
    match word {
        "明天" | "明日" | "明早" | "tomorrow" => 1,
        "后天" => 2,
        "大后天" => 3,
        _ => 0,
    }
}

/// Days from Monday.
fn weekday(found: &Captures) -> Option<u64> {
    let english = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let place = match (found.name("weekday"), found.name("weekday_en")) {
        (Some(chinese), _) => "一二三四五六日".find(chinese.as_str()).map_or(6, |at| at / "一".len()),
        (_, Some(word)) => english.iter().position(|name| *name == word.as_str())?,
        _ => return None,
    };
    u64::try_from(place).ok()
}

/// `周四`: the coming one, today included while the time is not over; `下周四`: of the next week; `本周四`: of this one.
fn on_weekday(weekday: u64, which: &str, today: NaiveDate, past: bool) -> Option<NaiveDate> {
    let from_monday = u64::from(today.weekday().num_days_from_monday());
    let monday = today.checked_sub_days(Days::new(from_monday))?;
    let this_week = monday.checked_add_days(Days::new(weekday));
    let next_week = monday.checked_add_days(Days::new(weekday + 7));
    match which {
        "下" | "下个" | "next" => next_week,
        "" if weekday < from_monday || (weekday == from_monday && past) => next_week,
        _ => this_week,
    }
}

/// The date of this or a neighbouring year that is nearest: `1-5` in November is next January's.
fn nearest(month: u32, day: u32, today: NaiveDate) -> Option<NaiveDate> {
    let years = [today.year() - 1, today.year(), today.year() + 1];
    let near = |date: &NaiveDate| (*date - today).num_days().abs() <= HALF_A_YEAR;
    years.into_iter().filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).find(near)
}

/// `24号`: of this month, or of the next when it is over.
fn next_day(day: u32, today: NaiveDate) -> Option<NaiveDate> {
    let next_month = today.checked_add_months(chrono::Months::new(1))?;
    [today, next_month].into_iter().filter_map(|date| date.with_day(day)).find(|date| *date >= today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Shanghai;

    /// Monday 23 November 2026, 10:00.
    fn now() -> Timestamp {
        Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap()
    }

    fn read_back(text: &str) -> Option<String> {
        let wanted = read(text, now(), Shanghai)?;
        let show = |at: Timestamp, format: &str| at.at_zone(Shanghai).format(format).to_string();
        let end = wanted.end.map(|end| show(end, "-%H:%M")).unwrap_or_default();
        Some(format!("{}{end} {}", show(wanted.start, "%Y-%m-%d %H:%M"), wanted.place).trim().to_owned())
    }

    #[test]
    fn usual_ways_of_writing() {
        for (text, expected) in [
            ("2026-11-24 14:00 Room 3", "2026-11-24 14:00 Room 3"),
            ("2026-11-24T14:00", "2026-11-24 14:00"),
            ("2026/11/24 9:05，三楼财务部", "2026-11-24 09:05 三楼财务部"),
            ("2026年11月24日 14：00 三楼", "2026-11-24 14:00 三楼"),
            ("２０２６－１１－２４　１４：００　Ｂ座", "2026-11-24 14:00 Ｂ座"),
            ("11-24 14:00", "2026-11-24 14:00"),
            ("11月24日14:00-15:30 3F", "2026-11-24 14:00-15:30 3F"),
            ("11月24日下午2点半 机房", "2026-11-24 14:30 机房"),
            ("1-5 9:00", "2027-01-05 09:00"),
            ("24号 14:00", "2026-11-24 14:00"),
            ("3号 14:00", "2026-12-03 14:00"),
            ("今天 14:00", "2026-11-23 14:00"),
            ("今天 09:00", "2026-11-23 09:00"),
            ("明天 14:00 三楼", "2026-11-24 14:00 三楼"),
            ("明天下午3点到4点 三楼", "2026-11-24 15:00-16:00 三楼"),
            ("后天 10:00", "2026-11-25 10:00"),
            ("tomorrow 14:00 Room 3", "2026-11-24 14:00 Room 3"),
            ("Tomorrow 2pm at reception", "2026-11-24 14:00 at reception"),
            ("tomorrow at 2:30 PM", "2026-11-24 14:30"),
            ("14:00 tomorrow Room 3", "2026-11-24 14:00 Room 3"),
            ("周四 14:00", "2026-11-26 14:00"),
            ("星期一 14:00", "2026-11-23 14:00"),
            ("周一 9:00", "2026-11-30 09:00"),
            ("下周一 9:00", "2026-11-30 09:00"),
            ("下周四上午10点", "2026-12-03 10:00"),
            ("Thu 14:00", "2026-11-26 14:00"),
            ("next Thursday 9am", "2026-12-03 09:00"),
            ("24 Nov 14:00 Room 3", "2026-11-24 14:00 Room 3"),
            ("Nov 24, 2026 14:00", "2026-11-24 14:00"),
            ("11月24日（周二）14:00–15:00", "2026-11-24 14:00-15:00"),
            ("明天14:00-3楼", "2026-11-24 14:00 -3楼"),
            ("14:00 -1楼", "2026-11-23 14:00 -1楼"),
            ("12:30am", "2026-11-23 00:30"),
        ] {
            assert_eq!(read_back(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn days_as_people_write_them() {
        for (text, expected) in [
            ("2026-12-11", Some("2026-12-11")),
            ("2026/12/1 前", Some("2026-12-01")),
            ("2026年12月1日", Some("2026-12-01")),
            ("12月11日前", Some("2026-12-11")),
            ("计划 12-11 完成", Some("2026-12-11")),
            ("１２月１１日", Some("2026-12-11")),
            ("by Dec 11", Some("2026-12-11")),
            ("11 December 2026", Some("2026-12-11")),
            ("1-5", Some("2027-01-05")),
            ("明天", Some("2026-11-24")),
            ("tomorrow", Some("2026-11-24")),
            ("今天", Some("2026-11-23")),
            ("下周五", Some("2026-12-04")),
            ("Friday", Some("2026-11-27")),
            ("next Friday", Some("2026-12-04")),
            ("两周内", Some("2026-12-07")),
            ("2周后", Some("2026-12-07")),
            ("3天内", Some("2026-11-26")),
            ("5个工作日", Some("2026-11-30")),
            ("within 10 working days", Some("2026-12-07")),
            ("in two weeks", Some("2026-12-07")),
            ("一个月内", Some("2026-12-23")),
            ("月底", Some("2026-11-30")),
            ("下月底前", Some("2026-12-31")),
            ("end of the month", Some("2026-11-30")),
            ("本周内", Some("2026-11-27")),
            ("next week", Some("2026-12-04")),
            ("", None),
            ("尽快", None),
            ("等供应商排期", None),
            ("soon", None),
            ("2026-02-30", None),
            ("13-40", None),
            ("ASAP", None),
            ("v2.3.4567", None),
        ] {
            let found = day(text, now(), Shanghai).map(|day| day.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_appointment() {
        for text in [
            "",
            "soon",
            "明天",
            "tomorrow",
            "明天 14 三楼",
            "2026-02-30 14:00",
            "13-40 14:00",
            "25:00",
            "明天 14:60",
            "2026-11-24 14:000",
            "明天 15:00-14:00",
            "14",
            "三楼 14:00",
            "1111111111",
            "明天 24:00",
        ] {
            assert_eq!(read_back(text), None, "{text}");
        }
    }
}
