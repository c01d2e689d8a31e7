//! Samples of the letters about reviews and problem records.

use super::{Say, Who, minutes};
use crate::desk::letter::{Content, Letter, PlanPurpose, ReviewPurpose, StatusLine};
use crate::desk::review::form::Part;
use crate::desk::review::{Kind, Known, Late, Recurred, View};
use crate::desk::ticket::{Number, What};
use crate::desk::words::{Clock, Priority, Status};

const DAY: i64 = 24 * 60;

pub(super) fn letters(say: Say) -> Vec<Letter> {
    let purposes = [
        ReviewPurpose::Ask,
        ReviewPurpose::Again,
        ReviewPurpose::Missing,
        ReviewPurpose::Unclear,
        ReviewPurpose::Unproven,
        ReviewPurpose::Remind,
    ];
    let plans = [
        PlanPurpose::Recorded,
        PlanPurpose::Changed,
        PlanPurpose::Due,
        PlanPurpose::Overdue,
        PlanPurpose::Done,
        PlanPurpose::Unclear,
        PlanPurpose::Unproven,
    ];
    let mut letters = Vec::new();
    for kind in Kind::ALL {
        for purpose in purposes {
            // What is asked again is known already, and else the first parts of what came.
            let told = match purpose {
                ReviewPurpose::Again => 5,
                ReviewPurpose::Missing => 2,
                _ => 0,
            };
            letters.push(form(say, kind, purpose, told, ""));
        }
        for purpose in plans {
            for mine in [false, true] {
                let content = Content::ReviewPlan { purpose, view: view(say, kind, 5), by: say.engineer().name, mine };
                letters.push(closed(say, Who::Engineer, content));
            }
        }
    }
    letters.push(form(
        say,
        Kind::Incident,
        ReviewPurpose::Missing,
        4,
        &say.pick("等厂商排期", "when the vendor has time"),
    ));
    letters.extend(without_much(say));
    letters
}

/// Nobody wrote a subject, no module was named, and nothing was late.
fn without_much(say: Say) -> Vec<Letter> {
    let mut letters = Vec::new();
    for mut letter in [
        form(say, Kind::Incident, ReviewPurpose::Ask, 0, ""),
        form(say, Kind::Problem, ReviewPurpose::Remind, 0, ""),
        closed(
            say,
            Who::Supervisor,
            Content::ReviewPlan {
                purpose: PlanPurpose::Recorded,
                view: view(say, Kind::Problem, 5),
                by: say.engineer().name,
                mine: false,
            },
        ),
        closed(
            say,
            Who::Supervisor,
            Content::ReviewPlan {
                purpose: PlanPurpose::Done,
                view: view(say, Kind::Incident, 5),
                by: say.engineer().name,
                mine: false,
            },
        ),
    ] {
        letter.ticket.as_mut().expect("samples have a ticket").subject.clear();
        if let Content::Review { view, late, history, .. } = &mut letter.content {
            late.clear();
            history.clear();
            bare(view);
        }
        if let Content::ReviewPlan { view, .. } = &mut letter.content {
            bare(view);
        }
        letters.push(letter);
    }
    letters
}

fn bare(view: &mut View) {
    view.module.clear();
    view.count = view.tickets.len();
    view.tickets.iter_mut().for_each(|ticket| ticket.subject.clear());
}

fn form(say: Say, kind: Kind, purpose: ReviewPurpose, told: usize, unread: &str) -> Letter {
    let incident = kind == Kind::Incident;
    let (history, late) = if incident { (history(say), late()) } else { (Vec::new(), Vec::new()) };
    let content = Content::Review { purpose, view: view(say, kind, told), history, late, unread: unread.to_owned() };
    let who = if incident { Who::Engineer } else { Who::Owner };
    closed(say, who, content)
}

fn closed(say: Say, who: Who, content: Content) -> Letter {
    let mut letter = say.letter(who, content);
    let ticket = letter.ticket.as_mut().expect("samples have a ticket");
    ticket.subject = say.pick("ERP 全部登录不了", "Nobody can log in to the ERP");
    (ticket.priority, ticket.status) = (Priority::P1, Status::Closed);
    letter
}

fn late() -> Vec<Late> {
    vec![
        Late { clock: Clock::Response, due: minutes(-3 * DAY), met: Some(minutes(-3 * DAY + 25)) },
        Late { clock: Clock::Resolution, due: minutes(-3 * DAY + 105), met: None },
    ]
}

fn history(say: Say) -> Vec<StatusLine> {
    let line =
        |at: i64, who: String, what: What, why: String| StatusLine { at: minutes(-3 * DAY + at), who, what, why };
    let (engineer, status) = (say.engineer().name, |from, to| What::Status { from, to });
    vec![
        line(-15, String::new(), What::Opened, say.pick("ERP 全部登录不了", "Nobody can log in to the ERP")),
        line(25, engineer.clone(), status(Status::Assigned, Status::InProgress), String::new()),
        line(
            40,
            engineer.clone(),
            What::Step,
            say.pick("重启应用服务器，无效", "Restarted the application server, no change"),
        ),
        line(70, engineer.clone(), What::Workaround, say.pick("先用备用地址登录", "Log in at the standby address")),
        line(190, engineer, status(Status::InProgress, Status::Resolved), String::new()),
    ]
}

fn view(say: Say, kind: Kind, told: usize) -> View {
    let language = say.0;
    let owner = say.engineer().name;
    let texts = [
        say.pick(
            "数据库连接池耗尽：\n月结任务没有释放连接",
            "The pool of database connections was used up:\nthe month-end job does not give them back",
        ),
        say.pick("重启连接池，改正月结任务", "Restarted the pool, corrected the job"),
        say.pick("连接数超过 80% 时告警", "An alarm from 80 % of the connections on"),
        owner.clone(),
        "2026-12-11".to_owned(),
    ];
    let known = Part::ALL.iter().zip(texts).take(told);
    let ticket = |(number, day): (i64, i64)| Recurred {
        number: Number(number),
        subject: say.pick("ERP 登录超时", "ERP login times out"),
        created: minutes(-day * DAY),
    };
    let problem = kind == Kind::Problem;
    View {
        kind,
        name: kind.name(Number(1)),
        title: if problem { say.pick("登录、超时", "login, timeout") } else { String::new() },
        module: if problem { "ERP".to_owned() } else { String::new() },
        known: known.map(|(part, text)| Known { label: part.name(language), text }).collect(),
        missing: Part::ALL.iter().skip(told).map(|part| part.name(language)).collect(),
        opened: minutes(-3 * DAY),
        owner,
        due: "2026-12-11".to_owned(),
        tickets: if problem { [(1, 27), (9, 12), (14, 1)].map(ticket).to_vec() } else { Vec::new() },
        count: if problem { 14 } else { 0 },
    }
}
