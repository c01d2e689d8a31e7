//! The configuration and the program around it: every fault named at once, secrets never shown, exit codes.

use maildesk::config::{Config, EXAMPLE, Fault, Route, Security, Source};
use maildesk::desk::approval::Needs;
use maildesk::desk::link::Key;
use maildesk::desk::words::{Language, Priority};
use maildesk::time::Timestamp;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// The least that works, and nothing on disk but the database's folder.
const LEAST: &str = r#"
[desk]
address = "it@corp.example"
[[mailbox]]
host = "imap.corp.example"
password_env = "PASSWORD"
[smtp]
host = "smtp.corp.example"
password_env = "PASSWORD"
[[engineer]]
address = "ann@corp.example"
level = 3
"#;

const IMAP: &str = "host = \"imap.corp.example\"";
const SMTP: &str = "host = \"smtp.corp.example\"";

fn environment(name: &str) -> Option<String> {
    match name {
        "PASSWORD" => Some("hunter2".into()),
        "URL" => Some("postgres://desk:hunter2@db.corp.example/desk".into()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Config, Vec<Fault>> {
    Config::read(Path::new("/tmp/maildesk.toml"), text, &environment)
}

/// `LEAST` with one part replaced, or with a text added when `old` is empty.
fn changed(old: &str, new: &str) -> String {
    if old.is_empty() {
        return format!("{LEAST}\n{new}\n");
    }
    assert!(LEAST.contains(old), "{old}");
    LEAST.replacen(old, new, 1)
}

/// The changed configuration has exactly one fault, of this key and with these words.
fn check(old: &str, new: &str, key: &str, words: &str) {
    let faults = read(&changed(old, new)).map(|_| ()).expect_err(new);
    assert_eq!(faults.len(), 1, "{new}: {faults:#?}");
    assert_eq!(faults[0].key, key, "{}", faults[0]);
    assert!(faults[0].message.contains(words), "{}", faults[0]);
}

fn check_good(old: &str, new: &str) -> Config {
    read(&changed(old, new)).map_err(|faults| format!("{new}: {faults:#?}")).unwrap()
}

#[test]
fn the_least_configuration_fills_in_the_rest() {
    let config = check_good("", "");
    let policy = config.policy(Key([0; 32]));
    assert_eq!(policy.desk.domains, ["corp.example"]);
    assert_eq!(policy.targets.of(Priority::P1).response, Duration::from_secs(900));
    assert_eq!(policy.targets.of(Priority::P4).resolution, Duration::from_secs(7 * 3600 + 1800));
    assert!(policy.calendar.is_working(Timestamp::parse("2026-11-23T10:00:00+08:00").unwrap()));
    assert!(!policy.calendar.is_working(Timestamp::parse("2026-10-01T10:00:00+08:00").unwrap()));
    let Source::Imap { server, user, folder, .. } = &config.mailboxes[0].source else { panic!() };
    assert_eq!((server.port, server.security), (993, Security::Tls));
    assert_eq!((user.as_str(), folder.as_str()), ("it@corp.example", "INBOX"));
    let Route::Smtp { server, login: Some((user, _)), connections: 1 } = &config.smtp.route else { panic!() };
    assert_eq!((server.port, user.as_str()), (465, "it@corp.example"));
    assert_eq!(config.mailboxes[0].name, "it@corp.example/INBOX");
    assert!(config.web.is_none() && config.start.is_none() && config.warnings.is_empty());
}

#[test]
fn s60_a_secret_is_never_shown() {
    let config = check_good("", "[database]\nurl_env = \"URL\"");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn every_bad_value_is_named() {
    let in_engineer = |text: &str| format!("level = 3\n{text}");
    for (new, key, words) in [
        ("level = 4", "level", "from 1 to 3, found the number 4"),
        ("level = \"3\"", "level", "found the text"),
        ("", "level", "missing"),
        (&in_engineer("skills = [\"network\", \"wifi\"]"), "skills", "data-security"),
        (&in_engineer("zone = \"Shanghai\""), "zone", "Asia/Shanghai"),
        (&in_engineer("language = \"fr\""), "language", "zh-CN"),
        (&in_engineer("site = \"上海\""), "site", "no [[site]]"),
        (&in_engineer("away = [\"tomorrow\"]"), "away", "2026-12-24"),
        (&in_engineer("hours = {mon = [\"22:00-06:00\"]}"), "hours.mon", "over midnight"),
        (&in_engineer("[engineer.hours]\nmon = [\"9-12\"]\ntue = [\"09:00-12:00\"]"), "hours.mon", "\"09:00-12:00\""),
    ] {
        check("level = 3", new, &format!("engineer[1].{key}"), words);
    }
    check("\"ann@corp.example\"", "\"ann\"", "engineer[1].address", "name@example.com");
    check("\"it@corp.example\"", "\"IT <it@corp.example>\"", "desk.address", "name@example.com");
    for (new, key, words) in [
        ("", "host", "missing"),
        ("host = \"imap.corp.example:993\"", "host", "own key"),
        ("host = \"a\"\nport = 70000", "port", "65535"),
        ("host = \"a\"\nsecurity = \"ssl\"", "security", "tls, starttls, plain"),
        ("host = \"a\"\nprocessed = \"INBOX\"", "processed", "watched"),
        ("host = \"a\"\npoll = \"1\"", "poll", "\"15m\""),
        ("host = \"a\"\npoll = \"1d\"", "poll", "from 1s to 15m"),
        ("host = \"a\"\npoll = 60", "poll", "\"90s\", \"15m\""),
        ("host = \"a\"\nidle_renew = \"30m\"", "idle_renew", "29m"),
    ] {
        check(IMAP, new, &format!("mailbox[1].{key}"), words);
    }
    let maildir = "kind = \"maildir\"\npath = \"nowhere/box\"";
    check(&format!("{IMAP}\npassword_env = \"PASSWORD\""), maildir, "mailbox[1].path", "does not exist");
    check(SMTP, "host = \"a\"\nca_file = \"nowhere.pem\"", "smtp.ca_file", "cannot read");
    check(SMTP, "host = \"a\"\nper_hour = -1", "smtp.per_hour", "from 0");
    for (new, key, words) in [
        ("[web]\nlisten = \"8080\"", "web.listen", "127.0.0.1:8080"),
        ("[database]\nurl = \"mysql://x\"", "database.url", "sqlite:"),
        ("[database]\nurl = \"postgres://a:b@c/d\"", "database.url", "url_file"),
        ("[database]\nurl = \"sqlite:/nowhere/x.db\"", "database.url", "does not exist"),
        ("[calendar]\nmon = [\"09:00-12:00\", \"11:00-18:00\"]", "calendar.mon", "overlap"),
        ("[calendar]\nmon = []", "calendar", "no working hours"),
        ("[calendar]\nholidays = \"de\"", "calendar.holidays", "cn, none"),
        ("[calendar]\noverrides = \"nowhere.json\"", "calendar.overrides", "cannot read"),
        ("[visit]\nsame_site = \"2w\"", "visit.same_site", "working days"),
        ("[visit]\nother_site = \"0s\"", "visit.other_site", "from 1m"),
        ("[visit]\nlength = \"2d\"", "visit.length", "from 5m to 1d"),
        ("[visit]\nremind_before = 60", "visit.remind_before", "\"90s\", \"15m\""),
        ("[visit]\nask_later = \"1h\"", "visit.ask_later", "ask_after"),
        ("[[site]]\nwords = [\"A\"]", "site[1].name", "missing"),
        ("[[site]]\nname = \" \"", "site[1].name", "empty"),
        ("[[site]]\nname = \"A\"\nwords = [\"\"]", "site[1].words", "a word is empty"),
        ("[[site]]\nname = \"A\"\nzone = \"Berlin\"", "site[1].zone", "Asia/Shanghai"),
        ("[[site]]\nname = \"A\"\n[site.calendar]\nmon = [\"9\"]", "site[1].calendar.mon", "\"09:00-12:00\""),
        (
            "[[site]]\nname = \"A\"\n[site.calendar]\noverrides = [\"no.ics\"]",
            "site[1].calendar.overrides",
            "cannot read",
        ),
        ("[[site]]\nname = \"A\"\n[[site]]\nname = \"A\"", "site[2].name", "another site"),
        ("[sla.P1]\nresponse = \"3h\"", "sla.P1.response", "after the resolution"),
        ("[sla.P3]\nresolution = \"1w\"", "sla.P3.resolution", "working days"),
        ("[sla.P5]\nresponse = \"3h\"", "sla.P5", "did you mean \"P1\"?"),
        ("[knowledge]\nsuggest_from = 0", "knowledge.suggest_from", "from 1 to 100"),
        ("[knowledge]\ndrafts = true", "knowledge.drafts", "text in quotes"),
        ("[archive]\nafter = \"7d\"", "archive.after", "link_valid"),
        ("[archive]\nafter = \"30d\"\n[satisfaction]\nreopen_within = \"60d\"", "archive.after", "reopen_within"),
        ("[retention]\ntickets = \"7d\"", "retention.tickets", "link_valid"),
        ("[retention]\naside = \"1h\"", "retention.aside", "from 1d"),
        ("[satisfaction]\nremind_after = \"3d\"", "satisfaction.remind_after", "before close_after"),
        ("[limits]\nacknowledgements = [3, 2, 1]", "limits.acknowledgements", "longer"),
        ("[limits]\nacknowledgements = [3, 10]", "limits.acknowledgements", "3 numbers"),
        ("[limits]\nrelay = \"10 MiB\"", "limits.relay", "10MB"),
        ("[proof]\nwork = \"both\"", "proof.work", "authserv_id"),
        ("[log]\nlevel = \"trace\"", "log.level", "debug"),
        ("[triage]\nextend = \"nowhere.toml\"", "triage.extend", "cannot read"),
    ] {
        check("", new, key, words);
    }
    for (new, key, words) in [
        ("public_url = \"https://x.example\"", "public_url", "[web]"),
        ("start = \"2026-11-23\"", "start", "offset"),
        ("templates = \"nowhere\"", "templates", "not a folder"),
        ("name = 5", "name", "found the number 5"),
        ("name = \"\"", "name", "empty"),
    ] {
        check("[desk]", &format!("[desk]\n{new}"), &format!("desk.{key}"), words);
    }
}

#[test]
fn l27_nobody_has_an_address_of_the_desk() {
    const WORDS: &str = "address of the desk";
    check("ann@corp.example", "IT@corp.example", "engineer[1].address", WORDS);
    check("[desk]", "[desk]\nown_lists = [\"it help\"]", "desk.own_lists", "List-Id");
    let config = check_good("[desk]", "[desk]\nown_lists = [\"<IT-Help.corp.example>\", \"help@corp.example\"]");
    assert_eq!(config.desk.own_lists, ["it-help.corp.example", "help@corp.example"]);
    check("[desk]", "[desk]\naliases = [\"ann@corp.example\"]", "engineer[1].address", WORDS);
    check(IMAP, "host = \"a\"\nuser = \"ann@corp.example\"", "engineer[1].address", WORDS);
    check("", "[[supervisor]]\naddress = \"it@corp.example\"", "supervisor[1].address", WORDS);
}

#[test]
fn the_archive_comes_after_everything_that_may_still_change_a_ticket() {
    let days = |count: u64| std::time::Duration::from_secs(count * 86_400);
    assert_eq!(check_good("", "").archive_after, Some(days(30)));
    let late = check_good("", "[satisfaction]\nlink_valid = \"90d\"");
    assert_eq!(late.archive_after, Some(days(90)));
    assert_eq!(check_good("", "[archive]\nafter = \"never\"").archive_after, None);
    let kept = check_good("", "[retention]\ntickets = \"730d\"\nurgent = \"never\"").retention;
    assert_eq!((kept.tickets, kept.urgent, kept.aside), (Some(days(730)), None, None));
}

const ERP: &str = "[[module]]\nname = \"ERP\"\nowners = [\"sun@corp.example\"]\n";

#[test]
fn a_module_has_owners_words_and_times() {
    let text = format!(
        "[triage.core_modules]\nERP = [\"SAP\"]\n{ERP}words = [\"用友\"]\nneeds = \"all\"\n\
         substitutes = [\"周敏 <zhou@corp.example>\", \"ann@corp.example\"]\nlanguage = \"en\"\nescalate_after = \"5d\""
    );
    let config = check_good("level = 3", &format!("level = 3\nname = \"Ann\"\n{text}"));
    let [module] = &config.modules[..] else { panic!("{:?}", config.modules) };
    assert_eq!((module.name.as_str(), module.needs), ("ERP", Needs::All));
    assert_eq!(module.words, ["用友", "SAP"]);
    assert_eq!(module.owners[0].language, Language::English);
    let substitutes: Vec<_> = module.substitutes.iter().map(|s| (s.mailbox.name.as_str(), s.language)).collect();
    // Ann is an engineer and reads as she always does.
    assert_eq!(substitutes, [("周敏", Language::English), ("Ann", Language::Chinese)]);
    let day = config.calendar.day_length();
    assert_eq!((module.remind_after, module.substitute_after, module.escalate_after), (day, 2 * day, 5 * day));
    // The core module still makes its standstill a P1.
    assert_eq!(config.rules.triage("SAP 宕机", "全公司都不能用").priority, Priority::P1);
    assert!(check_good("", "").modules.is_empty());
}

#[test]
fn every_fault_of_a_module_is_named() {
    check("", "[[module]]\nname = \"ERP\"", "module[1].owners", "who approves");
    check("", "[[module]]\nowners = [\"sun@corp.example\"]", "module[1].name", "what the module is called");
    check("", "[module]\nname = \"ERP\"\nowners = [\"sun@corp.example\"]", "module", "[[module]]");
    check("", "[[module]]\nname = \"ERP\"\nowners = []", "module[1].owners", "at least one owner");
    for (text, key, words) in [
        ("owner = []", "owner", "did you mean \"owners\"?"),
        ("needs = \"both\"", "needs", "any, all"),
        ("substitutes = [\"zhou\"]", "substitutes", "name@example.com"),
        ("substitutes = [\"it@corp.example\"]", "substitutes", "address of the desk"),
        ("language = \"fr\"", "language", "zh-CN"),
        ("remind_after = \"soon\"", "remind_after", "15m"),
        ("remind_after = \"2d\"", "remind_after", "before substitute_after"),
        ("escalate_after = \"2d\"", "escalate_after", "more than substitute_after"),
    ] {
        check("", &format!("{ERP}{text}"), &format!("module[1].{key}"), words);
    }
    check("", &format!("{ERP}{ERP}"), "module[2].name", "goes by \"ERP\" already");
    let oa = "[[module]]\nname = \"OA\"\nowners = [\"sun@corp.example\"]\nwords = [\"erp\"]";
    check("", &format!("{ERP}{oa}"), "module[2].words", "goes by \"erp\" already");
    check("", "[proof]\napprovals = \"either\"", "proof.approvals", "reference, both");
    check("", "[proof]\napprovals = \"both\"", "proof.approvals", "authserv_id");
    let far = check_good("", &ERP.replace("corp", "c0rp"));
    assert!(far.warnings[0].key == "module[1].owners" && far.warnings[0].message.contains("c0rp.example"));
}

#[test]
fn a_directory_and_machines_that_pass_on_reports() {
    let ldap = "[directory.ldap]\nhost = \"ldap.corp.example\"\nbase = \"dc=corp,dc=example\"\n";
    let config = check_good(
        "",
        &format!(
            "[directory]\nfile = \"people.csv\"\n{ldap}user = \"cn=desk\"\npassword_env = \"PASSWORD\"\n[directory.ldap.attributes]\nsite = \"roomNumber\"\n"
        ),
    );
    let (file, line) = config.directory.file.clone().unwrap();
    assert_eq!((file, line), (PathBuf::from("/tmp/people.csv"), 15));
    let found = config.directory.ldap.unwrap();
    assert_eq!((found.server.port, found.refresh), (636, Duration::from_secs(3600)));
    assert_eq!(
        (found.filter.as_str(), found.attributes),
        ("(&(objectClass=person)(mail=*))", vec![("site", vec!["roomNumber".to_owned()])])
    );
    assert!(check_good("", "[directory]").directory.ldap.is_none());
    check("", "[directory]\nfile = \"\"", "directory.file", "is empty");
    check("", "[directory.ldap]\nbase = \"dc=x\"", "directory.ldap.host", "missing");
    check("", "[directory.ldap]\nhost = \"x.example\"", "directory.ldap.base", "missing");
    check("", &ldap.replace("dc=corp,dc=example", "corp.example"), "directory.ldap.base", "such as dc=example");
    check("", &format!("{ldap}filter = \"mail=*\""), "directory.ldap.filter", "in brackets");
    check("", &format!("{ldap}vip_filter = \"(a=(b)\""), "directory.ldap.vip_filter", "in brackets");
    check("", &format!("{ldap}user = \"cn=desk\""), "directory.ldap.password_file", "missing");
    check("", &format!("{ldap}refresh = \"1s\""), "directory.ldap.refresh", "1s");
    check(
        "",
        &format!("{ldap}[directory.ldap.attributes]\nname = \"a b\""),
        "directory.ldap.attributes.name",
        "no name of an attribute",
    );
    check(
        "",
        &format!("{ldap}[directory.ldap.attributes]\nnames = \"cn\""),
        "directory.ldap.attributes.names",
        "did you mean \"name\"",
    );

    let channel = |address: &str, name: &str| format!("[[channel]]\naddress = \"{address}\"\nname = \"{name}\"\n");
    let config = check_good("", &(channel("pbx@corp.example", "语音信箱") + "[directory]\nfile = \"people.csv\"\n"));
    assert_eq!((config.channels.len(), config.warnings.len()), (1, 0));
    // Nobody could be found without a directory.
    assert_eq!(check_good("", &channel("pbx@corp.example", "语音信箱")).warnings.len(), 1);
    check("", &channel("it@corp.example", "x"), "channel[1].address", "the desk itself");
    check("", &channel("pbx@corp.example", " "), "channel[1].name", "is empty");
    check("", "[[channel]]\nname = \"x\"", "channel[1].address", "missing");
    check("", &channel("a@b.example", "x").repeat(2), "channel[2].address", "the same address");
    check("", "[limits]\nbounce_pause = \"40d\"", "limits.bounce_pause", "30d");
    assert_eq!(check_good("", "[limits]\nbounce_pause = \"0s\"").limits.bounce_pause, Duration::ZERO);
}

#[test]
fn nobody_and_nothing_is_listed_twice() {
    let ann = "[[engineer]]\naddress = \"Ann@corp.example\"\nlevel = 1";
    check("", ann, "engineer[2].address", "the engineer of line 10");
    let again = "[[mailbox]]\nhost = \"b\"\npassword_env = \"PASSWORD\"";
    check("", again, "mailbox[2]", "the mailbox of line 4 has the same name");
    check_good("", &format!("{again}\nname = \"second\""));
}

#[test]
fn secrets_come_from_files_or_the_environment() {
    let password = "password_env = \"PASSWORD\"";
    check(password, "", "mailbox[1].password_file", "missing");
    check(password, "password_env = \"PASS\"", "mailbox[1].password_env", "PASS is not set");
    check(password, "password_file = \"nowhere\"", "mailbox[1].password_file", "cannot read");
    check(IMAP, "host = \"a\"\npassword = \"x\"", "mailbox[1].password", "secrets do not stand in this file");
    let login = format!("{SMTP}\n{password}");
    check(&login, "host = \"a\"\nuser = \"u\"", "smtp.password_file", "missing");
    let config = check_good(&login, "host = \"localhost\"\nsecurity = \"plain\"");
    assert!(matches!(config.smtp.route, Route::Smtp { login: None, .. }) && config.warnings.is_empty());
}

#[test]
fn all_faults_at_once_with_their_lines() {
    let text = "[desk]\nadress = \"it@corp.example\"\nzone = \"Mars\"\n\n[mailbox]\nhost = \"a\"\n\n\
                [smpt]\nhost = 5\n[[engineer]]\nlevel = 9\n";
    let faults: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
    let expected = [
        ":1: desk.address: missing",
        ":1: smtp: missing",
        ":2: desk.adress: unknown key; did you mean \"address\"?",
        ":3: desk.zone: unknown time zone \"Mars\"",
        ":5: mailbox: write [[mailbox]] instead of [mailbox]",
        ":5: mailbox.password_file: missing",
        ":8: smpt: unknown key; did you mean \"smtp\"?",
        ":10: engineer[1].address: missing",
        ":11: engineer[1].level: expected a whole number from 1 to 3, found the number 9",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(&format!("/tmp/maildesk.toml{expected}")), "{fault} instead of {expected}");
    }
}

#[test]
fn broken_syntax_is_named_beside_the_other_faults() {
    let faults = read(&changed("level = 3", "level = \nzone = \"Mars\"\nname = \"Ann\nskills = [")).unwrap_err();
    let lines: Vec<usize> = faults.iter().filter(|f| f.key.is_empty()).map(|f| f.line).collect();
    assert!(lines.contains(&12) && lines.contains(&14), "{faults:#?}");
    assert!(faults.iter().any(|f| f.key == "engineer[1].zone" && f.line == 13), "{faults:#?}");
    assert!(!faults.iter().any(|f| f.message.starts_with("missing")), "{faults:#?}");
    for (text, line, words) in [
        ("[engineer]\nlevel = 1\n[engineer]\nlevel = 2\nname = \"Ann\"", 3, "write [[engineer]] for each"),
        ("[web]\n[desk]\nname = \"a\"\nname = \"b\"", 4, "this key stands above already"),
    ] {
        let faults = read(text).unwrap_err();
        let said: Vec<_> = faults.iter().filter(|f| f.key.is_empty()).collect();
        assert!(said.len() == 1 && said[0].line == line && said[0].message.contains(words), "{faults:#?}");
    }
    for odd in
        ["", "\0", "=", "[", "[[", "a.b.c = 1\na = 2", "\u{feff}", "[desk]\n[desk]", "mailbox = 1", "engineer = [1]"]
    {
        assert!(read(odd).is_err(), "{odd:?}");
    }
}

#[test]
fn warnings_do_not_stop_the_start() {
    for (old, new, key) in [
        (IMAP, "host = \"a\"\nsecurity = \"plain\"", "mailbox[1].security"),
        ("[desk]", "web = {}\n[desk]\npublic_url = \"http://desk.corp.example/\"", "desk.public_url"),
        ("ann@corp.example", "ann@corp.exmaple", "engineer[1].address"),
    ] {
        let config = check_good(old, new);
        assert_eq!(config.warnings.iter().map(|w| w.key.as_str()).collect::<Vec<_>>(), [key]);
    }
}

fn maildesk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_maildesk")).args(arguments).output().unwrap()
}

/// A folder with the example as it is printed, and the password it names.
fn example_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maildesk.toml");
    std::fs::write(&file, maildesk(&["config"]).stdout).unwrap();
    std::fs::write(folder.path().join("mail.password"), "hunter2\n").unwrap();
    (folder, file)
}

#[test]
fn the_program_prints_the_example_file() {
    let printed = maildesk(&["config"]).stdout;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    assert!(printed == std::fs::read(file).unwrap() && printed == EXAMPLE.as_bytes());
}

#[test]
fn check_ends_with_0_or_2() {
    let (_folder, file) = example_folder();
    let file = file.to_str().unwrap();
    let output = maildesk(&["check", "-c", file]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.ends_with("no faults; 1 mailbox, 1 engineer, rating by mail, public holidays known up to 2026\n"),
        "{said}"
    );

    std::fs::write(file, "[desk]\nadress = 1\n").unwrap();
    let output = maildesk(&["check", "-c", file]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("maildesk.toml:2: desk.adress: unknown key"), "{said}");
    assert!(said.lines().count() >= 4 && output.stdout.is_empty(), "{said}");
    for arguments in [&["check", "-c", "/nowhere/x.toml"][..], &["check"], &[], &["run", "-c", file]] {
        assert_eq!(maildesk(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_roster_and_a_ladder_say_what_is_wrong() {
    const LI: &str = "[[supervisor]]\naddress = \"li@corp.example\"\n";
    let roster = |days: &str| format!("{LI}[[duty.week]]\n{days}");
    let but_friday = "every = [\"li@corp.example\"]\nfri = []";
    check("", &roster(but_friday), "duty.week[1].fri", "nobody is on duty that day");
    check(
        "",
        &roster("every = [\"li@corp.example\"]\nfri = [\"wu@corp.example\"]"),
        "duty.week[1].fri",
        "is no [[supervisor]]",
    );
    let two = roster("every = [\"li@corp.example\"]\n[[duty.week]]\nevery = [\"li@corp.example\"]");
    check("", &two, "duty.since", "a day of the week");
    check("", "[duty]\nhandover = \"9\"", "duty.handover", "a time of day");
    let ladder = |rungs: &str| format!("[escalation.P1]\nresponse = [{rungs}]");
    check("", &ladder("\"half assignee\""), "escalation.P1.response", "a rung such as");
    check("", &ladder("\"50%\""), "escalation.P1.response", "a rung such as");
    check("", &ladder("\"50% boss\""), "escalation.P1.response", "supervisor");
    check("", &ladder("\"50% assignee\", \"50% assignee\""), "escalation.P1.response", "a higher percentage");
}

#[test]
fn a_site_may_have_its_own_working_time() {
    let of = |site: &str| check_good("", &format!("[[site]]\nname = \"Berlin\"\n{site}")).policy(Key([0; 32]));
    let works = |site: &str, at: &str| {
        let policy = of(site);
        policy.calendar_at(Some("Berlin")).is_working(Timestamp::parse(&format!("2026-{at}")).unwrap())
    };
    let zone = "zone = \"Europe/Berlin\"\n";
    for (site, at, expected) in [
        ("", "11-23T10:00:00+08:00", true),
        ("", "10-01T10:00:00+08:00", false),
        // The desk's hours and holidays in the site's zone.
        (zone, "11-23T10:00:00+08:00", false),
        (zone, "11-23T10:00:00+01:00", true),
        (zone, "10-01T10:00:00+02:00", false),
        (&format!("{zone}[site.calendar]\nholidays = \"none\"\n"), "10-01T10:00:00+02:00", true),
        ("[site.calendar]\nsun = [\"10:00-11:00\"]\n", "11-22T10:30:00+08:00", true),
        ("[site.calendar]\nsun = [\"10:00-11:00\"]\n", "11-23T10:30:00+08:00", false),
    ] {
        assert_eq!(works(site, at), expected, "{site} {at}");
    }
}

/// Days without a supervisor, and a year without holidays, are said before they come.
#[test]
fn what_will_be_missing_is_said_beforehand() {
    let of = |more: &str, now: &str| check_good("", more).coming(Timestamp::parse(now).unwrap());
    assert!(of("", "2026-11-30T12:00:00+08:00").is_empty());
    let december = of("", "2026-12-01T00:00:00+08:00");
    assert!(december.len() == 1 && december[0].contains("the public holidays of 2027"), "{december:?}");
    assert!(of("[calendar]\nholidays = \"none\"", "2026-12-01T12:00:00+08:00").is_empty());
    let site = "[calendar]\nholidays = \"none\"\n[[site]]\nname = \"Xi'an\"\n[site.calendar]\nholidays = \"cn\"";
    let december = of(site, "2026-12-01T12:00:00+08:00");
    assert!(december.len() == 1 && december[0].starts_with("site \"Xi'an\": calendar: the public"), "{december:?}");
    let away = "[[supervisor]]\naddress = \"li@corp.example\"\naway = [\"2026-11-26..2026-11-28\"]\n\
                [[duty.week]]\nevery = [\"li@corp.example\"]\n";
    let gaps = of(away, "2026-11-24T12:00:00+08:00");
    assert!(gaps.len() == 1 && gaps[0].contains("2026-11-26 and 2 more days"), "{gaps:?}");
}

#[test]
fn a_password_file_that_everybody_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, file) = example_folder();
    let password = folder.path().join("mail.password");
    for (mode, warnings) in [(0o644, 2), (0o600, 0)] {
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(Config::load(&file).unwrap().warnings.len(), warnings);
    }
}
