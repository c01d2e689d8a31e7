//! What cannot be handled holds up nothing else (promise G4): a database that refuses single changes.

use crate::support::desk::{DAY, Desk, HOUR, li, on_both, person, zhang};
use crate::support::post::{bounce, with};
use maildesk::desk::words::Status;
use maildesk::store::OutboxState;

/// Makes the database refuse rows of `table` for which `condition` holds: a fault that no rule foresees.
pub async fn refuse(desk: &Desk, action: &str, table: &str, condition: &str) {
    match &desk.database {
        url if url.starts_with("sqlite") => {
            let pool = sqlx::SqlitePool::connect(url).await.unwrap();
            let trigger = format!(
                "create trigger refused before {action} on {table} when {condition} begin select raise(abort, 'refused'); end"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(trigger)).execute(&pool).await.unwrap();
            pool.close().await;
        }
        url => {
            let trigger = format!(
                "create function refuse() returns trigger language plpgsql as \
                 $$ begin if {condition} then raise 'refused'; end if; return new; end $$; \
                 create trigger refused before {action} on {table} for each row execute function refuse()"
            );
            crate::support::postgres::psql(url, &trigger);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g4_a_timer_that_cannot_be_handled_holds_up_no_other() {
    on_both(async |desk: &mut Desk| {
        let li = li();
        for n in 1..=3 {
            let who = person(&format!("person{n}@corp.example"), "");
            let notice = desk.writes(&who, "打印机坏了", "打印机打不出来。").await.to(&li);
            desk.replies(&li, &notice, "#resolve\n好了").await.only_to(&[&who]);
        }
        refuse(desk, "update", "ticket", "new.number = 1").await;
        desk.clock.advance(10 * DAY);
        let ticked = desk.flow.tick(desk.now()).await.unwrap();
        assert_eq!((ticked.handled, ticked.put_off.len()), (5, 1), "{ticked:?}");
        assert!(ticked.put_off[0].contains("IT001"), "{ticked:?}");
        let status = [desk.ticket(1).await.status, desk.ticket(2).await.status, desk.ticket(3).await.status];
        assert_eq!(status, [Status::Resolved, Status::Closed, Status::Closed]);
        assert_eq!(desk.flow.tick(desk.now()).await.unwrap(), Default::default(), "not tried at once again");
        desk.clock.advance(HOUR);
        let later = desk.flow.tick(desk.now()).await.unwrap();
        assert_eq!(later.put_off.len(), 1, "but later: {later:?}, {:?}", desk.flow.store.next_timer().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g2_a_refused_letter_that_cannot_be_told_repeats_no_other() {
    on_both(async |desk: &mut Desk| {
        let (zhang, gone) = (zhang(), person("gone@elsewhere.example", ""));
        refuse(desk, "insert", "timeline", "new.what like '%undelivered%'").await;
        // Two requesters; the server takes the letters of the one and refuses the other's.
        let mails = [desk.mail(&gone, "打印机坏了", "一"), desk.mail(&zhang, "打印机坏了", "二")];
        let letters = desk.gets_all(&mails).await;
        letters.only_to(&[&zhang, &li(), &li()]);
        for (row, _) in desk.flow.store.all_outgoing().await.unwrap() {
            let expected = if row.to == gone.address { OutboxState::Failed } else { OutboxState::Sent };
            assert_eq!((row.state, row.attempts), (expected, 1), "{}", row.key);
        }
        desk.passes(HOUR / 2).await.none();
        // The desk still reads and writes.
        let report = with(bounce(&letters.to(&zhang), &desk.address), "X-Test: 1");
        desk.arrives(&report);
        desk.looks().await;
        assert_eq!(desk.lying(), 0);
    })
    .await;
}
