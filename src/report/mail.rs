//! Mail in a report: how much came, what no ticket came of, and what the articles were good for (`domain.md` 6.2, mail
//! health and reuse of knowledge).

use super::words::{number, ratio_of};
use super::{Context, OfPeriod};
use crate::desk::digest::page::{Cell, Part, State, Table};
use crate::desk::digest::{Aside, Ratio, Reuse};
use crate::desk::words::{Language, Priority};

/// The part of a report.
pub fn part(report: &OfPeriod, context: &Context, language: Language) -> Part {
    let scope = &context.plan.scope;
    let whole_desk = scope.departments.is_empty() && scope.engineers.is_empty();
    let said = language.pick("邮件与知识库按整个服务台统计。", "Mail and articles are counted for the whole desk.");
    Part {
        title: language.pick("邮件与知识库", "Mail and knowledge").to_owned(),
        lead: if whole_desk { Vec::new() } else { vec![said.to_owned()] },
        picture: None,
        tables: vec![health(report, language), reuse(report, whole_desk, language)],
    }
}

fn health(report: &OfPeriod, language: Language) -> Table {
    let mails = &report.mails;
    let (unread, failed) = (mails.aside(Aside::Unreadable), mails.failed);
    let rows = [
        (language.pick("收到邮件", "Mails received"), mails.received),
        (
            language.pick("其中：自动回复、回执", "of these: automatic answers and receipts"),
            mails.aside(Aside::Automatic),
        ),
        (language.pick("其中：退信、投递报告", "of these: bounces and delivery reports"), mails.aside(Aside::Delivery)),
        (language.pick("其中：读不出、待人工查看", "of these: could not be read, want a look"), unread),
        (language.pick("其中：其他未立工单的", "of these: others on no ticket"), mails.aside(Aside::Other)),
        (
            language.pick("其中：找不到原工单的回复，另立新单", "of these: answers to no ticket, which opened one"),
            mails.unmatched,
        ),
        (language.pick("发出信件", "Letters sent"), mails.sent),
        (language.pick("没有送达的信件", "Letters that could not be delivered"), failed),
    ];
    let mut rows: Vec<Vec<Cell>> = rows.map(|(name, count)| vec![Cell::text(name), Cell::number(number(count))]).into();
    for (row, count) in [(3, unread), (7, failed)] {
        if count > 0 {
            rows[row][1].state = State::Bad;
        }
    }
    Table::new(vec![Cell::text(language.pick("邮件", "Mail")), Cell::number(language.pick("本期", "Now"))], rows)
}

/// The share is told only where the tickets closed are those of the whole desk, too.
fn reuse(report: &OfPeriod, whole_desk: bool, language: Language) -> Table {
    let Reuse { published, shown, helped, closed_with } = report.reuse;
    let row = |name: &str, value: String| vec![Cell::text(name), Cell::number(value)];
    let mut rows = vec![
        row(language.pick("新发布的文章", "Articles published"), number(published)),
        row(language.pick("推荐给提问人", "Shown to requesters"), number(shown)),
        row(language.pick("其中说有帮助", "Of these, said to have helped"), number(helped)),
    ];
    if whole_desk {
        let faults =
            report.figures.priorities.iter().zip(Priority::ALL).filter(|(_, priority)| **priority < Priority::P4);
        let share = Ratio { met: published, of: faults.map(|(of, _)| of.closed).sum() };
        rows.insert(
            1,
            row(language.pick("新文章与关闭的 P1–P3 工单之比", "New articles to closed P1 to P3"), ratio_of(share)),
        );
        let share = Ratio { met: closed_with, of: report.figures.closed };
        rows.push(row(language.pick("关闭的工单中附有推荐文章", "Closed tickets with an article"), ratio_of(share)));
    }
    let head = vec![Cell::text(language.pick("知识库", "Knowledge")), Cell::number(language.pick("本期", "Now"))];
    Table::new(head, rows)
}
