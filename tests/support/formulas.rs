//! Each formula of `domain.md` 6.2 on a few tickets that anybody can count. The week is 2 to 8 November 2026, Monday to
//! Sunday; working hours are 9:00 to 12:00 and 13:30 to 18:00.

use super::{SHANGHAI, at, policy, rules};
use maildesk::desk::digest::{Figures, Kind, Past, Period, Ratio, Reason, Round, Scope, Spread, Took, rounds};
use maildesk::desk::sla;
use maildesk::desk::ticket::{Entry, Number, Report, Ticket, What, Who};
use maildesk::desk::words::{Category, Clock, Priority, Rating, Status};
use maildesk::time::Timestamp;

const ZHANG: &str = rules::ZHANG;
const LI: &str = "li@corp.example";
const WANG: &str = "wang@corp.example";
const DESK: &str = "desk";

/// What happens to a ticket: `11-02T09:30`, who, what.
type Line<'a> = (&'a str, &'a str, What);

fn day(text: &str) -> Timestamp {
    at(&format!("2026-{text}"))
}

fn entry((when, who, what): &Line) -> Entry {
    let who = if *who == DESK { Who::Desk } else { Who::Person(rules::address(who)) };
    Entry { at: day(when), who, what: what.clone(), why: String::new() }
}

fn status(from: Status, to: Status) -> What {
    What::Status { from, to }
}

fn given(to: &str) -> What {
    What::Assigned { from: None, to: Some(rules::address(to)) }
}

fn resolved() -> What {
    status(Status::InProgress, Status::Resolved)
}

fn closed() -> What {
    status(Status::Resolved, Status::Closed)
}

fn again() -> What {
    status(Status::Resolved, Status::InProgress)
}

/// A ticket of this number and priority that arrived then, with what happened; the rest of its row follows from that.
fn tell(number: i64, priority: Priority, created: &str, lines: &[Line]) -> Vec<Round> {
    tell_with(number, priority, created, lines, |_| {})
}

fn tell_with(
    number: i64,
    priority: Priority,
    created: &str,
    lines: &[Line],
    change: impl FnOnce(&mut Ticket),
) -> Vec<Round> {
    let policy = policy();
    let timeline: Vec<Entry> = lines.iter().map(entry).collect();
    let created = day(created);
    let mut ticket = rules::ticket(Status::New);
    (ticket.number, ticket.priority, ticket.created, ticket.updated) = (Number(number), priority, created, created);
    ticket.assignee = None;
    let (mut start, mut ratings) = (created, Vec::new());
    for entry in &timeline {
        ticket.updated = entry.at;
        let is_engineer = matches!(&entry.who, Who::Person(who) if who.as_str() != ZHANG);
        match &entry.what {
            What::Status { from, to } => {
                ticket.status = *to;
                if !from.is_open() && to.is_open() {
                    (start, ticket.cycle) = (entry.at, ticket.cycle + 1);
                }
            }
            What::Message if is_engineer => drop(ticket.first_response.get_or_insert(entry.at)),
            What::Assigned { to, .. } => ticket.assignee.clone_from(to),
            What::Rated { rating } => ratings.push((ticket.cycle, *rating, entry.at)),
            _ => {}
        }
    }
    let (response, resolution) = sla::due(&policy.targets, &policy.calendar, priority, start);
    let pauses = sla::pauses(&timeline, start, ticket.updated);
    let extend = |due, pause: &sla::Pause| sla::extended(&policy.targets, &policy.calendar, priority, due, *pause);
    (ticket.response_due, ticket.resolution_due) = (response, pauses.iter().fold(resolution, extend));
    change(&mut ticket);
    rounds(&policy, &ticket, &Past { timeline, ratings, approval: None })
}

fn count_in(week: &str, tickets: &[Vec<Round>]) -> Figures {
    let policy = policy();
    let mut figures = Figures::new(Period::before_date(Kind::Weekly, day(week), SHANGHAI));
    for round in tickets.iter().flatten() {
        // As they are stored.
        assert_eq!(Round::from_line(&round.to_line()).as_ref(), Some(round));
        figures.add(round, &Scope::default(), &policy.targets, &policy.calendar);
    }
    figures.finish();
    figures
}

/// The figures of 2 to 8 November.
fn count(tickets: &[Vec<Round>]) -> Figures {
    count_in("11-09T08:30", tickets)
}

fn of(met: u64, of: u64) -> Ratio {
    Ratio { met, of }
}

#[test]
fn the_backlog_balances() {
    let figures = count(&[
        tell(1, Priority::P3, "10-30T10:00", &[("11-02T10:00", LI, resolved()), ("11-03T10:00", ZHANG, closed())]),
        tell(2, Priority::P3, "11-03T10:00", &[]),
        tell(3, Priority::P3, "11-04T10:00", &[("11-04T11:00", LI, status(Status::New, Status::Cancelled))]),
        tell(
            4,
            Priority::P3,
            "10-20T10:00",
            &[
                ("10-20T11:00", LI, resolved()),
                ("10-30T09:00", ZHANG, closed()),
                ("11-05T09:00", ZHANG, status(Status::Closed, Status::InProgress)),
            ],
        ),
        // Resolved, not confirmed: still open. Reopened from there: the balance does not move.
        tell(
            5,
            Priority::P4,
            "11-05T10:00",
            &[("11-05T10:30", LI, resolved()), ("11-06T10:00", ZHANG, again()), ("11-06T11:00", LI, resolved())],
        ),
        tell(6, Priority::P4, "11-09T00:00", &[]),
    ]);
    let balance =
        (figures.at_start, figures.created, figures.reopened, figures.closed, figures.cancelled, figures.at_end);
    assert_eq!(balance, (1, 3, 1, 1, 1, 3));
    assert_eq!((figures.new, figures.stock.awaiting, figures.stock.total()), (2, 1, 3));
    let open: Vec<i64> = figures.flow.iter().map(|day| day.backlog).collect();
    assert_eq!(open, [1, 1, 1, 3, 3, 3, 3]);
    // Age counts from the arrival: 4 is 19 days old, 2 five, 5 three.
    let ages: Vec<u64> = figures.stock.ages.iter().map(|band| band.iter().sum()).collect();
    assert_eq!(ages, [0, 1, 1, 1, 0]);
    assert_eq!(figures.stock.oldest.iter().map(|one| one.number.0).collect::<Vec<_>>(), [4, 2]);
}

#[test]
fn a_response_counts_once_when_it_was_decided() {
    // P2: half an hour round the clock.
    let tickets = [
        tell(1, Priority::P2, "11-03T10:00", &[("11-03T10:30", LI, What::Message)]),
        tell(2, Priority::P2, "11-03T10:00", &[("11-03T10:31", LI, What::Message)]),
        // Ran out on Sunday, answered on Monday: missed on Sunday, and a response of the next week.
        tell(3, Priority::P2, "11-08T23:00", &[("11-09T09:00", LI, What::Message)]),
        // Answered on Sunday before it ran out on Monday.
        tell(4, Priority::P2, "11-08T23:50", &[("11-08T23:55", LI, What::Message)]),
        tell(5, Priority::P2, "11-03T10:00", &[("11-03T10:05", LI, status(Status::New, Status::Cancelled))]),
        // The requester's own words are no answer.
        tell(6, Priority::P2, "11-03T10:00", &[("11-03T10:05", ZHANG, What::Message)]),
    ];
    let figures = count(&tickets);
    assert_eq!((figures.response, figures.priorities[1].response), (of(2, 5), of(2, 5)));
    assert_eq!(figures.responses_wall.took().map(|took| took.n), Some(3));
    let next = count_in("11-16T08:30", &tickets);
    assert_eq!((next.response, next.responses_wall.took().map(|took| took.mean)), (of(0, 0), Some(36_000)));
}

#[test]
fn response_time_is_told_round_the_clock_and_in_the_clock_of_the_target() {
    // Friday 17:00 to Monday 10:00: two working hours. P3 counts in working time.
    let figures = count(&[tell(1, Priority::P3, "10-30T17:00", &[("11-02T10:00", LI, What::Message)])]);
    assert_eq!(figures.responses.took().map(|took| took.mean), Some(2 * 3600));
    assert_eq!(figures.responses_wall.took().map(|took| took.mean), Some(65 * 3600));
    assert_eq!(figures.response, of(1, 1));
}

#[test]
fn time_on_hold_counts_for_no_resolution_but_that_of_p1() {
    let story = |priority| {
        let lines = [
            ("11-02T09:00", DESK, given(LI)),
            ("11-02T10:00", LI, status(Status::New, Status::Pending)),
            ("11-03T10:00", LI, status(Status::Pending, Status::InProgress)),
            ("11-03T12:00", LI, resolved()),
        ];
        count(&[tell(1, priority, "11-02T09:00", &lines)])
    };
    // One hour before the hold, two after it; 24 hours on hold.
    let figures = story(Priority::P3);
    assert_eq!((figures.resolution, figures.resolutions.took().unwrap().mean), (of(1, 1), 3 * 3600));
    assert_eq!(figures.resolutions_wall.took().unwrap().mean, 3 * 3600);
    let figures = story(Priority::P1);
    assert_eq!((figures.resolution, figures.resolutions.took().unwrap().mean), (of(0, 1), 27 * 3600));
    assert_eq!((figures.missed[0].late, figures.missed[0].resolved), (25 * 3600, true));
}

#[test]
fn a_resolution_target_that_ran_out_is_not_hidden_and_one_on_hold_does_not_run_out() {
    let tickets = [
        tell(1, Priority::P2, "11-03T10:00", &[]),
        tell(2, Priority::P2, "11-03T10:00", &[("11-03T11:00", LI, status(Status::New, Status::Pending))]),
        // Closed for silence before it ran out: neither met nor missed.
        tell(3, Priority::P2, "11-03T10:00", &[("11-03T11:00", DESK, status(Status::Pending, Status::Closed))]),
        // An engineer closed it: resolved.
        tell(4, Priority::P2, "11-03T10:00", &[("11-03T11:00", LI, status(Status::InProgress, Status::Closed))]),
        // The new round has a target of its own.
        tell(
            5,
            Priority::P2,
            "11-03T10:00",
            &[("11-03T11:00", LI, resolved()), ("11-04T10:00", ZHANG, again()), ("11-04T15:00", LI, resolved())],
        ),
    ];
    let figures = count(&tickets);
    assert_eq!(figures.resolution, of(2, 4));
    assert_eq!(
        figures.missed.iter().map(|one| (one.number.0, one.resolved)).collect::<Vec<_>>(),
        [(1, false), (5, true)]
    );
    assert_eq!(count_in("11-16T08:30", &tickets).resolution, of(0, 0), "each counts once");
}

#[test]
fn the_likely_reason_of_a_missed_target() {
    let late = ("11-04T15:00", LI, resolved());
    let told = |lines: &[Line]| {
        let lines: Vec<Line> = lines.iter().cloned().chain([late.clone()]).collect();
        count(&[tell(1, Priority::P2, "11-03T10:00", &lines)]).missed[0].reason
    };
    assert_eq!(told(&[]), Reason::Staffing);
    assert_eq!(told(&[("11-03T10:10", LI, What::VendorAsked { vendor: "L".into() })]), Reason::Vendor);
    let approval = What::ApprovalAsked { module: "ERP".into(), version: 1, of: vec![] };
    assert_eq!(told(&[("11-03T10:10", LI, approval)]), Reason::Approval);
    let sorted = What::Category { from: Category::Other, to: Category::Hardware };
    assert_eq!(told(&[("11-03T10:10", LI, sorted)]), Reason::Sorting);
    let hold = [
        ("11-03T10:10", LI, status(Status::InProgress, Status::Pending)),
        ("11-03T10:20", LI, status(Status::Pending, Status::InProgress)),
    ];
    assert_eq!(told(&hold), Reason::Requester);
}

#[test]
fn first_contact_reopening_and_dispatch() {
    let figures = count(&[
        // One answer, by whom it was given to.
        tell(
            1,
            Priority::P4,
            "11-03T09:00",
            &[("11-03T09:00", DESK, given(LI)), ("11-03T10:00", LI, What::Message), ("11-03T10:00", LI, resolved())],
        ),
        // Two answers.
        tell(
            2,
            Priority::P4,
            "11-03T09:00",
            &[
                ("11-03T09:00", DESK, given(LI)),
                ("11-03T09:30", LI, What::Message),
                ("11-03T10:00", LI, What::Message),
                ("11-03T10:00", LI, resolved()),
            ],
        ),
        // Handed over.
        tell(
            3,
            Priority::P3,
            "11-03T09:00",
            &[("11-03T09:00", DESK, given(LI)), ("11-03T09:30", LI, given(WANG)), ("11-03T10:00", WANG, resolved())],
        ),
        // Came back after three days.
        tell(
            4,
            Priority::P3,
            "11-02T09:00",
            &[("11-02T09:00", DESK, given(LI)), ("11-02T10:00", LI, resolved()), ("11-05T10:00", ZHANG, again())],
        ),
        // Urgent ones are no work of the first line.
        tell(5, Priority::P2, "11-03T09:00", &[("11-03T10:00", LI, resolved())]),
        // Resolved 35 days before it was reopened: not a matter of that resolution.
        tell(6, Priority::P3, "10-01T09:00", &[("10-01T10:00", LI, resolved()), ("11-05T10:00", ZHANG, again())]),
    ]);
    assert_eq!(figures.first_contact, of(1, 4));
    assert_eq!(figures.reopens, of(1, 5));
    assert_eq!(figures.dispatch, of(3, 4));
    assert_eq!(figures.functional, of(1, 5), "to a more senior engineer");
}

#[test]
fn escalation_repeats_and_sorting() {
    let boss = rules::address("boss@corp.example");
    let told = |to| What::Escalated { clock: Clock::Response, percent: 75, to };
    let figures = count(&[
        tell(1, Priority::P3, "10-10T09:00", &[("10-10T10:00", LI, resolved()), ("10-12T10:00", ZHANG, closed())]),
        // The same person and category, 24 days later.
        tell(
            2,
            Priority::P3,
            "11-03T09:00",
            &[
                ("11-03T09:00", DESK, given(LI)),
                ("11-03T10:00", DESK, told(vec![rules::address(LI), boss])),
                ("11-03T11:00", LI, What::Category { from: Category::Network, to: Category::Hardware }),
                ("11-03T12:00", LI, resolved()),
                ("11-04T12:00", ZHANG, closed()),
            ],
        ),
        // Its engineer alone was reminded.
        tell_with(
            3,
            Priority::P3,
            "11-03T09:00",
            &[("11-03T09:00", DESK, given(LI)), ("11-03T10:00", DESK, told(vec![rules::address(LI)]))],
            |ticket| ticket.requester.address = rules::address("someone@corp.example"),
        ),
        tell_with(
            4,
            Priority::P4,
            "11-05T09:00",
            &[
                ("11-05T09:10", LI, What::Priority { from: Priority::P3, to: Priority::P4 }),
                ("11-05T10:00", LI, resolved()),
                ("11-05T11:00", ZHANG, closed()),
            ],
            |ticket| ticket.category = Category::Other,
        ),
    ]);
    assert_eq!((figures.hierarchic, figures.repeats), (of(1, 3), of(1, 3)));
    assert_eq!((figures.category_kept, figures.priority_kept), (of(1, 2), of(1, 2)));
    assert_eq!(figures.confusion[Category::Network as usize][Category::Hardware as usize], 1);
}

#[test]
fn satisfaction_counts_answers_never_silence() {
    let rated = |rating| What::Rated { rating };
    let over = |number, rating| {
        let end = if rating == Rating::Dissatisfied { again() } else { closed() };
        tell(
            number,
            Priority::P3,
            "11-02T09:00",
            &[("11-02T10:00", LI, resolved()), ("11-03T10:00", ZHANG, rated(rating)), ("11-03T10:00", ZHANG, end)],
        )
    };
    let silent =
        tell(9, Priority::P3, "11-02T09:00", &[("11-02T10:00", LI, resolved()), ("11-05T10:00", DESK, closed())]);
    let waiting = tell(10, Priority::P3, "11-02T09:00", &[("11-02T10:00", LI, resolved())]);
    let figures =
        count(&[over(1, Rating::Satisfied), over(2, Rating::Mostly), over(3, Rating::Dissatisfied), silent, waiting]);
    assert_eq!((figures.ratings, figures.asked), ([1, 1, 1], 4));
    assert_eq!(
        (figures.satisfaction(), figures.full_satisfaction(), figures.answered()),
        (of(2, 3), of(1, 3), of(3, 4))
    );
}

#[test]
fn dissatisfied_people_hear_within_a_working_day() {
    let story = |number, taken_up: &str| {
        tell(
            number,
            Priority::P3,
            "11-02T09:00",
            &[
                ("11-02T10:00", LI, resolved()),
                ("11-03T10:00", ZHANG, What::Rated { rating: Rating::Dissatisfied }),
                ("11-03T10:00", ZHANG, again()),
                // The desk gave it to somebody: nobody has done anything yet.
                ("11-03T10:00", DESK, given(WANG)),
                (taken_up, WANG, What::Message),
            ],
        )
    };
    // Until 10:00 of the next day.
    let figures = count(&[story(1, "11-04T10:00"), story(2, "11-04T10:01")]);
    assert_eq!(figures.followed, of(1, 2));
    assert_eq!(figures.complaints.iter().map(|one| one.in_time).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_slip_is_no_reopening() {
    let rounds = tell_with(
        1,
        Priority::P3,
        "11-02T09:00",
        &[
            ("11-02T10:00", LI, resolved()),
            ("11-03T10:00", ZHANG, What::Rated { rating: Rating::Dissatisfied }),
            ("11-03T10:00", ZHANG, again()),
            ("11-03T10:05", ZHANG, What::Rated { rating: Rating::Satisfied }),
            ("11-03T10:05", ZHANG, status(Status::InProgress, Status::Closed)),
        ],
        |ticket| ticket.cycle = 1,
    );
    let figures = count(std::slice::from_ref(&rounds));
    assert_eq!((rounds.len(), figures.reopens, figures.closed), (1, of(0, 1), 1));
}

#[test]
fn a_major_incident_lasts_as_long_as_the_period_sees_it() {
    let report = Report {
        number: Number(9),
        address: rules::address("x@corp.example"),
        requester: String::new(),
        department: String::new(),
        subject: String::new(),
    };
    let tickets = [
        // Began on Sunday evening, an hour of it in the week, reported by two.
        tell(
            1,
            Priority::P1,
            "11-01T23:00",
            &[("11-01T23:10", DESK, What::Joined { report }), ("11-02T01:00", LI, resolved())],
        ),
        tell(2, Priority::P1, "11-04T10:00", &[("11-04T10:30", LI, resolved())]),
        // Still on.
        tell(3, Priority::P1, "11-08T23:00", &[]),
        // Hangs on 2: one incident.
        tell_with(4, Priority::P1, "11-04T10:00", &[("11-04T10:30", LI, resolved())], |t| t.parent = Some(Number(2))),
    ];
    let figures = count(&tickets);
    assert_eq!((figures.majors, figures.major_seconds / 60, figures.major_people_seconds / 60), (2, 150, 210));
    assert_eq!((figures.new, figures.resolution), (3, of(2, 2)));
    assert_eq!(figures.major_list.iter().map(|one| one.number.0).collect::<Vec<_>>(), [3, 2, 1]);
}

#[test]
fn median_and_p90_are_values_that_occurred() {
    let took = |values: &[u32]| {
        let mut spread = Spread::default();
        values.iter().for_each(|value| spread.add(*value));
        spread.took()
    };
    assert_eq!(took(&[]), None);
    assert_eq!(took(&[7]), Some(Took { n: 1, mean: 7, median: 7, p90: 7 }));
    assert_eq!(took(&[4, 1, 3, 2]), Some(Took { n: 4, mean: 2, median: 2, p90: 4 }));
    let ten: Vec<u32> = (1..=10).rev().collect();
    assert_eq!(took(&ten), Some(Took { n: 10, mean: 5, median: 5, p90: 9 }));
    let eleven: Vec<u32> = (1..=11).collect();
    assert_eq!(took(&eleven), Some(Took { n: 11, mean: 6, median: 6, p90: 10 }));
}

#[test]
fn nothing_of_nothing_is_no_percentage() {
    let figures = count(&[]);
    for ratio in [figures.response, figures.resolution, figures.satisfaction(), figures.first_contact, figures.reopens]
    {
        assert_eq!((ratio, ratio.permille()), (of(0, 0), None));
    }
    assert_eq!(
        [of(1, 3), of(2, 3), of(1, 2000), of(3, 3)].map(Ratio::permille),
        [Some(333), Some(667), Some(1), Some(1000)]
    );
}

#[test]
fn a_scope_is_a_department_or_a_team() {
    let policy = policy();
    let tickets = [
        tell(1, Priority::P3, "11-03T09:00", &[("11-03T09:00", DESK, given(LI))]),
        tell(2, Priority::P3, "11-03T09:00", &[]),
    ];
    for (scope, expect) in [
        (Scope::default(), 2),
        (Scope { engineers: vec![rules::address(LI)], ..Scope::default() }, 1),
        (Scope { departments: vec!["财务部".into()], ..Scope::default() }, 0),
    ] {
        let mut figures = Figures::new(Period::before_date(Kind::Weekly, day("11-09T08:30"), SHANGHAI));
        for round in tickets.iter().flatten() {
            figures.add(round, &scope, &policy.targets, &policy.calendar);
        }
        assert_eq!(figures.new, expect, "{scope:?}");
    }
}
