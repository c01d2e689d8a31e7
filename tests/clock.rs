//! The escalation ladder: a ticket's timer climbs it rung by rung, whatever happens to the ticket or to the clock.

#[path = "support/rules.rs"]
mod rules;

use chrono_tz::Asia::Shanghai;
use chrono_tz::Europe::Berlin;
use chrono_tz::Tz;
use maildesk::desk::decide::decide;
use maildesk::desk::duty::Staff;
use maildesk::desk::event::{Candidate, Effect, Event, Situation, Timer, TimerKind};
use maildesk::desk::letter::{Content, Letter, NoticeReason};
use maildesk::desk::policy::{Engineer, Policy, Site};
use maildesk::desk::ticket::{Entry, Number, Ticket, What};
use maildesk::desk::words::{Field, Rating, Status};
use maildesk::time::calendar::{Holidays, Span};
use maildesk::time::{Calendar, Timestamp};
use rules::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A desk in memory: tickets, their timers, and the letters that went out, as `time reader what`.
struct Desk {
    policy: Policy,
    tickets: BTreeMap<Number, (Ticket, Vec<Entry>)>,
    timers: Vec<Timer>,
    letters: Vec<String>,
    now: Timestamp,
}

impl Desk {
    fn new() -> Desk {
        let mut policy = policy();
        policy.escalation.managers = vec![Staff { reader: reader("chief@corp.example"), away: vec![] }];
        Desk { policy, tickets: BTreeMap::new(), timers: Vec::new(), letters: Vec::new(), now: now() }
    }

    /// A new ticket, which the rules open.
    fn report(&mut self, subject: &str, text: &str) {
        let mut situation = situation(&self.policy, Vec::new());
        situation.next_number = Number(self.tickets.len() as i64 + 1);
        situation.known_ids.clear();
        let inbound = mail(ZHANG, subject, "", text);
        let event = Event::Mail(maildesk::desk::event::Mail::new(inbound, self.now, None));
        let effects = decide(&situation, &event, self.now);
        self.apply(effects);
        self.letters.clear();
    }

    fn printer(&mut self) {
        self.report("打印机坏了", "三楼打印机不能打印，只有我这台。");
    }

    /// An engineer's reply on the first ticket.
    fn engineer(&mut self, who: &str, text: &str) {
        let event = Event::Mail(maildesk::desk::event::Mail::new(reply(who, text), self.now, None));
        let effects = decide(&self.situation(), &event, self.now);
        self.apply(effects);
    }

    fn situation(&self) -> Situation<'_> {
        let mut situation = situation(&self.policy, Vec::new());
        situation.candidates = self
            .tickets
            .values()
            .map(|(ticket, timeline)| Candidate { timeline: Arc::new(timeline.clone()), ..candidate(ticket.clone()) })
            .collect();
        situation
    }

    fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Open(ticket) => drop(self.tickets.insert(ticket.number, (*ticket, Vec::new()))),
                Effect::Save(ticket) => {
                    let known = self.tickets.get_mut(&ticket.number).unwrap();
                    assert_eq!(known.0.version + 1, ticket.version);
                    known.0 = *ticket;
                }
                Effect::Record(number, entry) => self.tickets.get_mut(&number).unwrap().1.push(entry),
                Effect::Schedule(timer) => {
                    self.timers.retain(|known| (known.number, known.kind) != (timer.number, timer.kind));
                    self.timers.push(timer);
                }
                Effect::Unschedule(number, kind) => self.timers.retain(|t| (t.number, t.kind) != (number, kind)),
                Effect::Send(letter) => self.letters.extend(self.said(&letter)),
                _ => {}
            }
        }
    }

    /// What the ladder said: `11:00 li response 50`.
    fn said(&self, letter: &Letter) -> Option<String> {
        let time = self.now.at_zone(chrono_tz::Asia::Shanghai).format("%d %H:%M");
        let time = time.to_string();
        let time = time.strip_prefix("23 ").unwrap_or(&time);
        let reader = letter.to.mailbox.address.local();
        let clocks = |step: &maildesk::desk::letter::Step| {
            step.clocks.iter().map(|c| format!("{} {}", c.clock, c.percent)).collect::<Vec<_>>().join(" ")
        };
        match &letter.content {
            Content::Escalation { step, stand_in, .. } => {
                Some(format!("{time} {reader} {}{}", clocks(step), if *stand_in { " stand-in" } else { "" }))
            }
            Content::Progress { silent_since } => Some(format!(
                "{time} {reader} silent since {}",
                silent_since.at_zone(chrono_tz::Asia::Shanghai).format("%H:%M")
            )),
            Content::Waiting { last, .. } => {
                Some(format!("{time} {reader} waiting{}", if *last { ", the last" } else { "" }))
            }
            Content::OnHold { wait, since } => Some(format!(
                "{time} {reader} {wait} since {}",
                since.at_zone(chrono_tz::Asia::Shanghai).format("%d %H:%M")
            )),
            Content::Closed { .. } => Some(format!("{time} {reader} closed")),
            Content::Overdue { steps, stand_in } => {
                let steps: Vec<String> = steps.iter().map(|step| format!("{} {}", step.number, clocks(step))).collect();
                Some(format!("{time} {reader} {}{}", steps.join(", "), if *stand_in { " stand-in" } else { "" }))
            }
            _ => None,
        }
    }

    /// Time passes with the desk running: every timer fires when it is due.
    fn until(&mut self, time: &str) {
        let to = at(time);
        while let Some(timer) = self.timers.iter().filter(|t| t.due <= to).min_by_key(|t| t.due).copied() {
            self.now = self.now.max(timer.due);
            self.tick();
        }
        self.now = to;
    }

    /// The clock says this now, and the desk looks at its timers.
    fn jump(&mut self, time: &str) {
        self.now = at(time);
        self.tick();
    }

    fn tick(&mut self) {
        loop {
            let mut due: Vec<Timer> = self.timers.iter().filter(|t| t.due <= self.now).copied().collect();
            due.sort_by_key(|t| (t.due, t.number));
            let mut seen = Vec::new();
            due.retain(|t| {
                !seen.contains(&t.number) && {
                    seen.push(t.number);
                    true
                }
            });
            if due.is_empty() {
                return;
            }
            self.timers.retain(|t| !due.contains(t));
            let effects = decide(&self.situation(), &Event::Due(due), self.now);
            self.apply(effects);
        }
    }

    #[track_caller]
    fn expect(&mut self, letters: &[&str]) {
        assert_eq!(std::mem::take(&mut self.letters), letters);
    }

    fn climbed(&self) -> usize {
        let entries = self.tickets.values().flat_map(|(_, timeline)| timeline);
        entries.filter(|e| matches!(e.what, What::Escalated { .. })).count()
    }
}

/// `11:00` on Monday 23 November 2026, `24 11:00` on the next day.
fn at(time: &str) -> Timestamp {
    let (day, time) = time.split_once(' ').unwrap_or(("23", time));
    Timestamp::parse(&format!("2026-11-{day}T{time}:00+08:00")).unwrap()
}

#[test]
fn every_rung_is_climbed_once_and_nobody_is_told_twice_at_a_time() {
    let mut desk = Desk::new();
    desk.printer();
    desk.until("25 10:00");
    desk.expect(&[
        "11:00 li response 50",
        "11:30 li response 75",
        "12:00 li response 100",
        "12:00 boss response 100",
        "14:00 li resolution 50",
        "16:00 li resolution 75",
        "18:00 li resolution 100",
        "18:00 boss resolution 100",
    ]);
    assert_eq!(desk.climbed(), 6);
    assert!(desk.timers.is_empty());
}

#[test]
fn urgent_tickets_reach_supervisor_and_managers() {
    let mut desk = Desk::new();
    desk.report("ERP 宕机", "ERP 系统宕机，全公司都不能用");
    desk.until("10:20");
    desk.expect(&[
        "10:07 wang response 50",
        "10:11 wang response 75",
        "10:11 boss response 75",
        "10:15 wang response 100",
        "10:15 boss response 100",
        "10:15 chief response 100",
    ]);
}

#[test]
fn an_answer_stops_the_response_and_the_solution_both() {
    let mut desk = Desk::new();
    desk.printer();
    desk.until("11:10");
    desk.expect(&["11:00 li response 50"]);
    desk.engineer(LI, "请重启一下打印机。");
    desk.until("14:30");
    desk.expect(&["14:00 li resolution 50"]);
    desk.engineer(LI, "#resolve\n换了硒鼓。");
    desk.until("24 09:00");
    desk.expect(&[]);
}

#[test]
fn on_hold_the_resolution_waits_but_never_for_p1() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "#wait requester\n请问型号？");
    desk.until("15:00");
    desk.expect(&[]);
    desk.engineer(LI, "#resume");
    desk.until("23:00");
    desk.expect(&[
        "19:00 li resolution 50",
        "21:00 li resolution 75",
        "23:00 li resolution 100",
        "23:00 boss resolution 100",
    ]);

    let mut desk = Desk::new();
    desk.policy.escalation.progress = [None; 4];
    desk.report("ERP 宕机", "ERP 系统宕机，全公司都不能用");
    desk.engineer(WANG, "正在看。");
    desk.engineer(WANG, "#wait vendor");
    desk.until("11:00");
    desk.expect(&["11:00 wang resolution 50"]);
}

#[test]
fn a_raised_priority_counts_from_the_arrival_and_is_told_at_once() {
    let mut desk = Desk::new();
    desk.printer();
    desk.until("10:40");
    desk.engineer(WANG, "#priority P2 整个部门");
    desk.jump("10:41");
    // The response was due at 10:30.
    desk.expect(&["10:41 li response 100", "10:41 boss response 100", "10:41 chief response 100"]);
    desk.until("12:00");
    desk.expect(&["12:00 li resolution 50"]);
}

#[test]
fn a_reopened_ticket_climbs_anew_and_keeps_its_history() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "在看了。");
    desk.until("14:00");
    desk.engineer(LI, "#resolve\n好了。");
    desk.until("15:00");
    desk.expect(&["14:00 li resolution 50"]);
    desk.engineer(LI, "#reopen");
    desk.until("19:00");
    desk.expect(&["19:00 li resolution 50"]);
    assert_eq!(desk.climbed(), 2);
}

/// The requester's link for a round that ended.
fn rate(desk: &mut Desk, cycle: i64) {
    let event = Event::Rated { number: Number(1), cycle, rating: Rating::Dissatisfied, comment: "还是不行".into() };
    let effects = decide(&desk.situation(), &event, desk.now);
    desk.apply(effects);
}

#[test]
fn a_reopened_ticket_is_to_be_answered_anew() {
    let mut desk = Desk::new();
    desk.printer();
    desk.until("10:30");
    desk.engineer(LI, "#resolve\n换了硒鼓。");
    desk.until("12:00");
    rate(&mut desk, 1);
    let ticket = desk.tickets[&Number(1)].0.clone();
    assert_eq!((ticket.first_response, ticket.answered), (Some(at("10:30")), None));
    desk.until("13:40");
    desk.expect(&["13:00 wang response 50", "13:30 wang response 75"]);
    desk.engineer(WANG, "我来看看。");
    let ticket = desk.tickets[&Number(1)].0.clone();
    assert_eq!((ticket.first_response, ticket.answered), (Some(at("10:30")), Some(at("13:40"))));
    desk.until("15:00");
    desk.expect(&[]);
}

#[test]
fn earlier_targets_stay_in_the_history() {
    let mut desk = Desk::new();
    desk.printer();
    desk.until("10:20");
    desk.engineer(LI, "#priority P2 整个部门");
    desk.engineer(LI, "#resolve\n换了硒鼓。");
    desk.until("12:00");
    rate(&mut desk, 1);
    let kept = desk.tickets[&Number(1)].1.iter().filter(|e| matches!(e.what, What::Targets { .. }));
    let kept: Vec<&str> = kept.map(|e| e.why.as_str()).collect();
    let expect = [
        "2026-11-23 12:00, 2026-11-23 18:00",
        "2026-11-23 10:30 ✓ 2026-11-23 10:20, 2026-11-23 14:00 ✓ 2026-11-23 10:20",
    ];
    assert_eq!(kept, expect);
}

#[test]
fn a_reopened_urgent_ticket_calls_its_team_again() {
    let mut desk = Desk::new();
    desk.policy.engineers.push(Engineer { reader: reader("zhou@corp.example"), ..desk.policy.engineers[1].clone() });
    desk.report("ERP 宕机", "ERP 系统宕机，全公司都不能用");
    desk.until("10:05");
    desk.engineer(WANG, "#resolve\n重启了。");
    let event =
        Event::Rated { number: Number(1), cycle: 1, rating: Rating::Dissatisfied, comment: "还是不行".into() };
    let effects = decide(&desk.situation(), &event, desk.now);
    let letters = effects.iter().filter_map(|effect| match effect {
        Effect::Send(letter) => Some((letter.to.mailbox.address.local(), letter.content.template())),
        _ => None,
    });
    let letters: BTreeMap<_, _> = letters.collect();
    let expect = [("boss", "dissatisfied"), ("wang", "notice"), ("zhang", "reopened"), ("zhou", "notice")];
    assert_eq!(letters, BTreeMap::from(expect));
}

#[test]
fn a_look_before_its_time_says_nothing() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "#wait requester\n请问型号？");
    let hold = |desk: &Desk| desk.timers.iter().find(|timer| timer.kind == TimerKind::Hold).unwrap().due;
    let due = hold(&desk);
    desk.timers.iter_mut().filter(|timer| timer.kind == TimerKind::Hold).for_each(|timer| timer.due = now());
    desk.jump("10:01");
    desk.expect(&[]);
    assert_eq!(hold(&desk), due);
}

/// Weekdays from nine to five, without holidays.
fn office(zone: Tz) -> Calendar {
    let week = std::array::from_fn(|day| if day < 5 { vec![Span::parse("09:00-17:00").unwrap()] } else { vec![] });
    Calendar::working(zone, week, Holidays::default())
}

#[test]
fn targets_count_in_the_working_time_of_the_site() {
    let due = |text: &str| {
        let mut desk = Desk::new();
        desk.policy.calendar = office(Shanghai);
        let site = |name: &str, word: &str, calendar| Site { name: name.into(), words: vec![word.into()], calendar };
        desk.policy.sites = vec![site("Berlin", "柏林", Some(office(Berlin))), site("上海", "浦东", None)];
        desk.report("打印机坏了", text);
        let ticket = desk.tickets[&Number(1)].0.clone();
        // The ladder rings in those hours, too.
        let first = desk.timers.iter().find(|timer| timer.kind == TimerKind::Targets).unwrap().due;
        let time = |at: Timestamp| at.at_zone(Shanghai).format("%d %H:%M").to_string();
        let site = ticket.fields.get(&Field::Site).cloned().unwrap_or_default();
        [site, time(first), time(ticket.response_due), time(ticket.resolution_due)].join(", ")
    };
    // Monday, ten o'clock in Shanghai, is three in the morning in Berlin: work begins there at four in the afternoon.
    assert_eq!(due("柏林办公室三楼打印机不能打印，只有我这台。"), "Berlin, 23 17:00, 23 18:00, 24 00:00");
    assert_eq!(due("浦东三楼打印机不能打印，只有我这台。"), "上海, 23 11:00, 23 12:00, 24 10:00");
    assert_eq!(due("三楼打印机不能打印，只有我这台。"), ", 23 11:00, 23 12:00, 24 10:00");
}

#[test]
fn what_was_missed_is_one_letter_for_each_reader() {
    let mut desk = Desk::new();
    desk.printer();
    desk.jump("24 10:00");
    desk.expect(&["24 10:00 li response 100 resolution 100", "24 10:00 boss response 100 resolution 100"]);

    let mut desk = Desk::new();
    (0..3).for_each(|_| desk.printer());
    desk.jump("13:00");
    let all = "IT001 response 100, IT002 response 100, IT003 response 100";
    desk.expect(&[&format!("13:00 li {all}"), &format!("13:00 boss {all}")]);
    desk.until("14:00");
    desk.expect(&["14:00 li resolution 50"; 3]);
}

/// `hardening.md` R19: a day forward, a day back, five seconds back every second.
#[test]
fn a_jumping_clock_makes_no_storm_and_forgets_nothing() {
    let mut desk = Desk::new();
    desk.printer();
    desk.jump("24 10:00");
    assert_eq!(desk.letters.len(), 2);
    desk.letters.clear();
    desk.jump("10:01");
    desk.until("26 10:00");
    desk.expect(&[]);
    assert_eq!(desk.climbed(), 2);

    let mut desk = Desk::new();
    desk.printer();
    desk.jump("22 10:00");
    desk.expect(&[]);
    for minute in (0..60).flat_map(|m| [m, m, (m + 55) % 60]) {
        desk.jump(&format!("11:{minute:02}"));
    }
    let (half, rest) = (desk.letters[0].clone(), desk.letters.len());
    assert_eq!((half.as_str(), rest), ("11:00 li response 50", 2));
}

#[test]
fn without_an_engineer_the_supervisor_is_told_once() {
    let mut desk = Desk::new();
    desk.policy.engineers.clear();
    desk.printer();
    desk.until("12:00");
    desk.expect(&["11:00 boss response 50", "11:30 boss response 75", "12:00 boss response 100"]);
}

#[test]
fn who_stands_in_for_the_supervisor_is_told_so() {
    let mut desk = Desk::new();
    desk.policy.duty.supervisors[0].away = vec![(at("23 00:00"), at("24 00:00"))];
    desk.printer();
    desk.until("12:00");
    desk.expect(&[
        "11:00 li response 50",
        "11:30 li response 75",
        "12:00 li response 100",
        "12:00 boss response 100 stand-in",
    ]);

    // The same when it comes late, and when nobody can take the ticket at all.
    let mut late = Desk::new();
    late.policy.duty.supervisors[0].away = vec![(at("23 00:00"), at("24 00:00"))];
    late.printer();
    late.printer();
    late.jump("13:00");
    late.expect(&[
        "13:00 li IT001 response 100, IT002 response 100",
        "13:00 boss IT001 response 100, IT002 response 100 stand-in",
    ]);
    late.policy.engineers.clear();
    let mut situation = situation(&late.policy, Vec::new());
    situation.known_ids.clear();
    let report = mail(ZHANG, "打印机坏了", "", "三楼打印机不能打印。");
    let report = Event::Mail(maildesk::desk::event::Mail::new(report, late.now, None));
    let effects = decide(&situation, &report, late.now);
    let says_so = effects.iter().any(|effect| match effect {
        Effect::Send(letter) => {
            matches!(letter.content, Content::Notice { reason: NoticeReason::Unassigned { stand_in: true }, .. })
        }
        _ => false,
    });
    assert!(says_so);
}

/// Targets in working time: letters come in working hours, and the clock stands in between.
#[test]
fn letters_about_working_time_come_in_working_hours() {
    use maildesk::time::Calendar;
    use maildesk::time::calendar::{Holidays, Span};
    let day = vec![Span::parse("09:00-12:00").unwrap(), Span::parse("13:30-18:00").unwrap()];
    let week = std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() });
    let mut desk = Desk::new();
    desk.policy.calendar = Calendar::working(chrono_tz::Asia::Shanghai, week, Holidays::china());
    desk.now = at("17:00");
    desk.printer();
    desk.until("25 09:00");
    desk.expect(&[
        // 18:00 sharp is the end of the day.
        "24 09:00 li response 50",
        "24 09:30 li response 75",
        "24 10:00 li response 100",
        "24 10:00 boss response 100",
        "24 13:30 li resolution 50",
        "24 15:30 li resolution 75",
        "24 17:30 li resolution 100",
        "24 17:30 boss resolution 100",
    ]);
}

#[test]
fn timers_of_an_earlier_round_or_of_another_ticket_are_dead() {
    let mut desk = Desk::new();
    desk.printer();
    for cycle in [0, 2] {
        let timer = Timer { number: Number(1), kind: TimerKind::Targets, due: at("11:00"), cycle };
        assert!(decide(&desk.situation(), &Event::Due(vec![timer]), at("12:00")).is_empty());
    }
}

#[test]
fn when_a_supervisors_mailbox_bounces_the_next_in_line_gets_it() {
    let deputy = || Staff { reader: reader("deputy@corp.example"), away: vec![] };
    let mut desk = Desk::new();
    desk.policy.duty.supervisors.push(deputy());
    desk.printer();
    let bounced = |desk: &mut Desk| {
        let (to, letter, reason) = (address(BOSS), "x".into(), "550 5.1.1 unknown".into());
        let effects =
            decide(&desk.situation(), &Event::Undelivered { number: Number(1), to, letter, reason }, desk.now);
        desk.apply(effects);
    };
    // Nothing urgent was in it yet.
    bounced(&mut desk);
    desk.expect(&[]);
    desk.until("12:00");
    desk.letters.clear();
    bounced(&mut desk);
    desk.expect(&["12:00 deputy response 100"]);
    desk.policy.duty.supervisors.pop();
    bounced(&mut desk);
    desk.expect(&["12:00 chief response 100"]);
    desk.policy.escalation.managers[0].away = vec![(at("23 00:00"), at("24 00:00"))];
    bounced(&mut desk);
    desk.expect(&[]);
}

#[test]
fn the_requester_of_an_urgent_ticket_hears_of_the_progress() {
    let mut desk = Desk::new();
    desk.policy.escalation.ladders = Default::default();
    desk.report("ERP 宕机", "ERP 系统宕机，全公司都不能用");
    desk.until("10:40");
    // Before anybody answered the ladder speaks.
    desk.expect(&[]);
    desk.engineer(WANG, "正在看。");
    desk.until("11:05");
    desk.expect(&[]);
    desk.engineer(WANG, "#备注 像是磁盘满了");
    desk.until("11:45");
    desk.expect(&["11:10 wang silent since 10:40", "11:40 wang silent since 10:40"]);
    desk.engineer(WANG, "已切换到备机，预计半小时恢复。");
    desk.until("12:10");
    desk.expect(&[]);
    desk.engineer(WANG, "#priority P2 备机可用");
    desk.until("13:30");
    desk.expect(&["13:10 wang silent since 11:45"]);
    desk.engineer(WANG, "#resolve\n已恢复。");
    desk.until("24 10:00");
    desk.expect(&[]);
}

#[test]
fn a_requester_who_does_not_answer_is_reminded_and_then_let_go() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "#wait requester\n请问是哪一台？");
    // A working day has eight hours here, and the calendar runs round the clock.
    desk.until("26 10:00");
    desk.expect(&[
        "18:00 zhang waiting",
        "24 10:00 zhang waiting",
        "25 02:00 zhang waiting, the last",
        "25 10:00 zhang closed",
    ]);
    assert_eq!(desk.tickets[&Number(1)].0.status, Status::Closed);
}

#[test]
fn an_answer_ends_the_reminders_and_new_words_begin_them_anew() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "#wait requester\n请问是哪一台？");
    desk.until("18:30");
    desk.expect(&["18:00 zhang waiting"]);
    desk.engineer(LI, "就是想知道型号，在背面的标签上。");
    desk.until("24 02:30");
    desk.expect(&["24 02:30 zhang waiting"]);
    desk.engineer(ZHANG, "HP 1020");
    assert_eq!(desk.tickets[&Number(1)].0.status, Status::InProgress);
    desk.policy.escalation.ladders = Default::default();
    desk.until("30 10:00");
    desk.expect(&[]);
}

#[test]
fn after_an_outage_the_reminders_keep_their_distance() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "#wait requester\n请问是哪一台？");
    desk.jump("29 10:00");
    desk.expect(&["29 10:00 zhang waiting"]);
    desk.until("30 10:00");
    desk.expect(&["29 14:00 zhang waiting", "29 18:00 zhang waiting, the last", "29 22:00 zhang closed"]);
}

#[test]
fn a_vendor_may_not_keep_a_ticket_for_ever() {
    let mut desk = Desk::new();
    desk.printer();
    desk.engineer(LI, "已报修，等备件。");
    desk.engineer(LI, "#wait vendor");
    desk.until("26 20:00");
    let told = |time: &str| [format!("{time} li vendor since 23 10:00"), format!("{time} boss vendor since 23 10:00")];
    let expected: Vec<String> = [told("25 02:00"), told("26 18:00")].concat();
    assert_eq!(std::mem::take(&mut desk.letters), expected);
}

#[test]
fn after_a_breach_the_ladder_of_the_higher_priority_begins() {
    let mut desk = Desk::new();
    desk.printer();
    desk.until("12:00");
    desk.letters.clear();
    desk.engineer(WANG, "#priority P1 全公司");
    desk.jump("12:01");
    desk.expect(
        &["li", "boss", "chief"]
            .map(|who| format!("12:01 {who} response 100 resolution 100"))
            .each_ref()
            .map(String::as_str),
    );
}

/// Both supervisors' mailboxes fail: each is told once, and then it ends.
#[test]
fn l22_two_dead_mailboxes_do_not_play_ball() {
    let mut desk = Desk::new();
    desk.policy.escalation.managers.clear();
    desk.policy.duty.supervisors.push(Staff { reader: reader("deputy@corp.example"), away: vec![] });
    desk.printer();
    desk.until("12:00");
    desk.letters.clear();
    for round in 0..6 {
        let to = address(if round % 2 == 0 { BOSS } else { "deputy@corp.example" });
        let (letter, reason) = (format!("x{round}"), "550 5.1.1 unknown".into());
        let event = Event::Undelivered { number: Number(1), to, letter, reason };
        let effects = decide(&desk.situation(), &event, desk.now);
        for effect in &effects {
            if let Effect::Send(letter) = effect {
                desk.letters.push(letter.key.clone());
            }
        }
    }
    let instead =
        desk.letters.iter().filter(|key| key.contains("/escalation/")).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(instead.len(), 2, "{:?}", desk.letters);
}

/// L5: a newsletter gets a ticket, and nobody is rung for it.
#[test]
fn l5_nobody_is_rung_for_a_newsletter() {
    let mut desk = Desk::new();
    let situation = situation(&desk.policy, Vec::new());
    let inbound = mail(ZHANG, "ERP 宕机演练周报", "Precedence: bulk\r\nList-Id: <news.vendor.example>\r\n", "ERP 宕机");
    let event = Event::Mail(maildesk::desk::event::Mail::new(inbound, desk.now, None));
    let effects = decide(&situation, &event, desk.now);
    desk.apply(effects);
    assert!(desk.timers.is_empty() && desk.letters.is_empty(), "{:?} {:?}", desk.timers, desk.letters);
    assert!(desk.tickets.values().all(|(ticket, _)| ticket.fault.is_none()));
}
