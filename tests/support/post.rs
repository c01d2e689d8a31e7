//! Mails as machines and unusual clients write them, made from ordinary ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maildesk::address::Mailbox;
use maildesk::demo::people::Letter;

/// Puts a header field before all others.
pub fn with(raw: Vec<u8>, field: &str) -> Vec<u8> {
    [field.as_bytes(), b"\r\n", &raw].concat()
}

/// Leaves out a header field with its folded lines.
pub fn without(raw: &[u8], name: &str) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let start = format!("{}:", name.to_lowercase());
    let mut leaving = false;
    let kept = head.split("\r\n").filter(|line| {
        if !line.starts_with([' ', '\t']) {
            leaving = line.to_lowercase().starts_with(&start);
        }
        !leaving
    });
    format!("{}\r\n\r\n{body}", kept.collect::<Vec<_>>().join("\r\n")).into_bytes()
}

/// What a header field says, unfolded.
pub fn field(raw: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(raw).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let start = format!("{}:", name.to_lowercase());
    let line = text.lines().take_while(|l| !l.is_empty()).find(|l| l.to_lowercase().starts_with(&start));
    line.map(|l| l[start.len()..].trim().to_owned()).unwrap_or_default()
}

/// A plain mail whose header is written out.
pub fn plain(header: &str, text: &str) -> Vec<u8> {
    let header = header.trim().lines().map(str::trim_start).collect::<Vec<_>>().join("\r\n");
    format!(
        "{header}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines(text.replace('\n', "\r\n").as_bytes())
    )
    .into_bytes()
}

fn lines(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let chunks = encoded.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).unwrap().to_owned());
    chunks.collect::<Vec<_>>().join("\r\n")
}

/// A reply with text and HTML, a screenshot in the HTML and a file, as Outlook writes it.
pub fn rich_reply(
    from: &Mailbox,
    letter: &Letter,
    text: &str,
    html: &str,
    picture: &[u8],
    file: (&str, &[u8]),
) -> Vec<u8> {
    let quoted = letter.text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
    let html = format!(
        "<html><body>{html}<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\">\
         <p><b>发件人:</b> {}<br><b>发送时间:</b> 2026年11月23日 9:12<br><b>收件人:</b> {}<br><b>主题:</b> {}</p></div>{quoted}</body></html>",
        letter.from.replace('<', "&lt;"),
        from.address,
        letter.subject
    );
    let text = format!(
        "{text}\n\n-----邮件原件-----\n发件人: {}\n发送时间: 2026年11月23日 9:12\n收件人: {}\n主题: {}\n\n{}",
        letter.from, from.address, letter.subject, letter.text
    );
    let (name, bytes) = file;
    let part = |kind: &str, more: &str, bytes: &[u8]| {
        format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{more}\r\n{}\r\n", lines(bytes))
    };
    let plain = part("text/plain; charset=utf-8", "", text.replace('\n', "\r\n").as_bytes());
    let html = part("text/html; charset=utf-8", "", html.as_bytes());
    let picture = part(
        "image/png; name=\"image001.png\"",
        "Content-ID: <image001.png@01DA.0>\r\nContent-Disposition: inline; filename=\"image001.png\"\r\n",
        picture,
    );
    let file = part(
        &format!("application/octet-stream; name=\"{name}\""),
        &format!("Content-Disposition: attachment; filename=\"{name}\"\r\n"),
        bytes,
    );
    format!(
        "From: <{}>\r\nTo: <{}>\r\nSubject: Re: {}\r\nDate: Mon, 23 Nov 2026 09:20:00 +0800\r\n\
         Message-ID: <rich-{}@{}>\r\nIn-Reply-To: <{}>\r\nReferences: <{}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=mixed\r\n\r\n--mixed\r\n\
         Content-Type: multipart/related; boundary=related\r\n\r\n--related\r\n\
         Content-Type: multipart/alternative; boundary=either\r\n\r\n--either\r\n{plain}--either\r\n{html}--either--\r\n\
         --related\r\n{picture}--related--\r\n--mixed\r\n{file}--mixed--\r\n",
        from.address,
        field(&letter.raw, "From").rsplit(['<', ' ']).next().unwrap_or("").trim_end_matches('>'),
        ascii_subject(&letter.subject),
        letter.message_id.replace(['@', '<', '>'], "-"),
        from.address.domain(),
        letter.message_id,
        letter.message_id,
    )
    .into_bytes()
}

fn ascii_subject(subject: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(subject))
}

/// The delivery report that Postfix sends when `letter` could not be delivered.
pub fn bounce(letter: &Letter, desk: &str) -> Vec<u8> {
    let original = String::from_utf8_lossy(&letter.raw).replace("\r\n", "\n");
    let header = original.split("\n\n").next().unwrap().replace('\n', "\r\n");
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.corp.example (Mail Delivery System)\r\nTo: {desk}\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nDate: Mon, 23 Nov 2026 09:30:00 +0800\r\n\
         Message-ID: <bounce.{}@mx.corp.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system at host mx.corp.example.\r\n\r\n\
         <{to}>: host mail.corp.example said: 550 5.1.1 User unknown (in reply to RCPT TO command)\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.corp.example\r\n\r\n\
         Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}\r\n--b--\r\n",
        letter.message_id.split('@').next().unwrap(),
        to = letter.to,
    )
    .into_bytes()
}

/// A reply whose whole text is given, quote and all.
pub fn answer(from: &Mailbox, desk: &str, letter: &Letter, text: &str) -> Vec<u8> {
    plain(
        &format!(
            "From: <{}>\nTo: <{desk}>\nSubject: Re: x\nMessage-ID: <{}@answer.example>\nIn-Reply-To: <{id}>\nReferences: <{id}>",
            from.address,
            maildesk::desk::inbound::Digest::of(text.as_bytes()).hex(),
            id = letter.message_id
        ),
        text,
    )
}
