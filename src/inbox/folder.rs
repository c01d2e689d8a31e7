//! The folder for handled messages: found or created, and messages moved into it.

use super::link::{Answer, Link, SMALL, quoted};
use super::listing::still_there;
use super::sets::expand;
use super::utf7;
use crate::ports::InboxError;
use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response};

/// Moves a UID set; the inner error is the server's refusal.
pub async fn move_set(link: &mut Link, set: &str, folder: &str) -> Result<Result<(), Answer>, InboxError> {
    let folder = quoted(folder);
    let commands = match link.can("MOVE") {
        true => vec![format!("UID MOVE {set} {folder}")],
        // RFC 6851 section 3.3. Never a plain EXPUNGE: the mailbox has other users. Without UIDPLUS the message
        // stays, marked as deleted.
        false => vec![format!("UID COPY {set} {folder}"), format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")],
    };
    for command in commands {
        let answer = link.command(&command, SMALL, |_| {}).await?;
        if answer.ok {
            continue;
        }
        // Some servers refuse when a UID of the set is gone already.
        let uids = expand(set);
        if !answer.try_create && still_there(link, &uids).await?.is_none() {
            return Ok(Ok(()));
        }
        return Ok(Err(answer));
    }
    if !link.can("MOVE") && link.can("UIDPLUS") {
        link.command(&format!("UID EXPUNGE {set}"), SMALL, |_| {}).await?.or_lost("UID EXPUNGE was")?;
    }
    Ok(Ok(()))
}

/// Finds or creates the folder for handled messages; returns its name on the wire.
///
/// The configured name has `/` between levels; the server's own delimiter comes from LIST. QQ keeps every user folder
/// under an unselectable `其他文件夹` (`domain.md` 2.5), some servers everything under `INBOX`.
pub async fn prepare_folder(link: &mut Link, name: &str) -> Result<String, InboxError> {
    let mut delimiter = "/".to_owned();
    let mut parents = Vec::new();
    link.command("LIST \"\" \"%\"", SMALL, |response| {
        if let Response::MailboxData(MailboxDatum::List(list)) = response {
            if let Some(d) = list.delimiter.as_deref() {
                delimiter = d.to_owned();
            }
            if list.name_attributes.contains(&NameAttribute::NoSelect) && parents.len() < 100 {
                parents.push(list.name.to_string());
            }
        }
    })
    .await?
    .or_lost("LIST was")?;
    let levels: Vec<String> = name.split('/').filter(|l| !l.is_empty()).map(utf7::encode).collect();
    let qq = utf7::encode("其他文件夹");
    let root =
        if parents.contains(&qq) && levels.first() != Some(&qq) { format!("{qq}{delimiter}") } else { String::new() };
    let plain = format!("{root}{}", levels.join(&delimiter));
    let below_inbox = format!("INBOX{delimiter}{}", levels.join(&delimiter));
    let mut refusal = String::new();
    for candidate in [plain, below_inbox] {
        if exists(link, &candidate).await? {
            return Ok(candidate);
        }
        let answer = link.command(&format!("CREATE {}", quoted(&candidate)), SMALL, |_| {}).await?;
        if answer.ok {
            // So that people see it in their mail program; a refusal does not matter.
            link.command(&format!("SUBSCRIBE {}", quoted(&candidate)), SMALL, |_| {}).await?;
            return Ok(candidate);
        }
        if exists(link, &candidate).await? {
            return Ok(candidate);
        }
        refusal = answer.text;
    }
    Err(InboxError::Lost(format!("IMAP: cannot create the folder {name:?}: {refusal}")))
}

async fn exists(link: &mut Link, folder: &str) -> Result<bool, InboxError> {
    let mut found = false;
    link.command(&format!("LIST \"\" {}", quoted(folder)), SMALL, |response| {
        if let Response::MailboxData(MailboxDatum::List(list)) = response {
            found |= list.name == folder && !list.name_attributes.contains(&NameAttribute::NoSelect);
        }
    })
    .await?
    .or_lost("LIST was")?;
    Ok(found)
}
