//! Entries for calendars, as they leave and as their answers come back (RFC 5545, RFC 5546, RFC 6047).
//!
//! Written by hand, in the order the RFC tells of them: the `icalendar` crate would fill in the clock's time and a random
//! id wherever one is missing, and the same letter must always give the same bytes. Read with the crate.

use crate::address::{Address, Mailbox};
use crate::desk::inbound::CalendarReply;
use crate::desk::letter::{Content, Letter, Method};
use crate::desk::policy::Identity;
use crate::desk::words::Attendance;
use crate::mail::render::{Rendered, without_references};
use crate::mail::view::one_line;
use crate::time::Timestamp;
use crate::time::calendar::local_time;
use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, Weekday};
use icalendar::parser::{Component, Property, read_calendar_simple, unfold};
use std::time::Duration;

/// An entry ready to go into a message.
pub struct Calendar {
    /// Also stands in the part's Content-Type (RFC 6047 section 2.4).
    pub method: &'static str,
    pub text: String,
}

/// Longest line in bytes, without its end (RFC 5545 section 3.1).
const MAX_LINE: usize = 75;

/// The entry a letter carries, if any. Its description is the letter's text without the reference: that proves who writes,
/// and more people look into a calendar than into a mailbox. For the same reason the entry is private, for some programs
/// take the letter itself as its description.
pub fn write(letter: &Letter, words: &Rendered, desk: &Identity, now: Timestamp) -> Option<Calendar> {
    let Content::Visit { visit, entry, .. } = &letter.content else { return None };
    let (method, status) = match entry.method {
        Method::Request => ("REQUEST", "CONFIRMED"),
        Method::Cancel => ("CANCEL", "CANCELLED"),
    };
    let language = letter.to.language;
    let mut lines = Lines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("PRODID", "-//maildesk//maildesk//EN");
    lines.add("VERSION", "2.0");
    lines.add("CALSCALE", "GREGORIAN");
    lines.add("METHOD", method);
    lines.add("BEGIN", "VEVENT");
    lines.add("UID", &entry.uid);
    lines.add("SEQUENCE", &entry.sequence.to_string());
    lines.add("DTSTAMP", &utc(now));
    lines.add("DTSTART", &utc(visit.start));
    lines.add("DTEND", &utc(visit.end));
    lines.add("SUMMARY", &escaped(&format!("{} · {}", words.subject, language.pick("上门服务", "on-site visit"))));
    if !visit.place.is_empty() {
        lines.add("LOCATION", &escaped(&one_line(&visit.place, 200)));
    }
    lines.add("DESCRIPTION", &escaped(without_references(&words.text).trim_end()));
    let organizer = Mailbox::new(desk.address.clone(), desk.name(language));
    lines.add(&format!("ORGANIZER{}", common_name(&organizer, desk)), &format!("mailto:{}", desk.address));
    for attendee in &entry.attendees {
        let role = "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE";
        let name = format!("ATTENDEE;{role}{}", common_name(attendee, desk));
        lines.add(&name, &format!("mailto:{}", attendee.address));
    }
    lines.add("STATUS", status);
    lines.add("TRANSP", "OPAQUE");
    lines.add("CLASS", "PRIVATE");
    lines.add("END", "VEVENT");
    lines.add("END", "VCALENDAR");
    Some(Calendar { method, text: lines.0 })
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a line, folded between characters.
    fn add(&mut self, name: &str, value: &str) {
        let line = format!("{name}:{value}");
        let (mut rest, mut room) = (line.as_str(), MAX_LINE);
        while rest.len() > room {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(room));
            self.0.push_str(head);
            self.0.push_str("\r\n ");
            (rest, room) = (tail, MAX_LINE - 1);
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }
}

fn utc(at: Timestamp) -> String {
    at.utc().format("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545 section 3.3.11. A control character other than a line end may not stand in a value.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + text.len() / 16);
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => value.extend(['\\', character]),
            '\n' => value.push_str("\\n"),
            '\t' => value.push(' '),
            c if c.is_control() => {}
            c => value.push(c),
        }
    }
    value
}

/// `;CN="name"`; a quote cannot stand in there. An outsider's name is the outsider's words (`hardening.md` S44).
fn common_name(mailbox: &Mailbox, desk: &Identity) -> String {
    let name = one_line(&mailbox.name, 60).replace('"', "'");
    if name.is_empty() || !(desk.is_own(&mailbox.address) || desk.is_colleague(&mailbox.address)) {
        return String::new();
    }
    format!(";CN=\"{name}\"")
}

/// A calendar part that is larger is no answer.
const MAX_BYTES: usize = 64 << 10;
/// Components of a calendar part, also nested ones.
const MAX_COMPONENTS: usize = 60;
/// Characters of a comment that are kept.
const MAX_COMMENT: usize = 1000;
/// How long a proposed visit lasts when the program does not say.
const HOUR: Duration = Duration::from_secs(3600);

/// Reads the answer to an invitation; `None` for every other calendar part and whatever cannot be read.
pub fn read(text: &str) -> Option<CalendarReply> {
    let components = text.to_ascii_lowercase().matches("begin:").count();
    if text.len() > MAX_BYTES || components > MAX_COMPONENTS {
        return None;
    }
    let unfolded = unfold(text.trim());
    let roots = read_calendar_simple(&unfolded).ok()?;
    let root = roots.iter().find(|root| is_called(root, "VCALENDAR"))?;
    let method = value(root, "METHOD")?.to_ascii_uppercase();
    let event = root.components.iter().find(|component| is_called(component, "VEVENT"))?;
    let countered = match method.as_str() {
        "REPLY" => false,
        "COUNTER" => true,
        _ => return None,
    };
    let says = |property: &Property| {
        let answer = if countered { Attendance::Countered } else { attendance(property)? };
        Some((attendee(property)?, answer))
    };
    let start = moment(root, event, "DTSTART").filter(|_| countered);
    let end = moment(root, event, "DTEND");
    let comments: Vec<&str> = all(event, "COMMENT").map(|property| property.val.as_str().trim()).collect();
    Some(CalendarReply {
        uid: value(event, "UID")?.chars().take(300).collect(),
        sequence: value(event, "SEQUENCE").and_then(|number| number.parse().ok()),
        says: all(event, "ATTENDEE").take(50).filter_map(says).collect(),
        proposed: start.map(|start| (start, end.filter(|end| *end > start).unwrap_or(start + HOUR))),
        comment: comments.join("\n").trim().chars().take(MAX_COMMENT).collect(),
    })
}

fn is_called(component: &Component, name: &str) -> bool {
    component.name.as_str().eq_ignore_ascii_case(name)
}

fn all<'c>(component: &'c Component, name: &'c str) -> impl Iterator<Item = &'c Property<'c>> {
    component.properties.iter().filter(move |property| property.name.as_str().eq_ignore_ascii_case(name))
}

fn value<'c>(component: &'c Component, name: &'c str) -> Option<&'c str> {
    all(component, name).next().map(|property| property.val.as_str().trim())
}

fn parameter(property: &Property, name: &str) -> Option<String> {
    let found = property.params.iter().find(|parameter| parameter.key.as_str().eq_ignore_ascii_case(name))?;
    found.val.as_ref().map(|value| value.as_str().trim_matches('"').to_owned())
}

/// `mailto:` and the address; some programs put something else there and the address into a parameter.
fn attendee(property: &Property) -> Option<Address> {
    let value = property.val.as_str().trim();
    let mailto = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map(|_| &value[7..]);
    mailto.and_then(Address::parse).or_else(|| Address::parse(&parameter(property, "EMAIL")?))
}

fn attendance(property: &Property) -> Option<Attendance> {
    match parameter(property, "PARTSTAT")?.to_ascii_uppercase().as_str() {
        "ACCEPTED" => Some(Attendance::Accepted),
        "TENTATIVE" => Some(Attendance::Tentative),
        "DECLINED" => Some(Attendance::Declined),
        _ => None,
    }
}

/// In UTC, in a zone everybody knows, or in one that the part describes itself, as Outlook does. A day without a time and a
/// time without a zone are none.
fn moment(root: &Component, event: &Component, name: &str) -> Option<Timestamp> {
    let property = all(event, name).next()?;
    let value = property.val.as_str().trim();
    let utc = value.ends_with(['Z', 'z']);
    let local = local(value.trim_end_matches(['Z', 'z']))?;
    if utc {
        return Some(local.and_utc().into());
    }
    let zone = parameter(property, "TZID")?;
    if let Ok(known) = zone.parse() {
        return Some(local_time(known, local.date(), local.time()));
    }
    let described = |c: &&Component| is_called(c, "VTIMEZONE") && value_is(c, "TZID", &zone);
    let offset = offset_at(root.components.iter().find(described)?, local)?;
    let at = Timestamp::from(local.and_utc());
    Some(Timestamp::from_seconds(at.millis() / 1000 - offset))
}

fn value_is(component: &Component, name: &str, wanted: &str) -> bool {
    value(component, name).is_some_and(|value| value.trim_matches('"') == wanted)
}

fn local(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok().filter(|local| (1970..2200).contains(&local.year()))
}

/// Seconds east of UTC at this local time: those of the observance that began last.
fn offset_at(zone: &Component, local: NaiveDateTime) -> Option<i64> {
    let observances =
        zone.components.iter().filter_map(|c| Some((onset(c, local)?, seconds(value(c, "TZOFFSETTO")?)?)));
    let begun = observances.max_by_key(|(onset, _)| *onset).map(|(_, offset)| offset);
    // Before all of them: the usual time.
    let standard = || zone.components.iter().find(|c| is_called(c, "STANDARD")).and_then(|c| value(c, "TZOFFSETTO"));
    begun.or_else(|| seconds(standard()?))
}

/// When an observance last began before `local`: yearly on a weekday of a month, or once.
fn onset(observance: &Component, local: NaiveDateTime) -> Option<NaiveDateTime> {
    let first = NaiveDateTime::parse_from_str(value(observance, "DTSTART")?, "%Y%m%dT%H%M%S").ok()?;
    let Some(rule) = value(observance, "RRULE") else { return Some(first).filter(|first| *first <= local) };
    let part = |name: &str| rule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let month: u32 = part("BYMONTH")?.parse().ok()?;
    let (nth, weekday) = part("BYDAY")?.split_at_checked(part("BYDAY")?.len().checked_sub(2)?)?;
    let (nth, weekday) = (nth.parse().ok()?, weekday_of(weekday)?);
    let in_year = |year| Some(nth_weekday(year, month, nth, weekday)?.and_time(first.time()));
    [local.year(), local.year() - 1].into_iter().filter_map(in_year).find(|onset| *onset <= local && *onset >= first)
}

fn weekday_of(name: &str) -> Option<Weekday> {
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let at = names.iter().position(|known| *known == name)?;
    Weekday::try_from(u8::try_from(at).ok()?).ok()
}

/// The second Sunday of March, or with `-1` the last one.
fn nth_weekday(year: i32, month: u32, nth: i8, weekday: Weekday) -> Option<NaiveDate> {
    if nth > 0 {
        return NaiveDate::from_weekday_of_month_opt(year, month, weekday, nth.unsigned_abs());
    }
    let next_month = NaiveDate::from_ymd_opt(year, month, 1)?.checked_add_months(Months::new(1))?;
    let last = next_month.iter_days().rev().skip(1).find(|day| day.weekday() == weekday)?;
    (nth == -1).then_some(last)
}

/// `+0800` or `-033000`.
fn seconds(offset: &str) -> Option<i64> {
    let (sign, digits) = match offset.as_bytes().first()? {
        b'+' => (1, &offset[1..]),
        b'-' => (-1, &offset[1..]),
        _ => return None,
    };
    let pair = |at: usize| digits.get(at..at + 2).and_then(|pair| pair.parse::<i64>().ok());
    Some(sign * (pair(0)? * 3600 + pair(2)? * 60 + pair(4).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reply as a program writes it; `event` are the lines of the event.
    fn reply(method: &str, event: &str, zone: &str) -> Option<CalendarReply> {
        let event = event.trim().lines().map(str::trim).collect::<Vec<_>>().join("\r\n");
        let zone = zone.trim().lines().map(str::trim).map(|line| format!("{line}\r\n")).collect::<String>();
        read(&format!(
            "BEGIN:VCALENDAR\r\nPRODID:x\r\nVERSION:2.0\r\nMETHOD:{method}\r\n{zone}BEGIN:VEVENT\r\n{event}\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n"
        ))
    }

    const OUTLOOK_BERLIN: &str = "BEGIN:VTIMEZONE
        TZID:W. Europe Standard Time
        BEGIN:STANDARD
        DTSTART:16010101T030000
        TZOFFSETFROM:+0200
        TZOFFSETTO:+0100
        RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
        END:STANDARD
        BEGIN:DAYLIGHT
        DTSTART:16010101T020000
        TZOFFSETFROM:+0100
        TZOFFSETTO:+0200
        RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
        END:DAYLIGHT
        END:VTIMEZONE";

    fn proposed(start: &str, zone: &str) -> Option<String> {
        let event = format!("UID:u@x\nATTENDEE:mailto:a@b.example\n{start}");
        reply("COUNTER", &event, zone)?.proposed.map(|(start, _)| start.rfc3339())
    }

    #[test]
    fn times_in_every_form() {
        for (line, expected) in [
            ("DTSTART:20261125T020000Z", Some("2026-11-25T02:00:00Z")),
            ("DTSTART;TZID=Asia/Shanghai:20261125T100000", Some("2026-11-25T02:00:00Z")),
            ("DTSTART;TZID=\"W. Europe Standard Time\":20261125T100000", Some("2026-11-25T09:00:00Z")),
            ("DTSTART;TZID=W. Europe Standard Time:20260725T100000", Some("2026-07-25T08:00:00Z")),
            ("DTSTART;TZID=W. Europe Standard Time:20260329T030000", Some("2026-03-29T01:00:00Z")),
            ("DTSTART;TZID=W. Europe Standard Time:20260115T100000", Some("2026-01-15T09:00:00Z")),
            ("DTSTART;TZID=Nowhere:20261125T100000", None),
            ("DTSTART:20261125T100000", None),
            ("DTSTART;VALUE=DATE:20261125", None),
            ("DTSTART:nonsense", None),
        ] {
            assert_eq!(proposed(line, OUTLOOK_BERLIN).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn who_says_what() {
        let event = "UID:u@x\nSEQUENCE:2\nATTENDEE;CN=\"Zhang, Wei\";PARTSTAT=DECLINED:MAILTO:Zhang@corp.example\n\
            ATTENDEE;PARTSTAT=DELEGATED:mailto:x@corp.example\nCOMMENT;LANGUAGE=zh-CN:在开会\\, 抱歉\\n";
        let read = reply("REPLY", event, "").unwrap();
        let zhang = Address::parse("zhang@corp.example").unwrap();
        assert_eq!(read.says, [(zhang, Attendance::Declined)]);
        assert_eq!((read.uid.as_str(), read.sequence, read.proposed), ("u@x", Some(2), None));
        assert_eq!(read.comment, "在开会, 抱歉");
        for method in ["REQUEST", "PUBLISH", "CANCEL", "DECLINECOUNTER"] {
            assert_eq!(reply(method, event, ""), None, "{method}");
        }
        assert_eq!(reply("REPLY", "SEQUENCE:2", ""), None, "no uid");
    }

    #[test]
    fn hostile_parts_are_bounded() {
        let started = crate::mail::stopwatch::Stopwatch::start();
        for text in [
            "BEGIN:VEVENT\n".repeat(4000),
            format!("BEGIN:VCALENDAR\nMETHOD:REPLY\n{}", "BEGIN:A\n".repeat(59)),
            format!("BEGIN:VCALENDAR\n{}", "X;".repeat(30_000)),
            format!("BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n{}END:VEVENT\nEND:VCALENDAR", "A:b\n".repeat(15_000)),
            format!("BEGIN:VCALENDAR\n{}", "\n".repeat(60_000)),
            format!("BEGIN:VCALENDAR\nX;A=\"{}", "\"\"".repeat(30_000)),
            "BEGIN:".into(),
            "\u{1f4c5}".repeat(10_000),
        ] {
            let _ = read(&text);
        }
        assert!(started.elapsed().as_secs() < 10);
    }

    /// Whatever is cut off or put in, reading ends without a panic.
    #[test]
    fn broken_parts_are_read_or_not() {
        let event = "UID:u@x\r\nATTENDEE;CN=\"张\";PARTSTAT=DECLINED:mailto:a@b.example\r\n\
            DTSTART;TZID=W. Europe Standard Time:20261125T100000\r\nCOMMENT:a\\nb\\\\\r\n";
        let zone: String = OUTLOOK_BERLIN.lines().map(|line| format!("{}\r\n", line.trim())).collect();
        let whole = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:COUNTER\r\n{zone}BEGIN:VEVENT\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        assert!(read(&whole).is_some_and(|reply| reply.proposed.is_some()));
        for (at, character) in whole.char_indices() {
            let (head, tail) = whole.split_at(at);
            let _ = read(head);
            for put in ["\r\n ", "\n", "\"", ";", ":", "\\", "=", "\0", "9", "BEGIN:X\r\n", "END:X\r\n"] {
                let _ = read(&format!("{head}{put}{tail}"));
                let _ = read(&format!("{head}{put}{}", &tail[character.len_utf8()..]));
            }
        }
    }

    #[test]
    fn lines_are_folded_between_characters() {
        let mut lines = Lines::default();
        lines.add("SUMMARY", &"打印机 a".repeat(60));
        let folded: Vec<&str> = lines.0.trim_end().split("\r\n").collect();
        assert!(folded.iter().all(|line| line.len() <= 75) && folded.len() > 5);
        assert_eq!(unfold(lines.0.trim_end()), format!("SUMMARY:{}", "打印机 a".repeat(60)));
    }
}
