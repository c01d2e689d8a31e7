//! How well tickets were sorted, and what other rules would change.

use super::Outcome;
use super::case::{Case, Label};
use crate::desk::ticket::Number;
use crate::desk::words::{Category, Priority};

/// Counted over cases. The first index is what was said, the second what it should have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub category: [[u64; 6]; 6],
    pub priority: [[u64; 4]; 4],
    /// Cases whose category, and whose priority, a person changed.
    pub category_by_person: u64,
    pub priority_by_person: u64,
}

impl Score {
    pub fn add(&mut self, case: &Case, said: Outcome) {
        if let Some(label) = case.category {
            self.category[said.category as usize][label.is as usize] += 1;
            self.category_by_person += u64::from(label.by_person);
        }
        if let Some(label) = case.priority {
            self.priority[said.priority as usize][label.is as usize] += 1;
            self.priority_by_person += u64::from(label.by_person);
        }
    }

    /// Right, of all.
    pub fn category_right(&self) -> (u64, u64) {
        ((0..6).map(|i| self.category[i][i]).sum(), self.category.iter().flatten().sum())
    }

    /// The same.
    pub fn priority_right(&self) -> (u64, u64) {
        ((0..4).map(|i| self.priority[i][i]).sum(), self.priority.iter().flatten().sum())
    }

    /// Sorted as less urgent than it was: somebody waited.
    pub fn under(&self) -> u64 {
        self.priority_where(|said, is| is < said)
    }

    /// Sorted as more urgent than it was: somebody was called for nothing.
    pub fn over(&self) -> u64 {
        self.priority_where(|said, is| is > said)
    }

    /// P1 that was not sorted as P1, and P2 that was sorted lower; each of all.
    pub fn missed(&self, priority: Priority) -> (u64, u64) {
        let all = Priority::ALL.iter().map(|said| self.priority[*said as usize][priority as usize]).sum();
        (self.priority_where(|said, is| is == priority && said > is), all)
    }

    fn priority_where(&self, which: impl Fn(Priority, Priority) -> bool) -> u64 {
        let pairs = Priority::ALL.iter().flat_map(|said| Priority::ALL.iter().map(move |is| (*said, *is)));
        pairs.filter(|(said, is)| which(*said, *is)).map(|(said, is)| self.priority[said as usize][is as usize]).sum()
    }

    /// Wrong categories, the most frequent first: said, is, how many.
    pub fn confused(&self) -> Vec<(Category, Category, u64)> {
        let pairs = Category::ALL.iter().flat_map(|said| Category::ALL.iter().map(move |is| (*said, *is)));
        let wrong = pairs.filter(|(said, is)| said != is);
        let mut all: Vec<_> =
            wrong.map(|(said, is)| (said, is, self.category[said as usize][is as usize])).filter(|c| c.2 > 0).collect();
        all.sort_by_key(|(said, is, count)| (std::cmp::Reverse(*count), *said, *is));
        all
    }
}

/// What becomes of something that was sorted: it turns right or wrong, or nothing is gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It was urgent and known as such, and is no longer.
    Lost,
    Worse,
    Better,
    /// Wrong before and after, or nobody has said yet what is right.
    Other,
}

/// A ticket that other rules would sort otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub number: Number,
    pub subject: String,
    pub before: Outcome,
    pub after: Outcome,
    pub category: Option<Label<Category>>,
    pub priority: Option<Label<Priority>>,
    pub turn: Turn,
}

impl Difference {
    /// `None`: it would be sorted as before.
    pub fn of(case: &Case, before: Outcome, after: Outcome) -> Option<Difference> {
        (before != after).then(|| Difference {
            number: case.number,
            subject: case.subject.clone(),
            before,
            after,
            category: case.category,
            priority: case.priority,
            turn: turn(case, before, after),
        })
    }
}

/// P1 or P2 as it should be before, and less urgent than that after.
pub fn is_lost(case: &Case, before: Outcome, after: Outcome) -> bool {
    case.priority
        .is_some_and(|label| label.is <= Priority::P2 && before.priority <= label.is && after.priority > label.is)
}

/// By how much more is right of the category, and of the priority: -1, 0 or 1.
pub fn gains(case: &Case, before: Outcome, after: Outcome) -> (i32, i32) {
    let gain = |before: bool, after: bool| i32::from(after) - i32::from(before);
    let category = case.category.map_or(0, |l| gain(before.category == l.is, after.category == l.is));
    let priority = case.priority.map_or(0, |l| gain(before.priority == l.is, after.priority == l.is));
    (category, priority)
}

fn turn(case: &Case, before: Outcome, after: Outcome) -> Turn {
    let (category, priority) = gains(case, before, after);
    match category + priority {
        _ if is_lost(case, before, after) => Turn::Lost,
        ..0 => Turn::Worse,
        1.. => Turn::Better,
        0 if category < 0 || priority < 0 => Turn::Worse,
        0 => Turn::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::tests::past;
    use super::*;
    use Category::{Account, Network, Software};
    use Priority::{P1, P2, P3, P4};

    fn case(category: Category, priority: Priority) -> Case {
        let case = Case::of(past(7, "VPN", "x")).unwrap();
        let category = Some(Label { is: category, by_person: true });
        Case { category, priority: Some(Label { is: priority, by_person: false }), ..case }
    }

    fn outcome(category: Category, priority: Priority) -> Outcome {
        Outcome { category, priority }
    }

    #[test]
    fn urgent_tickets_that_were_missed_stand_apart() {
        let mut score = Score::default();
        for (is, said) in [(P1, P3), (P1, P1), (P2, P1), (P2, P4), (P3, P3), (P4, P3)] {
            score.add(&case(Network, is), outcome(if said == P3 { Software } else { Network }, said));
        }
        assert_eq!(score.priority_right(), (2, 6));
        assert_eq!((score.under(), score.over()), (2, 2));
        assert_eq!((score.missed(P1), score.missed(P2)), ((1, 2), (1, 2)));
        assert_eq!(score.category_right(), (3, 6));
        assert_eq!(score.confused(), [(Software, Network, 3)]);
        assert_eq!((score.category_by_person, score.priority_by_person), (6, 0));
    }

    #[test]
    fn turns() {
        let check = |before, after, turn| {
            let case = case(Network, P2);
            assert_eq!(Difference::of(&case, before, after).map(|d| d.turn), turn, "{before:?} {after:?}");
        };
        check(outcome(Software, P2), outcome(Software, P2), None);
        check(outcome(Software, P2), outcome(Network, P2), Some(Turn::Better));
        check(outcome(Network, P2), outcome(Account, P2), Some(Turn::Worse));
        check(outcome(Software, P2), outcome(Account, P2), Some(Turn::Other));
        check(outcome(Network, P3), outcome(Network, P2), Some(Turn::Better));
        check(outcome(Network, P2), outcome(Network, P1), Some(Turn::Worse));
        // The category turns right, but an urgent ticket is no longer known as such.
        check(outcome(Software, P2), outcome(Network, P3), Some(Turn::Lost));
        check(outcome(Software, P1), outcome(Software, P4), Some(Turn::Lost));
        check(outcome(Software, P3), outcome(Network, P4), Some(Turn::Better));
    }
}
