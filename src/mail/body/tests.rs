//! The samples of `domain.md` 1.1 (numbered as there), the markers of 1.2, and what must not go wrong.

use super::*;
use crate::mail::stopwatch::Stopwatch;
use std::time::Duration;

fn text(plain: &str) -> String {
    read(Some(plain), None).body.text
}

fn html(source: &str) -> String {
    read(None, Some(source)).body.text
}

fn words(reading: &Reading) -> Vec<&str> {
    reading.commands.iter().map(|c| &*c.word).collect()
}

const ANSWER: &str = "按照您说的重启以后已经可以打印了";

/// A history below an answer goes, the answer stays; the history alone is kept whole.
fn check_reply(number: u8, history: &str) {
    for history in [history.replace('⍽', "\u{a0}"), history.replace('⍽', " ")] {
        let reading = read(Some(&format!("{ANSWER}\n\n{history}\n旧的内容\n#关闭\n")), None);
        assert_eq!(reading.body.text, ANSWER, "sample {number}: {history}");
        assert!(reading.has_quote && !reading.has_forward, "sample {number}");
        assert!(reading.full_text.contains("旧的内容"), "sample {number}");
        let commanded = read(Some(&format!("#解决\n{ANSWER}\n{history}\n#关闭\n")), None);
        assert_eq!((words(&commanded), &*commanded.after_commands.text), (vec!["解决"], ANSWER), "sample {number}");
        let alone = read(Some(&format!("{history}\n旧的内容")), None);
        assert!(
            alone.body.text.contains("旧的内容") && alone.commands.is_empty(),
            "sample {number}: {}",
            alone.body.text
        );
    }
}

/// A message passed on is content, with and without own words above; commands are read from those only.
fn check_forward(number: u8, announcement: &str) {
    let forwarded = format!("{announcement}\n打印机坏了\n#关闭");
    let long = "这是分公司同事昨天发给我的邮件，他们说周末加班的时候就已经这样了。\n\n";
    for above in ["", "请处理\n\n", "FYI\n\n", long] {
        let reading = read(Some(&format!("{above}{forwarded}")), None);
        assert!(reading.body.text.contains("打印机坏了"), "sample {number} {above:?}: {}", reading.body.text);
        assert!(reading.body.text.starts_with(above.trim_end()), "sample {number} {above:?}: {}", reading.body.text);
        assert!(reading.has_forward && reading.commands.is_empty(), "sample {number} {above:?}");
    }
}

#[test]
fn samples_1_to_10_qq_wecom_foxmail() {
    let dashes = "-".repeat(18);
    check_reply(
        1,
        &format!(
            "{dashes}⍽原始邮件⍽{dashes}\n发件人:⍽\"张三\"<zs@x.com>;\n发送时间:⍽2025年7月25日(星期五) 凌晨2:45\n收件人:⍽李四;\n抄送:⍽王五;\n主题:⍽Re: 打印机"
        ),
    );
    check_reply(
        2,
        &format!(
            "{dashes}&nbsp;原始邮件&nbsp;{dashes}\n发件人:                                                                                                                        \"张三\"                                                                                    &lt;zs@x.com&gt;;\n发送时间:&nbsp;2025年7月25日(星期五) 凌晨2:45\n主题:&nbsp;Re: 打印机"
        ),
    );
    check_reply(
        3,
        &format!(
            "{dashes}⍽Original⍽{dashes}\nFrom: ⍽\"A\"<a@b.com>;\nDate: ⍽Mon, Jul 8, 2024 04:23 AM\nTo: ⍽\"B\"<b@b.com>;\nSubject: ⍽Re: x"
        ),
    );
    check_reply(
        4,
        "         原始邮件\n\n\n发件人:Support <s@x.com>\n发件时间:2026年10月9日 10:01\n收件人:me <me@x.com>\n主题:Re: x",
    );
    check_reply(
        4,
        "         Original\n\nFrom:Support <s@x.com>\nSent Time:Oct 9, 2026 10:01\nTo:me <me@x.com>\nSubject:Re: x",
    );
    check_reply(
        5,
        "---原始邮件---\n发件人: \"x\"<x@qq.com>\n发送时间: 2024年3月1日(周五) 上午9:05\n收件人: \"y\"<y@qq.com>;\n主题: 打印机",
    );
    check_reply(6, "----------Reply to Message----------\nOn Wed,Jun 22,2022 2:07 AM Name <n@x.com> wrote:");
    check_reply(7, "----------回复的邮件信息----------\n张三<zs@x.com> 在 2024年3月1日 上午9:05 写道：");
    check_reply(8, "me@x.com\n\n发件人： 张三\n发送时间： 2026-07-30 17:14\n收件人： 李四\n抄送： 王五\n主题： 打印机");
    check_reply(9, "me@x.com\n\nFrom: A\nDate: 2021-05-10 21:31\nTo: B\nCC: C\nSubject: Re: x");
    assert_eq!(
        text(&format!(
            "{ANSWER}\n\n\n--------------\nzs@x.com\n>Hi Yifeng,\n>\n>On 11/30/20 1:49 PM, J J wrote:\n>> old"
        )),
        ANSWER,
        "sample 10"
    );
}

#[test]
fn samples_11_to_23_netease_coremail_alimail_lark() {
    check_forward(11, "= = = = = = 下面是转发邮件 = = = = = = =\n原邮件发件人名字：张三\n原邮件发件人地址：zs@x.com");
    check_reply(11, "======= 2005-01-01 10:10:10 您在来信中写道：=======");
    check_reply(12, "在 2026-10-03 18:28:31，\"Support\" <s@x.com> 写道：");
    check_reply(13, "At 2022-08-31 22:33:45, \"Alan Stern\" <s@x.com> wrote:");
    check_reply(
        14,
        "---- 回复的原邮件 ----\n发件人 矢孤<a@b.com>\n发送日期 2025年12月26日 13:17\n收件人 李四<l@b.com>\n主题 打印机",
    );
    check_reply(
        14,
        "---- 回复的原邮件 ----\n| 发件人 | 矢孤<a@b.com> |\n| 发送日期 | 2025年12月26日 13:17 |\n| 收件人 | 李四 |\n| 主题 | 打印机 |",
    );
    check_reply(
        15,
        "---- Replied Message ----\n| From | Support<s@x.com> |\n| Date | 10/03/2026 15:42 |\n| To | me |\n| Subject | Re: x |",
    );
    check_forward(
        16,
        "-------- 转发邮件信息 --------\n发件人：\"x\" <a@b.com>\n发送日期：2025-12-29 16:13:08\n收件人：y\n主题：打印机",
    );
    check_reply(
        17,
        "-----原始邮件-----\n发件人: \"A\" <a@b.com>\n发送时间: 2021-03-11 19:05:03 (星期四)\n收件人: B\n抄送: C\n主题: x",
    );
    check_reply(
        17,
        "-----原始邮件-----\n发件人: \"A\" <a@b.com>\n发送时间:2025-05-07 00:47:37 (星期三)\n收件人: B\n主题: x",
    );
    check_reply(
        17,
        "-----Original Messages-----\nFrom: \"A\" <a@b.com>\nSent Time: 2021-03-11 19:05:03 (Thursday)\nTo: B\nSubject: x",
    );
    check_reply(
        18,
        "------------------⍽原始邮件⍽------------------\n发件人: A\n发送时间: 2021-03-11 19:05:03\n收件人: B",
    );
    check_reply(19, "----- 原始邮件 -----\n发件人：A\n收件人：B\n主题：x\n日期：2014年03月07日 10点10分");
    let rule = "-".repeat(66);
    check_reply(
        20,
        &format!(
            "{rule}\n发件人：Nick <n@x.com>\n发送时间：2021年6月9日(星期三) 02:44\n收件人：B\n抄　送：C\n主　题：x"
        ),
    );
    check_reply(
        20,
        &format!("{rule}\n发 件 人：Nick <n@x.com>\n发送时间：2021年6月9日(星期三) 02:44\n收 件 人：B\n主　题：x"),
    );
    check_reply(21, "发件人: 张三<zs@x.com>\n时间: 2025年1月3日 (周五) 10:01\n主题: 打印机\n收件人: 李四\n抄送: 王五");
    check_forward(
        22,
        "--------- 转发消息 ---------\n发件人: 张三<zs@x.com>\n时间: 2025年1月3日 10:01\n主题: 打印机\n收件人: 李四",
    );
    check_reply(23, "On Thu, Jul 8, 2021, 13:12 <a@b.com> wrote:");
}

#[test]
fn samples_24_to_35_outlook_gmail() {
    check_reply(
        24,
        "-----邮件原件-----\n发件人: A [mailto:a@b.com] \n发送时间: 2021年8月6日 15:49\n收件人: B; C\n抄送: D\n主题: x",
    );
    check_reply(25, "发件人: A <a@b.com>\n发送时间: 2024年1月19日 18:26\n收件人: B\n主题: x");
    check_reply(
        26,
        &format!("{}\n发件人: A\n发送时间: 2021年12月14日 12:49\n收件人: B\n抄送: C\n主题: x", "_".repeat(32)),
    );
    check_reply(
        27,
        &format!(
            "获取 Outlook for iOS\n{}\n发件人: A\n发送时间: Monday, June 7, 2021 8:41:49 PM\n收件人: B\n主题: x",
            "_".repeat(32)
        ),
    );
    check_reply(28, "寄件者: A <a@b.com>\n寄件日期: 2024年4月5日 上午 03:55\n收件者: B\n副本: C\n主旨: x");
    check_reply(28, "-----原始郵件-----\n寄件者: A <a@b.com>");
    check_reply(
        29,
        &format!("{}\n從: A [a@b.com]\n寄件日期: 2019年12月25日 上午 11:15\n至: B\n副本: C\n主旨: x", "_".repeat(40)),
    );
    check_reply(
        30,
        "-----Original Message-----\nFrom: A\nSent: Monday, January 5, 2026 10:00 AM\nTo: B\nCc: C\nSubject: x",
    );
    check_reply(
        30,
        &format!("{}\nFrom: A <a@b.com>\nSent: Monday, January 5, 2026 10:00 AM\nTo: B\nSubject: x", "_".repeat(32)),
    );
    check_reply(31, "Li Si <l@x.com> 于2021年3月22日周一 上午10:00写道：");
    check_reply(32, "在 2026年1月5日周一 10:00，张三 <z@x.com> 写道：");
    check_reply(33, "A <a@b.com> 於 2020年10月5日 週一 下午11:30 寫道：");
    check_reply(33, "A <a@b.com> 於 2020年10月5日 週一 下午11:30 寫\n道：");
    check_forward(
        34,
        "---------- Forwarded message ---------\n发件人： A <a@b.com>\nDate: 2024年1月5日周五 10:00\nSubject: x\nTo: B",
    );
    check_forward(
        34,
        "----------\u{a0}Forwarded message\u{a0}---------\n发件人： A <a@b.com>\nDate: 2024年1月5日周五 10:00",
    );
    check_reply(35, "在2025年12月26日星期五 UTC+8 13:31:25<name> 写道：");
}

#[test]
fn samples_36_to_45_apple_thunderbird_android() {
    check_reply(36, "2022年8月25日 上午12:24，A B <a@b.com> 写道：");
    assert_eq!(
        text(&format!("{ANSWER}\n\n> 2022年8月25日 上午12:24，A B <a@b.com> 写道：\n> \n> old")),
        ANSWER,
        "sample 36"
    );
    check_reply(37, "在 2021年9月24日，09:09，A <a@b.com> 写道：");
    check_reply(37, "在 2016年10月13日，20:41，雪里 n@x.com 写道：");
    check_forward(
        38,
        "下面是被转发的邮件：\n\n发件人: A <a@b.com>\n主题: x\n日期: 2026年9月29日 GMT+8 14:44:02\n收件人: B",
    );
    check_forward(38, "开始转发的邮件：\n\n发件人: A <a@b.com>");
    check_forward(38, "以下是轉寄的郵件：\n\n寄件人: A <a@b.com>");
    check_forward(38, "> 下面是被转发的邮件：\n> \n> 发件人: A <a@b.com>\n> 主题: x");
    check_reply(39, "在 2023/5/16 9:57, wangwudi 写道:");
    check_reply(40, "On 2022/12/24 上午12:06, David Hildenbrand wrote:");
    check_forward(
        41,
        "-------- 转发的消息 --------\n主题: \tx\n日期: \tFri, 28 Jun 2024 16:21:34 +0800\nFrom: \tA <a@b.com>\n收件人: \tB",
    );
    check_forward(41, "-------- 轉寄郵件 --------\n主題: \tx");
    check_reply(42, "于 2020年4月6日 GMT+08:00 下午6:57:18, A <a@b.com> 写到:");
    check_reply(43, "在2025年5月19日周一 上午3:56，Bibo Mao写道：");
    check_reply(
        44,
        "-------- 原始邮件 --------\n发件人： A\n日期： 2024/3/1 09:05 (GMT+08:00)\n收件人： B\n抄送： C\n主题： x",
    );
    check_reply(44, "-------- 原始信息 --------\n发件人： A\n日期： 2024/3/1 09:05 (GMT+08:00)");
    check_reply(45, "---原始邮件---\n发件人： A\n日期： 2024/3/1 09:05\n收件人： B\n主题： x");
}

/// HTML histories: the answer stays, what the client marked goes.
#[test]
fn html_markers_of_the_clients() {
    let check = |history: &str| {
        let reading = read(None, Some(&format!("<html><body><div>{ANSWER}</div>{history}</body></html>")));
        assert_eq!(reading.body.text, ANSWER, "{history}");
        assert!(reading.has_quote && reading.commands.is_empty(), "{history}");
        let lent = reading.body.html.unwrap_or_default();
        assert!(lent.contains(ANSWER) && !lent.contains("旧"), "{history}: {lent}");
        assert!(reading.full_text.contains('旧'), "{history}");
    };
    // NetEase
    check(
        "<div style='x'></div><div id=\"divNeteaseMailCard\"></div><p>At 2022-08-31, x wrote:</p><blockquote id=\"isReplyContent\">旧</blockquote>",
    );
    check(
        "<pre>在 2026-10-03 18:28:31，\"S\" &lt;s@x.com&gt; 写道：</pre><blockquote id=\"gmail-m_123isReplyContent\"><p>旧</p></blockquote>",
    );
    check(
        "<div class=\"J-x ntes-mailmaster-quote\" style='padding-top:1px'><span>---- 回复的原邮件 ----</span><table><tr><td>发件人</td><td>A</td></tr></table><div>旧</div></div>",
    );
    // QQ and Exmail
    check(
        "<div><br></div><div style='font-size:12px'>------------------&nbsp;原始邮件&nbsp;------------------</div><div style='background:#efefef;padding:8px'><div><b>发件人:</b>&nbsp;\"a\"&lt;a@b&gt;;</div></div><div>旧</div>",
    );
    check(
        "<article contenteditable='false'><div>原始邮件</div><hr><table data-uneditable='true'><tr><td>发件人:A &lt;a@b.com&gt;</td></tr><tr><td>发件时间:2026年10月9日 10:01</td></tr><tr><td>收件人:B</td></tr><tr><td>主题:x</td></tr></table></article><div>旧</div>",
    );
    // Alimail
    check(&format!(
        "<div class='__aliyun_email_body_block'><blockquote style='margin-right:0'><div>{}</div><div>发件人：A&lt;a@b&gt;</div><div>发送时间：2021年6月9日(星期三) 02:44</div><div>主　题：x</div><div>旧</div></blockquote></div>",
        "-".repeat(66)
    ));
    // Lark
    check(
        "<div id='lark-mail-quote-171'><div class='history-quote-wrapper'><div>发件人: A</div><div>时间: x</div><div>旧</div></div></div>",
    );
    check("<div data-html-block='quote'>旧</div>");
    // 139
    check("<hr id='replySplit'><div id='reply139content'>旧</div>");
    // Outlook
    check(
        "<div id='appendonsend'></div><hr><div id='divRplyFwdMsg'><b>From:</b> A<br><b>Sent:</b> x</div><div>旧</div>",
    );
    check("<div id='x_divRplyFwdMsg'>发件人: A</div><div>旧</div>");
    check("<div id='mail-editor-reference-message-container'><div>旧</div></div>");
    check(
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>发件人:</b> A &lt;a@b&gt;<br><b>发送时间:</b> 2024年1月19日 18:26<br><b>收件人:</b> B<br><b>主题:</b> x</p></div><p class=MsoNormal>旧</p>",
    );
    // Gmail
    check(
        "<br><div class='gmail_quote gmail_quote_container'><div class='gmail_attr'>On Tue, Jan 6, 2026 at 10:00 AM A &lt;<a href='mailto:a@b.com'>a@b.com</a>&gt; wrote:<br></div><blockquote class='gmail_quote'>旧</blockquote></div>",
    );
    check(
        "<br><div class='gmail_quote'>Li Si &lt;l@x.com&gt; 于2021年3月22日周一 上午10:00写道：<br><blockquote class='gmail_quote'>旧</blockquote></div>",
    );
    // others
    check("<blockquote type='cite'>旧</blockquote>");
    check("<div class='moz-cite-prefix'>在 2023/5/16 9:57, w 写道:<br></div><blockquote cite='mid:x'>旧</blockquote>");
    check("<div id='yahoo_quoted_123' class='yahoo_quoted'>旧</div>");
    check("<div class='protonmail_quote'>On Monday, A wrote:<br>旧</div>");
    check("<div class='OutlookMessageHeader'>From: A</div><div>旧</div>");
    check("<div id='foxmail_quote'>旧</div>");
}

#[test]
fn html_forwards_are_content() {
    for forwarded in [
        "<div class='gmail_quote'><div class='gmail_attr'>---------- Forwarded message ---------<br>发件人： A</div>打印机坏了</div>",
        "<div class='moz-forward-container'>-------- 转发的消息 --------<table><tr><th>主题: </th><td>x</td></tr></table><p>打印机坏了</p></div>",
        "<div id='isForwardContent'>-------- 转发邮件信息 --------<br>打印机坏了</div>",
        "<div>下面是被转发的邮件：</div><blockquote type='cite'>打印机坏了</blockquote>",
    ] {
        for above in ["", "<div>FYI</div>"] {
            let reading = read(None, Some(&format!("{above}{forwarded}")));
            assert!(
                reading.has_forward && reading.body.text.contains("打印机坏了"),
                "{forwarded}: {}",
                reading.body.text
            );
        }
    }
}

#[test]
fn a_forward_keeps_its_formatting() {
    let table =
        "<p>两台 <b>打印机</b> 坏了：</p><table><tr><td>P-301</td><td>卡纸</td></tr></table><img src='cid:shot'>";
    let plain = "两台 打印机 坏了：\n\nP-301 | 卡纸\n";
    let head = |mark: &str| {
        format!("FYI<div class='gmail_quote'>{mark}<br>发件人： A &lt;a@x.com&gt;<br>主题： x</div><br>{table}")
    };
    let mark = "---------- Forwarded message ---------";
    let text = format!("FYI\n\n{mark}\n发件人： A <a@x.com>\n主题： x\n\n");
    let kept = |plain: Option<&str>, html: &str| read(plain, Some(html)).forwarded.expect("a forward").body;
    for plain in [None, Some(format!("{text}{plain}"))] {
        let body = kept(plain.as_deref(), &head(mark));
        assert!(body.text.starts_with("两台 打印机 坏了"), "{}", body.text);
        let html = body.html.expect("formatting");
        for part in ["打印机</b>", "<tr><td>P-301</td><td>卡纸</td></tr>", "src=\"cid:shot\""] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("FYI") && !html.contains("a@x.com"), "{html}");
    }
    // A text that says something else goes without formatting that is not its own.
    assert_eq!(
        kept(Some(&format!("{text}打印机都好了，谢谢，不用来了。{}", "真的。".repeat(40))), &head(mark)).html,
        None
    );
    assert_eq!(read(Some(&format!("{text}{plain}")), None).forwarded.expect("a forward").body.html, None);
    assert!(read(None, Some("<p>打印机坏了</p>")).forwarded.is_none());
}

#[test]
fn outlook_forwards_need_the_subject() {
    let mail = "小王说他那边今天上午开始不能打印，请帮忙看看。\n\n发件人: 王五 <w@x.com>\n发送时间: 2026年8月6日 15:49\n收件人: 我\n主题: 打印机\n\n不能打印";
    assert!(!text(mail).contains("不能打印\n") && !read(Some(mail), None).has_forward);
    let short = "看看\n\n发件人: 王五 <w@x.com>\n发送时间: 2026年8月6日 15:49\n收件人: 我\n主题: 打印机\n\n不能打印";
    let reading = read_as(Purpose::PassOn, Some(short), None);
    assert!(reading.has_forward && reading.body.text.contains("不能打印"));
    assert!(read_as(Purpose::PassOn, Some(mail), None).body.text.ends_with("不能打印"));
}

/// A suspicious mail, pasted into a new one by hand.
#[test]
fn pasted_mails_are_content() {
    let block = "发件人：admin@c0rp.example\n发送时间：2026-01-06 10:00\n收件人：张三\n主题：密码过期";
    let below = |above: &str, announcement: &str| format!("{above}\n\n{announcement}{block}\n\n请点击链接重置密码");
    let mail = |announcement: &str| below("这是不是钓鱼邮件？我没有点链接。", announcement);
    let kept = |purpose, mail: &str| read_as(purpose, Some(mail), None).body.text.contains("重置密码");
    assert!(kept(Purpose::New, &mail("")) && kept(Purpose::PassOn, &mail("")) && !kept(Purpose::Answer, &mail("")));
    assert!(kept(Purpose::New, &below("I got this strange mail, what shall I do with it?", "")));
    // Answered under another subject.
    assert!(!kept(Purpose::New, &below("打印机又坏了，请尽快派人来看一下，谢谢。", "")));
    let announced = mail("-----原始邮件-----\n");
    assert!(!kept(Purpose::New, &announced) && kept(Purpose::PassOn, &announced));
}

#[test]
fn nothing_is_lost() {
    let same = |s: &str| assert_eq!(text(s), s);
    same("谢谢，另外打印机也坏了");
    same("在他的书中，作者写道：打印机是有灵魂的");
    same("From: 上海\nTo: 北京\n请把这两个站点的网络查一下");
    same("> 整封都是引用");
    same("--\n只有签名");
    same("发自我的iPhone");
    same("从昨天开始我的手机收不到邮件");
    same("打印机坏了\n\n下载 Outlook 以后无法登录");
    same("帮我看看\n\n来自客户的邮件都进了垃圾箱，手机也收不到");
    same("I lost my iPhone\nI sent the iPad to Bob");
    same("出现提示：\n文件已从服务器删除");
    same("请看日志：\n\nFrom: 10.0.0.1\nTo: 10.0.0.2\nDate: 2026-01-06 10:00\n是不是防火墙？");
    same("What does \"reply above this line\" in your letters mean?\n\nBob");
    same("来自：上海分公司\n时间：上午 10:30\n主题：打印机\n坏了");
    same("见下面的截图\n-----原文-----\n第一段");
    same("步骤如下：\n1. 打开\n2. 报错");
    same("-----\n第一部分\n-----\n第二部分");
    assert_eq!(text("<p>not html</p>"), "<p>not html</p>");
    assert_eq!(read(None, None).body.text, "");
    assert_eq!(text("\n \n"), "");
}

#[test]
fn answers_between_quotes_are_kept() {
    assert_eq!(text("> 打印机型号？\nHP 1020\n> 位置？\n3 楼"), "HP 1020\n3 楼");
    let inline = "<div>见下</div><blockquote type=cite>型号？</blockquote><div>HP 1020</div><blockquote type=cite>位置？</blockquote><div>3 楼</div>";
    assert_eq!(html(inline), "见下\n\nHP 1020\n\n3 楼");
    let gmail = "<div class=gmail_quote><div class=gmail_attr>On Tue, Jan 6, 2026 at 10:00 AM A &lt;a@b.c&gt; wrote:</div><blockquote class=gmail_quote>型号？</blockquote><div>HP 1020</div><blockquote class=gmail_quote>位置？</blockquote></div>";
    assert_eq!(html(gmail), "HP 1020");
    assert_eq!(
        text("On Tue, Jan 6, 2026 at 10:00 AM A <a@b.c> wrote:\n> q\n\nbelow the quote\n-- \nsig"),
        "below the quote"
    );
    // A header block right above `>` marks: the client marks its quotes.
    let block = "发件人：A <a@b.com>\n发送日期：2026-01-06 22:41:44\n收件人：B\n主题：打印机";
    assert_eq!(text(&format!("您好：\n{block}\n>型号？\nHP 1020\n>位置？\n3 楼")), "您好：\nHP 1020\n3 楼");
    assert_eq!(text(&format!("好的\n\n-----原始邮件-----\n{block}\n> 型号？\n")), "好的");
    // Behind a blank line the marks may be those of the message answered.
    assert_eq!(text(&format!("好的\n\n{block}\n\n> 更旧\n旧")), "好的");
}

/// Outlook and QQ mark nothing: colours tell answers apart there, so the text above has to say so.
#[test]
fn answers_inside_the_quote_are_kept_when_the_text_says_so() {
    let block = "发件人: A <a@b.com>\n发送时间: 2026年1月6日 10:01\n收件人: B\n主题: x\n\n型号？\nHP 1020";
    let check = |above: &str, kept: bool| {
        for quote in [block.to_owned(), "> 型号？\n> HP 1020".to_owned()] {
            let found = text(&format!("{above}\n\n{quote}"));
            assert_eq!(found.contains("HP 1020"), kept, "{above}: {found}");
        }
        let page = format!(
            "<div>{above}</div><blockquote id=isReplyContent>型号？<br><font color=red>HP 1020</font></blockquote>"
        );
        assert_eq!(html(&page).contains("HP 1020"), kept, "{above}");
    };
    for above in [
        "见下",
        "回复见下",
        "请见下面红字",
        "请看下面蓝色部分",
        "已在原文中逐条回复",
        "我的回答在下面邮件里",
        "回复见正文标红部分",
        "見下面紅字",
        "See below",
        "See my comments below.",
        "Hi, please find my answers below",
        "Answers in-line.",
        "Replied in line, thanks",
        "My replies below in green",
        "Please see below in red",
    ] {
        check(above, true);
    }
    for above in [
        "下面的方法不行",
        "已按下面的步骤处理，好了",
        "附件请查收",
        "红灯没有亮",
        "如下图所示已经好了",
        "I did as described below, thanks",
        "The answers below did not help",
        "It works",
    ] {
        check(above, false);
    }
    // Answers beside the quote need no second look at it.
    assert_eq!(text("见下\n> 型号？\nHP 1020"), "见下\nHP 1020");
}

#[test]
fn the_better_alternative_is_read() {
    let page = "<p>打印机<b>坏了</b></p><blockquote type=cite>旧</blockquote>";
    for plain in [
        None,
        Some(""),
        Some(" \r\n\u{a0}\r\n"),
        Some("This is a message in HTML format. Please view this message in HTML."),
    ] {
        let reading = read(plain, Some(page));
        assert_eq!(reading.body.text, "打印机坏了", "{plain:?}");
        assert_eq!(reading.body.html.as_deref(), Some("<p>打印机<b>坏了</b></p>\n"));
    }
    // The text says the same: it is read, the HTML lends the formatting.
    let reading = read(Some("打印机坏了\n\n> 旧"), Some(page));
    assert_eq!((&*reading.body.text, reading.body.html.is_some()), ("打印机坏了", true));
    // The text part holds next to nothing.
    let long = format!("<p>{}</p>", "打印机坏了，换了纸也不行。".repeat(40));
    assert!(read(Some("打印机"), Some(&long)).body.text.len() > 1000);
    // A gateway quoted the whole text part.
    let reading = read(Some("> 打印机坏了\n> > 旧"), Some(page));
    assert_eq!(reading.body.text, "打印机坏了");
    // The history was recognised in the HTML only, or in the text only.
    let reading = read(
        Some("打印机坏了\n\n旧的内容没有记号"),
        Some("<p>打印机坏了</p><blockquote type=cite>旧的内容没有记号</blockquote>"),
    );
    assert_eq!((&*reading.body.text, reading.body.html.is_some()), ("打印机坏了", true));
    let reading = read(
        Some("打印机坏了\n\n> 旧的内容没有记号，而且相当长，长到两者不可能算是一样的，因为引用部分根本没有被认出来"),
        Some(
            "<p>打印机坏了</p><p>旧的内容没有记号，而且相当长，长到两者不可能算是一样的，因为引用部分根本没有被认出来</p>",
        ),
    );
    assert_eq!((&*reading.body.text, reading.body.html), ("打印机坏了", None));
}

#[test]
fn s13_commands_must_stand_in_both_alternatives() {
    let check = |plain: &str, page: &str, expect: &[&str], doubtful: bool| {
        let reading = read(Some(plain), Some(page));
        assert_eq!((words(&reading), reading.commands_doubtful), (expect.to_vec(), doubtful), "{plain:?} {page:?}");
    };
    check("#take\nok", "<p>#take</p><p>ok</p>", &["take"], false);
    check("#priority P1\nok", "<p>#priority&nbsp;P1</p><p>ok</p>", &["priority"], false);
    check("#close\nok", "<p>ok</p>", &[], true);
    check("ok", "<p>#close</p><p>ok</p>", &[], true);
    check("#assign a\nok", "<p>#assign b</p><p>ok</p>", &[], true);
    check("#close\nok", "<p style='display:none'>#close</p><p>ok</p>", &[], true);
    check("#close", "<img src='http://x/t.gif'>", &[], true);
    check("ok", "<p>ok</p>", &[], false);
}

#[test]
fn s13_commands_only_from_visible_new_text() {
    let none = |page: &str| {
        let reading = read(None, Some(page));
        assert!(reading.commands.is_empty(), "{page}: {:?}", reading.commands);
    };
    none("<div style=display:none>#assign x</div><div>hello</div>");
    none("<div style='font-size:0'>#close</div>hello");
    none("<font color='#ffffff'>#close</font><br>hello");
    none("<style>.h{display:none}</style><div class=h>#close</div>hello");
    none("<blockquote type=cite>#close</blockquote>hello");
    none("<div class=gmail_signature>#close</div>");
    none("hello<br>#close");
    none("<div id=divRplyFwdMsg>From: A</div>#close");
    none(&format!("{}#close", "<div>".repeat(400)));
    assert_eq!(words(&read(None, Some("<div><p>＃解决</p><p>已更换硒鼓</p></div>"))), ["解决"]);
    let deep_history = format!("<p>#take</p>ok<blockquote type=cite>{}old", "<div>".repeat(400));
    assert_eq!(words(&read(None, Some(&deep_history))), ["take"]);
}

#[test]
fn commands_and_the_text_below_them() {
    let reading = read(
        Some("#解决\n\n＃优先级：P2\n已更换硒鼓。\n-- \n张三\n\n> 旧"),
        Some(
            "<p>#解决</p><p>＃优先级：P2</p><p>已更换<b>硒鼓</b>。</p><p>--</p><p>张三</p><blockquote type=cite>旧</blockquote>",
        ),
    );
    assert_eq!(words(&reading), ["解决", "优先级"]);
    assert_eq!(reading.after_commands.text, "已更换硒鼓。");
    assert_eq!(reading.after_commands.html.as_deref(), Some("<p>已更换<b>硒鼓</b>。</p>\n"));
    assert!(reading.body.text.starts_with("#解决"));
    let only = read(Some("#take\n\n> old"), None);
    assert_eq!((words(&only), &*only.after_commands.text), (vec!["take"], ""));
}

#[test]
fn inline_pictures_travel_and_remote_ones_do_not() {
    let reading =
        read(None, Some("<p>报错截图：<img src=\"cid:shot@1\" alt=\"截图\"><img src=\"http://track/x.gif\"></p>"));
    assert_eq!(
        reading.body.html.as_deref(),
        Some("<p>报错截图：<img src=\"cid:shot@1\" alt=\"截图\" style=\"max-width:100%;height:auto\"></p>\n")
    );
    let picture_only = read(None, Some("<img src=\"cid:shot@1\">"));
    assert_eq!(
        picture_only.body.html.as_deref(),
        Some("<p><img src=\"cid:shot@1\" alt=\"\" style=\"max-width:100%;height:auto\"></p>\n")
    );
}

/// Debug builds are some ten times slower than what the limit of two seconds is about, so the sizes are smaller here.
#[test]
fn s56_hostile_bodies_are_read_in_linear_time() {
    let within = |name: &str, work: &dyn Fn()| {
        let start = Stopwatch::start();
        work();
        assert!(start.elapsed() < Duration::from_secs(20), "{name} took {:?}", start.elapsed());
    };
    let pages = [
        "<div>".repeat(100_000), // as many as S56 names
        "<b>x</i>".repeat(50_000),
        format!("{}{}", "<span>".repeat(250), "</font></i>".repeat(20_000)),
        format!("{}{}", "<div>".repeat(240), "<td>x".repeat(10_000)),
        "<blockquote>".repeat(20_000),
        "<a href=http://x.y/z>k</a> ".repeat(20_000),
        format!("<div style=\"{}\">x", "a:b;".repeat(50_000)),
        format!("<style>{}</style>{}", ".a{display:none}".repeat(4_000), "<p class='b c d'>x".repeat(5_000)),
        "<".repeat(100_000),
        "<!--".repeat(100_000),
        "x".repeat(5_000_000),
    ];
    for page in &pages {
        within(&page[..12], &|| drop(read(None, Some(page))));
    }
    let texts = [
        "> \n".repeat(200_000),
        "x".repeat(5_000_000),
        "On 2026-01-01 10:00 A <a@b.c> wrote:\n".repeat(20_000),
        "On 2026-01-01 10:00 A <a@b.c> wrote:\n> x\nans\n".repeat(10_000),
        "From: x\n".repeat(50_000),
        "From: x\nTo: x\n".repeat(25_000),
        format!("hi\n{}", "Sent from my iPhone\n".repeat(10_000)),
        format!("hi\n{}", "-----\n".repeat(50_000)),
        "http://x.y/z?a=1\n".repeat(50_000),
        "<mailto:x> ".repeat(50_000),
        "#a b\n".repeat(50_000),
    ];
    for body in &texts {
        within(&body[..5], &|| drop(read(Some(body), Some(body))));
    }
}

/// No slice may fall between the bytes of a character, whatever the mail holds.
#[test]
fn seeded_noise_never_panics() {
    let pieces = [
        "发件人：",
        "From: ",
        "> ",
        "写道：",
        "wrote:",
        "\n",
        "\r\n",
        "\u{a0}",
        "\u{3000}",
        "<div>",
        "</div>",
        "<p style='display:none'>",
        "#解决 ",
        "--",
        "-----原始邮件-----",
        "On 2026-01-01 10:00, ",
        "a@b.c",
        "<",
        ">",
        "&nbsp;",
        "&gt;",
        "é",
        "😀",
        "\u{202e}",
        "Sent from my ",
        "iPhone",
        "<blockquote>",
        "<td>",
        "<a href='http://x'>",
        "</a>",
        "<img src=cid:x>",
        "主题",
        "：",
        "|",
        "*",
        "2026年1月5日",
        "____________",
        "<style>",
        "}",
    ];
    let mut seed: u64 = 7;
    for _ in 0..3_000 {
        let mut body = String::new();
        for _ in 0..40 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            body.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        let both = read(Some(&body), Some(&body));
        let alone = read(Some(&body), None);
        assert!(body.trim().is_empty() || !alone.full_text.is_empty() || alone.body.text.is_empty(), "{body:?}");
        assert!(both.body.html.is_none_or(|h| !h.contains("<style")), "{body:?}");
    }
}

#[test]
fn mailx_indents_what_it_quotes_and_answers_below() {
    let quoted = "IT 服务台 <it@corp.example> wrote:\n\n\t新工单 IT001\n\t\n\t#认领  #备注\n";
    let read = read(Some(&format!("{quoted}#认领\n请先打开后盖。\n")), None);
    assert_eq!(read.body.text, "#认领\n请先打开后盖。");
    // Commands count above a quote only.
    assert_eq!(read.commands.len(), 0);
    // An indented list of one's own is no quote.
    assert_eq!(text("见下：\n\t1. 打印机\n\t2. 键盘"), "见下：\n\t1. 打印机\n\t2. 键盘");
}
