//! When a ticket must have been answered and solved (`design.md` section 1, `domain.md` 4.4).

use crate::desk::policy::{Target, Targets};
use crate::desk::words::Priority;
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

/// The latest moments for the first response and the resolution of a ticket of this priority, counted from `created`:
/// the arrival of its first message, also when the priority changed later.
pub fn due(targets: &Targets, calendar: &Calendar, priority: Priority, created: Timestamp) -> (Timestamp, Timestamp) {
    let target = targets.of(priority);
    let add = |duration| match target.working_time {
        true => calendar.add_working(created, duration),
        false => created + duration,
    };
    (add(target.response), add(target.resolution))
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
