//! From the terms that were found to a verdict: category by weight, priority by impact and state (`domain.md` 5.2, 5.3).

use super::fold::Folded;
use super::rules::{RuleSet, Signal};
use super::scan::{Hit, Place, is_negated};
use super::{Outcome, Verdict};
use crate::desk::ticket::Term;
use crate::desk::words::{Category, Impact, Priority};

/// Below this the sorting is a guess: the higher of two priorities is kept.
const LOW_CONFIDENCE: f64 = 0.35;
/// So much of a term's weight counts again for every other place it stands in.
const AGAIN: f64 = 0.15;
/// The reasons kept with a ticket.
const MOST_TERMS: usize = 24;
/// A history word colours so many bytes after it: a clause.
const HISTORY_REACH: usize = 120;
/// Heads from which a fault is a department's or the company's.
const DEPARTMENT_HEADS: u64 = 10;
const COMPANY_HEADS: u64 = 100;

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Blocked,
    Degraded,
    Request,
}

/// Judges a message by its terms.
pub fn judge(rules: &RuleSet, folded: &Folded, hits: &[Hit]) -> Verdict {
    let context = Context::new(rules, folded, hits);
    let Sorted { category, confidence, impact, priority } = context.sort();
    let (matched, fault) = (context.terms(), context.fault(priority, impact));
    Verdict { category, priority, impact, confidence, matched, fault }
}

/// The same without the reasons.
pub fn outcome(rules: &RuleSet, folded: &Folded, hits: &[Hit]) -> Outcome {
    let Sorted { category, priority, .. } = Context::new(rules, folded, hits).sort();
    Outcome { category, priority }
}

struct Sorted {
    category: Category,
    confidence: f64,
    impact: Impact,
    priority: Priority,
}

struct Context<'a> {
    rules: &'a RuleSet,
    folded: &'a Folded,
    hits: &'a [Hit<'a>],
    negations: Vec<usize>,
    /// Where history words and question words begin, ascending.
    histories: Vec<usize>,
    questions: Vec<usize>,
    drill: bool,
}

impl<'a> Context<'a> {
    fn new(rules: &'a RuleSet, folded: &'a Folded, hits: &'a [Hit<'a>]) -> Self {
        let starts = |signal| hits.iter().filter(|h| h.is(signal)).map(|h| h.start).collect::<Vec<_>>();
        let mut negations: Vec<usize> = hits.iter().filter(|h| h.is(Signal::Negation)).map(|h| h.end).collect();
        negations.sort_unstable();
        // A notice says so in its subject; one that is only quoted in a complaint does not make the complaint a notice.
        let noticed = |place| hits.iter().any(|h| h.is(Signal::Drill) && h.place == place);
        let told = |signal| hits.iter().any(|h| h.is(signal));
        let trouble = [Signal::Blocked, Signal::Down, Signal::Incident].into_iter().any(told);
        let drill = !told(Signal::Unsolved) && (noticed(Place::Subject) || (noticed(Place::Opening) && !trouble));
        let (histories, questions) = (starts(Signal::History), starts(Signal::Question));
        Context { rules, folded, hits, negations, histories, questions, drill }
    }

    fn sort(&self) -> Sorted {
        let (category, confidence) = best(&self.scores());
        let impact = self.impact();
        Sorted { category, confidence, impact, priority: self.priority(impact, confidence) }
    }

    /// In the same clause as a history word and after it: it happened once, it is not happening now.
    fn is_history(&self, hit: &Hit) -> bool {
        let next = self.histories.partition_point(|at| *at <= hit.start);
        let Some(at) = next.checked_sub(1).map(|i| self.histories[i]) else { return false };
        let between = self.folded.text.get(at..hit.start).unwrap_or("");
        between.len() <= HISTORY_REACH
            && self.folded.sentence(at).0 == self.folded.sentence(hit.start).0
            && !between.contains(',')
    }

    /// Whether the sentence asks about the thing instead of reporting it.
    fn is_asked(&self, hit: &Hit) -> bool {
        let (start, end) = self.folded.sentence(hit.start);
        let next = self.questions.partition_point(|at| *at < start);
        self.questions.get(next).is_some_and(|at| *at < end)
    }

    fn factor(&self, hit: &Hit) -> f64 {
        if is_negated(self.folded, &self.negations, hit.start) {
            0.0
        } else if self.is_history(hit) {
            self.rules.weights.history
        } else {
            1.0
        }
    }

    fn place_weight(&self, place: Place) -> f64 {
        match place {
            Place::Subject => self.rules.weights.subject,
            Place::Opening => self.rules.weights.opening,
            Place::Rest => self.rules.weights.rest,
        }
    }

    /// Category hits with what they count: a term counts at its best place, and a little for each other place.
    fn weighed(&self) -> Vec<(Category, &'a Hit<'a>, f64)> {
        let mut all: Vec<(Category, &Hit, f64)> = Vec::new();
        for hit in self.hits {
            if let Signal::Category(category) = hit.meaning.signal {
                all.push((category, hit, hit.meaning.weight * self.place_weight(hit.place) * self.factor(hit)));
            }
        }
        // "switches" is found as the plural of "switch" and by itself: one word counts once.
        all.sort_by(|a, b| (a.1.start, a.0, a.1.end).cmp(&(b.1.start, b.0, b.1.end)).then(b.2.total_cmp(&a.2)));
        all.dedup_by_key(|(category, hit, _)| (hit.start, hit.end, *category));
        all.sort_by(|a, b| (a.0, a.1.term).cmp(&(b.0, b.1.term)).then(b.2.total_cmp(&a.2)));
        let mut previous: Option<(Category, &str, [bool; 3])> = None;
        for (category, hit, weight) in &mut all {
            match &mut previous {
                Some((c, term, seen)) if *c == *category && *term == hit.term => {
                    *weight *= if std::mem::replace(&mut seen[hit.place as usize], true) { 0.0 } else { AGAIN };
                }
                _ => {
                    let mut seen = [false; 3];
                    seen[hit.place as usize] = true;
                    previous = Some((*category, hit.term, seen));
                }
            }
        }
        all.retain(|(_, _, weight)| *weight > 0.0);
        all
    }

    fn scores(&self) -> Vec<(Category, f64)> {
        let mut scores: Vec<(Category, f64)> = ORDER.iter().map(|c| (*c, 0.0)).collect();
        for (category, _, weight) in self.weighed() {
            if let Some(score) = scores.iter_mut().find(|(c, _)| *c == category) {
                score.1 += weight;
            }
        }
        // Where a core system stands still nobody can log in to it: that is no matter of accounts.
        if self.standstill().is_some()
            && let Some(account) = scores.iter_mut().find(|(c, _)| *c == Category::Account)
        {
            account.1 *= 0.5;
        }
        scores
    }

    /// Hits of a signal that a person means: no log line, not negated, not of the past.
    fn meant(&self, signal: Signal) -> impl Iterator<Item = &'a Hit<'a>> + '_ {
        self.hits.iter().filter(move |h| h.is(signal) && !self.folded.is_machine(h.start) && !self.is_history(h))
    }

    fn says(&self, signal: Signal) -> bool {
        self.meant(signal).next().is_some()
    }

    /// Said, and neither asked about nor an exercise.
    fn happened(&self, signal: Signal) -> bool {
        !self.drill
            && self.meant(signal).any(|h| !self.is_asked(h) && !is_negated(self.folded, &self.negations, h.start))
    }

    fn impact(&self) -> Impact {
        if self.says(Signal::Denied) {
            return Impact::Personal;
        }
        let said = [Impact::Company, Impact::Department].into_iter().find(|i| self.says(Signal::Impact(*i)));
        let counted = self.meant(Signal::Heads).filter_map(|h| heads(&self.folded.text[..h.start])).max();
        let counted = match counted.unwrap_or(0) {
            n if n >= COMPANY_HEADS => Impact::Company,
            n if n >= DEPARTMENT_HEADS => Impact::Department,
            _ => Impact::Personal,
        };
        said.unwrap_or(Impact::Personal).max(counted)
    }

    /// The states the text speaks for, the likeliest first.
    fn states(&self) -> Vec<State> {
        let best = |signals: &[Signal]| signals.iter().flat_map(|s| self.meant(*s)).map(|h| h.place).min();
        let blocked = best(&[Signal::Blocked, Signal::Down, Signal::Unsolved]);
        let degraded = best(&[Signal::Degraded]);
        let (request, how_to) = (best(&[Signal::Request]), best(&[Signal::HowTo]));
        let asked = match (request, how_to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let fault = blocked.into_iter().chain(degraded).min();
        let broken = if blocked.is_some() { State::Blocked } else { State::Degraded };
        match (fault, asked) {
            (Some(fault), Some(asked)) if asked < fault => vec![State::Request, broken],
            (Some(_), Some(_)) => vec![broken, State::Request],
            (Some(_), None) => vec![broken],
            (None, Some(_)) if self.says(Signal::Task) => vec![State::Degraded],
            (None, Some(_)) => vec![State::Request],
            // Nothing is said about it: somebody bothered to write, so something is less good than it was.
            (None, None) => vec![State::Degraded],
        }
    }

    fn priority(&self, impact: Impact, confidence: f64) -> Priority {
        if self.drill {
            return Priority::P4;
        }
        if self.happened(Signal::Incident) && !self.says(Signal::Contained) {
            return Priority::P1;
        }
        let states = self.states();
        let mut priority = matrix(impact, states[0]);
        if confidence < LOW_CONFIDENCE {
            priority = states.iter().map(|s| matrix(impact, *s)).min().unwrap_or(priority);
        }
        if priority == Priority::P2 && impact == Impact::Department && self.says(Signal::Workaround) {
            priority = Priority::P3;
        }
        let floor = self.floor();
        priority = self.urgency(priority.min(floor), floor);
        if self.is_solved() { lower(priority) } else { priority }
    }

    /// The priority that overrides demand at least.
    fn floor(&self) -> Priority {
        let mut floor = Priority::P4;
        if self.happened(Signal::AtLeast(Priority::P1)) && !self.says(Signal::Denied) {
            floor = Priority::P1;
        }
        let grave = [Signal::AtLeast(Priority::P2), Signal::Loss, Signal::Suspected];
        if grave.into_iter().any(|signal| self.happened(signal)) {
            floor = floor.min(Priority::P2);
        }
        if self.happened(Signal::Incident) {
            floor = floor.min(Priority::P3);
        }
        self.standstill().map_or(floor, |p| p.min(floor))
    }

    /// A core module and a standstill in one sentence.
    fn standstill(&self) -> Option<Priority> {
        if self.drill {
            return None;
        }
        let down: Vec<usize> = self
            .meant(Signal::Down)
            .filter(|h| !self.is_asked(h) && !is_negated(self.folded, &self.negations, h.start))
            .map(|h| self.folded.sentence(h.start).0)
            .collect();
        let hit = |h: &&Hit| down.binary_search(&self.folded.sentence(h.start).0).is_ok();
        let modules = self.hits.iter().filter(|h| matches!(h.meaning.signal, Signal::Module(_)));
        let module = |h: &Hit| match h.meaning.signal {
            Signal::Module(index) => self.rules.modules.get(index).map(|m| m.priority),
            _ => None,
        };
        if down.is_empty() { None } else { modules.filter(hit).filter_map(module).min() }
    }

    /// A module that does not do what it should; else the heaviest term of something urgent that strikes a department.
    fn fault(&self, priority: Priority, impact: Impact) -> Option<String> {
        let broken = [Signal::Blocked, Signal::Down, Signal::Unsolved, Signal::Degraded, Signal::Incident];
        if self.drill || priority == Priority::P4 || !broken.iter().any(|signal| self.happened(*signal)) {
            return None;
        }
        let module = self.hits.iter().find_map(|hit| match hit.meaning.signal {
            Signal::Module(index) => self.rules.modules.get(index),
            _ => None,
        });
        if let Some(module) = module {
            return Some(module.name.clone());
        }
        let strikes_many = priority <= Priority::P2 && impact != Impact::Personal;
        let heaviest = self.weighed().into_iter().max_by(|a, b| a.2.total_cmp(&b.2));
        heaviest.filter(|_| strikes_many).map(|(category, hit, _)| format!("{category}/{}", hit.term))
    }

    /// Feeling moves a priority by one step and never to the top; "no hurry" takes it down again.
    fn urgency(&self, priority: Priority, floor: Priority) -> Priority {
        let (urgent, calm) = (self.says(Signal::Urgent), self.says(Signal::Calm));
        if calm && !urgent {
            return lower(priority).min(floor);
        }
        match (priority, urgent && !calm) {
            (Priority::P4, true) => Priority::P3,
            (Priority::P3, true) => Priority::P2,
            _ => priority,
        }
    }

    fn is_solved(&self) -> bool {
        let fine = |h: &Hit| !is_negated(self.folded, &self.negations, h.start) && !self.is_asked(h);
        !self.says(Signal::Unsolved) && self.meant(Signal::Solved).any(fine)
    }

    /// Why: the heaviest terms, each once for its best place.
    fn terms(&self) -> Vec<Term> {
        let category = self.weighed().into_iter().map(|(_, hit, weight)| (hit, weight));
        let quiet = |h: &&Hit| matches!(h.meaning.signal, Signal::Category(_) | Signal::Stop | Signal::Heads);
        let signals = self.hits.iter().filter(|h| !quiet(h)).map(|h| (h, self.place_weight(h.place)));
        let mut all: Vec<(&Hit, f64)> = category.chain(signals).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.start.cmp(&b.0.start)));
        let mut terms: Vec<Term> = Vec::new();
        for (hit, weight) in all {
            if terms.len() == MOST_TERMS {
                break;
            }
            if !terms.iter().any(|t| t.term == hit.term && t.points_to == hit.meaning.key) {
                let place = if hit.place == Place::Subject { "subject" } else { "body" };
                let weight = (weight * 100.0).round() / 100.0;
                let (term, points_to) = (hit.term.to_owned(), hit.meaning.key.clone());
                terms.push(Term { term, points_to, weight, place: place.to_owned() });
            }
        }
        terms
    }
}

/// In case of a tie the earlier one wins: what is costlier to miss, then what is more specific.
const ORDER: [Category; 6] = [
    Category::DataSecurity,
    Category::Account,
    Category::Network,
    Category::Hardware,
    Category::Software,
    Category::Other,
];

fn best(scores: &[(Category, f64)]) -> (Category, f64) {
    let (mut first, mut second) = ((Category::Other, 0.0), 0.0);
    for (category, score) in scores {
        if *score > first.1 {
            second = first.1;
            first = (*category, *score);
        } else if *score > second {
            second = *score;
        }
    }
    // How far ahead, and how much was found at all: one weak word is not certainty.
    let confidence = if first.1 > 0.0 { (first.1 - second) / first.1 * (first.1 / (first.1 + 2.0)) } else { 0.0 };
    (first.0, (confidence * 100.0).round() / 100.0)
}

/// Impact by state (`domain.md` 5.2).
fn matrix(impact: Impact, state: State) -> Priority {
    match (impact, state) {
        (_, State::Request) => Priority::P4,
        (Impact::Company, State::Blocked) => Priority::P1,
        (Impact::Company, State::Degraded) => Priority::P2,
        (Impact::Department, _) => Priority::P2,
        (Impact::Personal, _) => Priority::P3,
    }
}

fn lower(priority: Priority) -> Priority {
    match priority {
        Priority::P1 => Priority::P2,
        Priority::P2 => Priority::P3,
        Priority::P3 | Priority::P4 => Priority::P4,
    }
}

/// The number in front of "users", "台电脑": the text ends where the noun begins.
fn heads(before: &str) -> Option<u64> {
    let mut text = before.trim_end();
    for _ in 0..3 {
        let fillers = ["个", "位", "名", "台", "家", "多", "余", "+", "of", "our", "other", "different", "affected"];
        let Some(cut) = fillers.iter().find_map(|f| text.strip_suffix(f)) else { break };
        text = cut.trim_end();
    }
    let digits = text.bytes().rev().take(7).take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let (head, number) = text.split_at(text.len() - digits);
        // A part of a longer code, such as a machine's name, is no count.
        let glued =
            head.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '/' | '#'));
        return if glued { None } else { number.parse().ok() };
    }
    chinese_number(text)
}

/// The Chinese numeral a text ends in: 十几, 三十, 两百, 上千.
fn chinese_number(text: &str) -> Option<u64> {
    let tail: Vec<char> =
        text.chars().rev().take(6).take_while(|c| "一二两三四五六七八九十百千万几数上".contains(*c)).collect();
    let (mut total, mut digit, mut found) = (0u64, 0u64, false);
    for c in tail.into_iter().rev() {
        let unit = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            '万' => 10_000,
            _ => {
                digit = "一二三四五六七八九"
                    .chars()
                    .position(|d| d == c)
                    .map_or(if c == '两' { 2 } else { 1 }, |p| p as u64 + 1);
                continue;
            }
        };
        total += digit.max(1) * unit;
        (digit, found) = (0, true);
    }
    found.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_counted() {
        for (text, want) in [
            ("about 30 ", Some(30)),
            ("30 of our ", Some(30)),
            ("有20多", Some(20)),
            ("二十个", Some(20)),
            ("十几", Some(10)),
            ("上百", Some(100)),
            ("三百", Some(300)),
            ("inc1234567", None),
            ("some ", None),
            ("", None),
        ] {
            assert_eq!(heads(text), want, "{text}");
        }
    }
}
