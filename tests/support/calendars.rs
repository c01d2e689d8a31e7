//! Calendar programs: what they find in an invitation, and the answers they send, header and all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessageParser, MimeHeaders};
use maildesk::address::Mailbox;
use maildesk::demo::people::Letter;

/// The entry a letter carries.
#[derive(Clone, Debug)]
pub struct Entry {
    pub method: String,
    pub uid: String,
    pub sequence: i64,
    /// The whole event as it stands in the letter, unfolded.
    pub text: String,
    pub attendees: Vec<String>,
}

/// Finds the entry as calendar programs do: the alternative that says so, beside a file with the same content.
#[track_caller]
pub fn entry(letter: &Letter) -> Entry {
    let message = MessageParser::default().parse(&letter.raw).unwrap();
    let of_type = |kind: &str| {
        let found = message.parts.iter().find(|p| p.content_type().is_some_and(|t| t.subtype() == Some(kind)));
        found.unwrap_or_else(|| panic!("no {kind} in {}", letter.subject))
    };
    let (part, file) = (of_type("calendar"), of_type("ics"));
    let text = String::from_utf8(part.contents().to_vec()).unwrap().replace("\r\n ", "").replace("\n ", "");
    assert_eq!(file.attachment_name(), Some("invite.ics"));
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit_once(':').unwrap().1.to_owned()
    };
    let method = part.content_type().unwrap().attribute("method").unwrap().to_owned();
    assert_eq!(method, value("METHOD"));
    let attendees = text.lines().filter(|line| line.starts_with("ATTENDEE"));
    let attendees = attendees.map(|line| line.rsplit_once("mailto:").unwrap().1.to_owned()).collect();
    Entry { method, uid: value("UID"), sequence: value("SEQUENCE").parse().unwrap(), attendees, text }
}

/// Exchange and Outlook: In-Reply-To is there, the zone is described under Windows' name for it, what was typed is the text.
/// `time`: `20261125T100000`, local, for a proposal.
pub fn outlook(from: &Mailbox, desk: &str, letter: &Letter, partstat: &str, time: Option<&str>, said: &str) -> Vec<u8> {
    let invited = entry(letter);
    let method = if time.is_some() { "COUNTER" } else { "REPLY" };
    let (start, end) = (time.unwrap_or("20261124T140000"), time.map_or("20261124T150000".into(), later));
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n\
         BEGIN:VTIMEZONE\r\nTZID:China Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n\
         TZOFFSETFROM:+0800\r\nTZOFFSETTO:+0800\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T000000\r\n\
         TZOFFSETFROM:+0800\r\nTZOFFSETTO:+0800\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
         ORGANIZER:mailto:{desk}\r\nATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT={partstat};CN={}:mailto:{}\r\n\
         COMMENT;LANGUAGE=zh-CN:{said}\\n\r\nUID:{}\r\nSUMMARY;LANGUAGE=zh-CN:{}\r\n\
         DTSTART;TZID=China Standard Time:{start}\r\nDTEND;TZID=China Standard Time:{end}\r\nCLASS:PUBLIC\r\n\
         PRIORITY:5\r\nDTSTAMP:20261123T020000Z\r\nTRANSP:OPAQUE\r\nSTATUS:CONFIRMED\r\nSEQUENCE:{}\r\n\
         X-MICROSOFT-CDO-APPT-SEQUENCE:0\r\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\nX-MICROSOFT-CDO-INTENDEDSTATUS:BUSY\r\n\
         X-MICROSOFT-CDO-ALLDAYEVENT:FALSE\r\nX-MICROSOFT-CDO-IMPORTANCE:1\r\nX-MICROSOFT-DISALLOW-COUNTER:FALSE\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
        from.name, from.address, invited.uid, letter.subject, invited.sequence
    );
    let header = format!(
        "From: {}\r\nTo: <{desk}>\r\nSubject: =?utf-8?B?{}?=\r\nThread-Topic: x\r\nThread-Index: AQHZ\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0800\r\nMessage-ID: <{method}{partstat}{}@exchange.corp.example>\r\n\
         References: <{}>\r\nIn-Reply-To: <{}>\r\nAccept-Language: zh-CN, en-US\r\nContent-Language: zh-CN\r\n\
         X-MS-Has-Attach:\r\nX-MS-TNEF-Correlator:\r\n",
        written(from),
        STANDARD.encode(format!("答复: {}", letter.subject)),
        invited.sequence,
        letter.message_id,
        letter.message_id
    );
    let html = format!("<html><body><div>{said}</div></body></html>");
    let parts = [part("text/plain; charset=\"utf-8\"", said), part("text/html; charset=\"utf-8\"", &html)];
    let calendar = part(&format!("text/calendar; charset=\"utf-8\"; method={method}"), &calendar);
    message(&header, &[parts[0].clone(), parts[1].clone(), calendar])
}

fn later(time: &str) -> String {
    let (day, hour) = time.split_at(9);
    format!("{day}{:02}{}", hour[..2].parse::<u32>().unwrap() + 1, &hour[2..])
}

/// Google: calls itself automatic, answers no mail by id, tells the answer in words, and sends the file along.
pub fn google(from: &Mailbox, desk: &str, letter: &Letter, partstat: &str) -> Vec<u8> {
    let invited = entry(letter);
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\n\
         METHOD:REPLY\r\nBEGIN:VEVENT\r\nDTSTART:20261124T060000Z\r\nDTEND:20261124T070000Z\r\n\
         DTSTAMP:20261123T020000Z\r\nORGANIZER;CN=IT:mailto:{desk}\r\nUID:{}\r\n\
         ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={partstat};CN={}\r\n ;X-NUM-GUESTS=0:mailto:{}\r\n\
         CREATED:20261123T010000Z\r\nDESCRIPTION:\r\nLAST-MODIFIED:20261123T020000Z\r\nLOCATION:\r\nSEQUENCE:{}\r\n\
         STATUS:CONFIRMED\r\nSUMMARY:{}\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        invited.uid, from.name, from.address, invited.sequence, letter.subject
    );
    let header = format!(
        "Reply-To: {0}\r\nSender: Google Calendar <calendar-notification@google.example>\r\nAuto-Submitted: auto-generated\r\n\
         Message-ID: <calendar-{partstat}{1}@google.example>\r\nDate: Mon, 23 Nov 2026 02:00:00 +0000\r\n\
         Subject: =?utf-8?B?{2}?=\r\nFrom: {0}\r\nTo: <{desk}>\r\n",
        written(from),
        invited.sequence,
        STANDARD.encode(format!("Declined: {} @ Tue Nov 24, 2026 14:00 - 15:00", letter.subject))
    );
    let words = format!("{} has replied to this invitation.\n\nInvitation from Google Calendar", from.name);
    let parts = [part("text/plain; charset=\"UTF-8\"; format=flowed; delsp=yes", &words)];
    let entry = part("text/calendar; charset=\"UTF-8\"; method=REPLY", &calendar);
    let file = part("application/ics; name=\"invite.ics\"", &calendar).replacen(
        "\r\n",
        "\r\nContent-Disposition: attachment; filename=\"invite.ics\"\r\n",
        1,
    );
    message(&header, &[parts[0].clone(), entry, file])
}

/// Apple's Calendar through Mail: answers no mail by id; names the address in a parameter, too.
pub fn apple(from: &Mailbox, desk: &str, letter: &Letter, partstat: &str) -> Vec<u8> {
    let invited = entry(letter);
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nCALSCALE:GREGORIAN\r\nMETHOD:REPLY\r\nPRODID:-//Apple Inc.//macOS 15.1//EN\r\nVERSION:2.0\r\n\
         BEGIN:VEVENT\r\nATTENDEE;CN=\"{0}\";CUTYPE=INDIVIDUAL;EMAIL=\"{1}\";PARTST\r\n AT={partstat};ROLE=REQ-PARTICIPANT:mailto:{1}\r\n\
         CREATED:20261123T010000Z\r\nDTEND:20261124T070000Z\r\nDTSTAMP:20261123T020000Z\r\nDTSTART:20261124T060000Z\r\n\
         LAST-MODIFIED:20261123T020000Z\r\nORGANIZER;CN=\"IT\":mailto:{desk}\r\nSEQUENCE:{2}\r\nSUMMARY:{3}\r\n\
         TRANSP:OPAQUE\r\nUID:{4}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        from.name, from.address, invited.sequence, letter.subject, invited.uid
    );
    let header = format!(
        "From: {}\r\nTo: <{desk}>\r\nSubject: =?utf-8?B?{}?=\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\n\
         Message-Id: <{partstat}{}@mac.corp.example>\r\nX-Mailer: Apple Mail (2.3826)\r\n",
        written(from),
        STANDARD.encode(format!("接受：{}", letter.subject)),
        invited.sequence
    );
    let parts = [part("text/plain; charset=utf-8", &format!("{} 已接受邀请", from.name))];
    message(&header, &[parts[0].clone(), part("text/calendar; method=REPLY; charset=utf-8", &calendar)])
}

/// Thunderbird 153, whose answer this was: answers no mail by id, writes UTF-8 as it is, and sends the file along.
pub fn thunderbird(from: &Mailbox, desk: &str, letter: &Letter, partstat: &str) -> Vec<u8> {
    let invited = entry(letter);
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\nVERSION:2.0\r\nMETHOD:REPLY\r\n\
         BEGIN:VEVENT\r\nLAST-MODIFIED:20261123T020000Z\r\nDTSTAMP:20261123T020000Z\r\nUID:{0}\r\nSUMMARY:{1}\r\n\
         STATUS:CONFIRMED\r\nORGANIZER;CN=IT 服务台:mailto:{desk}\r\n\
         ATTENDEE;CN={2};PARTSTAT={partstat};CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIP\r\n ANT:mailto:{3}\r\n\
         DTSTART:20261124T060000Z\r\nDTEND:20261124T070000Z\r\nSEQUENCE:{4}\r\nDESCRIPTION:您好：\\n\\n请\r\n 在日历里接受这次预约。\r\n\
         TRANSP:OPAQUE\r\nCLASS:PRIVATE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        invited.uid, letter.subject, from.name, from.address, invited.sequence
    );
    let header = format!(
        "MIME-version: 1.0\r\nFrom: {}\r\nMessage-ID: <496ae3c4{partstat}{}@corp.example>\r\nTo: <{desk}>\r\n\
         Date: Mon, 23 Nov 2026 02:00:00 +0000\r\nSubject: =?UTF-8?B?{}?=\r\n",
        written(from),
        invited.sequence,
        STANDARD.encode(format!("Accepted: {}", letter.subject))
    );
    let encoding = "Content-transfer-encoding: 8BIT\r\n";
    format!(
        "{header}Content-type: multipart/mixed; boundary=\"Boundary_(ID_qyG4)\"\r\n\r\n\r\n--Boundary_(ID_qyG4)\r\n\
         Content-type: multipart/alternative;\r\n boundary=\"Boundary_(ID_ryU4)\"\r\n\r\n\r\n--Boundary_(ID_ryU4)\r\n\
         Content-type: text/plain; charset=UTF-8\r\n{encoding}\r\n\
         {} <{}> has accepted your event invitation.\r\n\r\n\r\n--Boundary_(ID_ryU4)\r\n\
         Content-type: text/calendar; method=REPLY; charset=UTF-8\r\n{encoding}\r\n{calendar}\r\n\r\n\
         --Boundary_(ID_ryU4)--\r\n\r\n--Boundary_(ID_qyG4)\r\nContent-type: application/ics; name=invite.ics\r\n\
         {encoding}Content-disposition: attachment; filename=invite.ics\r\n\r\n{calendar}\r\n\r\n\
         --Boundary_(ID_qyG4)--\r\n",
        from.name, from.address
    )
    .into_bytes()
}

fn written(from: &Mailbox) -> String {
    format!("=?utf-8?B?{}?= <{}>", STANDARD.encode(&from.name), from.address)
}

fn part(kind: &str, text: &str) -> String {
    let encoded = STANDARD.encode(text);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", lines.join("\r\n"))
}

fn message(header: &str, parts: &[String]) -> Vec<u8> {
    let parts: String = parts.iter().map(|part| format!("--b0undary\r\n{part}")).collect();
    format!(
        "{header}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b0undary\"\r\n\r\n{parts}--b0undary--\r\n"
    )
    .into_bytes()
}
