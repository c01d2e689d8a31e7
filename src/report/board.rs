//! The daily board: what is open, what is late, what comes next, whose turn it is.

use super::picture::age;
use super::words::{duration, number, period, title};
use super::{Context, Details, Written};
use crate::desk::digest::page::{Card, Cell, Page, Part, State, Table};
use crate::desk::digest::{Board, Due};
use crate::desk::words::{Language, Priority, Wait};

struct Writer<'a> {
    board: &'a Board,
    details: &'a Details,
    context: &'a Context<'a>,
    language: Language,
}

/// The board in one language.
pub fn write(board: &Board, details: &Details, context: &Context, language: Language) -> Written {
    let writer = Writer { board, details, context, language };
    let page = Page {
        title: title(context.plan.kind, context.policy.desk.name(language), language),
        period: period(&context.slot, language),
        scope: super::period::scope(context, language),
        lead: vec![writer.lead()],
        cards: writer.cards(),
        parts: vec![writer.overdue(), writer.next(), writer.turns(), writer.ages()],
        notes: Vec::new(),
        files: Vec::new(),
    };
    Written { page, files: Vec::new() }
}

/// What an engineer is called; the address of somebody who is none any more.
pub fn called(context: &Context, address_key: &str) -> String {
    let engineer = context.policy.engineers.iter().find(|engineer| engineer.address().key() == address_key);
    engineer.map_or_else(|| address_key.to_owned(), |engineer| engineer.reader.mailbox.called().to_owned())
}

impl Writer<'_> {
    fn say(&self, chinese: &str, english: &str) -> String {
        self.language.pick(chinese, english).to_owned()
    }

    /// On which work is owed.
    fn owed(&self) -> u64 {
        self.board.stock.total() - self.board.stock.awaiting
    }

    fn lead(&self) -> String {
        let (board, n) = (self.board, number);
        match self.language {
            Language::Chinese => format!(
                "{} 张待办：{} 张已超时，{} 张 24 小时内到期，{} 张还没有人处理。",
                n(self.owed()),
                n(board.overdue),
                n(board.soon),
                n(board.nobody)
            ),
            Language::English => format!(
                "Tickets to work on: {}. Late: {}; due within 24 hours: {}; with nobody: {}.",
                n(self.owed()),
                n(board.overdue),
                n(board.soon),
                n(board.nobody)
            ),
        }
    }

    fn cards(&self) -> Vec<Card> {
        let board = self.board;
        let card = |chinese: &str, english: &str, count: u64, bad: bool, of: String| {
            let state = if bad && count > 0 { State::Bad } else { State::Plain };
            Card { label: self.say(chinese, english), value: number(count), of, state, ..Card::default() }
        };
        let awaiting = format!(
            "{} {}",
            self.language.pick("另有待确认", "to be confirmed besides:"),
            number(board.stock.awaiting)
        );
        let none = String::new;
        vec![
            card("待办", "To work on", self.owed(), false, awaiting),
            card("已超时", "Late", board.overdue, true, none()),
            card("24 小时内到期", "Due within 24 h", board.soon, false, none()),
            card("无人处理", "With nobody", board.nobody, true, none()),
            card("近 24 小时新增", "New in 24 h", board.new, false, none()),
            card("近 24 小时关闭", "Closed in 24 h", board.closed, false, none()),
        ]
    }

    fn list(&self, head: String, list: &[Due], is_late: bool) -> Vec<Table> {
        if list.is_empty() {
            return Vec::new();
        }
        let head = vec![Cell::text(self.say("工单", "Ticket")), Cell::number(head)];
        let row = |one: &Due| {
            let apart = if is_late { self.board.at.since(one.due) } else { one.due.since(self.board.at) };
            let shown = duration(apart.as_secs(), true, self.language);
            let at = one.due.at_zone(self.context.plan.zone).format("%m-%d %H:%M").to_string();
            let state = if is_late { State::Bad } else { State::Plain };
            vec![self.ticket_cell(one), Cell::number(shown).more(at).state(state)]
        };
        vec![Table::new(head, list.iter().map(row).collect())]
    }

    /// Number and subject, below it priority, whose it is and what it waits for.
    fn ticket_cell(&self, one: &Due) -> Cell {
        let Some(ticket) = self.details.ticket(one.number) else { return Cell::text(one.number.to_string()) };
        let subject = if ticket.subject.is_empty() {
            self.language.pick("（无主题）", "(no subject)")
        } else {
            &ticket.subject
        };
        let who = ticket.assignee.as_ref().map(|who| called(self.context, who.key()));
        let mut about = vec![one.priority.as_str().to_owned(), ticket.requester.called().to_owned()];
        about.push(who.unwrap_or_else(|| self.say("无人处理", "with nobody")));
        about.extend(ticket.wait.map(|wait| wait.name(self.language).to_owned()));
        Cell::text(format!("{} {}", one.number, super::period::cut(subject, 60))).more(about.join(" · "))
    }

    fn more(&self, all: u64, listed: usize) -> Vec<String> {
        match (all.saturating_sub(listed as u64), self.language) {
            (0, _) if all == 0 => vec![self.say("没有。", "None.")],
            (0, _) => Vec::new(),
            (more, Language::Chinese) => vec![format!("只列出前 {listed} 张，另有 {} 张。", number(more))],
            (more, Language::English) => vec![format!("The first {listed}; there are {} more.", number(more))],
        }
    }

    fn overdue(&self) -> Part {
        let list = &self.board.overdue_list;
        let tables = self.list(self.say("已超出", "Late by"), list, true);
        let lead = self.more(self.board.overdue, list.len());
        Part { title: self.say("已超时", "Late"), lead, picture: None, tables }
    }

    fn next(&self) -> Part {
        let list = &self.board.next_list;
        let tables = self.list(self.say("还剩", "Left"), list, false);
        let all = self.owed() - self.board.overdue;
        Part {
            title: self.say("接下来到期", "Next to fall due"),
            lead: self.more(all, list.len()),
            picture: None,
            tables,
        }
    }

    fn turns(&self) -> Part {
        let board = self.board;
        let mut waits: Vec<(String, u64)> = vec![(self.say("无人处理", "nobody"), board.nobody)];
        waits.extend(board.waits.iter().map(|(wait, count)| {
            let name =
                Wait::parse(wait).map_or(self.language.pick("挂起", "on hold"), |wait| wait.name(self.language));
            (name.to_owned(), *count)
        }));
        let people = board.with.iter().map(|(who, count)| (called(self.context, who), *count));
        let mut people: Vec<(String, u64)> = people.collect();
        people.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let table = |head: String, rows: &[(String, u64)]| {
            let longest = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
            let row = |(name, count): &(String, u64)| {
                vec![Cell::text(name.clone()).bar(*count, longest), Cell::number(number(*count))]
            };
            Table::new(
                vec![Cell::text(head), Cell::number(self.say("张数", "Tickets"))],
                rows.iter().map(row).collect(),
            )
        };
        let mut tables = vec![table(self.say("在等谁", "Waiting for"), &waits)];
        if !people.is_empty() {
            tables.push(table(self.say("在谁手里（含挂起）", "With whom, those on hold included"), &people));
        }
        Part { title: self.say("轮到谁", "Whose turn it is"), lead: Vec::new(), picture: None, tables }
    }

    fn ages(&self) -> Part {
        let mut head = vec![Cell::text(self.say("龄期", "Age"))];
        head.extend(Priority::ALL.iter().map(|priority| Cell::number(priority.as_str())));
        head.push(Cell::number(self.say("合计", "All")));
        let row = |(index, band): (usize, &[u64; 4])| {
            let mut row = vec![Cell::text(age(index, self.language))];
            row.extend(band.iter().map(|count| Cell::number(number(*count))));
            row.push(Cell::number(number(band.iter().sum())));
            row
        };
        let tables = vec![Table::new(head, self.board.stock.ages.iter().enumerate().map(row).collect())];
        let lead = vec![self.say("含待确认的。", "Those to be confirmed included.")];
        Part { title: self.say("龄期与优先级", "Age and priority"), lead, picture: None, tables }
    }
}
