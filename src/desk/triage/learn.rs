//! Which words to add to the rules, to strike out or to weigh otherwise, by what people corrected.
//!
//! Every proposal is one change of one word in one list, and its effect is measured on all past cases by the functions that
//! sort mail ([`super::variants`]). It is made only
//!
//! - when it puts [`SUPPORT`] tickets right that people corrected, of [`PEOPLE`] different requesters at least, each of
//!   whose words count once ([`super::case`]);
//! - when it spoils no more than a quarter of what it mends, tickets that nobody objected to included, and no P1 or P2 that
//!   is known as such now is missed because of it;
//! - when it holds with people it was not made from. Requesters are parted into [`FOLDS`] groups. For each group the
//!   change is judged by the others alone, under the same two conditions; where it passes, what it does in the group it has
//!   not seen is counted. Of that, two tickets at least and more than it spoils must be put right.
//!
//! A new word of a category has to speak for it besides: of the cases that hold it, six in ten belong there.
//! A proposal that only mends what a better one mends already is left out.

use super::case::Case;
use super::mine::{self, Names};
use super::rules::{Grade, Meaning, Signal};
use super::score::{gains, is_lost};
use super::variants::{Edit, Reading, Variants};
use super::{Outcome, Rules, Score};
use crate::desk::ticket::Number;
use crate::desk::words::{Category, Impact, Priority};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Corrected tickets that a proposal mends at least.
pub const SUPPORT: usize = 3;
/// Requesters of those.
pub const PEOPLE: usize = 2;
/// Groups of requesters for the cross-check.
const FOLDS: usize = 4;
/// Tickets mended among people it was not made from.
const HELD_OUT: usize = 2;
/// New words that are tried, the most frequent first: for categories, and for priorities.
const TRIED: usize = 300;
/// Proposals at most.
const MOST: usize = 30;

/// A change of the rules with what it would have done.
#[derive(Clone, Debug)]
pub struct Proposal {
    edit: Edit,
    /// What it weighs now; `None`: it is not in this list.
    was: Option<f64>,
    /// Tickets it puts right, those that people corrected first, and those it spoils.
    pub better: Vec<Number>,
    pub worse: Vec<Number>,
    /// Of `better`, those that people corrected, and the number of their requesters.
    pub corrected: usize,
    pub people: usize,
    /// Put right and spoilt among people it was not made from.
    pub held_out: (usize, usize),
    /// Categories or, when it is not about them, priorities that are right before and after, of all.
    pub right: (u64, u64, u64),
}

/// What was learnt.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub cases: usize,
    /// Of them, those that the rules sort otherwise than people did.
    pub wrong: usize,
    /// The best first.
    pub proposals: Vec<Proposal>,
    /// All cases by the rules as they are, and with all proposals.
    pub before: Score,
    pub after: Score,
}

/// What a proposal does to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Add,
    Drop,
    Reweight,
}

impl Proposal {
    pub fn term(&self) -> &str {
        &self.edit.term
    }

    /// Such as `category.network` or `state.down`.
    pub fn list(&self) -> &str {
        &self.edit.list
    }

    pub fn kind(&self) -> Kind {
        match (self.was, self.edit.weight) {
            (_, None) => Kind::Drop,
            (None, _) => Kind::Add,
            (Some(_), _) => Kind::Reweight,
        }
    }

    /// `strong`, `plain`, `weak`; empty in a list without grades, and for a word that is struck out.
    pub fn grade(&self) -> &'static str {
        self.edit.weight.map_or("", |weight| self.grade_of(weight))
    }

    /// The same of what it is now.
    pub fn grade_before(&self) -> &'static str {
        self.was.map_or("", |weight| self.grade_of(weight))
    }

    fn grade_of(&self, weight: f64) -> &'static str {
        let grade = Grade::ALL.into_iter().find(|grade| self.edit.is_of_category() && grade.weight() == weight);
        grade.map_or("", Grade::as_str)
    }

    /// Whether it is about categories; otherwise about priorities.
    pub fn is_of_category(&self) -> bool {
        self.edit.is_of_category()
    }

    /// The lines that do it, for the end of a rules file.
    pub fn snippet(&self) -> String {
        // JSON writes a string as TOML does.
        let text = |text: &str| serde_json::Value::from(text).to_string();
        // A comma would part it into two words.
        let term = if self.term().contains(',') { format!("[{}]", text(self.term())) } else { text(self.term()) };
        let grade = if self.edit.weight.is_none() { "none" } else { self.grade() };
        let grade = if grade.is_empty() { String::new() } else { format!("grade = \"{grade}\"\n") };
        format!("[[keyword]]\nterm = {term}\nlist = \"{}\"\n{grade}", self.list())
    }

    fn net(&self) -> i64 {
        self.better.len() as i64 - 2 * self.worse.len() as i64
    }
}

/// What a change does to the cases; those are named by their places.
#[derive(Clone, Default)]
struct Effect {
    /// That people corrected.
    mended: Vec<usize>,
    /// That nobody had objected to.
    besides: Vec<usize>,
    spoilt: Vec<usize>,
    lost: bool,
    /// Cases that hold the word, and those of them that belong to the category.
    held: usize,
    belong: usize,
}

/// Learns from cases how to change the rules. Costs some microseconds a case, and some milliseconds for each that people
/// corrected.
pub fn learn(rules: &Rules, cases: &[Case]) -> Findings {
    Learner::new(rules, cases).learn()
}

struct Learner<'a> {
    rules: &'a Rules,
    cases: &'a [Case],
    before: Vec<Outcome>,
    /// Places of those that are sorted otherwise than people did.
    wrong: Vec<usize>,
}

impl<'a> Learner<'a> {
    fn new(rules: &'a Rules, cases: &'a [Case]) -> Learner<'a> {
        let before: Vec<Outcome> = cases.iter().map(|case| case.outcome(rules)).collect();
        let wrong = (0..cases.len()).filter(|at| {
            let (case, said) = (&cases[*at], before[*at]);
            case.category.is_some_and(|label| label.by_person && label.is != said.category)
                || case.priority.is_some_and(|label| label.by_person && label.is != said.priority)
        });
        Learner { rules, cases, wrong: wrong.collect(), before }
    }

    fn learn(self) -> Findings {
        let edits = self.candidates();
        let effects = self.measure(&edits);
        let mut all: Vec<(Proposal, Vec<usize>)> = edits
            .into_iter()
            .zip(effects)
            .filter_map(|(edit, effect)| Some((self.judge(edit, &effect)?, effect.mended)))
            .collect();
        // Of equals the plainer word, and the Chinese word that says more.
        all.sort_by_cached_key(|(proposal, _)| {
            let (term, words) = (proposal.term(), proposal.term().split(' ').count());
            let length = term.chars().count() as i64 * if term.is_ascii() { 1 } else { -1 };
            let weight = proposal.edit.weight.unwrap_or(0.0) as i64;
            (-proposal.net(), words, length, weight, term.to_owned(), proposal.list().to_owned())
        });
        let proposals = without_doubles(all);
        let mut findings =
            Findings { cases: self.cases.len(), wrong: self.wrong.len(), proposals, ..Findings::default() };
        let snippets: String = findings.proposals.iter().map(Proposal::snippet).collect();
        let changed = self.rules.extended(&snippets).expect("what is proposed can be read");
        for (case, before) in self.cases.iter().zip(&self.before) {
            findings.before.add(case, *before);
            findings.after.add(case, case.outcome(&changed));
        }
        let ((category, categories), (priority, priorities)) =
            (findings.before.category_right(), findings.before.priority_right());
        for proposal in &mut findings.proposals {
            let (right, of) = if proposal.is_of_category() { (category, categories) } else { (priority, priorities) };
            let after = right + proposal.better.len() as u64 - proposal.worse.len() as u64;
            proposal.right = (right, after, of);
        }
        findings
    }

    /// Every change that might mend [`SUPPORT`] cases.
    fn candidates(&self) -> Vec<Edit> {
        let mut edits = self.new_words();
        edits.extend(self.known_words());
        edits.sort_by(|a, b| {
            (&a.term, a.signal).cmp(&(&b.term, b.signal)).then(a.weight.partial_cmp(&b.weight).expect("no NaN"))
        });
        edits.dedup();
        edits
    }

    fn new_words(&self) -> Vec<Edit> {
        let mut names = Names::default();
        self.cases.iter().for_each(|case| names.add(&case.name));
        let (mut of_category, mut of_priority) = (Counts::default(), Counts::default());
        for at in &self.wrong {
            let (case, said) = (&self.cases[*at], self.before[*at]);
            let words = mine::of(case, &names);
            let category = case.category.filter(|label| label.by_person);
            let priority = case.priority.filter(|label| label.by_person && label.is != said.priority);
            for word in words {
                if let Some(label) = category.filter(|label| label.is != said.category) {
                    of_category.add(&word, label.is as usize, case);
                }
                if let Some(label) = priority {
                    of_priority.add(&word, usize::from(label.is < said.priority), case);
                }
            }
        }
        let mut edits = Vec::new();
        for (term, group) in of_category.frequent() {
            let category = Category::ALL[group];
            let signal = Signal::Category(category);
            if !self.means(&term, signal) {
                let list = format!("category.{category}");
                edits.extend(Grade::ALL.map(|grade| Edit {
                    term: term.clone(),
                    signal,
                    list: list.clone(),
                    weight: Some(grade.weight()),
                }));
            }
        }
        for (term, group) in of_priority.frequent() {
            let lists = if group == 1 { RAISING } else { LOWERING };
            for (list, signal) in lists.iter().filter(|(_, signal)| !self.means(&term, *signal)) {
                edits.push(Edit { term: term.clone(), signal: *signal, list: (*list).to_owned(), weight: Some(0.0) });
            }
        }
        edits
    }

    fn means(&self, term: &str, signal: Signal) -> bool {
        self.rules.source.patterns.get(term).is_some_and(|all| all.iter().any(|meaning| meaning.signal == signal))
    }

    /// Words of the rules that may have misled, or that say too little.
    fn known_words(&self) -> Vec<Edit> {
        let plain = Variants::new(&self.rules.source, &[]);
        let mut counts: BTreeMap<(String, Signal), usize> = BTreeMap::new();
        let mut lists: HashMap<Signal, String> = HashMap::new();
        for at in &self.wrong {
            let (case, said) = (&self.cases[*at], self.before[*at]);
            let category = case.category.filter(|label| label.by_person && label.is != said.category);
            let priority = case.priority.filter(|label| label.by_person && label.is != said.priority);
            let reading = plain.read(case);
            for (term, meaning) in plain.meanings(&reading) {
                let counts_for = match meaning.signal {
                    Signal::Category(is) => category.is_some_and(|label| is == label.is || is == said.category),
                    signal => priority.is_some_and(|_| is_about_priority(signal)),
                };
                if counts_for {
                    *counts.entry((term.to_owned(), meaning.signal)).or_default() += 1;
                    lists.entry(meaning.signal).or_insert_with(|| list_of(meaning));
                }
            }
        }
        let mut edits = Vec::new();
        for ((term, signal), _) in counts.into_iter().filter(|(_, count)| *count >= SUPPORT) {
            let now = self.weight(&term, signal);
            let grades = Grade::ALL.into_iter().map(|grade| Some(grade.weight()));
            let grades = grades.filter(|weight| matches!(signal, Signal::Category(_)) && *weight != now);
            let list = lists[&signal].clone();
            edits.extend(grades.chain([None]).map(|weight| Edit {
                term: term.clone(),
                signal,
                list: list.clone(),
                weight,
            }));
        }
        edits
    }

    fn weight(&self, term: &str, signal: Signal) -> Option<f64> {
        let meanings = self.rules.source.patterns.get(term)?;
        meanings.iter().find(|meaning| meaning.signal == signal).map(|meaning| meaning.weight)
    }

    /// First on the cases that are wrong; what mends enough of them on all others.
    fn measure(&self, edits: &[Edit]) -> Vec<Effect> {
        let variants = Variants::new(&self.rules.source, edits);
        let mut effects = vec![Effect::default(); edits.len()];
        for at in &self.wrong {
            let reading = variants.read(&self.cases[*at]);
            for change in variants.touched(&reading) {
                self.note(&mut effects[change], &edits[change], *at, &variants, &reading, change);
            }
        }
        let mut alive: Vec<bool> = effects.iter().map(|effect| self.is_supported(effect.mended.iter())).collect();
        let wrong: HashSet<usize> = self.wrong.iter().copied().collect();
        for at in (0..self.cases.len()).filter(|at| !wrong.contains(at)) {
            let reading = variants.read(&self.cases[at]);
            for change in variants.touched(&reading) {
                if alive[change] {
                    let effect = &mut effects[change];
                    self.note(effect, &edits[change], at, &variants, &reading, change);
                    alive[change] =
                        !effect.lost && is_harmless(effect.mended.len() + effect.besides.len(), effect.spoilt.len());
                }
            }
        }
        // One that was given up half-way looks better than it is.
        for (effect, _) in effects.iter_mut().zip(alive).filter(|(_, alive)| !alive) {
            *effect = Effect::default();
        }
        effects
    }

    fn note(&self, effect: &mut Effect, edit: &Edit, at: usize, variants: &Variants, reading: &Reading, change: usize) {
        let (case, before) = (&self.cases[at], self.before[at]);
        if let (Some(category), Some(label)) = (edit.category(), case.category) {
            effect.held += 1;
            effect.belong += usize::from(label.is == category);
        }
        let after = variants.outcome(reading, Some(change));
        if after == before {
            return;
        }
        effect.lost |= is_lost(case, before, after);
        let (category, priority) = gains(case, before, after);
        let (own, other) = if edit.is_of_category() { (category, priority) } else { (priority, category) };
        let by_person = match edit.is_of_category() {
            true => case.category.is_some_and(|label| label.by_person),
            false => case.priority.is_some_and(|label| label.by_person),
        };
        match (own, other) {
            _ if own < 0 || other < 0 => effect.spoilt.push(at),
            (1, _) if by_person => effect.mended.push(at),
            (1, _) => effect.besides.push(at),
            _ => {}
        }
    }

    fn is_supported<'b>(&self, mended: impl Iterator<Item = &'b usize>) -> bool {
        let (mut count, mut people) = (0, BTreeSet::new());
        for at in mended {
            count += 1;
            people.insert(self.cases[*at].requester);
        }
        count >= SUPPORT && people.len() >= PEOPLE
    }

    fn judge(&self, edit: Edit, effect: &Effect) -> Option<Proposal> {
        let is_new = self.weight(&edit.term, edit.signal).is_none();
        let speaks_for_it = !is_new || !edit.is_of_category() || effect.belong * 10 >= effect.held * 6;
        if effect.lost || !speaks_for_it || !self.is_supported(effect.mended.iter()) {
            return None;
        }
        let held_out = self.held_out(effect);
        if held_out.0 < HELD_OUT || held_out.0 <= held_out.1 {
            return None;
        }
        let numbers = |places: &[usize]| places.iter().map(|at| self.cases[*at].number).collect::<Vec<_>>();
        let mut better = numbers(&effect.mended);
        better.extend(numbers(&effect.besides));
        let people: BTreeSet<u64> = effect.mended.iter().map(|at| self.cases[*at].requester).collect();
        Some(Proposal {
            was: self.weight(&edit.term, edit.signal),
            edit,
            better,
            worse: numbers(&effect.spoilt),
            corrected: effect.mended.len(),
            people: people.len(),
            held_out,
            right: (0, 0, 0),
        })
    }

    /// Put right and spoilt in groups of people without whom the change would have been proposed as well.
    fn held_out(&self, effect: &Effect) -> (usize, usize) {
        let fold = |at: &&usize| (self.cases[**at].requester % FOLDS as u64) as usize;
        let (mut mended, mut spoilt) = (0, 0);
        for group in 0..FOLDS {
            let outside = |places: &[usize]| places.iter().filter(|at| fold(at) != group).count();
            let known = self.is_supported(effect.mended.iter().filter(|at| fold(at) != group));
            if known && is_harmless(outside(&effect.mended), outside(&effect.spoilt)) {
                mended += effect.mended.len() - outside(&effect.mended);
                spoilt += effect.spoilt.len() - outside(&effect.spoilt);
            }
        }
        (mended, spoilt)
    }
}

fn is_harmless(mended: usize, spoilt: usize) -> bool {
    spoilt * 4 <= mended
}

/// Each proposal mends [`SUPPORT`] cases that none before it mends; one for a word in a list.
fn without_doubles(all: Vec<(Proposal, Vec<usize>)>) -> Vec<Proposal> {
    let (mut mended, mut chosen): (HashSet<usize>, Vec<Proposal>) = (HashSet::new(), Vec::new());
    for (proposal, places) in all {
        let new = places.iter().filter(|at| !mended.contains(at)).count();
        let known = |one: &Proposal| one.term() == proposal.term() && one.list() == proposal.list();
        if new >= SUPPORT && !chosen.iter().any(known) {
            mended.extend(places);
            chosen.push(proposal);
            if chosen.len() == MOST {
                break;
            }
        }
    }
    chosen
}

/// In how many wrong cases of each kind a word stands, and of whom.
#[derive(Default)]
struct Counts(HashMap<String, BTreeMap<usize, (usize, BTreeSet<u64>)>>);

impl Counts {
    fn add(&mut self, word: &str, group: usize, case: &Case) {
        let groups = match self.0.get_mut(word) {
            Some(groups) => groups,
            None => self.0.entry(word.to_owned()).or_default(),
        };
        let (count, people) = groups.entry(group).or_default();
        *count += 1;
        people.insert(case.requester);
    }

    /// Words that stand mostly in cases of one kind, with that kind: the most frequent, without parts of longer ones.
    fn frequent(self) -> Vec<(String, usize)> {
        let mut all: Vec<(String, usize, usize)> = Vec::new();
        for (word, groups) in self.0 {
            let whole: usize = groups.values().map(|(count, _)| count).sum();
            let kinds = groups
                .into_iter()
                .filter(|(_, (count, people))| *count >= SUPPORT && people.len() >= PEOPLE && count * 10 >= whole * 6);
            all.extend(kinds.map(|(group, (count, _))| (word.clone(), group, count)));
        }
        all.sort_by(|a, b| (b.2, &a.0, a.1).cmp(&(a.2, &b.0, b.1)));
        all.truncate(4 * TRIED);
        let is_part = |(word, group, count): &(String, usize, usize)| {
            !word.is_ascii()
                && all.iter().any(|(longer, g, c)| {
                    g == group && longer.len() > word.len() && c * 10 >= count * 9 && longer.contains(word.as_str())
                })
        };
        let whole: Vec<_> = all.iter().filter(|one| !is_part(one)).take(TRIED).collect();
        whole.into_iter().map(|(word, group, _)| (word.clone(), *group)).collect()
    }
}

/// Lists whose words make a ticket more urgent, and less.
const RAISING: &[(&str, Signal)] = &[
    ("state.blocked", Signal::Blocked),
    ("state.down", Signal::Down),
    ("impact.department", Signal::Impact(Impact::Department)),
    ("impact.company", Signal::Impact(Impact::Company)),
    ("priority.p2", Signal::AtLeast(Priority::P2)),
    ("priority.p1", Signal::AtLeast(Priority::P1)),
    ("urgency.urgent", Signal::Urgent),
];
const LOWERING: &[(&str, Signal)] =
    &[("state.request", Signal::Request), ("state.how_to", Signal::HowTo), ("urgency.calm", Signal::Calm)];

/// Lists that are words about the fault; not grammar, and not the systems the site has named.
fn is_about_priority(signal: Signal) -> bool {
    !matches!(
        signal,
        Signal::Category(_)
            | Signal::Module(_)
            | Signal::Stop
            | Signal::History
            | Signal::Negation
            | Signal::Question
            | Signal::Heads
    )
}

fn list_of(meaning: &Meaning) -> String {
    match meaning.signal {
        Signal::Category(category) => format!("category.{category}"),
        _ => meaning.key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::{Label, tests::past};
    use super::*;

    const RULES: &str = "[category.software]\nweak = 'error'\nplain = 'portal'\n[category.account]\nstrong = 'login'\n\
        [category.network]\nstrong = 'vpn, offline'\n[state]\ndown = 'offline'\nblocked = 'fails'\nrequest = 'please order'";

    fn rules() -> Rules {
        Rules::parse(RULES).unwrap()
    }

    /// Number, requester, words, and what people made of it; `None`: nobody objected.
    fn case(number: i64, who: &str, text: &str, category: Option<Category>, priority: Option<Priority>) -> Case {
        let case = Case::of(super::super::case::Past { requester: who.to_owned(), ..past(number, text, "") }).unwrap();
        let said = case.outcome(&rules());
        let label = |is: Category, by_person| Some(Label { is, by_person });
        Case {
            said,
            category: category.map_or(label(said.category, false), |is| label(is, true)),
            priority: Some(Label { is: priority.unwrap_or(said.priority), by_person: priority.is_some() }),
            ..case
        }
    }

    fn wrong(from: i64, count: i64, people: i64, text: &str, is: Category) -> Vec<Case> {
        (from..from + count)
            .map(|n| case(n, &format!("person{}", n % people), &format!("{text} {n}"), Some(is), None))
            .collect()
    }

    fn proposed(cases: &[Case]) -> Vec<String> {
        let findings = learn(&rules(), cases);
        let shown = |p: &Proposal| format!("{:?} {} {} {}", p.kind(), p.term(), p.list(), p.grade());
        findings.proposals.iter().map(shown).map(|text| text.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_new_word_is_proposed_with_its_effect_and_does_what_it_says() {
        let mut cases = wrong(1, 8, 8, "error in quillbox", Category::Account);
        cases.extend((20..30).map(|n| case(n, "x", &format!("error in portal {n}"), None, None)));
        let findings = learn(&rules(), &cases);
        let [one] = &findings.proposals[..] else { panic!("{:?}", findings.proposals) };
        assert_eq!((one.kind(), one.term(), one.list()), (Kind::Add, "quillbox", "category.account"));
        assert_eq!((one.better.len(), one.worse.len(), one.people, one.right), (8, 0, 8, (10, 18, 18)));
        assert_eq!(one.held_out, (8, 0));
        let learnt = rules().extended(&one.snippet()).unwrap();
        assert!(cases.iter().all(|case| case.category.unwrap().is == case.outcome(&learnt).category));
        assert_eq!((findings.before.category_right(), findings.after.category_right()), ((10, 18), (18, 18)));
    }

    #[test]
    fn chinese_words_are_found_without_a_dictionary() {
        let mut cases = wrong(1, 6, 6, "error 堡垒机打不开", Category::Network);
        cases.extend(wrong(10, 6, 6, "error 登上堡垒机很慢", Category::Network));
        assert_eq!(proposed(&cases)[0].split(' ').nth(1), Some("堡垒机"), "{:?}", proposed(&cases));
    }

    #[test]
    fn too_little_evidence_proposes_nothing() {
        assert!(proposed(&wrong(1, 2, 2, "error in quillbox", Category::Account)).is_empty(), "two tickets");
        assert!(proposed(&wrong(1, 9, 1, "error in quillbox", Category::Account)).is_empty(), "one person");
        assert!(proposed(&[]).is_empty());
        // As many who meant something else by it.
        let mut cases = wrong(1, 8, 8, "error in quillbox", Category::Account);
        cases.extend((20..28).map(|n| case(n, &format!("p{n}"), &format!("error in quillbox {n}"), None, None)));
        assert!(proposed(&cases).is_empty(), "{:?}", proposed(&cases));
    }

    #[test]
    fn names_of_people_are_never_proposed() {
        let cases: Vec<Case> = wrong(1, 8, 8, "error says quillbert", Category::Account)
            .into_iter()
            .map(|case| Case { name: "Tom Quillbert".into(), ..case })
            .collect();
        assert!(!proposed(&cases).iter().any(|one| one.contains("quillbert")), "{:?}", proposed(&cases));
    }

    #[test]
    fn a_misleading_word_is_dropped_from_its_list_only() {
        let cases = wrong(1, 8, 8, "offline portal", Category::Software);
        let findings = learn(&rules(), &cases);
        let one = &findings.proposals[0];
        assert_eq!(one.list(), if one.term() == "offline" { "category.network" } else { "category.software" });
        let drop = Proposal {
            edit: Edit {
                term: "offline".into(),
                signal: Signal::Category(Category::Network),
                list: "category.network".into(),
                weight: None,
            },
            ..one.clone()
        };
        assert_eq!(drop.snippet(), "[[keyword]]\nterm = \"offline\"\nlist = \"category.network\"\ngrade = \"none\"\n");
        let changed = rules().extended(&drop.snippet()).unwrap();
        assert!(changed.source.patterns["offline"].iter().all(|meaning| meaning.signal == Signal::Down));
    }

    #[test]
    fn no_urgent_ticket_is_missed_for_others() {
        let urgent = |n| case(n, &format!("p{n}"), &format!("fails quillbox {n}"), None, Some(Priority::P2));
        let cases: Vec<Case> = (1..=8).map(urgent).collect();
        let proposals = learn(&rules(), &cases).proposals;
        assert!(!proposals.is_empty() && !proposals[0].is_of_category());
        // What puts eight calm tickets right would hide one that strikes a department.
        let rules = Rules::parse(&format!("{RULES}\n[impact]\ndepartment = 'whole floor'")).unwrap();
        let calm = |n| case(n, &format!("p{n}"), &format!("fails jollybox {n}"), None, Some(Priority::P4));
        let mut cases: Vec<Case> = (1..=8).map(calm).collect();
        let mut urgent = case(20, "p20", "whole floor: jollybox fails", None, None);
        urgent.priority = Some(Label { is: Priority::P2, by_person: false });
        let missed = |p: &Proposal| urgent.outcome(&rules.extended(&p.snippet()).unwrap()).priority > Priority::P2;
        assert!(urgent.outcome(&rules).priority == Priority::P2 && learn(&rules, &cases).proposals.iter().any(missed));
        cases.push(urgent.clone());
        assert!(!learn(&rules, &cases).proposals.iter().any(missed));
    }

    /// The quick way of trying a change and the real one agree.
    #[test]
    fn a_change_does_in_the_rules_what_was_measured() {
        let builtin = Rules::builtin();
        let texts = [
            "offline printer cannot log in to vpn",
            "VPN账号过期 打印机离线",
            "everyone offline, ERP is down",
            "软件许可证 offline",
            "crashing outlook, switches down",
            "mouse pad and mouse",
            "请问 offline 怎么办?",
        ];
        let edits: Vec<Edit> = ["offline", "vpn", "crash*", "outlook", "打印机", "mouse", "quillbox"]
            .iter()
            .flat_map(|term| {
                [None, Some(1.0), Some(3.0)].map(|weight| Edit {
                    term: (*term).to_owned(),
                    signal: Signal::Category(Category::Network),
                    list: "category.network".into(),
                    weight,
                })
            })
            .filter(|edit| edit.weight.is_some() || ["offline", "vpn"].contains(&edit.term.as_str()))
            .collect();
        let variants = Variants::new(&builtin.source, &edits);
        for (index, edit) in edits.iter().enumerate() {
            let proposal = Proposal {
                edit: edit.clone(),
                was: None,
                better: vec![],
                worse: vec![],
                corrected: 0,
                people: 0,
                held_out: (0, 0),
                right: (0, 0, 0),
            };
            let real = builtin.extended(&proposal.snippet()).unwrap();
            for (number, text) in texts.iter().enumerate() {
                let case = Case::of(past(number as i64 + 1, text, &format!("quillbox {text}"))).unwrap();
                let reading = variants.read(&case);
                assert_eq!(variants.outcome(&reading, Some(index)), case.outcome(&real), "{edit:?} {text}");
                assert_eq!(variants.outcome(&reading, None), case.outcome(&builtin), "{text}");
            }
        }
    }
}
