//! When a ticket must have been answered and solved (`design.md` section 1, `domain.md` 4.4).

use crate::desk::policy::{Policy, Target, Targets};
use crate::desk::ticket::{Entry, Ticket, What};
use crate::desk::words::{Clock, Priority, Status};
use crate::time::{Calendar, Timestamp};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Targets {
    /// The targets of `design.md` section 1, for a desk whose working day is this long.
    pub fn standard(working_day: Duration) -> Targets {
        let wall = |response, resolution| Target { response, resolution, working_time: false };
        let work = |response, resolution| Target { response, resolution, working_time: true };
        Targets([
            wall(15 * MINUTE, 2 * HOUR),
            wall(30 * MINUTE, 4 * HOUR),
            work(2 * HOUR, 8 * HOUR),
            work(4 * HOUR, working_day),
        ])
    }
}

impl Default for Targets {
    /// With a working day of eight hours.
    fn default() -> Targets {
        Targets::standard(8 * HOUR)
    }
}

/// The latest moments for the first response and the resolution of a ticket of this priority, counted from `start`:
/// the arrival of its first message or its latest reopening, also when the priority changed later.
pub fn due(targets: &Targets, calendar: &Calendar, priority: Priority, start: Timestamp) -> (Timestamp, Timestamp) {
    let target = targets.of(priority);
    let add = |duration| match target.working_time {
        true => calendar.add_working(start, duration),
        false => start + duration,
    };
    (add(target.response), add(target.resolution))
}

/// When so much of a clock's target is used up, counted back from where it ends: what is past has been put off by the
/// same pauses. More than 100 percent is after the breach.
pub fn used_up(
    targets: &Targets,
    calendar: &Calendar,
    priority: Priority,
    clock: Clock,
    due: Timestamp,
    percent: u32,
) -> Timestamp {
    let target = targets.of(priority);
    let whole = match clock {
        Clock::Response => target.response,
        Clock::Resolution => target.resolution,
    };
    let part = |percent: u32| whole * percent / 100;
    match (target.working_time, percent > 100) {
        (true, true) => calendar.add_working(due, part(percent - 100)),
        (true, false) => calendar.sub_working(due, part(100 - percent)),
        (false, true) => due + part(percent - 100),
        (false, false) => due - part(100 - percent),
    }
}

/// A stretch of time on hold.
pub type Pause = (Timestamp, Timestamp);

/// Where the targets of the present round count from: a reopening is a new round (`domain.md` 4.4).
pub fn round_start(ticket: &Ticket, timeline: &[Entry]) -> Timestamp {
    let reopened = |e: &&Entry| match e.what {
        What::Status { from, to } => !from.is_open() && to.is_open(),
        _ => false,
    };
    let latest = timeline.iter().rev().find(reopened).filter(|_| ticket.cycle > 1);
    latest.map_or(ticket.created, |e| e.at)
}

/// The stretches on hold since `start`; one that still lasts ends `now`.
pub fn pauses(timeline: &[Entry], start: Timestamp, now: Timestamp) -> Vec<Pause> {
    let (mut pauses, mut since) = (Vec::new(), None);
    for entry in timeline.iter().filter(|e| e.at >= start) {
        let What::Status { from, to } = entry.what else { continue };
        if to == Status::Pending {
            since.get_or_insert(entry.at);
        } else if from == Status::Pending {
            pauses.extend(since.take().map(|since| (since, entry.at)));
        }
    }
    pauses.extend(since.map(|since| (since, now)));
    pauses
}

/// The resolution moves on by what was spent on hold, in the target's own clock. P1 never pauses (`domain.md` 4.4).
pub fn extended(targets: &Targets, calendar: &Calendar, priority: Priority, due: Timestamp, pause: Pause) -> Timestamp {
    let (from, to) = pause;
    match priority {
        Priority::P1 => due,
        _ if targets.of(priority).working_time => calendar.add_working(due, calendar.working_between(from, to)),
        _ => due + to.since(from),
    }
}

/// The resolution target of a ticket as it is now. While it is on hold the stored one is right for the moment it was
/// stored, and every change stores it anew: the row needs no other memory of the pause.
pub fn resolution_due(policy: &Policy, ticket: &Ticket, now: Timestamp) -> Timestamp {
    let (targets, due) = (&policy.targets, ticket.resolution_due);
    match ticket.status {
        Status::Pending => {
            let pause = (ticket.updated, now.max(ticket.updated));
            extended(targets, policy.calendar_of(ticket), ticket.priority, due, pause)
        }
        _ => due,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::calendar::{Holidays, Span};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{}:00+08:00", text.replace(' ', "T"))).unwrap()
    }

    #[test]
    fn due_times_of_every_priority() {
        let day = vec![Span::parse("09:00-12:00").unwrap(), Span::parse("13:30-18:00").unwrap()];
        let week = std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() });
        let calendar = Calendar::working(chrono_tz::Asia::Shanghai, week, Holidays::china());
        let targets = Targets::standard(calendar.day_length());
        use Priority::*;
        for (priority, created, response, resolution) in [
            (P1, "2026-11-21 23:50", "2026-11-22 00:05", "2026-11-22 01:50"),
            (P2, "2026-02-16 08:00", "2026-02-16 08:30", "2026-02-16 12:00"),
            (P3, "2026-11-23 08:00", "2026-11-23 11:00", "2026-11-24 09:30"),
            (P3, "2026-11-20 17:30", "2026-11-23 10:30", "2026-11-23 18:00"),
            (P4, "2026-11-23 10:00", "2026-11-23 15:30", "2026-11-24 10:00"),
            (P4, "2026-11-23 09:00", "2026-11-23 14:30", "2026-11-23 18:00"),
            (P4, "2026-02-14 17:00", "2026-02-24 12:00", "2026-02-24 17:00"),
        ] {
            let due = due(&targets, &calendar, priority, at(created));
            assert_eq!(due, (at(response), at(resolution)), "{priority} at {created}");
        }
    }

    #[test]
    fn one_working_day_is_as_long_as_the_desks_day() {
        assert_eq!(Targets::default().of(Priority::P4).resolution, 8 * HOUR);
        assert_eq!(Targets::standard(9 * HOUR).of(Priority::P4).resolution, 9 * HOUR);
    }
}
