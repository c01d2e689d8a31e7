//! What leaves the desk: every letter's words, its bytes, and what a mail program reads from them.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use maildesk::address::{Address, Mailbox, MessageId};
use maildesk::desk::command;
use maildesk::desk::inbound::{Attachment, Body, Digest};
use maildesk::desk::letter::{Closing, Content, CopyStage, Letter, NoticeReason};
use maildesk::desk::link::Key;
use maildesk::desk::ticket::{Number, Term};
use maildesk::desk::words::{Field, Language};
use maildesk::mail::{Composed, Rendered, TemplateFault, Templates, compose, render, samples};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

static TEMPLATES: LazyLock<Templates> =
    LazyLock::new(|| Templates::load(None).unwrap_or_else(|faults| panic!("built-in templates:\n{}", list(&faults))));

fn list(faults: &[TemplateFault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn words(letter: &Letter) -> Rendered {
    render(&TEMPLATES, letter, &samples::identity(), &Key([7; 32]), samples::now())
}

/// A letter as it leaves, its files in their places.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    message_id: MessageId,
    subject: String,
    envelope_from: Option<Address>,
    urgency: i64,
    bytes: Vec<u8>,
}

fn composed(letter: &Letter) -> Sent {
    composed_after(letter, &[])
}

/// The same after this conversation.
fn composed_after(letter: &Letter, conversation: &[MessageId]) -> Sent {
    let (desk, key) = (samples::identity(), Key([7; 32]));
    let composed = compose(&words(letter), letter, &desk, &key, conversation, samples::now());
    let Composed { message_id, subject, envelope_from, urgency, bytes } = composed;
    let file = |digest| letter.attachments.iter().find(|f| f.digest == digest).map(|f| f.bytes.clone());
    Sent { message_id, subject, envelope_from, urgency, bytes: bytes.join(file).expect("its own files only") }
}

/// The part of a message above its body.
fn header(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).expect("only ASCII leaves the desk");
    text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
}

/// The first sample of this kind in this language.
fn sample(kind: &str, language: Language) -> Letter {
    let found =
        samples::letter_samples().into_iter().find(|l| l.content.template() == kind && l.to.language == language);
    found.unwrap_or_else(|| panic!("no sample of {kind}"))
}

/// Writes every sample below the build folder (`target/tmp/letters`), to look at in a browser and a mail program.
#[test]
fn every_letter_reads_well_in_both_languages() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("letters");
    std::fs::create_dir_all(&folder).unwrap();
    let mut kinds = BTreeSet::new();
    for (index, letter) in samples::letter_samples().iter().enumerate() {
        let words = words(letter);
        let kind = format!("{}-{}", letter.content.template(), letter.to.language.as_str());
        let file = |extension: &str| folder.join(format!("{index:03}-{kind}.{extension}"));
        std::fs::write(file("txt"), format!("{}\n\n{}", words.subject, words.text)).unwrap();
        std::fs::write(file("html"), &words.html).unwrap();
        std::fs::write(file("eml"), composed(letter).bytes).unwrap();
        for text in [&words.subject, &words.text, &words.html] {
            for slip in ["{{", "}}", "{%", "{#", "null", "None", "undefined", "  ，", "，，", " ,", "。。"] {
                assert!(!text.contains(slip), "{kind} has {slip:?}:\n{text}");
            }
        }
        assert!(!words.text.contains("\n\n\n") && !words.subject.contains('\n'), "{kind}:\n{}", words.text);
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 2 * 50, "{kinds:?}");
}

/// What Outlook, QQ, NetEase and phones show alike: nothing from outside, no script, no style sheet, tables.
#[test]
fn html_is_plain_enough_for_every_client() {
    for letter in samples::letter_samples() {
        let html = words(&letter).html;
        let kind = letter.content.template();
        for absent in
            ["<script", "<style", "<link", "<form", "src=\"http", "url(", "position:", "float:", "flex", "class="]
        {
            assert!(!html.contains(absent), "{kind} has {absent}");
        }
        assert!(html.contains(&format!("<html lang=\"{}\">", letter.to.language.as_str())), "{kind}");
        assert!(html.contains("max-width:640px") && html.contains("font-size:16px"), "{kind}");
        for link in html.split("href=\"").skip(1) {
            let ours = ["s", "a", "k"].map(|page| format!("https://desk.corp.example/{page}/"));
            let tap = kind == "notice" && link.starts_with("mailto:it%2B");
            assert!(tap || ours.iter().any(|page| link.starts_with(page)), "{kind} links to {link:.60}");
        }
    }
}

#[test]
fn the_reference_and_how_to_reply_stand_in_every_letter_about_a_ticket() {
    for letter in samples::letter_samples() {
        let words = words(&letter);
        let Some(ticket) = &letter.ticket else { continue };
        let reference = Key([7; 32]).reference(ticket.number, &letter.to.mailbox.address);
        assert!(words.text.contains(&reference) && words.html.contains(&reference), "{}", letter.content.template());
        assert!(words.subject.starts_with("[IT001] "), "{}", words.subject);
    }
}

/// The fields of every kind of letter that machines look at (`hardening.md` L9-L12).
#[test]
fn l28_golden_header_of_every_kind() {
    let replied = "auto-replied | All";
    let generated = "auto-generated | All";
    let human = "- | OOF, AutoReply";
    let expected = BTreeMap::from([
        ("acknowledgement", (replied, "IT Service Desk", 3)),
        ("approval_code", (generated, "IT Service Desk", 2)),
        ("approval_news", (generated, "IT Service Desk", 3)),
        ("approval_overdue", (generated, "IT Service Desk", 2)),
        ("approval_receipt", (generated, "IT Service Desk", 3)),
        ("approval_refused", (generated, "IT Service Desk", 3)),
        ("approval_request", (generated, "IT Service Desk", 2)),
        ("answer", (human, "Daniel Novak (IT Service Desk)", 1)),
        ("article", (generated, "IT Service Desk", 3)),
        ("article_helped", (generated, "IT Service Desk", 3)),
        ("cancelled", (human, "Daniel Novak (IT Service Desk)", 1)),
        ("clarify", (replied, "IT Service Desk", 3)),
        ("closed", (replied, "IT Service Desk", 4)),
        ("confirm_command", (generated, "IT Service Desk", 2)),
        ("confirm_reminder", (generated, "IT Service Desk", 4)),
        ("digest", (generated, "IT Service Desk", 3)),
        ("dissatisfied", (generated, "IT Service Desk", 2)),
        ("impersonated", (generated, "IT Service Desk", 2)),
        ("merged", (generated, "IT Service Desk", 3)),
        ("message", (human, "Helen Carter (IT Service Desk)", 1)),
        ("notice", (generated, "IT Service Desk", 2)),
        ("reopened", (generated, "IT Service Desk", 3)),
        ("review", (generated, "IT Service Desk", 3)),
        ("review_plan", (generated, "IT Service Desk", 3)),
        ("resolution", (human, "Daniel Novak (IT Service Desk)", 1)),
        ("taken_back", (generated, "IT Service Desk", 2)),
        ("too_large", (replied, "IT Service Desk", 4)),
        ("transcript", (generated, "IT Service Desk", 2)),
        ("undelivered", (generated, "IT Service Desk", 2)),
        ("unheard", (generated, "IT Service Desk", 2)),
        ("visit", (generated, "IT Service Desk", 3)),
        ("visit_answer", (generated, "IT Service Desk", 2)),
        ("visit_over", (generated, "IT Service Desk", 3)),
        ("visit_reminder", (generated, "IT Service Desk", 1)),
        ("workaround", (human, "Daniel Novak (IT Service Desk)", 1)),
    ]);
    let mut found = BTreeMap::new();
    for kind in expected.keys().copied() {
        let letter = sample(kind, Language::English);
        let composed = composed(&letter);
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        let field = |name: &str| message.header(name).and_then(|h| h.as_text()).unwrap_or("-").to_owned();
        let machines = format!("{} | {}", field("Auto-Submitted"), field("X-Auto-Response-Suppress"));
        assert_eq!(field("X-Maildesk-Loop"), "it@corp.example", "{kind}");
        assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("it@corp.example"), "{kind}");
        assert_eq!(message.date().unwrap().to_timestamp(), samples::now().millis() / 1000, "{kind}");
        let sender = composed.envelope_from.map(|a| a.to_string());
        assert_eq!(sender.as_deref(), (kind != "too_large").then_some("it@corp.example"), "{kind}");
        let from = message.from().unwrap().first().unwrap();
        assert_eq!(from.address(), Some("it@corp.example"), "{kind}");
        found.insert(kind, (machines, from.name().unwrap_or("").to_owned(), composed.urgency));
    }
    let found: BTreeMap<_, _> = found.iter().map(|(k, (m, f, u))| (*k, (m.as_str(), f.as_str(), *u))).collect();
    assert_eq!(found, expected);
}

#[test]
fn l28_golden_header_whole() {
    let mut letter = sample("answer", Language::Chinese);
    letter.key = "IT001/answer/1".into();
    let earlier = MessageId::parse("report@corp.example").unwrap();
    letter.answers = Some(earlier.clone());
    let composed = composed_after(&letter, &[earlier]);
    let expected = "Date: Mon, 23 Nov 2026 14:00:00 +0800\r\n\
        From: =?utf-8?B?546L5by6IChJVCDmnI3liqHlj7Ap?= <it@corp.example>\r\n\
        To: =?utf-8?B?6ZmI5pmT5qKF?= <chen.xiaomei@corp.example>\r\n\
        Reply-To: =?utf-8?B?SVQg5pyN5Yqh5Y+w?= <it@corp.example>\r\n\
        Subject: [IT001] =?utf-8?B?5LiJ5qW86LSi5Yqh6YOo5omT5Y2w5py65omT5LiN5Ye6?=\r\n \
        =?utf-8?B?5p2l?=\r\n\
        Message-ID: <it001.hfanja5m33gxr6zf.swn6zzv2kvvmst3y@corp.example>\r\n\
        In-Reply-To: <report@corp.example>\r\n\
        References: <report@corp.example>\r\n\
        X-Auto-Response-Suppress: OOF, AutoReply\r\n\
        X-Maildesk-Loop: it@corp.example\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative;\r\n \
        boundary=\"=_alt_it001hfanja5m33gxr6zfswn6zzv2kvvmst3ycorpexample\"";
    assert_eq!(header(&composed.bytes), expected);
    assert_eq!(composed.subject, "[IT001] 三楼财务部打印机打不出来");
}

#[test]
fn l28_message_ids_are_unique_and_every_line_is_bounded_ascii() {
    let mut ids = HashSet::new();
    for letter in samples::letter_samples() {
        let composed = composed(&letter);
        assert!(ids.insert(composed.message_id.clone()), "{}", composed.message_id);
        let text = String::from_utf8(composed.bytes).unwrap();
        assert!(text.is_ascii() && !text.contains('\0'), "{}", letter.content.template());
        for line in text.split("\r\n") {
            assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{}", letter.content.template());
        }
    }
}

#[test]
fn emergencies_are_marked_and_leave_first() {
    let mut letter = sample("notice", Language::English);
    letter.ticket.as_mut().unwrap().priority = maildesk::desk::words::Priority::P1;
    let composed = composed(&letter);
    assert_eq!(composed.urgency, 0);
    assert!(header(&composed.bytes).contains("\r\nX-Priority: 1\r\nImportance: high\r\n"));
}

#[test]
fn the_same_letter_has_the_same_bytes() {
    for letter in [with_files(Language::Chinese), sample("resolution", Language::English)] {
        assert_eq!(composed(&letter), composed(&letter.clone()));
    }
}

#[test]
fn references_name_the_first_and_the_latest_messages() {
    let letter = sample("message", Language::English);
    let id = |n: usize| MessageId::parse(&format!("m{n}@corp.example")).unwrap();
    let conversation: Vec<MessageId> = (0..50).map(id).chain([id(3)]).collect();
    let compose = |letter: &Letter, conversation: &[MessageId]| {
        let composed = composed_after(letter, conversation);
        let message = MessageParser::default().parse(&composed.bytes).unwrap().into_owned();
        let references: Vec<String> =
            message.references().clone().into_text_list().unwrap_or_default().iter().map(ToString::to_string).collect();
        (message.in_reply_to().as_text().map(str::to_owned), references)
    };
    let (answered, references) = compose(&letter, &conversation);
    assert_eq!(answered.as_deref(), Some("m3@corp.example"));
    assert_eq!(references.len(), 20);
    assert_eq!((references[0].as_str(), references[19].as_str()), ("m0@corp.example", "m3@corp.example"));
    let foreign = MessageId::parse("消息@corp.example").unwrap();
    let (answered, references) =
        compose(&Letter { answers: Some(foreign.clone()), ..letter.clone() }, &[id(1), foreign]);
    assert_eq!((answered.as_deref(), references.len()), (Some("m1@corp.example"), 1));
    assert_eq!(compose(&letter, &[]), (None, Vec::new()));
}

/// What was sent along, without the entry for the calendar.
fn files<'m>(message: &'m Message<'m>) -> impl Iterator<Item = &'m MessagePart<'m>> {
    let is_entry =
        |part: &&MessagePart| part.content_type().is_some_and(|t| matches!(t.subtype(), Some("calendar" | "ics")));
    message.attachments().filter(move |part| !is_entry(part))
}

fn attachment(name: &str, media_type: &str, bytes: &[u8], content_id: Option<&str>) -> Arc<Attachment> {
    Arc::new(Attachment {
        name: name.into(),
        media_type: media_type.into(),
        bytes: bytes.to_vec(),
        digest: Digest::of(bytes),
        inline: content_id.is_some(),
        content_id: content_id.map(str::to_owned),
    })
}

/// An answer with an image shown in it and files beside it.
fn with_files(language: Language) -> Letter {
    let mut letter = sample("answer", language);
    let every_byte: Vec<u8> = (0..=255).cycle().take(5000).collect();
    letter.attachments = vec![
        attachment("端口.png", "image/png", b"\x89PNG port", Some("port@corp.example")),
        attachment("安装步骤（第二版）.docx", "application/vnd.ms-word", &every_byte, None),
        attachment("log \"1\".txt", "text/plain", b"one\ntwo\r\n", None),
        attachment("empty.bin", "", b"", None),
        attachment("unused.png", "image/png", b"\x89PNG", Some("unused@corp.example")),
    ];
    letter
}

#[test]
fn a_mail_program_reads_back_what_was_said() {
    let mut letters = samples::letter_samples();
    letters.extend([with_files(Language::Chinese), with_files(Language::English)]);
    for letter in letters {
        let (words, composed) = (words(&letter), composed(&letter));
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        let kind = letter.content.template();
        let read = |text: Option<std::borrow::Cow<str>>| text.map(|t| t.replace("\r\n", "\n").trim_end().to_owned());
        assert_eq!(message.subject(), Some(words.subject.as_str()), "{kind}");
        assert_eq!(message.message_id(), Some(composed.message_id.as_str()), "{kind}");
        assert_eq!(read(message.body_text(0)).as_deref(), Some(words.text.trim_end()), "{kind}");
        assert_eq!(read(message.body_html(0)).as_deref(), Some(words.html.trim_end()), "{kind}");
        let to = message.to().unwrap().first().unwrap();
        assert_eq!(to.address(), Some(letter.to.mailbox.address.as_str()), "{kind}");
        let sent: Vec<_> = files(&message).collect();
        assert_eq!(sent.len(), letter.attachments.len(), "{kind}");
        for original in &letter.attachments {
            let part = sent.iter().find(|p| p.attachment_name() == Some(&original.name)).expect(&original.name);
            assert_eq!(part.contents(), original.bytes, "{}", original.name);
            let shown = original.content_id.as_deref() == Some("port@corp.example");
            assert_eq!(part.content_id(), original.content_id.as_deref().filter(|_| shown), "{}", original.name);
            assert_eq!(part.content_disposition().unwrap().ctype() == "inline", shown, "{}", original.name);
        }
    }
}

#[test]
fn inline_images_stand_beside_the_html_and_files_outside() {
    let composed = composed(&with_files(Language::English));
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    let types: Vec<String> = message
        .parts
        .iter()
        .map(|part| {
            let parts = if let PartType::Multipart(children) = &part.body {
                format!(" {}", children.len())
            } else {
                String::new()
            };
            format!("{}{parts}", part.content_type().and_then(|c| c.subtype()).unwrap_or("?"))
        })
        .collect();
    let expected = "mixed 5, related 2, alternative 2, plain, html, png, vnd.ms-word, plain, octet-stream, png";
    assert_eq!(types.join(", "), expected);
}

#[test]
fn s36_what_could_run_is_only_ever_a_file() {
    let mut letter = sample("answer", Language::English);
    let svg = attachment("a.svg", "image/svg+xml", b"<svg/>", Some("port@corp.example"));
    let page = attachment("a.html", "text/html", b"<script>", None);
    let mail = attachment("a.eml", "message/rfc822", b"Subject: x\r\n\r\ny", None);
    letter.attachments = vec![svg, page, mail];
    let composed = composed(&letter);
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    assert_eq!(message.attachment_count(), 3);
    assert!(message.attachments().all(|p| p.content_disposition().unwrap().ctype() == "attachment"));
    let text = String::from_utf8(composed.bytes.clone()).unwrap();
    assert!(!text.contains("message/rfc822"), "must not be in base64 (RFC 2046 section 5.2.1)");
}

/// A letter of this kind with `text` in everything that somebody outside the desk chooses.
fn poisoned(mut letter: Letter, text: &str) -> Letter {
    let evil = || text.to_owned();
    let body_of = |body: &mut Body| *body = Body { text: text.to_owned(), html: None };
    letter.to.mailbox.name = evil();
    if let Some(ticket) = &mut letter.ticket {
        ticket.subject = evil();
        ticket.requester.name = evil();
        ticket.fields = Field::ALL.iter().map(|field| (*field, evil())).collect();
    }
    match &mut letter.content {
        Content::Notice { body, kept, warnings, reason, .. } => {
            body_of(body);
            (*kept, *warnings) = (vec![evil()], vec![evil()]);
            match reason {
                NoticeReason::Assigned { by, note } => (*by, *note) = (evil(), evil()),
                NoticeReason::Reopened { comment } => *comment = evil(),
                NoticeReason::Merged { requester, .. } => *requester = evil(),
                _ => {}
            }
        }
        Content::Answer { author, body, kept } | Content::Message { author, body, kept, .. } => {
            body_of(body);
            (*author, *kept) = (evil(), vec![evil()]);
        }
        Content::Copied { author, body, kept, stage } => {
            body_of(body);
            *kept = vec![evil()];
            if *stage != CopyStage::Reopened {
                *author = evil();
            }
        }
        Content::FilesKept { names, .. } => *names = vec![evil()],
        Content::FollowUp { engineer, comment, .. } => (*engineer, *comment) = (Some(evil()), evil()),
        Content::Workaround { author, body }
        | Content::Proposal { author, body, .. }
        | Content::Resolution { author, body, .. }
        | Content::Cancelled { author, body } => {
            body_of(body);
            *author = evil();
        }
        Content::Merged { said: Some(said), .. } => {
            body_of(&mut said.body);
            said.author = evil();
        }
        Content::Unheard { body, .. } => body_of(body),
        Content::TakenBack { comment, .. } => *comment = evil(),
        Content::ConfirmCommand { body, commands, .. } | Content::Impersonated { body, commands, .. } => {
            body_of(body);
            *commands = vec![evil()];
        }
        Content::Transcript { lines, held_back, status, list, .. } => {
            held_back.iter_mut().for_each(body_of);
            lines.iter_mut().for_each(|line| line.line = evil());
            status.iter_mut().flatten().for_each(|line| (line.who, line.why) = (evil(), evil()));
            list.iter_mut().flatten().for_each(|line| (line.subject, line.requester) = (evil(), evil()));
        }
        Content::Closed { closing: Closing::ByEngineer { author, body } } => {
            body_of(body);
            *author = evil();
        }
        Content::Dissatisfied { comment, .. } => *comment = evil(),
        Content::Visit { said, entry, .. } => {
            entry.attendees.iter_mut().for_each(|attendee| attendee.name = evil());
            if let Some(said) = said {
                body_of(&mut said.body);
                said.author = evil();
            }
        }
        Content::VisitAnswer { author, comment, .. } => (*author, *comment) = (evil(), evil()),
        Content::ApprovalRequest { module, request, note, engineer, others, .. } => {
            body_of(request);
            (*module, *note, *engineer, *others) = (evil(), evil(), Some(evil()), vec![evil()]);
        }
        Content::ApprovalNews { module, by, comment, request, .. } => {
            request.iter_mut().for_each(body_of);
            (*module, *by, *comment) = (evil(), evil(), evil());
        }
        Content::ApprovalReceipt { module, by, comment, .. } => {
            (*module, *by, *comment) = (evil(), evil(), evil());
        }
        Content::ApprovalOverdue { module, owners, engineer, .. } => {
            (*module, *owners, *engineer) = (evil(), vec![evil()], Some(evil()));
        }
        Content::Handover { before, body, history, .. } => {
            body_of(body);
            *before = evil();
            history.iter_mut().for_each(|line| (line.who, line.why) = (evil(), evil()));
        }
        Content::Completed { author, facts, odd, body, kept, .. } => {
            body.iter_mut().for_each(body_of);
            facts.iter_mut().for_each(|fact| fact.value = evil());
            odd.iter_mut().for_each(|odd| *odd = evil());
            (*author, *kept) = (evil(), kept.iter().map(|_| evil()).collect());
        }
        Content::Acknowledgement { behalf: Some(behalf), .. } => {
            behalf.by = behalf.by.as_ref().map(|_| evil());
            behalf.way = behalf.way.as_ref().map(|_| evil());
        }
        Content::Undelivered { recipient, reason, .. } => (*recipient, *reason) = (evil(), evil()),
        _ => {}
    }
    letter.attachments = vec![attachment(text, text, b"x", Some(text)), attachment(text, "image/png", b"x", None)];
    letter
}

#[test]
fn s34_no_markup_of_a_stranger_works() {
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "<a href=\" javascript:alert(1)\">x</a>",
        "</td></table><style>@import 'http://evil'</style>",
        "' onmouseover='alert(1)",
        "<!--[if mso]><script>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
    ];
    for letter in samples::letter_samples() {
        let markup = |html: &str| html.matches('<').count() + html.matches('"').count() + html.matches('\'').count();
        let plain = markup(&words(&poisoned(letter.clone(), "x")).html);
        for payload in payloads {
            let html = words(&poisoned(letter.clone(), payload)).html;
            assert_eq!(markup(&html), plain, "{} with {payload}:\n{html}", letter.content.template());
        }
    }
}

#[test]
fn s41_nothing_of_a_stranger_makes_a_header() {
    for text in [
        "x\r\nBcc: evil@evil.example",
        "x\nBcc: evil@evil.example\n\nbody",
        "a\0b\r\n\r\nc",
        "中\r\nBcc: evil@evil.example",
    ] {
        for letter in samples::letter_samples() {
            let bytes = composed(&poisoned(letter.clone(), text)).bytes;
            let message = MessageParser::default().parse(&bytes).unwrap();
            let kind = letter.content.template();
            assert!(message.bcc().is_none() && message.header("Bcc").is_none(), "{kind} {text:?}");
            for part in &message.parts {
                assert!(part.headers.iter().all(|h| h.name() != "Bcc"), "{kind} {text:?}");
            }
            assert_eq!(message.to().map(|to| to.iter().count()), Some(1), "{kind} {text:?}");
            assert!(!message.subject().unwrap().contains(char::is_control), "{kind}");
            assert_eq!(files(&message).count(), 2, "{kind} {text:?}");
        }
    }
}

#[test]
fn s43_mail_text_is_never_a_template() {
    for text in
        ["{{ 7*7 }}", "{% include \"shared/layout.html\" %}", "{{ __tera_context }}", "{# gone #}", "{{ reference }}"]
    {
        for letter in samples::letter_samples() {
            let words = words(&poisoned(letter.clone(), text));
            assert!(!words.text.contains("49") && !words.text.contains("zh-CN"), "{}", words.text);
            if let Content::Answer { .. } | Content::Message { .. } | Content::Notice { .. } = letter.content {
                assert!(words.text.contains(text), "{text} is gone from:\n{}", words.text);
                assert!(words.html.contains(&text.replace('"', "&quot;")), "{text} is gone from:\n{}", words.html);
            }
        }
    }
}

#[test]
fn s44_the_desk_never_sends_an_outsider_their_own_words() {
    let evil = "Win a prize at http://evil.example";
    for letter in samples::letter_samples() {
        let to_requester = letter.ticket.as_ref().is_some_and(|t| t.requester.address == letter.to.mailbox.address);
        let by_itself = letter.content.author().is_none();
        if !to_requester || !by_itself {
            continue;
        }
        let mut letter = poisoned(letter, evil);
        letter.attachments.clear();
        letter.to.mailbox.address = Address::parse("someone@elsewhere.example").unwrap();
        letter.ticket.as_mut().unwrap().requester = letter.to.mailbox.clone();
        if let Content::Acknowledgement { outsider, missing, .. } = &mut letter.content {
            (*outsider, *missing) = (true, Vec::new());
        }
        // What an owner adds are a colleague's words.
        if let Content::ApprovalNews { module, by, comment, .. } = &mut letter.content {
            (*module, *by, *comment) = ("ERP".into(), "Li".into(), "next month".into());
        }
        let (words, composed) = (words(&letter), composed(&letter));
        for said in [&words.subject, &words.text, &words.html, &header(&composed.bytes)] {
            assert!(!said.contains("prize") && !said.contains("evil"), "{}:\n{said}", letter.content.template());
        }
    }
}

#[test]
fn s49_text_cannot_be_turned_or_hidden() {
    let tricky = ['\u{202e}', '\u{202a}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{7}', '\u{1b}'];
    let text = "inv\u{202e}fdp\u{200b}.exe\u{2066}\u{7}\u{1b}[2J\u{feff}\u{202a}";
    for letter in samples::letter_samples() {
        let kind = letter.content.template();
        let letter = poisoned(letter, text);
        let (mut words, composed) = (words(&letter), composed(&letter));
        // Zero-width characters inside a person's own text are left alone; they turn nothing.
        words.text = words.text.replace(['\u{200b}', '\u{feff}'], "");
        words.html = words.html.replace(['\u{200b}', '\u{feff}'], "");
        for said in [&words.subject, &words.text, &words.html] {
            assert!(!said.contains(tricky), "{kind}: {said:?}");
        }
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        let from = message.from().unwrap().first().unwrap().name().unwrap_or("");
        let to = message.to().unwrap().first().unwrap().name().unwrap_or("");
        assert!(!from.contains(tricky) && !to.contains(tricky), "{kind}");
        assert!(files(&message).all(|a| !a.attachment_name().unwrap().contains(tricky)), "{kind}");
    }
}

#[test]
fn s67_nothing_internal_reaches_the_requester() {
    let secret = "SECRET-NOTE";
    for mut letter in samples::letter_samples() {
        let Some(ticket) = &mut letter.ticket else { continue };
        if ticket.requester.address != letter.to.mailbox.address {
            continue;
        }
        ticket.matched =
            vec![Term { term: secret.into(), points_to: secret.into(), weight: 1.0, place: "body".into() }];
        ticket.assignee = Address::parse("secret-note@corp.example");
        ticket.related = Some(Number(987));
        let words = words(&letter);
        for said in
            [words.text.to_uppercase(), words.html.to_uppercase(), header(&composed(&letter).bytes).to_uppercase()]
        {
            assert!(!said.contains(secret) && !said.contains("IT987"), "{}:\n{said}", letter.content.template());
        }
    }
}

#[test]
fn an_endless_text_is_cut_and_says_so() {
    let endless = "错误 0x80070005 ".repeat(200_000);
    let Rendered { text, html, .. } = words(&poisoned(sample("message", Language::Chinese), &endless));
    assert!(text.len() < 300_000 && html.len() < 320_000, "{} {}", text.len(), html.len());
    assert!(text.contains("全文已存档") && html.contains("全文已存档"));
}

// The templates themselves

/// A folder of our own with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, source) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, source).unwrap();
    }
    folder
}

fn faults(files: &[(&str, &str)]) -> Vec<String> {
    match Templates::load(Some(folder(files).path())) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|f| format!("{}:{} {}", f.file, f.line, f.message)).collect(),
    }
}

#[test]
fn a_sites_templates_take_the_place_of_the_built_in_ones() {
    let own = folder(&[("closed/en/text.txt", "Bye, {{ reader.name }}. {{ reference }}\r\n"), (".git/config", "x")]);
    let templates = Templates::load(Some(own.path())).unwrap();
    let letter = sample("closed", Language::English);
    let rendered = render(&templates, &letter, &samples::identity(), &Key([7; 32]), samples::now());
    assert_eq!(rendered.text, "Bye, Helen Carter. IT001-HFANJA5M\n");
    assert_eq!(rendered.html, words(&letter).html);
}

#[test]
fn every_fault_of_a_sites_templates_is_named_with_file_and_line() {
    let found = faults(&[
        ("answer/en/text.txt", "Hello\n{% if letter.kept %}\nno end"),
        ("closed/en/html.html", "<p>\n{{ reader.nickname }}"),
        ("message/en/text.txt", "\n\n{{ letter.author | shout }}"),
        ("notice/en/text.txt", "{% if letter.reason.why == \"unassigned\" %}\n{{ supervisor }}\n{% endif %}"),
        ("notice/fr/text.txt", "Bonjour"),
        ("clarify/en/text.txt", "{% include \"shared/en/nothing.txt\" %}"),
    ]);
    let expected = [
        ("answer/en/text.txt:3", ""),
        ("clarify/en/text.txt:1", "Unknown template `shared/en/nothing.txt`"),
        ("closed/en/html.html:2", "nickname"),
        ("message/en/text.txt:3", "Unknown filter `shout`"),
        ("notice/en/text.txt:2", "supervisor"),
        ("notice/fr/text.txt:0", "no letter uses a template of this name"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (place, words)) in found.iter().zip(expected) {
        assert!(found.starts_with(place) && found.contains(words), "{found} is not {place} {words}");
    }
    let missing = Templates::load(Some(Path::new("/nonexistent/templates"))).unwrap_err();
    assert_eq!(missing.len(), 1, "{missing:?}");
}

#[test]
fn a_template_that_fails_on_the_day_is_replaced_by_the_built_in_one() {
    let own = folder(&[("closed/en/text.txt", "{% if reader.name == \"Zed\" %}{{ oops }}{% endif %}Bye")]);
    let templates = Templates::load(Some(own.path())).unwrap();
    let mut letter = sample("closed", Language::English);
    let text = |letter: &Letter| render(&templates, letter, &samples::identity(), &Key([7; 32]), samples::now()).text;
    assert_eq!(text(&letter), "Bye\n");
    letter.to.mailbox = Mailbox::new(letter.to.mailbox.address.clone(), "Zed");
    assert_eq!(text(&letter), words(&letter).text);
}

fn template_files() -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut files = BTreeMap::new();
    walk(&root, &root, &mut files);
    files
}

#[test]
fn every_template_file_is_built_in() {
    let built_in: BTreeSet<String> = Templates::names().map(str::to_owned).collect();
    let mut files: BTreeSet<String> = template_files().into_keys().collect();
    assert!(files.remove("README.md"));
    assert_eq!(files, built_in);
}

/// A fault in a branch that no sample takes would be found by the first reader who needs it, so samples take all:
/// a mark behind every `if`, `elif`, `else` and `for` tag must show up in some letter.
#[test]
fn the_samples_take_every_branch_of_every_template() {
    let mut marks = BTreeSet::new();
    let mut marked: Vec<(String, String)> = Vec::new();
    for (name, source) in template_files().into_iter().filter(|(name, _)| name != "README.md") {
        let mut text = String::new();
        for (index, piece) in source.split("%}").enumerate() {
            if index > 0 {
                text.push_str("%}");
            }
            let tag = text.rsplit("{%").next().unwrap_or("").trim_matches(['-', ' ', '%', '}']).to_owned();
            let branch = ["if ", "elif ", "else", "for "].iter().any(|word| tag.starts_with(word));
            if index > 0 && branch && text.ends_with("%}") {
                let mark = format!("⟦{}:{}⟧", name, text.lines().count());
                text.push_str(&mark);
                marks.insert(mark);
            }
            text.push_str(piece);
        }
        marked.push((name, text));
    }
    let files: Vec<(&str, &str)> = marked.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let templates = Templates::load(Some(folder(&files).path())).unwrap_or_else(|faults| panic!("{}", list(&faults)));
    for letter in samples::letter_samples() {
        let words = render(&templates, &letter, &samples::identity(), &Key([7; 32]), samples::now());
        for text in [words.subject, words.text, words.html] {
            marks.retain(|mark| !text.contains(mark.as_str()));
        }
    }
    for (name, view) in samples::page_samples() {
        let page = templates.page(&name, &view).unwrap();
        marks.retain(|mark| !page.contains(mark.as_str()));
    }
    assert!(marks.is_empty(), "no sample takes these branches: {marks:#?}");
}

/// Whatever a letter tells engineers to write is understood by the desk, and the card names every command.
#[test]
fn commands_in_letters_are_commands_of_the_desk() {
    for letter in samples::letter_samples() {
        let help = match &letter.content {
            Content::Transcript { help, held_back: None, .. } => *help,
            Content::Notice { .. } | Content::Message { .. } | Content::Dissatisfied { .. } => false,
            _ => continue,
        };
        let words = words(&letter);
        for text in [&words.text, &words.html] {
            let text = text.replace("&#", "");
            let named: BTreeSet<&str> = text
                .split('#')
                .skip(1)
                .map(|rest| rest.split(|c: char| !c.is_alphabetic()).next().unwrap_or(""))
                // Colours of the HTML.
                .filter(|word| command::canonical(word).is_some() || !word.chars().all(|c| c.is_ascii_hexdigit()))
                .collect();
            let unknown: Vec<_> = named.iter().filter(|word| command::canonical(word).is_none()).collect();
            assert!(unknown.is_empty(), "{unknown:?} in\n{text}");
            if help {
                let card = command::NAMES.iter().flat_map(|(_, names)| &names[..2]);
                let missing: Vec<_> = card.filter(|name| !named.contains(*name)).collect();
                assert!(missing.is_empty(), "{missing:?} not in\n{text}");
            }
        }
    }
}

// What comes back

/// A person answers a letter of ours on top, in the ways clients quote: only the new words are read, and the
/// reference is found.
#[test]
fn an_answer_to_any_letter_gives_only_the_new_words() {
    for letter in samples::letter_samples() {
        let words = words(&letter);
        let Some(ticket) = &letter.ticket else { continue };
        let quoted: String = words.text.lines().map(|line| format!("> {line}\n")).collect();
        let plain = |attribution: &str, quote: &str| format!("好的，已经可以了。\n\n{attribution}\n{quote}");
        let header = "发件人: IT 服务台 <it@corp.example>\n发送时间: 2026年11月23日 14:00\n收件人: a@corp.example\n主题: [IT001] x\n";
        let texts = [
            plain("在 2026-11-23 14:00:00，\"IT 服务台\" <it@corp.example> 写道：", &quoted),
            plain("On Mon, Nov 23, 2026 at 2:00 PM IT Service Desk <it@corp.example> wrote:", &quoted),
            plain("________________________________", &format!("{header}\n{}", words.text)),
            plain("------------------ 原始邮件 ------------------", &format!("{header}\n{}", words.text)),
        ];
        let inner = words.html.split("<body").nth(1).and_then(|b| b.split_once('>')).unwrap().1;
        let inner = inner.split("</body>").next().unwrap();
        let rich = |before: &str| format!("<div>好的，已经可以了。</div>{before}{inner}</div></body></html>");
        let pages = [
            rich("<div class=\"gmail_quote\"><div class=\"gmail_attr\">On Mon, Nov 23, 2026, IT wrote:<br></div>"),
            rich("<hr><div id=\"divRplyFwdMsg\"><b>发件人:</b> IT<br></div><div>"),
            rich(
                "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt\"><p><b>发件人:</b> IT 服务台 &lt;it@corp.example&gt;<br>\
                 <b>发送时间:</b> 2026年11月23日 14:00<br><b>收件人:</b> a<br><b>主题:</b> x</p></div><div>",
            ),
            rich("<div id=\"divNeteaseMailCard\"></div><blockquote id=\"isReplyContent\"><div>"),
        ];
        let reference = Key([7; 32]).reference(ticket.number, &letter.to.mailbox.address);
        for text in texts.into_iter().chain(pages) {
            let kind = if text.starts_with('<') { "html" } else { "plain" };
            let raw = format!(
                "From: a@corp.example\r\nTo: it@corp.example\r\nSubject: Re: [IT001] x\r\nMessage-ID: <r@corp.example>\r\n\
                 In-Reply-To: <x@y>\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
                text.replace('\n', "\r\n")
            );
            let inbound = maildesk::mail::parse(raw.as_bytes());
            assert_eq!(inbound.body.text.trim(), "好的，已经可以了。", "{}:\n{text}", letter.content.template());
            assert!(inbound.commands.is_empty(), "{:?}", inbound.commands);
            assert!(inbound.references_in_text.contains(&reference), "{:?}", inbound.references_in_text);
        }
    }
}

#[test]
fn l1_the_desk_knows_its_own_letters() {
    for letter in samples::letter_samples() {
        let inbound = maildesk::mail::parse(&composed(&letter).bytes);
        assert_eq!(inbound.kind, maildesk::desk::inbound::Kind::Own, "{}", letter.content.template());
        assert!(inbound.anomalies.is_empty(), "{}: {:?}", letter.content.template(), inbound.anomalies);
    }
}

// The entry for the calendar

/// The calendar parts of a letter, as a mail program finds them: method in the type, text.
fn calendar_parts(letter: &Letter) -> Vec<(String, String)> {
    let composed = composed(letter);
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    let is_entry =
        |part: &&MessagePart| part.content_type().is_some_and(|t| matches!(t.subtype(), Some("calendar" | "ics")));
    let read = |part: &MessagePart| {
        let kind = part.content_type().unwrap();
        let method = kind.attribute("method").unwrap_or(part.attachment_name().unwrap_or(""));
        let text =
            part.text_contents().map_or_else(|| String::from_utf8(part.contents().to_vec()).unwrap(), str::to_owned);
        (method.to_owned(), text.replace("\r\n", "\n"))
    };
    message.parts.iter().filter(is_entry).map(read).collect()
}

/// Read back by somebody else's parser.
#[test]
fn an_invitation_says_the_same_to_calendar_programs() {
    use icalendar::{CalendarDateTime, Component, DatePerhapsTime};
    for letter in samples::letter_samples() {
        let Content::Visit { visit, entry, .. } = &letter.content else {
            assert!(calendar_parts(&letter).is_empty(), "{}", letter.content.template());
            continue;
        };
        let cancels = entry.method == maildesk::desk::letter::Method::Cancel;
        let method = if cancels { "CANCEL" } else { "REQUEST" };
        let parts = calendar_parts(&letter);
        let methods: Vec<&str> = parts.iter().map(|(method, _)| method.as_str()).collect();
        assert_eq!(methods, [method, "invite.ics"]);
        assert_eq!(parts[0].1, parts[1].1);
        assert!(parts[0].1.lines().all(|line| line.len() <= 75), "{}", parts[0].1);
        let calendar: icalendar::Calendar = parts[0].1.parse().unwrap();
        let event = calendar.components[0].as_event().unwrap();
        assert_eq!(calendar.property_value("METHOD"), Some(method));
        assert_eq!(event.get_uid(), Some(entry.uid.as_str()));
        assert_eq!(event.get_sequence(), u32::try_from(entry.sequence).ok());
        assert_eq!(event.property_value("STATUS"), Some(if cancels { "CANCELLED" } else { "CONFIRMED" }));
        let utc = |at: maildesk::time::Timestamp| Some(DatePerhapsTime::DateTime(CalendarDateTime::Utc(at.utc())));
        assert_eq!((event.get_start(), event.get_end()), (utc(visit.start), utc(visit.end)));
        assert_eq!(event.get_timestamp(), Some(samples::now().utc()));
        assert_eq!(event.property_value("LOCATION").unwrap_or(""), visit.place);
        let words = words(&letter);
        assert!(event.get_summary().unwrap().starts_with(&words.subject));
        // The reference proves who writes; more people look into a calendar than into a mailbox.
        let reference = Key([7; 32]).reference(Number(1), &letter.to.mailbox.address);
        assert!(!parts[0].1.replace("\n ", "").contains(&reference));
        assert_eq!(event.get_description(), Some(words.text.trim_end().replace(&reference, "IT001").as_str()));
        assert_eq!(event.property_value("CLASS"), Some("PRIVATE"));
        let organizer = &event.properties()["ORGANIZER"];
        assert_eq!(organizer.value(), "mailto:it@corp.example");
        let attendees = &event.multi_properties()["ATTENDEE"];
        let addresses: Vec<&str> = attendees.iter().map(|attendee| attendee.value()).collect();
        assert_eq!(addresses, ["mailto:chen.xiaomei@corp.example", "mailto:wang.qiang@corp.example"]);
        assert!(attendees.iter().all(|attendee| attendee.params()["RSVP"].value() == "TRUE"));
    }
}

#[test]
fn an_invitation_stands_beside_text_and_html() {
    let composed = composed(&sample("visit", Language::Chinese));
    let text = String::from_utf8(composed.bytes).unwrap();
    let types: Vec<&str> = text.split("Content-Type: ").skip(1).map(|rest| rest.split(';').next().unwrap()).collect();
    let expected =
        ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics"];
    assert_eq!(types, expected);
}

/// A requester who is no colleague chose their name (`hardening.md` S44), and nobody can break out of a value.
#[test]
fn s41_s44_names_in_an_invitation() {
    let mut letter = sample("visit", Language::English);
    let Content::Visit { visit, entry, .. } = &mut letter.content else { panic!() };
    visit.place = "Room 3\r\nATTENDEE:mailto:evil@evil.example".into();
    entry.attendees[0] = Mailbox::new(Address::parse("x@elsewhere.example").unwrap(), "Win a prize");
    entry.attendees[1].name = "Evil\";X=\"\r\nBEGIN:VALARM".into();
    let (_, calendar) = calendar_parts(&letter).remove(0);
    assert!(!calendar.contains("prize"), "{calendar}");
    let names = ["BEGIN", "ATTENDEE", "END"].map(|name| calendar.lines().filter(|l| l.starts_with(name)).count());
    assert_eq!(names, [2, 2, 2], "{calendar}");
}
