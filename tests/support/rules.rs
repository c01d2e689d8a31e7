//! A small desk for tests of the rules alone: two engineers, a supervisor, and tickets of Zhang's.
#![allow(dead_code)] // each test program uses its own part

use chrono_tz::Asia::Shanghai;
use maildesk::address::{Address, Mailbox, MessageId};
use maildesk::desk::duty::{Duty, Staff};
use maildesk::desk::event::{Candidate, Event, KnownId, Mail, SenderCounts, Situation};
use maildesk::desk::inbound::{Body, Inbound};
use maildesk::desk::link::Key;
use maildesk::desk::policy::{
    Demand, Engineer, Escalation, Hold, Identity, Incident, Knowledge, Limits, Policy, Proof, Reader, Reviews,
    Satisfaction, Targets, Visits,
};
use maildesk::desk::ticket::{Number, Ticket};
use maildesk::desk::triage::Rules;
use maildesk::desk::words::{Category, Impact, Language, Priority, Status, Wait};
use maildesk::mail;
use maildesk::time::{Calendar, Timestamp};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

pub const DESK: &str = "it@corp.example";
pub const ZHANG: &str = "zhang@corp.example";
pub const LI: &str = "li@corp.example";
pub const WANG: &str = "wang@corp.example";
pub const BOSS: &str = "boss@corp.example";

pub static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::builtin()));

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn reader(text: &str) -> Reader {
    let name = text.split('@').next().unwrap_or_default();
    Reader { mailbox: Mailbox::new(address(text), name), language: Language::Chinese, zone: Shanghai }
}

pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap()
}

pub fn policy() -> Policy {
    let engineer = |text, level| Engineer {
        reader: reader(text),
        aliases: vec![],
        level,
        skills: vec![],
        hours: None,
        away: vec![],
        site: None,
    };
    let day = Duration::from_secs(86_400);
    Policy {
        desk: Identity {
            plus_addresses: false,
            name_zh: "IT 服务台".into(),
            name_en: "IT Service Desk".into(),
            address: address(DESK),
            aliases: vec![address("helpdesk@corp.example")],
            own_lists: vec!["it-help@corp.example".into(), "staff.lists.example".into()],
            domains: vec!["corp.example".into()],
            public_url: Some("https://desk.corp.example".into()),
            zone: Shanghai,
            language: Language::Chinese,
        },
        engineers: vec![engineer(LI, 2), engineer(WANG, 3)],
        duty: Duty { supervisors: vec![Staff { reader: reader(BOSS), away: vec![] }], roster: None },
        targets: Targets::default(),
        escalation: Escalation::default(),
        hold: Hold::standard(8 * Duration::from_secs(3600)),
        incident: Incident::default(),
        calendar: Calendar::round_the_clock(Shanghai),
        rules: RULES.clone(),
        proof: Proof {
            authserv_id: Some("mx.corp.example".into()),
            work: Demand::Either,
            approvals: Demand::Reference,
        },
        satisfaction: Satisfaction {
            link_valid: 30 * day,
            remind_after: day,
            close_after: 3 * day,
            reopen_within: 7 * day,
        },
        limits: Limits {
            acknowledgements: [3, 10, 20],
            tickets_per_hour: 20,
            message_bytes: 1 << 20,
            relay_bytes: 1 << 20,
            bounce_pause: 3 * day,
        },
        visits: Visits::default(),
        sites: vec![],
        channels: vec![],
        directory: Arc::default(),
        vendors: Vec::new(),
        departments: Vec::new(),
        modules: vec![],
        knowledge: Knowledge { drafts: false, ..Knowledge::default() },
        reviews: Reviews { incidents: false, problems: false, ..Reviews::standard(8 * Duration::from_secs(3600)) },
        archive_after: Some(30 * day),
        retention: Default::default(),
        key: Key([9; 32]),
    }
}

/// Zhang's printer, with Li, in this status.
pub fn ticket(status: Status) -> Ticket {
    let over = matches!(status, Status::Closed | Status::Cancelled);
    Ticket {
        number: Number(1),
        subject: "打印机坏了".into(),
        requester: Mailbox::new(address(ZHANG), "张伟"),
        copied: vec![],
        language: Language::Chinese,
        category: Category::Hardware,
        priority: Priority::P3,
        impact: Impact::Personal,
        matched: vec![],
        fields: Default::default(),
        status,
        wait: (status == Status::Pending).then_some(Wait::Requester),
        assignee: Some(address(LI)),
        created: now(),
        updated: now(),
        first_response: None,
        answered: None,
        response_due: now(),
        resolution_due: now(),
        response_warned: 0,
        resolution_warned: 0,
        resolved: None,
        closed: over.then(now),
        rating: None,
        cycle: 1,
        asked: false,
        merged_into: None,
        fault: None,
        parent: None,
        related: None,
        version: 1,
    }
}

pub fn candidate(ticket: Ticket) -> Candidate {
    let description = Body { text: "打印机坏了".into(), html: None };
    Candidate {
        named: ticket.number,
        ticket,
        participants: vec![address(ZHANG), address(LI)],
        timeline: Arc::default(),
        reports: vec![],
        description,
        visit: None,
        approval: None,
        article: None,
        suggested: vec![],
        archived: None,
        reviews: vec![],
        recurred: vec![],
    }
}

pub fn situation(policy: &Policy, tickets: Vec<Ticket>) -> Situation<'_> {
    Situation {
        policy,
        next_number: Number(7),
        candidates: tickets.into_iter().map(candidate).collect(),
        known_ids: vec![KnownId {
            id: MessageId::parse("first@corp.example").unwrap(),
            number: Number(1),
            only_cited: false,
        }],
        same_subject: None,
        sender: None,
        counts: SenderCounts::default(),
        loads: vec![],
        incident: None,
        similar: vec![],
        unconfirmed: None,
        proposed: None,
        reviewed: None,
        sent_before: vec![],
        own_open: vec![],
        behalf: None,
        held: Arc::default(),
        bounced: None,
    }
}

/// A plain mail; `headers` are whole lines.
pub fn mail(from: &str, subject: &str, headers: &str, text: &str) -> Inbound {
    let raw = format!(
        "From: <{from}>\r\nTo: <{DESK}>\r\nSubject: {subject}\r\nMessage-ID: <new@client.example>\r\n{headers}\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    );
    mail::parse(raw.as_bytes())
}

/// A reply that carries the reference only `from` was sent.
pub fn reply(from: &str, text: &str) -> Inbound {
    let reference = policy().key.reference(Number(1), &address(from));
    mail(from, "Re: [IT001] x", "In-Reply-To: <unknown@x>\r\n", &format!("{text}\n\n> IT 服务台 {reference}"))
}

pub fn event(inbound: Inbound) -> Event {
    Event::Mail(Mail::new(inbound, now(), None))
}
