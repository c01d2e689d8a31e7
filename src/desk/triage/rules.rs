//! The rules file: TOML in, patterns out, and every fault named by line and key.

use super::fold::fold;
use crate::desk::words::{Category, Impact, Priority};
use std::collections::BTreeMap;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// A term with all its alternatives may grow to so many patterns, and a rules file to so many terms.
const MOST_FORMS: usize = 2000;
const MOST_PATTERNS: usize = 100_000;
const LONGEST_TERM: usize = 1000;

/// Something wrong in a rules file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Dotted, as in `category.network.strong`; empty when the file is no TOML at all.
    pub key: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "line {}: {}", self.line, self.what),
            key => write!(f, "line {}, {key}: {}", self.line, self.what),
        }
    }
}

/// What a term says about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    Category(Category),
    Impact(Impact),
    /// "The others are fine": one person only, whatever else is said.
    Denied,
    /// Raises to this priority at least when something is broken.
    AtLeast(Priority),
    /// A whole system stands still.
    Down,
    Blocked,
    Degraded,
    Request,
    HowTo,
    /// Work asked for that is more than a question.
    Task,
    Solved,
    Unsolved,
    Workaround,
    Urgent,
    Calm,
    /// A security incident that happened.
    Incident,
    /// Only tried, or only suspected.
    Suspected,
    /// Noticed in time.
    Contained,
    Loss,
    Stop,
    History,
    Negation,
    Question,
    Drill,
    /// A noun that a number in front of it turns into a head count.
    Heads,
    /// A core module, by its place in [`RuleSet::modules`].
    Module(usize),
}

impl Signal {
    /// Longest match counts within one layer; signals of different layers do not hide each other.
    pub fn layer(self) -> usize {
        match self {
            Signal::Category(_) => 0,
            Signal::Impact(_) | Signal::Denied => 1,
            Signal::Blocked
            | Signal::Degraded
            | Signal::Down
            | Signal::Solved
            | Signal::Unsolved
            | Signal::Workaround => 2,
            Signal::Urgent | Signal::Calm => 3,
            Signal::Incident | Signal::Suspected | Signal::Contained | Signal::Loss => 4,
            Signal::History | Signal::Negation | Signal::Question | Signal::Drill => 5,
            Signal::Module(_) => 6,
            Signal::Stop => 7,
            Signal::Request | Signal::HowTo => 8,
            Signal::Task => 9,
            Signal::AtLeast(_) => 10,
            Signal::Heads => 11,
        }
    }

    pub const LAYERS: usize = 12;
}

/// A core module and how bad it is when it stands still.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    pub name: String,
    pub priority: Priority,
}

/// What a pattern means; one spelling may mean several things.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    pub signal: Signal,
    pub weight: f64,
    /// As written in the file, before alternatives are spelled out.
    pub key: String,
}

/// How much a term says about its category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    Weak,
    Plain,
    Strong,
}

impl Grade {
    pub const ALL: [Grade; 3] = [Grade::Weak, Grade::Plain, Grade::Strong];

    pub fn parse(text: &str) -> Option<Grade> {
        Grade::ALL.into_iter().find(|grade| grade.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Weak => "weak",
            Grade::Plain => "plain",
            Grade::Strong => "strong",
        }
    }

    pub fn weight(self) -> f64 {
        match self {
            Grade::Weak => 1.0,
            Grade::Plain => 2.0,
            Grade::Strong => 3.0,
        }
    }
}

/// How much a place counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub subject: f64,
    pub opening: f64,
    pub rest: f64,
    pub history: f64,
}

/// A rules file as read: spellings and what they mean.
#[derive(Clone, Debug)]
pub struct RuleSet {
    pub weights: Weights,
    /// Key: the comparing spelling; a trailing `*` means that the word may go on.
    pub patterns: BTreeMap<String, Vec<Meaning>>,
    pub modules: Vec<Module>,
}

impl Default for RuleSet {
    fn default() -> Self {
        let weights = Weights { subject: 3.0, opening: 2.0, rest: 1.0, history: 0.3 };
        RuleSet { weights, patterns: BTreeMap::new(), modules: Vec::new() }
    }
}

impl RuleSet {
    /// Adds what the file says to these rules.
    pub fn read(&mut self, text: &str) -> Result<(), Vec<Fault>> {
        let mut reader = Reader { text, set: self, words: BTreeMap::new(), faults: Vec::new() };
        match DeTable::parse(text) {
            Ok(table) => reader.file(table.get_ref()),
            Err(error) => {
                let at = error.span().map_or(0, |s| s.start);
                reader.fault(at, "", error.message());
            }
        }
        let faults = reader.faults;
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Adds a core module with the words it goes by.
    pub fn add_module(&mut self, name: &str, words: &[&str], priority: Priority) {
        let index = self.modules.len();
        self.modules.push(Module { name: name.to_owned(), priority });
        for word in words {
            self.add(&fold(word), Signal::Module(index), 0.0, "module");
        }
    }

    fn add(&mut self, pattern: &str, signal: Signal, weight: f64, key: &str) {
        let meanings = self.patterns.entry(pattern.to_owned()).or_default();
        match meanings.iter_mut().find(|m| m.signal == signal) {
            Some(known) => known.weight = weight,
            None => meanings.push(Meaning { signal, weight, key: key.to_owned() }),
        }
    }

    /// Takes one meaning of a spelling away; `false`: it has none of this kind.
    pub fn strike(&mut self, pattern: &str, signal: Signal) -> bool {
        let Some(meanings) = self.patterns.get_mut(pattern) else { return false };
        let before = meanings.len();
        meanings.retain(|meaning| meaning.signal != signal);
        let struck = meanings.len() < before;
        if meanings.is_empty() {
            self.patterns.remove(pattern);
        }
        struck
    }

    fn remove(&mut self, pattern: &str) -> bool {
        self.patterns.remove(pattern).is_some()
    }
}

type Node<'a> = toml::Spanned<DeValue<'a>>;

struct Reader<'a> {
    text: &'a str,
    set: &'a mut RuleSet,
    /// The `[words]` table: a name and its alternatives.
    words: BTreeMap<String, Vec<String>>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, at: usize, key: &str, what: impl Into<String>) {
        let line = 1 + self.text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count();
        self.faults.push(Fault { line, key: key.to_owned(), what: what.into() });
    }

    fn file(&mut self, table: &DeTable) {
        if let Some(words) = table.get("words") {
            self.table(words, "words", |r, key, name, value| r.word(key, name, value));
        }
        if let Some(terms) = table.get("remove") {
            self.removals(terms);
        }
        for (name, value) in table {
            let (at, name) = (name.span().start, name.get_ref().as_ref());
            match name {
                "words" | "remove" | "keyword" => {}
                "weight" => self.table(value, name, |r, key, name, v| r.weight(key, name, v)),
                "category" => self.table(value, name, |r, key, name, v| r.category(key, name, v)),
                "module" => self.modules(value),
                "impact" | "state" | "urgency" | "security" | "context" | "priority" => {
                    self.table(value, name, |r, key, _, v| r.signals(key, v));
                }
                _ => self.fault(at, name, "no such section"),
            }
        }
        // Decisions about single words come last, wherever they stand: they are appended as they are made.
        if let Some(keywords) = table.get("keyword") {
            self.keywords(keywords);
        }
    }

    fn table(&mut self, node: &Node, key: &str, each: fn(&mut Self, &str, &str, &Node)) {
        let Some(table) = node.get_ref().as_table() else {
            return self.fault(node.span().start, key, "must be a table");
        };
        for (name, value) in table {
            each(self, &format!("{key}.{}", name.get_ref()), name.get_ref(), value);
        }
    }

    fn word(&mut self, key: &str, name: &str, value: &Node) {
        let terms = self.terms(key, value);
        self.words.insert(name.to_owned(), terms.into_iter().map(|(_, t)| t).collect());
    }

    fn weight(&mut self, key: &str, name: &str, value: &Node) {
        let at = value.span().start;
        let number = match value.get_ref() {
            DeValue::Float(f) => f.as_str().replace('_', "").parse().ok(),
            DeValue::Integer(i) => i.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        let Some(number) = number.filter(|n: &f64| (0.0..=100.0).contains(n)) else {
            return self.fault(at, key, "must be a number from 0 to 100");
        };
        let weights = &mut self.set.weights;
        match name {
            "subject" => weights.subject = number,
            "opening" => weights.opening = number,
            "rest" => weights.rest = number,
            "history" => weights.history = number,
            _ => self.fault(at, key, "no such weight; known: subject, opening, rest, history"),
        }
    }

    fn category(&mut self, key: &str, name: &str, value: &Node) {
        let Some(category) = Category::parse(name) else {
            return self.fault(value.span().start, key, "no such category");
        };
        let Some(grades) = value.get_ref().as_table() else {
            return self.fault(value.span().start, key, "must be a table with strong, plain and weak");
        };
        for (grade, terms) in grades {
            let key = format!("{key}.{}", grade.get_ref());
            let Some(weight) = Grade::parse(grade.get_ref()).map(Grade::weight) else {
                self.fault(grade.span().start, &key, "no such grade; known: strong, plain, weak");
                continue;
            };
            self.patterns(&key, terms, Signal::Category(category), weight, name);
        }
    }

    fn signals(&mut self, key: &str, value: &Node) {
        match signal(key) {
            Some(signal) => self.patterns(key, value, signal, 0.0, key),
            None => self.fault(value.span().start, key, "no such signal"),
        }
    }

    /// `[[keyword]]`: what becomes of one word in one list. Blocks of it can be appended to any rules file.
    fn keywords(&mut self, value: &Node) {
        let Some(blocks) = value.get_ref().as_array() else {
            return self.fault(value.span().start, "keyword", "must be [[keyword]]");
        };
        for block in blocks {
            let at = |name: &str| block.get_ref().get(name).map_or(block.span().start, |v| v.span().start);
            let text = |name: &str| block.get_ref().get(name).and_then(|v| v.get_ref().as_str());
            let Some(term) = block.get_ref().get("term") else {
                self.fault(block.span().start, "keyword.term", "is missing");
                continue;
            };
            let list = text("list").map_or(String::new(), str::to_owned);
            let category = list.strip_prefix("category.").and_then(Category::parse);
            let Some(signal) = category.map(Signal::Category).or_else(|| signal(&list)) else {
                self.fault(at("list"), "keyword.list", "must name a list, such as category.network or state.down");
                continue;
            };
            let grade = text("grade").map(|grade| (grade, Grade::parse(grade)));
            let shown = category.map_or(list.as_str(), |category| category.as_str());
            match (grade, category) {
                (Some(("none", _)), _) => self.strike(term, signal),
                (Some((_, Some(grade))), Some(_)) => self.patterns("keyword.term", term, signal, grade.weight(), shown),
                (None, None) => self.patterns("keyword.term", term, signal, 0.0, shown),
                (_, Some(_)) => self.fault(at("grade"), "keyword.grade", "must be strong, plain, weak or none"),
                (_, None) => self.fault(at("grade"), "keyword.grade", "must be none, or be left out, in this list"),
            }
        }
    }

    fn strike(&mut self, term: &Node, signal: Signal) {
        for (at, term) in self.terms("keyword.term", term) {
            if !self.set.strike(&fold(&term), signal) {
                self.fault(at, "keyword.term", format!("\"{term}\" does not stand in this list"));
            }
        }
    }

    fn modules(&mut self, value: &Node) {
        let Some(list) = value.get_ref().as_array() else {
            return self.fault(value.span().start, "module", "must be [[module]]");
        };
        for entry in list {
            let text = |name: &str| entry.get_ref().get(name).and_then(|v| v.get_ref().as_str());
            let Some(name) = text("name") else {
                self.fault(entry.span().start, "module.name", "is missing");
                continue;
            };
            let Some(priority) = Priority::parse(text("priority").unwrap_or("P1")) else {
                self.fault(entry.span().start, "module.priority", "must be P1 to P4");
                continue;
            };
            let Some(words) = entry.get_ref().get("words") else {
                self.fault(entry.span().start, "module.words", "is missing");
                continue;
            };
            let signal = Signal::Module(self.set.modules.len());
            self.set.modules.push(Module { name: name.to_owned(), priority });
            self.patterns("module.words", words, signal, 0.0, "module");
        }
    }

    fn removals(&mut self, value: &Node) {
        for (at, term) in self.terms("remove", value) {
            if !self.set.remove(&fold(&term)) {
                self.fault(at, "remove", format!("no rule is spelled \"{term}\""));
            }
        }
    }

    fn patterns(&mut self, key: &str, value: &Node, signal: Signal, weight: f64, shown: &str) {
        for (at, term) in self.terms(key, value) {
            let mut forms = Vec::new();
            if let Err(what) = self.expand(&term, &mut forms) {
                self.fault(at, key, format!("\"{term}\": {what}"));
            }
            for form in forms {
                let pattern = fold(&form);
                // One character says too little about a subject: 网 is in 网红, 卡 in 打卡.
                let least = if matches!(signal, Signal::Category(_)) { 2 } else { 1 };
                if pattern.chars().filter(|c| c.is_alphanumeric()).count() < least {
                    self.fault(at, key, format!("\"{term}\" is too short: one character alone means nothing"));
                } else if self.set.patterns.len() >= MOST_PATTERNS {
                    return self.fault(at, key, "too many terms");
                } else {
                    self.set.add(&pattern, signal, weight, shown);
                }
            }
        }
    }

    /// The terms of a value: an array of strings, or one string with terms parted by commas and line breaks, where
    /// lines that begin with `#` are remarks. Each with the place it stands at.
    fn terms(&mut self, key: &str, value: &Node) -> Vec<(usize, String)> {
        let start = value.span().start;
        let mut found = Vec::new();
        match value.get_ref() {
            DeValue::String(text) => {
                let start = start + opening_quotes(&self.text[start..]);
                found.extend(listed(text).map(|(offset, t)| (start + offset, t)));
            }
            DeValue::Array(items) => {
                for item in items {
                    match item.get_ref().as_str() {
                        Some(term) => found.push((item.span().start, term.trim().to_owned())),
                        None => self.fault(item.span().start, key, "must be a text"),
                    }
                }
            }
            _ => self.fault(start, key, "must be a text or an array of texts"),
        }
        found.retain(|(_, t)| !t.is_empty());
        if let Some((at, _)) = found.iter().find(|(_, t)| t.len() > LONGEST_TERM) {
            self.fault(*at, key, format!("a term is longer than {LONGEST_TERM} bytes"));
            found.retain(|(_, t)| t.len() <= LONGEST_TERM);
        }
        found
    }

    /// Spells out `(a|b|)` and `{name}`; the text before, then each alternative, then the rest.
    fn expand(&self, term: &str, out: &mut Vec<String>) -> Result<(), String> {
        let Some(open) = term.find(['(', '{']) else {
            out.push(term.to_owned());
            return if out.len() > MOST_FORMS { Err("too many alternatives".to_owned()) } else { Ok(()) };
        };
        let close = if term[open..].starts_with('(') { ')' } else { '}' };
        let end = open + term[open..].find(close).ok_or(format!("\"{close}\" is missing"))?;
        let inner = &term[open + 1..end];
        let named;
        let alternatives: Vec<&str> = if close == ')' {
            inner.split('|').collect()
        } else {
            named = self.words.get(inner).ok_or(format!("[words] has no \"{inner}\""))?;
            named.iter().map(String::as_str).collect()
        };
        for alternative in alternatives {
            self.expand(&format!("{}{alternative}{}", &term[..open], &term[end + 1..]), out)?;
        }
        Ok(())
    }
}

/// The list of a signal that is no category.
fn signal(key: &str) -> Option<Signal> {
    Some(match key {
        "impact.company" => Signal::Impact(Impact::Company),
        "impact.department" => Signal::Impact(Impact::Department),
        "impact.personal" => Signal::Impact(Impact::Personal),
        "impact.denied" => Signal::Denied,
        "impact.heads" => Signal::Heads,
        "priority.p1" => Signal::AtLeast(Priority::P1),
        "priority.p2" => Signal::AtLeast(Priority::P2),
        "state.down" => Signal::Down,
        "state.blocked" => Signal::Blocked,
        "state.degraded" => Signal::Degraded,
        "state.request" => Signal::Request,
        "state.how_to" => Signal::HowTo,
        "state.task" => Signal::Task,
        "state.solved" => Signal::Solved,
        "state.unsolved" => Signal::Unsolved,
        "state.workaround" => Signal::Workaround,
        "urgency.urgent" => Signal::Urgent,
        "urgency.calm" => Signal::Calm,
        "security.incident" => Signal::Incident,
        "security.suspected" => Signal::Suspected,
        "security.contained" => Signal::Contained,
        "security.loss" => Signal::Loss,
        "context.stop" => Signal::Stop,
        "context.history" => Signal::History,
        "context.negation" => Signal::Negation,
        "context.question" => Signal::Question,
        "context.drill" => Signal::Drill,
        _ => return None,
    })
}

/// Length of what stands before the first character of a string value: a line break right after `"""` is not content.
fn opening_quotes(source: &str) -> usize {
    if !source.starts_with("\"\"\"") && !source.starts_with("'''") {
        return 1;
    }
    3 + source[3..].bytes().take_while(|b| *b == b'\r').count()
        + usize::from(source[3..].trim_start_matches('\r').starts_with('\n'))
}

/// Terms of a list in one string with their byte offsets in it.
fn listed(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let offset = move |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(','))
        .map(move |part| (offset(part), part.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        RuleSet::default().read(text).err().unwrap_or_default().iter().map(Fault::to_string).collect()
    }

    fn spellings(text: &str) -> Vec<String> {
        let mut set = RuleSet::default();
        set.read(text).unwrap();
        set.patterns.into_keys().collect()
    }

    #[test]
    fn every_fault_is_named_by_line_and_key() {
        for (text, want) in [
            ("[impact]\nnobody = 'x y'", "line 2, impact.nobody: no such signal"),
            ("[colour]\nred = 'x'", "line 1, colour: no such section"),
            ("\n[category.kitchen]\nstrong = 'x'", "no such category"),
            ("[category.network]\nhuge = 'x'", "line 2, category.network.huge: no such grade"),
            ("[category.network]\nweak = ['网']", "line 2, category.network.weak: \"网\" is too short"),
            ("[category.network]\nweak = '{no} x'", "[words] has no \"no\""),
            ("[category.network]\nweak = '(a|b x'", "\")\" is missing"),
            ("[weight]\nsubject = 'big'", "line 2, weight.subject: must be a number"),
            ("[weight]\nbody = 1", "line 2, weight.body: no such weight"),
            ("[[module]]\nwords = 'erp'", "module.name: is missing"),
            ("[[module]]\nname='e'\nwords = 'erp'\npriority = 'P9'", "module.priority: must be P1 to P4"),
            ("remove = 'unknown'", "line 1, remove: no rule is spelled"),
            ("keyword = 'x'", "line 1, keyword: must be [[keyword]]"),
            ("[[keyword]]\nlist = 'state.down'", "line 1, keyword.term: is missing"),
            ("[[keyword]]\nterm = 'ab'\nlist = 'kitchen'", "line 3, keyword.list: must name a list"),
            ("[[keyword]]\nterm = 'ab'\nlist = 'category.other'", "keyword.grade: must be strong, plain, weak or none"),
            ("[[keyword]]\nterm = 'ab'\nlist = 'state.down'\ngrade = 'weak'", "line 4, keyword.grade: must be none"),
            ("[[keyword]]\nterm = 'ab'\nlist = 'state.down'\ngrade = 'none'", "line 2, keyword.term: \"ab\" does not"),
            ("a = = b", "line 1: "),
        ] {
            let found = faults(text);
            assert!(found.iter().any(|f| f.contains(want)), "{text}: {found:?}");
        }
        assert_eq!(faults("[impact]\na='x y'\nb='x y'").len(), 2, "all at once");
    }

    #[test]
    fn a_fault_inside_a_long_list_names_its_line() {
        let found = faults("[category.other]\nweak = '''\nall users\nx\n'''");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("line 4, category.other.weak: \"x\""), "{found:?}");
    }

    #[test]
    fn alternatives_and_names_are_spelled_out() {
        assert_eq!(
            spellings("[impact]\ncompany = 'all( our|) (users|staff)'"),
            ["all our staff", "all our users", "all staff", "all users"]
        );
        assert_eq!(
            spellings("[words]\nnot = \"can't, cannot\"\n[state]\nblocked = '{not} print'"),
            ["can't print", "cannot print"]
        );
        assert_eq!(spellings("[impact]\ncompany = '''\n# remark\n全公司, Everyone\n'''"), ["everyone", "全公司"]);
    }

    #[test]
    fn single_words_are_decided_after_everything_else_and_in_their_order() {
        let mut set = RuleSet::default();
        let text = "[[keyword]]\nterm = 'offline, VPN-Box'\nlist = 'category.network'\ngrade = 'strong'\n\
            [[keyword]]\nterm = 'offline'\nlist = 'category.network'\ngrade = 'weak'\n\
            [category.network]\nplain = 'offline'\n[state]\ndown = 'offline, dead'\n\
            [[keyword]]\nterm = 'dead'\nlist = 'state.down'\ngrade = 'none'\n\
            [[keyword]]\nterm = 'gone'\nlist = 'state.down'";
        set.read(text).unwrap();
        let meanings = |term: &str| set.patterns.get(term).cloned().unwrap_or_default();
        let network = Signal::Category(Category::Network);
        assert_eq!(meanings("vpn box")[0].weight, 3.0);
        let of_network: Vec<f64> =
            meanings("offline").iter().filter(|m| m.signal == network).map(|m| m.weight).collect();
        assert_eq!(of_network, [1.0]);
        assert!(meanings("offline").iter().any(|m| m.signal == Signal::Down), "its other meaning stays");
        assert!(!set.patterns.contains_key("dead"));
        assert_eq!(meanings("gone")[0].key, "state.down");
    }

    #[test]
    fn s01_alternatives_do_not_explode() {
        let bomb = "(a|b|c|d|e|f|g|h)".repeat(9);
        assert!(faults(&format!("[impact]\ncompany = '{bomb}'"))[0].contains("too many"));
    }
}
