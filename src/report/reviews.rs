//! Reviews in a report: whether they were filled in, what was planned and whether it was done, and what keeps coming back
//! (`domain.md` 6.3, part 8 and the improvement actions of the last period).

use super::words::number;
use super::{Context, OfPeriod};
use crate::desk::digest::Period;
use crate::desk::digest::page::{Cell, Part, State as Shade, Table};
use crate::desk::review::{Kind, Review};
use crate::desk::words::Language;
use crate::time::Timestamp;

/// Rows of a table.
const LISTED: usize = 20;

/// How far an action is at the end of the period, in a word.
pub fn standing(review: &Review, period: &Period, language: Language) -> (&'static str, Shade) {
    let by_end = |at: Option<Timestamp>| at.is_some_and(|at| at < period.to);
    let last_day = period.to.at_zone(period.zone).date_naive();
    if by_end(review.ended) {
        (language.pick("已完成", "done"), Shade::Good)
    } else if !by_end(review.planned) {
        (language.pick("待填写", "form is owed"), Shade::Bad)
    } else if review.form.due.is_some_and(|due| due < last_day) {
        (language.pick("逾期", "overdue"), Shade::Bad)
    } else {
        (language.pick("进行中", "under way"), Shade::Plain)
    }
}

/// What it is about: the subject of its ticket or what recurs.
pub fn about(review: &Review, report: &OfPeriod) -> String {
    let ticket = report.details.ticket(review.ticket);
    let subject = match review.kind {
        Kind::Incident => ticket.map_or("", |ticket| ticket.subject.as_str()),
        Kind::Problem => review.title.as_str(),
    };
    let module = if review.module.is_empty() { String::new() } else { format!("{} · ", review.module) };
    format!("{module}{}", subject.chars().take(60).collect::<String>())
}

/// The part of a report.
pub fn part(report: &OfPeriod, context: &Context, language: Language) -> Part {
    let (from, to) = (context.slot.period.from, context.slot.period.to);
    let all = &report.reviews;
    let incidents: Vec<&Review> = all.iter().filter(|r| r.kind == Kind::Incident && r.opened >= from).collect();
    let filled = incidents.iter().filter(|r| r.planned.is_some_and(|at| at < to)).count();
    let owed = all.iter().filter(|r| r.kind == Kind::Incident && r.planned.is_none_or(|at| at >= to)).count();
    let is_open = |r: &&Review| r.ended.is_none_or(|at| at >= to);
    let problems = all.iter().filter(|r| r.kind == Kind::Problem).filter(is_open).count();
    let n = |count: usize| number(count as u64);
    let lead = match language {
        Language::Chinese => format!(
            "本期应复盘 {} 起（P1 与超时的 P2），已填写 {} 起；期末待填写 {} 起，未结的问题记录 {} 个。",
            n(incidents.len()),
            n(filled),
            n(owed),
            n(problems)
        ),
        Language::English => format!(
            "Reviews of this period (P1, and P2 that missed a target): {}, filled in: {}. Still owed at the end: {}. Open problem records: {}.",
            n(incidents.len()),
            n(filled),
            n(owed),
            n(problems)
        ),
    };
    let planned = |r: &&Review| r.planned.is_some_and(|at| at < to);
    let before = |r: &Review| r.planned.is_some_and(|at| at < from);
    let (last, new): (Vec<&Review>, Vec<&Review>) = all.iter().filter(planned).partition(|r| before(r));
    let waiting: Vec<&Review> = all.iter().filter(|r| !planned(r)).collect();
    let mut tables = Vec::new();
    for (head, rows) in [
        (language.pick("上期措施", "Actions of the last period"), last),
        (language.pick("本期新措施", "New actions"), new),
        (language.pick("待填写", "Forms that are owed"), waiting),
    ] {
        let rows: Vec<Vec<Cell>> = rows.iter().take(LISTED).map(|r| row(r, report, context, language)).collect();
        if !rows.is_empty() {
            let head = vec![Cell::text(head), Cell::text(language.pick("状态", "State"))];
            tables.push(Table::new(head, rows));
        }
    }
    let title = language.pick("复盘与改进措施", "Reviews and actions").to_owned();
    Part { title, lead: vec![lead], picture: None, tables }
}

fn row(review: &Review, report: &OfPeriod, context: &Context, language: Language) -> Vec<Cell> {
    let (word, shade) = standing(review, &context.slot.period, language);
    let form = &review.form;
    let one_line =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect::<String>();
    let mut more: Vec<String> = Vec::new();
    for (label, text) in [
        (language.pick("原因：", "cause: "), &form.cause),
        (language.pick("纠正：", "corrective: "), &form.corrective),
        (language.pick("预防：", "preventive: "), &form.preventive),
    ] {
        if !text.is_empty() {
            more.push(format!("{label}{}", one_line(text)));
        }
    }
    if review.kind == Kind::Problem {
        let count = number(review.tickets.len() as u64);
        more.push(match language {
            Language::Chinese => format!("{count} 张工单"),
            Language::English => format!("{count} tickets"),
        });
    }
    // Without the year: the line is narrow on a phone.
    let period = &context.slot.period;
    let done = review.ended.filter(|at| *at < period.to).map(|at| at.at_zone(period.zone).date_naive());
    let day = match done {
        Some(done) => Some((language.pick("完成于", "on"), done)),
        None => form.due.map(|due| (language.pick("到期", "due"), due)),
    };
    let day = day.map(|(word, day)| format!("{word} {}", day.format("%m-%d")));
    let owner = Some(one_line(&form.owner)).filter(|owner| !owner.is_empty());
    let owner = [day, owner].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let title = format!("{} {}", review.name(), about(review, report));
    vec![Cell::text(title.trim_end()).more(more.join(" · ")), Cell::text(word).more(owner).state(shade)]
}
