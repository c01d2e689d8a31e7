//! Finding the terms: one pass of an Aho–Corasick automaton, word boundaries, the longest match of each layer.

use super::fold::{Folded, is_cjk};
use super::rules::{Meaning, RuleSet, Signal};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// A bound on what a hostile text can make us remember.
const MOST_HITS: usize = 20_000;
/// A negation works on a term that begins within so many characters after it.
const NEGATION_REACH: usize = 6;

/// Where a term stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Subject,
    Opening,
    Rest,
}

/// A term that was found.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'r> {
    pub start: usize,
    pub end: usize,
    pub meaning: &'r Meaning,
    /// The spelling that was found.
    pub term: &'r str,
    pub place: Place,
}

/// A spelling that stands in a text, before it is decided what it means there.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    /// Its place in the [`Scanner`].
    pub spelling: usize,
    pub place: Place,
}

/// Another meaning for one spelling, in place of the one with this signal, or none any more.
#[derive(Clone, Debug)]
pub struct Change {
    pub spelling: usize,
    pub signal: Signal,
    pub meaning: Option<Meaning>,
}

impl Hit<'_> {
    pub fn is(&self, signal: Signal) -> bool {
        self.meaning.signal == signal
    }
}

/// The rules as an automaton.
pub struct Scanner {
    automaton: AhoCorasick,
    terms: Vec<Spelling>,
}

struct Spelling {
    /// As the rules write it; `text` without its `*`.
    pattern: String,
    text: String,
    /// The word may go on: `crash*`.
    open: bool,
    meanings: Vec<Meaning>,
}

impl Scanner {
    pub fn new(rules: &RuleSet) -> Scanner {
        let spelling = |(pattern, meanings): (&String, &Vec<Meaning>)| {
            let text = pattern.trim_end_matches('*').trim_end().to_owned();
            Spelling { pattern: pattern.clone(), text, open: pattern.ends_with('*'), meanings: meanings.clone() }
        };
        let terms: Vec<Spelling> = rules.patterns.iter().map(spelling).collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(terms.iter().map(|t| t.text.as_bytes()))
            .expect("the number and length of terms are bounded by `RuleSet`");
        Scanner { automaton, terms }
    }

    /// Every term that counts: on word boundaries, not part of a stop phrase, not part of a longer term of its layer.
    /// Ascending by position.
    pub fn scan<'r>(&'r self, folded: &Folded) -> Vec<Hit<'r>> {
        self.pick(&self.find(folded), None)
    }

    /// Every spelling that stands on word boundaries, whatever it means.
    pub fn find(&self, folded: &Folded) -> Vec<Found> {
        let mut all = Vec::new();
        for found in self.automaton.find_overlapping_iter(&folded.text).take(MOST_HITS) {
            let spelling = found.pattern().as_usize();
            let open = self.terms[spelling].open;
            let Some(end) = word_end(&folded.text, found.start(), found.end(), open) else { continue };
            let place = match found.start() {
                at if at < folded.subject_end => Place::Subject,
                at if at < folded.opening_end => Place::Opening,
                _ => Place::Rest,
            };
            all.push(Found { start: found.start(), end, spelling, place });
        }
        all
    }

    /// What of that counts, under the rules as they are or with one meaning of one spelling changed.
    pub fn pick<'r>(&'r self, found: &[Found], change: Option<&'r Change>) -> Vec<Hit<'r>> {
        let mut hits = Vec::with_capacity(found.len());
        for Found { start, end, spelling, place } in found.iter().copied() {
            let Spelling { text, meanings, .. } = &self.terms[spelling];
            let change = change.filter(|change| change.spelling == spelling);
            let stays = |meaning: &&Meaning| change.is_none_or(|change| change.signal != meaning.signal);
            let meanings = meanings.iter().filter(stays).chain(change.and_then(|change| change.meaning.as_ref()));
            hits.extend(meanings.map(|meaning| Hit { start, end, meaning, term: text, place }));
        }
        hits.sort_by_key(|h| (h.start, std::cmp::Reverse(h.end)));
        drop_stopped(&mut hits);
        drop_contained(&mut hits);
        hits
    }

    /// The place of a spelling as the rules write it, with its `*`.
    pub fn spelling(&self, pattern: &str) -> Option<usize> {
        let at = self.terms.binary_search_by(|term| term.pattern.as_str().cmp(pattern));
        at.ok()
    }

    /// As the rules write it, with its `*`.
    pub fn pattern(&self, spelling: usize) -> &str {
        &self.terms[spelling].pattern
    }

    pub fn meanings(&self, spelling: usize) -> &[Meaning] {
        &self.terms[spelling].meanings
    }
}

/// The end of the word when the match stands on word boundaries. Chinese has none; a Latin word may carry a plural `s`.
fn word_end(text: &str, start: usize, end: usize, open: bool) -> Option<usize> {
    let latin = |c: char| c.is_alphanumeric() && !is_cjk(c);
    let first = text[start..].chars().next()?;
    if latin(first) && text[..start].chars().next_back().is_some_and(latin) {
        return None;
    }
    let last = text[..end].chars().next_back()?;
    if !latin(last) {
        return Some(end);
    }
    let tail = &text[end..];
    let rest = tail.find(|c: char| !latin(c)).unwrap_or(tail.len());
    let plural = end - start > 2 && last.is_ascii_alphabetic() && matches!(&tail[..rest], "s" | "es" | "'s");
    (rest == 0 || open || plural).then_some(end + rest)
}

/// Removes what overlaps a stop phrase and is not longer than it: the `mouse` of `mouse pad`.
fn drop_stopped(hits: &mut Vec<Hit>) {
    let stops: Vec<(usize, usize)> = hits.iter().filter(|h| h.is(Signal::Stop)).map(|h| (h.start, h.end)).collect();
    if stops.is_empty() {
        return;
    }
    let longest = stops.iter().map(|(s, e)| e - s).max().unwrap_or(0);
    hits.retain(|h| {
        // Only stops that begin near enough to reach this hit; the list ascends.
        let from = stops.partition_point(|(s, _)| s + longest <= h.start);
        let near = stops[from..].iter().take_while(|(s, _)| *s < h.end);
        h.is(Signal::Stop) || !near.into_iter().any(|(s, e)| *e > h.start && e - s >= h.end - h.start)
    });
}

/// Removes what lies inside a longer match of the same layer. Expects order by start, longest first.
fn drop_contained(hits: &mut Vec<Hit>) {
    let mut reach = [(0usize, 0usize); Signal::LAYERS];
    hits.retain(|h| {
        let (start, end) = &mut reach[h.meaning.signal.layer()];
        let contained = h.end <= *end && (h.start, h.end) != (*start, *end);
        if h.end > *end {
            (*start, *end) = (h.start, h.end);
        }
        !contained
    });
}

/// Whether one of `negations` (ends, ascending) stands right before `at` in the same sentence.
pub fn is_negated(folded: &Folded, negations: &[usize], at: usize) -> bool {
    let next = negations.partition_point(|end| *end <= at);
    let Some(end) = next.checked_sub(1).map(|i| negations[i]) else { return false };
    let Some(gap) = folded.text.get(end..at).filter(|gap| gap.len() <= 4 * NEGATION_REACH) else { return false };
    folded.sentence(end.saturating_sub(1)).0 == folded.sentence(at).0
        && gap.chars().count() <= NEGATION_REACH
        && !gap.contains([',', '、', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &str, text: &str, want: &[&str]) {
        let mut set = RuleSet::default();
        set.read(rules).unwrap();
        let scanner = Scanner::new(&set);
        let folded = Folded::new("", text);
        let found: Vec<&str> = scanner.scan(&folded).iter().filter(|h| !h.is(Signal::Stop)).map(|h| h.term).collect();
        assert_eq!(found, want, "{text}");
    }

    const RULES: &str = "[category.network]\nplain = 'vpn, ap, ad, ip address, loop, 网络, switch'\n\
        [category.account]\nstrong = 'vpn account, unlock*, vpn账号'\n[context]\nstop = 'mouse pad, 网络会议, switch off'\n\
        [category.hardware]\nweak='mouse, printer, erp'";

    #[test]
    fn words_begin_and_end_at_boundaries() {
        check(RULES, "the app read a loan enterprise", &[]);
        check(RULES, "AP down; ad. (vpn)", &["ap", "ad", "vpn"]);
        check(RULES, "我的VPN连不上", &["vpn"]);
        check(RULES, "two printers, printer's", &["printer", "printer"]);
        check(RULES, "ads", &[]);
        check(RULES, "unlocking it; please unlock", &["unlock", "unlock"]);
        check(RULES, "x_vpn_y", &["vpn"]);
    }

    #[test]
    fn the_longest_match_wins() {
        check(RULES, "vpn account", &["vpn account"]);
        check(RULES, "VPN账号过期", &["vpn账号"]);
    }

    #[test]
    fn stop_phrases_are_removed_first() {
        check(RULES, "a new mouse pad and a mouse", &["mouse"]);
        check(RULES, "网络会议改到三点", &[]);
        check(RULES, "switch off the switch", &["switch"]);
    }

    #[test]
    fn s01_many_matches_stay_bounded() {
        let mut set = RuleSet::default();
        set.read(RULES).unwrap();
        let text = "vpn ".repeat(1_000_000);
        assert!(Scanner::new(&set).scan(&Folded::new("", &text)).len() <= MOST_HITS);
    }
}
