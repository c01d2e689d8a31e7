//! The weekly and the monthly report: the ten parts of `domain.md` 6.3.

use super::picture::{self, Picture, WIDTH, png};
use super::words::{
    NOTHING, counts, difference, duration, file_name, good, number, period, permille, points, ratio, ratio_of, reason,
    title,
};
use super::{Context, OfPeriod, Written, csv, file, workbook};
use crate::desk::digest::page::{Card, Cell, Page, Part, Shown, State, Table};
use crate::desk::digest::{Figures, Kind, Ratio, Reason, Spread, percent};
use crate::desk::inbound::Attachment;
use crate::desk::ticket::{Number, What};
use crate::desk::triage::{Kind as Deed, Proposal};
use crate::desk::words::{Category, Field, Impact, Language, Priority};
use crate::time::Timestamp;
use chrono::Datelike as _;
use chrono_tz::Tz;
use std::collections::HashMap;

/// So many of a kind in 30 days are a problem (`domain.md` 7.1, A8).
const PROBLEM: u64 = 3;

/// Keywords that are proposed in the letter; `maildesk triage review` has all of them.
const PROPOSALS: usize = 5;

/// Tickets of a list in the letter; all of them stand in the files.
const LISTED: usize = 15;

/// The type of `.xlsx`.
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A page under construction.
struct Writer<'a> {
    report: &'a OfPeriod,
    context: &'a Context<'a>,
    language: Language,
    files: Vec<Attachment>,
}

/// Everything about a week or a month in one language, with pictures, workbook and rows.
pub fn write(report: &OfPeriod, context: &Context, language: Language) -> Written {
    let mut writer = Writer { report, context, language, files: Vec::new() };
    let mut parts = vec![writer.flow(), writer.targets(), writer.times(), writer.categories(), writer.departments()];
    parts.extend([writer.ages(), writer.missed(), writer.majors(), writer.topics(), writer.satisfaction()]);
    parts.push(super::reviews::part(report, context, language));
    parts.push(writer.rates());
    if context.plan.kind == Kind::Monthly {
        parts.extend([writer.heat(), writer.sorting()]);
    }
    parts.push(super::mail::part(report, context, language));
    for (index, part) in parts.iter_mut().enumerate() {
        part.title = format!("{}. {}", index + 1, part.title);
    }
    let name = format!("{}-{}", context.plan.name, file_name(&context.slot));
    let mut files = writer.files;
    files.push(file(format!("{name}.xlsx"), WORKBOOK, workbook::write(report, context, language), None));
    files.push(file(format!("{name}.csv"), "text/csv", csv::write(&report.rows, context, language), None));
    let writer = Writer { report, context, language, files: Vec::new() };
    let page = Page {
        title: title(context.plan.kind, context.policy.desk.name(language), language),
        period: period(&context.slot, language),
        scope: scope(context, language),
        lead: writer.lead(),
        cards: writer.cards(),
        parts,
        notes: writer.notes(),
        files: files.iter().filter(|file| !file.inline).map(|file| file.name.clone()).collect(),
    };
    Written { page, files }
}

/// Which tickets it is about; empty: all.
pub fn scope(context: &Context, language: Language) -> String {
    let scope = &context.plan.scope;
    let names = scope.engineers.iter().map(|address| super::board::called(context, address.key()));
    let names: Vec<String> = scope.departments.iter().cloned().chain(names).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("{}{}", language.pick("范围：", "Scope: "), names.join(language.pick("、", ", ")))
}

impl Writer<'_> {
    fn say(&self, chinese: &str, english: &str) -> String {
        self.language.pick(chinese, english).to_owned()
    }

    fn now(&self) -> &Figures {
        &self.report.figures
    }

    fn before(&self) -> &Figures {
        &self.report.before
    }

    fn zone(&self) -> Tz {
        self.context.slot.period.zone
    }

    fn hours(&self, seconds: u64) -> String {
        duration(seconds, false, self.language)
    }

    fn days(&self, seconds: u64) -> String {
        duration(seconds, true, self.language)
    }

    /// `11-23 14:05` in the zone of the report.
    fn at(&self, at: Timestamp) -> String {
        at.at_zone(self.zone()).format("%m-%d %H:%M").to_string()
    }

    fn picture(&mut self, name: &str, picture: &Picture, alt: String) -> Option<Shown> {
        let id = format!("{name}.{}.{}", file_name(&self.context.slot), self.language.as_str());
        self.files.push(file(format!("{name}.png"), "image/png", png(picture), Some(id.clone())));
        Some(Shown { id, alt, width: WIDTH, height: picture.height })
    }

    fn lead(&self) -> Vec<String> {
        let (now, before) = (self.now(), self.before());
        let n = number;
        let flow = match self.language {
            Language::Chinese => format!(
                "新增 {} 张，关闭 {} 张，期末未关闭 {} 张（上期末 {} 张）。",
                n(now.new),
                n(now.closed),
                n(now.at_end),
                n(before.at_end)
            ),
            Language::English => format!(
                "{} new tickets, {} closed, {} open at the end ({} at the end of the last period).",
                n(now.new),
                n(now.closed),
                n(now.at_end),
                n(before.at_end)
            ),
        };
        let goals = self.context.goals;
        let figures = [
            (self.language.pick("响应达成率", "responses in time"), now.response, goals.response),
            (self.language.pick("解决达成率", "resolutions in time"), now.resolution, goals.resolution),
            (self.language.pick("满意率", "satisfaction"), now.satisfaction(), goals.satisfaction),
        ];
        let off = |value: Ratio, goal: u32| value.permille().is_some_and(|value| value < u64::from(goal) * 10);
        let short: Vec<String> = figures
            .iter()
            .filter(|(_, value, goal)| off(*value, *goal))
            .map(|(name, value, goal)| match self.language {
                Language::Chinese => format!("{name} {}（目标 {goal}%）", ratio(*value)),
                Language::English => format!("{name} {} (target {goal}%)", ratio(*value)),
            })
            .collect();
        let known = figures.iter().filter(|(_, value, _)| value.of > 0).count();
        let verdict = match (short.is_empty(), known) {
            (_, 0) => return vec![flow],
            (true, _) => self.say("有数据的指标均达到目标。", "Every figure that has a target meets it."),
            (false, _) => {
                format!(
                    "{}{}{}",
                    self.say("未达目标：", "Off target: "),
                    short.join(self.language.pick("，", ", ")),
                    self.say("。", ".")
                )
            }
        };
        let majors = match (now.majors, self.language) {
            (0, _) => String::new(),
            (count, Language::Chinese) => format!("本期有 {count} 起重大故障（P1），见第 8 部分。"),
            (1, Language::English) => "There was one major incident (P1), see part 8.".to_owned(),
            (count, Language::English) => format!("There were {count} major incidents (P1), see part 8."),
        };
        [flow, verdict, majors].into_iter().filter(|line| !line.is_empty()).collect()
    }

    fn before_line(&self, value: String, change: String) -> String {
        if value == NOTHING {
            return self.say("上期无数据", "nothing last period");
        }
        let change = if change.is_empty() { change } else { format!(" ({change})") };
        format!("{} {value}{change}", self.language.pick("上期", "before"))
    }

    fn count_card(&self, label: String, now: u64, before: u64, of: String) -> Card {
        let before = self.before_line(number(before), difference(now, before));
        Card { label, value: number(now), of, before, ..Card::default() }
    }

    fn rate_card(&self, label: String, now: Ratio, before: Ratio, goal: u32, more: String) -> Card {
        let change = points(now.permille(), before.permille(), self.language);
        let judged = now.permille().map(|value| good(value >= u64::from(goal) * 10, self.language));
        let (state, state_word) = judged.unwrap_or_default();
        let of = if now.of == 0 { String::new() } else { format!("{}{more}", counts(now)) };
        let goal = format!("{} {goal}%", self.language.pick("目标", "target"));
        Card { label, value: ratio(now), of, before: self.before_line(ratio(before), change), goal, state, state_word }
    }

    fn cards(&self) -> Vec<Card> {
        let (now, before, goals) = (self.now(), self.before(), self.context.goals);
        let cancelled = match now.created - now.new {
            0 => String::new(),
            count => {
                format!("{} {}", self.language.pick("另有取消或重复", "cancelled or merged besides:"), number(count))
            }
        };
        let awaiting =
            format!("{} {}", self.language.pick("其中待确认", "to be confirmed:"), number(now.stock.awaiting));
        let mut backlog = self.count_card(self.say("期末积压", "Open at the end"), now.at_end, before.at_end, awaiting);
        backlog.goal = self.say("不高于上期末", "no more than before");
        (backlog.state, backlog.state_word) = good(now.at_end <= now.at_start, self.language);
        let answered = now.answered();
        let rate = match answered.of {
            0 => String::new(),
            _ => format!(" · {} {}", self.language.pick("回收率", "answered:"), ratio(answered)),
        };
        vec![
            self.count_card(self.say("新增", "New"), now.new, before.new, cancelled),
            self.count_card(self.say("关闭", "Closed"), now.closed, before.closed, String::new()),
            backlog,
            self.rate_card(
                self.say("响应达成率", "Responses in time"),
                now.response,
                before.response,
                goals.response,
                String::new(),
            ),
            self.rate_card(
                self.say("解决达成率", "Resolutions in time"),
                now.resolution,
                before.resolution,
                goals.resolution,
                String::new(),
            ),
            self.rate_card(
                self.say("满意率", "Satisfaction"),
                now.satisfaction(),
                before.satisfaction(),
                goals.satisfaction,
                rate,
            ),
        ]
    }

    fn flow(&mut self) -> Part {
        let period = self.context.slot.period;
        let (language, now) = (self.language, &self.report.figures);
        let alt = match language {
            Language::Chinese => "每天新增、关闭与积压；数字见下表",
            Language::English => "New, closed and open tickets by day; the numbers stand below",
        };
        let drawn = picture::flow(&now.flow, period.first_day(), language);
        let picture = self.picture("flow", &drawn, alt.to_owned());
        let now = self.now();
        let head = || {
            vec![
                Cell::text(self.say("日期", "Day")),
                Cell::number(self.say("新增", "New")),
                Cell::number(self.say("关闭", "Closed")),
                Cell::number(self.say("积压", "Open")),
            ]
        };
        let day = |(index, (date, _)): (usize, &(chrono::NaiveDate, Timestamp))| {
            let flow = now.flow[index];
            let weekday = picture::weekday(date.weekday().num_days_from_monday() as usize, language);
            let label = format!("{} {weekday}", date.format("%m-%d"));
            vec![
                Cell::text(label),
                Cell::number(number(flow.new)),
                Cell::number(number(flow.closed)),
                Cell::number(flow.backlog.to_string()),
            ]
        };
        let days = period.days();
        let mut by_day = Table::new(head(), days.iter().enumerate().map(day).collect());
        by_day.text_only = true;
        let mut tables = vec![by_day];
        if days.len() > 10 {
            tables.push(self.by_week(&days, head()));
        } else {
            tables[0].text_only = false;
        }
        Part { title: self.say("流量与积压", "New, closed, open"), lead: vec![self.balance()], picture, tables }
    }

    /// The days of a month by calendar week.
    fn by_week(&self, days: &[(chrono::NaiveDate, Timestamp)], mut head: Vec<Cell>) -> Table {
        head[0] = Cell::text(self.say("周", "Week"));
        let mut rows: Vec<(chrono::NaiveDate, chrono::NaiveDate, u64, u64, i64)> = Vec::new();
        for ((date, _), flow) in days.iter().zip(&self.now().flow) {
            match rows.last_mut().filter(|(first, ..)| first.iso_week() == date.iso_week()) {
                Some(row) => *row = (row.0, *date, row.2 + flow.new, row.3 + flow.closed, flow.backlog),
                None => rows.push((*date, *date, flow.new, flow.closed, flow.backlog)),
            }
        }
        let row = |(first, last, new, closed, open): &(chrono::NaiveDate, chrono::NaiveDate, u64, u64, i64)| {
            let label = format!("{}–{}", first.format("%m-%d"), last.format("%m-%d"));
            vec![
                Cell::text(label),
                Cell::number(number(*new)),
                Cell::number(number(*closed)),
                Cell::number(open.to_string()),
            ]
        };
        Table::new(head, rows.iter().map(row).collect())
    }

    fn balance(&self) -> String {
        let now = self.now();
        let n = number;
        match self.language {
            Language::Chinese => format!(
                "期初 {} + 登记 {} + 关闭后重开 {} − 关闭 {} − 取消或合并 {} = 期末 {}；净流量 {}。",
                n(now.at_start),
                n(now.created),
                n(now.reopened),
                n(now.closed),
                n(now.cancelled),
                n(now.at_end),
                difference(now.new, now.closed)
            ),
            Language::English => format!(
                "{} at the start + {} registered + {} reopened after closing − {} closed − {} cancelled or merged = {} at the end. New less closed: {}.",
                n(now.at_start),
                n(now.created),
                n(now.reopened),
                n(now.closed),
                n(now.cancelled),
                n(now.at_end),
                difference(now.new, now.closed)
            ),
        }
    }

    fn targets(&self) -> Part {
        let head = vec![
            Cell::text(self.say("优先级", "Priority")),
            Cell::number(self.say("新增", "New")),
            Cell::number(self.say("响应达成", "Response met")),
            Cell::number(self.say("解决达成", "Resolution met")),
            Cell::number(self.say("解决用时", "Resolution")).more(self.say("中位 / P90", "median, P90")),
        ];
        let goals = self.context.goals;
        let rate = |value: Ratio, goal: u32| {
            let cell = Cell::number(ratio(value));
            let Some(permille) = value.permille() else { return cell.state(State::Faint) };
            let state = if permille < u64::from(goal) * 10 { State::Bad } else { State::Plain };
            cell.more(counts(value)).state(state)
        };
        let row = |priority: &Priority| {
            let of = &self.now().priorities[*priority as usize];
            let took = of.resolutions.took();
            let times = took.map_or(Cell::number(NOTHING).state(State::Faint), |took| {
                Cell::number(self.hours(took.median)).more(self.hours(took.p90))
            });
            vec![
                Cell::text(priority.name(self.language)),
                Cell::number(number(of.new)),
                rate(of.response, goals.response),
                rate(of.resolution, goals.resolution),
                times,
            ]
        };
        let lead = self.say(
            "每个时限只计一次：计入达成的那一期，没有达成的计入到期的那一期。用时不含挂起，按各级时限自己的时钟（全天或工作时间）计。",
            "A target counts once, when it was met or when it ran out. Times are in the clock of the target (as configured: round the clock or working time) without the time on hold.",
        );
        let tables = vec![Table::new(head, Priority::ALL.iter().map(row).collect())];
        Part {
            title: self.say("优先级与时限", "Priorities and targets"), lead: vec![lead], picture: None, tables
        }
    }

    fn times(&self) -> Part {
        let head = vec![
            Cell::text(self.say("指标", "Figure")),
            Cell::number(self.say("平均", "Mean")),
            Cell::number(self.say("中位数", "Median")),
            Cell::number("P90"),
        ];
        let (now, before) = (self.now(), self.before());
        let row = |name: String, spread: &Spread, last: &Spread, with_days: bool| {
            let say = |seconds: u64| duration(seconds, with_days, self.language);
            let last = last.took().map_or(NOTHING.to_owned(), |took| say(took.median));
            let took = spread.took();
            let n = took.map_or(0, |took| took.n);
            let more = match self.language {
                Language::Chinese => format!("n = {}；上期中位数 {last}", number(n)),
                Language::English => format!("n = {}; median before: {last}", number(n)),
            };
            let cell = |value: Option<u64>| Cell::number(value.map_or(NOTHING.to_owned(), say));
            vec![
                Cell::text(name).more(more),
                cell(took.map(|took| took.mean)),
                cell(took.map(|took| took.median)),
                cell(took.map(|took| took.p90)),
            ]
        };
        let rows = vec![
            row(
                self.say("首次响应（目标时钟）", "First response, target's clock"),
                &now.responses,
                &before.responses,
                false,
            ),
            row(
                self.say("首次响应（自然时间）", "First response, round the clock"),
                &now.responses_wall,
                &before.responses_wall,
                true,
            ),
            row(
                self.say("解决（目标时钟）", "Resolution, target's clock"),
                &now.resolutions,
                &before.resolutions,
                false,
            ),
            row(
                self.say("解决（自然时间）", "Resolution, round the clock"),
                &now.resolutions_wall,
                &before.resolutions_wall,
                true,
            ),
            row(self.say("审批", "Approvals"), &now.approvals, &before.approvals, true),
        ];
        let tables = vec![Table::new(head, rows)];
        Part { title: self.say("用时", "How long it took"), lead: Vec::new(), picture: None, tables }
    }

    fn categories(&self) -> Part {
        let head = vec![
            Cell::text(self.say("类别", "Category")),
            Cell::number(self.say("新增", "New")),
            Cell::number(self.say("占比", "Share")),
            Cell::number(self.say("较上期", "Change")),
        ];
        let (now, before) = (&self.now().categories, &self.before().categories);
        let longest = now.iter().copied().max().unwrap_or(0);
        let mut order: Vec<Category> = Category::ALL.to_vec();
        order.sort_by_key(|category| std::cmp::Reverse(now[*category as usize]));
        let row = |category: &Category| {
            let (count, last) = (now[*category as usize], before[*category as usize]);
            vec![
                Cell::text(category.name(self.language)).bar(count, longest),
                Cell::number(number(count)),
                Cell::number(permille(percent(count, self.now().new))),
                Cell::number(difference(count, last)),
            ]
        };
        let tables = vec![Table::new(head, order.iter().map(row).collect())];
        Part { title: self.say("类别", "Categories"), lead: Vec::new(), picture: None, tables }
    }

    fn departments(&self) -> Part {
        let staff = &self.context.goals.staff;
        let mut head = vec![
            Cell::text(self.say("部门", "Department")),
            Cell::number(self.say("新增", "New")),
            Cell::number(self.say("较上期", "Change")),
        ];
        if !staff.is_empty() {
            head.push(Cell::number(self.say("每百人", "Per 100 staff")));
        }
        let now = top(&self.now().departments, 10);
        let longest = now.first().map_or(0, |(_, count)| *count);
        let row = |(name, count): &(&str, u64)| {
            let last = self.before().departments.get(*name).copied().unwrap_or(0);
            let shown = if name.is_empty() { self.language.pick("未填写", "not given") } else { *name };
            let mut row = vec![
                Cell::text(shown).bar(*count, longest),
                Cell::number(number(*count)),
                Cell::number(difference(*count, last)),
            ];
            if !staff.is_empty() {
                let of =
                    staff.get(*name).map(|people| (count * 1000 + u64::from(*people) / 2) / u64::from(*people).max(1));
                row.push(Cell::number(
                    of.map_or(NOTHING.to_owned(), |tenths| format!("{}.{}", tenths / 10, tenths % 10)),
                ));
            }
            row
        };
        let tables = vec![Table::new(head, now.iter().map(row).collect())];
        let title = self.say("部门（前 10）", "Departments (top 10)");
        Part { title, lead: self.if_empty(now.is_empty()), picture: None, tables }
    }

    fn if_empty(&self, is_empty: bool) -> Vec<String> {
        if is_empty { vec![self.say("本期没有。", "None in this period.")] } else { Vec::new() }
    }

    fn ages(&mut self) -> Part {
        let language = self.language;
        let alt = self.say(
            "未关闭工单的龄期，按优先级分段；数字见下表",
            "Open tickets by age and priority; the numbers stand below",
        );
        let drawn = picture::ages(&self.report.figures, language);
        let picture = self.picture("ages", &drawn, alt);
        let stock = &self.now().stock;
        let mut head = vec![Cell::text(self.say("龄期", "Age"))];
        head.extend(Priority::ALL.iter().map(|priority| Cell::number(priority.as_str())));
        head.push(Cell::number(self.say("合计", "All")));
        let row = |(index, band): (usize, &[u64; 4])| {
            let mut row = vec![Cell::text(picture::age(index, language))];
            row.extend(band.iter().map(|count| Cell::number(number(*count))));
            row.push(Cell::number(number(band.iter().sum())));
            row
        };
        let mut tables = vec![Table::new(head, stock.ages.iter().enumerate().map(row).collect())];
        tables[0].text_only = true;
        let oldest = stock.oldest.iter().map(|one| {
            let days = self.now().period.to.since(one.created).as_secs() / 86_400;
            let since = match language {
                Language::Chinese => format!("{days} 天"),
                Language::English => format!("{days} d"),
            };
            vec![self.ticket_cell(one.number), Cell::number(since)]
        });
        let oldest: Vec<Vec<Cell>> = oldest.collect();
        if !oldest.is_empty() {
            let head = vec![
                Cell::text(self.say("最久的 10 张（待确认的除外）", "The ten oldest, without those to be confirmed")),
                Cell::number(self.say("龄期", "Age")),
            ];
            tables.push(Table::new(head, oldest));
        }
        let lead = match stock.awaiting {
            0 => Vec::new(),
            count => vec![match language {
                Language::Chinese => format!("其中 {} 张已解决，等待报障人确认。", number(count)),
                Language::English => format!("{} of them are resolved and wait to be confirmed.", number(count)),
            }],
        };
        Part { title: self.say("积压龄期", "How old open tickets are"), lead, picture, tables }
    }

    /// Number and subject, below it priority, category, department.
    fn ticket_cell(&self, number: Number) -> Cell {
        let Some(ticket) = self.report.details.ticket(number) else { return Cell::text(number.to_string()) };
        let subject = if ticket.subject.is_empty() {
            self.language.pick("（无主题）", "(no subject)")
        } else {
            &ticket.subject
        };
        let mut about = vec![ticket.priority.as_str().to_owned(), ticket.category.name(self.language).to_owned()];
        about.extend(
            ticket.fields.get(&Field::Department).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        );
        Cell::text(format!("{number} {}", cut(subject, 60))).more(about.join(" · "))
    }

    fn missed(&self) -> Part {
        let now = self.now();
        let missed = now.resolution.of - now.resolution.met;
        let reasons = Reason::ALL.iter().filter(|reason| **reason != Reason::None);
        let reasons = reasons.filter_map(|one| Some((*one, *now.reasons.get(one.as_str())?)));
        let reasons: Vec<String> =
            reasons.map(|(one, count)| format!("{} {}", reason(one, self.language), number(count))).collect();
        let lead = match (missed, self.language) {
            (0, Language::Chinese) => vec!["本期没有解决超时。".to_owned()],
            (0, Language::English) => vec!["No resolution target was missed.".to_owned()],
            (_, Language::Chinese) => vec![format!(
                "解决超时 {} 张，从记录推断的原因：{}。{}",
                number(missed),
                reasons.join("，"),
                if missed > LISTED as u64 { "下面是其中最紧急的。" } else { "" }
            )],
            (_, Language::English) => vec![format!(
                "{} resolution targets were missed. Likely reasons, from the history: {}.{}",
                number(missed),
                reasons.join(", "),
                if missed > LISTED as u64 { " The most urgent ones:" } else { "" }
            )],
        };
        let head = vec![
            Cell::text(self.say("工单", "Ticket")),
            Cell::number(self.say("超出", "Late by")).more(self.say("原因", "reason")),
        ];
        let row = |one: &crate::desk::digest::Missed| {
            let open = (!one.resolved).then(|| self.language.pick("未解决", "not resolved"));
            let why: Vec<&str> = std::iter::once(reason(one.reason, self.language)).chain(open).collect();
            let late = self.days(u64::from(one.late));
            vec![self.ticket_cell(one.number), Cell::number(late).more(why.join(self.language.pick("，", ", ")))]
        };
        let rows: Vec<_> = now.missed.iter().take(LISTED).map(row).collect();
        let tables = if rows.is_empty() { Vec::new() } else { vec![Table::new(head, rows)] };
        Part { title: self.say("超时清单", "Missed targets"), lead, picture: None, tables }
    }

    fn majors(&self) -> Part {
        let (now, before) = (self.now(), self.before());
        let language = self.language;
        let minutes = |seconds: u64| number(seconds / 60);
        let mut lead = vec![match language {
            Language::Chinese => format!(
                "{} 起（上期 {} 起），本期内影响 {} 分钟，乘以已知人数为 {} 人·分钟。",
                number(now.majors),
                number(before.majors),
                minutes(now.major_seconds),
                minutes(now.major_people_seconds)
            ),
            Language::English => format!(
                "{} (before: {}), {} minutes of impact in this period, {} person-minutes by those who reported it.",
                number(now.majors),
                number(before.majors),
                minutes(now.major_seconds),
                minutes(now.major_people_seconds)
            ),
        }];
        let whole = now.period.to.since(now.period.from).as_secs();
        let up = whole.saturating_sub(now.major_seconds);
        if let (Some(mttr), Some(mtbf)) = (now.major_seconds.checked_div(now.majors), up.checked_div(now.majors)) {
            lead.push(match language {
                Language::Chinese => {
                    format!("平均修复时间（MTTR）{}，平均无故障时间（MTBF）{}。", self.days(mttr), self.days(mtbf))
                }
                Language::English => {
                    format!("Mean time to repair {}, mean time between failures {}.", self.days(mttr), self.days(mtbf))
                }
            });
        }
        let head = vec![Cell::text(self.say("故障", "Incident")), Cell::number(self.say("持续", "Lasted"))];
        let rows: Vec<Vec<Cell>> = now.major_list.iter().take(LISTED).map(|one| self.major_row(one)).collect();
        let tables = if rows.is_empty() { Vec::new() } else { vec![Table::new(head, rows)] };
        Part { title: self.say("重大故障", "Major incidents"), lead, picture: None, tables }
    }

    fn major_row(&self, one: &crate::desk::digest::Major) -> Vec<Cell> {
        let language = self.language;
        let mut cell = self.ticket_cell(one.number);
        let ticket = self.report.details.ticket(one.number);
        let mut about = Vec::new();
        about.push(match (one.people, ticket.map(|ticket| ticket.impact)) {
            (1, impact) => self.say("影响：", "impact: ") + impact.map_or("", |impact: Impact| impact.name(language)),
            (people, _) => match language {
                Language::Chinese => format!("{people} 人报告"),
                Language::English => format!("reported by {people}"),
            },
        });
        about.extend(self.milestones(one));
        if let Some(engineer) = ticket.and_then(|ticket| ticket.assignee.as_ref()) {
            let name = super::board::called(self.context, engineer.key());
            about.push(format!("{}{name}", self.language.pick("负责：", "owner: ")));
        }
        cell.more = format!("{} · {}", cell.more, about.join(" · "));
        let end = one.resolved.unwrap_or(self.now().period.to);
        let open = if one.resolved.is_some() { String::new() } else { self.say("未解决", "not resolved") };
        vec![cell, Cell::number(self.days(end.since(one.began).as_secs())).more(open)]
    }

    /// What happened when, in a line.
    fn milestones(&self, one: &crate::desk::digest::Major) -> Vec<String> {
        let mut told = vec![format!("{} {}", self.at(one.began), self.language.pick("报告", "reported"))];
        let ticket = self.report.details.ticket(one.number);
        if let Some(at) = ticket.and_then(|ticket| ticket.first_response).filter(|at| *at >= one.began) {
            told.push(format!("{} {}", self.at(at), self.language.pick("响应", "response")));
        }
        let timeline = self.report.details.timeline(one.number);
        if let Some(entry) = timeline.iter().find(|entry| entry.what == What::Workaround) {
            told.push(format!("{} {}", self.at(entry.at), self.language.pick("临时措施", "workaround")));
        }
        if let Some(at) = one.resolved {
            told.push(format!("{} {}", self.at(at), self.language.pick("恢复", "resolved")));
        }
        told
    }

    fn topics(&self) -> Part {
        let head = vec![
            Cell::text(self.say("主题词", "Topic")),
            Cell::number(self.say("新增", "New")),
            Cell::number(self.say("上期", "Before")),
            Cell::number(self.say("近 30 天", "In 30 days")),
        ];
        let now = top(&self.now().topics, 10);
        let longest = now.first().map_or(0, |(_, count)| *count);
        let lately = |name: &str| self.now().kinds.get(name).copied().unwrap_or(0);
        let row = |(name, count): &(&str, u64)| {
            let advice = match lately(name) {
                PROBLEM.. => self.language.pick("立问题记录", "open a problem record"),
                2 => self.language.pick("写知识条目", "write an article"),
                _ => "",
            };
            vec![
                Cell::text(*name).bar(*count, longest),
                Cell::number(number(*count)),
                Cell::number(number(self.before().topics.get(*name).copied().unwrap_or(0))),
                Cell::number(number(lately(name))).more(advice),
            ]
        };
        let problems = self.now().kinds.values().filter(|count| **count >= PROBLEM).count() as u64;
        let lead = match (now.is_empty(), self.language) {
            (true, _) => self.if_empty(true),
            (_, Language::Chinese) => {
                vec![format!("近 30 天出现 3 次以上的主题 {} 个，宜查根本原因。", number(problems))]
            }
            (_, Language::English) => {
                vec![format!("{} topics came up three times or more in 30 days: worth a root cause.", number(problems))]
            }
        };
        let tables = if now.is_empty() { Vec::new() } else { vec![Table::new(head, now.iter().map(row).collect())] };
        Part {
            title: self.say("反复出现的问题（前 10）", "Repeated topics (top 10)"), lead, picture: None, tables
        }
    }

    fn satisfaction(&self) -> Part {
        let now = self.now();
        let all: u64 = now.ratings.iter().sum();
        let names = [("满意", "Satisfied"), ("基本满意", "Mostly satisfied"), ("不满意", "Not satisfied")];
        let rows = names.iter().zip(now.ratings).zip(self.before().ratings).map(|((name, count), last)| {
            vec![
                Cell::text(self.say(name.0, name.1)).bar(count, all),
                Cell::number(number(count)),
                Cell::number(permille(percent(count, all))),
                Cell::number(difference(count, last)),
            ]
        });
        let head = vec![
            Cell::text(self.say("评价", "Judgement")),
            Cell::number(self.say("次数", "Count")),
            Cell::number(self.say("占比", "Share")),
            Cell::number(self.say("较上期", "Change")),
        ];
        let mut tables = vec![Table::new(head, rows.collect())];
        let lead = match self.language {
            Language::Chinese => format!(
                "满意率 {}，其中“满意” {}；回收率 {}，没有回答的不计入。不满意在一个工作日内跟进 {}。",
                ratio_of(now.satisfaction()),
                ratio(now.full_satisfaction()),
                ratio_of(now.answered()),
                ratio_of(now.followed)
            ),
            Language::English => format!(
                "Satisfied or mostly: {}, fully satisfied: {}. Answered: {}; silence counts as nothing. Dissatisfied people heard from an engineer within a working day: {}.",
                ratio_of(now.satisfaction()),
                ratio(now.full_satisfaction()),
                ratio_of(now.answered()),
                ratio_of(now.followed)
            ),
        };
        if !now.complaints.is_empty() {
            let head = vec![Cell::text(self.say("不满意", "Not satisfied")), Cell::text(self.say("跟进", "Taken up"))];
            tables.push(Table::new(head, now.complaints.iter().map(|one| self.complaint_row(one)).collect()));
        }
        Part { title: self.say("满意度", "Satisfaction"), lead: vec![lead], picture: None, tables }
    }

    fn complaint_row(&self, one: &crate::desk::digest::Complaint) -> Vec<Cell> {
        let mut cell = self.ticket_cell(one.number);
        let comment = self.report.details.comment(one.number);
        if !comment.trim().is_empty() {
            cell.more = format!("{} · “{}”", cell.more, cut(comment, 80));
        }
        let (word, state) = match (one.followed, one.in_time) {
            (Some(_), true) => (self.language.pick("已按时跟进", "in time"), State::Good),
            (Some(_), false) => (self.language.pick("已跟进，超过一个工作日", "late"), State::Bad),
            (None, _) => (self.language.pick("尚未跟进", "not yet"), State::Bad),
        };
        let at = one.followed.map_or(String::new(), |at| self.at(at));
        vec![cell, Cell::text(word).more(at).state(state)]
    }

    fn rates(&self) -> Part {
        let head = vec![
            Cell::text(self.say("指标", "Figure")),
            Cell::number(self.say("本期", "Now")),
            Cell::number(self.say("上期", "Before")),
        ];
        let (now, before) = (self.now(), self.before());
        let row = |chinese: &str, english: &str, of: &dyn Fn(&Figures) -> Ratio| {
            let (value, last) = (of(now), of(before));
            let counted = if value.of == 0 { "n = 0".to_owned() } else { counts(value) };
            vec![
                Cell::text(self.say(chinese, english)).more(counted),
                Cell::number(ratio(value)),
                Cell::number(ratio(last)),
            ]
        };
        let mut rows = vec![
            row("首次联系解决率（P3、P4）", "Resolved at the first contact (P3, P4)", &|f| f.first_contact),
            row("重开率（解决后 30 天内）", "Reopened within 30 days", &|f| f.reopens),
            row("派单准确率", "Resolved by whom it was given to first", &|f| f.dispatch),
            row("职能升级率", "Handed up to seniors or vendors", &|f| f.functional),
            row("管理升级率", "Escalated to supervisors or managers", &|f| f.hierarchic),
            row("重复率（同人同类 30 天内）", "Repeated by the same person within 30 days", &|f| f.repeats),
            row("自动分类准确率", "Category as sorted by the desk", &|f| f.category_kept),
            row("自动定级准确率", "Priority as sorted by the desk", &|f| f.priority_kept),
        ];
        rows.push(self.load(|f| &f.closed_by, self.say("人均关闭", "Closed per engineer")));
        rows.push(self.load(|f| &f.open_with, self.say("人均在办", "Open per engineer")));
        let lead = self.say(
            "重复率低于 10% 为健康，高于 15% 需关注。工程师只列人均，不点名。",
            "Fewer than 10% repeats are healthy, more than 15% deserve a look. Engineers are not named here.",
        );
        let tables = vec![Table::new(head, rows)];
        Part { title: self.say("质量与负荷", "Quality and load"), lead: vec![lead], picture: None, tables }
    }

    /// Tickets per engineer who had any.
    fn load(&self, of: impl Fn(&Figures) -> &HashMap<String, u64>, name: String) -> Vec<Cell> {
        let mean = |figures: &Figures| {
            let counts = of(figures);
            let people = counts.len() as u64;
            let tenths = (counts.values().sum::<u64>() * 20 + people).checked_div(2 * people);
            tenths.map_or(NOTHING.to_owned(), |tenths| format!("{}.{}", number(tenths / 10), tenths % 10))
        };
        let counts = of(self.now());
        let most = counts.values().max().copied().unwrap_or(0);
        let more = match self.language {
            Language::Chinese => format!("{} 人，最多 {}", counts.len(), number(most)),
            Language::English => format!("{} people, {} at most", counts.len(), number(most)),
        };
        vec![Cell::text(name).more(more), Cell::number(mean(self.now())), Cell::number(mean(self.before()))]
    }

    fn heat(&mut self) -> Part {
        let language = self.language;
        let alt = self.say(
            "新增工单在一周各小时的分布；数字见纯文本部分",
            "New tickets by weekday and hour; the numbers stand in the text part",
        );
        let drawn = picture::heat(&self.report.figures, language);
        let picture = self.picture("heat", &drawn, alt);
        let mut head = vec![Cell::text("")];
        head.extend((0..24).map(|hour| Cell::number(hour.to_string())));
        let row = |(day, hours): (usize, &[u64; 24])| {
            let mut row = vec![Cell::text(picture::weekday(day, language))];
            row.extend(
                hours.iter().map(|count| Cell::number(if *count == 0 { "·".to_owned() } else { count.to_string() })),
            );
            row
        };
        let heat = &self.now().heat;
        let mut table = Table::new(head, heat.iter().enumerate().map(row).collect());
        table.text_only = true;
        let busiest = heat
            .iter()
            .enumerate()
            .flat_map(|(day, hours)| hours.iter().enumerate().map(move |(hour, count)| (*count, day, hour)));
        let lead = busiest
            .max_by_key(|(count, day, hour)| (*count, std::cmp::Reverse((*day, *hour))))
            .filter(|(count, ..)| *count > 0);
        let lead = lead.map(|(count, day, hour)| {
            let day = picture::weekday(day, language);
            match language {
                Language::Chinese => format!("最忙的是{day} {hour}:00–{}:00，共 {} 张。", hour + 1, number(count)),
                Language::English => format!("Busiest: {day} {hour}:00–{}:00, {} tickets.", hour + 1, number(count)),
            }
        });
        Part {
            title: self.say("何时来单", "When tickets come"),
            lead: lead.into_iter().collect(),
            picture,
            tables: vec![table],
        }
    }

    /// Where people corrected the desk's sorting.
    fn sorting(&self) -> Part {
        let confusion = &self.now().confusion;
        let mut wrong: Vec<(u64, Category, Category)> = Vec::new();
        for from in Category::ALL {
            for to in Category::ALL.iter().filter(|to| *to != from) {
                let count = confusion[*from as usize][*to as usize];
                if count > 0 {
                    wrong.push((count, *from, *to));
                }
            }
        }
        wrong.sort_by_key(|(count, from, to)| (std::cmp::Reverse(*count), *from, *to));
        let head = vec![
            Cell::text(self.say("自动分类", "Sorted as")),
            Cell::text(self.say("改为", "Corrected to")),
            Cell::number(self.say("张数", "Tickets")),
        ];
        let row = |(count, from, to): &(u64, Category, Category)| {
            let all: u64 = confusion[*from as usize].iter().sum();
            let share =
                format!("{} {}", permille(percent(*count, all)), self.language.pick("的该类工单", "of that category"));
            vec![
                Cell::text(from.name(self.language)),
                Cell::text(to.name(self.language)),
                Cell::number(number(*count)).more(share),
            ]
        };
        let lead = match self.language {
            Language::Chinese => format!(
                "关闭的工单中，类别未被改动 {}，优先级未被改动 {}。",
                ratio_of(self.now().category_kept),
                ratio_of(self.now().priority_kept)
            ),
            Language::English => format!(
                "Of closed tickets, {} kept the desk's category and {} its priority.",
                ratio_of(self.now().category_kept),
                ratio_of(self.now().priority_kept)
            ),
        };
        let mut tables = if wrong.is_empty() {
            Vec::new()
        } else {
            vec![Table::new(head, wrong.iter().take(12).map(row).collect())]
        };
        tables.extend(self.proposals());
        Part {
            title: self.say("自动分类的偏差", "Where sorting was corrected"),
            lead: vec![lead],
            picture: None,
            tables,
        }
    }

    /// The best few changes of keywords, with what they would have done to past tickets.
    fn proposals(&self) -> Option<Table> {
        let learnt = self.report.learnt.as_ref().filter(|learnt| !learnt.proposals.is_empty())?;
        let language = self.language;
        let row = |proposal: &Proposal| {
            let deed = match proposal.kind() {
                Deed::Add => language.pick("增加", "add"),
                Deed::Drop => language.pick("删除", "drop"),
                Deed::Reweight => language.pick("调整", "reweight"),
            };
            let place: Vec<&str> =
                [proposal.list(), proposal.grade()].into_iter().filter(|word| !word.is_empty()).collect();
            let ((before, after, of), worse) = (proposal.right, number(proposal.worse.len() as u64));
            let effect = match language {
                Language::Chinese => format!("{} 人，另有 {worse} 张变差", proposal.people),
                Language::English => format!("{} people, {worse} worse", proposal.people),
            };
            vec![
                Cell::text(format!("{deed} {}", proposal.term())).more(place.join(" ")),
                Cell::number(format!("{} → {} / {}", number(before), number(after), number(of))).more(effect),
            ]
        };
        let cases = number(learnt.cases as u64);
        let head = vec![
            Cell::text(self.say("关键词建议", "Proposed keywords")).more(self.say(
                "整个服务台；全部见 maildesk triage review",
                "of the whole desk; all of them: maildesk triage review",
            )),
            Cell::number(match language {
                Language::Chinese => format!("最近 {cases} 张中正确"),
                Language::English => format!("Right of the newest {cases}"),
            }),
        ];
        Some(Table::new(head, learnt.proposals.iter().take(PROPOSALS).map(row).collect()))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            self.say(
                "“—”表示本期没有可计的数据。P90 和中位数取实际发生过的值。",
                "A dash means that there was nothing to count. Median and P90 are values that occurred.",
            ),
            self.say(
                "已取消、合并的工单只计入收支平衡；挂在同一故障主单下的报告计为工单，但不计入时限和比率。",
                "Cancelled and merged tickets count in the balance only. Reports that hang on one fault count as tickets, but not in targets and rates.",
            ),
        ];
        let years = self.context.policy.calendar.years_known();
        let year = self.context.slot.period.first_day().year();
        if !years.is_empty() && !years.contains(&year) {
            notes.push(match self.language {
                Language::Chinese => format!("{year} 年的节假日尚未录入，工作时间只按周末推算。"),
                Language::English => {
                    format!("The public holidays of {year} are not known: working time follows weekends only.")
                }
            });
        }
        if self.report.left_out > 0 {
            let (rows, left) = (self.report.rows.len() as u64, self.report.left_out);
            notes.push(match self.language {
                Language::Chinese => format!("附件中的明细为前 {} 行，另有 {} 行未附。", number(rows), number(left)),
                Language::English => {
                    format!("The files hold the first {} rows; {} more are left out.", number(rows), number(left))
                }
            });
        }
        notes
    }
}

/// The most frequent names, the first of equals by name.
fn top(names: &HashMap<String, u64>, most: usize) -> Vec<(&str, u64)> {
    let mut all: Vec<(&str, u64)> = names.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    all.truncate(most);
    all
}

/// At most so many characters.
pub fn cut(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most { line } else { line.chars().take(most).chain(['…']).collect() }
}
