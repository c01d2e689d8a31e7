//! The statements, written once for both databases. `super` is `sqlite` or `postgres`.

mod approvals;
mod blobs;
mod digests;
mod held;
mod mailboxes;
mod messages;
mod meta;
mod outbox;
mod people;
mod pieces;
mod query;
mod rounds;
mod tickets;
mod timers;
mod visits;

pub use held::Held;
pub use meta::bring_up_to_date;
use query::push_list;

use super::{Connection, Db, MIGRATIONS, Row, Store, Tx};
