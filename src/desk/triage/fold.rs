//! One spelling for comparing: NFKC, lower case, simplified Chinese, single spaces. Rules and mails go through the same door.

use unicode_normalization::UnicodeNormalization;

/// Characters of a message that are examined at all; a fault is told at the top, and the time stays linear.
const EXAMINED_BYTES: usize = 64 * 1024;
/// A line at least this wide (columns; a Chinese character counts two) was probably wrapped by the mail client.
const WRAPPED_COLUMNS: usize = 60;
/// The opening: so many lines below the greeting, and never more than so many bytes of them.
const OPENING_LINES: usize = 3;
const OPENING_BYTES: usize = 400;

/// Appends `text` to `out` in the comparing spelling. Spaces and dashes become one space, other control characters vanish.
pub fn fold_into(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let size = c.len_utf8();
        if is_plain(c) {
            push(out, c);
            rest = &rest[size..];
            continue;
        }
        // Runs of anything else go through NFKC together, so that combining marks meet their letter.
        let end = rest.char_indices().find(|(_, c)| is_plain(*c)).map_or(rest.len(), |(at, _)| at);
        rest[..end].nfkc().for_each(|c| push(out, c));
        rest = &rest[end..];
    }
}

/// The comparing spelling of a term.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(&mut out, text.trim());
    out.truncate(out.trim_end().len());
    out
}

/// NFKC leaves it alone whatever stands around it.
fn is_plain(c: char) -> bool {
    c.is_ascii() || ('\u{4e00}'..='\u{9fff}').contains(&c)
}

fn push(out: &mut String, c: char) {
    match c {
        c if c.is_whitespace() || is_dash(c) => {
            if !out.is_empty() && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        }
        '\u{2018}' | '\u{2019}' | '\u{b4}' | '`' => out.push('\''),
        '\u{200b}'..='\u{200f}' | '\u{ad}' | '\u{feff}' | '\u{fe0f}' => {}
        c if c.is_control() => {}
        c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
        c if is_cjk(c) => out.push(simplified(c)),
        c => out.extend(c.to_lowercase()),
    }
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}')
}

/// A Chinese character (no spaces between words there).
pub fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

/// Traditional characters of this trade, each followed by its simplified form. Not a dictionary: what the rules need.
const TRADITIONAL: &str = "網网絡络電电腦脑機机號号帳账戶户碼码錄录權权限限軟软體体檔档夾夹儲储雲云備备復复還还誤误刪删\
    無无錯错開开關关閉闭啟启動动連连線线斷断訊讯號号頻频視视會会議议導导頁页顯显螢荧藍蓝畫画頭头鍵键鼠鼠滑滑標标印印表表紙纸\
    彩彩掃扫瞄描儀仪設设裝装載载請请問问題题幫帮謝谢們们這这個个為为麼么樣样說说點点擊击鏈链釣钓魚鱼郵邮發发收收傳传\
    門门禁禁員员工工離离職职報报銷销審审單单據据庫库務务資资訂订貨货產产廠厂總总經经財财稅税證证書书簽签隱隐壞坏損损燒烧熱热風风\
    慢慢緊紧應应該该盡尽處处執执更更換换輸输驗验雙双認认識识鎖锁後后時时間间現现環环測测試试聽听聲声響响麥麦風风戰战對对\
    話话線线專专臺台幾几張张從从來来過过進进選选項项圖图標标類类別别級级優优種种補补歷历護护衛卫監监攝摄錢钱額额價价購购買买賣卖\
    遠远達达運运行行營营業业場场區区層层樓楼辦办課课屬属給给讓让與与並并沒没態态勢势觸触摸摸調调變变轉转遺遗丟丢盜盗竊窃\
    駭骇侵侵毒毒馬马殺杀軟软隔隔離离補补釋释結结構构編编輯辑寫写讀读內内協协滿满沒没經经謝谢較较還还題题復复現现裡里點点價价評评贊赞頂顶準准較较夠够輕轻難难團团術术員员質质異异";

/// The simplified form of a traditional character of this trade; anything else as it is.
pub fn simplified(c: char) -> char {
    static TABLE: std::sync::LazyLock<Vec<(char, char)>> = std::sync::LazyLock::new(|| {
        let all: Vec<char> = TRADITIONAL.chars().filter(|c| is_cjk(*c)).collect();
        let mut pairs: Vec<_> = all.chunks_exact(2).map(|p| (p[0], p[1])).collect();
        pairs.sort_unstable();
        pairs.dedup_by_key(|p| p.0);
        pairs
    });
    TABLE.binary_search_by_key(&c, |p| p.0).map_or(c, |at| TABLE[at].1)
}

/// A message in the comparing spelling: the subject, a line break, the text. Soft line breaks are mended, so that
/// a term broken by a mail client's wrapping is still found; hard ones stay and end a sentence.
pub struct Folded {
    pub text: String,
    /// Where the subject ends.
    pub subject_end: usize,
    /// Where the opening ends: the first lines below the greeting.
    pub opening_end: usize,
    /// Start of each sentence, ascending, the first is 0.
    sentences: Vec<usize>,
    /// Lines that a program wrote, as byte ranges, ascending.
    machine: Vec<(usize, usize)>,
}

impl Folded {
    pub fn new(subject: &str, text: &str) -> Folded {
        let text = head(text, EXAMINED_BYTES);
        let mut folded = Folded {
            text: String::with_capacity(subject.len() + text.len() + 2),
            subject_end: 0,
            opening_end: 0,
            sentences: Vec::new(),
            machine: Vec::new(),
        };
        fold_into(&mut folded.text, head(subject, EXAMINED_BYTES));
        folded.subject_end = folded.text.len();
        folded.body(text);
        folded.split_sentences();
        folded
    }

    fn body(&mut self, text: &str) {
        let (mut opening, mut hard) = (0, true);
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() {
                hard = true;
                continue;
            }
            if hard {
                self.text.push('\n');
            } else if !(self.text.ends_with(is_cjk) && trimmed.starts_with(is_cjk)) {
                self.text.push(' ');
            }
            let start = self.text.len();
            fold_into(&mut self.text, trimmed);
            let folded = &self.text[start..];
            if is_machine(folded) {
                self.machine.push((start, self.text.len()));
            }
            if !(opening == 0 && is_greeting(folded)) && opening < OPENING_LINES {
                opening += 1;
                let limit = char_floor(&self.text, start.max(self.subject_end) + OPENING_BYTES);
                self.opening_end = self.text.len().min(limit);
            }
            hard = columns(trimmed) < WRAPPED_COLUMNS;
        }
        self.opening_end = self.opening_end.max(self.subject_end);
    }

    fn split_sentences(&mut self) {
        self.sentences.push(0);
        let bytes = self.text.as_bytes();
        for (at, c) in self.text.char_indices() {
            let end = match c {
                '\n' | '!' | '?' | ';' | '。' => true,
                '.' => matches!(bytes.get(at + 1), Some(b' ' | b'\n')),
                _ => false,
            };
            if end {
                self.sentences.push(at + c.len_utf8());
            }
        }
    }

    /// The sentence a byte position lies in.
    pub fn sentence(&self, at: usize) -> (usize, usize) {
        let next = self.sentences.partition_point(|start| *start <= at);
        (self.sentences[next - 1], self.sentences.get(next).copied().unwrap_or(self.text.len()))
    }

    /// Whether a program wrote the line: error output and logs say `critical` without meaning it.
    pub fn is_machine(&self, at: usize) -> bool {
        let next = self.machine.partition_point(|(start, _)| *start <= at);
        next > 0 && at < self.machine[next - 1].1
    }
}

/// The first `limit` bytes, cut between characters.
pub fn head(text: &str, limit: usize) -> &str {
    &text[..char_floor(text, limit)]
}

fn char_floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn columns(line: &str) -> usize {
    line.chars().take(WRAPPED_COLUMNS).map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

fn is_greeting(line: &str) -> bool {
    const GREETINGS: &[&str] = &[
        "hi",
        "hello",
        "hey",
        "dear",
        "good morning",
        "good afternoon",
        "good day",
        "good evening",
        "greetings",
        "您好",
        "你好",
        "尊敬",
        "各位",
        "大家好",
        "hallo",
        "guten",
        "sehr geehrte",
        "bonjour",
    ];
    line.len() <= 40 && (GREETINGS.iter().any(|g| line.starts_with(g)) || line.ends_with("好") || line.ends_with("好:"))
}

/// Error output, stack traces and log lines, recognised by their first characters.
fn is_machine(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "error ",
        "error:",
        "[error",
        "[warn",
        "[fatal",
        "[crit",
        "[emerg",
        "warn ",
        "warning:",
        "fatal ",
        "fatal:",
        "critical:",
        "caused by:",
        "at java.",
        "at system.",
        "at org.",
        "at com.",
        "exception in",
        "traceback",
        "file \"",
        "> ",
        "<",
        "{",
        "java.",
        "system.",
        "ora ",
    ];
    let level = |l: &str| {
        [" error ", " fatal ", " critical ", " warn ", "[error]", "[critical]", " emerg"].iter().any(|w| l.contains(w))
    };
    STARTS.iter().any(|s| line.starts_with(s)) || (is_stamped(line) && level(line))
}

/// Begins with a clock or a date, as log lines do (the dashes of a date are spaces by now).
fn is_stamped(line: &str) -> bool {
    let head: Vec<u8> = line.bytes().take(10).collect();
    head.len() == 10
        && head.first().is_some_and(|b| b.is_ascii_digit() || *b == b'[')
        && head.iter().filter(|b| b.is_ascii_digit()).count() >= 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling() {
        for (text, want) in [
            ("ＶＰＮ  掉线", "vpn 掉线"),
            ("Wi-Fi", "wi fi"),
            ("can’t", "can't"),
            ("更換密碼", "更换密码"),
            ("帳號鎖定", "账号锁定"),
            ("e\u{200b}rp", "erp"),
            ("①", "1"),
            ("ÄRGER", "ärger"),
            (" a\u{3000}b\u{a0}c ", "a b c"),
        ] {
            assert_eq!(fold(text), want, "{text}");
        }
    }

    #[test]
    fn wrapped_lines_are_mended_and_short_ones_stay() {
        let long = "我今天早上在会议室里试了很多次都不行，投影仪插上之后电脑上一直显示打印";
        assert!(Folded::new("", &format!("{long}\n机脱机")).text.contains("打印机脱机"));
        assert!(!Folded::new("", "打印\n机").text.contains("打印机"));
        let english = "I have tried this several times today and it always ends in the same blue";
        assert!(Folded::new("", &format!("{english}\nscreen")).text.contains("blue screen"));
    }

    #[test]
    fn machine_lines() {
        let folded = Folded::new("x", "help\nERROR critical failure in module\n2026-11-23 10:00:01 ERROR fatal\nbye");
        let at = |word: &str| folded.text.find(word).unwrap();
        assert!(folded.is_machine(at("critical")) && folded.is_machine(at("fatal")));
        assert!(!folded.is_machine(at("help")) && !folded.is_machine(at("bye")));
    }

    #[test]
    fn s01_any_length_and_any_cut_is_safe() {
        let text = "打".repeat(100_000);
        let folded = Folded::new(&text, &text);
        assert!(folded.text.len() < 200_000);
        assert_eq!(folded.sentence(folded.text.len()).1, folded.text.len());
    }
}
