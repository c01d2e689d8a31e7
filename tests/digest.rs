//! Reports: figures against an independent count, letters, pictures, workbook, and that each is sent once.

mod support;

use base64::Engine as _;
use mail_parser::{MessageParser, MimeHeaders as _};
use maildesk::address::{Address, Mailbox};
use maildesk::daemon::{Health, Reports, Shared};
use maildesk::desk::approval::{Approval, State};
use maildesk::desk::digest::page::Page;
use maildesk::desk::digest::{Figures, Goals, Kind, Period, Plan, Ratio, Scope, Slot, Spread};
use maildesk::desk::policy::{Engineer, Policy, Reader, Targets};
use maildesk::desk::review::form::Form;
use maildesk::desk::review::{Kind as Reviewed, Review, State as Stage};
use maildesk::desk::ticket::{Entry, Number, What, Who};
use maildesk::desk::words::{Category, Language, Priority, Status};
use maildesk::flow::Flow;
use maildesk::mail::{Rendered, Templates};
use maildesk::ports::Clock;
use maildesk::report::{Context, ROWS, Report};
use maildesk::store::{Store, TicketFilter};
use maildesk::time::calendar::{Holidays, Span};
use maildesk::time::{Calendar, Cron, Timestamp};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use support::{history, postgres};
use tokio::sync::{mpsc, watch};

#[path = "support/formulas.rs"]
mod formulas;
#[path = "support/rules.rs"]
mod rules;

const SHANGHAI: chrono_tz::Tz = chrono_tz::Asia::Shanghai;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
}

/// Four engineers who work as most do in China.
fn policy() -> Policy {
    let day: Vec<Span> = ["09:00-12:00", "13:30-18:00"].iter().map(|span| Span::parse(span).unwrap()).collect();
    let week = std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() });
    let calendar = Calendar::working(SHANGHAI, week, Holidays::china());
    let engineer =
        |text: &str, level| Engineer { level, reader: rules::reader(text), ..rules::policy().engineers[0].clone() };
    let engineers = vec![
        engineer("li@corp.example", 2),
        engineer("wang@corp.example", 3),
        engineer("chen@corp.example", 1),
        engineer("zhou@corp.example", 2),
    ];
    Policy { engineers, targets: Targets::standard(calendar.day_length()), calendar, ..rules::policy() }
}

fn plan(kind: Kind) -> Plan {
    let reader = |address: &str, language| Reader {
        mailbox: Mailbox::new(Address::parse(address).unwrap(), "孙浩"),
        language,
        zone: SHANGHAI,
    };
    let cron = match kind {
        Kind::Daily => "30 8 * * *",
        Kind::Weekly => "30 8 * * 1",
        Kind::Monthly => "30 8 1 * *",
    };
    Plan {
        name: kind.as_str().to_owned(),
        kind,
        cron: Cron::parse(cron).unwrap(),
        zone: SHANGHAI,
        readers: vec![reader("sun@corp.example", Language::Chinese), reader("kim@corp.example", Language::English)],
        scope: Scope::default(),
        on_make_up_days: false,
    }
}

async fn desk(database: &str, tickets: i64) -> Flow {
    let store = Store::open(database).await.unwrap();
    let policy = policy();
    history::fill(&store, &policy, tickets, at("2026-08-01T00:00"), at("2026-11-01T12:00"), 7).await;
    decide_and_review(&store, tickets).await;
    let flow = Flow::new(store, policy, Templates::load(None).unwrap());
    flow.reckon_all().await.unwrap();
    flow
}

/// Approvals of every eleventh ticket, most of them decided, and reviews of some in every state.
async fn decide_and_review(store: &Store, tickets: i64) {
    let minutes = |count: i64| Duration::from_secs(60 * count.unsigned_abs());
    let mut tx = store.begin().await.unwrap();
    for number in (11..=tickets).step_by(11) {
        let ticket = store.ticket(Number(number)).await.unwrap().unwrap();
        let since = ticket.created + minutes(number % 600);
        let state = [State::Approved, State::Rejected, State::Asked, State::Withdrawn][(number / 11 % 4) as usize];
        let decided = (state != State::Asked).then(|| since + minutes(number * 7 % 5000));
        let (module, request, people) = ("ERP".to_owned(), "请开通".to_owned(), Vec::new());
        let asked = Approval {
            version: 1,
            module,
            request,
            note: String::new(),
            state,
            since,
            asked: since,
            decided,
            substituted: false,
            people,
        };
        tx.keep_approval(Number(number), &asked).await.unwrap();
    }
    let day = |text: &str| at(&format!("{text}T10:00"));
    let (september, october) = (day("2026-09-20"), day("2026-10-11"));
    let reviews = [
        (40, Reviewed::Incident, "", september, Some(september), Some(day("2026-10-20"))),
        (41, Reviewed::Incident, "", september, Some(september), None),
        (42, Reviewed::Incident, "", october, Some(day("2026-10-12")), None),
        (43, Reviewed::Incident, "", day("2026-10-30"), None, None),
        (44, Reviewed::Problem, "登录、超时", october, Some(october), None),
    ];
    for (number, kind, title, opened, planned, ended) in reviews {
        let form = Form {
            cause: "=HYPERLINK(\"x\") 连接池耗尽，夜间任务没有释放连接".into(),
            corrective: "重启服务并释放连接".into(),
            preventive: "连接数超过 80% 时报警，每周检查".into(),
            owner: "李娜".into(),
            owner_address: Some(rules::address("li@corp.example")),
            due: planned.map(|at| (at.at_zone(SHANGHAI) + chrono::Days::new(14)).date_naive()),
        };
        let review = Review {
            ticket: Number(number),
            kind,
            state: if ended.is_some() { Stage::Done } else { planned.map_or(Stage::Asked, |_| Stage::Planned) },
            title: title.into(),
            module: if kind == Reviewed::Problem { "ERP".into() } else { String::new() },
            form: if planned.is_some() { form } else { Form::default() },
            people: vec![rules::address("li@corp.example")],
            tickets: if kind == Reviewed::Problem { vec![Number(44), Number(45), Number(46)] } else { vec![] },
            cycle: 1,
            opened,
            planned,
            ended,
            asked_again: false,
            version: 1,
        };
        tx.keep_review(&review).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn figures(flow: &Flow, plan: &Plan, slot: Slot) -> Box<maildesk::report::OfPeriod> {
    let policy = flow.policy();
    let context = Context { policy: &policy, goals: &Goals::default(), plan, slot, rows: ROWS };
    match Report::count(&flow.store, &context, slot.at).await.unwrap() {
        Report::Period(report) => report,
        Report::Board(_) => panic!("not a board"),
    }
}

/// Every figure, one a line, in the words of `support/recount.py`.
fn told(figures: &Figures) -> Vec<String> {
    let f = figures;
    let ratio = |r: Ratio| format!("{}/{}", r.met, r.of);
    let spread = |s: &Spread| {
        s.took().map_or("n=0".to_owned(), |t| format!("n={} mean={} median={} p90={}", t.n, t.mean, t.median, t.p90))
    };
    let mut lines = vec![
        format!("at_start {}", f.at_start),
        format!("created {}", f.created),
        format!("reopened {}", f.reopened),
        format!("closed {}", f.closed),
        format!("cancelled {}", f.cancelled),
        format!("at_end {}", f.at_end),
        format!("new {}", f.new),
        format!("awaiting {}", f.stock.awaiting),
        format!("ratings {} {} {}", f.ratings[0], f.ratings[1], f.ratings[2]),
        format!("asked {}", f.asked),
        format!("majors {}", f.majors),
        format!("major_seconds {}", f.major_seconds),
        format!("major_people_seconds {}", f.major_people_seconds),
    ];
    for (name, value) in [
        ("category_kept", f.category_kept),
        ("priority_kept", f.priority_kept),
        ("followed", f.followed),
        ("response", f.response),
        ("resolution", f.resolution),
        ("first_contact", f.first_contact),
        ("reopens", f.reopens),
        ("dispatch", f.dispatch),
        ("functional", f.functional),
        ("hierarchic", f.hierarchic),
        ("repeats", f.repeats),
    ] {
        lines.push(format!("{name} {}", ratio(value)));
    }
    for (name, value) in [
        ("responses_wall", &f.responses_wall),
        ("responses", &f.responses),
        ("resolutions_wall", &f.resolutions_wall),
        ("resolutions", &f.resolutions),
        ("approvals", &f.approvals),
    ] {
        lines.push(format!("{name} {}", spread(value)));
    }
    for priority in Priority::ALL {
        let of = &f.priorities[*priority as usize];
        lines.push(format!("closed {priority} {}", of.closed));
        lines.push(format!("response {priority} {}", ratio(of.response)));
        lines.push(format!("resolution {priority} {}", ratio(of.resolution)));
        lines.push(format!("resolutions {priority} {}", spread(&of.resolutions)));
        for (band, counts) in f.stock.ages.iter().enumerate().filter(|(_, counts)| counts[*priority as usize] > 0) {
            lines.push(format!("age {band} {priority} {}", counts[*priority as usize]));
        }
    }
    lines.extend(
        f.flow.iter().enumerate().map(|(i, day)| format!("day {i} {} {} {}", day.new, day.closed, day.backlog)),
    );
    let categories = Category::ALL.iter().map(|category| (category, f.categories[*category as usize]));
    lines.extend(categories.filter(|(_, n)| *n > 0).map(|(category, n)| format!("category {category} {n}")));
    lines.extend(f.departments.iter().map(|(name, n)| format!("department {name} {n}")));
    for (day, hours) in f.heat.iter().enumerate() {
        lines.extend(
            hours.iter().enumerate().filter(|(_, n)| **n > 0).map(|(hour, n)| format!("heat {day} {hour} {n}")),
        );
    }
    let mut closed: Vec<u64> = f.closed_by.values().copied().collect();
    closed.sort_unstable();
    lines.push(format!("engineers_closed {}", closed.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")));
    lines.sort();
    lines
}

/// RFC 4180.
fn quoted(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
    format!("{}\r\n", values.join(","))
}

/// Writes every ticket, every line of a timeline and every rating of the database into CSV files.
async fn export(store: &Store, folder: &Path) {
    let filter = TicketFilter { limit: 1_000_000, ..TicketFilter::default() };
    let mut tickets = store.tickets(&filter).await.unwrap();
    tickets.sort_by_key(|ticket| ticket.number);
    let head = |names: &str| quoted(&names.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let mut rows = head(
        "number requester department category priority status created updated first_response response_due resolution_due parent",
    );
    let mut timeline = head("ticket at who what");
    let mut ratings = head("ticket cycle rating at");
    let mut approvals = head("ticket state since decided");
    let time = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.millis().to_string());
    for ticket in &tickets {
        rows += &quoted(&[
            ticket.number.0.to_string(),
            ticket.requester.address.key().to_owned(),
            ticket.fields.get(&maildesk::desk::words::Field::Department).cloned().unwrap_or_default(),
            ticket.category.to_string(),
            ticket.priority.to_string(),
            ticket.status.to_string(),
            ticket.created.millis().to_string(),
            ticket.updated.millis().to_string(),
            time(ticket.first_response),
            ticket.response_due.millis().to_string(),
            ticket.resolution_due.millis().to_string(),
            ticket.parent.map_or(String::new(), |parent| parent.0.to_string()),
        ]);
    }
    let numbers: Vec<Number> = tickets.iter().map(|ticket| ticket.number).collect();
    let mut tx = store.begin().await.unwrap();
    for (number, past) in tx.pasts(&numbers).await.unwrap() {
        for entry in &past.timeline {
            let who = match &entry.who {
                Who::Desk => "desk".to_owned(),
                Who::Person(who) => who.key().to_owned(),
            };
            let what = serde_json::to_string(&entry.what).unwrap();
            timeline += &quoted(&[number.0.to_string(), entry.at.millis().to_string(), who, what]);
        }
        for (cycle, rating, when) in &past.ratings {
            let row = [number.0.to_string(), cycle.to_string(), rating.to_string(), when.millis().to_string()];
            ratings += &quoted(&row);
        }
        if let Some(asked) = &past.approval {
            let state = format!("{:?}", asked.state).to_lowercase();
            let row = [number.0.to_string(), state, asked.since.millis().to_string(), time(asked.decided)];
            approvals += &quoted(&row);
        }
    }
    for (name, text) in [("tickets", rows), ("timeline", timeline), ("ratings", ratings), ("approvals", approvals)] {
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
}

fn recount(folder: &Path, period: &Period) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let day = |at: Timestamp| at.at_zone(SHANGHAI).format("%Y-%m-%d").to_string();
    let mut script = Command::new("python3");
    script.arg(root.join("tests/support/recount.py")).arg(folder).arg(root.join("src/time/holidays/2026.json"));
    let text = support::run(script.args([day(period.from), day(period.to)]));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Three months of holds, reopenings, corrections and handovers: what the report says is what anybody can count.
async fn figures_agree_with_an_independent_count(database: String) {
    let flow = desk(&database, 3000).await;
    let folder = tempfile::tempdir().unwrap();
    export(&flow.store, folder.path()).await;
    for (kind, day) in [
        (Kind::Monthly, "2026-11-01T08:30"),
        (Kind::Monthly, "2026-10-08T08:30"),
        (Kind::Weekly, "2026-10-12T08:30"),
        (Kind::Weekly, "2026-09-28T08:30"),
    ] {
        let slot = Slot { at: at(day), period: Period::before_date(kind, at(day), SHANGHAI) };
        let report = figures(&flow, &plan(kind), slot).await;
        let (ours, theirs) = (told(&report.figures), recount(folder.path(), &slot.period));
        let apart = |a: &[String], b: &[String]| a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>();
        assert_eq!(apart(&ours, &theirs), apart(&theirs, &ours), "{day}");
        let before = recount(folder.path(), &slot.period.previous());
        assert!(apart(&told(&report.before), &before).is_empty(), "the period before {day}");
        let balance = &report.figures;
        let end = balance.at_start + balance.created + balance.reopened - balance.closed - balance.cancelled;
        assert_eq!(end, balance.at_end, "it balances");
        assert!(balance.approvals.took().is_some_and(|took| took.n > 5), "approvals were decided");
        assert!(balance.new > 100 && balance.reopens.met > 3 && balance.reopened > 0 && balance.followed.of > 3);
    }
    flow.store.close().await;
}

/// Every report in both languages, as mail: pictures are PNG parts that the HTML names, and everything is told in the text
/// as well. Writes them below the build folder (`target/tmp/digest`), to look at in a browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_have_pictures_that_mail_programs_show_and_a_text_twin() {
    let folder = tempfile::tempdir().unwrap();
    let flow = desk(&format!("sqlite://{}/desk.db", folder.path().display()), 3000).await;
    history::tell(&flow.store, &flow.policy(), 1, 3000).await;
    let shown = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digest");
    std::fs::create_dir_all(&shown).unwrap();
    let policy = flow.policy();
    let staff = [("财务部".to_owned(), 40), ("研发中心".to_owned(), 180)].into();
    let goals = Goals { staff, ..Goals::default() };
    for kind in [Kind::Daily, Kind::Weekly, Kind::Monthly] {
        let plan = plan(kind);
        let now = at(if kind == Kind::Weekly { "2026-10-12T08:30" } else { "2026-11-01T12:00" });
        let slot = Slot { at: now, period: Period::before_date(kind, now, SHANGHAI) };
        let context = Context { policy: &policy, goals: &goals, plan: &plan, slot, rows: ROWS };
        let report = Report::count(&flow.store, &context, now).await.unwrap();
        for reader in &plan.readers {
            let written = report.write(&context, reader.language);
            let files: Vec<_> = written.files.into_iter().map(Arc::new).collect();
            let letter = plan.letter(&slot, reader, written.page.clone(), &files);
            let (words, bytes) = (flow.words(&letter, now), flow.bytes(&letter, now));
            let name = format!("{}-{}", kind.as_str(), reader.language.as_str());
            let mut html = words.html.clone();
            for file in files.iter().filter(|file| file.inline) {
                let id = file.content_id.as_deref().unwrap();
                let data = base64::engine::general_purpose::STANDARD.encode(&file.bytes);
                html = html.replace(&format!("cid:{id}"), &format!("data:image/png;base64,{data}"));
            }
            std::fs::write(shown.join(format!("{name}.html")), html).unwrap();
            std::fs::write(shown.join(format!("{name}.txt")), &words.text).unwrap();
            std::fs::write(shown.join(format!("{name}.eml")), &bytes).unwrap();
            for file in files.iter().filter(|file| !file.inline) {
                let ending = file.name.rsplit('.').next().unwrap();
                std::fs::write(shown.join(format!("{name}.{ending}")), &file.bytes).unwrap();
            }
            look_at(&words, &bytes, &written.page, kind);
        }
    }
    flow.store.close().await;
}

/// What a mail program makes of the letter.
fn look_at(words: &Rendered, bytes: &[u8], page: &Page, kind: Kind) {
    let message = MessageParser::new().parse(bytes).unwrap();
    let pictures: Vec<_> = message.parts.iter().filter(|part| part.is_content_type("image", "png")).collect();
    assert_eq!(
        pictures.len(),
        match kind {
            Kind::Daily => 0,
            Kind::Weekly => 2,
            Kind::Monthly => 3,
        }
    );
    assert_eq!(words.html.matches("cid:").count(), pictures.len());
    for part in pictures {
        let id = part.content_id().unwrap();
        assert!(words.html.contains(&format!("src=\"cid:{id}\"")), "{id} is shown");
        assert!(part.contents().starts_with(b"\x89PNG\r\n\x1a\n") && part.contents().ends_with(b"IEND\xaeB`\x82"));
    }
    for file in &page.files {
        assert!(message.attachments().any(|part| part.attachment_name() == Some(file)), "{file} comes along");
    }
    assert!(!words.html.contains("<svg") && bytes.len() < 8 << 20, "{} bytes", bytes.len());
    let text = message.body_text(0).unwrap();
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    for part in &page.parts {
        assert!(text.contains(&part.title.as_str()), "{}", part.title);
        assert!(part.picture.is_none() || !part.tables.is_empty(), "{} has a twin of its picture", part.title);
        for line in part.tables.iter().flat_map(|table| table.text.lines()) {
            assert!(text.contains(&line.trim_end()), "{}: {line:?} is missing", part.title);
        }
    }
    for card in &page.cards {
        assert!(words.text.contains(&format!("{}  {}", card.label, card.value)), "{}", card.label);
    }
}

/// A clock that stands where it was put.
struct Stopped(AtomicI64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A daemon on this database, as far as reports go.
struct Daemon {
    reports: Reports,
    shared: Shared,
    clock: Arc<Stopped>,
    _stop: watch::Sender<bool>,
}

impl Daemon {
    async fn start(database: &str, plans: Vec<Plan>) -> Daemon {
        let store = Store::open(database).await.unwrap();
        let flow = Flow::new(store, policy(), Templates::load(None).unwrap());
        let clock = Arc::new(Stopped(AtomicI64::new(0)));
        let (stop, stopped) = watch::channel(false);
        let (fatal, _) = mpsc::unbounded_channel();
        let shared = Shared { flow, clock: clock.clone(), health: Arc::new(Health::default()), stop: stopped, fatal };
        Daemon { reports: Reports::new(plans, Goals::default()), shared, clock, _stop: stop }
    }

    /// Looks for what is due at this moment.
    async fn look(&mut self, when: &str) {
        self.clock.0.store(at(when).millis(), Ordering::Relaxed);
        self.reports.look(&self.shared).await.unwrap();
    }

    /// Subject and reader of every letter so far, in the order of the readers.
    async fn letters(&self) -> Vec<String> {
        let letters = self.shared.flow.store.all_outgoing().await.unwrap();
        let mut letters: Vec<String> =
            letters.iter().map(|(row, _)| format!("{} {}", row.to.local(), row.subject)).collect();
        letters.sort();
        letters
    }
}

const KIM: &str = "kim Weekly report · IT Service Desk: 16–22 Nov 2026 (week 47)";
const SUN: &str = "sun IT 服务台周报：2026年11月16日–22日（第47周）";

/// One letter a reader and period: whatever is asked again, restarted, or run twice at the same moment.
async fn each_reader_gets_each_report_once(database: String) {
    let plans = || vec![plan(Kind::Weekly)];
    let mut first = Daemon::start(&database, plans()).await;
    first.look("2026-11-20T10:00").await;
    first.look("2026-11-23T08:29").await;
    assert!(first.letters().await.is_empty(), "not before it is due, and nothing from before the desk knew of it");

    let mut second = Daemon::start(&database, plans()).await;
    second.look("2026-11-23T08:29").await;
    tokio::join!(first.look("2026-11-23T08:30"), second.look("2026-11-23T08:30"));
    assert_eq!(first.letters().await, [KIM, SUN], "two daemons at the same moment");
    first.look("2026-11-23T08:31").await;
    assert_eq!(first.letters().await.len(), 2);

    first.shared.flow.store.close().await;
    let mut restarted = Daemon::start(&database, plans()).await;
    restarted.look("2026-11-23T09:00").await;
    assert_eq!(restarted.letters().await.len(), 2, "after a restart");

    // Another time of day is no other period; another reader is another letter.
    let mut changed = plan(Kind::Weekly);
    changed.cron = Cron::parse("0 10 * * 1").unwrap();
    let boss = Reader { mailbox: Mailbox::new(rules::address("boss@corp.example"), ""), ..changed.readers[1].clone() };
    changed.readers.push(boss);
    let mut restarted = Daemon::start(&database, vec![changed]).await;
    restarted.look("2026-11-23T10:00").await;
    let letters = restarted.letters().await;
    assert_eq!((letters.len(), letters[0].starts_with("boss ")), (3, true));
}

/// The desk did not run for weeks: the latest report is sent, the others never.
async fn what_was_missed_is_one_report(database: String) {
    let plans = vec![plan(Kind::Weekly), plan(Kind::Daily)];
    let mut desk = Daemon::start(&database, plans.clone()).await;
    desk.look("2026-11-01T10:00").await;
    let mut desk = Daemon::start(&database, plans).await;
    desk.look("2026-11-24T07:00").await;
    assert_eq!(desk.letters().await, [KIM, SUN], "and no board of yesterday");
    desk.look("2026-11-24T08:30").await;
    assert_eq!(desk.letters().await.len(), 4, "today's board");
}

/// Nothing is claimed by a daemon that died before its letters were written.
async fn a_report_that_was_not_written_is_still_due(database: String) {
    let mut desk = Daemon::start(&database, vec![plan(Kind::Weekly)]).await;
    desk.look("2026-11-20T10:00").await;
    let store = &desk.shared.flow.store;
    let week = Period::before_date(Kind::Weekly, at("2026-11-23T08:30"), SHANGHAI);
    let mut tx = store.begin().await.unwrap();
    let sun = rules::address("sun@corp.example");
    assert!(tx.claim_digest("weekly", week.from, &sun, at("2026-11-23T08:30")).await.unwrap());
    drop(tx);
    desk.look("2026-11-23T08:30").await;
    assert_eq!(desk.letters().await, [KIM, SUN]);
}

/// Figures follow what happens to a ticket, through whatever road it comes.
async fn rounds_are_kept_up_to_date(database: String) {
    let store = Store::open(&database).await.unwrap();
    let flow = Flow::new(store.clone(), policy(), Templates::load(None).unwrap());
    let (from, to) = (at("2026-11-02T00:00"), at("2026-11-08T00:00"));
    history::fill(&store, &policy(), 450, from, to, 3).await;
    flow.reckon_all().await.unwrap();
    assert_eq!(flow.reckon().await.unwrap(), 0, "all of them");
    let all = |store: Store| async move {
        store.rounds(Number(0), Number(1000), at("2027-01-01T00:00"), Timestamp::default()).await.unwrap()
    };
    let before = all(store.clone()).await;
    let open = before.iter().rev().find(|round| round.ended.is_none() && round.resolved.is_none()).unwrap().number;
    let mut ticket = store.ticket(open).await.unwrap().unwrap();
    let (from, now) = (ticket.status, at("2026-11-09T09:00"));
    (ticket.status, ticket.closed, ticket.version) = (Status::Cancelled, Some(now), ticket.version + 1);
    let what = What::Status { from, to: Status::Cancelled };
    let mut tx = store.begin().await.unwrap();
    tx.save_ticket(&ticket).await.unwrap();
    tx.record(open, &Entry { at: now, who: Who::Desk, what, why: String::new() }).await.unwrap();
    tx.commit().await.unwrap();
    // Two daemons at once do it once.
    let done = tokio::join!(flow.reckon(), flow.reckon());
    assert_eq!(done.0.unwrap() + done.1.unwrap(), 1);
    let after = all(store).await;
    let apart: Vec<_> = after.iter().filter(|round| !before.contains(round)).collect();
    assert_eq!((apart.len(), apart[0].number, apart[0].ended), (1, open, Some(now)));
}

/// A real spreadsheet program opens the workbook and finds in it what the report says; nothing in it is calculated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spreadsheet_program_opens_the_workbook() {
    let folder = tempfile::tempdir().unwrap();
    let flow = desk(&format!("sqlite://{}/desk.db", folder.path().display()), 1500).await;
    let (policy, plan, now) = (flow.policy(), plan(Kind::Monthly), at("2026-11-02T08:30"));
    let slot = Slot { at: now, period: Period::before_date(Kind::Monthly, now, SHANGHAI) };
    let context = Context { policy: &policy, goals: &Goals::default(), plan: &plan, slot, rows: ROWS };
    let Report::Period(report) = Report::count(&flow.store, &context, now).await.unwrap() else { panic!() };
    let (new, rows) = (report.figures.new, report.rows.len());
    let written = Report::Period(report).write(&context, Language::English);
    let file = |ending: &str| written.files.iter().find(|file| file.name.ends_with(ending)).unwrap();
    let book = folder.path().join("report.xlsx");
    std::fs::write(&book, &file(".xlsx").bytes).unwrap();
    let profile = format!("-env:UserInstallation=file://{}/profile", folder.path().display());
    let office = |to: &str| {
        let mut program = Command::new(support::program("soffice", "libreoffice-calc"));
        program.arg(&profile).args(["--headless", "--convert-to", to, "--outdir"]);
        support::run(program.arg(folder.path()).arg(&book));
    };
    // Every sheet as a file of its own, in UTF-8.
    office("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1");
    let sheet = |name: &str| std::fs::read_to_string(folder.path().join(format!("report-{name}.csv"))).unwrap();
    assert!(sheet("Overview").lines().any(|line| line.starts_with(&format!("New,{new},"))), "{}", sheet("Overview"));
    assert_eq!(sheet("Days").lines().count(), 1 + 31);
    assert_eq!(sheet("Rows").lines().count(), 1 + rows);
    let reviews = sheet("Reviews");
    for (name, told) in [("PIR040", ",done,"), ("PIR041", ",overdue,"), ("PRB044", "IT044 IT045 IT046")] {
        assert!(reviews.lines().any(|line| line.starts_with(name) && line.contains(told)), "{name}: {reviews}");
    }
    assert!(reviews.contains("=HYPERLINK(\"\"x\"\") 连接池耗尽"), "in full, as text");
    assert!(sheet("Rows").contains("=HYPERLINK(\"\"x\"\")"), "text, not a formula");
    for name in ["Overview", "Days", "Priorities", "Categories", "Ages", "Reviews", "Rows"] {
        assert!(!sheet(name).contains("Err:") && !sheet(name).contains("#NAME"), "{name}");
    }
    // The charts are drawn.
    office("pdf");
    let pdf = std::fs::read(folder.path().join("report.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF"));
    let csv = String::from_utf8(file(".csv").bytes.clone()).unwrap();
    assert!(csv.starts_with("\u{feff}ticket,round,") && csv.contains(",\"'=HYPERLINK(\"\"x\"\")\","));
    assert_eq!(csv.lines().count(), 1 + rows);
}

/// What engineers corrected teaches words, of the newest tickets before the end of the month; a weekly report has none.
async fn a_monthly_report_proposes_keywords(database: String) {
    let flow = desk(&database, 1000).await;
    history::tell(&flow.store, &flow.policy(), 1, 1000).await;
    let now = at("2026-11-01T12:00");
    for kind in [Kind::Weekly, Kind::Monthly] {
        let (plan, policy) = (plan(kind), flow.policy());
        let slot = Slot { at: now, period: Period::before_date(kind, now, SHANGHAI) };
        let report = figures(&flow, &plan, slot).await;
        let context = Context { policy: &policy, goals: &Goals::default(), plan: &plan, slot, rows: ROWS };
        let written = Report::Period(report).write(&context, Language::Chinese);
        let tables = written.page.parts.iter().flat_map(|part| &part.tables);
        let told: Vec<&str> =
            tables.map(|table| table.text.as_str()).filter(|text| text.contains("关键词建议")).collect();
        match kind {
            Kind::Monthly => assert!(
                told.len() == 1 && told[0].contains("增加 跳板机") && told[0].contains("category.network"),
                "{told:?}"
            ),
            _ => assert!(told.is_empty(), "{told:?}"),
        }
    }
    flow.store.close().await;
}

macro_rules! on_both {
    ($($case:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                super::$case(format!("sqlite://{}/desk.db", folder.path().display())).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::postgres::database().await).await;
            })*
        }
    };
}

on_both! {
    figures_agree_with_an_independent_count
    each_reader_gets_each_report_once
    what_was_missed_is_one_report
    a_report_that_was_not_written_is_still_due
    rounds_are_kept_up_to_date
    a_monthly_report_proposes_keywords
}
