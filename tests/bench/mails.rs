//! Mail as a support mailbox sees it: 70 % new requests and 30 % answers to an earlier mail by the same sender, 40 %
//! with an HTML alternative, 10 % with a 100 KB attachment, Chinese and English, UTF-8 and GB18030, 200 senders.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::VecDeque;
use std::fmt::Write as _;

const SENDERS: u64 = 200;
const ATTACHMENT: usize = 100 * 1024;
/// An answer is to one of so many earlier mails.
const REMEMBERED: usize = 120;

struct Topic {
    zh: (&'static str, &'static str),
    en: (&'static str, &'static str),
}

const TOPICS: [Topic; 8] = [
    Topic {
        zh: ("二楼打印机脱机", "二楼的打印机从今天早上开始显示脱机。\n重启过两次，队列里仍有任务卡住，错误代码 E-%n。"),
        en: ("Printer offline", "The printer on our floor is offline since this morning.\nIts panel shows error E-%n."),
    },
    Topic {
        zh: ("VPN 连接失败 %n", "在家办公时 VPN 提示错误 %n，连不上总部。\n密码没有改过，手机热点也一样。"),
        en: ("VPN error %n", "The VPN client fails with error %n when I work from home.\nIt still worked yesterday."),
    },
    Topic {
        zh: ("ERP 登录不了", "登录 ERP 提示账号被锁定，请帮忙解锁。\n账号：erp%n，月底要结账。"),
        en: ("Cannot log in to ERP", "ERP says that my account is locked, please unlock erp%n.\nMonth end is near."),
    },
    Topic {
        zh: ("申请重置密码", "我忘记了域账号密码，请帮忙重置。\n工号 %n，可以打分机核实。"),
        en: ("Password reset", "I forgot my password, please reset it.\nMy staff number is %n."),
    },
    Topic {
        zh: ("Excel 闪退", "打开 %n KB 的报表时 Excel 直接闪退，安全模式也一样。"),
        en: ("Excel crashes", "Excel crashes when I open a report of %n KB.\nSafe mode does not help."),
    },
    Topic {
        zh: ("无线网络很慢", "会议室的无线网络很慢，视频会议经常卡顿，有线正常。"),
        en: ("Wi-Fi is slow", "Video calls stutter over Wi-Fi in room %n; the wired network is fine."),
    },
    Topic {
        zh: ("新员工开通账号", "下周一有新同事入职，需要开通邮箱、OA 和门禁，名单 %n。"),
        en: ("New starter", "A new colleague starts on Monday and needs mail and door access, form %n."),
    },
    Topic {
        zh: ("共享文件夹没有权限", "访问 dept%n 时提示拒绝访问，上周还可以打开。"),
        en: ("No access to shared folder", "Access denied on dept%n.\nIt worked last week."),
    },
];

/// One message and what is needed to recognise the answers to it.
pub struct Mail {
    /// CRLF line ends.
    pub raw: Vec<u8>,
    /// Without angle brackets.
    pub id: String,
    pub from: String,
    pub is_reply: bool,
}

struct Earlier {
    id: String,
    sender: u64,
    subject: String,
    text: String,
    references: Vec<String>,
    chinese: bool,
}

/// The same seed gives the same mails.
pub struct Mails {
    seed: u64,
    dice: u64,
    count: u64,
    earlier: VecDeque<Earlier>,
}

impl Mails {
    pub fn new(seed: u64) -> Mails {
        Mails { seed, dice: seed, count: 0, earlier: VecDeque::new() }
    }

    /// Steele, Lea and Flood: SplitMix64.
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.roll() % 100 < chance
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count / 8 + 1).flat_map(|_| self.roll().to_le_bytes()).take(count).collect()
    }

    /// A message with one attachment, `size` bytes in all (about).
    pub fn large(&mut self, size: usize) -> Mail {
        self.write(None, Some(size / 78 * 57))
    }

    fn next_mail(&mut self) -> Mail {
        let reply = self.percent(30) && !self.earlier.is_empty();
        let attachment = self.percent(10).then_some(ATTACHMENT);
        let parent = reply.then(|| self.roll() as usize % self.earlier.len());
        self.write(parent, attachment)
    }

    fn write(&mut self, parent: Option<usize>, attachment: Option<usize>) -> Mail {
        self.count += 1;
        let (html, gb18030, base64) = (self.percent(40), self.percent(10), self.percent(50));
        let (id_dice, number, topic) = (self.roll(), 100 + self.roll() % 900, self.roll() as usize % TOPICS.len());
        let id = format!("{}.{}.{id_dice:016x}@corp.example.test", self.seed, self.count);
        let (sender, chinese, subject, mut text, references) = match parent.and_then(|i| self.earlier.get(i)) {
            Some(parent) => {
                let text = answer(parent, number);
                let references: Vec<String> = parent.references.iter().chain([&parent.id]).cloned().collect();
                let subject = parent.subject.trim_start_matches("Re: ");
                (parent.sender, parent.chinese, format!("Re: {subject}"), text, references)
            }
            None => {
                let (sender, chinese) = (self.roll() % SENDERS, self.percent(60));
                let (subject, text) = if chinese { TOPICS[topic].zh } else { TOPICS[topic].en };
                let hello = if chinese { "IT 支持团队，您好：" } else { "Hello support team," };
                let fill = |text: &str| text.replace("%n", &number.to_string());
                (sender, chinese, fill(subject), format!("{hello}\n\n{}\n", fill(text)), Vec::new())
            }
        };
        let _ = write!(text, "\n--\n员工 {sender}\next. {}\n", 1000 + sender);
        let from = format!("staff{sender}@corp{}.example.test", sender % 7);
        let signature = BASE64.encode(self.bytes(256));
        let mut head = format!(
            "Received: from mx.example.test (mx.example.test [192.0.2.1])\r\n\tby mail.example.test (Postfix) with \
             ESMTPS id {id_dice:010X}\r\n\tfor <desk@corp.example>; Mon, 23 Nov 2026 10:00:00 +0800\r\n\
             DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=corp.example.test; s=s1;\r\n\tb={signature}\r\n\
             From: {} <{from}>\r\nTo: {} <desk@corp.example>\r\nSubject: {}\r\n\
             Date: Mon, 23 Nov 2026 10:00:00 +0800\r\nMessage-ID: <{id}>\r\n",
            word(&format!("员工{sender}"), gb18030),
            word("IT 服务台", gb18030),
            word(&subject, gb18030)
        );
        if let Some(parent) = references.last() {
            let all: Vec<String> = references.iter().map(|id| format!("<{id}>")).collect();
            let _ = write!(head, "In-Reply-To: <{parent}>\r\nReferences: {}\r\n", all.join("\r\n "));
        }
        let _ = write!(head, "X-Mailer: Foxmail 7.2.25.{number}[cn]\r\nMIME-Version: 1.0\r\n");
        let mut body = part("plain", &text, gb18030, base64);
        if html {
            body = multipart("alternative", id_dice, &[body, part("html", &html_of(&text), gb18030, base64)]);
        }
        if let Some(size) = attachment {
            let file = self.bytes(size);
            body = multipart("mixed", id_dice, &[body, attached(&file)]);
        }
        let keep = references.len().saturating_sub(11);
        let references = references[keep..].to_vec();
        self.earlier.push_back(Earlier { id: id.clone(), sender, subject, text, references, chinese });
        if self.earlier.len() > REMEMBERED {
            self.earlier.pop_front();
        }
        Mail { raw: (head + &body).into_bytes(), id, from, is_reply: parent.is_some() }
    }
}

impl Iterator for Mails {
    type Item = Mail;

    fn next(&mut self) -> Option<Mail> {
        Some(self.next_mail())
    }
}

fn answer(parent: &Earlier, number: u64) -> String {
    let (news, wrote) = match parent.chinese {
        true => (format!("补充一下：资产编号是 IT-{number}，请问有进展吗？"), "在 2026-11-23 10:00，员工 写道："),
        false => (
            format!("To add: the asset tag is IT-{number}. Is there any progress?"),
            "On Mon, 23 Nov 2026 at 10:00, the staff wrote:",
        ),
    };
    let quoted: Vec<String> = parent.text.lines().take(6).map(|line| format!("> {line}")).collect();
    format!("{news}\n\n{wrote}\n{}\n", quoted.join("\n"))
}

fn encode(text: &str, gb18030: bool) -> Vec<u8> {
    if gb18030 { encoding_rs::GB18030.encode(text).0.into_owned() } else { text.as_bytes().to_vec() }
}

fn charset(gb18030: bool) -> &'static str {
    if gb18030 { "gb18030" } else { "utf-8" }
}

/// RFC 2047 encoded words, where the text needs them.
fn word(text: &str, gb18030: bool) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let words = letters.chunks(10).map(|some| {
        let bytes = encode(&some.iter().collect::<String>(), gb18030);
        format!("=?{}?B?{}?=", charset(gb18030), BASE64.encode(bytes))
    });
    words.collect::<Vec<_>>().join("\r\n ")
}

fn base64_lines(bytes: &[u8]) -> String {
    let mut lines = String::with_capacity(bytes.len() / 57 * 78 + 80);
    for line in bytes.chunks(57) {
        BASE64.encode_string(line, &mut lines);
        lines.push_str("\r\n");
    }
    lines
}

fn quoted_printable(bytes: &[u8]) -> String {
    let (mut lines, mut column) = (String::new(), 0);
    for &byte in bytes {
        if byte == b'\n' {
            lines.push_str("\r\n");
            column = 0;
            continue;
        }
        if column > 70 {
            lines.push_str("=\r\n");
            column = 0;
        }
        if (33..=126).contains(&byte) && byte != b'=' || byte == b' ' && column > 0 {
            lines.push(char::from(byte));
            column += 1;
        } else {
            let _ = write!(lines, "={byte:02X}");
            column += 3;
        }
    }
    lines + "\r\n"
}

fn part(subtype: &str, text: &str, gb18030: bool, base64: bool) -> String {
    let bytes = encode(text, gb18030);
    let (encoding, body) = match base64 {
        true => ("base64", base64_lines(&bytes)),
        false => ("quoted-printable", quoted_printable(&bytes)),
    };
    format!(
        "Content-Type: text/{subtype}; charset={}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}",
        charset(gb18030)
    )
}

fn attached(file: &[u8]) -> String {
    format!(
        "Content-Type: image/png; name=\"screenshot.png\"\r\nContent-Disposition: attachment;\r\n \
         filename=\"screenshot.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(file)
    )
}

fn html_of(text: &str) -> String {
    let mut html = String::from(
        "<html><head><style><!-- p.MsoNormal {margin:0cm;} a:link {color:#0563C1;} --></style></head>\n\
         <body lang=\"ZH-CN\"><div class=\"WordSection1\">\n",
    );
    for line in text.lines() {
        let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let line = if line.is_empty() { "&nbsp;" } else { &line };
        let _ = writeln!(
            html,
            "<p class=\"MsoNormal\" style=\"margin:0cm;font-size:10.5pt;font-family:'Microsoft YaHei'\">{line}</p>"
        );
    }
    html + "</div></body></html>\n"
}

fn multipart(subtype: &str, dice: u64, parts: &[String]) -> String {
    let boundary = format!("----=_{subtype}_{dice:016x}");
    let mut body = format!("Content-Type: multipart/{subtype};\r\n boundary=\"{boundary}\"\r\n\r\n");
    for part in parts {
        let _ = write!(body, "--{boundary}\r\n{part}");
    }
    let _ = write!(body, "--{boundary}--\r\n");
    body
}
