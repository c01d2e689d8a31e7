//! maildesk: a helpdesk that lives in the mailbox.

pub mod address;
pub mod cli;
pub mod daemon;
pub mod desk;
pub mod flow;
pub mod mail;
pub mod ports;
pub mod store;
pub mod time;
pub mod web;
