//! The directory as a table: UTF-8 with or without byte order mark, UTF-16 with one, or GB18030, as spreadsheets save it;
//! parted by commas, semicolons or tabs (RFC 4180 otherwise). The first row names the columns.

use crate::address::Address;
use crate::desk::directory::{Entry, LONGEST_VALUE, MOST_ADDRESSES, MOST_PEOPLE};
use crate::desk::words::Language;
use encoding_rs::{Encoding, GB18030};
use std::borrow::Cow;
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization as _;

/// Problems that are named; the others are counted.
const MOST_PROBLEMS: usize = 50;

/// People, and what is wrong with single rows.
#[derive(Debug, Default)]
pub struct Table {
    pub people: Vec<Entry>,
    pub problems: Vec<Problem>,
}

/// Something wrong with a row, which does not make the table useless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1; where the row begins.
    pub line: usize,
    pub what: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Address,
    Name,
    Department,
    EmployeeId,
    Contact,
    Site,
    Vip,
    Manager,
    Language,
}

/// Headings as people write them, without blanks, dashes and case.
const HEADINGS: &[(Column, &str)] = &[
    (
        Column::Address,
        "邮箱|邮箱地址|电子邮箱|电子邮件|电子邮件地址|邮件|邮件地址|公司邮箱|工作邮箱|企业邮箱|其他邮箱|备用邮箱|别名|邮箱别名|email|emailaddress|emailaddresses|mail|mailaddress|address|addresses|primaryemail|workemail|aliases|alias|otheremail|proxyaddresses",
    ),
    (Column::Name, "姓名|名字|员工姓名|中文名|显示名|显示名称|name|fullname|displayname|employeename"),
    (Column::Department, "部门|所属部门|所在部门|部门名称|科室|department|dept|departmentname|division"),
    (
        Column::EmployeeId,
        "工号|员工号|员工编号|职工号|员工工号|employeeid|employeenumber|employeeno|staffid|staffno|staffnumber|empid|empno",
    ),
    (
        Column::Contact,
        "电话|手机|手机号|手机号码|联系电话|联系方式|办公电话|座机|分机|分机号|内线|phone|phonenumber|telephone|tel|mobile|mobilephone|contact|extension|ext|officephone|workphone",
    ),
    (Column::Site, "地点|办公地点|工作地点|所在地|位置|办公位置|城市|楼层|工位|site|location|office|city|building"),
    (Column::Vip, "vip|是否vip|重要人员|重点人员|贵宾"),
    (Column::Manager, "上级|直属上级|直接上级|主管|直属主管|经理|汇报对象|manager|supervisor|reportsto|linemanager"),
    (Column::Language, "语言|language|preferredlanguage|lang"),
];

fn column(heading: &str) -> Option<Column> {
    let bare: String = heading.nfkc().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    HEADINGS.iter().find(|(_, names)| names.split('|').any(|name| name == bare)).map(|(column, _)| *column)
}

/// Reads a table. Rows without an address are people who cannot write; they are left out.
///
/// # Errors
/// `line: what`, when it is no table of people at all.
pub fn read(bytes: &[u8]) -> Result<Table, String> {
    let text = decode(bytes)?;
    let first = text.lines().next().unwrap_or_default();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|c| first.matches(*c).count()).unwrap_or(',');
    let mut rows = Rows { rest: &text, line: 1, separator };
    let Some((_, headings)) = rows.next() else { return Err("1: the file is empty".into()) };
    let columns: Vec<Option<Column>> = headings.iter().map(|heading| column(heading)).collect();
    if !columns.contains(&Some(Column::Address)) {
        let known: String = headings.join(", ").chars().take(200).collect();
        return Err(format!("1: no column of mail addresses (address, 邮箱) among: {known}"));
    }
    let mut reading = Reading::default();
    for (line, row) in rows {
        reading.row(line, &columns, &row);
        if reading.table.people.len() > MOST_PEOPLE {
            return Err(format!("{line}: more than {MOST_PEOPLE} people"));
        }
    }
    if reading.table.people.is_empty() {
        return Err("1: nobody with a mail address stands in it".into());
    }
    Ok(reading.finish())
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, damaged) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return if damaged { Err(format!("1: not all of it is {}", encoding.name())) } else { Ok(text) };
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    match GB18030.decode_without_bom_handling(bytes) {
        (text, false) => Ok(text),
        _ => Err("1: neither UTF-8 nor GB18030; save it again as \"CSV UTF-8\"".into()),
    }
}

/// Rows with the line each begins in; empty rows are skipped.
struct Rows<'t> {
    rest: &'t str,
    line: usize,
    separator: char,
}

impl Iterator for Rows<'_> {
    type Item = (usize, Vec<String>);

    fn next(&mut self) -> Option<(usize, Vec<String>)> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let begins = self.line;
            let row = self.row();
            if row.iter().any(|cell| !cell.trim().is_empty()) {
                return Some((begins, row));
            }
        }
    }
}

impl Rows<'_> {
    fn row(&mut self) -> Vec<String> {
        let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            self.line += usize::from(c == '\n');
            match c {
                '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                    chars.next();
                    cell.push('"');
                }
                '"' if quoted || cell.trim().is_empty() => quoted = !quoted,
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                c if c == self.separator && !quoted => row.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        row.push(cell);
        self.rest = &self.rest[end..];
        row
    }
}

#[derive(Default)]
struct Reading {
    table: Table,
    /// The line that each address stands in first.
    seen: HashMap<Address, usize>,
    unnamed: usize,
}

impl Reading {
    fn problem(&mut self, line: usize, what: String) {
        if self.table.problems.len() < MOST_PROBLEMS {
            self.table.problems.push(Problem { line, what });
        } else {
            self.unnamed += 1;
        }
    }

    fn row(&mut self, line: usize, columns: &[Option<Column>], row: &[String]) {
        let mut entry = Entry::default();
        for (column, cell) in columns.iter().zip(row) {
            let Some(column) = column else { continue };
            let value = one_line(cell);
            match column {
                Column::Address => self.addresses(line, &value, &mut entry),
                Column::Name => fill(&mut entry.name, value),
                Column::Department => fill(&mut entry.department, value),
                Column::EmployeeId => fill(&mut entry.employee_id, value),
                Column::Contact => join(&mut entry.contact, &value),
                Column::Site => join(&mut entry.site, &value),
                Column::Vip => entry.vip |= is_yes(&value),
                Column::Manager => fill(&mut entry.manager, value),
                Column::Language => entry.language = entry.language.or(language(&value)),
            }
        }
        if !entry.addresses.is_empty() {
            self.table.people.push(entry);
        }
    }

    fn addresses(&mut self, line: usize, cell: &str, entry: &mut Entry) {
        let parts = cell.split([';', ',', '、', '；', '，', '|', ' ']).map(str::trim).filter(|part| !part.is_empty());
        for part in parts.take(MOST_ADDRESSES) {
            let Some(address) = Address::parse(part.trim_matches(['<', '>'])) else {
                self.problem(line, format!("{part:?} is no mail address"));
                continue;
            };
            if entry.addresses.contains(&address) {
                continue;
            }
            match self.seen.get(&address) {
                Some(first) => {
                    self.problem(line, format!("{address} is also the address of line {first}, to which it counts"));
                }
                None => {
                    self.seen.insert(address.clone(), line);
                    entry.addresses.push(address);
                }
            }
        }
    }

    fn finish(mut self) -> Table {
        if self.unnamed > 0 {
            let line = self.table.problems.last().map_or(1, |problem| problem.line);
            let what = format!("and {} more problems below", self.unnamed);
            self.table.problems.push(Problem { line, what });
        }
        self.table
    }
}

/// A value as it is kept: one line, bounded.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_VALUE).collect()
}

pub(super) fn fill(known: &mut String, value: String) {
    if known.is_empty() {
        *known = value;
    }
}

/// Several columns of one kind, such as extension and mobile.
pub(super) fn join(known: &mut String, value: &str) {
    if value.is_empty() || known.split(" / ").any(|part| part == value) {
        return;
    }
    if !known.is_empty() {
        known.push_str(" / ");
    }
    known.push_str(value);
}

fn is_yes(value: &str) -> bool {
    ["是", "有", "yes", "y", "1", "true", "vip", "x", "√", "✓", "✔"].contains(&value.to_lowercase().as_str())
}

pub(super) fn language(value: &str) -> Option<Language> {
    let value = value.to_lowercase();
    match value.as_str() {
        "中文" | "汉语" | "简体中文" | "chinese" => Some(Language::Chinese),
        "英文" | "英语" | "english" => Some(Language::English),
        _ if value.starts_with("zh") => Some(Language::Chinese),
        _ if value.starts_with("en") => Some(Language::English),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(table: &Table) -> Vec<String> {
        let people = table.people.iter().map(|p| {
            let addresses: Vec<&str> = p.addresses.iter().map(Address::as_str).collect();
            let words = [&p.name, &p.department, &p.employee_id, &p.contact, &p.site, &p.manager];
            let words: Vec<&str> = words.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
            format!("{}: {}{}", addresses.join(" "), words.join("; "), if p.vip { " VIP" } else { "" })
        });
        people.chain(table.problems.iter().map(|p| format!("{}: {}", p.line, p.what))).collect()
    }

    fn check(text: &str, want: &[&str]) {
        assert_eq!(shown(&read(text.as_bytes()).unwrap()), want, "{text}");
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(shown(&read(&marked).unwrap()), want, "with a mark: {text}");
        let chinese = GB18030.encode(text).0;
        assert_eq!(shown(&read(&chinese).unwrap()), want, "GB18030: {text}");
        let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(shown(&read(&wide).unwrap()), want, "UTF-16: {text}");
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(shown(&read(crlf.as_bytes()).unwrap()), want, "CR LF: {text}");
    }

    #[test]
    fn tables_as_people_save_them() {
        check(
            "姓名,部门,工号,邮箱,手机,分机,办公地点,VIP,直属上级\n张伟,财务部,A1,zhang@corp.example,13800138000,8012,上海 3F,是,孙浩\n李娜,市场部,A2,\"li@corp.example;li.na@corp.example\",,8013,,否,\n",
            &[
                "zhang@corp.example: 张伟; 财务部; A1; 13800138000 / 8012; 上海 3F; 孙浩 VIP",
                "li@corp.example li.na@corp.example: 李娜; 市场部; A2; 8013",
            ],
        );
        check(
            "E-Mail Address;Full Name;Dept.;Employee No;Phone;Other e-mail\nann@corp.example;\"Smith, Ann\";Sales;17;+1 555 0100;a.smith@corp.example\n",
            &["ann@corp.example a.smith@corp.example: Smith, Ann; Sales; 17; +1 555 0100"],
        );
        check(
            "mail\tname\na@b.example\tA\n\n\t\nc@d.example\t\"C \"\"CC\"\"\"",
            &["a@b.example: A", "c@d.example: C \"CC\""],
        );
        check("name,mail\n\"A\nB\",a@b.example\nC,c@d.example\n", &["a@b.example: A B", "c@d.example: C"]);
        check("name,mail\nworker,\nC,c@d.example\n", &["c@d.example: C"]);
    }

    #[test]
    fn two_people_with_one_address_are_named_with_their_lines() {
        check(
            "邮箱,姓名\na@b.example,甲\n\"多行\n地址\",乙\nA@B.example,丙\n",
            &[
                "a@b.example: 甲",
                "3: \"多行\" is no mail address",
                "3: \"地址\" is no mail address",
                "5: A@B.example is also the address of line 2, to which it counts",
            ],
        );
    }

    #[test]
    fn what_is_no_table_of_people_is_refused() {
        for (bytes, why) in [
            (&b""[..], "1: the file is empty"),
            (b"\n\n", "1: the file is empty"),
            (b"name,phone\nA,1", "no column of mail addresses"),
            (b"mail\n", "nobody with a mail address"),
            (b"mail,name\n\xff\xff\xff,a@b.example", "neither UTF-8 nor GB18030"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn s01_odd_input_is_safe() {
        let many: String = (0..2000).map(|n| format!("x{n}\n")).collect();
        let table = read(format!("mail\na@b.example\n{many}").as_bytes()).unwrap();
        assert_eq!((table.people.len(), table.problems.len()), (1, MOST_PROBLEMS + 1));
        let long = format!("mail,name\na@b.example,\"{}", "长".repeat(100_000));
        assert_eq!(read(long.as_bytes()).unwrap().people[0].name.chars().count(), LONGEST_VALUE);
        drop(read(",".repeat(1 << 20).as_bytes()));
        drop(read(&[b'"'; 1 << 20]));
    }
}
