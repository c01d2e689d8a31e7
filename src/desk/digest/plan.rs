//! Who gets which report when, and about which time.

use crate::address::Address;
use crate::desk::digest::page::Page;
use crate::desk::inbound::Attachment;
use crate::desk::letter::{Content, Letter};
use crate::desk::policy::Reader;
use crate::desk::ticket::Ticket;
use crate::desk::words::Field;
use crate::time::calendar::{local_time, start_of_day};
use crate::time::{Calendar, Cron, Timestamp};
use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is open now, for supervisors.
    Daily,
    /// About the week before, Monday to Sunday.
    Weekly,
    /// About the calendar month before.
    Monthly,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Daily => "daily",
            Kind::Weekly => "weekly",
            Kind::Monthly => "monthly",
        }
    }
}

/// Which tickets a report is about; empty lists: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Of the requesters, as they write them.
    pub departments: Vec<String>,
    /// A team: whoever has, or had, the ticket.
    pub engineers: Vec<Address>,
}

impl Scope {
    /// The same of a ticket as it is now.
    pub fn holds_ticket(&self, ticket: &Ticket) -> bool {
        let department = ticket.fields.get(&Field::Department).map_or("", |name| name.trim());
        let engineer = || ticket.assignee.as_ref().is_some_and(|assignee| self.engineers.contains(assignee));
        let in_department = self.departments.is_empty() || self.departments.iter().any(|name| name == department);
        in_department && (self.engineers.is_empty() || engineer())
    }

    pub fn holds(&self, round: &super::Round) -> bool {
        let department = || self.departments.contains(&round.department);
        let engineer = || self.engineers.iter().any(|engineer| engineer.key() == round.assignee);
        (self.departments.is_empty() || department()) && (self.engineers.is_empty() || engineer())
    }
}

/// What a figure should be, in percent, and how many people work where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goals {
    pub response: u32,
    pub resolution: u32,
    pub satisfaction: u32,
    /// By department.
    pub staff: BTreeMap<String, u32>,
}

impl Default for Goals {
    /// The guide values of `domain.md` 6.2.
    fn default() -> Goals {
        Goals { response: 90, resolution: 85, satisfaction: 80, staff: BTreeMap::new() }
    }
}

/// One `[[digest]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub name: String,
    pub kind: Kind,
    pub cron: Cron,
    /// Of the cron line, of days and of hours in the report.
    pub zone: Tz,
    pub readers: Vec<Reader>,
    pub scope: Scope,
    /// Weekly and monthly reports may come on a weekend that makes up for a holiday.
    pub on_make_up_days: bool,
}

/// From (included) to (not included), cut at local midnights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub kind: Kind,
    pub from: Timestamp,
    pub to: Timestamp,
    pub zone: Tz,
}

/// A report that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it is to be sent.
    pub at: Timestamp,
    pub period: Period,
}

impl Slot {
    /// What makes two slots the same: the period. A daily board is about its own moment.
    pub fn key(&self) -> Timestamp {
        if self.period.kind == Kind::Daily { self.at } else { self.period.from }
    }
}

impl Period {
    /// What a report that is written at this moment is about.
    pub fn before_date(kind: Kind, at: Timestamp, zone: Tz) -> Period {
        let today = at.at_zone(zone).date_naive();
        let (from, to) = match kind {
            Kind::Daily => (today, today + Days::new(1)),
            Kind::Weekly => {
                let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
                (monday - Days::new(7), monday)
            }
            Kind::Monthly => {
                let first = today.with_day(1).unwrap_or(today);
                (first - Months::new(1), first)
            }
        };
        Period::of_days(kind, from, to, zone)
    }

    fn of_days(kind: Kind, from: NaiveDate, to: NaiveDate, zone: Tz) -> Period {
        Period { kind, from: start_of_day(zone, from), to: start_of_day(zone, to), zone }
    }

    /// The one before, of the same kind.
    pub fn previous(&self) -> Period {
        let from = self.first_day();
        let earlier = match self.kind {
            Kind::Daily => from - Days::new(1),
            Kind::Weekly => from - Days::new(7),
            Kind::Monthly => from - Months::new(1),
        };
        Period::of_days(self.kind, earlier, from, self.zone)
    }

    pub fn first_day(&self) -> NaiveDate {
        self.from.at_zone(self.zone).date_naive()
    }

    pub fn last_day(&self) -> NaiveDate {
        (self.to - std::time::Duration::from_millis(1)).at_zone(self.zone).date_naive()
    }

    /// Every day of it and the moment at which it begins.
    pub fn days(&self) -> Vec<(NaiveDate, Timestamp)> {
        let days = self.first_day().iter_days().take_while(|day| *day <= self.last_day());
        days.map(|day| (day, start_of_day(self.zone, day))).collect()
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

impl Plan {
    /// This report to one of its readers.
    pub fn letter(&self, slot: &Slot, to: &Reader, page: Page, files: &[Arc<Attachment>]) -> Letter {
        Letter {
            key: format!("digest/{}/{}/{}", self.name, slot.key().millis(), to.mailbox.address.key()),
            to: to.clone(),
            ticket: None,
            content: Content::Digest { page: Box::new(page) },
            answers: None,
            attachments: files.to_vec(),
            with_first_files: false,
        }
    }
}

/// How far back a slot is looked for: as far as a yearly one.
const LOOK_BACK: usize = 40;

impl Plan {
    /// What is due at `now` and was not before `since`: the latest slot, and those that a holiday moved to the same
    /// moment, oldest first. What was missed before that is never sent (no storm after an outage), and a board of
    /// yesterday is of no use today.
    pub fn due(&self, calendar: &Calendar, now: Timestamp, since: Timestamp) -> Vec<Slot> {
        let mut due: Vec<Slot> = Vec::new();
        let mut at = now + std::time::Duration::from_millis(1);
        for _ in 0..LOOK_BACK {
            let Some(nominal) = self.cron.previous(at, self.zone) else { break };
            at = nominal;
            let moved = self.moved(calendar, nominal);
            if moved > now {
                continue;
            }
            let is_late = due.first().is_some_and(|latest| latest.at != moved);
            if is_late || moved < since {
                break;
            }
            due.insert(0, Slot { at: moved, period: Period::before_date(self.kind, nominal, self.zone) });
        }
        let today = now.at_zone(self.zone).date_naive();
        due.retain(|slot| self.kind != Kind::Daily || slot.at.at_zone(self.zone).date_naive() == today);
        due.dedup_by_key(|slot| slot.key());
        due
    }

    /// Weekly and monthly reports wait for the first working day (`domain.md` 6.3), at the same time of day.
    fn moved(&self, calendar: &Calendar, nominal: Timestamp) -> Timestamp {
        if self.kind == Kind::Daily {
            return nominal;
        }
        let local = nominal.at_zone(self.zone);
        let good =
            |day: &NaiveDate| calendar.is_working_day(*day) && (self.on_make_up_days || !calendar.is_make_up_day(*day));
        let day = local.date_naive().iter_days().take(31).find(good);
        let time: NaiveTime = local.time();
        day.filter(|day| *day != local.date_naive()).map_or(nominal, |day| local_time(self.zone, day, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::calendar::{Holidays, Span};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
    }

    fn china() -> Calendar {
        let day = vec![Span::parse("09:00-18:00").unwrap()];
        let week = std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() });
        Calendar::working(chrono_tz::Asia::Shanghai, week, Holidays::china())
    }

    fn plan(kind: Kind, cron: &str) -> Plan {
        Plan {
            name: "x".into(),
            kind,
            cron: Cron::parse(cron).unwrap(),
            zone: chrono_tz::Asia::Shanghai,
            readers: Vec::new(),
            scope: Scope::default(),
            on_make_up_days: false,
        }
    }

    fn due(plan: &Plan, now: &str, since: &str) -> Vec<(String, String)> {
        let day = |at: Timestamp, format| at.at_zone(plan.zone).format(format).to_string();
        let due = plan.due(&china(), at(now), at(since));
        due.iter().map(|slot| (day(slot.at, "%m-%d %H:%M"), day(slot.period.from, "%m-%d"))).collect()
    }

    fn check(plan: &Plan, now: &str, expect: &[(&str, &str)]) {
        let expect: Vec<_> = expect.iter().map(|(at, from)| ((*at).to_owned(), (*from).to_owned())).collect();
        assert_eq!(due(plan, now, "2026-01-01T00:00"), expect, "{now}");
    }

    #[test]
    fn weekly_and_monthly_wait_for_the_first_working_day() {
        let weekly = plan(Kind::Weekly, "30 8 * * 1");
        check(&weekly, "2026-11-23T08:30", &[("11-23 08:30", "11-16")]);
        check(&weekly, "2026-11-23T08:29", &[("11-16 08:30", "11-09")]);
        // Monday 5 October 2026 is a holiday, Thursday the 8th is not.
        check(&weekly, "2026-10-07T23:00", &[("09-28 08:30", "09-21")]);
        check(&weekly, "2026-10-08T08:30", &[("10-08 08:30", "09-28")]);
        // Spring festival: two Mondays are moved to the same morning, and neither week is lost.
        check(&weekly, "2026-02-24T09:00", &[("02-24 08:30", "02-09"), ("02-24 08:30", "02-16")]);
        let monthly = plan(Kind::Monthly, "30 8 1 * *");
        check(&monthly, "2026-10-08T09:00", &[("10-08 08:30", "09-01")]);
        check(&monthly, "2026-11-02T08:30", &[("11-02 08:30", "10-01")]);
        check(&monthly, "2026-11-01T23:00", &[("10-08 08:30", "09-01")]);
    }

    #[test]
    fn a_make_up_sunday_is_passed_over_unless_configured() {
        // 4 January 2026 is a Sunday that makes up for new year; the 1st to the 3rd are free.
        let monthly = plan(Kind::Monthly, "30 8 1 * *");
        check(&monthly, "2026-01-04T12:00", &[]);
        check(&monthly, "2026-01-05T08:30", &[("01-05 08:30", "12-01")]);
        let eager = Plan { on_make_up_days: true, ..monthly };
        check(&eager, "2026-01-04T12:00", &[("01-04 08:30", "12-01")]);
    }

    #[test]
    fn only_the_latest_is_made_up_for_and_nothing_from_before_the_digest_was_known() {
        let weekly = plan(Kind::Weekly, "30 8 * * 1");
        check(&weekly, "2026-11-22T12:00", &[("11-16 08:30", "11-09")]);
        assert!(due(&weekly, "2026-11-22T12:00", "2026-11-17T10:00").is_empty());
        assert_eq!(due(&weekly, "2026-11-23T08:31", "2026-11-17T10:00").len(), 1);
        let daily = plan(Kind::Daily, "0 8,16 * * *");
        check(&daily, "2026-11-23T09:00", &[("11-23 08:00", "11-23")]);
        check(&daily, "2026-11-23T07:59", &[]);
    }

    #[test]
    fn periods_are_whole_local_days() {
        let zone = chrono_tz::Asia::Shanghai;
        let month = Period::before_date(Kind::Monthly, at("2026-03-15T08:00"), zone);
        assert_eq!((month.from, month.to, month.days().len()), (at("2026-02-01T00:00"), at("2026-03-01T00:00"), 28));
        assert_eq!(month.previous().from, at("2026-01-01T00:00"));
        assert_eq!(month.previous().to, month.from);
        let week = Period::before_date(Kind::Weekly, at("2026-11-23T00:00"), zone);
        assert_eq!((week.from, week.to), (at("2026-11-16T00:00"), at("2026-11-23T00:00")));
        // A week in which the clocks change has an hour less.
        let berlin = Period::before_date(Kind::Weekly, at("2026-03-31T12:00"), chrono_tz::Europe::Berlin);
        assert_eq!(berlin.to.since(berlin.from).as_secs(), (7 * 24 - 1) * 3600);
    }
}
