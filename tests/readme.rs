//! The README keeps its word: its configuration works, its command card is complete, its commands exist.

use maildesk::desk::command::NAMES;
use std::process::Command;

const README: &str = include_str!("../README.md");

/// The code blocks of this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    README.split(&begin).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_configuration_it_shows_passes_check() {
    let [config] = blocks("toml")[..] else { panic!("one configuration") };
    let folder = tempfile::tempdir().unwrap();
    // The folder that step 2 makes.
    let config = config.replace("/var/lib/maildesk", folder.path().to_str().unwrap());
    std::fs::write(folder.path().join("maildesk.toml"), &config).unwrap();
    std::fs::write(folder.path().join("mail.password"), "x").unwrap();
    let file = folder.path().join("maildesk.toml");
    let check = Command::new(env!("CARGO_BIN_EXE_maildesk")).args(["check", "-c"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&check.stdout).into_owned() + &String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success() && said.contains("1 mailbox, 2 engineers"), "{said}");

    let web = README.split("[web]").nth(1).unwrap().split("\n```").next().unwrap();
    let whole = config.replace("[desk]", "[desk]\npublic_url = \"https://desk.example.com\"") + "\n[web]" + web;
    std::fs::write(&file, whole).unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_maildesk")).args(["check", "-c"]).arg(&file).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn the_card_has_every_command_in_both_languages_and_no_other() {
    let rows: Vec<(&str, &str)> = README
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `#")?.split('`');
            let (english, chinese) = (cells.next()?, cells.nth(1)?);
            Some((english, chinese.strip_prefix('#')?))
        })
        .collect();
    let expected: Vec<(&str, &str)> = NAMES.iter().map(|(name, names)| (*name, names[1])).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_commands_it_names_exist() {
    let lines = blocks("sh").into_iter().flat_map(str::lines);
    let mut tried = 0;
    for line in lines.map(|line| line.split(" #").next().unwrap().trim()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().rposition(|word| *word == "maildesk").filter(|at| at + 1 < words.len()) else {
            continue;
        };
        if ["useradd", "install", "systemctl", "chown", "journalctl"].iter().any(|other| words.contains(other)) {
            continue;
        }
        let arguments = &words[at..];
        let parsed = <maildesk::cli::Cli as clap::Parser>::try_parse_from(arguments);
        assert!(parsed.is_ok(), "{line}: {:?}", parsed.err().map(|error| error.to_string()));
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
    for file in ["config.example.toml", "templates/README.md", "src/lib.rs", "LICENSE", "tests/run"] {
        assert!(README.contains(file.trim_start_matches("./")) || file == "LICENSE");
        assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(), "{file}");
    }
}

/// Sentences of the troubleshooting table are the program's own.
#[test]
fn what_it_says_you_see_is_what_the_program_says() {
    let source = ["src/inbox/link.rs", "src/wire.rs", "src/store/sqlite.rs"]
        .map(|file| std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap());
    for words in
        ["login refused", "LOGINDISABLED", "TLS refused", "opening the folder", "another maildesk daemon is running"]
    {
        assert!(README.contains(words), "{words}");
        assert!(source.iter().any(|text| text.contains(words)), "the program does not say {words:?}");
    }
}
