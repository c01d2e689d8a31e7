//! The working calendar: when the desk is at work, and arithmetic in working time (`domain.md` section 4).
//!
//! A day works by its weekday's spans unless a notice says otherwise: a holiday has none, a make-up working day
//! has those of an ordinary day. All arithmetic walks over stretches of constant UTC offset within one local day, so
//! an hour that daylight saving repeats counts twice and one that it skips counts not at all.

use super::Timestamp;
use chrono::{Datelike, NaiveDate, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;
/// How far ahead working time is looked for; a calendar without any falls back to wall time.
const LOOK_AHEAD_DAYS: usize = 3 * 366;
/// Bound on looking back over a span between two instants.
const LOOK_BACK_DAYS: usize = 100 * 366;

/// Working hours of a site: spans for each weekday, the zone they are meant in, holidays and make-up days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: Tz,
    /// `None`: round the clock.
    plan: Option<Arc<Plan>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    week: Week,
    /// Hours of a make-up working day whose weekday has none: those of the first working weekday.
    ordinary: Vec<Span>,
    holidays: Holidays,
}

/// The working spans of each weekday, Monday first.
pub type Week = [Vec<Span>; 7];

/// A stretch of one day, in minutes after midnight: `from` included, `to` not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    from: u16,
    to: u16,
}

impl Span {
    /// Reads `09:00-12:00`; the end of the day is `24:00`.
    ///
    /// # Errors
    /// Says what was expected. A span over midnight is refused: it belongs to two days.
    pub fn parse(text: &str) -> Result<Span, String> {
        let expected = || format!("expected hours such as \"09:00-12:00\", found {text:?}");
        let (from, to) = text.split_once('-').ok_or_else(expected)?;
        let (from, to) = (minute_of_day(from).ok_or_else(expected)?, minute_of_day(to).ok_or_else(expected)?);
        if from >= to {
            return Err(format!(
                "{text:?} ends before it begins; write hours over midnight as two: \"22:00-24:00\" and, on the next day, \"00:00-06:00\""
            ));
        }
        Ok(Span { from, to })
    }

    pub fn overlaps(self, other: Span) -> bool {
        self.from < other.to && other.from < self.to
    }

    pub fn length(self) -> Duration {
        Duration::from_secs(u64::from(self.to - self.from) * 60)
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok());
    let total = digits(hour)?? * 60 + digits(minute)?.filter(|m| *m < 60)?;
    (total <= 1440).then_some(total)
}

/// Days that break the weekly rule, by date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    /// `true`: off; `false`: a make-up working day.
    days: BTreeMap<NaiveDate, bool>,
    /// Years whose notice named at least one day.
    years: BTreeSet<i32>,
}

/// Chinese notices, oldest first: a notice may change days of the year before, so the later one wins.
const CHINA: [&str; 4] = [
    include_str!("holidays/2024.json"),
    include_str!("holidays/2025.json"),
    include_str!("holidays/2026.json"),
    include_str!("holidays/2027.json"),
];

impl Holidays {
    /// The public holidays of mainland China as far as they were announced when this program was built.
    pub fn china() -> Holidays {
        let mut all = Holidays::default();
        for notice in CHINA {
            all.extend(Holidays::from_holiday_json(notice).expect("the embedded notices are tested"));
        }
        all
    }

    /// Reads one file of the holiday-cn schema: `{"year": 2026, "days": [{"date": "2026-02-14", "isOffDay": false}]}`
    /// (`domain.md` 4.2). A company's own days use the same schema and may leave the year out.
    ///
    /// # Errors
    /// Says where the text is not of that schema.
    pub fn from_holiday_json(text: &str) -> Result<Holidays, String> {
        #[derive(Deserialize)]
        struct Notice {
            year: Option<i32>,
            days: Vec<Day>,
        }
        #[derive(Deserialize)]
        struct Day {
            date: NaiveDate,
            #[serde(rename = "isOffDay")]
            off: bool,
        }
        let notice: Notice = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let years = notice.year.filter(|_| !notice.days.is_empty()).into_iter().collect();
        Ok(Holidays { days: notice.days.iter().map(|d| (d.date, d.off)).collect(), years })
    }

    /// Reads whole-day events of an iCalendar file (RFC 5545): a day off each, or a make-up working day when the summary
    /// holds 上班, 补班 or 调休上班 (`domain.md` 4.2). `DTEND` is the day after the last one. Events at a time of day are
    /// appointments and say nothing about the day.
    ///
    /// # Errors
    /// When the text is no calendar, or holds an event of more than a year.
    pub fn from_icalendar(text: &str) -> Result<Holidays, String> {
        let text = icalendar::parser::unfold(text);
        let calendar = icalendar::parser::read_calendar(&text)?;
        let mut days = BTreeMap::new();
        for event in calendar.components.iter().filter(|component| component.name == "VEVENT") {
            let day =
                |name| event.find_prop(name).and_then(|p| NaiveDate::parse_from_str(p.val.as_ref(), "%Y%m%d").ok());
            let Some(first) = day("DTSTART") else { continue };
            let end = day("DTEND").or(first.succ_opt()).unwrap_or(first);
            if (end - first).num_days() > 366 {
                return Err(format!("an event from {first} to {end} is longer than a year"));
            }
            let summary = event.find_prop("SUMMARY").map_or(String::new(), |p| p.val.to_string());
            let off = !["上班", "补班"].iter().any(|word| summary.contains(word));
            days.extend(first.iter_days().take_while(|date| *date < end).map(|date| (date, off)));
        }
        if days.is_empty() {
            return Err("it holds no whole-day event".into());
        }
        // A company's own few days are no notice of the year's public holidays.
        let off_in = |year| days.iter().filter(|(date, off)| date.year() == year && **off).count();
        let years: BTreeSet<i32> = days.keys().map(|date| date.year()).collect();
        let years = years.into_iter().filter(|year| off_in(*year) >= DAYS_OF_A_NOTICE).collect();
        Ok(Holidays { days, years })
    }

    /// Adds the days of `later`, which win over those here.
    pub fn extend(&mut self, later: Holidays) {
        self.days.extend(later.days);
        self.years.extend(later.years);
    }
}

/// Every year has more public holidays than this; a company's own days are fewer.
const DAYS_OF_A_NOTICE: usize = 7;

/// A stretch of time inside one local day with one UTC offset; all in milliseconds.
struct Stretch {
    from: i64,
    to: i64,
    /// Days since 1970-01-01 of the local date.
    day: i64,
    offset: i64,
}

impl Calendar {
    /// Every minute is working time; `zone` only says where a day begins.
    pub fn round_the_clock(zone: Tz) -> Calendar {
        Calendar { zone, plan: None }
    }

    /// `week`'s hours in `zone`, except on the days that `holidays` names.
    pub fn working(zone: Tz, week: Week, holidays: Holidays) -> Calendar {
        let ordinary = week.iter().find(|spans| !spans.is_empty()).cloned().unwrap_or_default();
        let mut week = week;
        week.iter_mut().for_each(|spans| spans.sort());
        Calendar { zone, plan: Some(Arc::new(Plan { week, ordinary, holidays })) }
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Years whose public holidays are known; in any other year only weekends are free.
    pub fn years_known(&self) -> Vec<i32> {
        self.plan.as_ref().map_or(Vec::new(), |plan| plan.holidays.years.iter().copied().collect())
    }

    /// Working time of an ordinary working day: what "one working day" means in a target.
    pub fn day_length(&self) -> Duration {
        self.plan.as_ref().map_or(Duration::from_secs(86_400), |plan| plan.ordinary.iter().map(|s| s.length()).sum())
    }

    /// Whether there is work on this day at all.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        self.plan.as_ref().is_none_or(|plan| !plan.spans_on(i64::from(day.to_epoch_days())).is_empty())
    }

    /// A day of work that would be free by its weekday: it makes up for a holiday (`domain.md` 4.1).
    pub fn is_make_up_day(&self, day: NaiveDate) -> bool {
        let free = |plan: &Plan| plan.week[day.weekday().num_days_from_monday() as usize].is_empty();
        self.plan.as_ref().is_some_and(|plan| free(plan)) && self.is_working_day(day)
    }

    pub fn is_working(&self, at: Timestamp) -> bool {
        let Some(plan) = &self.plan else { return true };
        let local = at.millis().saturating_add(self.offset_at(at.millis()));
        let minute = local.rem_euclid(DAY) / MINUTE;
        plan.spans_on(local.div_euclid(DAY)).iter().any(|s| i64::from(s.from) <= minute && minute < i64::from(s.to))
    }

    /// The first instant at or after `from` by which `duration` of working time has passed: the end of a working day
    /// rather than the beginning of the next. What is not found within three years is added as wall time.
    pub fn add_working(&self, from: Timestamp, duration: Duration) -> Timestamp {
        if self.plan.is_none() || duration.is_zero() {
            return from + duration;
        }
        let mut rest = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let mut last = from.millis();
        for (start, end) in self.working_stretches(from, LOOK_AHEAD_DAYS) {
            if rest <= end - start {
                return Timestamp::from_millis(start + rest);
            }
            rest -= end - start;
            last = end;
        }
        Timestamp::from_millis(last.saturating_add(rest))
    }

    /// The latest instant from which exactly `duration` of working time passes until `to`: the beginning of a working
    /// day rather than the end of the one before. What is not found in the years before is taken off as wall time.
    pub fn sub_working(&self, to: Timestamp, duration: Duration) -> Timestamp {
        if self.plan.is_none() || duration.is_zero() {
            return to - duration;
        }
        let wanted = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let until = to.millis();
        // Stretches are only found forwards: from ever further back, until enough of them lie before `to`.
        for days in [1, 8, 64, LOOK_AHEAD_DAYS] {
            let from = Timestamp::from_millis(until.saturating_sub((days as i64).saturating_mul(DAY)));
            let stretches = self.working_stretches(from, days + 1).take_while(|(start, _)| *start < until);
            let stretches: Vec<(i64, i64)> = stretches.map(|(start, end)| (start, end.min(until))).collect();
            let mut rest = wanted;
            for (start, end) in stretches.iter().rev() {
                if rest <= end - start {
                    return Timestamp::from_millis(end - rest);
                }
                rest -= end - start;
            }
        }
        to - duration
    }

    /// Working time from `a` to `b`; zero when `b` is not later.
    pub fn working_between(&self, a: Timestamp, b: Timestamp) -> Duration {
        if self.plan.is_none() {
            return b.since(a);
        }
        let until = b.millis();
        let total: i64 = self
            .working_stretches(a, LOOK_BACK_DAYS)
            .take_while(|(start, _)| *start < until)
            .map(|(start, end)| end.min(until) - start)
            .sum();
        Duration::from_millis(total.unsigned_abs())
    }

    /// `at` when it is working time, else the next instant that is; `at` when there is none within three years.
    pub fn next_working(&self, at: Timestamp) -> Timestamp {
        if self.plan.is_none() {
            return at;
        }
        let next = self.working_stretches(at, LOOK_AHEAD_DAYS).next();
        next.map_or(at, |(start, _)| Timestamp::from_millis(start))
    }

    /// The same time of day `count` working days later, whatever the hour: Saturday plus one is Monday.
    /// A time that the clock skips that day becomes the first one after the gap.
    pub fn add_working_days(&self, from: Timestamp, count: u32) -> Timestamp {
        let local = from.millis().saturating_add(self.offset_at(from.millis()));
        let (mut day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let mut left = count;
        for _ in 0..LOOK_AHEAD_DAYS {
            if left == 0 {
                break;
            }
            day += 1;
            left -= u32::from(self.plan.as_ref().is_none_or(|plan| !plan.spans_on(day).is_empty()));
        }
        self.at_local(day.saturating_add(i64::from(left)), time)
    }

    /// The instant of a local time: the first of two, or the end of a gap.
    fn at_local(&self, day: i64, time: i64) -> Timestamp {
        let local = day.saturating_mul(DAY).saturating_add(time);
        // The instant's offset is one of those around it; a transition is never nearer than this to another.
        let before = self.offset_at(local.saturating_sub(DAY));
        let after = self.offset_at(local.saturating_add(DAY));
        let (early, late) = (local.saturating_sub(before), local.saturating_sub(after));
        let instant = match (self.offset_at(early) == before, self.offset_at(late) == after) {
            (true, _) => early,
            (false, true) => late,
            (false, false) => self.transition(early.min(late), early.max(late)),
        };
        Timestamp::from_millis(instant)
    }

    /// Milliseconds that local time is ahead of UTC.
    fn offset_at(&self, millis: i64) -> i64 {
        let utc = Timestamp::from_millis(millis).utc().naive_utc();
        i64::from(self.zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1000
    }

    /// The first instant after `from`, at the latest `to`, whose offset is not that of `from`.
    fn transition(&self, from: i64, to: i64) -> i64 {
        let offset = self.offset_at(from);
        let (mut same, mut other) = (from, to);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if self.offset_at(middle) == offset { same = middle } else { other = middle }
        }
        other
    }

    /// Time from `from` on, cut at every local midnight and every change of the UTC offset.
    fn stretches(&self, from: Timestamp, days: usize) -> impl Iterator<Item = Stretch> {
        let mut next = from.millis();
        (0..days).map_while(move |_| {
            let (from, offset) = (next, self.offset_at(next));
            let day = from.saturating_add(offset).div_euclid(DAY);
            let midnight = (day + 1).saturating_mul(DAY).saturating_sub(offset);
            let unchanged = self.offset_at(midnight.saturating_sub(1)) == offset;
            let to = if unchanged { midnight } else { self.transition(from, midnight - 1) };
            next = to;
            (from < to).then_some(Stretch { from, to, day, offset })
        })
    }

    /// Working time from `from` on, in order, in milliseconds; empty round the clock (callers answer that before).
    fn working_stretches(&self, from: Timestamp, days: usize) -> impl Iterator<Item = (i64, i64)> {
        let plan = self.plan.as_deref();
        self.stretches(from, days).flat_map(move |stretch| {
            let midnight = stretch.day.saturating_mul(DAY).saturating_sub(stretch.offset);
            let spans = plan.map_or(&[][..], |plan| plan.spans_on(stretch.day));
            spans.iter().filter_map(move |span| {
                let start = stretch.from.max(midnight.saturating_add(i64::from(span.from) * MINUTE));
                let end = stretch.to.min(midnight.saturating_add(i64::from(span.to) * MINUTE));
                (start < end).then_some((start, end))
            })
        })
    }
}

impl Plan {
    /// Spans of the local date that is `day` days after 1970-01-01.
    fn spans_on(&self, day: i64) -> &[Span] {
        let Some(date) = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days) else { return &[] };
        let usual = &self.week[date.weekday().num_days_from_monday() as usize];
        match self.holidays.days.get(&date) {
            Some(true) => &[],
            Some(false) if usual.is_empty() => &self.ordinary,
            _ => usual,
        }
    }
}

/// The instant at which a local day begins in `zone`; for dates that people write.
pub fn start_of_day(zone: Tz, date: NaiveDate) -> Timestamp {
    local_time(zone, date, NaiveTime::MIN)
}

/// The instant of a local time in `zone`: the first of two, or the end of a gap.
pub fn local_time(zone: Tz, date: NaiveDate, time: NaiveTime) -> Timestamp {
    let since_midnight = i64::from(chrono::Timelike::num_seconds_from_midnight(&time)) * 1000;
    Calendar::round_the_clock(zone).at_local(i64::from(date.to_epoch_days()), since_midnight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    const A: &[&str] = &["09:00-18:00"];
    const B: &[&str] = &["09:00-12:00", "13:30-18:00"];

    fn week(spans: &[&str]) -> Week {
        let day: Vec<Span> = spans.iter().map(|s| Span::parse(s).unwrap()).collect();
        std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() })
    }

    fn china(spans: &[&str]) -> Calendar {
        Calendar::working(chrono_tz::Asia::Shanghai, week(spans), Holidays::china())
    }

    /// Local time in Shanghai.
    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{}:00+08:00", text.replace(' ', "T"))).unwrap()
    }

    #[test]
    fn eight_working_hours_around_chinese_holidays() {
        for (start, hours, a, b) in [
            ("2026-02-13 17:00", 2, "2026-02-14 10:00", "2026-02-14 10:00"),
            ("2026-02-13 17:00", 8, "2026-02-14 16:00", "2026-02-14 17:30"),
            ("2026-02-14 17:30", 8, "2026-02-24 16:30", "2026-02-24 18:00"),
            ("2026-09-19 10:00", 2, "2026-09-20 11:00", "2026-09-20 11:00"),
            ("2026-09-30 16:00", 8, "2026-10-08 15:00", "2026-10-08 16:30"),
            ("2026-10-09 17:00", 8, "2026-10-10 16:00", "2026-10-10 17:30"),
            ("2025-12-31 17:00", 8, "2026-01-04 16:00", "2026-01-04 17:30"),
            ("2026-11-20 17:30", 2, "2026-11-23 10:30", "2026-11-23 10:30"),
            ("2024-06-07 17:00", 4, "2024-06-11 12:00", "2024-06-11 12:00"),
        ] {
            for (spans, due) in [(A, a), (B, b)] {
                let (calendar, duration) = (china(spans), Duration::from_secs(hours * 3600));
                assert_eq!(calendar.add_working(at(start), duration), at(due), "{start} + {hours} h, {spans:?}");
                assert_eq!(calendar.working_between(at(start), at(due)), duration, "{start} to {due}, {spans:?}");
            }
        }
    }

    #[test]
    fn working_days_per_year_are_those_of_the_notices() {
        let plan = china(A).plan.unwrap();
        for (year, expected) in [(2024, 251), (2025, 248), (2026, 248)] {
            let first = i64::from(NaiveDate::from_ymd_opt(year, 1, 1).unwrap().to_epoch_days());
            let next = i64::from(NaiveDate::from_ymd_opt(year + 1, 1, 1).unwrap().to_epoch_days());
            assert_eq!((first..next).filter(|d| !plan.spans_on(*d).is_empty()).count(), expected, "{year}");
        }
    }

    #[test]
    fn a_year_without_a_notice_is_not_known() {
        assert_eq!(china(A).years_known(), [2024, 2025, 2026]);
    }

    #[test]
    fn a_year_reads_the_same_as_json_and_as_icalendar() {
        let json = Holidays::from_holiday_json(CHINA[2]).unwrap();
        let events = Holidays::from_icalendar(include_str!("holidays/2026.ics")).unwrap();
        assert_eq!(events.days, json.days);
        assert_eq!(events.years, json.years);
    }

    #[test]
    fn whole_days_of_a_company_calendar() {
        let calendar = |events: &str| {
            Holidays::from_icalendar(&format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"))
        };
        let event = |lines: &str| format!("BEGIN:VEVENT\r\nUID:x\r\n{lines}\r\nEND:VEVENT\r\n");
        let one_day = event("DTSTART;VALUE=DATE:20261231\r\nSUMMARY:年会");
        let folded = event("DTSTART;VALUE=DATE:20270102\r\nDTEND;VALUE=DATE:20270104\r\nSUMMARY:补\r\n 班");
        let meeting = event("DTSTART:20261230T090000\r\nDTEND:20261230T100000\r\nSUMMARY:例会");
        let found = calendar(&(one_day + &folded + &meeting)).unwrap();
        assert!(found.years.is_empty(), "three days are no notice");
        let found = found.days;
        let expected = [("2026-12-31", true), ("2027-01-02", false), ("2027-01-03", false)];
        assert_eq!(found, expected.map(|(day, off)| (day.parse().unwrap(), off)).into());
        for bad in ["", "hello", "BEGIN:VCALENDAR"] {
            assert!(Holidays::from_icalendar(bad).is_err(), "{bad}");
        }
        let endless = event("DTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:99990101\r\nSUMMARY:x");
        assert!(calendar(&endless).is_err() && calendar("").is_err());
    }

    #[test]
    fn a_later_notice_and_the_company_win() {
        let mut days = Holidays::china();
        let company = r#"{"days": [{"name": "年会", "date": "2026-11-23", "isOffDay": true}]}"#;
        days.extend(Holidays::from_holiday_json(company).unwrap());
        days.extend(
            Holidays::from_holiday_json(r#"{"year": 2027, "days": [{"date": "2026-12-31", "isOffDay": true}]}"#)
                .unwrap(),
        );
        let calendar = Calendar::working(chrono_tz::Asia::Shanghai, week(A), days);
        assert_eq!(calendar.next_working(at("2026-11-20 18:00")), at("2026-11-24 09:00"));
        assert!(!calendar.is_working(at("2026-12-31 10:00")));
        assert!(calendar.years_known().contains(&2027));
    }

    #[test]
    fn working_days_keep_the_time_of_day() {
        let calendar = china(B);
        for (from, days, to) in [
            ("2026-11-20 17:30", 1, "2026-11-23 17:30"),
            ("2026-11-21 10:00", 1, "2026-11-23 10:00"),
            ("2026-11-23 12:30", 0, "2026-11-23 12:30"),
            ("2026-02-13 09:00", 2, "2026-02-24 09:00"),
            ("2026-11-23 22:00", 5, "2026-11-30 22:00"),
        ] {
            assert_eq!(calendar.add_working_days(at(from), days), at(to), "{from} + {days} days");
        }
    }

    #[test]
    fn the_end_of_the_day_is_reached_before_the_next_begins() {
        let calendar = china(A);
        assert_eq!(calendar.add_working(at("2026-11-23 17:00"), Duration::from_secs(3600)), at("2026-11-23 18:00"));
        assert_eq!(calendar.add_working(at("2026-11-23 20:00"), Duration::ZERO), at("2026-11-23 20:00"));
        assert!(calendar.is_working(at("2026-11-23 09:00")) && !calendar.is_working(at("2026-11-23 18:00")));
    }

    #[test]
    fn without_working_time_wall_time_counts() {
        let never = Calendar::working(chrono_tz::Asia::Shanghai, Week::default(), Holidays::default());
        let from = at("2026-11-23 10:00");
        assert_eq!(never.add_working(from, Duration::from_secs(60)), from + Duration::from_secs(60));
        assert_eq!(never.next_working(from), from);
        assert_eq!(never.working_between(from, from + Duration::from_secs(60)), Duration::ZERO);
    }

    #[test]
    fn a_local_time_that_is_skipped_or_repeated() {
        for (zone, local, utc) in [
            (chrono_tz::Europe::Berlin, "2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
            (chrono_tz::Europe::Berlin, "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            (chrono_tz::Europe::Berlin, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
            (chrono_tz::America::Sao_Paulo, "2017-10-15T00:00:00", "2017-10-15T03:00:00Z"),
            (chrono_tz::Asia::Shanghai, "2026-11-23T00:00:00", "2026-11-22T16:00:00Z"),
        ] {
            let local: chrono::NaiveDateTime = local.parse().unwrap();
            let expected = Timestamp::parse(utc).unwrap();
            assert_eq!(local_time(zone, local.date(), local.time()), expected, "{local} in {zone}");
        }
    }

    #[test]
    fn odd_instants_end_the_walk() {
        for millis in [i64::MIN, i64::MAX, i64::MAX - DAY, -1, 0, 8_210_000_000_000_000] {
            let at = Timestamp::from_millis(millis);
            let calendar = china(A);
            let (_, _) = (calendar.is_working(at), calendar.next_working(at));
            let _ = calendar.add_working(at, Duration::MAX);
            let _ = calendar.working_between(at, Timestamp::from_millis(i64::MAX));
            let _ = calendar.add_working_days(at, u32::MAX);
        }
    }

    #[test]
    fn spans_say_what_is_wrong() {
        for good in ["09:00-12:00", " 00:00 - 24:00 ", "23:59-24:00"] {
            assert!(Span::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "9-12", "9:00-12:00", "12:00-09:00", "09:00-09:00", "09:60-10:00", "23:00-24:01", "+9:00-12:00"]
        {
            assert!(Span::parse(bad).is_err(), "{bad}");
        }
    }

    /// Zones with whole, half and odd steps, steps at midnight, a skipped day, and none.
    const ZONES: [(Tz, &str); 9] = [
        (chrono_tz::Asia::Shanghai, "2026-02-10T00:00:00Z"),
        (chrono_tz::Europe::Berlin, "2026-03-28T00:00:00Z"),
        (chrono_tz::Europe::Berlin, "2026-10-24T00:00:00Z"),
        (chrono_tz::Australia::Lord_Howe, "2026-04-03T00:00:00Z"),
        (chrono_tz::America::St_Johns, "2010-11-06T00:00:00Z"),
        (chrono_tz::America::Sao_Paulo, "2017-10-14T00:00:00Z"),
        (chrono_tz::America::Sao_Paulo, "2018-02-16T00:00:00Z"),
        (chrono_tz::Pacific::Apia, "2011-12-29T00:00:00Z"),
        (chrono_tz::America::New_York, "2026-10-31T00:00:00Z"),
    ];

    /// Whether the minute at `at` is working time, by the wall clock alone.
    fn model(zone: Tz, week: &Week, holidays: &Holidays, at: Timestamp) -> bool {
        let local = at.at_zone(zone);
        let minute = (local.hour() * 60 + local.minute()) as u16;
        let usual = &week[local.weekday().num_days_from_monday() as usize];
        let spans = match holidays.days.get(&local.date_naive()) {
            Some(true) => return false,
            Some(false) if usual.is_empty() => week.iter().find(|s| !s.is_empty()),
            _ => Some(usual),
        };
        spans.is_some_and(|spans| spans.iter().any(|s| s.from <= minute && minute < s.to))
    }

    /// Up to three spans that do not overlap, from a sorted list of quarter hours.
    fn spans() -> impl Strategy<Value = Vec<Span>> {
        proptest::collection::btree_set(0u16..=96, 0..=6).prop_map(|cuts| {
            let cuts: Vec<u16> = cuts.into_iter().map(|c| c * 15).collect();
            cuts.chunks_exact(2).map(|c| Span { from: c[0], to: c[1] }).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn agrees_with_a_model_that_counts_minutes(
            (zone, near) in proptest::sample::select(&ZONES[..]),
            week in proptest::array::uniform7(spans()),
            days in proptest::collection::vec((0i64..6, any::<bool>()), 0..3),
            start in 0u64..4000,
            minutes in 0u64..3000,
        ) {
            let near = Timestamp::parse(near).unwrap();
            let date = |n: i64| near.utc().date_naive() + chrono::Days::new(n.unsigned_abs());
            let holidays = Holidays { days: days.iter().map(|(n, off)| (date(*n), *off)).collect(), ..Holidays::default() };
            let calendar = Calendar::working(zone, week.clone(), holidays.clone());
            let minute = |n: u64| near + Duration::from_secs((start + n) * 60);
            let from = minute(0);
            let end = minute(minutes);

            let counted = (0..minutes).filter(|n| model(zone, &week, &holidays, minute(*n))).count() as u64;
            prop_assert_eq!(calendar.working_between(from, end), Duration::from_secs(counted * 60));
            prop_assert_eq!(calendar.is_working(from), model(zone, &week, &holidays, from));
            let next = (0..minutes).find(|n| model(zone, &week, &holidays, minute(*n))).map(minute);
            if let Some(next) = next {
                prop_assert_eq!(calendar.next_working(from), next);
            }
            let last = (0..minutes).rev().find(|n| model(zone, &week, &holidays, minute(*n)));
            if let Some(last) = last {
                prop_assert_eq!(calendar.add_working(from, Duration::from_secs(counted * 60)), minute(last + 1));
            }
        }
    }
}
