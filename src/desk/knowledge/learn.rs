//! How an article comes about and lives: drafted when a ticket has closed, published by an engineer's `#kb`, shown to
//! requesters with like questions, looked at again after a while. Nothing is published by the desk itself.

use super::article::{Article, State};
use super::mask::mask;
use super::{compose, rank};
use crate::address::Address;
use crate::desk::approval::Approval;
use crate::desk::command::{Hint, fold};
use crate::desk::draft::Draft;
use crate::desk::event::{Candidate, Effect, Situation, TimerKind};
use crate::desk::inbound::Body;
use crate::desk::letter::{ArticlePurpose, Content, Known, Shown};
use crate::desk::link::HelpLink;
use crate::desk::policy::Engineer;
use crate::desk::ticket::{Number, What, Who};
use crate::desk::words::{Impact, Priority, Status};
use crate::time::Timestamp;

/// Characters of a solution that are shown beside its title.
const BRIEF: usize = 160;

/// A ticket has closed, or an article has not been looked at for long.
pub fn timer(s: &Situation, on: &Candidate, now: Timestamp) -> Vec<Effect> {
    if on.ticket.status != Status::Closed {
        return Vec::new();
    }
    match &on.article {
        Some(article) if article.state == State::Published => review(s, on, article, now),
        None if s.policy.knowledge.drafts && compose::is_worth_drafting(on) => propose(s, on, now),
        _ => Vec::new(),
    }
}

fn propose(s: &Situation, on: &Candidate, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let article = Article { version: 1, ..compose::draft(s.policy, on, now) };
    let engineer = on.ticket.assignee.as_ref().and_then(|assignee| s.policy.engineer(assignee));
    if let Some(engineer) = engineer {
        tell(&mut draft, engineer, &article, ArticlePurpose::Draft);
    }
    draft.record(What::Article { state: State::Draft }, article.parts.title.clone());
    draft.effect(Effect::KeepArticle(Box::new(article)));
    draft.finish()
}

/// Its owner is asked; nobody of that name any more: whoever had the ticket.
fn review(s: &Situation, on: &Candidate, article: &Article, now: Timestamp) -> Vec<Effect> {
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Desk, now);
    let owner = article.owner.as_ref().and_then(|owner| s.policy.engineer(owner));
    let owner = owner.or_else(|| on.ticket.assignee.as_ref().and_then(|assignee| s.policy.engineer(assignee)));
    let Some(owner) = owner else { return Vec::new() };
    tell(&mut draft, owner, article, ArticlePurpose::Review);
    if on.archived.is_none() {
        draft.record(What::Reminded, super::article_name(on.ticket.number));
    }
    draft.schedule(TimerKind::Knowledge, now + s.policy.knowledge.review_after);
    draft.finish()
}

fn tell(draft: &mut Draft, to: &Engineer, article: &Article, purpose: ArticlePurpose) {
    let language = to.reader.language;
    let form = Body { text: article.parts.form(language), html: None };
    let name = super::article_name(article.ticket);
    let (shown, helped, not_helped) = (article.shown, article.helped, article.not_helped);
    let cause = format!("{}-{}", article.version, draft.now.millis());
    let content = Content::Article { purpose, name, form, shown, helped, not_helped };
    draft.letter(to.reader.clone(), &cause, content);
}

/// `#kb`: publishes the draft with what the engineer wrote below, or takes it away.
///
/// # Errors
/// The hint when there is nothing to publish or to take away.
pub fn order(draft: &mut Draft, on: &Candidate, engineer: &Engineer, value: &str, words: &str) -> Result<(), Hint> {
    let (policy, now) = (draft.policy, draft.now);
    let article = on.article.clone();
    let refused = ["no", "none", "drop", "retire", "不用", "不要", "不发", "无", "停用", "作废", "删除", "不需要"];
    if words.trim().is_empty() && refused.contains(&fold(value).as_str()) {
        let article = article.filter(|article| article.state != State::Retired).ok_or(Hint::NoArticle)?;
        keep(draft, Article { state: State::Retired, review: None, ..article }, engineer.address());
        draft.effect(Effect::Unschedule(on.ticket.number, TimerKind::Knowledge));
        return Ok(());
    }
    let mut article = article.unwrap_or_else(|| compose::draft(policy, on, now));
    let text = format!("{value}\n{words}");
    article.parts.edit(text.trim());
    let known = compose::known(policy, on);
    let language = article.language;
    article.parts.map(|part| mask(part, &known, language));
    if article.parts.solution.is_empty() || article.parts.title.is_empty() {
        return Err(Hint::TextNeeded);
    }
    let review = now + policy.knowledge.review_after;
    let published = Article {
        state: State::Published,
        owner: Some(engineer.address().clone()),
        published: Some(now),
        review: Some(review),
        ..article
    };
    keep(draft, published, engineer.address());
    draft.schedule(TimerKind::Knowledge, review);
    Ok(())
}

fn keep(draft: &mut Draft, article: Article, by: &Address) {
    let article = Article { version: article.version + 1, ..article };
    debug_assert!(article.owner.is_none() || article.owner.as_ref() == Some(by) || article.state == State::Retired);
    draft.record(What::Article { state: article.state }, article.parts.title.clone());
    draft.effect(Effect::KeepArticle(Box::new(article)));
}

/// What stands beside a new ticket in its engineer's notice.
pub fn beside(s: &Situation) -> Vec<Known> {
    let worth = s.similar.iter().filter(|similar| similar.likeness >= rank::WORTH_SHOWING).take(rank::SHOWN);
    let known = |similar: &super::Similar| {
        let (brief, rest) = cut(&similar.document.summary.split_whitespace().collect::<Vec<_>>().join(" "));
        Known {
            name: similar.document.about.name(),
            title: similar.document.title.clone(),
            summary: if rest { format!("{brief}…") } else { brief },
        }
    };
    worth.map(known).collect()
}

fn cut(text: &str) -> (String, bool) {
    (text.chars().take(BRIEF).collect(), text.chars().nth(BRIEF).is_some())
}

/// The article that may answer a how-to question at once; it goes out with the acknowledgement.
pub fn suggest(s: &Situation, draft: &mut Draft) -> Option<Shown> {
    let ticket = &draft.ticket;
    let how_to = ticket.priority == Priority::P4 && ticket.impact == Impact::Personal;
    let free =
        ticket.parent.is_none() && ticket.wait.is_none() && s.policy.desk.is_colleague(&ticket.requester.address);
    if !how_to || !free {
        return None;
    }
    let alike = |similar: &&super::Similar| similar.likeness >= s.policy.knowledge.suggest_from;
    let article = s.similar.iter().filter(alike).find_map(|similar| match similar.document.about {
        super::About::Article(article) => Some((article, &similar.document)),
        super::About::Ticket(_) => None,
    });
    let (article, document) = article?;
    let (number, expires) = (ticket.number, draft.now + s.policy.satisfaction.link_valid);
    let token = s.policy.key.sign_help(&HelpLink { number, article, expires });
    let link = s.policy.desk.public_url.as_ref().map(|url| format!("{url}/k/{token}"));
    draft.effect(Effect::Suggest { number, article });
    let text = document.summary.clone();
    Some(Shown { name: super::article_name(article), title: document.title.clone(), text, link })
}

/// A requester said on the article's page whether it helped. A yes resolves their ticket, as far as it is still open; they
/// are asked to rate it like any other.
pub fn helped(s: &Situation, on: &Candidate, article: Number, helped: bool, now: Timestamp) -> Vec<Effect> {
    let Some(suggestion) = on.suggested.iter().find(|suggestion| suggestion.article == article) else {
        return Vec::new();
    };
    if suggestion.helped == Some(helped) {
        return Vec::new();
    }
    let number = on.ticket.number;
    let mut draft = Draft::of(s.policy, &on.ticket, Who::Person(on.ticket.requester.address.clone()), now);
    let name = super::article_name(article);
    draft.effect(Effect::Helped { number, article, helped });
    draft.record(What::Helped { article, helped }, "");
    let held = on.approval.as_ref().and_then(Approval::holds).is_some();
    // What a yes has resolved, a later no brings back.
    let taken_back = !helped && on.ticket.status == Status::Resolved && suggestion.helped == Some(true);
    if taken_back {
        draft.reopen("");
    } else if helped && on.ticket.status.is_open() && !held {
        draft.become_status(Status::Resolved, name.clone());
    } else {
        return draft.finish();
    }
    if let Some(owner) = draft.owner() {
        let cause = format!("{article}-{}", on.ticket.version);
        draft.letter(owner, &cause, Content::ArticleHelped { name, helped });
    }
    draft.finish()
}
