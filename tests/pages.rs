//! The pages behind the links of a mail: over plain HTTP what must never happen, in Chromium what people see.

mod support;

use fantoccini::Locator;
use maildesk::address::{Address, Mailbox};
use maildesk::demo::people::Letter;
use maildesk::demo::world::World;
use maildesk::desk::approval::{Module, Needs, State};
use maildesk::desk::link::{ApprovalLink, HelpLink, RatingLink};
use maildesk::desk::policy::Reader;
use maildesk::desk::ticket::{Number, Ticket, What};
use maildesk::desk::words::{Language, Rating, Status};
use maildesk::mail::Templates;
use maildesk::ports::Clock;
use maildesk::store::Store;
use maildesk::time::Timestamp;
use maildesk::web::{self, Pages};
use std::sync::Arc;
use std::time::Duration;
use support::chromium::{Browser, Look};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

// --- a desk whose pages are up -----------------------------------------------------------------------------------

/// The demo's desk: its own clock, SQLite, and the pages on a port of their own.
struct Desk {
    world: World,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        Desk { world: World::create(folder.path()).await.unwrap(), folder }
    }

    /// Host and port of the pages.
    fn host(&self) -> String {
        let policy = self.world.flow.policy();
        policy.desk.public_url.as_deref().unwrap().trim_start_matches("http://").to_owned()
    }

    /// A ticket of this person that waits for confirmation; gives the resolution letter.
    async fn resolved(&mut self, from: &Mailbox, subject: &str, text: &str) -> Letter {
        self.world.letters().await.unwrap();
        let letters = self.world.writes(from, subject, text).await.unwrap();
        let notice = letters.iter().find(|l| l.to != from.address.as_str()).expect("a notice").clone();
        self.world.clock.advance(MINUTE);
        let engineer = person(&notice.to, "");
        let letters = self.world.replies(&engineer, &notice, "#resolve\nDone / 已处理好。").await.unwrap();
        letters.into_iter().find(|l| l.to == from.address.as_str()).expect("a resolution letter")
    }

    /// The three rating links of a Chinese and of an English requester: satisfied, mostly, dissatisfied.
    async fn chinese(&mut self) -> Vec<String> {
        let zhang = person("zhang.wei@example.com", "张伟");
        self.resolved(&zhang, "三楼打印机卡纸", "三楼的打印机一直卡纸，麻烦看一下。").await.links("/s/")
    }

    async fn english(&mut self) -> Vec<String> {
        let alice = person("alice@example.com", "Alice Brown");
        let text = "Hi, my laptop screen stays black since this morning. Could you have a look?";
        self.resolved(&alice, "Laptop screen stays black", text).await.links("/s/")
    }

    async fn ticket(&self, number: i64) -> Ticket {
        self.world.flow.store.ticket(Number(number)).await.unwrap().expect("the ticket exists")
    }

    async fn state(&self, number: i64) -> (Status, Option<Rating>) {
        let ticket = self.ticket(number).await;
        (ticket.status, ticket.rating)
    }

    /// The database's bytes, the part not yet merged into the main file included.
    fn database(&self) -> Vec<Vec<u8>> {
        ["desk.db", "desk.db-wal"].map(|name| std::fs::read(self.folder.path().join(name)).unwrap_or_default()).into()
    }

    /// A token of ours for any ticket and time.
    fn token(&self, number: i64, cycle: i64, expires: Timestamp) -> String {
        let link = RatingLink { number: Number(number), cycle, rating: Rating::Satisfied, expires };
        self.world.flow.policy().key.sign_rating(&link)
    }

    fn link(&self, token: &str) -> String {
        format!("http://{}/s/{token}", self.host())
    }
}

fn person(address: &str, name: &str) -> Mailbox {
    Mailbox::new(Address::parse(address).unwrap(), name)
}

// --- plain HTTP --------------------------------------------------------------------------------------------------

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Header lines in lower case, without the date.
    head: Vec<String>,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The value of a hidden field of the form.
    fn hidden(&self, name: &str) -> String {
        let after = self.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("{self:?}"));
        after.split('"').next().unwrap().to_owned()
    }

    fn asks_again(&self) -> bool {
        self.body.contains("再按一次") || self.body.contains("press once more")
    }

    fn thanks(&self) -> bool {
        self.status == 200 && (self.body.contains("已收到您的评价") || self.body.contains("we have your answer"))
    }
}

/// Says these bytes and reads until the server ends.
async fn say(host: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {request:?}: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let head = lines.map(str::to_lowercase).filter(|line| !line.starts_with("date:")).collect();
    Answer { status, head, body: body.to_owned() }
}

fn split(link: &str) -> (&str, &str) {
    let rest = link.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap())
}

async fn ask(method: &str, link: &str, fields: &str) -> Answer {
    let (host, path) = split(link);
    say(host, &format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n")).await
}

async fn get(link: &str) -> Answer {
    ask("GET", link, "").await
}

async fn post_with(link: &str, fields: &str, form: &str) -> Answer {
    let (host, path) = split(link);
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    say(host, &request).await
}

async fn post(link: &str, form: &str) -> Answer {
    post_with(link, "", form).await
}

/// The form of a page that was just shown, filled in.
fn form(page: &Answer, rating: &str, comment: &str) -> String {
    format!("rating={rating}&comment={comment}&shown={}&seal={}", page.hidden("shown"), page.hidden("seal"))
}

/// Opens the page, waits as a person does, presses a button.
async fn press(desk: &Desk, link: &str, rating: &str) -> Answer {
    let page = get(link).await;
    desk.world.clock.advance(5 * SECOND);
    post(link, &form(&page, rating, "")).await
}

#[tokio::test]
async fn s22_unknown_expired_and_forbidden_links_look_the_same_and_then_are_refused() {
    let mut desk = Desk::new().await;
    let good = desk.chinese().await;
    let later = desk.world.now() + DAY;
    let unknown = desk.link(&desk.token(999, 1, later));
    let expired = desk.link(&desk.token(1, 1, desk.world.now()));
    let forbidden = desk.link(&desk.token(1, 7, later));
    let garbage = desk.link("nothing");
    let first = get(&unknown).await;
    assert_eq!(first.status, 410);
    for link in [&expired, &forbidden, &garbage] {
        assert_eq!(get(link).await, first, "{link}");
        let answer = post(link, "rating=satisfied&comment=&shown=0&seal=x").await;
        assert_eq!((answer.status, &answer.body), (410, &first.body), "{link}");
    }
    let mut guesses = 0;
    while get(&desk.link(&desk.token(1000 + guesses, 1, later))).await.status == 410 {
        guesses += 1;
        assert!(guesses < 1000, "nobody stops the guessing");
    }
    assert_eq!(get(&unknown).await.status, 429);
    assert_eq!(get(&good[0]).await.status, 200, "an honest link still works");
    desk.world.clock.advance(MINUTE);
    assert_eq!(get(&unknown).await, first);
}

#[tokio::test]
async fn s24_s32_looking_changes_nothing() {
    let mut desk = Desk::new().await;
    let links = [desk.chinese().await, desk.english().await].concat();
    let before = desk.database();
    for link in &links {
        for _ in 0..5 {
            assert_eq!(ask("HEAD", link, "").await.status, 200);
            assert_eq!(get(link).await.status, 200);
        }
    }
    let host = desk.host();
    for path in ["/s/", "/s/x", "/livez", "/readyz", "/", "/metrics", "/s/x/y"] {
        get(&format!("http://{host}{path}")).await;
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(ask(method, &links[0], "").await.status, 405, "{method}");
    }
    assert!(desk.database() == before, "the database has changed");
    assert!(press(&desk, &links[0], "satisfied").await.thanks(), "the link still works");
    assert!(desk.database() != before);
}

#[tokio::test]
async fn s25_a_button_pressed_at_once_does_not_count_and_is_asked_again() {
    let mut desk = Desk::new().await;
    let link = desk.chinese().await.remove(0);
    let page = get(&link).await;
    desk.world.clock.advance(Duration::from_millis(1900));
    let answer = post(&link, &form(&page, "satisfied", "thank+you")).await;
    assert!(answer.asks_again() && answer.body.contains("thank you"), "{answer:?}");
    assert_eq!(desk.state(1).await, (Status::Resolved, None));
    // The machine presses again, as quickly.
    let again = post(&link, &form(&answer, "satisfied", "")).await;
    assert!(again.asks_again());
    assert_eq!(desk.state(1).await, (Status::Resolved, None));
    desk.world.clock.advance(3 * SECOND);
    assert!(post(&link, &form(&again, "satisfied", "")).await.thanks());
    assert_eq!(desk.state(1).await, (Status::Closed, Some(Rating::Satisfied)));
}

#[tokio::test]
async fn s26_s27_old_edited_borrowed_and_odd_tokens_open_nothing() {
    let mut desk = Desk::new().await;
    let link = desk.chinese().await.remove(0);
    let gone = get(&desk.link("nothing")).await;
    let token = link.rsplit('/').next().unwrap().to_owned();
    let edited = (0..token.len()).map(|at| {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    });
    let policy = desk.world.flow.policy();
    let zhang = Address::parse("zhang.wei@example.com").unwrap();
    let others = [
        policy.key.sign_text("form", &token),
        policy.key.reference(Number(1), &zhang),
        policy.key.message_id(Some(Number(1)), &zhang, "IT001/ack", "example.com"),
        "0".into(),
        "%00".into(),
        "%FF%FE".into(),
        "..%2F..%2Fetc%2Fpasswd".into(),
        token.to_uppercase(),
        format!("{token}{token}"),
        format!("{token}="),
        format!("%20{token}"),
        "A".repeat(5000),
        String::new(),
    ];
    for token in edited.chain(others) {
        desk.world.clock.advance(SECOND);
        let answer = get(&desk.link(&token)).await;
        assert_eq!(answer, gone, "{token}");
    }
    // Old: it worked until its time was up.
    assert_eq!(get(&link).await.status, 200);
    desk.world.clock.advance(31 * DAY);
    assert_eq!(get(&link).await, gone);
    assert_eq!(post(&link, "rating=satisfied&comment=&shown=0&seal=x").await.body, gone.body);
    assert_eq!(desk.ticket(1).await.rating, None);
}

#[tokio::test]
async fn s29_a_foreign_host_gets_nothing_and_mail_links_stay() {
    let mut desk = Desk::new().await;
    let link = desk.chinese().await.remove(0);
    let (host, path) = split(&link);
    for evil in ["Host: evil.example", "Host: evil.example:80", "X: y", &format!("Host: {host}.evil.example")] {
        let answer = say(host, &format!("GET {path} HTTP/1.1\r\n{evil}\r\nConnection: close\r\n\r\n")).await;
        assert!([400, 421].contains(&answer.status) && answer.body.is_empty(), "{evil}: {answer:?}");
    }
    let forwarded = "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Forwarded-Proto: https\r\n";
    let answer = ask("GET", &link, forwarded).await;
    assert!(answer.status == 200 && !answer.body.contains("evil"), "{answer:?}");
    let next = desk.english().await;
    assert!(next.iter().all(|l| l.starts_with(&format!("http://{}/s/", desk.host()))), "{next:?}");
}

#[tokio::test]
async fn s30_s31_every_answer_is_guarded_and_loads_nothing() {
    let mut desk = Desk::new().await;
    let (zh, en) = (desk.chinese().await.remove(0), desk.english().await.remove(0));
    let thanks = press(&desk, &en, "satisfied").await;
    let host = desk.host();
    let mut answers = vec![thanks, get(&zh).await, get(&desk.link("x")).await];
    for path in ["/livez", "/readyz", "/nothing", "/s/"] {
        answers.push(get(&format!("http://{host}{path}")).await);
    }
    answers.push(post(&zh, &"x".repeat(20_000)).await);
    for answer in &answers {
        let policy = answer.field("content-security-policy").unwrap_or_else(|| panic!("{answer:?}"));
        for rule in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert_eq!(answer.field("referrer-policy"), Some("no-referrer"), "{answer:?}");
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.field("x-frame-options"), Some("deny"));
        assert_eq!(answer.field("x-robots-tag"), Some("noindex, nofollow"));
        assert_eq!(answer.field("set-cookie"), None);
        for outside in ["<script", "<link", "<img", "src=", "url(", "@import", "http:", "https:"] {
            assert!(!answer.body.contains(outside), "{outside}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn s31_another_site_cannot_vote() {
    let mut desk = Desk::new().await;
    let links = [desk.chinese().await, desk.english().await].concat();
    let page = get(&links[0]).await;
    let of_another = get(&links[3]).await;
    desk.world.clock.advance(MINUTE);
    let shown = page.hidden("shown");
    for seal in ["", "AAAAAAAAAAAAAAAA", &of_another.hidden("seal")] {
        let answer = post(&links[0], &format!("rating=dissatisfied&comment=&shown={shown}&seal={seal}")).await;
        assert!(answer.asks_again(), "{seal}: {answer:?}");
    }
    let later = format!("rating=satisfied&comment=&shown={}&seal={}", i64::MIN, page.hidden("seal"));
    assert!(post(&links[0], &later).await.asks_again());
    // A browser says where a form came from.
    let good = form(&page, "dissatisfied", "");
    assert_eq!(post_with(&links[0], "Sec-Fetch-Site: cross-site\r\n", &good).await.status, 403);
    assert_eq!(post_with(&links[0], "Origin: https://evil.example\r\n", &good).await.status, 403);
    for odd in ["", "rating=satisfied", "rating=superb&comment=&shown=1&seal=x", "shown=x", "%%%"] {
        assert!(!post(&links[0], odd).await.thanks(), "{odd}");
    }
    assert_eq!(desk.state(1).await, (Status::Resolved, None));
    // With our own page's fields, and from our own page, it counts. Browsers that hide the origin say null.
    let own = "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n";
    assert!(post_with(&links[0], own, &good).await.thanks());
    assert_eq!(desk.ticket(1).await.rating, Some(Rating::Dissatisfied));
}

async fn votes(desk: &Desk) -> Vec<(i64, String, String)> {
    let file = desk.folder.path().join("desk.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut db = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query_as("select ticket, rating, comment from rating").fetch_all(&mut db).await.unwrap()
}

#[tokio::test]
async fn s33_of_two_votes_the_last_counts_once() {
    let mut desk = Desk::new().await;
    let links = desk.chinese().await;
    assert!(press(&desk, &links[0], "satisfied").await.thanks());
    assert!(press(&desk, &links[1], "mostly").await.thanks(), "changed through another link");
    assert_eq!(votes(&desk).await, [(1, "mostly".into(), String::new())]);
    assert_eq!(desk.state(1).await, (Status::Closed, Some(Rating::Mostly)));
    // The same once more, now with words: they are not lost.
    let page = get(&links[1]).await;
    desk.world.clock.advance(5 * SECOND);
    assert!(post(&links[1], &form(&page, "mostly", "a+bit+slow")).await.thanks());
    assert_eq!(votes(&desk).await, [(1, "mostly".into(), "a bit slow".into())]);
    assert!(press(&desk, &links[1], "mostly").await.thanks());
    let rated = desk.world.flow.store.timeline(Number(1)).await.unwrap();
    let rated = rated.iter().filter(|e| matches!(e.what, What::Rated { .. })).count();
    assert_eq!(rated, 3, "every change is on the timeline, a mere repetition is not");
}

#[tokio::test]
async fn a_large_form_is_refused() {
    let mut desk = Desk::new().await;
    let link = desk.chinese().await.remove(0);
    let page = get(&link).await;
    desk.world.clock.advance(5 * SECOND);
    let large = form(&page, "satisfied", &"x".repeat(17_000));
    assert_eq!(post(&link, &large).await.status, 413);
    let (host, path) = split(&link);
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    assert_eq!(say(host, &chunked).await.status, 413);
    assert_eq!(desk.state(1).await, (Status::Resolved, None));
}

#[tokio::test]
async fn livez_lives_and_readyz_names_what_fails() {
    let desk = Desk::new().await;
    let host = desk.host();
    for path in ["/livez", "/readyz"] {
        let answer = get(&format!("http://{host}{path}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let flow = desk.world.flow.clone();
    let faults: web::Faults = Arc::new(|| vec!["no mailbox could be read lately".to_owned()]);
    let clock: Arc<dyn Clock> = desk.world.clock.clone();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(web::serve(listener, Pages::new(flow.clone(), clock, faults), stopped));
    let answer = get(&format!("http://{host}/readyz")).await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "no mailbox could be read lately\n"));
    Store::close(&flow.store).await;
    let answer = get(&format!("http://{host}/readyz")).await;
    assert!(answer.status == 503 && answer.body.contains("\ndatabase: "), "{answer:?}");
    assert_eq!(get(&format!("http://{host}/livez")).await.status, 200);
}

#[tokio::test]
async fn a_vote_that_cannot_be_stored_says_so() {
    let mut desk = Desk::new().await;
    let link = desk.chinese().await.remove(0);
    let page = get(&link).await;
    desk.world.clock.advance(5 * SECOND);
    desk.world.flow.store.close().await;
    let answer = post(&link, &form(&page, "satisfied", "")).await;
    assert!(answer.status == 503 && answer.body.contains("请稍后再试"), "{answer:?}");
    assert_eq!(get(&link).await.status, 503, "a link is not called dead because the database is");
}

// --- approvals ---------------------------------------------------------------------------------------------------

const SUN: &str = "sun.hao@example.com";

impl Desk {
    /// A desk with a module that belongs to Sun, who reads this language.
    async fn with_module(language: Language) -> Desk {
        let desk = Desk::new().await;
        let mut policy = (*desk.world.flow.policy()).clone();
        let owner = Reader { mailbox: person(SUN, "孙浩"), language, zone: policy.desk.zone };
        policy.modules = vec![Module {
            name: "ERP".into(),
            words: vec!["SAP".into()],
            owners: vec![owner],
            plan: String::new(),
            needs: Needs::Any,
            substitutes: Vec::new(),
            remind_after: DAY,
            substitute_after: 2 * DAY,
            escalate_after: 3 * DAY,
        }];
        desk.world.flow.reload(policy, Templates::load(None).unwrap());
        desk
    }

    /// The link to the approval page of Zhang's wish.
    async fn wish(&mut self) -> String {
        let zhang = person("zhang.wei@example.com", "张伟");
        let text = "请给刘洋开通 SAP 应付模块的只读权限 <b>权限</b>，不急。";
        let letters = self.world.writes(&zhang, "申请开通 SAP 权限", text).await.unwrap();
        self.approval_link(&letters)
    }

    fn approval_link(&self, letters: &[Letter]) -> String {
        letters.iter().find(|l| l.to == SUN).expect("the owner is asked").links("/a/").remove(0)
    }

    async fn approval(&self) -> Option<State> {
        self.world.flow.store.approval(Number(1)).await.unwrap().map(|approval| approval.state)
    }

    /// Opens the page, waits as a person does, presses a button; gives the page that asks for the code.
    async fn presses(&mut self, link: &str, answer: &str, why: &str) -> Answer {
        let page = get(link).await;
        self.world.clock.advance(5 * SECOND);
        post(link, &approval_form(&page, answer, why)).await
    }

    /// The code in the one letter that went out since, and it went to the owner.
    async fn code(&mut self) -> String {
        let letters = self.world.letters().await.unwrap();
        assert!(letters.len() == 1 && letters[0].to == SUN, "{letters:?}");
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        letters[0].text.lines().find(is_code).expect("a code").to_owned()
    }
}

fn approval_form(page: &Answer, answer: &str, why: &str) -> String {
    format!("answer={answer}&why={why}&shown={}&seal={}", page.hidden("shown"), page.hidden("seal"))
}

fn code_form(page: &Answer, code: &str) -> String {
    format!("{}&code={code}", approval_form(page, &page.hidden("answer"), &page.hidden("why")))
}

fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test]
async fn s15_whoever_holds_a_forwarded_link_is_asked_for_the_owners_code() {
    let mut desk = Desk::with_module(Language::Chinese).await;
    let link = desk.wish().await;
    let page = get(&link).await;
    assert!(page.status == 200 && page.body.contains("刘洋") && page.body.contains("&lt;b&gt;"), "{page:?}");
    // A third party presses "approve": the owner is mailed a code, and nothing is approved.
    let asks = desk.presses(&link, "approve", "").await;
    assert!(asks.body.contains("验证码已发到 s***@example.com"), "{asks:?}");
    let code = desk.code().await;
    assert_eq!(desk.approval().await, Some(State::Asked));
    let wrong = post(&link, &code_form(&asks, &another(&code))).await;
    assert!(wrong.body.contains("还可以试 4 次"), "{wrong:?}");
    // Pressing again rings nobody.
    desk.presses(&link, "approve", "").await;
    assert!(desk.world.letters().await.unwrap().is_empty());
    for _ in 0..4 {
        post(&link, &code_form(&asks, &another(&code))).await;
    }
    let dead = post(&link, &code_form(&asks, &code)).await;
    assert!(dead.body.contains("现在不能再用验证码"), "{dead:?}");
    assert_eq!(desk.approval().await, Some(State::Asked));
    // Ten minutes later the owner does it, from the mail.
    desk.world.clock.advance(10 * MINUTE);
    let asks = desk.presses(&link, "approve", "%E5%8F%AA%E8%AF%BB").await;
    let code = desk.code().await;
    let done = post(&link, &code_form(&asks, &code)).await;
    assert!(done.body.contains("已批准"), "{done:?}");
    assert_eq!((desk.approval().await, desk.ticket(1).await.status), (Some(State::Approved), Status::InProgress));
    let letters = desk.world.letters().await.unwrap();
    let mut told: Vec<&str> = letters.iter().map(|l| l.to.as_str()).collect();
    told.sort_unstable();
    assert!(told.len() == 3 && told.contains(&SUN) && told.contains(&"zhang.wei@example.com"), "{told:?}");
    let receipt = letters.iter().find(|l| l.to == SUN).unwrap();
    assert!(receipt.text.contains("如果不是您本人") && receipt.text.contains("只读"), "{}", receipt.text);
    // The link shows what became of it and changes nothing any more.
    let late = desk.presses_done(&link).await;
    assert!(late.body.contains("已批准"), "{late:?}");
    assert_eq!(desk.approval().await, Some(State::Approved));
}

impl Desk {
    /// A form that was kept from before is posted late.
    async fn presses_done(&mut self, link: &str) -> Answer {
        let shown = self.world.now().millis() - 60_000;
        let token = link.rsplit('/').next().unwrap();
        let seal = self.world.flow.policy().key.sign_text("form", &format!("{token}/{shown}"));
        post(link, &format!("answer=reject&why=no&shown={shown}&seal={seal}")).await
    }
}

#[tokio::test]
async fn s15_s22_a_dead_approval_link_looks_like_any_other() {
    let mut desk = Desk::with_module(Language::Chinese).await;
    let first = desk.wish().await;
    let gone = get(&desk.link("nothing")).await;
    let zhang = person("zhang.wei@example.com", "张伟");
    // The request is edited: the old link is dead, also for a form that was open.
    let open = get(&first).await;
    let more = "另外再加付款权限。";
    let letters = desk.world.writes(&zhang, "Re: [IT001] 申请开通 SAP 权限", more).await.unwrap();
    let second = desk.approval_link(&letters);
    assert_ne!(first, second);
    assert_eq!(get(&first).await, gone);
    desk.world.clock.advance(5 * SECOND);
    assert_eq!(post(&first, &approval_form(&open, "approve", "")).await.body, gone.body);
    assert!(desk.world.letters().await.unwrap().is_empty() && get(&second).await.body.contains("付款"));
    // Somebody else's, another ticket's, an edited one, one of another purpose, an expired one.
    let policy = desk.world.flow.policy();
    let token = |number, version, owner: &str, expires| {
        let owner = Address::parse(owner).unwrap();
        policy.key.sign_approval(&ApprovalLink::new(&policy.key, Number(number), version, &owner, expires))
    };
    let later = desk.world.now() + DAY;
    let whole = second.rsplit('/').next().unwrap().to_owned();
    let tokens = [
        token(1, 2, "zhang.wei@example.com", later),
        token(1, 3, SUN, later),
        token(9, 2, SUN, later),
        token(1, 2, SUN, desk.world.now()),
        format!("B{}", &whole[1..]),
        desk.token(1, 1, later),
        String::new(),
        "%FF".into(),
    ];
    for token in tokens {
        assert_eq!(get(&format!("http://{}/a/{token}", desk.host())).await, gone, "{token}");
    }
    // The owner changes in the configuration: the link opens nothing from then on.
    let mut changed = (*policy).clone();
    changed.modules[0].owners[0].mailbox = person("zhou@example.com", "周敏");
    desk.world.flow.reload(changed, Templates::load(None).unwrap());
    assert_eq!(get(&second).await, gone);
    desk.world.flow.reload((*policy).clone(), Templates::load(None).unwrap());
    assert_eq!(get(&second).await.status, 200);
    desk.world.clock.advance(31 * DAY);
    assert_eq!(get(&second).await, gone);
    assert_eq!(desk.approval().await, Some(State::Asked));
}

#[tokio::test]
async fn s24_s25_s31_looking_haste_and_other_sites_approve_nothing() {
    let mut desk = Desk::with_module(Language::English).await;
    let link = desk.wish().await;
    let before = desk.database();
    for _ in 0..5 {
        assert_eq!(ask("HEAD", &link, "").await.status, 200);
        assert_eq!(get(&link).await.status, 200);
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(ask(method, &link, "").await.status, 405, "{method}");
    }
    let page = get(&link).await;
    let hasty = post(&link, &approval_form(&page, "approve", "x")).await;
    assert!(hasty.body.contains("press once more") && hasty.body.contains(">x</textarea>"), "{hasty:?}");
    desk.world.clock.advance(5 * SECOND);
    let good = approval_form(&page, "approve", "");
    assert_eq!(post_with(&link, "Origin: https://evil.example\r\n", &good).await.status, 403);
    for odd in ["", "answer=approve", "answer=maybe&why=&shown=1&seal=x", "answer=approve&why=&shown=1&seal=x", "%%%"] {
        assert!(post(&link, odd).await.body.contains("press once more"), "{odd}");
    }
    let silent = post(&link, &approval_form(&page, "reject", "+")).await;
    assert!(silent.body.contains("write the reason first"), "{silent:?}");
    assert!(desk.database() == before, "the database has changed");
    assert!(desk.world.letters().await.unwrap().is_empty());
    let asks = post(&link, &approval_form(&page, "reject", "not+now")).await;
    let code = desk.code().await;
    let done = post(&link, &code_form(&asks, &code)).await;
    assert!(done.body.contains("Rejected"), "{done:?}");
    let letters = desk.world.letters().await.unwrap();
    assert!(letters.iter().any(|l| l.to == "zhang.wei@example.com" && l.text.contains("not now")), "{letters:?}");
    let large = format!("{}&more={}", good, "x".repeat(17_000));
    assert_eq!(post(&link, &large).await.status, 413);
    desk.world.flow.store.close().await;
    assert_eq!(get(&link).await.status, 503);
}

// --- in Chromium -------------------------------------------------------------------------------------------------

/// What a reader of this language sees.
struct Wording {
    language: &'static str,
    buttons: [&'static str; 3],
    thanks: &'static str,
    change: &'static str,
    sorry: &'static str,
}

const CHINESE: Wording = Wording {
    language: "zh-CN",
    buttons: ["满意", "基本满意", "不满意，问题没解决"],
    thanks: "谢谢，已收到您的评价",
    change: "修改评价",
    sorry: "工单已重新打开",
};

const ENGLISH: Wording = Wording {
    language: "en",
    buttons: ["Satisfied", "Mostly satisfied", "Not satisfied, it is not solved"],
    thanks: "Thank you, we have your answer",
    change: "Change my answer",
    sorry: "The ticket is open again",
};

async fn text_of(browser: &Browser, css: &str) -> String {
    browser.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}")).text().await.unwrap()
}

/// Waits until the text of `css` holds `words`: a page without script does not say when it is there.
async fn shows(browser: &Browser, css: &str, words: &str) {
    let mut text = String::new();
    for _ in 0..100 {
        let found = browser.client.find(Locator::Css(css)).await;
        if let Ok(element) = &found {
            text = element.text().await.unwrap_or_default();
        }
        if found.is_ok() && text.to_lowercase().contains(&words.to_lowercase()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{words:?} does not appear in {css}: {text:?}");
}

async fn press_in(browser: &Browser, desk: &Desk, value: &str) {
    desk.world.clock.advance(5 * SECOND);
    let button = Locator::Css(match value {
        "satisfied" => "button[value=satisfied]",
        "mostly" => "button[value=mostly]",
        _ => "button[value=dissatisfied]",
    });
    // The page may be replaced between finding and pressing.
    for _ in 0..100 {
        if let Ok(found) = browser.client.find(button).await
            && found.click().await.is_ok()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the button {value} cannot be pressed");
}

/// The whole way without script: see the ticket, press, change one's mind, be dissatisfied, take it back, and the end.
async fn rate_without_script(desk: &mut Desk, links: &[String], number: i64, subject: &str, words: &Wording) {
    let browser = Browser::open(Look::WithoutScript).await;
    let page = &browser.client;
    page.goto("data:text/html,<title>no</title><script>document.title='yes'</script>").await.unwrap();
    assert_eq!(page.title().await.unwrap(), "no", "script is off");

    page.goto(&links[0]).await.unwrap();
    let html = page.find(Locator::Css("html")).await.unwrap();
    assert_eq!(html.attr("lang").await.unwrap().as_deref(), Some(words.language));
    let ticket = text_of(&browser, ".ticket").await;
    assert!(ticket.contains(&Number(number).to_string()) && ticket.contains(subject), "{ticket}");
    let mut buttons = Vec::new();
    for button in page.find_all(Locator::Css("button")).await.unwrap() {
        buttons.push(button.text().await.unwrap());
    }
    assert_eq!(buttons, words.buttons);
    assert_eq!(desk.state(number).await, (Status::Resolved, None), "looking is not voting");

    press_in(&browser, desk, "satisfied").await;
    shows(&browser, "h1", words.thanks).await;
    shows(&browser, ".card", words.buttons[0]).await;
    assert_eq!(desk.state(number).await, (Status::Closed, Some(Rating::Satisfied)));

    page.find(Locator::LinkText(words.change)).await.unwrap().click().await.unwrap();
    shows(&browser, "form", words.buttons[1]).await;
    page.find(Locator::Css("textarea")).await.unwrap().send_keys("still broken 还是不行").await.unwrap();
    let before = desk.ticket(number).await;
    press_in(&browser, desk, "dissatisfied").await;
    shows(&browser, ".card", words.sorry).await;
    let after = desk.ticket(number).await;
    assert!(after.status.is_open() && after.rating == Some(Rating::Dissatisfied) && after.cycle == before.cycle + 1);
    assert_ne!(after.assignee, before.assignee, "somebody else");
    let told = desk.world.letters().await.unwrap();
    let supervisor = told.iter().find(|l| l.to == "zhao.min@example.com").expect("the supervisor is told");
    assert!(supervisor.text.contains("still broken 还是不行"), "{}", supervisor.text);

    // It was the wrong button.
    page.find(Locator::LinkText(words.change)).await.unwrap().click().await.unwrap();
    shows(&browser, "form", words.buttons[1]).await;
    press_in(&browser, desk, "mostly").await;
    shows(&browser, ".card", words.buttons[1]).await;
    assert_eq!(desk.state(number).await, (Status::Closed, Some(Rating::Mostly)));

    desk.world.clock.advance(31 * DAY);
    page.goto(&links[2]).await.unwrap();
    let gone = text_of(&browser, ".card").await;
    assert!(gone.contains("链接已失效") && gone.contains("This link no longer works"), "{gone}");
    assert_eq!(desk.state(number).await, (Status::Closed, Some(Rating::Mostly)));
    browser.close().await;
}

#[tokio::test]
async fn a_chinese_reader_rates_without_script() {
    let mut desk = Desk::new().await;
    let links = desk.chinese().await;
    rate_without_script(&mut desk, &links, 1, "三楼打印机卡纸", &CHINESE).await;
}

#[tokio::test]
async fn an_english_reader_rates_without_script() {
    let mut desk = Desk::new().await;
    let links = desk.english().await;
    rate_without_script(&mut desk, &links, 1, "Laptop screen stays black", &ENGLISH).await;
}

/// Nothing is wider than the screen, no text is smaller than 16 px, what can be pressed is at least 44 px high.
const MEASURE: &str = r#"
const faults = [];
const root = document.documentElement;
if (root.scrollWidth > innerWidth) faults.push(`scrolls sideways: ${root.scrollWidth} of ${innerWidth}`);
if (innerWidth > WIDTH) faults.push(`laid out for ${innerWidth}`);
for (const e of document.querySelectorAll('body *')) {
  const box = e.getBoundingClientRect();
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const size = parseFloat(getComputedStyle(e).fontSize);
  if ((own || e.matches('textarea')) && size < 16) faults.push(`${e.tagName}.${e.className} text of ${size}`);
  if (e.matches('button, textarea, a') && box.height < 44) faults.push(`${e.tagName} only ${box.height} high`);
  if (box.right > innerWidth + 0.5) faults.push(`${e.tagName}.${e.className} reaches to ${box.right}`);
}
return faults;
"#;

async fn check_layout(browser: &Browser, width: u32, name: &str) {
    browser.picture(name).await;
    let faults = browser.client.execute(&MEASURE.replace("WIDTH", &width.to_string()), Vec::new()).await.unwrap();
    assert_eq!(faults, serde_json::json!([]), "{name}");
}

/// The way of an owner without script: read, press, look the code up in the mail, enter it.
async fn approve_without_script(language: Language, asks: &str, done: &str) {
    let mut desk = Desk::with_module(language).await;
    let link = desk.wish().await;
    let browser = Browser::open(Look::WithoutScript).await;
    let page = &browser.client;
    page.goto(&link).await.unwrap();
    let html = page.find(Locator::Css("html")).await.unwrap();
    assert_eq!(html.attr("lang").await.unwrap().as_deref(), Some(language.as_str()));
    assert!(text_of(&browser, ".text").await.contains("刘洋"));
    desk.world.clock.advance(5 * SECOND);
    page.find(Locator::Css("button[value=approve]")).await.unwrap().click().await.unwrap();
    shows(&browser, "h1", asks).await;
    let code = desk.code().await;
    for (entered, title) in [(another(&code), asks), (code, done)] {
        let field = page.find(Locator::Css("input.code")).await.unwrap();
        field.send_keys(&entered).await.unwrap();
        page.find(Locator::Css("form button")).await.unwrap().click().await.unwrap();
        shows(&browser, "h1", title).await;
    }
    assert_eq!(desk.approval().await, Some(State::Approved));
    browser.close().await;
}

#[tokio::test]
async fn a_chinese_owner_approves_without_script() {
    approve_without_script(Language::Chinese, "请填写验证码", "已批准").await;
}

#[tokio::test]
async fn an_english_owner_approves_without_script() {
    approve_without_script(Language::English, "Please enter the code", "Approved").await;
}

#[tokio::test]
async fn the_approval_pages_fit_a_phone() {
    let browser = Browser::open(Look::Phone).await;
    let page = &browser.client;
    for language in [Language::Chinese, Language::English] {
        let mut desk = Desk::with_module(language).await;
        let zhang = person("zhang.wei@example.com", "张伟");
        let text = format!("请给刘洋开通 SAP 权限，不急。\n{}", "a-very-long-role-name".repeat(12));
        let letters = desk.world.writes(&zhang, "申请开通 SAP 权限", &text).await.unwrap();
        page.goto(&desk.approval_link(&letters)).await.unwrap();
        let name = language.as_str();
        check_layout(&browser, 390, &format!("phone-{name}-approval")).await;
        desk.world.clock.advance(5 * SECOND);
        page.find(Locator::Css("button[value=reject]")).await.unwrap().click().await.unwrap();
        shows(&browser, ".note", "").await;
        check_layout(&browser, 390, &format!("phone-{name}-approval-reason")).await;
        desk.world.clock.advance(5 * SECOND);
        page.find(Locator::Css("button[value=approve]")).await.unwrap().click().await.unwrap();
        shows(&browser, "input.code", "").await;
        check_layout(&browser, 390, &format!("phone-{name}-code")).await;
        let code = desk.code().await;
        for (entered, shown) in [(another(&code), ".note"), (code, "h1")] {
            page.find(Locator::Css("input.code")).await.unwrap().send_keys(&entered).await.unwrap();
            page.find(Locator::Css("form button")).await.unwrap().click().await.unwrap();
            shows(&browser, shown, "").await;
            check_layout(&browser, 390, &format!("phone-{name}-after-{}", shown.trim_start_matches('.'))).await;
        }
    }
    browser.close().await;
}

/// Every page in both languages, with a subject as long and unbroken as people send them.
async fn every_page(look: Look, width: u32, device: &str) {
    let mut desk = Desk::new().await;
    let browser = Browser::open(look).await;
    let page = &browser.client;
    let zhang = person("zhang.wei@example.com", "张伟");
    let alice = person("alice@example.com", "Alice Brown");
    let path = format!("\\\\server\\share\\{}", "a-very-long-folder-name".repeat(8));
    let text = "My laptop cannot open this folder. Could you have a look please?";
    let chinese = desk.resolved(&zhang, "三楼打印机卡纸", "三楼的打印机一直卡纸，麻烦看一下。").await.links("/s/");
    let english = desk.resolved(&alice, &format!("Cannot open {path}"), text).await.links("/s/");
    for (links, name) in [(chinese, "zh"), (english, "en")] {
        page.goto(&links[0]).await.unwrap();
        check_layout(&browser, width, &format!("{device}-{name}-rate")).await;
        page.find(Locator::Css("button[value=satisfied]")).await.unwrap().click().await.unwrap();
        shows(&browser, ".note", "").await;
        check_layout(&browser, width, &format!("{device}-{name}-again")).await;
        press_in(&browser, &desk, "satisfied").await;
        shows(&browser, ".link", "").await;
        check_layout(&browser, width, &format!("{device}-{name}-thanks")).await;
        page.goto(&links[2]).await.unwrap();
        press_in(&browser, &desk, "dissatisfied").await;
        shows(&browser, ".link", "").await;
        check_layout(&browser, width, &format!("{device}-{name}-reopened")).await;
    }
    page.goto(&desk.link("x")).await.unwrap();
    check_layout(&browser, width, &format!("{device}-gone")).await;
    let last = desk.english_again().await;
    page.goto(&last).await.unwrap();
    desk.world.clock.advance(5 * SECOND);
    desk.world.flow.store.close().await;
    press_in(&browser, &desk, "satisfied").await;
    shows(&browser, "h1", "请稍后再试").await;
    check_layout(&browser, width, &format!("{device}-trouble")).await;
    browser.close().await;
}

impl Desk {
    async fn english_again(&mut self) -> String {
        let bob = person("bob@example.com", "Bob");
        self.resolved(&bob, "Mouse is dead", "My mouse is dead, please help.").await.links("/s/").remove(0)
    }
}

#[tokio::test]
async fn every_page_fits_a_phone() {
    every_page(Look::Phone, 390, "phone").await;
}

#[tokio::test]
async fn every_page_fits_a_desktop() {
    every_page(Look::Desktop, 1280, "desktop").await;
}

// --- articles ----------------------------------------------------------------------------------------------------

impl Desk {
    /// A how-to question that was answered, closed and published, and asked again; gives the link of the second
    /// acknowledgement.
    async fn suggested(&mut self, language: Language) -> String {
        let mut policy = (*self.world.flow.policy()).clone();
        policy.knowledge.suggest_from = 0.4;
        self.world.flow.reload(policy, Templates::load(None).unwrap());
        let chinese = language == Language::Chinese;
        let (zhang, chen) = match chinese {
            true => (person("zhang.wei@example.com", "张伟"), person("chen.mei@example.com", "陈梅")),
            false => (person("alice@example.com", "Alice Brown"), person("bob@example.com", "Bob Green")),
        };
        let (subject, text, answer) = match chinese {
            true => (
                "怎么设置默认打印机",
                "请问怎么把三楼打印机设为默认打印机？不急。",
                "#解决\n打开「设置 → 打印机和扫描仪」，关掉「让 Windows 管理默认打印机」，再选「设为默认」。",
            ),
            false => (
                "How to set the default printer",
                "How do I make the third floor printer my default printer? Not urgent.",
                "#resolve\nOpen Settings, Printers and scanners, switch off \"Let Windows manage my default printer\" and choose \"Set as default\".",
            ),
        };
        let letters = self.world.writes(&zhang, subject, text).await.unwrap();
        let notice = letters.iter().find(|l| l.to != zhang.address.as_str()).expect("a notice").clone();
        let engineer = person(&notice.to, "");
        self.world.clock.advance(MINUTE);
        let letters = self.world.replies(&engineer, &notice, answer).await.unwrap();
        let resolution = letters.into_iter().find(|l| l.to == zhang.address.as_str()).expect("a resolution");
        self.world.clock.advance(MINUTE);
        let thanks = if chinese { "满意" } else { "Satisfied, thank you" };
        self.world.replies(&zhang, &resolution, thanks).await.unwrap();
        assert_eq!(self.ticket(1).await.status, Status::Closed);
        self.world.clock.advance(MINUTE);
        self.world.replies(&engineer, &notice, "#kb").await.unwrap();
        while self.world.flow.index(self.world.clock.now()).await.unwrap() > 0 {}
        self.world.clock.advance(MINUTE);
        let letters = self.world.writes(&chen, subject, text).await.unwrap();
        let acknowledgement = letters.iter().find(|l| l.to == chen.address.as_str()).expect("an acknowledgement");
        acknowledgement.links("/k/").remove(0)
    }

    async fn helped(&self) -> (i64, i64, i64) {
        let article = self.world.flow.store.article(Number(1)).await.unwrap().unwrap();
        (article.shown, article.helped, article.not_helped)
    }
}

fn help_form(page: &Answer, helped: &str) -> String {
    format!("helped={helped}&shown={}&seal={}", page.hidden("shown"), page.hidden("seal"))
}

#[tokio::test]
async fn s24_s25_an_article_helps_only_by_a_press() {
    let mut desk = Desk::new().await;
    let link = desk.suggested(Language::Chinese).await;
    let before = desk.database();
    for _ in 0..3 {
        assert_eq!(ask("HEAD", &link, "").await.status, 200);
        assert_eq!(get(&link).await.status, 200);
    }
    let page = get(&link).await;
    assert!(page.body.contains("设为默认") && page.body.contains("怎么设置默认打印机"), "{page:?}");
    let hasty = post(&link, &help_form(&page, "yes")).await;
    assert!(hasty.asks_again(), "{hasty:?}");
    desk.world.clock.advance(5 * SECOND);
    for odd in ["", "helped=yes", "helped=maybe&shown=1&seal=x", "helped=yes&shown=1&seal=x", "%%%"] {
        assert!(post(&link, odd).await.asks_again(), "{odd}");
    }
    assert_eq!(post_with(&link, "Origin: https://evil.example\r\n", &help_form(&page, "yes")).await.status, 403);
    assert!(desk.database() == before, "the database has changed");
    // No: it counts, and the ticket goes on.
    let no = post(&link, &help_form(&page, "no")).await;
    assert!(no.status == 200 && no.body.contains("工程师会照常处理") && !no.body.contains("/s/"), "{no:?}");
    assert_eq!((desk.helped().await, desk.ticket(2).await.status), ((1, 0, 1), Status::New));
    // Yes after all: resolved, and to be rated.
    let yes = post(&link, &help_form(&page, "yes")).await;
    let ratings: Vec<&str> = yes.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ratings.len() == 3 && ratings.iter().all(|link| link.starts_with("/s/")), "{yes:?}");
    assert_eq!((desk.helped().await, desk.ticket(2).await.status), ((1, 1, 0), Status::Resolved));
    let rate = format!("http://{}{}", desk.host(), ratings[0]);
    assert!(press(&desk, &rate, "satisfied").await.thanks());
    assert_eq!(desk.state(2).await, (Status::Closed, Some(Rating::Satisfied)));
    // Later words about it only count.
    let page = get(&link).await;
    desk.world.clock.advance(5 * SECOND);
    assert_eq!(post(&link, &help_form(&page, "no")).await.status, 200);
    assert_eq!((desk.helped().await, desk.ticket(2).await.status), ((1, 0, 1), Status::Closed));
}

#[tokio::test]
async fn s22_s26_dead_article_links_look_like_any_other() {
    let mut desk = Desk::new().await;
    let link = desk.suggested(Language::Chinese).await;
    let gone = get(&desk.link("nothing")).await;
    let policy = desk.world.flow.policy();
    let later = desk.world.now() + DAY;
    let token = |number, article, expires| {
        policy.key.sign_help(&HelpLink { number: Number(number), article: Number(article), expires })
    };
    let tokens = [
        token(9, 1, later),
        token(2, 2, later),
        token(2, 1, desk.world.now()),
        desk.token(2, 1, later),
        String::new(),
        "%FF".into(),
        format!("B{}", &link.rsplit('/').next().unwrap()[1..]),
    ];
    for token in tokens {
        assert_eq!(get(&format!("http://{}/k/{token}", desk.host())).await, gone, "{token}");
    }
    // A ticket whose requester was never shown it: nothing is counted.
    let never = format!("http://{}/k/{}", desk.host(), token(1, 1, later));
    let page = get(&never).await;
    desk.world.clock.advance(5 * SECOND);
    post(&never, &help_form(&page, "no")).await;
    assert_eq!(desk.helped().await, (1, 0, 0));
    desk.world.clock.advance(31 * DAY);
    assert_eq!(get(&link).await, gone);
}

#[tokio::test]
async fn people_read_an_article_and_say_whether_it_helped() {
    for (language, look, name) in [
        (Language::Chinese, Look::Phone, "zh-phone"),
        (Language::English, Look::Desktop, "en-desktop"),
        (Language::Chinese, Look::WithoutScript, "zh-desktop"),
        (Language::English, Look::Phone, "en-phone"),
    ] {
        let mut desk = Desk::new().await;
        let link = desk.suggested(language).await;
        let browser = Browser::open(look).await;
        browser.client.goto(&link).await.unwrap();
        browser.picture(&format!("article-{name}")).await;
        desk.world.clock.advance(5 * SECOND);
        browser.client.find(Locator::Css("button[value=yes]")).await.unwrap().click().await.unwrap();
        browser.client.wait().for_element(Locator::Css("a.link")).await.unwrap();
        browser.picture(&format!("article-thanks-{name}")).await;
        assert_eq!((desk.helped().await, desk.ticket(2).await.status), ((1, 1, 0), Status::Resolved));
        browser.client.find(Locator::Css("a.link")).await.unwrap().click().await.unwrap();
        browser.client.wait().for_element(Locator::Css("button[value=satisfied]")).await.unwrap();
        browser.close().await;
    }
}
