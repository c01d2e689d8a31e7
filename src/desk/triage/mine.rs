//! Words of tickets that might be worth a rule: Latin words and pairs of them, runs of two to five Chinese characters, and
//! a Latin word with the characters right behind it. Nothing that looks like a person: what `desk::knowledge::mask` takes
//! away, names of people the desk knows, numbers, addresses, hosts and paths.

use super::Case;
use super::fold::{fold, is_cjk};
use crate::desk::knowledge::mask::{Known, mask};
use crate::desk::knowledge::terms;
use regex::Regex;
use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

/// Characters of a ticket that are looked at: what is the matter stands at the top.
const EXAMINED: usize = 2_000;
const LONGEST_RUN: usize = 5;
const LONGEST_WORD: usize = 24;

/// Names of people, in the comparing spelling.
#[derive(Debug, Default)]
pub struct Names {
    /// Chinese names and their given names.
    chinese: HashSet<String>,
    words: HashSet<String>,
}

impl Names {
    pub fn add(&mut self, name: &str) {
        for part in fold(name).split(|c: char| !c.is_alphanumeric()) {
            let characters: Vec<char> = part.chars().collect();
            if characters.iter().all(|c| is_cjk(*c)) {
                let given = characters.get(1..).filter(|given| given.len() >= 2);
                let all =
                    [Some(&characters[..]), given].into_iter().flatten().filter(|name| (2..=4).contains(&name.len()));
                self.chinese.extend(all.map(|name| name.iter().collect::<String>()));
            } else if characters.len() >= 3 {
                self.words.insert(part.to_owned());
            }
        }
    }

    /// How many characters of a name a run begins with.
    fn length_in(&self, run: &[char]) -> usize {
        let lengths = (2..=4.min(run.len())).rev();
        lengths
            .into_iter()
            .find(|length| self.chinese.contains(&run[..*length].iter().collect::<String>()))
            .unwrap_or(0)
    }
}

/// The words of a case, each once.
pub fn of(case: &Case, names: &Names) -> BTreeSet<String> {
    let text: String = case.subject.chars().chain(['\n']).chain(case.text.chars()).take(EXAMINED).collect();
    let known = Known { names: vec![case.name.clone()], numbers: Vec::new() };
    let masked = mask(&text, &known, case.language);
    let mut found = BTreeSet::new();
    for line in shown().replace_all(&masked, "\n").lines() {
        let mut parts = Parts { names, found: &mut found, word: None, run: Vec::new(), ahead: None };
        parts.read(&fold(line));
    }
    found
}

/// What stands in the place of what was masked.
fn shown() -> &'static Regex {
    static SHOWN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[[^\[\]\n]{2,20}\]").expect("a valid pattern"));
    &SHOWN
}

struct Parts<'a> {
    names: &'a Names,
    found: &'a mut BTreeSet<String>,
    /// The word before, when nothing but a blank came after it.
    word: Option<String>,
    run: Vec<char>,
    /// The word right before the run.
    ahead: Option<String>,
}

impl Parts<'_> {
    fn read(&mut self, line: &str) {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            if is_cjk(c) {
                self.run.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
            let glued = !self.run.is_empty();
            self.end_run();
            if !c.is_alphanumeric() {
                // A blank parts words of one phrase, anything else ends it.
                self.word = self.word.take().filter(|_| c == ' ' && !glued);
                self.ahead = None;
                rest = &rest[c.len_utf8()..];
                continue;
            }
            let end = end_of_word(rest);
            let (word, after) = rest.split_at(end);
            self.add_word(word);
            self.ahead = self.word.clone().filter(|_| after.starts_with(is_cjk));
            rest = after;
        }
        self.end_run();
    }

    fn add_word(&mut self, word: &str) {
        if !is_plain(word) || self.names.words.contains(word) {
            self.word = None;
            return;
        }
        let empty = is_everywhere(word);
        if word.chars().count() >= 3 && !empty {
            self.found.insert(word.to_owned());
        }
        if let Some(before) = self.word.take().filter(|before| !empty && !is_everywhere(before)) {
            self.found.insert(format!("{before} {word}"));
        }
        self.word = Some(word.to_owned());
    }

    /// A run ends where a name begins, and the next one begins behind it.
    fn end_run(&mut self) {
        let whole = std::mem::take(&mut self.run);
        if whole.is_empty() {
            return;
        }
        self.word = None;
        let (mut at, mut from) = (0, 0);
        while at < whole.len() {
            match self.names.length_in(&whole[at..]) {
                0 => at += 1,
                length => {
                    self.add_run(&whole[from..at]);
                    at += length;
                    from = at;
                }
            }
        }
        self.add_run(&whole[from..]);
    }

    fn add_run(&mut self, run: &[char]) {
        for length in 2..=LONGEST_RUN.min(run.len()) {
            for part in run.windows(length) {
                let ends = [part[0], part[length - 1]];
                let text: String = part.iter().collect();
                if !ends.iter().any(|c| EMPTY.contains(*c)) && !terms::is_everywhere(&text) {
                    self.found.insert(text);
                }
            }
        }
        if let Some(word) = self.ahead.take().filter(|word| !is_everywhere(word)) {
            for part in (1..=2.min(run.len())).map(|length| &run[..length]) {
                if !part.iter().any(|c| EMPTY.contains(*c)) {
                    self.found.insert(word.chars().chain(part.iter().copied()).collect());
                }
            }
        }
    }
}

/// Where the word ends that a text begins with; what joins the parts of an address, a host or a path belongs to it.
fn end_of_word(text: &str) -> usize {
    let letter = |c: char| c.is_alphanumeric() && !is_cjk(c);
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let joins = "@./\\:&+#'".contains(c)
            && characters.peek().is_some_and(|(_, next)| letter(*next) || "\\/".contains(*next));
        if !letter(c) && !joins {
            return at;
        }
    }
    text.len()
}

/// A word, no number and nothing put together of several parts.
fn is_plain(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let joined = word.contains(['@', '.', '/', '\\', ':', '&', '+', '#']);
    !joined && letters >= 2 && digits <= 3 && word.starts_with(char::is_alphabetic) && word.len() <= LONGEST_WORD
}

fn is_everywhere(word: &str) -> bool {
    word.contains('\'') || terms::is_everywhere(word) || common().contains(word)
}

fn common() -> &'static HashSet<&'static str> {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.split(' ').collect());
    &WORDS
}

/// Characters that words neither begin nor end with.
const EMPTY: &str =
    "的了是我你他她它您吗呢吧啊请和与或也都就还又很太们这那哪把被给让有没不在再已去来到从对为以及等着过得地之其";

/// English words that stand in any mail, between blanks.
const COMMON: &str = "\
    about able after again all also always another anyone asap asked attached because been before being below both \
    cannot case check come contact day days did does doing done down during each either else email even ever every \
    few find first found further give given good got had hence her here his hope how however into its just kindly \
    last later like look looking made mail make many may might more morning most much must new next now off old \
    once one only open other others out over own per problem provide put really regarding request same see seems \
    send sent several she should since some someone something soon still such support sure take tell than their \
    them then these they thing think those three through time times today too tried try trying two under until up \
    upon use used user using very want way well were what where which while who why within without work working \
    works yes yesterday yet sincerely sir madam thx urgent colleague colleagues week month year monday tuesday \
    wednesday thursday friday saturday sunday january february march april june july august september october \
    november december afternoon evening night company member ago back via";

#[cfg(test)]
mod tests {
    use super::super::case::tests::past;
    use super::*;

    fn check(text: &str, holds: &[&str], lacks: &[&str]) {
        let mut names = Names::default();
        ["张伟明", "Helen Carter", "li.na"].iter().for_each(|name| names.add(name));
        let case = Case { name: "王小燕".into(), ..Case::of(past(1, "x", text)).unwrap() };
        let found = of(&case, &names);
        for term in holds {
            assert!(found.contains(*term), "{term} in {text}: {found:?}");
        }
        for term in lacks {
            assert!(!found.iter().any(|word| word.contains(term)), "{term} not in {text}: {found:?}");
        }
    }

    #[test]
    fn words_of_both_languages() {
        check("堡垒机连不上", &["堡垒", "堡垒机", "连不上", "机连不上"], &[]);
        check(
            "The sonar server rejects my git push",
            &["sonar", "sonar server", "git push", "rejects"],
            &["the", "my"],
        );
        check("Wi-Fi 断了", &["wi fi"], &["断了"]);
        check("OA系统打不开，U盾失效", &["oa系统", "系统"], &[]);
        check("我的工位没有信号", &["工位", "信号"], &["我的", "的工"]);
        check("git, sonar", &["git", "sonar"], &["git sonar"]);
    }

    #[test]
    fn nothing_personal() {
        check("张伟明 反映扫码枪坏了", &["扫码枪"], &["张伟", "伟明"]);
        check("王小燕的扫码枪", &["扫码枪"], &["小燕", "王小"]);
        check("please ask Helen about the plotter", &["plotter"], &["helen", "carter"]);
        check("请联系李经理，电话 13800138000", &["经理"], &["13800", "李经"]);
        check("mail me at zhou.jie@corp.example about plotter", &["plotter"], &["zhou", "jie", "corp"]);
        check("host srv01.corp.example and \\\\files\\public broke", &["broke"], &["srv01", "corp", "files", "public"]);
        check("password: plotter9 for the plotters", &["plotters"], &["plotter9"]);
        check("case 20261123 asset 0815AB x99999", &["asset"], &["2026", "0815", "x99999"]);
    }

    #[test]
    fn odd_and_endless_texts_are_bounded() {
        let endless: String = (0..100_000_u32).filter_map(|n| char::from_u32(0x4e00 + n % 20_000)).collect();
        let found = of(&Case::of(past(1, "x", &endless)).unwrap(), &Names::default());
        assert!(found.len() < 10_000);
        check("😀 \u{202e}a\u{0}b [x] []] ...@@@///::", &[], &[]);
    }
}
