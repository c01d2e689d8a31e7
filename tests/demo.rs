//! The demo as a newcomer runs it: the program itself, to the end, without anybody pressing a key.

use std::process::{Command, Stdio};

fn play() -> String {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_maildesk"))
        .args(["demo", "--play"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}\n{told}", done.status);
    assert!(!told.contains("ERROR"), "{told}");
    String::from_utf8(done.stdout).unwrap()
}

/// Every text of `moments` stands in the story, in this order.
fn check(story: &str, moments: &[&str]) {
    let mut rest = story;
    for moment in moments {
        let Some(at) = rest.find(moment) else { panic!("{moment:?} is missing, or comes too early, in:\n{story}") };
        rest = &rest[at + moment.len()..];
    }
}

#[test]
fn the_whole_story_is_played() {
    let story = play();
    check(
        &story,
        &[
            "新工单 IT001，已分派给您",
            "登记为工单 IT001",
            "#认领",
            "李娜 (IT 服务台) <it@example.com> → zhang.wei@example.com",
            "#临时措施",
            "问题彻底解决之前，您可以先这样做",
            "满意：http://127.0.0.1:",
            "▤ IT001 三楼打印机卡纸 — 已关闭",
            "评价：满意",
        ],
    );
    check(
        &story,
        &[
            "registered it as ticket IT002",
            "there is no such command; did you mean #resolve?",
            "We have worked on your request IT002",
            "Thank you for your rating",
            "▤ IT002",
        ],
    );
    // Dissatisfied: another engineer, the supervisor, and an end in silence that counts as no rating.
    check(
        &story,
        &[
            "→ zhou.qiang@example.com",
            "[IT003] ERP",
            "部门：财务部",
            "电话：6020\n",
            "P1 紧急工单 IT003，请马上响应",
            "登记为工单 IT003",
            "工单 IT003 的首次响应时限已用 50%",
            "工单 IT003 的首次响应时限已用 75%",
            "同事 周强 的内部备注，报障人看不到",
            "没有收到新消息",
            "不满意，报表模块还是打不开。",
            "→ wang.lei@example.com",
            "→ zhao.min@example.com",
            "之前由 周强 处理，现在由 王磊 接手",
            "工单 IT003 已重新打开，现在由 王磊 接手",
            "没有收到您的答复，工单 IT003 已关闭",
            "▤ IT003",
            "IT 服务台  状态：已解决（待确认） → 已关闭  没有答复",
        ],
    );
    // The note reaches the team, and nobody else.
    let internal = "应用服务器磁盘满了";
    let letters = story.split("  ✉ ").skip(1).map(|letter| letter.split("  ╰──").next().unwrap_or_default());
    let readers: Vec<&str> = letters
        .filter(|letter| letter.contains(internal))
        .filter_map(|letter| letter.lines().next()?.split(" → ").nth(1))
        .collect();
    assert_eq!(readers, ["wang.lei@example.com", "zhao.min@example.com"]);
}

#[test]
fn the_folder_it_names_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_maildesk"))
            .args(args)
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let story = run(&["demo", "--play"]);
    let config = story.lines().find_map(|line| line.split("maildesk ticket list -c ").nth(1)).expect("the story's end");
    run(&["check", "-c", config.trim()]);
    let list = run(&["ticket", "list", "-c", config.trim()]);
    for number in ["IT001", "IT002", "IT003"] {
        assert!(list.contains(number), "{list}");
    }
    // A machine's mail belongs to no ticket, and can be looked at all the same.
    let notice = b"From: MAILER-DAEMON@mx.example\nTo: it@example.com\nSubject: Undelivered Mail\n\nno such user\n";
    let file = folder.path().join("notice.eml");
    std::fs::write(&file, notice).unwrap();
    run(&["ingest", "-c", config.trim(), file.to_str().unwrap()]);
    let saved = folder.path().join("aside");
    let aside = run(&["ticket", "aside", "-c", config.trim(), "--save", saved.to_str().unwrap()]);
    assert!(aside.contains("Undelivered Mail") && aside.starts_with("001  "), "{aside}");
    assert_eq!(std::fs::read(saved.join("001.eml")).unwrap(), notice);
}
