//! The rules: what to do about a message, a click or a timer. No I/O, no clock, no dice.
//!
//! [`decide::decide`] is the door: an [`event::Event`] meets a [`event::Situation`] and becomes [`event::Effect`]s.

pub mod answer;
pub mod appointment;
pub mod approval;
mod archive;
pub mod assign;
pub mod command;
mod confirm;
pub mod copies;
pub mod decide;
mod draft;
pub mod duty;
mod engineer;
pub mod escalation;
pub mod event;
pub mod fields;
mod follow_up;
pub mod hush;
pub mod inbound;
mod incident;
pub mod intake;
pub mod knowledge;
pub mod letter;
pub mod link;
mod machine;
pub mod outage;
mod pending;
pub mod policy;
pub mod proof;
mod quote;
mod requester;
pub mod retry;
pub mod sla;
mod supervisor;
pub mod team;
pub mod thread;
pub mod ticket;
pub mod triage;
pub mod vendor;
pub mod visit;
pub mod words;
