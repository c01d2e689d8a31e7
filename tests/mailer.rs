//! The mailers against real and hostile servers.

mod support;
