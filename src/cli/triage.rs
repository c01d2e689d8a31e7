//! `maildesk triage`: how well the keywords sort, and what other keywords would change. Reads only.

use super::{Failure, TestArgs, load};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::desk::triage::{Case, Difference, Findings, Kind, Label, Outcome, Proposal, Rules, Score, Turn, learn};
use crate::desk::words::Priority;
use crate::ports::Clock as _;
use crate::report::cases;
use crate::store::Store;
use crate::time::Timestamp;
use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Cases that are learnt from, the newest; all of them are counted.
const LEARNT_FROM: usize = 20_000;
/// Tickets of a list, unless all are asked for.
const LISTED: usize = 50;
/// Differences that are kept for the list.
const KEPT: usize = 100_000;

async fn open(config: &Config) -> Result<Store, Failure> {
    Ok(Store::open(config.database.expose_secret()).await.context("cannot open the database")?)
}

fn since(last: Option<u16>, now: Timestamp) -> Option<Timestamp> {
    last.map(|days| now - u32::from(days) * Duration::from_secs(86_400))
}

/// Accuracy, the tickets that were sorted wrongly, and proposals.
///
/// # Errors
/// The store's.
pub async fn review(config: Config, last: Option<u16>, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let (store, now) = (open(&config).await?, SystemClock.now());
    let (mut then, mut kept) = (Score::default(), Vec::new());
    let (mut counted, mut all) = (0_u64, 0_u64);
    let take = |portion: Vec<Case>| {
        for case in portion {
            all += 1;
            if case.category.is_none() && case.priority.is_none() {
                continue;
            }
            counted += 1;
            then.add(&case, case.said);
            if kept.len() < LEARNT_FROM {
                kept.push(case);
            }
        }
        true
    };
    cases::each_portion(&store, since(last, now), now, take).await.context("cannot read the tickets")?;
    let findings = learn(&config.rules, &kept);
    let wrong: Vec<Wrong> = kept.iter().filter_map(|case| Wrong::of(case, &config.rules)).collect();
    if as_json {
        let proposals: Vec<Value> = findings.proposals.iter().map(proposal_json).collect();
        let wrong: Vec<Value> = wrong.iter().map(Wrong::json).collect();
        let whole = json!({
            "tickets": all, "cases": counted, "learnt_from": findings.cases, "wrong_now": findings.wrong,
            "as_sorted_then": score_json(&then), "by_todays_rules": score_json(&findings.before),
            "with_all_proposals": score_json(&findings.after), "wrong": wrong, "proposals": proposals,
        });
        return Ok(writeln!(out, "{whole}")?);
    }
    writeln!(out, "{counted} cases of {all} tickets")?;
    told(out, "as sorted when they came", &then)?;
    if counted > findings.cases as u64 {
        writeln!(out, "\nthe newest {} of them, from here on", findings.cases)?;
    }
    told(out, "by today's rules", &findings.before)?;
    if !wrong.is_empty() {
        writeln!(out, "\ncorrected by people, and today's rules still sort them otherwise:")?;
        wrong.iter().take(LISTED).try_for_each(|one| writeln!(out, "  {}", one.line()))?;
        if wrong.len() > LISTED {
            writeln!(out, "  and {} more: --json has all of them", wrong.len() - LISTED)?;
        }
    }
    proposals(&findings, out)
}

fn proposals(findings: &Findings, out: &mut impl Write) -> Result<(), Failure> {
    if findings.proposals.is_empty() {
        let none = "\nno proposals: no change of one word mends three corrected tickets of several people and holds with others";
        return Ok(writeln!(out, "{none}")?);
    }
    let ((category, _), (priority, _)) = (findings.after.category_right(), findings.after.priority_right());
    let ((before, categories), (before_priority, priorities)) =
        (findings.before.category_right(), findings.before.priority_right());
    writeln!(
        out,
        "\n# {} proposals. Together: category right {before} -> {category} of {categories}, priority right {before_priority} -> \
         {priority} of {priorities}.\n# Nothing is applied. Copy what you like to the end of the file that \"extend\" in [triage] names, try\n# that file with \
         \"maildesk triage test\", then reload the desk.\n",
        findings.proposals.len()
    )?;
    for proposal in &findings.proposals {
        for line in remarks(proposal) {
            writeln!(out, "# {line}")?;
        }
        writeln!(out, "{}", proposal.snippet())?;
    }
    Ok(())
}

fn remarks(proposal: &Proposal) -> Vec<String> {
    let (before, after, of) = proposal.right;
    let what = if proposal.is_of_category() { "category" } else { "priority" };
    let deed = match proposal.kind() {
        Kind::Add => "add".to_owned(),
        Kind::Drop => "drop".to_owned(),
        Kind::Reweight => format!("reweight, from {}", proposal.grade_before()),
    };
    let (better, worse) = proposal.held_out;
    let mut lines = vec![
        format!("{deed}: {what} right {before} -> {after} of {of}, for {} people", proposal.people),
        format!("among people it was not made from: {better} better, {worse} worse"),
        format!("better: {}", numbers(&proposal.better)),
    ];
    if !proposal.worse.is_empty() {
        lines.push(format!("worse: {}", numbers(&proposal.worse)));
    }
    lines
}

fn numbers(all: &[crate::desk::ticket::Number]) -> String {
    let shown: Vec<String> = all.iter().take(10).map(ToString::to_string).collect();
    let more = if all.len() > 10 { format!(" and {} more", all.len() - 10) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn share((right, of): (u64, u64)) -> String {
    match crate::desk::digest::percent(right, of) {
        Some(permille) => format!("{right}/{of} ({}.{} %)", permille / 10, permille % 10),
        None => "—".to_owned(),
    }
}

fn told(out: &mut impl Write, name: &str, score: &Score) -> Result<(), Failure> {
    writeln!(out, "\n{name}:")?;
    writeln!(
        out,
        "  category right {}, {} by a person's word",
        share(score.category_right()),
        score.category_by_person
    )?;
    for (said, is, count) in score.confused().into_iter().take(8) {
        writeln!(out, "    {count} {said} that were {is}")?;
    }
    writeln!(
        out,
        "  priority right {}, {} by a person's word",
        share(score.priority_right()),
        score.priority_by_person
    )?;
    for priority in [Priority::P1, Priority::P2] {
        writeln!(out, "    {priority} that were sorted lower: {}", share(score.missed(priority)))?;
    }
    writeln!(out, "    too low {}, too high {}", score.under(), score.over())?;
    Ok(())
}

fn score_json(score: &Score) -> Value {
    let ratio = |(met, of): (u64, u64)| json!({"right": met, "of": of});
    let missed = |priority| {
        let (missed, of) = score.missed(priority);
        json!({"missed": missed, "of": of})
    };
    let confused: Vec<Value> =
        score.confused().iter().map(|(said, is, count)| json!({"said": said, "is": is, "tickets": count})).collect();
    json!({
        "category": ratio(score.category_right()), "category_by_person": score.category_by_person, "confused": confused,
        "priority": ratio(score.priority_right()), "priority_by_person": score.priority_by_person,
        "too_low": score.under(), "too_high": score.over(),
        "P1": missed(Priority::P1), "P2": missed(Priority::P2), "priorities": score.priority,
    })
}

fn proposal_json(proposal: &Proposal) -> Value {
    let (before, after, of) = proposal.right;
    let numbers = |all: &[crate::desk::ticket::Number]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "do": proposal.kind(), "term": proposal.term(), "list": proposal.list(), "grade": proposal.grade(),
        "grade_before": proposal.grade_before(), "right_before": before, "right_after": after, "of": of,
        "better": numbers(&proposal.better), "worse": numbers(&proposal.worse), "corrected": proposal.corrected,
        "people": proposal.people, "held_out": {"better": proposal.held_out.0, "worse": proposal.held_out.1},
        "snippet": proposal.snippet(),
    })
}

/// A case that people corrected and that the rules still sort otherwise.
struct Wrong<'a> {
    case: &'a Case,
    said: Outcome,
    /// The words that decided.
    words: Vec<String>,
}

impl<'a> Wrong<'a> {
    fn of(case: &'a Case, rules: &Rules) -> Option<Wrong<'a>> {
        let by_person = case.category.is_some_and(|l| l.by_person) || case.priority.is_some_and(|l| l.by_person);
        let verdict = by_person.then(|| case.sorted_by(rules))?;
        let said = Outcome { category: verdict.category, priority: verdict.priority };
        let wrong = case.category.is_some_and(|l| l.by_person && l.is != said.category)
            || case.priority.is_some_and(|l| l.by_person && l.is != said.priority);
        let words = verdict.matched.iter().take(6).map(|term| format!("{} ({})", term.term, term.points_to));
        wrong.then(|| Wrong { case, said, words: words.collect() })
    }

    fn line(&self) -> String {
        let is = labels(self.case.category.as_ref(), self.case.priority.as_ref());
        let words = if self.words.is_empty() { "no word of the rules".to_owned() } else { self.words.join(", ") };
        let Outcome { category, priority } = self.said;
        let subject: String = self.case.subject.chars().take(40).collect();
        format!("{:<7} {category} {priority}, should be {is}: {words} — {subject}", self.case.number.to_string())
    }

    fn json(&self) -> Value {
        json!({
            "number": self.case.number.to_string(), "subject": self.case.subject, "said": self.said,
            "category": self.case.category.map(|l| l.is), "priority": self.case.priority.map(|l| l.is), "words": self.words,
        })
    }
}

fn labels(category: Option<&Label<crate::desk::words::Category>>, priority: Option<&Label<Priority>>) -> String {
    let category = category.map(|label| label.is.to_string());
    let priority = priority.map(|label| label.is.to_string());
    let all: Vec<String> = category.into_iter().chain(priority).collect();
    if all.is_empty() { "?".to_owned() } else { all.join(" ") }
}

/// The rules of a file: of a whole configuration, or a rules file in the place of the site's.
fn changed(config: &Config, file: &Path) -> Result<Arc<Rules>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(vec![format!("{}: cannot read it: {error}", file.display())]))?;
    let is_configuration = text.lines().any(|line| matches!(line.trim(), "[desk]" | "[[mailbox]]" | "[triage]"));
    if is_configuration {
        return Ok(load(file)?.rules);
    }
    config
        .rule_files
        .with(file)
        .map(Arc::new)
        .map_err(|faults| Failure::Usage(faults.iter().map(ToString::to_string).collect()))
}

/// What a changed rules file would sort otherwise.
///
/// # Errors
/// [`Failure::Usage`] with every fault of the file, and the store's.
pub async fn test(config: Config, args: &TestArgs, out: &mut impl Write) -> Result<(), Failure> {
    let rules = changed(&config, &args.rules)?;
    let (store, now) = (open(&config).await?, SystemClock.now());
    let (mut before, mut after) = (Score::default(), Score::default());
    let (mut all, mut left_out, mut counts) = (0_u64, 0_u64, [0_u64; 4]);
    let mut differences: Vec<Difference> = Vec::new();
    let take = |portion: Vec<Case>| {
        for case in portion {
            all += 1;
            let (old, new) = (case.outcome(&config.rules), case.outcome(&rules));
            before.add(&case, old);
            after.add(&case, new);
            let Some(difference) = Difference::of(&case, old, new) else { continue };
            counts[difference.turn as usize] += 1;
            // What is lost is never left out of the list for what is not.
            if differences.len() < KEPT || difference.turn == Turn::Lost {
                differences.push(difference);
            } else {
                left_out += 1;
            }
        }
        true
    };
    cases::each_portion(&store, since(args.last, now), now, take).await.context("cannot read the tickets")?;
    differences.sort_by_key(|one| (one.turn, std::cmp::Reverse(one.number)));
    let listed = if args.all { differences.len() } else { LISTED };
    if args.json {
        let shown: Vec<Value> = differences.iter().take(listed).map(difference_json).collect();
        let whole = json!({
            "tickets": all, "differ": counts.iter().sum::<u64>(), "lost": counts[0], "worse": counts[1], "better": counts[2],
            "other": counts[3], "before": score_json(&before), "after": score_json(&after), "tickets_that_differ": shown,
        });
        return Ok(writeln!(out, "{whole}")?);
    }
    let differ: u64 = counts.iter().sum();
    writeln!(
        out,
        "{differ} of {all} tickets would be sorted otherwise: {} better, {} worse, {} urgent ones missed, {} that nobody can tell yet",
        counts[2], counts[1], counts[0], counts[3]
    )?;
    told(out, "before", &before)?;
    told(out, "after", &after)?;
    if differ > 0 {
        writeln!(out)?;
    }
    for one in differences.iter().take(listed) {
        writeln!(out, "  {}", difference_line(one))?;
    }
    let more = differences.len().saturating_sub(listed) as u64 + left_out;
    if more > 0 {
        let hint = if args.all { "" } else { ": --all prints them" };
        writeln!(out, "  and {more} more{hint}")?;
    }
    Ok(())
}

fn difference_line(one: &Difference) -> String {
    let turn = match one.turn {
        Turn::Lost => "MISSED",
        Turn::Worse => "worse",
        Turn::Better => "better",
        Turn::Other => "other",
    };
    let (before, after) = (one.before, one.after);
    let subject: String = one.subject.chars().take(60).collect();
    format!(
        "{turn:<7}{:<7} {} {} -> {} {} (people: {}) — {subject}",
        one.number.to_string(),
        before.category,
        before.priority,
        after.category,
        after.priority,
        labels(one.category.as_ref(), one.priority.as_ref())
    )
}

fn difference_json(one: &Difference) -> Value {
    json!({
        "number": one.number.to_string(), "subject": one.subject, "turn": one.turn, "before": one.before, "after": one.after,
        "category": one.category.map(|l| l.is), "priority": one.priority.map(|l| l.is),
    })
}
