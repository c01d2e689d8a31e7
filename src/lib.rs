//! maildesk: a helpdesk that lives in the mailbox.

pub mod address;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod desk;
pub mod flow;
pub mod inbox;
pub mod mail;
pub mod mailer;
pub mod ports;
pub mod store;
pub mod time;
pub mod web;
pub mod wire;
