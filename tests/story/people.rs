//! Who it is: the directory, the form in many clients, reports for somebody else, letters that come back, engineers on leave.

use crate::support::desk::{BORDER, DAY, Desk, Letters, li, on_both, on_both_with, person, tom, wang, zhang};
use crate::support::post::bounce;
use maildesk::address::Mailbox;
use maildesk::desk::directory::{Directory, Entry};
use maildesk::desk::words::{Field, Status};
use std::sync::Arc;

const PROOF: &str = "\n[proof]\nauthserv_id = \"mx.corp.example\"\n";

fn directory() -> Arc<Directory> {
    let zhang = Entry {
        addresses: vec![zhang().address],
        name: "张伟".into(),
        department: "财务部".into(),
        employee_id: "A10086".into(),
        contact: "8012".into(),
        site: "上海".into(),
        vip: true,
        manager: "孙浩".into(),
        ..Entry::default()
    };
    Arc::new(Directory::new([vec![zhang]]))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_what_the_directory_knows() {
    on_both(async |desk: &mut Desk| {
        desk.flow.use_directory(directory());
        let letters =
            desk.writes(&zhang(), "打印机坏了", "打印机打不出来，我在北京出差。\n位置：北京 5F\n部门：市场部").await;
        let (asked, notice) = (letters.to(&zhang()), letters.to(&li()));
        for known in ["姓名：", "部门：", "联系电话："] {
            assert!(!asked.text.contains(known), "{known}: {}", asked.text);
        }
        assert!(asked.text.contains("发生时间和频率："), "{}", asked.text);
        for shown in ["部门：财务部", "电话：8012", "VIP", "A10086", "位置：北京 5F", "孙浩", "“市场部”", "“财务部”"]
        {
            assert!(notice.text.contains(shown), "{shown}: {}", notice.text);
        }
        // Who is asked about such things hears nothing of them.
        assert!(!asked.text.contains("VIP") && !asked.text.contains("孙浩"), "{}", asked.text);
    })
    .await;
}

/// The form of the acknowledgement as it comes back from each client, with its reply headers.
fn filled(client: &str, asked: &str) -> String {
    let form = |line: &str| asked.lines().find(|l| l.starts_with(line)).unwrap_or(line).to_owned();
    let (phone, when) = (form("联系电话"), form("发生时间"));
    let answers = |text: &str| {
        text.replace(&phone, "联系电话：138 0013 8000").replace(&when, "发生时间和频率：上周一开始，每次都这样")
    };
    let top = "联系电话：138 0013 8000\n发生时间和频率：上周一开始，每次都这样\n";
    let quoted = |text: &str| text.lines().map(|line| format!("> {line}\n")).collect::<String>();
    match client {
        "QQ 邮箱" => format!(
            "{top}\n\n------------------&nbsp;原始邮件&nbsp;------------------\n发件人: \"IT 服务台\"<it@corp.example>;\n发送时间: 2026年11月23日(星期一) 上午9:12\n收件人: \"张伟\"<zhang.wei@corp.example>;\n主题: [IT001] 打印机坏了\n\n{asked}"
        ),
        "Foxmail" => format!(
            "{top}\n\nzhang.wei@corp.example\n\n发件人： IT 服务台\n发送时间： 2026-11-23 09:12\n收件人： 张伟\n主题： [IT001] 打印机坏了\n\n{asked}"
        ),
        "网易" => {
            format!("\n{top}\n\n\n在 2026-11-23 09:12:00，\"IT 服务台\" <it@corp.example> 写道：\n{}", quoted(asked))
        }
        "网易邮箱大师" => format!(
            "{top}\n| |\n张伟\n|\n|\n邮箱：zhang.wei@corp.example\n|\n---- 回复的原邮件 ----\n| 发件人 | IT 服务台<it@corp.example> |\n| 发送日期 | 2026年11月23日 09:12 |\n| 收件人 | 张伟 |\n| 主题 | [IT001] 打印机坏了 |\n{asked}"
        ),
        "企业微信" => format!(
            "{}\n\n----------回复的邮件信息----------\nIT 服务台<it@corp.example> 在 2026年11月23日 周一 09:12 写道：\n{asked}",
            top.replace('：', "︰").replace('︰', "：")
        ),
        "Outlook 中文" => format!(
            "{top}\n\n发件人: IT 服务台 <it@corp.example>\n发送时间: 2026年11月23日 9:12\n收件人: 张伟 <zhang.wei@corp.example>\n主题: [IT001] 打印机坏了\n\n{asked}"
        ),
        // Filled in where it stands.
        "Gmail 中文" => format!(
            "见下面\n\nIT 服务台 <it@corp.example> 于2026年11月23日周一 上午9:12写道：\n\n{}",
            quoted(&answers(asked))
        ),
        "Gmail English" => format!(
            "see below\n\nOn Mon, Nov 23, 2026 at 9:12 AM IT <it@corp.example> wrote:\n\n{}",
            quoted(&answers(asked))
        ),
        "Apple Mail" => format!(
            "填好了\n\n> 2026年11月23日 上午9:12，IT 服务台 <it@corp.example> 写道：\n>\n{}",
            quoted(&answers(asked))
        ),
        // Below the labels, outside of the quote.
        "Thunderbird" => {
            let inside = quoted(asked)
                .replace(&format!("> {phone}\n"), &format!("> {phone}\n138 0013 8000\n"))
                .replace(&format!("> {when}\n"), &format!("> {when}\n\n上周一开始，每次都这样\n"));
            format!("在 2026/11/23 9:12, IT 服务台 写道:\n{inside}")
        }
        "飞书" => format!(
            "{}\n\n发件人: IT 服务台 <it@corp.example>\n时间: 2026年11月23日 09:12\n主题: [IT001] 打印机坏了\n收件人: 张伟\n\n{asked}",
            top.replace("138 0013 8000", "１３８ ００１３ ８０００")
        ),
        "iPhone" => format!(
            "{top}\n发自我的iPhone\n\n> 在 2026年11月23日，09:12，IT 服务台 <it@corp.example> 写道：\n>\n{}",
            quoted(asked)
        ),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_comes_back_from_twelve_clients() {
    on_both(async |desk: &mut Desk| {
        let clients = [
            "QQ 邮箱",
            "Foxmail",
            "网易",
            "网易邮箱大师",
            "企业微信",
            "Outlook 中文",
            "Gmail 中文",
            "Gmail English",
            "Apple Mail",
            "Thunderbird",
            "飞书",
            "iPhone",
        ];
        for (n, client) in clients.into_iter().enumerate() {
            let number = i64::try_from(n).unwrap() + 1;
            let who = person(&format!("u{n}@corp.example"), "张伟");
            let letters = desk.writes(&who, "打印机坏了", "我的打印机打不出来，报错 0x80070005").await;
            let asked = letters.to(&who);
            assert!(asked.text.contains("联系电话：") && asked.text.contains("发生时间和频率："), "{}", asked.text);
            let engineer = letters.0.iter().find(|l| l.to != who.address.as_str()).unwrap().to.clone();
            let text = filled(client, &asked.text);
            let raw = desk.reply_raw(&who, &asked, &text);
            let told = desk.gets(raw).await;
            let ticket = desk.ticket(number).await;
            let fact = |field| ticket.fields.get(&field).cloned().unwrap_or_default();
            assert_eq!(fact(Field::Contact), "138 0013 8000", "{client}: {text}");
            assert_eq!(fact(Field::When), "上周一开始,每次都这样", "{client}: {text}");
            assert_eq!(told.0.len(), 1, "{client}: {told:?}");
            let told = &told.0[0];
            assert_eq!(told.to, engineer, "{client}");
            assert!(
                told.text.contains("补充了工单信息") && told.text.contains("联系电话：138 0013 8000"),
                "{client}: {}",
                told.text
            );
            assert_eq!(
                told.text.matches("138 0013 8000").count(),
                1,
                "{client}, the facts and the ticket: {}",
                told.text
            );
        }
    })
    .await;
}

/// An engineer's new mail that the border server vouches for.
fn vouched(raw: Vec<u8>) -> Vec<u8> {
    let line = format!("Authentication-Results: {BORDER}; dmarc=pass header.from=corp.example\r\n");
    [line.into_bytes(), raw].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_call_is_the_callers_ticket() {
    on_both_with(PROOF, async |desk: &mut Desk| {
        desk.flow.use_directory(directory());
        let (zhang, li) = (zhang(), li());
        let call =
            desk.mail(&li, "三楼打印机卡纸", "#代报 张伟 电话\n#认领\n\n三楼打印机一直卡纸，报错 E-03。\n\n李娜");
        let letters = desk.gets(vouched(call)).await;
        letters.only_to(&[&zhang, &li]);
        let told = letters.to(&zhang);
        assert!(told.text.contains("李娜 已为您登记工单 IT001") && told.text.contains("电话报障"), "{}", told.text);
        let ticket = desk.ticket(1).await;
        assert_eq!(
            (ticket.requester.address.clone(), ticket.status, ticket.assignee),
            (zhang.address.clone(), Status::Assigned, Some(li.address.clone()))
        );
        // It is theirs in every way: they answer, the engineer hears it, and the answer reaches them.
        let message = desk.replies(&zhang, &told, "还有鼠标也坏了").await.to(&li);
        desk.replies(&li, &message, "马上来").await.only_to(&[&zhang]);
        assert_eq!(desk.cases().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forwards_of_every_client_are_their_senders_tickets() {
    on_both_with(PROOF, async |desk: &mut Desk| {
        let li = li();
        let forms = [
            "------------------\u{a0}原始邮件\u{a0}------------------\n发件人:\u{a0}\"王五\"<FROM>;\n发送时间:\u{a0}2026年11月23日(星期一) 上午9:00\n收件人:\u{a0}\"李娜\"<li.na@corp.example>;\n主题:\u{a0}VPN",
            "li.na@corp.example\n\n发件人： 王五 <FROM>\n发送时间： 2026-11-23 09:00\n收件人： 李娜\n主题： VPN",
            "-------- 转发邮件信息 --------\n发件人：\"王五\" <FROM>\n发送日期：2026-11-23 09:00:00\n收件人：李娜 <li.na@corp.example>\n主题：VPN",
            "---- 转发的邮件 ----\n| 发件人 | 王五<FROM> |\n| 发送日期 | 2026年11月23日 09:00 |\n| 收件人 | 李娜 |\n| 主题 | VPN |",
            "-----邮件原件-----\n发件人: 王五 [mailto:FROM] \n发送时间: 2026年11月23日 9:00\n收件人: 李娜\n主题: VPN",
            "________________________________\n发件人: 王五 <FROM>\n发送时间: 2026年11月23日 9:00\n收件人: 李娜 <li.na@corp.example>\n主题: VPN",
            "-----Original Message-----\nFrom: Wang Wu <FROM>\nSent: Monday, November 23, 2026 9:00 AM\nTo: Li Na\nSubject: VPN",
            "---------- Forwarded message ---------\n发件人： 王五 <FROM>\nDate: 2026年11月23日周一 09:00\nSubject: VPN\nTo: <li.na@corp.example>",
            "下面是被转发的邮件：\n\n> 发件人: 王五 <FROM>\n> 主题: VPN\n> 日期: 2026年11月23日 GMT+8 09:00:00\n> 收件人: li.na@corp.example",
            "-------- 转发的消息 --------\n主题: \tVPN\n日期: \tMon, 23 Nov 2026 09:00:00 +0800\nFrom: \t王五 <FROM>\n收件人: \tli.na@corp.example",
            "--------- 转发消息 ---------\n发件人: 王五 <FROM>\n时间: 2026年11月23日 09:00\n主题: VPN\n收件人: 李娜",
        ];
        for (n, form) in forms.iter().enumerate() {
            let sender = person(&format!("w{n}@corp.example"), "");
            let text = format!("别让他知道是权限的问题\n\n{}\n\nVPN 连不上，提示 789 错误", form.replace("FROM", sender.address.as_str()));
            let raw = vouched(desk.mail(&li, "转发: VPN", &text));
            let letters = desk.gets(raw).await;
            let told = letters.to(&sender);
            assert!(told.text.contains("已为您登记工单") && !told.text.contains("别让他知道"), "{form}: {}", told.text);
            let ticket = desk.ticket(i64::try_from(n).unwrap() + 1).await;
            let name = if form.contains("Wang Wu") { "Wang Wu" } else { "王五" };
            assert_eq!((ticket.requester.name.as_str(), ticket.requester.address), (name, sender.address), "{form}");
            assert_eq!((ticket.subject.as_str(), ticket.category.as_str()), ("VPN", "network"), "{form}");
            assert!(told.text.starts_with(name) || told.text.starts_with(&format!("Hello {name}")), "{form}: {}", told.text);
            let notice = letters.0.iter().find(|l| l.to != told.to && l.text.contains("VPN 连不上")).expect("a notice");
            let kept = desk.flow.store.begin().await.unwrap().description(ticket.number).await.unwrap();
            assert_eq!(kept.text, "VPN 连不上，提示 789 错误", "{form}");
            assert!(notice.text.contains("别让他知道"), "{}", notice.text);
        }
        assert_eq!(desk.cases().await.len(), forms.len());
    })
    .await;
}

/// A mail with a table and a screenshot, forwarded inside the HTML of a mail program or as an attached message.
fn with_a_picture(desk: &Desk, form: &str, sender: &Mailbox) -> Vec<u8> {
    const REPORT: &str = "<p>三台<b>打印机</b>都坏了：</p><table><tr><td>P-301</td><td>卡纸</td></tr><tr><td>P-302</td><td>缺粉</td></tr></table>\
                          <ul><li>重启过</li><li>换过纸</li></ul><p><img src=\"cid:shot@w.example\" alt=\"截图\"></p>";
    let related = |html: &str| {
        format!(
            "Content-Type: multipart/related; boundary=\"r\"\r\n\r\n--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--r\r\n\
             Content-Type: image/png; name=\"shot.png\"\r\nContent-ID: <shot@w.example>\r\nContent-Disposition: inline; filename=\"shot.png\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n"
        )
    };
    let address = sender.address.as_str();
    let content = if form.is_empty() {
        let inside = format!("From: <{address}>\r\nSubject: VPN\r\nMIME-Version: 1.0\r\n{}", related(REPORT));
        format!(
            "Content-Type: multipart/mixed; boundary=\"m\"\r\n\r\n--m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n请处理\r\n--m\r\n\
             Content-Type: message/rfc822\r\n\r\n{inside}\r\n--m--\r\n"
        )
    } else {
        related(&form.replace("FROM", &format!("王五 &lt;{address}&gt;")).replace("REPORT", REPORT))
    };
    let plain = String::from_utf8(desk.mail(&li(), "转发: 打印机", address)).unwrap();
    let (head, _) = plain.split_once("\r\n\r\n").unwrap();
    let head: Vec<&str> = head.lines().filter(|line| !line.starts_with("Content-")).collect();
    vouched(format!("{}\r\n{content}", head.join("\r\n")).into_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_brings_its_tables_and_screenshots() {
    on_both_with(PROOF, async |desk: &mut Desk| {
        let forms = [
            // QQ, Gmail, Outlook, Apple Mail, Thunderbird, NetEase, Lark, and as an attached message.
            "<div>请处理</div><div><br></div><div style=\"font-size: 12px;\">------------------&nbsp;原始邮件&nbsp;------------------</div><div style=\"background:#efefef;\"><div><b>发件人:</b>&nbsp;FROM;</div><div><b>发送时间:</b>&nbsp;2026年11月23日(星期一) 上午9:00</div><div><b>收件人:</b>&nbsp;\"李娜\";</div><div><b>主题:</b>&nbsp;打印机</div></div><div><br></div>REPORT",
            "<div dir=\"ltr\">请处理<br><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">---------- Forwarded message ---------<br>发件人： <strong>FROM</strong><br>Date: 2026年11月23日周一 09:00<br>Subject: 打印机<br>To: 李娜<br></div><br><br>REPORT</div></div>",
            "<div class=WordSection1><p class=MsoNormal>请处理</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>发件人:</b> FROM<br><b>发送时间:</b> 2026年11月23日 9:00<br><b>收件人:</b> 李娜<br><b>主题:</b> 打印机</p></div></div>REPORT</div>",
            "<div>请处理<br><div><br><blockquote type=\"cite\"><div>下面是被转发的邮件：</div><br><div><b>发件人: </b>FROM<br></div><div><b>主题: </b>打印机<br></div><div><b>日期: </b>2026年11月23日 GMT+8 09:00:00<br></div><div><b>收件人: </b>李娜<br></div><br><div>REPORT</div></blockquote></div></div>",
            "<p>请处理</p><div class=\"moz-forward-container\"><br><br>-------- 转发的消息 --------<table class=\"moz-email-headers-table\"><tbody><tr><th>主题: </th><td>打印机</td></tr><tr><th>日期: </th><td>Mon, 23 Nov 2026 09:00:00 +0800</td></tr><tr><th>发件人: </th><td>FROM</td></tr><tr><th>收件人: </th><td>李娜</td></tr></tbody></table><br>REPORT</div>",
            "<div>请处理</div><br><div id=\"isForwardContent\"><div>-------- 转发邮件信息 --------</div><div>发件人：FROM</div><div>发送日期：2026-11-23 09:00:00</div><div>收件人：李娜</div><div>主题：打印机</div><blockquote>REPORT</blockquote></div>",
            "<div>请处理</div><div class=\"history-quote-wrapper\"><div>--------- 转发消息 ---------</div><div>发件人: FROM</div><div>时间: 2026年11月23日 09:00</div><div>主题: 打印机</div><div>收件人: 李娜</div></div>REPORT",
            "",
        ];
        for (n, form) in forms.iter().enumerate() {
            let sender = person(&format!("v{n}@corp.example"), "");
            let letters = desk.gets(with_a_picture(desk, form, &sender)).await;
            assert!(letters.to(&sender).text.contains("已为您登记工单"), "{form}: {letters:?}");
            let notice = letters.0.iter().find(|l| l.to != sender.address.as_str()).expect("a notice");
            let read = maildesk::mail::parse(&notice.raw);
            let html = read.body.html.clone().unwrap_or_default();
            for part in ["打印机</b>", "<td>P-301</td><td>卡纸</td>", "<li>重启过</li>", "src=\"cid:shot@w.example\""] {
                assert!(html.contains(part), "{part} of {form}: {html}");
            }
            assert!(read.attachments.iter().any(|file| file.inline && file.name == "shot.png"), "{form}: {:?}", notice.text);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_that_is_not_proven_asks_first() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let text = "请处理\n\n---------- Forwarded message ---------\nFrom: <zhang.wei@corp.example>\nDate: x\nSubject: VPN\nTo: x\n\nVPN 连不上";
        let letters = desk.writes(&li, "Fw: VPN", text).await;
        assert!(letters.0.iter().all(|l| l.to != zhang.address.as_str()), "{letters:?}");
        let question = letters.0.iter().find(|l| l.to == li.address.as_str() && l.text.contains("zhang.wei@corp.example")).unwrap();
        let told = desk.replies(&li, question, "是的").await;
        assert!(told.to(&zhang).text.contains("已为您登记工单 IT001"), "{told:?}");
        assert_eq!(desk.ticket(1).await.requester.address, zhang.address);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_to_an_address_that_is_gone_wait_and_none_is_lost() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li) = (zhang(), li());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来。").await.to(&li);
        let answer = desk.replies(&li, &notice, "请重启").await.to(&zhang);
        let told = desk.gets(bounce(&answer, &desk.address)).await;
        told.only_to(&[&li]);
        assert!(told.to(&li).text.contains("前不再往这个地址发信"), "{}", told.to(&li).text);
        // What is written now waits, and the engineer hears that once.
        let waiting = desk.replies(&li, &notice, "换了驱动，再试试").await;
        waiting.only_to(&[&li]);
        assert!(waiting.to(&li).text.contains("先留着"), "{}", waiting.to(&li).text);
        desk.replies(&li, &notice, "另外请看看网线").await.none();
        assert!(desk.passes(DAY).await.0.iter().all(|l| l.to != zhang.address.as_str()));
        // The time is over: both leave, in their order.
        let late: Letters = desk.passes(2 * DAY).await;
        let letter = late.0.iter().find(|l| l.to == zhang.address.as_str()).cloned().expect("a letter that waited");
        let late: Vec<&str> =
            late.0.iter().filter(|l| l.to == zhang.address.as_str()).map(|l| l.text.as_str()).collect();
        assert!(
            late.len() >= 2
                && late.iter().any(|t| t.contains("换了驱动"))
                && late.iter().any(|t| t.contains("看看网线")),
            "{late:?}"
        );

        // It comes back again, and then a mail arrives from there: it lives.
        desk.gets(bounce(&letter, &desk.address)).await;
        let answer = desk.replies(&li, &notice, "明天上午过来").await;
        assert!(answer.0.iter().all(|l| l.to != zhang.address.as_str()), "{answer:?}");
        let alive = desk.writes(&zhang, "键盘也坏了", "键盘也坏了").await;
        assert!(alive.0.iter().any(|l| l.to == zhang.address.as_str() && l.text.contains("明天上午过来")), "{alive:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_begins_and_the_tickets_go_on() {
    on_both(async |desk: &mut Desk| {
        let (zhang, li, wang) = (zhang(), li(), wang());
        let notice = desk.writes(&zhang, "打印机坏了", "打印机打不出来，只有我这台。").await.to(&li);
        let answer = desk.replies(&li, &notice, "#步骤 换了硒鼓\n请再打印一页").await.to(&zhang);
        assert_eq!(desk.flow.hand_over(desk.now()).await.unwrap(), 0);
        let mut policy = desk.flow.policy().as_ref().clone();
        policy.engineers[0].away = vec![(desk.now(), desk.now() + 5 * DAY)];
        desk.flow.reload(policy, maildesk::mail::Templates::load(None).unwrap());
        assert_eq!(desk.flow.hand_over(desk.now()).await.unwrap(), 1);
        assert_eq!(desk.flow.hand_over(desk.now()).await.unwrap(), 0, "once");
        let letters = desk.letters().await;
        let next = desk.ticket(1).await.assignee.unwrap();
        assert!([wang.address.clone(), tom().address].contains(&next), "{next}");
        let next = person(next.as_str(), "");
        let handed = letters.to(&next);
        for part in ["打印机打不出来", "换了硒鼓"] {
            assert!(handed.text.contains(part), "{part}: {}", handed.text);
        }
        // The requester's next words reach the new one, whose answer reaches them.
        let message = desk.replies(&zhang, &answer, "还是不行").await.to(&next);
        desk.replies(&next, &message, "我接着看").await.only_to(&[&zhang]);
    })
    .await;
}

const PBX: &str = "\n[[channel]]\naddress = \"pbx@corp.example\"\nname = \"语音信箱\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn voice_mail_finds_its_caller_and_is_never_answered() {
    on_both_with(PBX, async |desk: &mut Desk| {
        desk.flow.use_directory(directory());
        let pbx = person("pbx@corp.example", "PBX");
        let letters =
            desk.writes(&pbx, "Voice message from 8012", "You have a voice message. VPN does not connect.").await;
        assert!(letters.0.iter().all(|l| l.to != pbx.address.as_str()), "{}", letters.0.len());
        let told = letters.to(&zhang());
        assert!(told.text.contains("IT001"), "{}", told.text);
        assert_eq!(desk.ticket(1).await.requester.address, zhang().address);
        // Nobody knows this one: an engineer has it until somebody does.
        let letters = desk.writes(&pbx, "Voice message from 021 5550 0000", "The printer in room 5 is broken.").await;
        assert_eq!(letters.0.len(), 1, "{}", letters.0.len());
        let notice = letters.0[0].clone();
        let engineer = person(&notice.to, "");
        assert!(notice.text.contains("语音信箱") || notice.text.contains("directory"), "{}", notice.text);
        let letters = desk.replies(&engineer, &notice, "#代报 张伟").await;
        assert!(letters.to(&zhang()).text.contains("IT002"));
        assert_eq!(desk.ticket(2).await.requester.address, zhang().address);
    })
    .await;
}
