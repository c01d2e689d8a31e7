//! An SMTP server that says yes to everything at once and remembers what was accepted when. It shares the machine with
//! what is measured, so it looks at a letter's bytes once and at nothing but its header.

use memchr::memmem;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// A letter the sink has said yes to.
pub struct Accepted {
    pub at: Instant,
    pub to: String,
    /// The Message-ID the letter answers, without angle brackets.
    pub in_reply_to: Option<String>,
}

#[derive(Clone, Default)]
pub struct Sink {
    accepted: Arc<Mutex<Vec<Accepted>>>,
}

impl Sink {
    /// Listens on a free port until the process ends.
    pub fn start() -> (Sink, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Sink::default();
        let serving = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = serving.clone();
                std::thread::spawn(move || sink.talk(Talk::new(stream)));
            }
        });
        (sink, port)
    }

    pub fn accepted(&self) -> MutexGuard<'_, Vec<Accepted>> {
        self.accepted.lock().unwrap()
    }

    /// `None` when the client is gone.
    fn talk(&self, mut client: Talk) -> Option<()> {
        client.stream.set_nodelay(true).ok()?;
        client.say(b"220 sink\r\n")?;
        let mut to = String::new();
        loop {
            let line = client.until(b"\r\n")?;
            let command = String::from_utf8_lossy(&line[..line.len().min(4)]).to_ascii_uppercase();
            let reply: &[u8] = match command.as_str() {
                "EHLO" => b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
                "RCPT" => {
                    to = in_brackets(&line).unwrap_or_default();
                    b"250 ok\r\n"
                }
                "DATA" => {
                    client.say(b"354 go\r\n")?;
                    let letter = client.until(b"\r\n.\r\n")?;
                    let in_reply_to = answers(&letter);
                    self.accepted().push(Accepted { at: Instant::now(), to: to.clone(), in_reply_to });
                    b"250 taken\r\n"
                }
                "QUIT" => return client.say(b"221 bye\r\n"),
                _ => b"250 ok\r\n",
            };
            client.say(reply)?;
        }
    }
}

struct Talk {
    stream: TcpStream,
    /// Read and not looked at yet.
    waiting: Vec<u8>,
    /// Said when the client waits for it: several commands that came together are answered together.
    to_say: Vec<u8>,
}

impl Talk {
    fn new(stream: TcpStream) -> Talk {
        Talk { stream, waiting: Vec::new(), to_say: Vec::new() }
    }

    fn say(&mut self, words: &[u8]) -> Option<()> {
        self.to_say.extend_from_slice(words);
        if self.waiting.is_empty() { self.flush() } else { Some(()) }
    }

    fn flush(&mut self) -> Option<()> {
        self.stream.write_all(&self.to_say).ok()?;
        self.to_say.clear();
        Some(())
    }

    /// Everything up to this end, and the end.
    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut looked = 0;
        loop {
            if let Some(at) = memmem::find(&self.waiting[looked..], end) {
                let rest = self.waiting.split_off(looked + at + end.len());
                return Some(std::mem::replace(&mut self.waiting, rest));
            }
            looked = self.waiting.len().saturating_sub(end.len());
            self.flush()?;
            let mut piece = [0; 64 << 10];
            match self.stream.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.waiting.extend_from_slice(&piece[..count]),
            }
        }
    }
}

fn in_brackets(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    text.split(['<', '>']).nth(1).map(str::to_owned)
}

fn answers(letter: &[u8]) -> Option<String> {
    let header = &letter[..memmem::find(letter, b"\r\n\r\n")?];
    let field = &header[memmem::find(header, b"\r\nIn-Reply-To:")?..];
    in_brackets(field)
}
