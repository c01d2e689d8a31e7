//! maildesk: a helpdesk that lives in the mailbox.

pub mod address;
pub mod cli;
pub mod desk;
pub mod mail;
pub mod ports;
pub mod time;
