//! The terms of a text, for finding it again: one cutting for every database, without a dictionary.
//!
//! | Text | Terms in a document | Terms of a query |
//! |---|---|---|
//! | `打印机` | `打印` `印机` and the last character `机` | `打印` `印机` |
//! | `盘` alone | `盘` | everything that begins with `盘` |
//! | `Outlook` | `outlook` | `outlook` |
//! | `ORA-00942`, `10.0.0.1` | the whole and its parts | the whole |
//! | `follow-up` | its parts | its parts |
//!
//! Chinese has no blanks: two neighbours are a term, and since the last character of a run stands alone as well, every
//! character of it begins a term. `0x80070005` and `KB5034441` are words like any other.

use crate::desk::triage::simplified;
use unicode_normalization::UnicodeNormalization as _;

/// Terms that are kept of one document; `tsvector` has bounds of its own further up.
pub const MOST: usize = 2_000;
/// Terms of a query that are looked at.
pub const MOST_ASKED: usize = 16;
/// Characters of a document that are looked at.
const EXAMINED: usize = 200_000;
/// Characters of a word that count.
const LONGEST: usize = 40;

/// What a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Term(String),
    /// Any term that begins so.
    Prefix(String),
}

/// The terms of a document, each once, in the order in which they come.
pub fn of(text: &str) -> Vec<String> {
    let mut found = Found::default();
    for run in runs(text, EXAMINED) {
        match run {
            Run::Chinese(characters) => {
                characters.windows(2).for_each(|pair| found.add(pair.iter().collect()));
                found.add(characters.last().into_iter().collect());
            }
            Run::Word(word) => {
                if is_code(&word) {
                    found.add(word.clone());
                }
                word.split(is_joint).for_each(|part| found.add(part.to_owned()));
            }
        }
        if found.list.len() >= MOST {
            break;
        }
    }
    found.list.truncate(MOST);
    found.list
}

/// What somebody looks for: all of it has to be there.
pub fn wanted(query: &str) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut add = |term: Wanted| {
        if wanted.len() < MOST_ASKED && !wanted.contains(&term) {
            wanted.push(term);
        }
    };
    for run in runs(query, 2_000) {
        match run {
            Run::Chinese(characters) if characters.len() == 1 => add(Wanted::Prefix(characters.iter().collect())),
            Run::Chinese(characters) => {
                characters.windows(2).for_each(|pair| add(Wanted::Term(pair.iter().collect())));
            }
            Run::Word(word) if is_code(&word) => add(Wanted::Term(word)),
            Run::Word(word) => word.split(is_joint).for_each(|part| add(Wanted::Term(part.to_owned()))),
        }
    }
    wanted
}

/// What a text is about, for likening it to others: without the lone characters that only make every query work, and
/// without what stands in every mail.
pub fn telling(text: &str) -> Vec<String> {
    let mut terms = of(text);
    terms.retain(|term| term.chars().count() > 1 && !EVERYWHERE.contains(&term.as_str()));
    terms
}

/// Whether it stands in every mail.
pub fn is_everywhere(term: &str) -> bool {
    EVERYWHERE.contains(&term)
}

/// Greetings, thanks and the words between words.
const EVERYWHERE: &[&str] = &[
    "您好", "你好", "谢谢", "多谢", "感谢", "请问", "麻烦", "帮忙", "帮我", "一下", "看看", "看一", "请帮", "我的",
    "我们", "你们", "这个", "那个", "一个", "可以", "不能", "现在", "今天", "昨天", "目前", "出现", "问题", "需要",
    "进行", "已经", "还是", "就是", "尽快", "处理", "协助", "无法", "是否", "如果", "因为", "所以", "the", "and", "is",
    "are", "was", "to", "of", "in", "on", "at", "it", "my", "me", "we", "our", "you", "your", "for", "with", "this",
    "that", "be", "can", "not", "please", "hi", "hello", "dear", "team", "thanks", "thank", "regards", "best", "kind",
    "have", "has", "from", "an", "as", "or", "but", "when", "do", "does", "will", "would", "could", "there", "any",
    "help", "need", "get", "am", "if", "so", "by", "get", "let", "know", "issue", "hello",
];

#[derive(Default)]
struct Found {
    list: Vec<String>,
    known: std::collections::HashSet<String>,
}

impl Found {
    fn add(&mut self, term: String) {
        if !term.is_empty() && self.known.insert(term.clone()) {
            self.list.push(term);
        }
    }
}

enum Run {
    Chinese(Vec<char>),
    /// Parts with single joints between them, lower case.
    Word(String),
}

/// A whole whose parts alone say little: it has a joint and a digit.
fn is_code(word: &str) -> bool {
    word.contains(is_joint) && word.contains(|c: char| c.is_ascii_digit())
}

fn is_joint(c: char) -> bool {
    matches!(c, '-' | '_' | '.')
}

fn is_chinese(c: char) -> bool {
    // Ideographs, kana and their marks: scripts without blanks. As of Unicode 6.1, which `unicode61` knows.
    matches!(c, '\u{3400}'..='\u{4db5}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2a6d6}'
        | '\u{2a700}'..='\u{2b734}' | '\u{2b740}'..='\u{2b81d}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
        | 'ー' | '々')
}

/// Letters and digits that both databases know as such: Latin, Greek, Cyrillic, Hangul.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && c != '\u{37f}' && (c < '\u{528}' || ('\u{ac00}'..='\u{d7a3}').contains(&c))
}

fn runs(text: &str, most: usize) -> Vec<Run> {
    let characters = text.nfkc().take(most).flat_map(char::to_lowercase).map(simplified);
    let (mut runs, mut word, mut joint): (Vec<Run>, String, Option<char>) = (Vec::new(), String::new(), None);
    let mut length = 0;
    let end_word = |runs: &mut Vec<Run>, word: &mut String| {
        if !word.is_empty() {
            runs.push(Run::Word(std::mem::take(word)));
        }
    };
    let mut after_chinese = false;
    for c in characters {
        if is_letter(c) {
            if word.is_empty() {
                length = 0;
            }
            if let Some(joint) = joint.take().filter(|_| !word.is_empty() && length < LONGEST) {
                word.push(joint);
            }
            if length < LONGEST {
                word.push(c);
            }
            length += 1;
        } else if is_joint(c) && !word.is_empty() && joint.is_none() {
            joint = Some(c);
        } else {
            end_word(&mut runs, &mut word);
            joint = None;
            if is_chinese(c) {
                match runs.last_mut().filter(|_| after_chinese) {
                    Some(Run::Chinese(run)) => run.push(c),
                    _ => runs.push(Run::Chinese(vec![c])),
                }
            }
        }
        after_chinese = is_chinese(c);
    }
    end_word(&mut runs, &mut word);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, terms: &str) {
        assert_eq!(of(text).join(" "), terms, "{text}");
    }

    fn asks(query: &str, wanted: &str) {
        let shown = |w: &Wanted| match w {
            Wanted::Term(term) => term.clone(),
            Wanted::Prefix(start) => format!("{start}*"),
        };
        assert_eq!(super::wanted(query).iter().map(shown).collect::<Vec<_>>().join(" "), wanted, "{query}");
    }

    #[test]
    fn chinese_is_cut_into_pairs() {
        check("打印机", "打印 印机 机");
        check("盘", "盘");
        check("C盘满了", "c 盘满 满了 了");
        check("打印，打印！", "打印 印");
        check("網絡", "网络 络");
        check("カラー印刷", "カラ ラー ー印 印刷 刷");
        check("𠮷野家", "𠮷野 野家 家");
    }

    #[test]
    fn words_are_folded_and_codes_stay_whole() {
        check("Outlook 无法OPEN", "outlook 无法 法 open");
        check("ＶＰＮ　ﬁle", "vpn file");
        check("ORA-00942: table", "ora-00942 ora 00942 table");
        check("错误 0x80070005，KB5034441", "错误 误 0x80070005 kb5034441");
        check("10.0.0.1 v2.3", "10.0.0.1 10 0 1 v2.3 v2 3");
        check("follow-up e-mail", "follow up e mail");
        check("end. -dash- a--b __x", "end dash a b x");
        check("Größe café", "größe café");
        check("한글 보기", "한글 보기");
        check("", "");
        check("!?…😀 ", "");
    }

    #[test]
    fn queries_ask_for_no_more_than_a_document_has() {
        asks("打印机", "打印 印机");
        asks("盘", "盘*");
        asks("C盘", "c 盘*");
        asks("ora-00942", "ora-00942");
        asks("follow-up", "follow up");
        asks("打印 打印", "打印");
        asks("\"OR ' * ) AND", "or and");
        for text in ["C盘满了", "打印机 Outlook-2016 卡纸", "10.0.0.1", "一", "e-mail", "网络connected后"] {
            let terms = of(text);
            for want in super::wanted(text) {
                let there = match &want {
                    Wanted::Term(term) => terms.contains(term),
                    Wanted::Prefix(start) => terms.iter().any(|term| term.starts_with(start.as_str())),
                };
                assert!(there, "{text}: {want:?} in {terms:?}");
            }
        }
    }

    #[test]
    fn every_character_of_a_run_begins_a_term() {
        let terms = of("三楼财务部打印机卡纸");
        for c in "三楼财务部打印机卡纸".chars() {
            assert!(terms.iter().any(|term| term.starts_with(c)), "{c}");
        }
    }

    #[test]
    fn odd_and_endless_texts_are_bounded() {
        let endless: String = (0..300_000_u32).filter_map(|n| char::from_u32(0x4e00 + n % 20_000)).collect();
        assert_eq!(of(&endless).len(), MOST);
        assert!(super::wanted(&endless).len() <= MOST_ASKED);
        let long = of(&"x".repeat(100_000));
        assert_eq!(long[0].len(), LONGEST);
        let safe = |c: char| is_letter(c) || is_chinese(c) || is_joint(c);
        for term in of("a\u{0}b \u{202e}c 'd' \"e\" (f)* \u{301}g\u{301} \u{1f600} ⅷ ㍿ ½") {
            assert!(term.chars().all(safe), "{term:?}");
        }
    }
}
