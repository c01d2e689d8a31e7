//! What is learnt from tickets: drafts, articles, what stands beside a new ticket, and whether it helped. Rules alone.

#[path = "support/rules.rs"]
mod rules;

use maildesk::address::Address;
use maildesk::desk::command::Hint;
use maildesk::desk::decide::decide;
use maildesk::desk::event::{Effect, Event, Mail, Situation, Timer, TimerKind};
use maildesk::desk::knowledge::article::{Article, Parts, State};
use maildesk::desk::knowledge::{About, Document, Similar, Suggestion};
use maildesk::desk::letter::{Content, Letter, Shown};
use maildesk::desk::policy::{Knowledge, Policy};
use maildesk::desk::ticket::{Entry, Number, Ticket, What, Who};
use maildesk::desk::words::{Category, Field, Language, Priority, Rating, Status};
use rules::*;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn learning() -> Policy {
    Policy { knowledge: Knowledge::default(), ..policy() }
}

fn did(who: &str, what: What, why: &str) -> Entry {
    Entry { at: now(), who: Who::Person(address(who)), what, why: why.into() }
}

/// Zhang's printer as it was mended and closed.
fn closed(policy: &Policy) -> Situation<'_> {
    let mut ticket = ticket(Status::Closed);
    ticket.resolved = Some(now());
    ticket.fields = [(Field::Contact, "13800138000".to_owned()), (Field::EmployeeId, "F10234".to_owned())].into();
    let mut s = situation(policy, vec![ticket]);
    let on = &mut s.candidates[0];
    on.description.text = "您好：\n三楼打印机卡纸，我的工号 F10234，电话 13800138000\n谢谢".into();
    on.timeline = Arc::new(vec![
        did(LI, What::Step, "拆开后盖，看到搓纸轮磨损"),
        did(LI, What::Solution, "张伟，您好：\n换了搓纸轮，型号 RM1-6414，初始密码是 Abc@123。\n请您再试一下。"),
    ]);
    s
}

fn fall_due(s: &Situation) -> Vec<Effect> {
    let timer = Timer { number: Number(1), kind: TimerKind::Knowledge, due: now(), cycle: 1 };
    decide(s, &Event::Due(vec![timer]), now())
}

fn letters(effects: &[Effect]) -> Vec<&Letter> {
    effects.iter().filter_map(|e| if let Effect::Send(letter) = e { Some(&**letter) } else { None }).collect()
}

fn kept(effects: &[Effect]) -> Option<&Article> {
    effects.iter().find_map(|e| if let Effect::KeepArticle(article) = e { Some(&**article) } else { None })
}

fn ordered(s: &Situation, text: &str) -> Vec<Effect> {
    decide(s, &event(reply(LI, text)), now())
}

fn hints(effects: &[Effect]) -> Vec<Hint> {
    let transcripts = letters(effects).into_iter().filter_map(|letter| match &letter.content {
        Content::Transcript { lines, .. } => Some(lines.iter().map(|line| line.hint.clone())),
        _ => None,
    });
    transcripts.flatten().collect()
}

#[test]
fn closing_sets_the_timer_and_the_timer_drafts() {
    let policy = learning();
    let mut s = closed(&policy);
    s.candidates[0].ticket = Ticket { status: Status::Resolved, closed: None, ..s.candidates[0].ticket.clone() };
    let effects = decide(&s, &event(reply(ZHANG, "满意")), now());
    let set = |e: &Effect| matches!(e, Effect::Schedule(t) if t.kind == TimerKind::Knowledge && t.due == now());
    assert!(effects.iter().any(set), "{effects:?}");

    let s = closed(&policy);
    let effects = fall_due(&s);
    let [letter] = letters(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(letter.to.mailbox.address, address(LI));
    let article = kept(&effects).unwrap();
    assert_eq!((article.state, article.owner.clone(), article.version), (State::Draft, None, 1));
    assert_eq!(article.parts.title, "打印机坏了");
    assert_eq!(article.parts.symptom, "三楼打印机卡纸，我的工号 [工号]，电话 [电话]");
    assert_eq!(article.parts.diagnosis, "拆开后盖，看到搓纸轮磨损");
    assert_eq!(article.parts.solution, "换了搓纸轮，型号 RM1-6414，初始密码是 [密码]。");
    assert!(article.parts.keywords.contains("rm1-6414"), "{}", article.parts.keywords);
    let Content::Article { form, .. } = &letter.content else { panic!("{letter:?}") };
    for secret in ["13800138000", "F10234", "Abc@123", "张伟"] {
        assert!(!form.text.contains(secret), "{secret}: {}", form.text);
    }
}

#[test]
fn nothing_is_drafted_where_there_is_nothing_to_learn() {
    let policy = learning();
    let check = |name: &str, change: &dyn Fn(&mut Situation)| {
        let mut s = closed(&policy);
        change(&mut s);
        assert!(fall_due(&s).is_empty(), "{name}");
    };
    check("no solution", &|s| s.candidates[0].timeline = Arc::default());
    check("only thanks", &|s| s.candidates[0].timeline = Arc::new(vec![did(LI, What::Solution, "已处理好")]));
    check("reopened", &|s| s.candidates[0].ticket.status = Status::InProgress);
    check("not satisfied", &|s| s.candidates[0].ticket.rating = Some(Rating::Dissatisfied));
    check("merged", &|s| s.candidates[0].ticket.merged_into = Some(Number(9)));
    check("a report of another fault", &|s| s.candidates[0].ticket.parent = Some(Number(9)));
    check("an article solved it", &|s| {
        s.candidates[0].suggested = vec![Suggestion { article: Number(9), helped: Some(true) }];
    });
    check("retired before", &|s| s.candidates[0].article = Some(article(State::Retired)));
    let quiet = Policy { knowledge: Knowledge { drafts: false, ..Knowledge::default() }, ..policy.clone() };
    assert!(fall_due(&closed(&quiet)).is_empty());
}

fn article(state: State) -> Article {
    Article {
        ticket: Number(1),
        state,
        language: Language::Chinese,
        category: Category::Hardware,
        parts: Parts { title: "打印机卡纸".into(), solution: "换搓纸轮".into(), ..Parts::default() },
        owner: (state == State::Published).then(|| address(LI)),
        drafted: now(),
        published: None,
        review: None,
        version: 1,
        shown: 4,
        helped: 3,
        not_helped: 1,
    }
}

fn with_article(policy: &Policy, state: State) -> Situation<'_> {
    let mut s = closed(policy);
    s.candidates[0].article = Some(article(state));
    s
}

#[test]
fn the_engineer_publishes_and_nobody_else_hears_of_it() {
    let policy = learning();
    let s = with_article(&policy, State::Draft);
    for text in ["#kb", "#知识", "＃ＫＢ"] {
        let effects = ordered(&s, text);
        let published = kept(&effects).unwrap_or_else(|| panic!("{text}: {effects:?}"));
        assert_eq!((published.state, published.owner.clone()), (State::Published, Some(address(LI))), "{text}");
        assert_eq!(published.review, Some(now() + 180 * DAY));
        assert_eq!(published.parts, article(State::Draft).parts);
        assert!(letters(&effects).is_empty(), "{effects:?}");
        let review = |e: &Effect| matches!(e, Effect::Schedule(t) if t.kind == TimerKind::Knowledge && t.due == now() + 180 * DAY);
        assert!(effects.iter().any(review));
        assert!(!effects.iter().any(|e| matches!(e, Effect::Save(t) if t.status != Status::Closed)));
    }
}

#[test]
fn edits_are_taken_in_and_masked() {
    let policy = learning();
    let s = with_article(&policy, State::Draft);
    let effects = ordered(&s, "#kb\n解决办法：换搓纸轮 RM1-6414，密码：Qwe@123\n预防：每季度请王工清洁一次");
    let parts = &kept(&effects).unwrap().parts;
    assert_eq!(parts.title, "打印机卡纸");
    assert_eq!(parts.solution, "换搓纸轮 RM1-6414，密码：[密码]");
    assert_eq!(parts.prevention, "每季度请[姓名]工清洁一次");
    // A text without names is the solution, also on any ticket without a draft.
    let s = closed(&policy);
    let effects = ordered(&s, "#kb\n换轮子，再清洁进纸口");
    let parts = &kept(&effects).unwrap().parts;
    assert_eq!((parts.title.as_str(), parts.solution.as_str()), ("打印机坏了", "换轮子，再清洁进纸口"));
    assert_eq!(parts.diagnosis, "拆开后盖，看到搓纸轮磨损");
}

#[test]
fn an_article_can_be_dropped_and_taken_away() {
    let policy = learning();
    for state in [State::Draft, State::Published] {
        let s = with_article(&policy, state);
        for text in ["#kb no", "#知识 不用", "#知识 停用", "#kb retire"] {
            let effects = ordered(&s, text);
            assert_eq!(kept(&effects).unwrap().state, State::Retired, "{text}");
        }
    }
    let s = closed(&policy);
    assert_eq!(hints(&ordered(&s, "#kb no")), [Hint::NoArticle]);
    let mut empty = closed(&policy);
    empty.candidates[0].timeline = Arc::default();
    assert_eq!(hints(&ordered(&empty, "#kb")), [Hint::TextNeeded]);
}

#[test]
fn an_article_goes_alone_and_only_proven() {
    let policy = learning();
    let s = with_article(&policy, State::Draft);
    for text in ["#kb\n#close\n换搓纸轮", "#reopen\n#kb\n换", "#note\n#kb\n换", "#kb\n#workaround\n换"] {
        let effects = ordered(&s, text);
        assert!(kept(&effects).is_none() && hints(&effects).contains(&Hint::ArticleAlone), "{text}: {effects:?}");
    }
    let unproven = mail(LI, "Re: [IT001] x", "In-Reply-To: <first@corp.example>\r\n", "#kb");
    let effects = decide(&s, &event(unproven), now());
    assert!(kept(&effects).is_none(), "{effects:?}");
    for other in [ZHANG, BOSS] {
        assert!(kept(&decide(&s, &event(reply(other, "#kb")), now())).is_none(), "{other}");
    }
}

#[test]
fn its_owner_is_asked_again_after_a_while() {
    let policy = learning();
    let s = with_article(&policy, State::Published);
    let effects = fall_due(&s);
    let [letter] = letters(&effects)[..] else { panic!("{effects:?}") };
    assert!(matches!(letter.content, Content::Article { shown: 4, helped: 3, not_helped: 1, .. }), "{letter:?}");
    assert!(effects.iter().any(|e| matches!(e, Effect::Schedule(t) if t.kind == TimerKind::Knowledge)));
    assert!(kept(&effects).is_none());
    assert!(fall_due(&with_article(&policy, State::Draft)).is_empty());
    assert!(fall_due(&with_article(&policy, State::Retired)).is_empty());
}

fn similar(about: About, likeness: f64) -> Similar {
    let document = Document {
        about,
        title: "怎么把打印机设为默认".into(),
        summary: "设置\n里选“设为默认”".into(),
        category: Category::Hardware,
        solved: true,
        terms: String::new(),
    };
    Similar { document, likeness }
}

/// A how-to question of Zhang's, and the letters it causes.
fn asks(policy: &Policy, from: &str, text: &str, similar: Vec<Similar>) -> (Option<Shown>, Vec<String>, Vec<Effect>) {
    let s = Situation { similar, ..situation(policy, vec![]) };
    let mut mail = Mail::new(mail(from, "请问怎么设置默认打印机", "", text), now(), None);
    mail.sort(&policy.rules);
    let effects = decide(&s, &Event::Mail(mail), now());
    let article = letters(&effects).iter().find_map(|letter| match &letter.content {
        Content::Acknowledgement { article, .. } => Some(article.clone()),
        _ => None,
    });
    let beside = letters(&effects).iter().find_map(|letter| match &letter.content {
        Content::Notice { similar, .. } => Some(similar.iter().map(|known| known.name.clone()).collect()),
        _ => None,
    });
    (article.flatten(), beside.unwrap_or_default(), effects)
}

const HOW_TO: &str = "请问怎么把打印机设为默认？不急，谢谢";

#[test]
fn what_is_alike_stands_beside_a_new_ticket() {
    let policy = learning();
    let all = [0.9, 0.6, 0.5, 0.4].map(|l| similar(About::Ticket(Number((l * 100.0) as i64)), l));
    let (_, beside, _) = asks(&policy, ZHANG, HOW_TO, all.to_vec());
    assert_eq!(beside, ["IT090", "IT060", "IT050"]);
    let (_, beside, _) = asks(&policy, ZHANG, HOW_TO, vec![similar(About::Article(Number(7)), 0.1)]);
    assert!(beside.is_empty());
}

#[test]
fn a_how_to_question_gets_an_article_at_once() {
    let policy = learning();
    let kb = |likeness| vec![similar(About::Ticket(Number(3)), 0.99), similar(About::Article(Number(7)), likeness)];
    let (shown, beside, effects) = asks(&policy, ZHANG, HOW_TO, kb(0.7));
    let shown = shown.expect("an article");
    assert_eq!((shown.name.as_str(), beside), ("KB007", vec!["IT003".to_owned(), "KB007".into()]));
    let link = shown.link.unwrap();
    let token = link.strip_prefix("https://desk.corp.example/k/").unwrap();
    let read = policy.key.read_help(token, now()).unwrap();
    assert_eq!((read.number, read.article), (Number(7), Number(7)), "the situation's next number, and the article");
    assert!(effects.iter().any(|e| matches!(e, Effect::Suggest { number: Number(7), article: Number(7) })));
    // Not alike enough, not from a colleague, more than one person, more than a question.
    assert_eq!(asks(&policy, ZHANG, HOW_TO, kb(0.4)).0, None);
    assert_eq!(asks(&policy, "someone@elsewhere.example", HOW_TO, kb(0.9)).0, None);
    assert_eq!(asks(&policy, ZHANG, "打印机坏了，打不出来，很急", kb(0.9)).0, None);
    assert_eq!(asks(&policy, ZHANG, "全公司都不能打印", kb(0.9)).0, None);
    let mut closed_web = learning();
    closed_web.desk.public_url = None;
    assert_eq!(asks(&closed_web, ZHANG, HOW_TO, kb(0.7)).0.unwrap().link, None);
}

fn question(policy: &Policy, status: Status, said: Option<bool>) -> Situation<'_> {
    let mut ticket = Ticket { priority: Priority::P4, ..ticket(status) };
    ticket.resolved = (status == Status::Resolved).then(now);
    let mut s = situation(policy, vec![ticket]);
    s.candidates[0].suggested = vec![Suggestion { article: Number(7), helped: said }];
    s
}

fn says(s: &Situation, article: i64, helped: bool) -> Vec<Effect> {
    decide(s, &Event::Helped { number: Number(1), article: Number(article), helped }, now())
}

fn status(effects: &[Effect]) -> Option<Status> {
    effects.iter().find_map(|e| if let Effect::Save(ticket) = e { Some(ticket.status) } else { None })
}

#[test]
fn a_yes_resolves_the_ticket_and_a_no_only_counts() {
    let policy = learning();
    let counted = |effects: &[Effect], yes: bool| {
        effects.iter().any(|e| matches!(e, Effect::Helped { helped, .. } if *helped == yes))
    };
    let yes = says(&question(&policy, Status::New, None), 7, true);
    assert!(counted(&yes, true) && status(&yes) == Some(Status::Resolved), "{yes:?}");
    let told: Vec<Address> = letters(&yes).iter().map(|letter| letter.to.mailbox.address.clone()).collect();
    assert_eq!(told, [address(LI)]);
    let reminded = |e: &Effect| matches!(e, Effect::Schedule(t) if t.kind == TimerKind::ConfirmReminder);
    assert!(yes.iter().any(reminded), "confirmed like any other");

    let no = says(&question(&policy, Status::New, None), 7, false);
    assert!(counted(&no, false) && status(&no).is_none() && letters(&no).is_empty(), "{no:?}");

    let back = says(&question(&policy, Status::Resolved, Some(true)), 7, false);
    assert!(counted(&back, false) && status(&back) == Some(Status::InProgress), "{back:?}");
    assert_eq!(letters(&back).len(), 1);

    // What an engineer resolved stays so, a closed ticket stays closed.
    let late = says(&question(&policy, Status::Resolved, None), 7, false);
    assert!(counted(&late, false) && status(&late).is_none());
    let over = says(&question(&policy, Status::Closed, None), 7, true);
    assert!(counted(&over, true) && status(&over).is_none());
    // Twice the same, and an article that was never shown.
    assert!(says(&question(&policy, Status::Resolved, Some(true)), 7, true).is_empty());
    assert!(says(&question(&policy, Status::New, None), 8, true).is_empty());
}
