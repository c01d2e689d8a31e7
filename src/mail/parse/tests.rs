use super::*;
use crate::address::MessageId;
use crate::mail::stopwatch::Stopwatch;
use std::time::Duration;

fn message(fields: &str, body: &str) -> Inbound {
    parse(format!("From: Li Si <li@corp.example>\nTo: desk@corp.example\n{fields}\n\n{body}").as_bytes())
}

fn gb(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

/// A message whose pieces are bytes.
fn raw(pieces: &[&[u8]]) -> Inbound {
    parse(&pieces.concat())
}

#[test]
fn a_plain_message() {
    let m = message(
        "Subject: =?utf-8?B?5omT5Y2w5py65Z2P5LqG?=\nMessage-ID: <a@b>\nDate: Mon, 23 Nov 2026 10:00:00 +0800\nReferences: <x@y>,<z@y>\nReceived: a\nReceived: b\nAuthentication-Results: mx;\n dmarc=pass",
        "三楼打印机不能用了",
    );
    assert_eq!((m.kind, m.language), (Kind::Reply, Language::Chinese));
    assert_eq!(m.subject, "打印机坏了");
    assert_eq!(m.from.as_ref().map(|f| (f.address.as_str(), f.name.as_str())), Some(("li@corp.example", "Li Si")));
    assert_eq!(m.message_id.as_ref().map(MessageId::as_str), Some("a@b"));
    assert_eq!(m.references.len(), 2);
    assert_eq!(m.date.map(Timestamp::rfc3339).as_deref(), Some("2026-11-23T02:00:00Z"));
    assert_eq!((m.hops, m.authentication_results.as_slice()), (2, &["mx; dmarc=pass".to_owned()][..]));
    assert_eq!(m.body.text.trim(), "三楼打印机不能用了");
    assert!(m.anomalies.is_empty(), "{:?}", m.anomalies);
}

#[test]
fn raw_gbk_headers_are_read_in_the_charset_of_the_body() {
    let m = raw(&[
        b"From: \"",
        &gb("张三"),
        b"\" <z@corp.example>\nSubject: ",
        &gb("电脑蓝屏"),
        b"\nContent-Type: text/plain; charset=gb18030\n\n",
        &gb("开机后蓝屏，请处理"),
    ]);
    assert_eq!((m.subject.as_str(), m.from.unwrap().name.as_str()), ("电脑蓝屏", "张三"));
    assert_eq!(m.body.text.trim(), "开机后蓝屏，请处理");
    let big5 = |t: &str| encoding_rs::BIG5.encode(t).0.into_owned();
    let m = raw(&[b"Subject: ", &big5("電腦"), b"\nContent-Type: text/plain; charset=big5\n\n", &big5("壞了")]);
    assert_eq!((m.subject.as_str(), m.body.text.trim()), ("電腦", "壞了"));
}

#[test]
fn mislabelled_and_transfer_encoded_bodies() {
    for label in ["gb2312", "utf-8", "us-ascii", "x-unknown", "iso-8859-1"] {
        for name in ["base64", "quoted-printable"] {
            for bytes in [gb("打印机卡纸，请处理"), "打印机卡纸，请处理".as_bytes().to_vec()] {
                let head = format!("Content-Type: text/plain; charset={label}\nContent-Transfer-Encoding: {name}");
                let body = if name == "base64" { base64_of(&bytes) } else { quoted(&bytes) };
                let m = message(&head, &body);
                assert_eq!(m.body.text.trim(), "打印机卡纸，请处理", "{label} {name}");
            }
        }
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// With soft breaks in the middle of characters.
fn quoted(bytes: &[u8]) -> String {
    bytes.chunks(7).map(|c| c.iter().map(|b| format!("={b:02X}")).collect::<String>()).collect::<Vec<_>>().join("=\r\n")
}

#[test]
fn s41_subject_cannot_inject_headers() {
    let m = message("Subject: =?utf-8?B?eA0KQmNjOiBldmlsQHg=?=", "");
    assert_eq!(m.subject, "x Bcc: evil@x");
    // A word folded inside, as Foxmail does it.
    assert_eq!(message("Subject: =?gb2312?B?tPLTobv6\r\n u7XByw==?=", "").subject, "打印机坏了");
}

#[test]
fn s2_reply_to_and_sender_are_not_the_author() {
    let m = message("Reply-To: boss@corp.example\nSender: root@corp.example\nResent-From: x@y.example", "hi");
    assert_eq!(m.from.unwrap().address.as_str(), "li@corp.example");
}

#[test]
fn s3_two_authors_are_none_and_said_so() {
    let m = message("From: boss@corp.example", "hi");
    assert!(m.from.is_none() && m.anomalies.contains(&"several From fields".to_owned()));
}

#[test]
fn nothing_is_too_broken_to_be_read() {
    for (raw, text) in [
        ("", ""),
        ("\n", ""),
        ("bare text without header", "bare text without header"),
        ("Subject: only a header", ""),
        ("Subject: x\n\nbody", "body"),
        ("Subject: x\r\rold mac line ends", "old mac line ends"),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut of", "cut of"),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\naGVsbG8gd29ybGQ",
            "hello world",
        ),
    ] {
        assert_eq!(parse(raw.as_bytes()).full_text.trim(), text, "{raw:?}");
    }
}

#[test]
fn attachments_carry_their_bytes_and_shapes_tell_the_same() {
    let raw = "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>look <img src=\"cid:i@x\"></p>\n--b\nContent-Type: image/png; name=\"=?GB2312?B?vdjNvC5wbmc=?=\"\nContent-ID: <i@x>\nContent-Transfer-Encoding: base64\n\nUE5H\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../x.pdf\"\n\nPDF\n--b--";
    let m = parse(raw.as_bytes());
    let (_, shapes) = outline(raw.as_bytes());
    let image = &m.attachments[0];
    assert_eq!((image.name.as_str(), image.bytes.as_slice(), image.inline), ("截图.png", &b"PNG"[..], true));
    assert_eq!((image.content_id.as_deref(), image.digest), (Some("i@x"), Digest::of(b"PNG")));
    assert_eq!((m.attachments[1].name.as_str(), m.attachments[1].inline), ("x.pdf", false));
    for (attachment, shape) in m.attachments.iter().zip(&shapes) {
        assert_eq!(
            (&attachment.name, attachment.bytes.len(), attachment.inline),
            (&shape.name, shape.bytes, shape.inline)
        );
    }
    assert_eq!(m.attachments.len(), shapes.len());
}

#[test]
fn a_message_passed_on_as_attachment_is_read_when_nothing_else_is_said() {
    let inner = "Content-Type: message/rfc822\n\nFrom: wang@corp.example\nSubject: VPN\n\nVPN is down since noon";
    let m = message(
        "Subject: see this\nContent-Type: multipart/mixed; boundary=b",
        &format!("--b\n\n\n--b\n{inner}\n--b--"),
    );
    assert_eq!(m.kind, Kind::Forward);
    assert!(m.full_text.contains("VPN is down since noon") && m.attachments[0].name == "VPN.eml", "{}", m.full_text);
    let own = format!("--b\n\nplease look at the printer\n--b\n{inner}\n--b--");
    let m = message("Subject: see this\nContent-Type: multipart/mixed; boundary=b", &own);
    assert!(!m.full_text.contains("VPN is down") && m.body.text.contains("printer"));
}

#[test]
fn winmail_and_invitations() {
    let tnef = "--b\n\nhi\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\n\nX\n--b--";
    let m = message("Content-Type: multipart/mixed; boundary=b", tnef);
    assert!(m.anomalies.iter().any(|a| a.starts_with("winmail.dat")) && m.attachments.len() == 1);
    let invitation = "--b\n\nmeet\n--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--b--";
    assert_eq!(message("Content-Type: multipart/alternative; boundary=b", invitation).kind, Kind::Calendar);
    let file = "--b\n\nmeet\n--b\nContent-Type: text/calendar\nContent-Disposition: attachment; filename=a.ics\n\nMETHOD:PUBLISH\n--b--";
    assert_eq!(message("Content-Type: multipart/mixed; boundary=b", file).kind, Kind::Request);
}

#[test]
fn references_are_found_wherever_they_stand() {
    let m = message(
        "Content-Type: text/plain",
        "ok\n\n> it001-ABCDEFGH and IT1234-AAAA2222, IT001-ABCDEFGH\n> not IT1-ABCDEFGH, XIT001-ABCDEFGH, IT001-ABCDEFGHI",
    );
    assert_eq!(m.references_in_text, ["IT001-ABCDEFGH", "IT1234-AAAA2222"]);
    let m = message("Content-Type: text/html", "<p>ok</p><div style=\"display:none\">IT007-ZZZZ7777</div>");
    assert_eq!(m.references_in_text, ["IT007-ZZZZ7777"]);
    assert_eq!(message("", "编号IT001-ABCDEFGH。").references_in_text, ["IT001-ABCDEFGH"]);
}

#[test]
fn l6_wishes_for_silence() {
    for (value, asks) in [("All", true), ("DR, OOF, AutoReply", true), ("OOF", false), ("DR, RN, NRN, OOF", false)] {
        assert_eq!(message(&format!("X-Auto-Response-Suppress: {value}"), "x").asks_no_answer, asks, "{value}");
    }
}

#[test]
fn bounces_tell_their_details() {
    let m = parse(
        b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n<li@corp.example>:\n550 5.1.1 user unknown\n",
    );
    let bounce = m.bounce.unwrap();
    assert_eq!((m.kind, bounce.recipient.as_str(), bounce.permanent), (Kind::Bounce, "li@corp.example", true));
    assert!(message("Subject: x", "550 5.1.1 user unknown").bounce.is_none());
}

#[test]
fn r12_one_message_by_two_ways_is_the_same() {
    let digest = |raw: &str| parse(raw.as_bytes()).identity;
    let unix = "Message-ID: <a@b>\nFrom: a@b.example\nSubject: x\n\nline\nline\n";
    let other_way = format!("Received: by another server\r\n{}", unix.replace('\n', "\r\n"));
    assert_eq!(digest(unix), digest(&other_way));
    for different in [unix.replace("line\nline", "line"), unix.replace(": x", ": y"), unix.replace("<a@b>", "<c@b>")] {
        assert_ne!(digest(unix), digest(&different));
    }
    assert_eq!(digest("Subject: x\n\nno id"), Digest::of(b"Subject: x\n\nno id"), "only its bytes tell it apart");
}

#[test]
fn languages_of_short_messages() {
    assert_eq!(message("Subject: 打印机", "").language, Language::Chinese);
    assert_eq!(message("Subject: printer", "123").language, Language::English);
    assert_eq!(message("Content-Type: text/plain; charset=gb2312", "123").language, Language::Chinese);
}

/// Hostile sizes (`hardening.md` S51 to S56). The bound is generous: these run unoptimized, beside other tests.
#[test]
fn s51_to_s56_hostile_messages_take_linear_time() {
    let head = "From: a@b.example\n";
    let html = format!("{head}Content-Type: text/html\n\n");
    let parts = |n: usize| "--b\n\n\n".repeat(n);
    let cases = [
        format!("{head}Subject: {}\n\nx", "a".repeat(5_000_000)),
        format!("{head}Subject: {}\n\nx", "=?utf-8?B?".repeat(100_000)),
        format!("{head}Cc: {}\n\nx", "c@d.example, ".repeat(100_000)),
        format!("{head}References: {}\n\nx", "<c@d.example> ".repeat(100_000)),
        format!("{head}Date: {}\nTo: {}\n\nx", "(".repeat(200_000), "(".repeat(200_000)),
        format!("{head}Content-Type: text/plain; {}\n\nx", "a=b; ".repeat(50_000)),
        format!("{head}{}\n\nx", "X: y\n".repeat(200_000)),
        format!("{head}\n{}", "> a\n".repeat(300_000)),
        format!("{head}\n{}", "x".repeat(3_000_000)),
        format!("{head}\n{}", "http://a.example/b ".repeat(100_000)),
        format!("{html}{}", "<div>".repeat(50_000)),
        format!("{html}{}", "<table><tr><td>".repeat(20_000)),
        format!("{head}Content-Type: multipart/mixed; boundary=b\n\n{}", parts(300_000)),
        format!("{head}{}", "Content-Type: message/rfc822\n\n".repeat(100_000)),
        format!(
            "{head}Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n{}",
            "QUJD".repeat(2_000_000)
        ),
        format!(
            "From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n{}",
            "a@b.example 550 5.1.1 no\n".repeat(100_000)
        ),
        format!(
            "From: MAILER-DAEMON@x.example\nContent-Type: message/delivery-status\n\n{}",
            "Action: failed\n\n".repeat(100_000)
        ),
        format!("{head}\n{}", "IT001-ABCDEFG ".repeat(200_000)),
    ];
    for raw in &cases {
        let started = Stopwatch::start();
        parse(raw.as_bytes());
        let (took, start) = (started.elapsed(), &raw[..raw.len().min(90)]);
        assert!(took < Duration::from_secs(8), "{took:?} for {start:?}");
    }
}

/// SplitMix64: the same seeds give the same messages for ever.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// What mail is made of; mutations put these where they do not belong.
const ALPHABET: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\n\n",
    b" ",
    b"\t",
    b"--b",
    b"--b--",
    b"\n--b\n",
    b"=?utf-8?B?",
    b"?=",
    b"=?gb2312?Q?=B4",
    b"=",
    b"=\n",
    b"<",
    b">",
    b"\"",
    b"(",
    b")",
    b":",
    b";",
    b",",
    b"@",
    b"\0",
    b"\x1b$B",
    b"\x1b(B",
    b"~{",
    b"\xff",
    b"\xb4\xf2",
    b"\xe6\x89",
    b"Content-Type: ",
    b"multipart/mixed; boundary=b",
    b"message/rfc822",
    b"text/html",
    b"charset=gb2312",
    b"filename*0*=utf-8''%E6",
    b"Content-Transfer-Encoding: base64\n",
    b"From: ",
    b"MAILER-DAEMON@x",
    b"Subject: ",
    b"Auto-Submitted: auto-replied\n",
    b"<div>",
    b"</div>",
    b"<!--",
    b"&#x",
    b"> ",
    b"-- \n",
    b"550 5.1.1 ",
    b"Final-Recipient: rfc822; ",
    b"\xe2\x80\xae",
    b"IT001-ABCDEFGH",
];

const SEEDS: &[&[u8]] = &[
    b"From: a@b.example\nSubject: =?gb2312?B?tPLTobv6?=\nContent-Type: text/plain; charset=gbk\n\n\xb4\xf2\xd3\xa1\xbb\xfa\n> quoted\n",
    b"From: \"x\" <a@b.example>\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>a<br>b</p><blockquote>c</blockquote>\n--b\nContent-Disposition: attachment; filename*0*=utf-8''%E6%88; filename*1*=%AA\nContent-Transfer-Encoding: base64\n\nQUJD\n--b--\n",
    b"Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nfailed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\n\nx\n--b--\n",
    b"From: a@b.example\nContent-Type: text/plain; format=flowed\n\none \ntwo\n\n#take\n-- \nsig\nOn Mon, 1 Jan 2026, x <a@b> wrote:\n> y\n",
    b"Subject: \xe6\x89\x93\nContent-Transfer-Encoding: quoted-printable\n\n=E6=89=\n=93 ------\nFrom: x\nSent: y\nTo: z\nSubject: w\n",
];

fn mutate(dice: &mut Dice) -> Vec<u8> {
    let mut raw = SEEDS[dice.below(SEEDS.len())].to_vec();
    for _ in 0..=dice.below(12) {
        let at = dice.below(raw.len() + 1);
        let end = (at + dice.below(40)).min(raw.len());
        match dice.below(6) {
            0 if at < raw.len() => raw[at] = dice.below(256) as u8,
            1 => drop(raw.drain(at..end)),
            2 => {
                let piece = raw[at..end].repeat(1 + dice.below(20));
                raw.splice(at..at, piece);
            }
            3 => {
                let other = SEEDS[dice.below(SEEDS.len())];
                raw.splice(at..at, other[dice.below(other.len())..].iter().copied());
            }
            _ => drop(raw.splice(at..at, ALPHABET[dice.below(ALPHABET.len())].iter().copied())),
        }
    }
    raw
}

#[test]
fn mutated_messages_never_stop_the_reader() {
    for seed in 0..2000 {
        let raw = mutate(&mut Dice(seed));
        let started = Stopwatch::start();
        let read = std::panic::catch_unwind(|| (parse(&raw), outline(&raw)));
        let Ok((whole, (quick, shapes))) = read else { panic!("seed {seed}: {:?}", String::from_utf8_lossy(&raw)) };
        assert!(started.elapsed() < Duration::from_secs(2), "seed {seed}");
        assert_eq!((whole.kind, &whole.subject, whole.attachments.len()), (quick.kind, &quick.subject, shapes.len()));
        assert!(!whole.subject.contains(char::is_control), "seed {seed}: {:?}", whole.subject);
        let sizes_agree = whole.attachments.iter().zip(&shapes).all(|(a, s)| a.bytes.len() == s.bytes);
        assert!(sizes_agree, "seed {seed}");
    }
}

#[test]
fn l03_a_bounce_passed_on_without_a_word_is_not_answered() {
    let report = "> From: Mail Delivery System <MAILER-DAEMON@mx.example>\n> Subject: Undelivered Mail\n>\n> failed\n\
                  > Final-Recipient: rfc822; nobody@x.example\n> Action: failed\n> Status: 5.1.1\n";
    let mail =
        |subject: &str, text: &str| parse(format!("From: li@corp.example\nSubject: {subject}\n\n{text}").as_bytes());
    let bare = mail("Fwd: Undelivered Mail", &format!("\n\nBegin forwarded message:\n\n{report}"));
    assert_eq!((bare.kind, bare.asks_no_answer), (Kind::Forward, true));
    for (subject, text) in [
        ("Fwd: Undelivered Mail", format!("What does this mean?\n\nBegin forwarded message:\n\n{report}")),
        ("Fwd: Invoice", "Begin forwarded message:\n\n> From: Zhang <zhang@corp.example>\n>\n> Status: paid\n".into()),
        ("Undelivered Mail", "My mail came back. From: MAILER-DAEMON, Final-Recipient: x, Status: 5.1.1".into()),
    ] {
        assert!(!mail(subject, &text).asks_no_answer, "{subject}: {text}");
    }
}

#[test]
fn a_mail_pasted_into_a_new_one_is_read_and_one_that_is_answered_is_not() {
    let body = "Is this mail phishing?\n\nFrom: Bank <b@bank.example>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Li\nSubject: x\n\nClick here";
    for (fields, pasted) in [
        ("Subject: Strange mail", true),
        ("Subject: Fwd: Strange mail", true),
        ("Subject: Re: Strange mail", false),
        ("Subject: Strange mail\nReferences: <a@b>", false),
        ("X-Nothing: x", false),
    ] {
        assert_eq!(message(fields, body).body.text.contains("Click here"), pasted, "{fields}");
    }
}

#[test]
fn an_attached_message_brings_its_formatting_and_pictures() {
    let inside = "From: <w@x.example>\nSubject: VPN\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>a <b>b</b><img src=\"cid:shot@w\"></p>\n--r\nContent-Type: image/png; name=shot.png\nContent-ID: <shot@w>\n\nPNG\n--r\nContent-Type: image/png; name=logo.png\nContent-ID: <logo@w>\n\nPNG\n--r--";
    let raw = format!(
        "From: <li@x.example>\nSubject: Fwd: VPN\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nplease\n--m\nContent-Type: message/rfc822\n\n{inside}\n--m--"
    );
    let mail = parse(raw.as_bytes());
    let html = mail.forwarded.as_ref().and_then(|passed_on| passed_on.body.html.clone()).unwrap();
    assert!(html.contains("b</b>") && html.contains("cid:shot@w"), "{html}");
    // The message stays whole beside it; what it does not show stays inside.
    let names: Vec<&str> = mail.attachments.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["VPN.eml", "shot.png"]);
    let shown: Vec<bool> = mail.attachments.iter().map(|file| mail.shows(file)).collect();
    assert_eq!(shown, [false, true]);
}
