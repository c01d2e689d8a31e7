//! The company's directory: a real LDAP server, files as they are saved and replaced, and what happens when neither can be
//! read any more.

mod support;

use maildesk::directory::ldap::{self, Attributes, Fault, Settings};
use maildesk::wire::{Endpoint, Security};
use secrecy::SecretString;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::slapd::{self, ADMIN, BASE, PASSWORD, Slapd, person};

const ZHANG: &[(&str, &str)] = &[
    ("displayName", "张伟"),
    ("mail", "zhang.wei@corp.example"),
    ("departmentNumber", "财务部"),
    ("employeeNumber", "A10086"),
    ("telephoneNumber", "8012"),
    ("l", "上海"),
    ("title", "CFO"),
];

fn settings(slapd: &Slapd, security: Security) -> Settings {
    Settings {
        endpoint: slapd.endpoint(security),
        login: Some((ADMIN.into(), SecretString::from(PASSWORD))),
        base: format!("ou=people,{BASE}"),
        filter: "(&(objectClass=person)(mail=*))".into(),
        vip_filter: Some("(title=CFO)".into()),
        attributes: Attributes::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_read_page_by_page_from_a_real_server() {
    let mut people = person("zhang", ZHANG);
    for n in 0..1200 {
        people += &person(
            &format!("u{n}"),
            &[("mail", &format!("u{n}@corp.example")), ("manager", &format!("uid=zhang,ou=people,{BASE}"))],
        );
    }
    people += &person("worker", &[]);
    let slapd = slapd::start(&people);
    for security in [Security::Tls, Security::StartTls, Security::Plain] {
        let read =
            ldap::read(&settings(&slapd, security)).await.unwrap_or_else(|fault| panic!("{security:?}: {fault}"));
        assert_eq!(read.len(), 1201, "{security:?}");
        let zhang = read.iter().find(|entry| entry.name == "张伟").unwrap();
        assert_eq!(
            [&zhang.department, &zhang.employee_id, &zhang.contact, &zhang.site],
            ["财务部", "A10086", "8012", "上海"]
        );
        assert!(zhang.vip && read.iter().filter(|entry| entry.vip).count() == 1);
        let other = read.iter().find(|entry| entry.name == "u7").unwrap();
        assert_eq!(other.manager, "张伟");
    }

    let check = async |change: &dyn Fn(&mut Settings), words: &str, heals: bool| {
        let mut settings = settings(&slapd, Security::Tls);
        change(&mut settings);
        let fault = ldap::read(&settings).await.expect_err(words);
        let told = fault.to_string();
        assert!(told.contains(words) && told.contains("localhost:") && !told.contains("hunter2"), "{told}");
        assert_eq!(matches!(fault, Fault::Network(_)), heals, "{told}");
    };
    check(&|s| s.login = Some((ADMIN.into(), SecretString::from("wrong-hunter2"))), "login refused", false).await;
    check(&|s| s.login = None, "search refused", false).await;
    check(&|s| s.base = "ou=nobody,dc=corp,dc=example".into(), "search refused", false).await;
    check(&|s| s.filter = "(mail=nobody@x.example)".into(), "nobody with a mail address", false).await;
    check(&|s| s.filter = "(mail".into(), "filter", false).await;
    check(&|s| s.endpoint.ca_file = None, "ertificate", false).await;
    check(&|s| s.endpoint.port = slapd.plain, "cannot connect", true).await;
    check(&|s| s.endpoint.port = 1, "cannot connect", true).await;
}

/// Nobody waits for it for ever, and a server that says nonsense harms nobody.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_or_nonsense_is_a_network_fault() {
    for says in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0xff; 4096]] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.writable().await;
                let _ = stream.try_write(says);
                kept.push(stream);
            }
        });
        let endpoint = Endpoint { host: "127.0.0.1".into(), port, security: Security::Plain, ca_file: None };
        let settings = Settings {
            endpoint,
            login: Some((ADMIN.into(), SecretString::from(PASSWORD))),
            base: BASE.into(),
            filter: "(mail=*)".into(),
            vip_filter: None,
            attributes: Attributes::default(),
        };
        let fault = ldap::read(&settings).await.expect_err("no directory");
        assert!(matches!(fault, Fault::Network(_)), "{fault}");
    }
}

const CONFIG: &str = r#"
[desk]
name = "IT 服务台"
address = "it@corp.example"
zone = "Asia/Shanghai"
[database]
url = "sqlite:desk.db"
[[mailbox]]
kind = "maildir"
path = "mailbox"
[smtp]
kind = "maildir"
path = "out"
[[engineer]]
address = "li.na@corp.example"
name = "李娜"
level = 2
[log]
format = "text"
"#;

/// A folder with a configuration and the commands an administrator types there.
struct Site(tempfile::TempDir);

impl Site {
    fn new(directory: &str) -> Site {
        let site = Site(tempfile::tempdir().unwrap());
        site.write("desk.toml", format!("{CONFIG}{directory}"));
        site.write("ldap.password", PASSWORD);
        site
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// As a spreadsheet saves it: the old file is replaced.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path().join("new"), text).unwrap();
        fs::rename(self.path().join("new"), self.path().join(name)).unwrap();
    }

    fn maildesk(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maildesk"));
        command.args(arguments).current_dir(self.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    }

    /// Somebody writes; the facts of their ticket.
    fn registers(&self, from: &str, text: &str) -> Value {
        let (code, out, log) = self.maildesk(
            &["ingest", "-c", "desk.toml"],
            &format!("From: {from}\nTo: it@corp.example\nSubject: printer\nMessage-ID: <{from}-{}@x>\nContent-Type: text/plain; charset=utf-8\n\n{text}\n", text.len()),
        );
        assert!(code == Some(0) && out.contains("1 new tickets"), "{out}{log}");
        let (_, list, _) = self.maildesk(&["ticket", "list", "-c", "desk.toml", "--json"], "");
        let all: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let newest = all.iter().max_by_key(|ticket| ticket["number"].as_i64()).unwrap();
        newest["fields"].clone()
    }

    fn run(&self) -> Running {
        let log = fs::File::options().create(true).append(true).open(self.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_maildesk"));
        command.args(["run", "-c", "desk.toml"]).current_dir(self.path()).stdin(Stdio::null()).stdout(Stdio::null());
        Running(command.stderr(log).spawn().unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    fn wait_for_log(&self, what: &str, count: usize) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.log().matches(what).count() < count {
            assert!(Instant::now() < end, "{what:?} was not logged {count} times:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_file_fills_what_the_mail_does_not_say() {
    let site = Site::new("[directory]\nfile = \"people.csv\"\n");
    let text =
        "姓名,邮箱,部门,工号,分机,地点,VIP,上级\n张伟,zhang@corp.example;zw@corp.example,财务部,A1,8012,上海,是,孙浩\n";
    site.write("people.csv", encoding_rs::GB18030.encode(text).0);
    let fields = site.registers("zhangwei <zw@corp.example>", "打印机坏了，报错 0x80070005");
    let known = ["name", "department", "employee_id", "contact", "location", "manager", "vip"]
        .map(|key| fields[key].as_str().unwrap_or("-").to_owned());
    assert_eq!(known, ["张伟", "财务部", "A1", "8012", "上海", "孙浩", "VIP"]);
    assert!(fields["error"].as_str().unwrap().contains("0x80070005"), "{fields}");
    // Where and how to reach somebody the text knows better; what they are called it does not.
    let fields = site.registers("zhang@corp.example", "部门：市场部\n电话：13800138000\n位置：北京 5F\n鼠标坏了");
    assert_eq!(
        (&fields["department"], &fields["contact"], &fields["location"]),
        (&"财务部".into(), &"13800138000".into(), &"北京 5F".into())
    );
    let (_, shown, _) = site.maildesk(&["ticket", "show", "-c", "desk.toml", "IT002"], "");
    assert!(shown.contains("市场部") && shown.contains("通讯录里是“财务部”"), "kept: {shown}");
}

#[test]
fn check_names_what_is_wrong_with_the_file() {
    let site = Site::new("[directory]\nfile = \"people.csv\"\n");
    let (code, _, told) = site.maildesk(&["check", "-c", "desk.toml"], "");
    assert!(code == Some(2) && told.contains("desk.toml:21: directory.file: cannot read"), "{told}");
    site.write("people.csv", "name,mail\nA,a@corp.example\nB,b@corp.example\nC,A@corp.example\nD,d\n");
    let (code, _, told) = site.maildesk(&["check", "-c", "desk.toml"], "");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("people.csv:4: A@corp.example is also the address of line 2"), "{told}");
    assert!(told.contains("people.csv:5: \"d\" is no mail address"), "{told}");
    site.write("people.csv", "name,phone\nA,1\n");
    let (code, _, told) = site.maildesk(&["check", "-c", "desk.toml"], "");
    assert!(code == Some(2) && told.contains("people.csv:1: no column of mail addresses"), "{told}");
}

#[test]
fn check_tries_the_ldap_server() {
    let slapd = slapd::start(&person("zhang", ZHANG));
    let site = Site::new(&slapd.section());
    site.write("ca.pem", fs::read(&slapd.certificate.ca).unwrap());
    fs::create_dir_all(site.path().join("mailbox/new")).unwrap();
    fs::create_dir_all(site.path().join("mailbox/cur")).unwrap();
    fs::create_dir_all(site.path().join("mailbox/tmp")).unwrap();
    let (_, out, told) = site.maildesk(&["check", "-c", "desk.toml", "--connect"], "");
    assert!(out.contains("directory: ok: 1 people"), "{out}{told}");
    site.write("ldap.password", "wrong-hunter2");
    let (code, out, _) = site.maildesk(&["check", "-c", "desk.toml", "--connect"], "");
    assert!(code == Some(1) && out.contains("directory: FAILED") && out.contains("check user and password"), "{out}");
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn a_file_is_read_again_when_it_changes_and_kept_when_it_cannot_be_read() {
    let site = Site::new("[directory]\nfile = \"people.csv\"\n");
    site.write("people.csv", "邮箱,姓名,部门\nzhang@corp.example,张伟,财务部\n");
    let running = site.run();
    site.wait_for_log("directory: read", 1);
    site.write("people.csv", "邮箱,姓名,部门\nzhang@corp.example,张伟,市场部一组\n");
    site.wait_for_log("directory: read", 2);
    // Half a file, or another one by mistake.
    site.write("people.csv", "???");
    site.wait_for_log("the people read before are used on", 1);
    fs::remove_file(site.path().join("people.csv")).unwrap();
    site.wait_for_log("No such file", 1);
    drop(running);
    // Also through a restart, and for other commands: they have what was read last.
    assert_eq!(site.registers("zhang@corp.example", "打印机坏了")["department"], "市场部一组");
    let _running = site.run();
    site.wait_for_log("the 1 people read at", 1);
}

#[test]
fn an_ldap_server_that_is_gone_is_remembered() {
    let mut people = String::new();
    write!(people, "{}", person("zhang", ZHANG)).unwrap();
    let slapd = slapd::start(&people);
    let site = Site::new(&slapd.section());
    site.write("ca.pem", fs::read(&slapd.certificate.ca).unwrap());
    let running = site.run();
    site.wait_for_log("directory: read localhost", 1);
    drop(running);
    drop(slapd);
    let fields = site.registers("zhang.wei@corp.example", "打印机坏了");
    assert_eq!((&fields["name"], &fields["department"]), (&"张伟".into(), &"财务部".into()));
    let _running = site.run();
    site.wait_for_log("the people read before are used on", 1);
}

#[test]
fn an_engineer_who_is_taken_out_of_the_configuration_leaves_no_ticket_behind() {
    let site = Site::new("");
    site.registers("zhang@corp.example", "打印机坏了，只有我这台");
    let others = CONFIG.replace("li.na@corp.example", "wang.lei@corp.example").replace("李娜", "王磊");
    site.write("desk.toml", others);
    let _running = site.run();
    site.wait_for_log("handed over", 1);
    let (_, shown, _) = site.maildesk(&["ticket", "show", "-c", "desk.toml", "IT001", "--json"], "");
    assert!(shown.contains("wang.lei@corp.example"), "{shown}");
    let end = Instant::now() + Duration::from_secs(60);
    let out = || fs::read_dir(site.path().join("out/new")).into_iter().flatten().flatten().map(|entry| entry.path());
    let letter = loop {
        let letters = out().map(|path| maildesk::mail::parse(&fs::read(path).unwrap()));
        if let Some(letter) = letters.into_iter().find(|letter| letter.full_text.contains("已不在服务台")) {
            break letter;
        }
        assert!(Instant::now() < end, "no letter:\n{}", site.log());
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(
        letter.full_text.contains("打印机坏了") && letter.full_text.contains("li.na@corp.example"),
        "{}",
        letter.full_text
    );
}
