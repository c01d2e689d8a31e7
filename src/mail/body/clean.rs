//! Lines as simple HTML for relaying. It is written anew from the words and never copied, so nothing a sender wrote
//! can be anything but text, a few known elements, a checked link or a `cid:` image (`hardening.md` S34).

use super::lines::{Block, Line, Rich, Run, Style};

/// No more HTML than this is made; the text goes alone then.
pub const LARGEST: usize = 512 * 1024;

/// The lines as HTML, `None` when a line has no formatting or all together have too much of it.
pub fn to_html<'l, 'a: 'l>(lines: impl Iterator<Item = &'l Line<'a>>) -> Option<String> {
    let mut page = Page::default();
    for line in lines {
        match &line.rich {
            Some(rich) if !line.is_blank() => page.line(rich),
            None if !line.is_blank() => return None,
            _ => page.blank(),
        }
        if page.out.len() > LARGEST {
            return None;
        }
    }
    page.enter(Open::Nothing);
    (!page.out.is_empty()).then_some(page.out)
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Open {
    #[default]
    Nothing,
    Paragraph,
    Bullets,
    Numbers,
    Table,
    Pre,
}

#[derive(Default)]
struct Page {
    out: String,
    open: Open,
    gap: bool,
}

impl Page {
    /// A blank line ends a paragraph; more of them are not kept.
    fn blank(&mut self) {
        self.gap = true;
    }

    fn enter(&mut self, wanted: Open) {
        if self.open == wanted && !(self.gap && wanted == Open::Paragraph) {
            return;
        }
        self.out.push_str(match self.open {
            Open::Nothing => "",
            Open::Paragraph => "</p>\n",
            Open::Bullets => "</ul>\n",
            Open::Numbers => "</ol>\n",
            Open::Table => "</table>\n",
            Open::Pre => "</pre>\n",
        });
        self.out.push_str(match wanted {
            Open::Nothing => "",
            Open::Paragraph => "<p>",
            Open::Bullets => "<ul>",
            Open::Numbers => "<ol>",
            Open::Table => "<table border=\"1\" cellpadding=\"4\" style=\"border-collapse:collapse\">",
            Open::Pre => "<pre>",
        });
        self.open = wanted;
    }

    fn line(&mut self, rich: &Rich) {
        let before = self.open;
        match rich.block {
            Block::Item { ordered, .. } => {
                self.wrapped(if ordered { Open::Numbers } else { Open::Bullets }, rich, "<li>", "</li>")
            }
            Block::Row => self.wrapped(Open::Table, rich, "<tr><td>", "</td></tr>"),
            Block::Preformatted => {
                let gap = self.gap && before == Open::Pre;
                self.wrapped(Open::Pre, rich, if gap { "\n" } else { "" }, "\n");
            }
            Block::Heading => {
                self.enter(Open::Nothing);
                self.wrapped(Open::Nothing, rich, "<h3>", "</h3>\n");
            }
            Block::Paragraph => {
                let same = before == Open::Paragraph && !self.gap;
                self.wrapped(Open::Paragraph, rich, if same { "<br>\n" } else { "" }, "");
            }
        }
        self.gap = false;
    }

    fn wrapped(&mut self, around: Open, rich: &Rich, before: &str, after: &str) {
        self.enter(around);
        self.out.push_str(before);
        for run in &rich.runs {
            self.run(run);
        }
        self.out.push_str(after);
    }

    fn run(&mut self, run: &Run) {
        match run {
            Run::Cell => self.out.push_str("</td><td>"),
            Run::Image { cid, alt } => {
                self.out.push_str("<img src=\"cid:");
                escape(cid, &mut self.out);
                self.out.push_str("\" alt=\"");
                escape(alt, &mut self.out);
                // A screenshot is wider than a phone.
                self.out.push_str("\" style=\"max-width:100%;height:auto\">");
            }
            Run::Text { text, style, link } => self.text(text, *style, link.as_deref()),
        }
    }

    fn text(&mut self, text: &str, style: Style, link: Option<&str>) {
        if let Some(link) = link {
            self.out.push_str("<a href=\"");
            escape(link, &mut self.out);
            self.out.push_str("\" rel=\"noopener noreferrer\">");
        }
        let tags =
            [(style.bold, "b"), (style.italic, "i"), (style.underline, "u"), (style.strike, "s"), (style.code, "code")];
        for (_, tag) in tags.iter().filter(|(on, _)| *on) {
            self.out.extend(["<", tag, ">"]);
        }
        escape(text, &mut self.out);
        for (_, tag) in tags.iter().rev().filter(|(on, _)| *on) {
            self.out.extend(["</", tag, ">"]);
        }
        if link.is_some() {
            self.out.push_str("</a>");
        }
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::html;
    use super::*;

    fn clean(source: &str) -> String {
        to_html(html::read(source).lines.iter()).unwrap_or_default()
    }

    #[test]
    fn formatting_is_kept() {
        let check = |source: &str, expect: &str| assert_eq!(clean(source), expect, "{source}");
        check("a<br>b", "<p>a<br>\nb</p>\n");
        check("<p>a</p><p><b>b</b> c</p>", "<p>a</p>\n<p><b>b</b> c</p>\n");
        check("<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>\n<p>c</p>\n");
        check(
            "<table><tr><td>a<td>b</table>",
            "<table border=\"1\" cellpadding=\"4\" style=\"border-collapse:collapse\"><tr><td>a</td><td>b</td></tr></table>\n",
        );
        check(
            "<img src=cid:x@y alt=s>",
            "<p><img src=\"cid:x@y\" alt=\"s\" style=\"max-width:100%;height:auto\"></p>\n",
        );
        check(
            "<a href='http://x/?a=1&b=2'>l</a>",
            "<p><a href=\"http://x/?a=1&amp;b=2\" rel=\"noopener noreferrer\">l</a></p>\n",
        );
        check("&lt;script&gt;", "<p>&lt;script&gt;</p>\n");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn s34_nothing_active_survives() {
        let mut cleaner = ammonia::Builder::default();
        cleaner.add_url_schemes(["cid"]).add_tag_attributes("table", ["style", "border", "cellpadding"]);
        cleaner.add_tag_attributes("img", ["style"]);
        for hostile in [
            "<script>alert(1)</script>x",
            "<img src=x onerror=alert(1)>",
            "<img src='http://t/x.gif' alt='\"><script>x</script>'>",
            "<a href=' javascript:alert(1)'>x</a>",
            "<a href=\"http://x/&quot;onmouseover=&quot;alert(1)\">x</a>",
            "<svg><script>x</script></svg>y",
            "<style>@import 'http://x'</style>y",
            "<img src='cid:a\"onload=\"x'>",
            "<form action=x><input name=y><button>z</button></form>",
            "<b onclick=x style='background:url(http://x)'>y</b>",
            "<scr<script>ipt>alert(1)</script>",
            "<iframe src='http://x'></iframe>y",
            "<pre>&lt;img src=x onerror=y&gt;</pre>",
        ] {
            let html = clean(hostile);
            let lower = html.to_lowercase();
            assert!(!lower.contains("<script") && !lower.contains("src=\"http") && !lower.contains("<form"), "{html}");
            // Nothing is left for a proper cleaner to take away.
            let text = |s: &str| s.replace("&nbsp;", " ").replace("&quot;", "\"").replace(['\n', ' '], "");
            assert_eq!(
                text(&cleaner.clean(&html).to_string()).replace("<tbody>", "").replace("</tbody>", ""),
                text(&html),
                "{hostile}"
            );
        }
    }
}
