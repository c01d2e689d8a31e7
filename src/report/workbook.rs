//! The figures and the rounds of a period as a workbook with charts of its own (`.xlsx`).
//!
//! What people wrote is written as text, never as a formula.

use super::csv::{COLUMNS, Value};
use super::picture::age;
use super::reviews::{about, standing};
use super::words::NOTHING;
use super::{Context, OfPeriod};
use crate::desk::digest::{Figures, Ratio, Spread};
use crate::desk::words::{Category, Language, Priority};
use crate::time::Timestamp;
use chrono_tz::Tz;
use rust_xlsxwriter::{Chart, ChartType, Color, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

/// A name and how its figure is found.
type Named<T> = (&'static str, fn(&Figures) -> T);
type SpreadOf = fn(&Figures) -> &Spread;

/// A workbook under construction.
struct Writer<'a> {
    report: &'a OfPeriod,
    language: Language,
    zone: Tz,
    bold: Format,
    percent: Format,
    time: Format,
    day: Format,
    hours: Format,
}

/// The whole file.
///
/// # Panics
/// Never: a workbook in memory fails only on names and sizes that are not ours.
pub fn write(report: &OfPeriod, context: &Context, language: Language) -> Vec<u8> {
    let head = Format::new().set_bold().set_background_color(Color::RGB(0xE8_EEF7));
    let format = |number: &str| Format::new().set_num_format(number);
    let writer = Writer {
        report,
        language,
        zone: context.slot.period.zone,
        bold: head,
        percent: format("0.0%"),
        time: format("yyyy-mm-dd hh:mm"),
        day: format("yyyy-mm-dd"),
        hours: format("0.00"),
    };
    writer.workbook().expect("a workbook in memory")
}

impl Writer<'_> {
    fn say(&self, chinese: &'static str, english: &'static str) -> &'static str {
        self.language.pick(chinese, english)
    }

    fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        // The same report is always the same file.
        let made = self.moment(self.report.figures.period.to)?;
        workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&made));
        self.overview(workbook.add_worksheet())?;
        self.days(workbook.add_worksheet())?;
        self.priorities(workbook.add_worksheet())?;
        self.categories(workbook.add_worksheet())?;
        self.ages(workbook.add_worksheet())?;
        self.reviews(workbook.add_worksheet())?;
        self.rows(workbook.add_worksheet())?;
        workbook.save_to_buffer()
    }

    /// The wall clock of the report's zone, as spreadsheets know time.
    fn moment(&self, at: Timestamp) -> Result<ExcelDateTime, XlsxError> {
        ExcelDateTime::parse_from_str(&at.at_zone(self.zone).format("%Y-%m-%dT%H:%M:%S").to_string())
    }

    fn head(&self, sheet: &mut Worksheet, name: &str, columns: &[&str]) -> Result<(), XlsxError> {
        sheet.set_name(name)?;
        for (column, title) in (0..).zip(columns) {
            sheet.write_string_with_format(0, column, *title, &self.bold)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(())
    }

    fn ratio(&self, sheet: &mut Worksheet, row: u32, column: u16, ratio: Ratio) -> Result<(), XlsxError> {
        match ratio.of {
            0 => sheet.write_string(row, column, NOTHING)?,
            of => sheet.write_number_with_format(row, column, ratio.met as f64 / of as f64, &self.percent)?,
        };
        Ok(())
    }

    fn overview(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let names = [
            self.say("指标", "Figure"),
            self.say("本期", "Now"),
            self.say("分子", "Met"),
            self.say("分母（n）", "Of (n)"),
            self.say("上期", "Before"),
            self.say("上期 n", "Before, n"),
        ];
        self.head(sheet, self.say("概览", "Overview"), &names)?;
        let (now, before) = (&self.report.figures, &self.report.before);
        let counts: [Named<u64>; 9] = [
            (self.say("新增", "New"), |f| f.new),
            (self.say("登记（含取消、重复）", "Registered, cancelled ones included"), |f| f.created),
            (self.say("关闭", "Closed"), |f| f.closed),
            (self.say("取消或合并", "Cancelled or merged"), |f| f.cancelled),
            (self.say("关闭后重开", "Reopened after closing"), |f| f.reopened),
            (self.say("期初积压", "Open at the start"), |f| f.at_start),
            (self.say("期末积压", "Open at the end"), |f| f.at_end),
            (self.say("重大故障", "Major incidents"), |f| f.majors),
            (self.say("重大故障分钟", "Minutes of major incidents"), |f| f.major_seconds / 60),
        ];
        let mut row = 1;
        for (name, of) in counts {
            sheet.write_string(row, 0, name)?;
            sheet.write_number(row, 1, of(now) as f64)?;
            sheet.write_number(row, 4, of(before) as f64)?;
            row += 1;
        }
        let rates: [Named<Ratio>; 14] = [
            (self.say("响应达成率", "Responses in time"), |f| f.response),
            (self.say("解决达成率", "Resolutions in time"), |f| f.resolution),
            (self.say("满意率（满意 + 基本满意）", "Satisfied or mostly"), Figures::satisfaction),
            (self.say("满意率（仅满意）", "Fully satisfied"), Figures::full_satisfaction),
            (self.say("评价回收率", "Answered"), Figures::answered),
            (self.say("不满意按时跟进率", "Dissatisfied, taken up in time"), |f| f.followed),
            (self.say("首次联系解决率", "Resolved at the first contact"), |f| f.first_contact),
            (self.say("重开率", "Reopened within 30 days"), |f| f.reopens),
            (self.say("派单准确率", "Resolved by whom it was given to first"), |f| f.dispatch),
            (self.say("职能升级率", "Handed up to seniors or vendors"), |f| f.functional),
            (self.say("管理升级率", "Escalated to supervisors or managers"), |f| f.hierarchic),
            (self.say("重复率", "Repeated within 30 days"), |f| f.repeats),
            (self.say("自动分类准确率", "Category as sorted by the desk"), |f| f.category_kept),
            (self.say("自动定级准确率", "Priority as sorted by the desk"), |f| f.priority_kept),
        ];
        for (name, of) in rates {
            sheet.write_string(row, 0, name)?;
            self.ratio(sheet, row, 1, of(now))?;
            sheet.write_number(row, 2, of(now).met as f64)?;
            sheet.write_number(row, 3, of(now).of as f64)?;
            self.ratio(sheet, row, 4, of(before))?;
            sheet.write_number(row, 5, of(before).of as f64)?;
            row += 1;
        }
        row += 1;
        let names = [
            self.say("用时（小时）", "Hours"),
            self.say("平均", "Mean"),
            self.say("中位数", "Median"),
            "P90",
            "n",
            self.say("上期中位数", "Median before"),
        ];
        for (column, name) in (0..).zip(names) {
            sheet.write_string_with_format(row, column, name, &self.bold)?;
        }
        let spreads: [(&str, SpreadOf); 5] = [
            (self.say("首次响应（目标时钟）", "First response, target's clock"), |f| &f.responses),
            (self.say("首次响应（自然时间）", "First response, round the clock"), |f| &f.responses_wall),
            (self.say("解决（目标时钟）", "Resolution, target's clock"), |f| &f.resolutions),
            (self.say("解决（自然时间）", "Resolution, round the clock"), |f| &f.resolutions_wall),
            (self.say("审批", "Approvals"), |f| &f.approvals),
        ];
        for (name, of) in spreads {
            row += 1;
            sheet.write_string(row, 0, name)?;
            let (took, last) = (of(now).took(), of(before).took());
            sheet.write_number(row, 4, took.map_or(0.0, |took| took.n as f64))?;
            self.hours(sheet, row, 5, last.map(|took| took.median))?;
            self.hours(sheet, row, 1, took.map(|took| took.mean))?;
            self.hours(sheet, row, 2, took.map(|took| took.median))?;
            self.hours(sheet, row, 3, took.map(|took| took.p90))?;
        }
        sheet.set_column_width(0, 36)?;
        Ok(())
    }

    fn hours(&self, sheet: &mut Worksheet, row: u32, column: u16, seconds: Option<u64>) -> Result<(), XlsxError> {
        match seconds {
            None => sheet.write_string(row, column, NOTHING)?,
            Some(seconds) => sheet.write_number_with_format(row, column, seconds as f64 / 3600.0, &self.hours)?,
        };
        Ok(())
    }

    fn days(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let name = self.say("每天", "Days");
        let (new, closed) = (self.say("新增", "New"), self.say("关闭", "Closed"));
        let backlog = self.say("积压", "Open");
        self.head(sheet, name, &[self.say("日期", "Day"), new, closed, backlog])?;
        let figures = &self.report.figures;
        let mut last = 0;
        for (row, ((_, begins), flow)) in (1..).zip(figures.period.days().iter().zip(&figures.flow)) {
            sheet.write_datetime_with_format(row, 0, &self.moment(*begins)?, &self.day)?;
            for (column, value) in [(1, flow.new as f64), (2, flow.closed as f64), (3, flow.backlog as f64)] {
                sheet.write_number(row, column, value)?;
            }
            last = row;
        }
        sheet.set_column_width(0, 12)?;
        let mut chart = Chart::new(ChartType::Column);
        for column in [1, 2] {
            let series = chart.add_series();
            series.set_name((name, 0, column)).set_categories((name, 1, 0, last, 0));
            series.set_values((name, 1, column, last, column));
        }
        let mut line = Chart::new(ChartType::Line);
        let series = line.add_series();
        series.set_name((name, 0, 3)).set_categories((name, 1, 0, last, 0)).set_values((name, 1, 3, last, 3));
        series.set_secondary_axis(true);
        chart.combine(&line);
        chart.set_width(760).set_height(360);
        sheet.insert_chart(1, 5, &chart)?;
        Ok(())
    }

    fn priorities(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let names = [
            self.say("优先级", "Priority"),
            self.say("新增", "New"),
            self.say("响应达成率", "Responses in time"),
            self.say("响应 n", "Responses, n"),
            self.say("解决达成率", "Resolutions in time"),
            self.say("解决 n", "Resolutions, n"),
            self.say("响应中位数（小时）", "Response, median hours"),
            self.say("响应 P90（小时）", "Response, P90 hours"),
            self.say("解决中位数（小时）", "Resolution, median hours"),
            self.say("解决 P90（小时）", "Resolution, P90 hours"),
        ];
        self.head(sheet, self.say("优先级", "Priorities"), &names)?;
        for (row, priority) in (1..).zip(Priority::ALL) {
            let of = &self.report.figures.priorities[*priority as usize];
            sheet.write_string(row, 0, priority.as_str())?;
            sheet.write_number(row, 1, of.new as f64)?;
            self.ratio(sheet, row, 2, of.response)?;
            sheet.write_number(row, 3, of.response.of as f64)?;
            self.ratio(sheet, row, 4, of.resolution)?;
            sheet.write_number(row, 5, of.resolution.of as f64)?;
            let (response, resolution) = (of.responses.took(), of.resolutions.took());
            self.hours(sheet, row, 6, response.map(|took| took.median))?;
            self.hours(sheet, row, 7, response.map(|took| took.p90))?;
            self.hours(sheet, row, 8, resolution.map(|took| took.median))?;
            self.hours(sheet, row, 9, resolution.map(|took| took.p90))?;
        }
        sheet.set_column_range_width(0, 9, 16)?;
        Ok(())
    }

    fn categories(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let name = self.say("类别", "Categories");
        let (now, before) = (&self.report.figures.categories, &self.report.before.categories);
        self.head(sheet, name, &[self.say("类别", "Category"), self.say("本期", "Now"), self.say("上期", "Before")])?;
        for (row, category) in (1..).zip(Category::ALL) {
            sheet.write_string(row, 0, category.name(self.language))?;
            sheet.write_number(row, 1, now[*category as usize] as f64)?;
            sheet.write_number(row, 2, before[*category as usize] as f64)?;
        }
        sheet.set_column_width(0, 20)?;
        let last = Category::ALL.len() as u32;
        let mut chart = Chart::new(ChartType::Bar);
        for column in [1, 2] {
            let series = chart.add_series();
            series.set_name((name, 0, column)).set_categories((name, 1, 0, last, 0));
            series.set_values((name, 1, column, last, column));
        }
        chart.y_axis().set_reverse();
        chart.set_width(620).set_height(340);
        sheet.insert_chart(1, 4, &chart)?;
        Ok(())
    }

    fn ages(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let name = self.say("龄期", "Ages");
        let mut columns = vec![self.say("龄期", "Age")];
        columns.extend(Priority::ALL.iter().map(|priority| priority.as_str()));
        self.head(sheet, name, &columns)?;
        let ages = &self.report.figures.stock.ages;
        for (band, counts) in ages.iter().enumerate() {
            let row = band as u32 + 1;
            sheet.write_string(row, 0, age(band, self.language))?;
            for (column, count) in (1..).zip(counts) {
                sheet.write_number(row, column, *count as f64)?;
            }
        }
        sheet.set_column_width(0, 14)?;
        let mut chart = Chart::new(ChartType::BarStacked);
        for column in 1..=4 {
            let series = chart.add_series();
            series.set_name((name, 0, column)).set_categories((name, 1, 0, ages.len() as u32, 0));
            series.set_values((name, 1, column, ages.len() as u32, column));
        }
        chart.y_axis().set_reverse();
        chart.set_width(620).set_height(320);
        sheet.insert_chart(1, 6, &chart)?;
        Ok(())
    }

    /// Every review and problem record that the letter tells of, in full.
    fn reviews(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let names = [
            self.say("编号", "Record"),
            self.say("工单", "Tickets"),
            self.say("内容", "About"),
            self.say("状态", "State"),
            self.say("根本原因", "Root cause"),
            self.say("纠正措施", "Corrective action"),
            self.say("预防措施", "Preventive action"),
            self.say("负责人", "Owner"),
            self.say("完成日期", "Due"),
            self.say("发起", "Opened"),
            self.say("填好", "Filled in"),
            self.say("落实", "Done"),
        ];
        self.head(sheet, self.say("复盘", "Reviews"), &names)?;
        for (row, review) in (1..).zip(&self.report.reviews) {
            let (word, _) = standing(review, &self.report.figures.period, self.language);
            let tickets = if review.tickets.is_empty() { vec![review.ticket] } else { review.tickets.clone() };
            let tickets: Vec<String> = tickets.iter().map(ToString::to_string).collect();
            let (about, form) = (about(review, self.report), &review.form);
            let (name, tickets) = (review.name(), tickets.join(" "));
            let plan = [&form.cause, &form.corrective, &form.preventive, &form.owner].map(String::as_str);
            for (column, text) in (0..).zip([&name, &tickets, &about, word].into_iter().chain(plan)) {
                sheet.write_string(row, column, text)?;
            }
            if let Some(due) = form.due {
                let due = ExcelDateTime::parse_from_str(&due.format("%Y-%m-%d").to_string())?;
                sheet.write_datetime_with_format(row, 8, &due, &self.day)?;
            }
            let told = |at: Option<Timestamp>| at.filter(|at| *at < self.report.figures.period.to);
            for (column, at) in [(9, Some(review.opened)), (10, told(review.planned)), (11, told(review.ended))] {
                if let Some(at) = at {
                    sheet.write_datetime_with_format(row, column, &self.moment(at)?, &self.time)?;
                }
            }
        }
        sheet.set_column_range_width(0, names.len() as u16 - 1, 18)?;
        Ok(())
    }

    /// The raw rows, as in the CSV.
    fn rows(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let names: Vec<&str> = COLUMNS.iter().map(|(chinese, english, _)| self.say(chinese, english)).collect();
        self.head(sheet, self.say("明细", "Rows"), &names)?;
        let last_column = COLUMNS.len() as u16 - 1;
        for (row, round) in (1..).zip(&self.report.rows) {
            for (column, (.., value)) in (0..).zip(COLUMNS) {
                match value(round, self.language) {
                    Value::Text(text) => drop(sheet.write_string(row, column, text)?),
                    Value::Number(number) => drop(sheet.write_number(row, column, number as f64)?),
                    Value::Time(at) => {
                        sheet.write_datetime_with_format(row, column, &self.moment(at)?, &self.time)?;
                    }
                    Value::Nothing => {}
                }
            }
        }
        sheet.autofilter(0, 0, self.report.rows.len().max(1) as u32, last_column)?;
        sheet.set_column_range_width(0, last_column, 16)?;
        Ok(())
    }
}
