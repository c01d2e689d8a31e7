//! When something happens again and again, as crontab says it: `30 8 * * 1`.
//!
//! Minute, hour, day of the month, month, day of the week, with `*`, lists, ranges and steps; 0 and 7 are Sunday; when
//! both day fields are given, either of them is enough. The crate `cron` counts days from Sunday as 1 and wants both
//! fields to hold, so the text is translated. On the day on which a time of day is skipped (daylight saving) it does not
//! happen; on the day that has it twice it happens twice.

use super::Timestamp;
use chrono_tz::Tz;
use cron::Schedule;
use std::str::FromStr;

/// A crontab line without its command.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    /// It happens whenever one of them says so.
    any_of: Vec<Schedule>,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Cron) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const EXPECTED: &str = "expected minute, hour, day of the month, month and day of the week, such as \"30 8 * * 1\"";

impl Cron {
    /// Reads the five fields.
    ///
    /// # Errors
    /// Says what was expected; also when it would never happen, such as on 31 February.
    pub fn parse(text: &str) -> Result<Cron, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return Err(EXPECTED.to_owned()) };
        let weekdays = weekdays(weekday).ok_or(EXPECTED)?;
        let lines = match (day.starts_with('*'), weekday.starts_with('*')) {
            (false, false) => vec![(day, "*"), ("*", weekdays.as_str())],
            _ => vec![(day, weekdays.as_str())],
        };
        let schedule = |(day, weekdays): (&str, &str)| {
            Schedule::from_str(&format!("0 {minute} {hour} {day} {month} {weekdays}")).map_err(|_| EXPECTED.to_owned())
        };
        let any_of = lines.into_iter().map(schedule).collect::<Result<_, _>>()?;
        let cron = Cron { text: fields.join(" "), any_of };
        // Whatever happens at all happens within the eight years between two leap days around a centennial.
        match cron.next(Timestamp::from_seconds(1_767_225_600), Tz::UTC) {
            Some(_) => Ok(cron),
            None => Err(format!("{text:?} never happens")),
        }
    }

    /// The first moment after `at`, by the wall clock of `zone`.
    pub fn next(&self, at: Timestamp, zone: Tz) -> Option<Timestamp> {
        let first = |schedule: &Schedule| schedule.after(&at.at_zone(zone)).next().map(Timestamp::from);
        self.any_of.iter().filter_map(first).min()
    }

    /// The last moment before `at`.
    pub fn previous(&self, at: Timestamp, zone: Tz) -> Option<Timestamp> {
        let last = |schedule: &Schedule| schedule.after(&at.at_zone(zone)).next_back().map(Timestamp::from);
        self.any_of.iter().filter_map(last).max()
    }
}

/// The day of the week in the crate's words: every day by its name, for its ranges do not go round.
fn weekdays(field: &str) -> Option<String> {
    if field == "*" {
        return Some(field.to_owned());
    }
    let mut chosen = [false; 7];
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (item, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (0, 6),
            (_, Some((from, to))) => (weekday(from)?, weekday(to)?),
            (one, None) => (weekday(one)?, if item.contains('/') { 6 } else { weekday(one)? }),
        };
        // `5-7` is Friday to Sunday, and so is `fri-sun`.
        let to = if to < from { to + 7 } else { to };
        (from..=to).step_by(step).for_each(|day| chosen[day % 7] = true);
    }
    Some((0..7).filter(|day| chosen[*day]).map(|day| DAYS[day]).collect::<Vec<_>>().join(","))
}

fn weekday(text: &str) -> Option<usize> {
    let named = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    named.or_else(|| text.parse().ok().filter(|day| *day <= 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
    }

    #[test]
    fn crontab_as_everybody_knows_it() {
        let zone = chrono_tz::Asia::Shanghai;
        // 23 November 2026 is a Monday.
        for (line, next) in [
            ("30 8 * * *", "2026-11-24T08:30"),
            ("30 8 * * 1", "2026-11-30T08:30"),
            ("30 8 * * 1-5", "2026-11-24T08:30"),
            ("0 9 * * 0", "2026-11-29T09:00"),
            ("0 9 * * 7", "2026-11-29T09:00"),
            ("0 9 * * sat", "2026-11-28T09:00"),
            ("0 9 * * 6-7", "2026-11-28T09:00"),
            ("0 9 1 * *", "2026-12-01T09:00"),
            ("*/20 9 * * 2,4", "2026-11-24T09:00"),
            // Either day is enough.
            ("0 9 26 * 5", "2026-11-26T09:00"),
            ("0 9 28 * 5", "2026-11-27T09:00"),
            ("0 9 29 2 *", "2028-02-29T09:00"),
        ] {
            let cron = Cron::parse(line).unwrap();
            assert_eq!(cron.next(at("2026-11-23T10:00"), zone), Some(at(next)), "{line}");
            assert_eq!(cron.previous(at(next) + std::time::Duration::from_secs(60), zone), Some(at(next)), "{line}");
        }
    }

    #[test]
    fn what_is_no_crontab_or_never_happens_is_refused() {
        for line in
            ["", "0 9 * *", "0 9 * * * *", "@daily", "60 9 * * *", "0 25 * * *", "0 9 * * 8", "0 9 * * x", "0 9 31 2 *"]
        {
            assert!(Cron::parse(line).is_err(), "{line}");
        }
        assert_eq!(Cron::parse("0 9 31 2 *").unwrap_err(), "\"0 9 31 2 *\" never happens");
    }
}
