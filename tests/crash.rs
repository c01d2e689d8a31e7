//! When things go wrong: the real program is killed, its servers vanish, its disk fills up, its configuration breaks.
//! It says so once, loses nothing, and goes on by itself.

mod support;

use maildesk::mail;
use maildesk::store::{Store, TicketFilter};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use support::dovecot::PASSWORD;
use support::program::{Site, maildesk};
use support::proxy::Proxy;
use support::{is_root, letter, run};

const SOON: Duration = Duration::from_secs(20);

fn report(n: usize) -> Vec<u8> {
    let text = format!("打印机坏了，第 {n} 台，printer number {n:04} is broken");
    let raw = String::from_utf8(letter(&format!("printer {n:04}"), &text)).unwrap();
    let raw = raw.replace("zhang.san@corp.example", &format!("person{n}@corp.example"));
    raw.replace("Date:", "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nDate:").into_bytes()
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// Every letter about a ticket that went out: to whom and about what, with the Message-ID of each copy.
fn copies(site: &Site) -> BTreeMap<(String, String), Vec<String>> {
    let mut copies: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for raw in site.letters() {
        let read = mail::parse(&raw);
        // So many broken printers are a problem, whose record is asked for when the run takes long enough.
        if read.full_text.contains("PRB001") {
            continue;
        }
        let to = read.to.first().unwrap().address.to_string();
        copies.entry((to, read.subject)).or_default().push(read.message_id.unwrap().to_string());
    }
    copies
}

/// The letters of a subject, to see what a second one says.
fn log_of(site: &Site, subject: &str) -> String {
    let letters = site.letters().into_iter().map(|raw| mail::parse(&raw)).filter(|letter| letter.subject == subject);
    letters.map(|letter| letter.full_text).collect::<Vec<_>>().join("\n----\n")
}

async fn kept(site: &Site) -> (Vec<maildesk::desk::ticket::Ticket>, Vec<String>) {
    let store = Store::open(&format!("sqlite://{}/desk.db", site.database().display())).await.unwrap();
    let filter = TicketFilter { limit: 10_000, ..TicketFilter::default() };
    let tickets = store.tickets(&filter).await.unwrap();
    let mut subjects = Vec::new();
    for ticket in &tickets {
        subjects.extend(store.messages(ticket.number).await.unwrap().into_iter().map(|m| m.subject));
    }
    subjects.extend(store.set_aside(10_000).await.unwrap().into_iter().map(|m| m.subject));
    store.close().await;
    subjects.sort();
    (tickets, subjects)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_while_500_messages_flow() {
    const MESSAGES: usize = 500;
    /// Letters a sender has in hand at once: what one kill may repeat.
    const WINDOW: usize = 20;
    let site = Site::new();
    let mut dice = Dice(20_261_123);
    let (mut kills, mut arrived) = (0, 0);
    // The desk's very first start decides from when on mail is answered.
    let first = site.start();
    site.wait_for_log("the desk is running", 1, SOON);
    first.kill();
    while arrived < MESSAGES || (kills < 25 && site.letters().len() < 2 * MESSAGES) {
        let program = site.start();
        let end = Instant::now() + Duration::from_millis(dice.below(1500));
        while Instant::now() < end {
            if arrived < MESSAGES {
                site.servers.dovecot.deliver(&report(arrived));
                arrived += 1;
            }
            std::thread::sleep(Duration::from_millis(dice.below(60)));
        }
        program.kill();
        kills += 1;
    }
    let starts = site.logged("the desk is running");
    let mut program = site.start();
    site.wait_for_log("the desk is running", starts + 1, SOON);
    // Different letters: second copies do not count. Each ticket's requester and the engineer are told.
    let end = Instant::now() + Duration::from_secs(60);
    while (copies(&site).len() < 2 * MESSAGES || site.lying() > 0) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(200));
    }
    program.signal("TERM");
    assert_eq!(program.wait(Duration::from_secs(30)), Some(0), "{}", site.log());

    let (tickets, subjects) = kept(&site).await;
    let expected: Vec<String> = (0..MESSAGES).map(|n| format!("printer {n:04}")).collect();
    assert_eq!(subjects, expected, "every message in exactly one place");
    assert_eq!(tickets.len(), MESSAGES, "no second ticket");
    assert_eq!(site.lying(), 0, "all were put away");
    let copies = copies(&site);
    assert_eq!(copies.len(), 2 * MESSAGES, "each requester and the engineer heard of each ticket");
    let mut again = 0;
    for (what, ids) in &copies {
        assert!(ids.iter().all(|id| *id == ids[0]), "another Message-ID: {what:?} {ids:?}\n{}", log_of(&site, &what.1));
        again += ids.len() - 1;
    }
    println!("{kills} kills, {again} second copies");
    assert!(again <= kills * WINDOW, "{again} second copies after {kills} kills");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_comes_within_seconds_and_sigterm_ends_in_order() {
    let mut site = Site::new();
    site.smtp_more = "from = \"desk-bounces@corp.example\"";
    site.write_config("");
    let mut program = site.start();
    site.wait_for_log("the desk is running", 1, SOON);
    let sent = Instant::now();
    // Over real SMTP, as an employee's mail comes.
    let mut mailer = maildesk::mailer::SmtpMailer::new(site.servers.settings(maildesk::wire::Security::Plain));
    let address = |text| maildesk::address::Address::parse(text).unwrap();
    let envelope =
        maildesk::ports::Envelope { from: Some(address("person1@corp.example")), to: address(support::dovecot::USER) };
    let outcome = maildesk::ports::Mailer::send(&mut mailer, &envelope, &report(1)).await;
    assert!(matches!(outcome, maildesk::ports::SendOutcome::Accepted(_)), "{outcome:?}");
    let letters = site.wait_for_letters(2, SOON);
    let took = sent.elapsed();
    let from = |letter: &Vec<u8>| String::from_utf8_lossy(letter).contains("Return-Path: <desk-bounces@corp.example>");
    assert!(letters.iter().all(from), "the configured envelope sender");
    println!("acknowledged after {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    program.signal("TERM");
    let begun = Instant::now();
    assert_eq!(program.wait(Duration::from_secs(30)), Some(0), "{}", site.log());
    println!("stopped after {:?}", begun.elapsed());
    assert_eq!(site.logged("the desk has stopped"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_an_unreachable_smtp_server_is_said_once_and_letters_go_when_it_is_back() {
    let mut site = Site::new();
    let proxy_port = support::free_port();
    site.smtp_port = proxy_port;
    site.write_config("");
    let _program = site.start();
    site.wait_for_log("the desk is running", 1, SOON);
    for n in 0..5 {
        site.servers.dovecot.deliver(&report(n));
    }
    site.wait_for_log("letters wait", 1, SOON);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(site.logged("ERROR"), 1, "once:\n{}", site.log());
    assert_eq!(site.letters().len(), 0);
    assert_eq!(site.lying(), 0, "intake goes on");
    let _back = Proxy::at(proxy_port, site.servers.plain).await;
    site.wait_for_letters(10, SOON);
    site.wait_for_log("works again", 1, SOON);
    assert_eq!(site.logged("ERROR"), 1, "{}", site.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_is_said_once_and_nothing_is_lost() {
    let mut site = Site::new();
    let proxy = Proxy::to(site.servers.dovecot.plain).await;
    site.imap_port = proxy.port;
    site.write_config("");
    let _program = site.start();
    site.wait_for_log("the desk is running", 1, SOON);
    site.servers.dovecot.deliver(&report(0));
    site.wait_for_letters(2, SOON);
    // Every new connection dies in the middle of something; the one that is open goes, too.
    proxy.cut_after(700);
    proxy.cut_all();
    for n in 1..30 {
        site.servers.dovecot.deliver(&report(n));
    }
    site.wait_for_log("ERROR", 1, SOON);
    std::thread::sleep(Duration::from_secs(4));
    assert!(site.logged("ERROR") <= 2, "{}", site.log());
    proxy.cut_after(usize::MAX);
    site.wait_for_letters(60, SOON);
    site.wait_for_log("works again", 1, SOON);
    let (tickets, subjects) = kept(&site).await;
    assert_eq!((tickets.len(), subjects.len()), (30, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_refused_login_is_said_once_tried_seldom_and_mended_by_a_reload() {
    let site = Site::new();
    fs::write(site.folder.path().join("password"), "wrong").unwrap();
    let mut program = site.start();
    // What lies there before the first start is left unanswered.
    site.wait_for_log("the desk is running", 1, SOON);
    site.servers.dovecot.deliver(&report(0));
    site.wait_for_log("ERROR", 1, SOON);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(site.logged("ERROR"), 1, "{}", site.log());
    let tries = site.servers.dovecot.server.log().matches("auth failed").count();
    assert!((1..=2).contains(&tries), "{tries} tries");
    fs::write(site.folder.path().join("password"), PASSWORD).unwrap();
    program.signal("HUP");
    // Arrived after the first start, so it is answered.
    site.wait_for_letters(2, SOON);
    assert!(!program.has_ended());
    assert!(!site.log().contains(PASSWORD) && !site.log().contains("wrong\""), "s60");
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_broken_configuration_leaves_the_old_one_and_a_good_one_is_taken() {
    let site = Site::new();
    let mut program = site.start();
    site.wait_for_log("the desk is running", 1, SOON);
    site.write_config("level = \"loud\"\n[satisfaction]\nremind_after = \"soon\"\n");
    program.signal("HUP");
    site.wait_for_log("the old one stays", 1, SOON);
    let log = site.log();
    assert!(log.contains("log.level") && log.contains("satisfaction.remind_after"), "every fault: {log}");
    assert!(log.contains("maildesk.toml:"), "with its line: {log}");
    site.servers.dovecot.deliver(&report(0));
    site.wait_for_letters(2, SOON);
    // A new engineer: the next ticket's notice goes there.
    site.write_config("[[engineer]]\naddress = \"new@corp.example\"\nname = \"New\"\nlevel = 2\n");
    program.signal("HUP");
    for n in 1..20 {
        site.servers.dovecot.deliver(&report(n));
    }
    site.wait_for_log("the desk is running", 2, SOON);
    // A quick desk may have taken all of those before it read the new configuration.
    site.servers.dovecot.deliver(&report(20));
    let letters = site.wait_for_letters(42, SOON);
    assert!(letters.iter().any(|l| String::from_utf8_lossy(l).contains("new@corp.example")));
    let (tickets, subjects) = kept(&site).await;
    assert_eq!((tickets.len(), subjects.len()), (21, 21), "no mail was lost or doubled by the reloads");
    program.signal("TERM");
    assert_eq!(program.wait(Duration::from_secs(30)), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_stops_the_start_with_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[desk]\naddress = \"not an address\"\nzone = \"Mars/Base\"\n\n[[mailbox]]\nhost = \"h\"\nport = 99999\ncolour = 1\n\n[smtp]\nhost = \"h\"\n";
    fs::write(folder.path().join("m.toml"), text).unwrap();
    for command in ["run", "check"] {
        let (code, said) = maildesk(&[command, "-c", "m.toml"], folder.path());
        assert_eq!(code, Some(2), "{command}: {said}");
        for fault in [
            "m.toml:2: desk.address",
            "m.toml:3: desk.zone",
            "mailbox[1].port",
            "mailbox[1].colour",
            "password",
            "engineer",
        ] {
            assert!(said.contains(fault), "{command}: {fault}: {said}");
        }
    }
    assert_eq!(maildesk(&["run", "-c", "nowhere.toml"], folder.path()).0, Some(2));
}

/// A file system of its own for the database, three megabytes large.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &std::path::Path) -> SmallDisk {
        assert!(is_root(), "mounting a small disk needs root: run the tests as root (in a container)");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(at));
        SmallDisk(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r4_a_full_disk_is_said_once_and_mail_waits_on_the_server() {
    let site = Site::new();
    let disk = SmallDisk::mount(&site.database());
    let mut program = site.start();
    site.wait_for_log("the desk is running", 1, SOON);
    let filler = disk.0.join("filler");
    let fill = Command::new("dd").args(["if=/dev/zero", "bs=4k"]).arg(format!("of={}", filler.display())).output();
    assert!(!fill.unwrap().status.success(), "the disk is full now");
    for n in 0..40 {
        site.servers.dovecot.deliver(&report(n));
    }
    site.wait_for_log("disk of the database is full", 1, SOON);
    std::thread::sleep(Duration::from_secs(4));
    let per_part: HashMap<String, usize> =
        site.log().lines().filter(|l| l.contains("ERROR")).fold(HashMap::new(), |mut seen, line| {
            *seen.entry(line.split("ERROR").nth(1).unwrap().to_owned()).or_default() += 1;
            seen
        });
    assert!(per_part.values().all(|times| *times == 1), "each part says it once:\n{}", site.log());
    assert!(!program.has_ended());
    let waiting = site.lying();
    assert!(waiting > 0, "mail stays on the server");
    fs::remove_file(&filler).unwrap();
    site.wait_for_letters(80, Duration::from_secs(40));
    let (tickets, subjects) = kept(&site).await;
    assert_eq!((tickets.len(), subjects.len()), (40, 40));
    println!("{waiting} mails waited");
    program.signal("TERM");
    assert_eq!(program.wait(Duration::from_secs(30)), Some(0), "{}", site.log());
    drop(disk);
}
