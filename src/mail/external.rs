//! Files that a provider keeps and the mail only links to (`domain.md` 1.2, traps): they expire, and the desk has no copy.

use crate::desk::inbound::Body;

/// What stands in the new text of such a mail: words of QQ, NetEase, Lark and WeCom, and where their links lead.
const MARKS: &[&str] = &[
    "超大附件",
    "云附件",
    "Attachments from Lark Mail",
    "mail.qq.com/ftn",
    "mail.qq.com/cgi-bin/ftn",
    "mail.163.com/large-attachment",
    "mail.163.com/filehub",
    "fs.163.com/fs/",
    "feishu.cn/mail/page/attachment",
    "larksuite.com/mail/page/attachment",
    "work.weixin.qq.com/filepreview",
];

/// The bytes of a body looked at.
const READ_BYTES: usize = 256 * 1024;

/// The anomaly that says so.
pub const ANOMALY: &str = "external attachment: only a link, which expires";

/// Whether the new text, not the quote, brings such a file.
pub fn links_to_files(body: &Body) -> bool {
    let head = |text: &str| text[..text.floor_char_boundary(READ_BYTES)].to_owned();
    let texts = [Some(head(&body.text)), body.html.as_deref().map(head)];
    texts.iter().flatten().any(|text| MARKS.iter().any(|mark| text.contains(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_only_linked_to() {
        let body = |text: &str, html: Option<&str>| Body { text: text.into(), html: html.map(str::to_owned) };
        for (text, html) in [
            ("日志见附件\n\n从QQ邮箱发来的超大附件\nlogs.zip (1.2G, 2026年12月23日 10:00 到期)", None),
            ("从网易126邮箱发来的云附件\nvideo.mp4", None),
            ("见附件", Some("<p>见附件</p><a href=\"https://wx.mail.qq.com/ftn/download?func=3\">logs.zip</a>")),
            ("Attachments from Lark Mail\nlogs.zip", None),
            ("x", Some("<a href=\"https://work.weixin.qq.com/filepreview/security/abc\">图片</a>")),
        ] {
            assert!(links_to_files(&body(text, html)), "{text}");
        }
        for text in ["附件太大发不出去", "https://mail.qq.com 打不开", ""] {
            assert!(!links_to_files(&body(text, None)), "{text}");
        }
        links_to_files(&body(&"附".repeat(500_000), None));
    }
}
