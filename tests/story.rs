//! The desk's stories, told mail by mail: real Dovecot, real Postfix, SQLite and PostgreSQL, a clock the story moves.

mod support;

mod story {
    mod approvals;
    mod clients;
    mod clock;
    mod commands;
    mod duplicates;
    mod faults;
    mod incident;
    mod knowledge;
    mod learning;
    mod life;
    mod machines;
    mod outage;
    mod people;
    mod proof;
    mod reviews;
    mod terminals;
    mod threads;
    mod vendors;
    mod visits;
}
