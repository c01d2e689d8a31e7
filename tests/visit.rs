//! Appointments on site: what `#visit` does, what both are sent, what time and their calendars make of it.

#[path = "support/rules.rs"]
mod rules;

use maildesk::desk::command::Hint;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Candidate, Effect, Event, Mail, Timer, TimerKind};
use maildesk::desk::inbound::{Inbound, Kind};
use maildesk::desk::letter::{Change, Content, Letter, Manner, Method};
use maildesk::desk::policy::{Policy, Site};
use maildesk::desk::ticket::{Entry, Number, Ticket, What};
use maildesk::desk::visit::{State, Visit, site_in};
use maildesk::desk::words::{Attendance, Field, Priority, Status, Wait};
use maildesk::mail;
use maildesk::time::Timestamp;
use rules::*;
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A desk in memory with one ticket: Zhang's printer, with Li. It is Monday 23 November 2026, 10:00.
struct Desk {
    policy: Policy,
    ticket: Ticket,
    timeline: Vec<Entry>,
    visit: Option<Visit>,
    timers: Vec<Timer>,
    letters: Vec<Letter>,
    /// The letters before those.
    read: Vec<Letter>,
    now: Timestamp,
    mails: usize,
}

impl Desk {
    fn new() -> Desk {
        let mut ticket = ticket(Status::Assigned);
        (ticket.response_due, ticket.resolution_due) = (at("12:00"), at("18:00"));
        let (timeline, timers, letters, mut policy) = (Vec::new(), Vec::new(), Vec::new(), policy());
        // Nothing is late but where that is what is asked.
        policy.visits.same_site = 30 * DAY;
        Desk { policy, ticket, timeline, visit: None, timers, letters, read: Vec::new(), now: now(), mails: 0 }
    }

    /// An engineer's reply; gives what was sent, see [`Desk::sent`].
    fn engineer(&mut self, who: &str, text: &str) -> Vec<String> {
        self.mails += 1;
        self.gets(reply(who, &format!("{text}\n{}", "\n".repeat(self.mails))))
    }

    fn gets(&mut self, inbound: Inbound) -> Vec<String> {
        self.happens(&Event::Mail(Mail::new(inbound, self.now, None)))
    }

    fn happens(&mut self, event: &Event) -> Vec<String> {
        let candidate = Candidate {
            timeline: Arc::new(self.timeline.clone()),
            visit: self.visit.clone(),
            ..candidate(self.ticket.clone())
        };
        let mut situation = situation(&self.policy, Vec::new());
        situation.candidates = vec![candidate];
        for effect in decide(&situation, event, self.now) {
            match effect {
                Effect::Save(ticket) => self.ticket = *ticket,
                Effect::Record(_, entry) => self.timeline.push(entry),
                Effect::Schedule(timer) => {
                    self.timers.retain(|known| known.kind != timer.kind);
                    self.timers.push(timer);
                }
                Effect::Unschedule(_, kind) => self.timers.retain(|known| known.kind != kind),
                Effect::KeepVisit(_, visit) => self.visit = Some(visit),
                Effect::Send(letter) => self.letters.push(*letter),
                Effect::Open(_) => panic!("a new ticket"),
                _ => {}
            }
        }
        self.sent()
    }

    /// Time passes; every timer of the visit, and of the ticket on hold, fires when it is due.
    fn until(&mut self, time: &str) -> Vec<String> {
        let mut sent = Vec::new();
        self.timers.retain(|timer| TimerKind::VISIT.contains(&timer.kind) || timer.kind == TimerKind::Hold);
        while let Some(timer) = self.timers.iter().filter(|t| t.due <= at(time)).min_by_key(|t| t.due).copied() {
            self.now = self.now.max(timer.due);
            self.timers.retain(|known| *known != timer);
            let clock = self.now.at_zone(chrono_tz::Asia::Shanghai).format("%d %H:%M ").to_string();
            let told = self.happens(&Event::Due(vec![timer]));
            sent.extend(told.into_iter().map(|told| format!("{clock}{told}")));
        }
        self.now = at(time);
        sent
    }

    /// `li visit made 1.0`: reader, letter, and for appointments the round and the sequence.
    fn sent(&mut self) -> Vec<String> {
        let (round, letters) = (self.visit.as_ref().map_or(0, |visit| visit.round), std::mem::take(&mut self.letters));
        let show = |letter: &Letter| {
            let about = match &letter.content {
                Content::Visit { change, entry, .. } => {
                    let off = if entry.method == Method::Cancel { " off" } else { "" };
                    format!(" {} {round}.{}{off}", word(change), entry.sequence)
                }
                Content::VisitAnswer { answer, .. } => format!(" {answer}"),
                _ => String::new(),
            };
            format!("{} {}{about}", letter.to.mailbox.address.local(), letter.content.template())
        };
        let shown = letters.iter().map(show).collect();
        self.read.extend(letters);
        shown
    }

    fn last_letter(&self, to: &str) -> Letter {
        let found = self.read.iter().rev().find(|letter| letter.to.mailbox.address == address(to));
        found.unwrap_or_else(|| panic!("no letter to {to}")).clone()
    }

    /// The calendar entry's id, as everybody was sent it.
    fn uid(&self) -> String {
        let visit = self.visit.as_ref().unwrap();
        let cause = format!("visit/{}", visit.round);
        self.policy.key.message_id(Some(Number(1)), &address(DESK), &cause, "corp.example")
    }

    /// What a calendar program answers to the latest invitation.
    fn answers(&mut self, from: &str, method: &str, partstat: &str, more: &str) -> Vec<String> {
        let (uid, sequence) = (self.uid(), self.visit.as_ref().unwrap().sequence);
        self.gets(calendar_mail(from, from, method, partstat, &uid, &format!("SEQUENCE:{sequence}\r\n{more}"), ""))
    }

    fn answered(&self) -> Vec<Attendance> {
        let answers = self.timeline.iter().filter_map(|entry| match entry.what {
            What::VisitAnswered { answer, .. } => Some(answer),
            _ => None,
        });
        answers.collect()
    }

    fn due(&self, kind: TimerKind) -> Option<Timestamp> {
        self.timers.iter().find(|timer| timer.kind == kind).map(|timer| timer.due)
    }
}

fn word(change: &Change) -> &'static str {
    match change {
        Change::Made => "made",
        Change::Moved => "moved",
        Change::HandedOver => "handed over",
        Change::Cancelled => "cancelled",
    }
}

/// `11:00` on Monday 23 November 2026, `24 11:00` on the next day.
fn at(time: &str) -> Timestamp {
    let (day, time) = time.split_once(' ').unwrap_or(("23", time));
    Timestamp::parse(&format!("2026-11-{day}T{time}:00+08:00")).unwrap()
}

/// An answer as Google sends it: no In-Reply-To, a subject of its own, the calendar beside the text.
fn calendar_mail(
    from: &str,
    attendee: &str,
    method: &str,
    partstat: &str,
    uid: &str,
    more: &str,
    headers: &str,
) -> Inbound {
    let raw = format!(
        "From: <{from}>\r\nTo: <{DESK}>\r\nSubject: Answer\r\nMessage-ID: <{}@client.example>\r\n{headers}\
         MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe answer in words.\r\n\
         --b\r\nContent-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n\
         BEGIN:VCALENDAR\r\nPRODID:-//x//y//EN\r\nVERSION:2.0\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n\
         ORGANIZER:mailto:{DESK}\r\nUID:{uid}\r\nATTENDEE;PARTSTAT={partstat}:mailto:{attendee}\r\n{more}\
         SUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n",
        partstat.len() + more.len()
    );
    mail::parse(raw.as_bytes())
}

#[test]
fn a_visit_is_sent_to_both_and_stops_the_clock() {
    let mut desk = Desk::new();
    let sent = desk.engineer(LI, "#visit 11:30 三楼");
    assert_eq!(sent, ["li visit made 1.0", "zhang visit made 1.0"]);
    assert_eq!((desk.ticket.status, desk.ticket.wait), (Status::Pending, Some(Wait::Visit)));
    assert_eq!(desk.ticket.first_response, Some(now()), "an appointment is an answer");
    let visit = desk.visit.clone().unwrap();
    assert_eq!((visit.start, visit.end, visit.place.as_str()), (at("11:30"), at("12:30"), "三楼"));
    assert_eq!(desk.due(TimerKind::VisitReminder), Some(at("10:30")));
    assert_eq!(desk.due(TimerKind::VisitOver), Some(at("12:30")));
    let what = What::Visit { change: Change::Made, start: visit.start, end: visit.end, place: "三楼".into() };
    let entry = desk.timeline.iter().find(|entry| entry.what == what).unwrap();
    assert_eq!(entry.why, "2026-11-23 11:30-12:30 三楼");
    let Content::Visit { entry, .. } = desk.last_letter(ZHANG).content else { panic!() };
    let attendees: Vec<_> = entry.attendees.iter().map(|a| a.address.local().to_owned()).collect();
    assert_eq!((entry.uid, attendees), (desk.uid(), vec!["zhang".to_owned(), "li".to_owned()]));
}

#[test]
fn a_second_one_moves_it_and_cancel_takes_it_back() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00 三楼");
    let first = desk.uid();
    assert_eq!(desk.engineer(LI, "#上门 周三 9:00-9:30"), ["li visit moved 1.1", "zhang visit moved 1.1"]);
    let Content::Visit { before, .. } = desk.last_letter(ZHANG).content else { panic!() };
    assert_eq!(before, Some((at("24 14:00"), at("24 15:00"))));
    assert_eq!((desk.uid(), desk.due(TimerKind::VisitOver)), (first.clone(), Some(at("25 09:30"))));
    assert_eq!(desk.visit.as_ref().unwrap().place, "三楼", "not said anew");
    assert_eq!(desk.engineer(LI, "#上门 取消"), ["li visit cancelled 1.2 off", "zhang visit cancelled 1.2 off"]);
    assert_eq!((desk.ticket.status, desk.timers.len()), (Status::InProgress, 1), "only the targets are left");
    assert_eq!(desk.visit.as_ref().unwrap().state, State::Cancelled);
    assert_eq!(desk.engineer(LI, "#visit Thu 2pm Room 3"), ["li visit made 2.0", "zhang visit made 2.0"]);
    assert_ne!(desk.uid(), first, "a new entry");
}

#[test]
fn the_text_goes_out_with_the_invitation() {
    let mut desk = Desk::new();
    assert_eq!(desk.engineer(LI, "#visit 11:30\n我带网线过来。"), ["li visit made 1.0", "zhang visit made 1.0"]);
    let letter = desk.last_letter(ZHANG);
    let Content::Visit { said: Some(said), .. } = &letter.content else { panic!() };
    assert_eq!((said.body.text.trim(), letter.content.manner()), ("我带网线过来。", Manner::Human));
    assert_eq!(desk.last_letter(LI).content.manner(), Manner::AutoGenerated);
    // A note stays inside.
    desk.engineer(LI, "#note\n#visit 12:00\n他自己摔的");
    let Content::Visit { said: None, .. } = desk.last_letter(ZHANG).content else { panic!() };
}

#[test]
fn what_cannot_be_is_refused_and_nothing_goes_out() {
    let hint = |desk: &mut Desk, text: &str| {
        assert_eq!(desk.engineer(LI, text), ["li transcript"], "{text}");
        let Content::Transcript { lines, .. } = desk.last_letter(LI).content else { panic!() };
        assert!(desk.visit.as_ref().is_none_or(|visit| visit.sequence == 0) && !lines[0].done);
        lines[0].hint.clone()
    };
    let mut desk = Desk::new();
    assert_eq!(hint(&mut desk, "#visit 9:00"), Hint::VisitPast);
    assert_eq!(hint(&mut desk, "#visit 10:00"), Hint::VisitPast, "now");
    assert_eq!(hint(&mut desk, "#visit cancel"), Hint::NoVisit);
    for text in ["#visit", "#visit soon", "#visit 2028-01-01 10:00", "#visit 2026-02-30 10:00"] {
        assert!(matches!(hint(&mut desk, text), Hint::Value { .. }), "{text}");
    }
    desk.engineer(LI, "#visit 11:30");
    assert_eq!(hint(&mut desk, "#visit cancel 他不在"), Hint::OneALine);
    desk.until("12:31");
    assert_eq!(hint(&mut desk, "#visit cancel"), Hint::NoVisit, "over");
    desk.ticket.status = Status::Resolved;
    assert!(matches!(hint(&mut desk, "#visit 14:00"), Hint::Status { .. }));
}

#[test]
fn time_is_read_in_the_engineers_zone_as_of_when_it_was_written() {
    let mut desk = Desk::new();
    desk.policy.engineers[0].reader.zone = chrono_tz::Europe::Berlin;
    desk.engineer(LI, "#visit 14:00");
    assert_eq!(desk.visit.as_ref().unwrap().start, at("21:00"));
    // Sent before midnight, it arrives after it.
    let mut desk = Desk::new();
    desk.now = at("24 00:10");
    let mut late = reply(LI, "#visit 明天 14:00");
    late.date = Some(at("23:50"));
    desk.gets(late);
    assert_eq!(desk.visit.as_ref().unwrap().start, at("24 14:00"));
    // A clock that goes wrong counts for nothing.
    let mut wrong = reply(LI, "#visit 明天 14:00");
    wrong.date = Timestamp::parse("2031-01-01T00:00:00Z");
    desk.gets(wrong);
    assert_eq!(desk.visit.as_ref().unwrap().start, at("25 14:00"));
}

fn sites() -> Vec<Site> {
    let site = |name: &str, words: &[&str]| Site {
        name: name.into(),
        words: words.iter().map(|w| (*w).into()).collect(),
        calendar: None,
    };
    vec![site("上海", &["浦东", "SH"]), site("北京", &["朝阳区", "BJ", "北京财务部"])]
}

#[test]
fn sites_are_recognised_by_whole_words() {
    let sites = sites();
    let name = |text: &str| site_in(&sites, text).map(|site| site.name.as_str());
    assert_eq!(name("朝阳区 3 楼"), Some("北京"));
    assert_eq!(name("bj-3F"), Some("北京"));
    assert_eq!(name("we should push objects"), None);
    assert_eq!(name("上海出差，人在北京财务部"), Some("北京"), "the longest word");
    assert_eq!(name("三楼"), None);
}

#[test]
fn a_late_appointment_is_kept_and_told() {
    let check = |site: Option<&str>, department: &str, text: &str, hint: Option<Hint>| {
        let mut desk = Desk::new();
        desk.policy.sites = sites();
        desk.policy.visits.same_site = 2 * HOUR;
        desk.policy.engineers[0].site = site.map(str::to_owned);
        desk.ticket.fields.insert(Field::Department, department.into());
        let sent = desk.engineer(LI, text);
        assert!(sent.contains(&"zhang visit made 1.0".to_owned()), "{text}");
        let Content::Transcript { lines, .. } = desk.last_letter(LI).content else {
            return assert_eq!((sent.len(), hint), (2, None), "{text}");
        };
        let line = lines.iter().find(|line| line.line.starts_with("#visit")).unwrap();
        assert_eq!((line.done, Some(line.hint.clone())), (true, hint), "{text}");
    };
    let late = |hours: &str, other_site, due| Some(Hint::VisitLate { hours: hours.into(), other_site, due: at(due) });
    check(None, "", "#visit 12:00", None);
    check(None, "", "#visit 12:01", late("2", false, "12:00"));
    check(Some("上海"), "浦东财务部", "#visit 12:01", late("2", false, "12:00"));
    check(Some("上海"), "北京财务部", "#visit 24 Nov 10:00", None);
    check(Some("上海"), "北京财务部", "#visit 24 Nov 10:01", late("24", true, "24 10:00"));
    check(Some("上海"), "", "#visit 24 Nov 10:00 朝阳区", None);
    check(None, "北京财务部", "#visit 24 Nov 10:00", late("2", false, "12:00"));
    // One transcript for everything that is to be said.
    check(None, "", "#visit 12:01\n#status", late("2", false, "12:00"));
}

#[test]
fn the_target_counts_from_the_first_appointment() {
    let mut desk = Desk::new();
    desk.policy.visits.same_site = 2 * HOUR;
    desk.engineer(LI, "#visit 11:30");
    desk.until("11:00");
    let sent = desk.engineer(LI, "#visit 12:30");
    assert_eq!(sent, ["li visit moved 1.1", "zhang visit moved 1.1", "li transcript"]);
}

#[test]
fn p1_never_pauses() {
    let mut desk = Desk::new();
    desk.ticket.priority = Priority::P1;
    assert_eq!(desk.engineer(LI, "#visit 11:30").len(), 2);
    assert_eq!(desk.ticket.status, Status::InProgress);
}

#[test]
fn both_are_reminded_and_the_engineer_is_asked_once() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 14:00 三楼");
    assert_eq!(desk.until("14:59"), ["23 13:00 li visit_reminder", "23 13:00 zhang visit_reminder"]);
    assert_eq!(desk.ticket.status, Status::Pending);
    assert_eq!(desk.until("15:30"), [""; 0]);
    assert_eq!(desk.ticket.status, Status::InProgress, "the clock runs again");
    assert_eq!(desk.ticket.resolution_due, at("23:00"), "put off by five hours");
    assert_eq!(desk.until("25 10:00"), ["23 16:00 li visit_over"]);
    assert!(desk.timers.is_empty() && desk.visit.as_ref().unwrap().state == State::Done);
    // Once more: a new entry.
    assert_eq!(desk.engineer(LI, "#visit 14:00"), ["li visit made 2.0", "zhang visit made 2.0"]);
}

#[test]
fn what_was_missed_while_the_desk_was_down() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 14:00");
    desk.now = at("24 09:00");
    assert_eq!(desk.until("24 09:00"), ["24 09:00 li visit_over"], "no reminder of what is over");
    assert_eq!((desk.ticket.status, desk.due(TimerKind::VisitOver)), (Status::InProgress, None));
}

#[test]
fn no_reminder_when_there_is_no_time_for_it() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 10:30");
    assert_eq!(desk.due(TimerKind::VisitReminder), None);
}

#[test]
fn another_wait_is_left_alone() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 11:30\n#wait vendor");
    desk.until("13:00");
    assert_eq!((desk.ticket.status, desk.ticket.wait), (Status::Pending, Some(Wait::Vendor)));
}

#[test]
fn the_end_of_the_ticket_takes_a_coming_visit_back() {
    for (order, first) in
        [("#resolve 远程弄好了", "zhang resolution"), ("#cancel", "zhang cancelled"), ("#close", "zhang closed")]
    {
        let mut desk = Desk::new();
        desk.engineer(LI, "#visit 14:00");
        let sent = desk.engineer(LI, order);
        assert_eq!(sent, ["li visit cancelled 1.1 off", first, "zhang visit cancelled 1.1 off"], "{order}");
        assert_eq!(desk.until("20:00"), [""; 0]);
    }
    // While it lasts or after it, there is nothing to take back, and nothing to ask.
    for time in ["14:30", "15:10"] {
        let mut desk = Desk::new();
        desk.engineer(LI, "#visit 14:00");
        desk.until(time);
        assert_eq!(desk.engineer(LI, "#resolve 换了网线"), ["zhang resolution"]);
        assert_eq!((desk.until("20:00"), desk.visit.as_ref().unwrap().state), (vec![], State::Done));
    }
}

#[test]
fn a_ticket_that_ended_as_a_report_of_another_calls_its_visit_off() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 14:00");
    desk.ticket.status = Status::Resolved;
    let expected = ["23 13:00 li visit cancelled 1.1 off", "23 13:00 zhang visit cancelled 1.1 off"];
    assert_eq!(desk.until("20:00"), expected);
}

#[test]
fn whoever_never_answers_is_not_visited() {
    let mut desk = Desk::new();
    desk.policy.hold.remind = vec![HOUR];
    desk.policy.hold.close_after = 2 * HOUR;
    desk.engineer(LI, "#visit 明天 14:00\n#wait requester");
    let expected = ["23 11:00 zhang waiting", "23 12:00 zhang closed", "23 12:00 li visit cancelled 1.1 off"];
    assert_eq!(desk.until("20:00")[..3], expected);
}

#[test]
fn a_ticket_with_an_appointment_is_not_forgotten_on_hold() {
    let mut desk = Desk::new();
    desk.policy.hold.limit = DAY;
    desk.engineer(LI, "#visit 2026-11-27 14:00");
    let expected = ["27 13:00 li visit_reminder", "27 13:00 zhang visit_reminder", "27 16:00 li visit_over"];
    assert_eq!(desk.until("27 16:30"), expected);
    assert_eq!(desk.ticket.status, Status::InProgress);
}

#[test]
fn somebody_else_comes_when_the_ticket_changes_hands() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 14:00");
    let sent = desk.engineer(LI, "#assign wang");
    let expected =
        ["wang notice", "li visit handed over 1.1 off", "wang visit made 1.1", "zhang visit handed over 1.1"];
    assert_eq!(sent, expected);
    let Content::Visit { entry, .. } = desk.last_letter(LI).content else { panic!() };
    assert_eq!(entry.attendees.iter().map(|a| a.address.local()).collect::<Vec<_>>(), ["li"]);
    assert_eq!(desk.until("13:30"), ["23 13:00 wang visit_reminder", "23 13:00 zhang visit_reminder"]);
}

#[test]
fn a_dispatcher_appoints_for_the_assignee() {
    let mut desk = Desk::new();
    assert_eq!(desk.engineer(WANG, "#visit 11:30"), ["li visit made 1.0", "zhang visit made 1.0"]);
    desk.ticket.assignee = None;
    desk.visit = None;
    assert_eq!(desk.engineer(WANG, "#visit 11:30"), ["wang visit made 1.0", "zhang visit made 1.0"]);
    assert_eq!(desk.ticket.assignee, Some(address(WANG)));
}

#[test]
fn an_engineer_who_visits_themselves_gets_one_letter() {
    let mut desk = Desk::new();
    desk.ticket.requester.address = address(LI);
    assert_eq!(desk.engineer(LI, "#visit 11:30"), ["li visit made 1.0"]);
}

#[test]
fn an_accepted_invitation_is_written_down() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00 三楼");
    assert_eq!(desk.answers(ZHANG, "REPLY", "ACCEPTED", ""), [""; 0]);
    assert_eq!(desk.answers(LI, "REPLY", "ACCEPTED", "COMMENT:\r\n"), [""; 0]);
    assert_eq!(desk.answered(), [Attendance::Accepted; 2]);
    assert_eq!(desk.ticket.status, Status::Pending);
    // Words that came along are not lost.
    let sent = desk.answers(ZHANG, "REPLY", "ACCEPTED", "COMMENT:请先打电话\r\n");
    assert_eq!(sent, ["li visit_answer accepted"]);
}

#[test]
fn declining_reaches_the_engineer_and_changes_nothing() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00 三楼");
    let before = desk.visit.clone();
    assert_eq!(desk.answers(ZHANG, "REPLY", "DECLINED", "COMMENT:在开会\r\n"), ["li visit_answer declined"]);
    let Content::VisitAnswer { author, comment, command, .. } = desk.last_letter(LI).content else { panic!() };
    assert_eq!((author.as_str(), comment.as_str(), command), ("张伟", "在开会", None));
    // The engineer's own: nothing of it goes to the requester.
    assert_eq!(desk.answers(LI, "REPLY", "DECLINED", ""), ["li visit_answer declined"]);
    assert_eq!((desk.visit, desk.ticket.status), (before, Status::Pending));
}

#[test]
fn a_proposed_time_comes_with_the_line_that_takes_it() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00 三楼");
    let time = "DTSTART:20261125T020000Z\r\nDTEND:20261125T033000Z\r\n";
    assert_eq!(desk.answers(ZHANG, "COUNTER", "TENTATIVE", time), ["li visit_answer countered"]);
    let Content::VisitAnswer { command: Some(command), proposed, .. } = desk.last_letter(LI).content else { panic!() };
    assert_eq!(command, "#上门 2026-11-25 10:00-11:30 三楼");
    assert_eq!(proposed, Some((at("25 10:00"), at("25 11:30"))));
    assert_eq!(desk.engineer(LI, &command), ["li visit moved 1.1", "zhang visit moved 1.1"]);
    let visit = desk.visit.clone().unwrap();
    assert_eq!((visit.start, visit.end, visit.place.as_str()), (at("25 10:00"), at("25 11:30"), "三楼"));
    // A time that is over by now cannot be taken.
    desk.answers(ZHANG, "COUNTER", "TENTATIVE", "DTSTART:20261101T020000Z\r\n");
    let Content::VisitAnswer { command: None, .. } = desk.last_letter(LI).content else { panic!() };
}

#[test]
fn answers_to_an_earlier_time_or_after_it_are_only_kept() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00");
    desk.engineer(LI, "#visit 明天 15:00");
    let uid = desk.uid();
    let stale = calendar_mail(ZHANG, ZHANG, "REPLY", "DECLINED", &uid, "SEQUENCE:0\r\n", "");
    assert_eq!(desk.gets(stale), [""; 0]);
    desk.engineer(LI, "#visit cancel");
    assert_eq!(desk.answers(ZHANG, "REPLY", "DECLINED", ""), [""; 0]);
    desk.engineer(LI, "#resolve 好了");
    assert_eq!(desk.answers(ZHANG, "REPLY", "ACCEPTED", ""), [""; 0]);
    assert_eq!((desk.ticket.status, desk.ticket.cycle), (Status::Resolved, 1), "no answer to the resolution");
    assert_eq!(desk.answered().len(), 3);
}

#[test]
fn g5_only_the_attendees_own_answer_counts() {
    let check = |from: &str, attendee: &str, uid: Option<&str>| {
        let mut desk = Desk::new();
        desk.engineer(LI, "#visit 明天 14:00 三楼");
        let uid = uid.map_or(desk.uid(), str::to_owned);
        let headers = "In-Reply-To: <first@corp.example>\r\n";
        let sent = desk.gets(calendar_mail(from, attendee, "REPLY", "DECLINED", &uid, "", headers));
        assert_eq!((sent, desk.answered()), (vec![], vec![]), "{from} for {attendee}");
        assert_eq!(desk.visit.unwrap().state, State::Planned);
    };
    check("evil@corp.example", "evil@corp.example", None);
    check("evil@corp.example", ZHANG, None);
    check(ZHANG, LI, None);
    check(LI, ZHANG, None);
    check(WANG, WANG, None);
    check(ZHANG, ZHANG, Some("it001.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb@corp.example"));
    check(ZHANG, ZHANG, Some("somebody-elses-event@corp.example"));
}

#[test]
fn programs_that_call_themselves_automatic_are_heard_too() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00");
    let uid = desk.uid();
    let headers = "Auto-Submitted: auto-generated\r\nSender: <calendar-notification@google.example>\r\n";
    let google = calendar_mail(ZHANG, ZHANG, "REPLY", "DECLINED", &uid, "", headers);
    assert_eq!(google.kind, Kind::AutoGenerated);
    assert_eq!(desk.gets(google), ["li visit_answer declined"]);
}

#[test]
fn a_file_that_a_person_attached_is_no_answer() {
    let mut desk = Desk::new();
    desk.engineer(LI, "#visit 明天 14:00");
    let uid = desk.uid();
    let calendar = "Content-Type: text/calendar; name=\"old.ics\"\r\nContent-Disposition: attachment\r\n\r\n\
        BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:UID\r\n\
        ATTENDEE;PARTSTAT=DECLINED:mailto:zhang@corp.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let raw = format!(
        "From: <{ZHANG}>\r\nTo: <{DESK}>\r\nSubject: x\r\nIn-Reply-To: <first@corp.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the file\r\n--b\r\n{}--b--\r\n",
        calendar.replace("UID:UID", &format!("UID:{uid}"))
    );
    assert_eq!(desk.gets(mail::parse(raw.as_bytes())), ["li message"]);
    assert_eq!(desk.answered(), []);
}

#[test]
fn the_answer_to_an_unknown_invitation_opens_nothing() {
    let unknown = calendar_mail(ZHANG, ZHANG, "REPLY", "ACCEPTED", "somebody-elses@corp.example", "", "");
    let policy = policy();
    let effects = decide(&situation(&policy, Vec::new()), &event(unknown), now());
    assert!(matches!(effects[..], [Effect::SetAside { .. }]), "{effects:?}");
}

#[test]
fn full_width_signs_and_no_blank() {
    for text in
        ["＃上门：明天 14：00 三楼", "#上门明天14:00 三楼", "#上门 明天下午2点，三楼", "#Visit tomorrow 14:00 三楼"]
    {
        let mut desk = Desk::new();
        assert_eq!(desk.engineer(LI, text).len(), 2, "{text}");
        let visit = desk.visit.unwrap();
        assert_eq!((visit.start, visit.place.as_str()), (at("24 14:00"), "三楼"), "{text}");
    }
}

#[test]
fn the_supervisors_words_make_no_appointment() {
    let mut desk = Desk::new();
    assert_eq!(desk.engineer(BOSS, "#visit 11:30"), ["boss transcript"]);
    assert_eq!(desk.visit, None);
}
