//! maildesk: a helpdesk that lives in the mailbox.

pub mod address;
pub mod cli;
pub mod daemon;
pub mod config;
pub mod desk;
pub mod flow;
pub mod clock;
pub mod desk;
pub mod inbox;
pub mod mail;
pub mod mailer;
pub mod ports;
pub mod store;
pub mod time;
pub mod web;
pub mod wire;
