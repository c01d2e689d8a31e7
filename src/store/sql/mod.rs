//! The statements, written once for both databases. `super` is `sqlite` or `postgres`.

mod approvals;
mod archive;
mod blobs;
mod cases;
mod digests;
mod directory;
mod erase;
mod held;
mod held_addresses;
mod knowledge;
mod mailboxes;
mod messages;
mod meta;
mod outbox;
mod people;
mod pieces;
mod query;
mod reviews;
mod rounds;
mod tickets;
mod timers;
mod visits;

pub use held::Held;
pub use meta::bring_up_to_date;
use query::push_list;

use super::{BLOCKS, Connection, Db, FIND, MIGRATIONS, Row, Store, Tx, among_newest, condition};
