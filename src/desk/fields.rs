//! Facts a requester tells about a fault, found in free text, forms and signatures (`domain.md` 5.5).

use crate::desk::ticket::{Fields, Number};
use crate::desk::words::{Field, Language, Priority};
use regex::{Captures, Regex};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Bounds on what is read: bytes in all, lines, bytes of a line, lines of one value, characters of a value.
const READ_BYTES: usize = 32 * 1024;
const MOST_LINES: usize = 500;
const LONGEST_LINE: usize = 1000;
const MOST_VALUE_LINES: usize = 6;
const LONGEST_VALUE: usize = 400;
/// Facts asked for in one letter.
const MOST_ASKED: usize = 5;

/// Labels by field, as they stand in forms and signatures. The form of our own letters is added from [`Field::name`].
const LABELS: &[(Field, &str)] = &[
    (
        Field::Name,
        "姓名|报障人|报修人|申请人|反馈人|提交人|报告人|使用人|用户姓名|员工姓名|联系人|name|full name|your name|user name|employee name|reporter|requester|requestor|contact person|caller|reported by",
    ),
    (
        Field::Department,
        "部门|所属部门|所在部门|科室|单位|事业部|部门名称|department|dept|dept.|division|team|business unit|cost center",
    ),
    (
        Field::EmployeeId,
        "工号|员工号|员工编号|职工号|员工工号|employee id|employee no|employee no.|employee number|staff no|staff no.|staff id|staff number|emp#|emp id|emp no|personnel number",
    ),
    (
        Field::Contact,
        "电话|手机|手机号|手机号码|联系方式|联系电话|电话号码|分机|分机号|内线|座机|办公电话|微信|微信号|企微|企业微信|phone|phone number|phone no|phone no.|telephone|tel|tel.|mobile|mobile no|mobile number|\
         cell|cell phone|mob|ext|ext.|extension|contact|contact number|contact no|contact no.|contact #|callback number|t|m|p",
    ),
    (
        Field::When,
        "发生时间|故障时间|出现时间|问题发生时间|什么时候|什么时候开始|时间和频率|发生频率|频率|持续时间|开始时间|when|since|since when|frequency|how often|date and time|time of occurrence|started|start time|when did it start",
    ),
    (
        Field::Steps,
        "操作步骤|复现步骤|重现步骤|怎么操作出现|步骤|操作过程|steps|steps to reproduce|how to reproduce|reproduction steps|what were you doing|steps taken",
    ),
    (
        Field::Error,
        "报错信息|报错|错误提示|错误信息|错误代码|报错代码|错误码|提示信息|报错内容|提示|error message|error messages|error code|error text|error|message",
    ),
    (
        Field::Impact,
        "影响范围|影响人数|受影响人数|影响用户|影响|impact|affected users|users affected|who is affected|scope|number of users affected|business impact",
    ),
    (
        Field::Location,
        "位置|楼层|工位|地点|办公地点|所在地点|所在位置|座位|房间|房间号|地址|location|site|office|floor|room|desk|building|address",
    ),
];

/// Labels of facts that no field holds: they end a value and are skipped.
const OTHER_LABELS: &str = "主题|资产编号|设备编号|电脑名|计算机名|ip地址|ip|邮箱|邮件|邮编|传真|公司|职位|期望解决时间|希望解决时间|审批人|主管|模块负责人|问题描述|故障描述|描述|现象|故障现象|备注|紧急程度|设备|\
    asset tag|hostname|computer name|email|e-mail|mail|fax|f|company|title|position|needed by|approver|manager|description|summary|issue|problem|notes|remarks|priority|urgency|device|browser|language|customer number|web|website|w";

/// Finds what is told. Labels win over free text, the first of several over the later ones.
pub fn extract(text: &str) -> Fields {
    let text = spelled(head(text, READ_BYTES));
    let mut fields = Fields::new();
    let lines: Vec<&str> = text.lines().take(MOST_LINES).map(|l| head(l, LONGEST_LINE)).collect();
    labelled(&lines, &mut fields);
    lines.iter().for_each(|line| business_card(line, &mut fields));
    free(&text, &mut fields);
    fields
}

/// How the sentence above the form of our acknowledgement ends, in both languages.
const FORM_SENTENCES: [&str; 2] = ["补上下面几项，不清楚的可以留空：", "Leave blank what you do not know."];

/// The facts filled in inside the form of our own acknowledgement, wherever it stands in the text: people also answer
/// in the middle of the quote. Nothing else of a quote is looked at, for it is somebody else's text.
pub fn extract_from_form(full_text: &str) -> Fields {
    let text = spelled(head(full_text, READ_BYTES));
    let lines: Vec<&str> = text.lines().take(MOST_LINES).map(|l| head(l, LONGEST_LINE)).map(content).collect();
    // A mail program may have broken the sentence in two.
    let ends_sentence = |at: usize| {
        let before = if at > 0 { lines[at - 1] } else { "" };
        let joined: String = format!("{before}{}", lines[at]).split_whitespace().collect();
        FORM_SENTENCES.iter().any(|s| joined.ends_with(&spelled(s).split_whitespace().collect::<String>()))
    };
    let Some(start) = (0..lines.len()).find(|at| ends_sentence(*at)) else { return Fields::new() };
    let raw: Vec<&str> = text.lines().take(MOST_LINES).map(|l| head(l, LONGEST_LINE)).collect();
    let mut fields = Fields::new();
    labelled(&form_lines(&raw[start + 1..]).iter().map(String::as_str).collect::<Vec<_>>(), &mut fields);
    fields
}

/// The lines of our form, up to whatever else follows. Who answers below a label instead of behind it has their line put
/// there: right below it, or outside of the quote that the label stands in.
fn form_lines(lines: &[&str]) -> Vec<String> {
    let (mut form, mut depth, mut parted) = (Vec::<String>::new(), 0, false);
    for line in lines {
        let (own, text) = (quote_depth(line), content(line));
        if text.is_empty() {
            parted = true;
            continue;
        }
        if is_form_line(text) {
            form.push(text.to_owned());
            depth = own;
        } else {
            let ours = Number::parse(text.split(['-', ' ']).next().unwrap_or("")).is_some() || text.contains(" · ");
            let unanswered = form.last().is_some_and(|label| label.ends_with(':')) && !ours;
            let below = own < depth || (own == depth && !parted);
            match form.last_mut().filter(|_| unanswered && below) {
                Some(label) => label.push_str(text),
                None => break,
            }
        }
        parted = false;
    }
    form
}

fn quote_depth(line: &str) -> usize {
    line.trim_start().chars().take_while(|c| matches!(c, '>' | ' ')).filter(|c| *c == '>').count()
}

/// A line of our form: a field's own name, a colon, perhaps a value.
fn is_form_line(line: &str) -> bool {
    let names = Field::TOLD.iter().flat_map(|f| [f.name(Language::Chinese), f.name(Language::English)]);
    names
        .into_iter()
        .any(|name| line.strip_prefix(&spelled(name)).is_some_and(|rest| rest.trim_start().starts_with(':')))
}

/// What is told behind a label, where nothing has to be guessed.
pub fn extract_labelled(text: &str) -> Fields {
    let text = spelled(head(text, READ_BYTES));
    let lines: Vec<&str> = text.lines().take(MOST_LINES).map(|l| head(l, LONGEST_LINE)).collect();
    let mut fields = Fields::new();
    labelled(&lines, &mut fields);
    fields
}

/// Nothing but facts the desk asks for, each on its line behind its name; some may be left empty.
pub fn is_form(text: &str) -> bool {
    let blank = |line: &&str| !line.trim().is_empty();
    let is_fact = |line: &str| line.contains([':', '：']) && !extract(line).is_empty();
    let mut lines = text.lines().take(MOST_LINES).filter(blank);
    lines.clone().any(is_fact)
        && lines.all(|line| is_fact(line) || is_form_line(content(&spelled(head(line, LONGEST_LINE)))))
}

/// What is worth asking for: who, where to reach, since when, the error text and who else has it; a handful at most.
/// A question, a wish or a permission (P4) has no error text, and nothing began; the rare fault there can wait.
pub fn missing(fields: &Fields, priority: Priority) -> Vec<Field> {
    let known = |field: &Field| fields.get(field).is_some_and(|v| !v.trim().is_empty());
    let asked = [Field::Name, Field::Department, Field::Contact, Field::When, Field::Error, Field::Impact];
    let about_fault = |f: &Field| matches!(f, Field::When | Field::Error | Field::Impact);
    let asked = asked.into_iter().filter(|f| priority != Priority::P4 || !about_fault(f));
    asked.filter(|f| !known(f)).take(MOST_ASKED).collect()
}

fn head(text: &str, limit: usize) -> &str {
    let mut at = text.len().min(limit);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    &text[..at]
}

/// NFKC, so that full-width colons and digits are the plain ones; zero-width characters vanish.
fn spelled(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    // Nothing combines with a line feed, so each line can be taken by itself.
    for line in text.split_inclusive('\n') {
        let start = out.len();
        if line.chars().all(|c| usual(c).map(|c| out.push(c)).is_some()) {
            continue;
        }
        out.truncate(start);
        out.extend(line.nfkc().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}')));
    }
    out
}

/// What NFKC makes of the characters that nearly all lines consist of.
fn usual(c: char) -> Option<char> {
    match c {
        c if c.is_ascii() || is_han(c) => Some(c),
        '\u{3001}' | '\u{3002}' | '\u{2018}'..='\u{201d}' => Some(c),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
        _ => None,
    }
}

fn keep(fields: &mut Fields, field: Field, value: &str) {
    let value = value.trim().trim_matches(|c: char| {
        matches!(c, '|' | ',' | ';' | '*' | '_' | '。' | '"' | '【' | '[') || c.is_whitespace()
    });
    let value = if field == Field::Contact { without_name(value) } else { value };
    let empty = value.chars().all(|c| !c.is_alphanumeric())
        || matches!(value.to_lowercase().as_str(), "无" | "n/a" | "na" | "none" | "-");
    if empty || !fits(field, value) || fields.contains_key(&field) {
        return;
    }
    fields.insert(field, value.chars().take(LONGEST_VALUE).collect());
}

/// A number without the name that was written behind it: `6020 陈静`.
fn without_name(value: &str) -> &str {
    match value.rsplit_once(|c: char| c.is_whitespace() || c == ',') {
        Some((number, name)) if is_person(name) && number.contains(|c: char| c.is_ascii_digit()) => number.trim_end(),
        _ => value,
    }
}

/// Whether a value can be one: a name is no sentence, a phone has digits.
fn fits(field: Field, value: &str) -> bool {
    let count = value.chars().count();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    match field {
        Field::Name => count <= 40 && digits == 0 && !value.contains(['@', '?', '。', ':', '/']),
        Field::Department => count <= 60 && !value.contains(['@', '?', '。']),
        Field::EmployeeId => count <= 14 && digits >= 2 && value.chars().all(|c| c.is_ascii_alphanumeric()),
        Field::Contact => count <= 80 && digits >= 3,
        Field::Location => count <= 80 && !value.contains(['@', '?', '。']),
        _ => true,
    }
}

// --- labels ------------------------------------------------------------------------------------------------------

struct Label {
    text: String,
    field: Option<Field>,
}

/// Longest first, so that `联系电话` is not read as `电话`.
static LABEL_TABLE: LazyLock<Vec<Label>> = LazyLock::new(|| {
    let mut all: Vec<Label> = Vec::new();
    for field in &Field::TOLD {
        for language in [Language::Chinese, Language::English] {
            let name: String = field.name(language).nfkc().collect();
            all.push(Label { text: name.to_lowercase(), field: Some(*field) });
        }
    }
    for (field, list) in LABELS {
        all.extend(list.split('|').map(|text| Label { text: text.to_owned(), field: Some(*field) }));
    }
    all.extend(OTHER_LABELS.split('|').map(|text| Label { text: text.to_owned(), field: None }));
    all.sort_by_key(|label| std::cmp::Reverse(label.text.len()));
    all
});

/// The labels by their last and by their first byte, longest first: few are left to compare.
static LABELS_BY_END: LazyLock<ByByte> = LazyLock::new(|| by_byte(|text| text.last()));
static LABELS_BY_START: LazyLock<ByByte> = LazyLock::new(|| by_byte(|text| text.first()));

type ByByte = Vec<Vec<&'static Label>>;

fn by_byte(key: impl Fn(&'static [u8]) -> Option<&'static u8>) -> ByByte {
    let mut all = vec![Vec::new(); 256];
    for label in LABEL_TABLE.iter() {
        all[usize::from(*key(label.text.as_bytes()).unwrap_or(&0))].push(label);
    }
    all
}

/// A label in a line: where it begins, where its value begins, and whether a colon or brackets mark it.
struct Found {
    start: usize,
    value: usize,
    field: Option<Field>,
}

fn labelled(lines: &[&str], fields: &mut Fields) {
    let mut at = 0;
    while at < lines.len() {
        let line = content(lines[at]);
        at += 1;
        if line.contains('|') && row(line, fields) {
            continue;
        }
        let found = labels(line);
        for (index, label) in found.iter().enumerate() {
            let end = found.get(index + 1).map_or(line.len(), |next| next.start);
            let Some(field) = label.field else { continue };
            let mut value = line[label.value..end].trim().to_owned();
            if index + 1 == found.len() && matches!(field, Field::Steps | Field::Error) {
                at += continued(&lines[at..], &mut value);
            }
            keep(fields, field, value.trim_start_matches(['(', ')', ']', '】', ':']));
        }
    }
}

/// A line without quote marks, bullets and numbering.
fn content(line: &str) -> &str {
    let mut rest = line.trim().trim_start_matches(['>', '*', '-', '•', '·', '#', ' ', '\u{3000}']);
    let numbered =
        rest.trim_start_matches(|c: char| c == '(' || c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
    if (1..=8).contains(&(rest.len() - numbered.len()))
        && let Some(after) = numbered.strip_prefix(['.', '、', ')', ','])
    {
        rest = after.trim_start();
    }
    rest
}

/// The labels of a line, in order: `姓名:`, `【姓名】`, `[name]`, or a Chinese label and a space at the start.
fn labels(line: &str) -> Vec<Found> {
    // Lower case may change the length of exotic letters; then positions would not agree, and there is no label.
    let lower = line.to_lowercase();
    if lower.len() != line.len() || !lower.contains([':', '】', ']', '=', ' ', '\t']) {
        return Vec::new();
    }
    let mut found: Vec<Found> = Vec::new();
    for (mark, c) in lower.match_indices([':', '】', ']', '=']) {
        let before = lower[..mark].trim_end();
        // A label may carry a remark: 影响范围(个人/部门).
        let bare = before.rfind('(').filter(|_| before.ends_with(')')).map(|open| before[..open].trim_end());
        let label = label_at_end(before).or_else(|| label_at_end(bare?));
        if let Some((start, label)) = label.filter(|(start, _)| found.last().is_none_or(|last| *start >= last.value)) {
            found.push(Found { start, value: mark + c.len(), field: label.field });
        }
    }
    if found.is_empty() { leading(&lower).into_iter().collect() } else { found }
}

/// The longest label that ends the text, on a word boundary.
fn label_at_end(text: &str) -> Option<(usize, &'static Label)> {
    let near = &LABELS_BY_END[usize::from(*text.as_bytes().last()?)];
    let label = near.iter().find(|label| {
        text.ends_with(&label.text) && {
            let before = text[..text.len() - label.text.len()].chars().next_back();
            before.is_none_or(|c| if label.text.is_ascii() { !c.is_alphanumeric() } else { !is_han(c) })
        }
    })?;
    let start = text.len() - label.text.len();
    // The letters t, m, p and f are labels in signatures only: at the start or after a bar.
    let lone = label.text.len() == 1
        && !text[..start].trim_end().is_empty()
        && !text[..start].trim_end().ends_with([',', ';', '/', '|']);
    if lone { None } else { Some((start, label)) }
}

/// `姓名 张三`: a Chinese label at the start of a line, spaces, and a value.
fn leading(lower: &str) -> Option<Found> {
    let near = &LABELS_BY_START[usize::from(*lower.as_bytes().first()?)];
    let label = near.iter().find(|label| !label.text.is_ascii() && lower.starts_with(&label.text))?;
    let value = &lower[label.text.len()..];
    let short = value.trim().chars().count() <= 30 && value.starts_with([' ', '\t']);
    short.then_some(Found { start: 0, value: label.text.len(), field: label.field })
}

/// Lines that go on with a value: up to a blank line, a label, or the bound.
fn continued(lines: &[&str], value: &mut String) -> usize {
    let mut taken = 0;
    for line in lines.iter().take(MOST_VALUE_LINES) {
        let line = line.trim().trim_start_matches('>').trim();
        if line.is_empty() || !labels(content(line)).is_empty() || line.contains('|') {
            break;
        }
        if !value.is_empty() {
            value.push('\n');
        }
        value.push_str(line);
        taken += 1;
    }
    taken
}

/// A table row: label cells and value cells in turn. False when it holds no label.
fn row(line: &str, fields: &mut Fields) -> bool {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let mut any = false;
    for pair in cells.windows(2) {
        let label = pair[0].trim_end_matches(':').trim_matches('*').to_lowercase();
        if let Some(known) = LABEL_TABLE.iter().find(|l| l.text == label) {
            any = true;
            if let Some(field) = known.field {
                keep(fields, field, pair[1]);
            }
        }
    }
    any
}

// --- lines without labels ----------------------------------------------------------------------------------------

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// `张三 财务部 8012`, `财务部/张三/13800001111`, the last lines of many a signature.
fn business_card(line: &str, fields: &mut Fields) {
    let line = content(line);
    if line.len() > 120 || !line.contains(is_han) {
        return;
    }
    let tokens: Vec<&str> = line.split([' ', '\t', '/', ',', '|', '、', '-']).filter(|t| !t.is_empty()).collect();
    if !(2..=5).contains(&tokens.len()) {
        return;
    }
    let department = tokens.iter().position(|t| is_department(t));
    let name = tokens.iter().enumerate().position(|(i, t)| Some(i) != department && is_person(t));
    let (Some(department), Some(name)) = (department, name) else { return };
    keep(fields, Field::Name, tokens[name]);
    keep(fields, Field::Department, tokens[department]);
    if let Some(number) = tokens.iter().find(|t| t.len() >= 3 && t.bytes().all(|b| b.is_ascii_digit())) {
        keep(fields, Field::Contact, number);
    }
}

fn is_department(token: &str) -> bool {
    let count = token.chars().count();
    let ending = ["部", "部门", "科", "室", "处", "中心", "事业部", "车间", "组"].iter().any(|e| token.ends_with(e));
    ending && (2..=12).contains(&count) && token.chars().all(|c| is_han(c) || c.is_ascii_alphanumeric())
}

/// Two or three Chinese characters (four with a double surname) that begin with a usual surname.
fn is_person(token: &str) -> bool {
    const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐伍庄申柯翁欧阳司马上官诸葛";
    let count = token.chars().count();
    (2..=4).contains(&count)
        && token.chars().all(is_han)
        && token.chars().next().is_some_and(|c| SURNAMES.contains(c))
        && ![
            "问题", "故障", "申请", "电脑", "系统", "打印", "谢谢", "帮忙", "网络", "文件", "安装", "安全", "方便",
            "方案",
        ]
        .iter()
        .any(|w| token.contains(w))
}

struct Patterns {
    mobile: Regex,
    landline: Regex,
    extension: Regex,
    employee: Regex,
    error: Regex,
    prompt: Regex,
    prompt_end: Regex,
    when: Regex,
    often: Regex,
    introduction: Regex,
    department: Regex,
    english_department: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    // ASCII word boundaries: `号8012转` ends no number for Unicode's, and those take the slow way through the text.
    let regex = |text: &str| Regex::new(&text.replace(r"\b", r"(?-u:\b)")).expect("a fixed pattern");
    Patterns {
        mobile: regex(r"(?:^|[^0-9])((?:\+?86[- ]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})(?:[^0-9]|$)"),
        landline: regex(
            r"(?:^|[^0-9.])((?:\+86[- ]?)?\(?0[0-9]{2,3}\)?[- ]?[0-9]{7,8}(?:(?:[-转 ]{1,3}| ?x| ?ext\.? ?)[0-9]{1,6})?)(?:[^0-9.]|$)",
        ),
        extension: regex(r"(?i)(?:分机号?|内线|座机|短号|\bext(?:ension)?\b\.?)[ :]{0,2}([0-9]{3,6})\b"),
        employee: regex(
            r"(?i)(?:工号|员工号|员工编号|职工号|employee (?:id|no\.?|number)|staff (?:id|no\.?|number)|emp ?#)[ :是为]{0,3}([A-Za-z]{0,3}[0-9]{3,10})\b",
        ),
        error: regex(
            r"(0x[0-9A-Fa-f]{8}|\bHTTP(?: error| status)? [1-5][0-9]{2}\b|\bORA-[0-9]{5}\b|\bERR_[A-Z_]{3,40}|\b[Ee]rror(?: code)?[ :#]{1,3}[A-Z]?[0-9]{2,10}\b|(?:错误|报错|故障|异常)(?:代码|码)[ :是为]{0,2}[A-Za-z0-9-]{2,20}|\b[45][0-9]{2}[ -][45]\.[0-9]{1,3}\.[0-9]{1,3}\b|\b(?:400|403|404|500|502|503|504) (?:[Ee]rror|错误|[Bb]ad [Gg]ateway|[Ff]orbidden|[Nn]ot [Ff]ound)|(?:错误|报错) ?[0-9]{3,5}\b)",
        ),
        prompt: regex(
            r#"(?:提示|报错|显示|弹出|says|saying|shows|message)[ :,]{0,2}["“'「『]([^"”'」』\n]{3,200})["”'」』]"#,
        ),
        // Without quotes only where the words end like a message: `按提示操作` is none, and `显示器无法点亮` is no text.
        prompt_end: regex(
            r"(?:^|[^不没无])(?:提示|报错|显示|弹出)(?:说|为|是)?[ :,]{0,2}([^ ,。;:!?、\n器屏卡误后][^ ,。;:!?、\n]{1,20}(?:失败|错误|超时|异常|无响应|不存在|不可用|不匹配|无效|已过期|已锁定|被锁定|被拒绝|拒绝访问|已满|不足)|(?:无法|不能|未能)[^ ,。;:!?、\n]{2,12})",
        ),
        when: regex(
            r"(?i)((?:从|自|大概|大约)?(?:今天|昨天|前天|今早|昨晚|上周[一二三四五六日末]?|本周[一二三四五六日]|这周[一二三四五六日]?|周[一二三四五六日]|星期[一二三四五六日]|[0-9]{1,2}月[0-9]{1,2}[日号])(?:凌晨|早上|上午|中午|下午|晚上|一早)?(?:[0-9]{1,2}(?::[0-9]{2}|点(?:半|[0-9]{1,2}分?)?))?(?:左右)?(?:开始|起|到现在)?|(?:从|自)(?:凌晨|早上|上午|中午|下午|晚上|一早|刚才|刚刚)(?:[0-9]{1,2}(?::[0-9]{2}|点(?:半|[0-9]{1,2}分?)?))?(?:左右)?(?:开始|起|到现在)?|(?:凌晨|早上|上午|中午|下午|晚上|一早)(?:[0-9]{1,2}(?::[0-9]{2}|点(?:半|[0-9]{1,2}分?)?))?(?:左右)?(?:开始|起)|(?:自从|从|自)[^,。;:\s从自]{1,10}(?:之|以)?后(?:开始|起|到现在)|已经[一二两三四五六七八九十0-9]{1,3}(?:个)?(?:小时|天|周|月)了?|\bsince (?:this|yesterday|last|early|[0-9]{1,2}(?::[0-9]{2})?(?: ?[ap]m)?|monday|tuesday|wednesday|thursday|friday|saturday|sunday|the (?:update|upgrade|weekend|morning))(?: (?:morning|afternoon|evening|night|week|month|monday|tuesday|wednesday|thursday|friday))?|\b(?:this|yesterday) (?:morning|afternoon|evening)\b|\bfor (?:the (?:past|last) )?(?:two|three|four|five|several|a few|[0-9]{1,2}) (?:hours|days|weeks)\b)",
        ),
        often: regex(
            r"(?i)(每次(?:都|打开|登录|开机|打印)?|每天|每隔[^,。;\n]{1,8}|经常|偶尔|时不时|时好时坏|频繁|反复|\bevery (?:time|day|morning|hour|few minutes)\b|\b(?:intermittently|occasionally|randomly|constantly|repeatedly|sporadically)\b|\bseveral times(?: a day)?\b|\b(?:once|twice|three times) (?:a|per) (?:day|week|hour)\b)",
        ),
        introduction: regex(
            r"我是(?:([\u{4e00}-\u{9fff}A-Za-z]{2,10}(?:部|科|室|处|中心|车间|组))的?)?([\u{4e00}-\u{9fff}]{2,4})[,。!\n ;(]",
        ),
        // Departments as companies name them: any word before 部 would also take 全部 and 内部.
        department: regex(
            r"(?:(?:我们|咱们|我在|我这边是|这里是|这边是)|(?:^|[ ,。;:!?(\n]))((?:财务|会计|审计|人事|人力资源|人力|行政|市场|销售|营销|采购|供应链|研发|技术|工程|生产|制造|质量|品质|品管|质检|物流|仓储|法务|法律|设备|客服|客户服务|售后|运营|运维|产品|设计|信息|公关|品牌|外贸|国际|海外|战略|投资|安全|项目|企划|策划|计划|后勤|综合|培训|商务|电商|渠道|政府事务|董事会)(?:管理|业务|支持|服务|中心)?[一二三四五六七八九十]?(?:事业)?(?:部门|部|科|室|处|中心))(?:的|所有|全部|全体|全员|整个|这边|这里|[0-9一二三四五六七八九十几]+(?:个)?人|$|[ ,。;!)\n])",
        ),
        // Alone on the rest of a line, as under a letter: in the middle of a sentence it may be somebody else's.
        english_department: regex(
            r"(?m)(?:^|[,|/] ?)((?:Finance|Accounting|Audit|HR|Human Resources|Marketing|Sales|Purchasing|Procurement|Legal|Engineering|R&D|Production|Manufacturing|Quality|Logistics|Operations|Customer Service)(?: (?:[Dd]epartment|[Dd]ept|[Tt]eam))?)[.\r]?$",
        ),
    }
});

/// Facts in running text.
fn free(text: &str, fields: &mut Fields) {
    let first = |regex: &Regex| regex.captures(text).and_then(|c| c.get(1)).map(|m| m.as_str().trim().to_owned());
    if text.contains("我是") {
        introduction(text, fields);
    }
    if text.contains(|c: char| c.is_ascii_digit()) {
        if let Some(id) = first(&PATTERNS.employee) {
            keep(fields, Field::EmployeeId, &id);
        }
        let extension = || first(&PATTERNS.extension).map(|number| format!("ext. {number}"));
        let number = first(&PATTERNS.mobile).or_else(|| first(&PATTERNS.landline)).or_else(extension);
        if let Some(number) = number {
            keep(fields, Field::Contact, &number);
        }
    }
    // The Chinese words cannot be found where there are none.
    let chinese = if text.is_ascii() { None } else { first(&PATTERNS.department) };
    if let Some(department) = chinese.or_else(|| first(&PATTERNS.english_department)) {
        keep(fields, Field::Department, &department);
    }
    let prompt = first(&PATTERNS.prompt).or_else(|| first(&PATTERNS.prompt_end));
    let code = first(&PATTERNS.error);
    if let Some(error) = join(prompt, code) {
        keep(fields, Field::Error, &error);
    }
    // `下周一入职` is to come, and no fault began then; `看一下周一的记录` is not.
    let ahead = |c: &Captures| {
        c.get(1).is_some_and(|m| {
            let before = text[..m.start()].trim_end_matches('个');
            m.as_str().starts_with(['周', '星']) && before.ends_with('下') && !before.ends_with("一下")
        })
    };
    let when = PATTERNS.when.captures_iter(text).find(|c| !ahead(c)).map(|c| c[1].trim().to_owned());
    if let Some(when) = join(when, first(&PATTERNS.often)) {
        keep(fields, Field::When, &when);
    }
}

fn introduction(text: &str, fields: &mut Fields) {
    let Some(found) = PATTERNS.introduction.captures(text) else { return };
    if let Some(department) = found.get(1) {
        keep(fields, Field::Department, department.as_str());
    }
    if let Some(name) = found.get(2).filter(|name| is_person(name.as_str())) {
        keep(fields, Field::Name, name.as_str());
    }
}

fn join(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) if a.contains(&b) => Some(a),
        (Some(a), Some(b)) => Some(format!("{a}, {b}")),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[(Field, &str)]) {
        let found = extract(text);
        let want: Fields = want.iter().map(|(f, v)| (*f, (*v).to_owned())).collect();
        assert_eq!(found, want, "{text}");
    }

    use Field::{Contact, Department, EmployeeId, Error, Impact, Name, Steps, When};

    #[test]
    fn labels_in_all_forms() {
        for text in [
            "姓名：张三",
            "姓名: 张三",
            "【姓名】张三",
            "[姓名] 张三",
            "姓名 张三",
            "1、姓名：张三",
            "(1) 姓名：张三",
            "一、姓名：张三",
            "> 姓名：张三",
            "* 姓名：张三",
            "| 姓名 | 张三 |",
            "报障人：张三",
            "姓名=张三",
            "姓名（必填）：张三",
        ] {
            check(text, &[(Name, "张三")]);
        }
        check(
            "Name: Jane Roe\nDept: Finance\nExt: 8012\nEmployee ID: AB1234",
            &[(Name, "Jane Roe"), (Department, "Finance"), (Contact, "8012"), (EmployeeId, "AB1234")],
        );
    }

    #[test]
    fn lines_are_spelled_as_the_whole_text_is() {
        for c in (0..=0x10_ffffu32).filter_map(char::from_u32) {
            assert!(usual(c).is_none_or(|usual| c.nfkc().eq([usual])), "{c:?}");
        }
        for text in ["姓名：张三\n“好”，～\n", "e\u{301}\n\u{301}\n１２：＝\u{338}\n", "ｶﾞ\n\u{1100}\n\u{1161}…\r\n①"]
        {
            assert_eq!(spelled(text), text.nfkc().collect::<String>());
        }
    }

    #[test]
    fn several_in_one_line() {
        check("姓名：张三 部门：财务部 电话：8012", &[(Name, "张三"), (Department, "财务部"), (Contact, "8012")]);
        check("姓名：张三，部门：财务部；分机：8012", &[(Name, "张三"), (Department, "财务部"), (Contact, "8012")]);
        check("【姓名】张三【部门】财务部", &[(Name, "张三"), (Department, "财务部")]);
        check("| 姓名 | 张三 | 工号 | A10086 |", &[(Name, "张三"), (EmployeeId, "A10086")]);
        check("张三 财务部 8012", &[(Name, "张三"), (Department, "财务部"), (Contact, "8012")]);
        check("财务部/李小明/13812345678", &[(Name, "李小明"), (Department, "财务部"), (Contact, "13812345678")]);
    }

    #[test]
    fn the_form_of_our_own_letters_is_read_back() {
        for language in [Language::Chinese, Language::English] {
            let values = [
                (Name, "张三"),
                (Department, "财务部"),
                (EmployeeId, "A1234"),
                (Contact, "138 1234 5678"),
                (When, "今天早上开始"),
                (Steps, "打开 ERP"),
                (Error, "0x80070005"),
                (Impact, "部门"),
            ];
            let form = |colon: &str| values.map(|(f, v)| format!("{}{colon}{v}", f.name(language))).join("\n");
            check(&form("："), &values);
            check(&form(": "), &values);
            check(&form("： ").replace('\n', "\n> "), &values);
            let empty = values.map(|(f, _)| format!("{}：", f.name(language))).join("\n");
            check(&empty, &[]);
        }
    }

    #[test]
    fn phones() {
        for (text, want) in [
            ("手机 138-1234-5678", "138-1234-5678"),
            ("请打 13812345678 找我", "13812345678"),
            ("+86 138 1234 5678", "+86 138 1234 5678"),
            ("Tel: 021-12345678-801", "021-12345678-801"),
            ("座机 010 12345678", "010 12345678"),
            ("call 021-12345678 x801", "021-12345678 x801"),
            ("分机8012", "ext. 8012"),
            ("内线：8012", "8012"),
            ("call me at ext. 4411", "ext. 4411"),
            ("T: +86 21 1234 5678 | M: +86 138 1234 5678", "+86 21 1234 5678"),
        ] {
            assert_eq!(extract(text).get(&Contact).map(String::as_str), Some(want), "{text}");
        }
        for text in [
            "单号 1381234567890123",
            "订单 4500123456",
            "2026-11-23",
            "内存 8012 MB",
            "IP 010.12.34.56",
            "分辨率 1920 x 1080",
            "EliteBook x360",
        ] {
            assert_eq!(extract(text).get(&Contact), None, "{text}");
        }
    }

    #[test]
    fn errors_times_and_ids_in_running_text() {
        check(
            "今天上午9点开始 ERP 提示“数据库连接失败”，错误代码 0x80070005，每次都这样。我工号 A10086。",
            &[
                (When, "今天上午9点开始, 每次都"),
                (Error, "数据库连接失败, 错误代码 0x80070005"),
                (EmployeeId, "A10086"),
            ],
        );
        check(
            "Outlook fails with ORA-01017 since yesterday, every time I open it",
            &[(Error, "ORA-01017"), (When, "since yesterday, every time")],
        );
        check("你好，我是财务部的张三，打印机坏了", &[(Name, "张三"), (Department, "财务部")]);
        check("我是新来的，电脑没有网", &[]);
        check("操作步骤：\n1. 打开\n2. 登录\n\n谢谢", &[(Steps, "1. 打开\n2. 登录")]);
    }

    #[test]
    fn an_error_without_quotes() {
        for (text, want) in [
            ("一直卡纸，报错代码 E-03，重启过没用", "报错代码 E-03"),
            ("ERP 又进不去了，提示连接超时", "连接超时"),
            ("登录时提示：数据库连接失败。我们部门都这样", "数据库连接失败"),
            ("系统提示密码已过期", "密码已过期"),
            ("开机显示无法加载驱动，怎么办", "无法加载驱动"),
            ("550 5.7.1 Message rejected due to content policy", "550 5.7.1"),
        ] {
            assert_eq!(extract(text).get(&Error).map(String::as_str), Some(want), "{text}");
        }
        for text in [
            "请按照提示操作",
            "显示器坏了",
            "显示器无法点亮",
            "显示屏异常",
            "提示错误",
            "屏幕显示异常",
            "没有任何提示就无法登录",
            "没提示密码错误",
            "提示我重启",
            "弹出一个窗口",
            "号码 550 5717",
        ] {
            assert_eq!(extract(text).get(&Error), None, "{text}");
        }
    }

    #[test]
    fn a_number_with_a_name_behind_it() {
        check("分机 6020 陈静", &[(Contact, "6020")]);
        check("联系电话：138 1234 5678 李小明", &[(Contact, "138 1234 5678")]);
        check("电话：8012（上午）", &[(Contact, "8012(上午)")]);
    }

    #[test]
    fn since_when_in_running_text() {
        for (text, want) in [
            ("打印机从早上开始一直卡纸", "从早上开始"),
            ("从上午9点半到现在都连不上", "从上午9点半到现在"),
            ("下午3点开始不能登录", "下午3点开始"),
            ("从升级之后开始就打不开", "从升级之后开始"),
            ("自从换了电脑以后起就没有声音", "自从换了电脑以后起"),
            ("麻烦看一下今天早上的邮件", "今天早上"),
            ("下周一要用，从昨天开始打不开", "从昨天开始"),
            ("昨天下午开始，每天都卡", "昨天下午开始, 每天"),
        ] {
            assert_eq!(extract(text).get(&When).map(String::as_str), Some(want), "{text}");
        }
        for text in [
            "一直卡纸",
            "新同事下周一入职",
            "下个星期一来",
            "下午好，电脑坏了",
            "从头开始装也不行",
            "从机房后面的柜子拿",
        ] {
            assert_eq!(extract(text).get(&When), None, "{text}");
        }
    }

    #[test]
    fn a_department_in_running_text() {
        for (text, want) in [
            ("ERP 宕机了，我们财务部所有人都登录不上", "财务部"),
            ("财务部的打印机坏了", "财务部"),
            ("我们采购二部整个都上不了网", "采购二部"),
            ("这里是人力资源部，门禁不能用", "人力资源部"),
            ("VPN is down.\nExtension 4417, Marketing.\n\nAlice", "Marketing"),
            ("Jane Roe\nHuman Resources Dept\n", "Human Resources Dept"),
        ] {
            assert_eq!(extract(text).get(&Department).map(String::as_str), Some(want), "{text}");
        }
        for text in [
            "我们全部都上不了网",
            "内部的网站打不开",
            "我们大部分人没事",
            "财务部门禁坏了",
            "请转财务部审批",
            "Please ask Finance.",
            "Sales,\nmy PC is broken",
        ] {
            assert_eq!(extract(text).get(&Department), None, "{text}");
        }
    }

    #[test]
    fn our_form_is_read_inside_a_quote_and_nothing_else_is() {
        let zh = "已填。\n\n> 为了处理得更快，请回复本邮件补上下面几项，不清楚的可以留空：\n> \n> 部门：财务部\n> 联系电话： 8012\n> 报错信息：\n> \n> IT 服务台 · 工单 IT001\n> 电话：9999";
        let found = extract_from_form(zh);
        assert_eq!(found, Fields::from([(Department, "财务部".into()), (Contact, "8012".into())]));
        let en = "see below\n> To help us work faster, please reply with what you know of the following. Leave\n> blank what you do not know.\n>\n> Name: Jane Roe\n> Phone: 4417\n\nThanks\n> Department: Sales";
        let found = extract_from_form(en);
        assert_eq!(found, Fields::from([(Name, "Jane Roe".into()), (Contact, "4417".into())]));
        for text in [
            "> 李工 写道：\n> 姓名：李工\n> 联系电话：9999\n> 部门：信息部",
            "",
            "> 请回复本邮件补上下面几项，不清楚的可以留空：\n> 有事请找李工\n> 联系电话：9999",
        ] {
            assert_eq!(extract_from_form(text), Fields::new(), "{text}");
        }
    }

    #[test]
    fn the_form_is_read_however_a_client_has_it_filled_in() {
        const ASKED: &str = "请回复本邮件补上下面几项，不清楚的可以留空：";
        let all = [(Department, "财务部"), (Contact, "8012"), (When, "今天早上")];
        let check = |form: &str, want: &[(Field, &str)]| {
            let want: Fields = want.iter().map(|(f, v)| (*f, (*v).to_owned())).collect();
            assert_eq!(extract_from_form(&format!("{ASKED}\n{form}")), want, "plain: {form}");
            let quoted = format!("{ASKED}\n{form}").replace('\n', "\n> ");
            assert_eq!(extract_from_form(&format!("> {quoted}")), want, "quoted: {form}");
            assert_eq!(extract_from_form(&format!("{ASKED}\n{}", form.replace('\n', "\n\n"))), want, "spaced: {form}");
        };
        let end = "\nIT 服务台 · 工单 IT001";
        check(&format!("部门：财务部\n联系电话： 8012\n发生时间和频率：今天早上{end}"), &all);
        check(&format!("部门:财务部\n联系电话:8012\n发生时间和频率:今天早上\n报错信息:{end}"), &all);
        check(&format!("* 部门：财务部\n* 联系电话：８０１２\n* 发生时间和频率：今天早上{end}"), &all);
        check(&format!("部门：\n联系电话：8012\n报错信息：{end}"), &[(Contact, "8012")]);
        // Below the labels, in and around the quote.
        let below = format!(
            "> {ASKED}\n>\n> 部门：\n财务部\n> 联系电话：\n\n8012\n> 发生时间和频率：\n今天早上\n> 报错信息：\n>\n> IT 服务台 · 工单 IT001"
        );
        assert_eq!(extract_from_form(&below), all.map(|(f, v)| (f, v.to_owned())).into());
        let plain = format!("{ASKED}\n部门：\n财务部\n联系电话：\n8012\n\n这是别的话");
        assert_eq!(extract_from_form(&plain), [(Department, "财务部".into()), (Contact, "8012".into())].into());
        let other = format!("> {ASKED}\n> 部门：\n>\n> 这是别的话\n> 联系电话：9999");
        assert_eq!(extract_from_form(&other), Fields::new());
    }

    #[test]
    fn a_reply_that_is_only_the_form() {
        for text in [
            "部门：财务部\n联系电话：8012",
            "部门：财务部\n报错信息：\n",
            "Department: Finance\nPhone:\n\nError text: 0x1F",
        ] {
            assert!(is_form(text), "{text}");
        }
        for text in ["", "部门：\n报错信息：", "部门：财务部\n还是不行", "好的：谢谢", "你好\n部门：财务部"]
        {
            assert!(!is_form(text), "{text}");
        }
    }

    #[test]
    fn the_form_is_found_in_our_own_letters() {
        for (template, sentence) in [
            (include_str!("../../templates/acknowledgement/zh-CN/text.txt"), FORM_SENTENCES[0]),
            (include_str!("../../templates/acknowledgement/en/text.txt"), FORM_SENTENCES[1]),
        ] {
            let line = template.lines().position(|line| line.ends_with(sentence)).expect(sentence);
            assert!(template.lines().nth(line + 1).is_some_and(|next| next.contains("letter.missing")), "{sentence}");
        }
    }

    #[test]
    fn what_is_no_field() {
        check("我的姓名和部门都没变，只是电脑坏了", &[]);
        check("the printer shows a message and the team is waiting", &[]);
        check("姓名：\n部门：\n联系电话：", &[]);
        check("Re: name change", &[]);
    }

    #[test]
    fn a_handful_is_asked() {
        assert_eq!(missing(&Fields::new(), Priority::P3), [Name, Department, Contact, When, Error]);
        let fields = extract("张三 财务部 8012");
        assert_eq!(missing(&fields, Priority::P1), [When, Error, Impact]);
        assert_eq!(missing(&fields, Priority::P4), []);
        assert_eq!(missing(&Fields::new(), Priority::P4), [Name, Department, Contact]);
    }

    #[test]
    fn s01_long_and_odd_input_is_safe() {
        let texts = [
            "姓名：".repeat(50_000),
            "|".repeat(100_000),
            "(".repeat(100_000),
            ":".repeat(100_000),
            "İ：姓名".repeat(9_000),
            "1".repeat(100_000),
        ];
        for text in texts {
            extract(&text);
        }
    }
}
