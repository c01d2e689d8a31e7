//! Prints the story.

use super::people::Letter;
use super::world::World;
use crate::address::Mailbox;
use crate::desk::ticket::{Number, Who};
use crate::desk::words::Language;
use anyhow::{Context as _, Result};
use std::io::{BufRead as _, Write};

/// Where the story is shown.
pub struct Stage<'a, W> {
    pub out: &'a mut W,
    pub wait: bool,
}

impl<W: Write> Stage<'_, W> {
    pub fn opening(&mut self, world: &World) -> Result<()> {
        writeln!(self.out, "maildesk 演示 / demo\n")?;
        writeln!(
            self.out,
            "所有邮件都在这个文件夹里，不会发到任何地方。\nEvery mail stays in this folder; nothing is sent anywhere:\n  {}\n",
            world.folder.display()
        )?;
        Ok(())
    }

    /// A new scene with the story's time.
    pub fn scene(&mut self, world: &World, title: &str) -> Result<()> {
        if self.wait {
            write!(self.out, "\n[Enter] ")?;
            self.out.flush()?;
            std::io::stdin().lock().read_line(&mut String::new())?;
        }
        let time = world.now().at_zone(chrono_tz::Asia::Shanghai).format("%m-%d %H:%M");
        writeln!(self.out, "\n━━━━ {time} ━━━━ {title}\n")?;
        Ok(())
    }

    /// What somebody writes to the desk.
    pub fn says(&mut self, who: &Mailbox, subject: &str, text: &str) -> Result<()> {
        writeln!(self.out, "  ✎ {} <{}>  「{subject}」", who.name, who.address)?;
        for line in text.lines() {
            writeln!(self.out, "    {line}")?;
        }
        writeln!(self.out)?;
        Ok(())
    }

    /// The letters the desk sends for it.
    pub fn letters(&mut self, letters: &[Letter]) -> Result<()> {
        if letters.is_empty() {
            writeln!(self.out, "  （没有邮件发出 / no letter goes out）\n")?;
        }
        for letter in letters {
            writeln!(self.out, "  ✉ {} → {}\n  │ {}\n  │", letter.from, letter.to, letter.subject)?;
            for line in letter.text.trim_end().lines() {
                writeln!(self.out, "  │ {line}")?;
            }
            writeln!(self.out, "  ╰──\n")?;
        }
        Ok(())
    }

    /// The ticket's timeline, as the desk keeps it.
    pub async fn ticket(&mut self, world: &World, number: i64) -> Result<()> {
        let number = Number(number);
        let ticket = world.flow.store.ticket(number).await?.context("the ticket exists")?;
        let policy = world.flow.policy();
        writeln!(self.out, "  ▤ {number} {} — {}", ticket.subject, ticket.status.name(Language::Chinese))?;
        for entry in world.flow.store.timeline(number).await? {
            let time = entry.at.at_zone(policy.desk.zone).format("%m-%d %H:%M");
            let who = match &entry.who {
                Who::Desk => policy.desk.name_zh.clone(),
                Who::Person(address) if *address == ticket.requester.address => ticket.requester.called().to_owned(),
                Who::Person(address) => {
                    policy.engineer(address).map_or_else(|| address.to_string(), |e| e.reader.mailbox.name.clone())
                }
            };
            let what = crate::mail::phrases::happened(&entry.what, Language::Chinese);
            writeln!(self.out, "    {time}  {who}  {what}  {}", entry.why.replace('\n', " "))?;
        }
        writeln!(self.out)?;
        Ok(())
    }

    pub async fn ending(&mut self, world: &World) -> Result<()> {
        writeln!(self.out, "━━━━ 结束 / The end\n")?;
        writeln!(self.out, "文件夹 / The folder: {}", world.folder.display())?;
        writeln!(
            self.out,
            "  everybodys-inbox/cur  发出的信，可用任何邮件客户端打开 / the letters, as files any mail client opens"
        )?;
        writeln!(self.out, "  desk-mailbox          服务台收到的邮件 / what the desk received")?;
        writeln!(
            self.out,
            "  config.toml desk.db   maildesk ticket list -c {}",
            world.folder.join("config.toml").display()
        )?;
        Ok(())
    }
}
