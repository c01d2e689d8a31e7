//! Who is on duty: supervisors, their weekly roster, and whom the desk turns to when nobody is there.

use crate::address::Address;
use crate::desk::policy::Reader;
use crate::time::Timestamp;
use chrono::{Datelike, NaiveDate, TimeDelta};
use chrono_tz::Tz;

/// The supervisors and when each of them is on duty.
#[derive(Clone, Debug, Default)]
pub struct Duty {
    /// Without a roster the first one who is there; the others stand in.
    pub supervisors: Vec<Staff>,
    pub roster: Option<Roster>,
}

/// Somebody who hears of the desk's work without doing it: a supervisor or a manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    pub reader: Reader,
    /// Not there: from (inclusive) to (exclusive).
    pub away: Vec<(Timestamp, Timestamp)>,
}

/// Duties by the day: one week for ever, or several that take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    pub zone: Tz,
    /// Minutes after midnight at which a day's duty begins; it ends there the next day.
    pub handover: u16,
    /// A day of the week in which the first of the weeks holds.
    pub since: NaiveDate,
    /// Never empty. For each weekday, Monday first: who is on duty, and the substitutes in their order.
    pub weeks: Vec<[Vec<Address>; 7]>,
}

/// Whom an urgent letter goes to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDuty {
    pub reader: Reader,
    /// The roster has nobody for this time who is there.
    pub stand_in: bool,
}

impl Duty {
    /// The supervisor at this moment; `None` when the desk has none at all.
    pub fn at(&self, now: Timestamp) -> Option<OnDuty> {
        let rostered = self.roster.as_ref().map(|roster| roster.on(now));
        let by_roster = rostered.into_iter().flatten().filter_map(|address| self.supervisor(address));
        if let Some(supervisor) = by_roster.into_iter().find(|supervisor| !supervisor.is_away(now)) {
            return Some(OnDuty { reader: supervisor.reader.clone(), stand_in: false });
        }
        let present = self.supervisors.iter().find(|supervisor| !supervisor.is_away(now));
        let stand_in = self.roster.is_some() || present.is_none();
        let reader = present.or(self.supervisors.first())?.reader.clone();
        Some(OnDuty { reader, stand_in })
    }

    /// The supervisor with this address, on duty or not.
    pub fn supervisor(&self, address: &Address) -> Option<&Staff> {
        self.supervisors.iter().find(|supervisor| supervisor.reader.mailbox.address == *address)
    }

    /// The next supervisor who is there, when a letter cannot reach `not`.
    pub fn other_than(&self, not: &Address, now: Timestamp) -> Option<Reader> {
        let rostered = self.roster.as_ref().map(|roster| roster.on(now)).into_iter().flatten();
        let rostered = rostered.filter_map(|address| self.supervisor(address));
        let mut others = rostered.chain(&self.supervisors).filter(|s| s.reader.mailbox.address != *not);
        others.find(|supervisor| !supervisor.is_away(now)).map(|supervisor| supervisor.reader.clone())
    }

    /// The days from `now` on, at most `days`, for which the roster has nobody who is there when the duty begins.
    pub fn gaps(&self, now: Timestamp, days: u32) -> Vec<NaiveDate> {
        let Some(roster) = &self.roster else { return Vec::new() };
        let first = roster.day(now);
        let beginning = |date| crate::time::calendar::local_time(roster.zone, date, roster.time());
        let manned = |date: &NaiveDate| {
            let at = beginning(*date);
            let mut people = roster.on(at).iter().filter_map(|address| self.supervisor(address));
            people.any(|supervisor| !supervisor.is_away(at))
        };
        first.iter_days().take(days as usize).filter(|date| !manned(date)).collect()
    }
}

impl Staff {
    pub fn is_away(&self, now: Timestamp) -> bool {
        self.away.iter().any(|(from, to)| *from <= now && now < *to)
    }
}

impl Roster {
    /// Who is on duty at this moment and the substitutes.
    fn on(&self, now: Timestamp) -> &[Address] {
        let day = self.day(now);
        let monday = |date: NaiveDate| date - TimeDelta::days(i64::from(date.weekday().num_days_from_monday()));
        let weeks = (monday(day) - monday(self.since)).num_weeks();
        let week = weeks.rem_euclid(self.weeks.len() as i64) as usize;
        &self.weeks[week][day.weekday().num_days_from_monday() as usize]
    }

    /// The date whose duty covers this moment.
    fn day(&self, now: Timestamp) -> NaiveDate {
        (now.at_zone(self.zone).naive_local() - TimeDelta::minutes(i64::from(self.handover))).date()
    }

    fn time(&self) -> chrono::NaiveTime {
        chrono::NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.handover) * 60, 0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Mailbox;
    use crate::desk::words::Language;
    use chrono_tz::Asia::Shanghai;

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@corp.example")).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{}:00+08:00", text.replace(' ', "T"))).unwrap()
    }

    /// `name`, or `name:from..to` for one who is away.
    fn supervisor(text: &str) -> Staff {
        let (name, away) = text.split_once('=').unwrap_or((text, ""));
        let away = away.split_once("..").map(|(from, to)| (at(from), at(to))).into_iter().collect();
        let mailbox = Mailbox::new(address(name), name);
        Staff { reader: Reader { mailbox, language: Language::Chinese, zone: Shanghai }, away }
    }

    fn duty(supervisors: &[&str], weeks: &[[&str; 7]]) -> Duty {
        let day = |names: &&str| names.split_whitespace().map(address).collect();
        let weeks: Vec<[Vec<Address>; 7]> = weeks.iter().map(|week| week.each_ref().map(day)).collect();
        let since = "2026-11-23".parse().unwrap();
        let roster = (!weeks.is_empty()).then_some(Roster { zone: Shanghai, handover: 9 * 60, since, weeks });
        Duty { supervisors: supervisors.iter().map(|text| supervisor(text)).collect(), roster }
    }

    fn check(duty: &Duty, now: &str, expected: &str) {
        let found = duty.at(at(now));
        let shown = found.map(|on| format!("{}{}", on.reader.mailbox.name, if on.stand_in { "!" } else { "" }));
        assert_eq!(shown.as_deref().unwrap_or("nobody"), expected, "at {now}");
    }

    #[test]
    fn the_duty_changes_at_the_handover() {
        let duty = duty(&["ann", "bob"], &[["ann", "bob", "ann", "ann", "ann", "ann", "bob"]]);
        check(&duty, "2026-11-24 08:59", "ann");
        check(&duty, "2026-11-24 09:00", "bob");
        check(&duty, "2026-11-25 08:59", "bob");
        check(&duty, "2026-11-23 03:00", "bob");
        check(&duty, "2026-11-23 09:00", "ann");
    }

    #[test]
    fn weeks_take_turns_also_backwards() {
        let duty = duty(&["ann", "bob", "cai"], &[["ann"; 7], ["bob"; 7], ["cai"; 7]]);
        for (day, name) in [("2026-11-23", "ann"), ("2026-11-30", "bob"), ("2026-12-07", "cai"), ("2026-12-14", "ann")]
        {
            check(&duty, &format!("{day} 12:00"), name);
        }
        check(&duty, "2026-11-22 12:00", "cai");
        check(&duty, "2026-11-23 08:00", "cai");
    }

    #[test]
    fn substitutes_and_who_stands_in() {
        let away = "2026-11-24 00:00..2026-11-25 00:00";
        let ann = format!("ann={away}");
        check(&duty(&[&ann, "bob"], &[["ann bob"; 7]]), "2026-11-24 10:00", "bob");
        check(&duty(&[&ann, "bob"], &[["ann"; 7]]), "2026-11-24 10:00", "bob!");
        check(&duty(&[&ann], &[["ann"; 7]]), "2026-11-24 10:00", "ann!");
        check(&duty(&[&ann, "bob"], &[]), "2026-11-24 10:00", "bob");
        check(&duty(&[&ann], &[]), "2026-11-24 10:00", "ann!");
        check(&duty(&[], &[]), "2026-11-24 10:00", "nobody");
        check(&duty(&["ann", "bob"], &[["bob", "", "bob", "bob", "bob", "bob", "bob"]]), "2026-11-24 10:00", "ann!");
    }

    #[test]
    fn a_letter_that_cannot_reach_one_goes_to_the_next() {
        let duty = duty(&["ann", "bob", "cai"], &[["cai bob"; 7]]);
        let next = |not| duty.other_than(&address(not), at("2026-11-24 10:00")).unwrap().mailbox.name;
        assert_eq!((next("cai"), next("bob"), next("ann")), ("bob".into(), "cai".into(), "cai".into()));
    }

    #[test]
    fn gaps_are_days_without_anybody() {
        let away = "ann=2026-11-25 00:00..2026-11-27 00:00";
        let duty = duty(&[away, "bob"], &[["ann", "ann", "ann bob", "ann", "", "ann", "ann"]]);
        let gaps: Vec<String> = duty.gaps(at("2026-11-24 10:00"), 7).iter().map(ToString::to_string).collect();
        assert_eq!(gaps, ["2026-11-26", "2026-11-27"]);
    }
}
