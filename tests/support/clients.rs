//! Replies as real mail programs write them (`domain.md` section 1): what they quote and how, what they call the subject, which
//! headers they leave out, and in which charset they send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maildesk::address::Mailbox;
use maildesk::demo::people::Letter;
use maildesk::time::Timestamp;

/// A mail program and how it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    QqWeb,
    QqEnglish,
    Foxmail,
    NetEase,
    NetEaseMaster,
    Exmail,
    OutlookChinese,
    OutlookEnglish,
    OutlookPhone,
    GmailChinese,
    GmailEnglish,
    AppleMail,
    IPhone,
    Thunderbird,
    Lark,
    Alimail,
}

impl Client {
    pub const ALL: [Client; 16] = [
        Client::QqWeb,
        Client::QqEnglish,
        Client::Foxmail,
        Client::NetEase,
        Client::NetEaseMaster,
        Client::Exmail,
        Client::OutlookChinese,
        Client::OutlookEnglish,
        Client::OutlookPhone,
        Client::GmailChinese,
        Client::GmailEnglish,
        Client::AppleMail,
        Client::IPhone,
        Client::Thunderbird,
        Client::Lark,
        Client::Alimail,
    ];

    fn prefix(self) -> &'static str {
        use Client::*;
        match self {
            Alimail => "回复：",
            QqWeb | Exmail | Lark | OutlookPhone => "回复: ",
            OutlookChinese => "答复: ",
            _ => "Re: ",
        }
    }

    /// Everything below the new words in the plain text.
    fn quote(self, letter: &Letter) -> String {
        use Client::*;
        let (name, address) = sender(letter);
        let (to, subject) = (&letter.to, &letter.subject);
        let marked: String = letter.text.lines().map(|line| format!("> {line}\n")).collect();
        let plain = &letter.text;
        match self {
            QqWeb | Exmail => format!(
                "\n\n------------------\u{a0}原始邮件\u{a0}------------------\n发件人:\u{a0}\"{name}\"<{address}>;\n\
                 发送时间:\u{a0}2026年11月23日(星期一) 上午9:15\n收件人:\u{a0}\"{to}\"<{to}>;\n主题:\u{a0}{subject}\n\n\n\n{plain}"
            ),
            QqEnglish => format!(
                "\n\n------------------\u{a0}Original\u{a0}------------------\nFrom: \u{a0}\"{name}\"<{address}>;\n\
                 Date: \u{a0}Mon, Nov 23, 2026 09:15 AM\nTo: \u{a0}\"{to}\"<{to}>;\nSubject: \u{a0}{subject}\n\n\n{plain}"
            ),
            Foxmail => format!(
                "\n\n\n\n{to}\n \n发件人： {name}\n发送时间： 2026-11-23 09:15\n收件人： {to}\n主题： {subject}\n{plain}"
            ),
            NetEase => format!("\n\n\n\n\n在 2026-11-23 09:15:31，\"{name}\" <{address}> 写道：\n\n{plain}"),
            NetEaseMaster => format!(
                "\n\n\n---- 回复的原邮件 ----\n发件人 {name}<{address}>\n发送日期 2026年11月23日 09:15\n收件人 {to}\n主题 {subject}\n{plain}"
            ),
            OutlookChinese => format!(
                "\n\n________________________________\n发件人: {name} <{address}>\n发送时间: 2026年11月23日 9:15\n\
                 收件人: {to} <{to}>\n主题: {subject}\n\n{plain}"
            ),
            OutlookEnglish => format!(
                "\n\n-----Original Message-----\nFrom: {name} <{address}> \nSent: Monday, November 23, 2026 9:15 AM\n\
                 To: {to}\nSubject: {subject}\n\n{plain}"
            ),
            OutlookPhone => format!(
                "\n\n获取 Outlook for iOS\n________________________________\n发件人: {name} <{address}>\n\
                 发送时间: Monday, November 23, 2026 9:15:49 AM\n收件人: {to} <{to}>\n主题: {subject}\n\n{plain}"
            ),
            GmailChinese => format!("\n\n{name} <{address}> 于2026年11月23日周一 上午9:15写道：\n\n{marked}"),
            GmailEnglish => format!("\n\nOn Mon, Nov 23, 2026 at 9:15 AM {name} <{address}>\nwrote:\n\n{marked}"),
            AppleMail => format!("\n\n> 2026年11月23日 上午9:15，{name} <{address}> 写道：\n> \n{marked}"),
            IPhone => {
                format!("\n\n发自我的 iPhone\n\n> 在 2026年11月23日，09:15，{name} <{address}> 写道：\n> \n{marked}")
            }
            Thunderbird => format!("\n\n在 2026/11/23 9:15, {name} 写道:\n{marked}"),
            Lark => format!(
                "\n\n发件人: \"{name}\"<{address}>\n时间: 2026年11月23日 (周一) 09:15\n主题: {subject}\n收件人: \"{to}\"<{to}>\n{plain}"
            ),
            Alimail => format!(
                "\n\n{}\n发件人：{name} <{address}>\n发送时间：2026年11月23日(星期一) 09:15\n收件人：{to} <{to}>\n主　题：{subject}\n\n{plain}",
                "-".repeat(66)
            ),
        }
    }

    /// The same as HTML: where the program has one, with its own marks.
    fn html(self, text: &str, letter: &Letter) -> Option<String> {
        use Client::*;
        let new: String = text.lines().map(|line| format!("<div>{}</div>", escape(line))).collect();
        let quote = escape(&self.quote(letter)).trim_start().replace('\n', "<br>");
        let old = escape(&letter.text).replace('\n', "<br>");
        let (name, address) = sender(letter);
        let said = format!("{} &lt;{address}&gt;", escape(&name));
        Some(match self {
            QqWeb | QqEnglish | Exmail => {
                format!("{new}<div><br></div><div style=\"font-size: 12px;padding:2px 0;\">{quote}</div>")
            }
            GmailChinese => format!(
                "<div dir=\"ltr\">{new}</div><br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">{said} 于2026年11月23日周一 上午9:15写道：<br></div><blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex\">{old}</blockquote></div>"
            ),
            GmailEnglish => format!(
                "<div dir=\"ltr\">{new}</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, Nov 23, 2026 at 9:15 AM {said} wrote:<br></div><blockquote class=\"gmail_quote\">{old}</blockquote></div>"
            ),
            AppleMail | IPhone => format!(
                "<html><body>{new}<div><br><blockquote type=\"cite\"><div>2026年11月23日 上午9:15，{said} 写道：</div><br><div>{old}</div></blockquote></div></body></html>"
            ),
            OutlookChinese | OutlookEnglish => format!(
                "<div class=WordSection1>{new}<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>发件人:</b> {said}<br><b>发送时间:</b> 2026年11月23日 9:15<br><b>收件人:</b> x<br><b>主题:</b> x</p></div></div><p>{old}</p></div>"
            ),
            OutlookPhone => format!(
                "<div>{new}</div><div id=\"ms-outlook-mobile-signature\">获取 Outlook for iOS</div><hr><div id=\"divRplyFwdMsg\"><b>发件人:</b> {said}<br><b>发送时间:</b> Monday, November 23, 2026 9:15:49 AM<br><b>收件人:</b> x<br><b>主题:</b> x</div><div>{old}</div>"
            ),
            NetEase => format!(
                "<div style=\"line-height:1.7\">{new}</div><br><br><p>在 2026-11-23 09:15:31，\"{}\" &lt;{address}&gt; 写道：</p><blockquote id=\"isReplyContent\">{old}</blockquote>",
                escape(&name)
            ),
            Lark => format!(
                "<div>{new}</div><div id=\"lark-mail-quote-1\"><div class=\"history-quote-wrapper\"><div class=\"history-quote-meta-wrapper\">发件人: {said}<br>时间: 2026年11月23日 (周一) 09:15<br>主题: x<br>收件人: x</div><div>{old}</div></div></div>"
            ),
            Alimail => format!(
                "<div class=\"__aliyun_email_body_block\">{new}<blockquote style=\"margin-right:0;margin-top:0\"><div>{}<br>发件人：{said}<br>发送时间：2026年11月23日(星期一) 09:15<br>收件人：x<br>主　题：x</div>{old}</blockquote></div>",
                "-".repeat(66)
            ),
            Foxmail | NetEaseMaster | Thunderbird => return None,
        })
    }

    /// In-Reply-To and References as this program writes them.
    fn answers(self, letter: &Letter) -> String {
        let own = format!("<{}>", letter.message_id);
        let all: Vec<String> = letter.references.iter().map(|id| format!("<{id}>")).chain([own.clone()]).collect();
        match self {
            // `domain.md` section 0, trap 2.
            Client::Foxmail => format!("References: {}\r\n", all.join(", ")),
            Client::Alimail => format!("In-Reply-To: {own}\r\nReferences: {}\r\n", all.join(",\r\n ")),
            // Some phones send the mail alone.
            Client::OutlookPhone => String::new(),
            _ => format!("In-Reply-To: {own}\r\nReferences: {}\r\n", all.join("\r\n ")),
        }
    }

    /// GBK where the program still sends it.
    fn bytes(self, text: &str) -> (&'static str, Vec<u8>) {
        match self {
            Client::QqWeb | Client::Exmail | Client::NetEase => {
                ("gb18030", encoding_rs::GB18030.encode(text).0.into_owned())
            }
            _ => ("utf-8", text.as_bytes().to_vec()),
        }
    }

    /// A reply to `letter` with these words on top.
    pub fn reply(self, from: &Mailbox, desk: &str, letter: &Letter, text: &str, at: Timestamp) -> Vec<u8> {
        let plain = format!("{text}{}", self.quote(letter)).replace('\n', "\r\n");
        let part = |kind: &str, text: &str| {
            let (charset, bytes) = self.bytes(text);
            let encoded = STANDARD.encode(bytes);
            let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).unwrap()).collect();
            format!(
                "Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
                lines.join("\r\n")
            )
        };
        let body = match self.html(text, letter) {
            None => part("plain", &plain),
            Some(html) => format!(
                "Content-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n--=_b\r\n{}--=_b\r\n{}--=_b--\r\n",
                part("plain", &plain),
                part("html", &html)
            ),
        };
        let id = maildesk::desk::inbound::Digest::of(format!("{self:?}{text}{}", at.millis()).as_bytes()).hex();
        format!(
            "From: {} <{}>\r\nTo: <{desk}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{:?}.example>\r\n{}MIME-Version: 1.0\r\n{body}",
            word(&from.name),
            from.address,
            word(&format!("{}{}", self.prefix(), letter.subject)),
            at.utc().to_rfc2822(),
            &id[..24],
            self,
            self.answers(letter),
        )
        .into_bytes()
    }
}

fn sender(letter: &Letter) -> (String, String) {
    let (name, address) = letter.from.split_once('<').unwrap_or(("", &letter.from));
    (name.trim().to_owned(), address.trim_end_matches('>').to_owned())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// RFC 2047 words of at most twelve characters each.
fn word(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let encoded =
        characters.chunks(12).map(|c| format!("=?utf-8?B?{}?=", STANDARD.encode(c.iter().collect::<String>())));
    encoded.collect::<Vec<_>>().join("\r\n ")
}
